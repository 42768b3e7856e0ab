//! Calls of an encoder, and the sink it writes to.

#![allow(unsafe_code)] // functions of a foreign library, and a callback from C

use std::ffi::{CStr, CString, c_void};
use std::mem::MaybeUninit;
use std::ptr::{null, null_mut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mapwave_plugin_abi::{
    MW_IO, MW_OK, MW_SINK_APPEND_ONLY, MW_UNKNOWN, mw_buffer, mw_encoder, mw_encoder_options,
    mw_encoder_table, mw_error, mw_sink, mw_status, mw_tag,
};

use super::guarded_buffer::{Format, GuardedBuffer, Layout};
use super::option::check_options;
use super::refusal::{CANARY, ErrorBox, ErrorSpace, Fault, judge};
use super::sample::Sample;
use super::statements;
use super::struct_bytes::struct_bytes;
use super::text::{names, optional_text, text};
use crate::pulse;
use crate::verdict::{Finding, Outcome};

/// The maximum number of bytes that a sink accepts.
const MAX_SINK_BYTES: u64 = 1 << 30;

/// The table of an encoder, with all its functions.
#[derive(Clone, Copy)]
pub struct EncoderTable {
    table: &'static mw_encoder_table,
    functions: Functions,
}

#[derive(Clone, Copy)]
struct Functions {
    open: unsafe extern "C" fn(
        *const mw_encoder_options,
        *const mw_sink,
        *mut *mut mw_encoder,
        *mut mw_error,
    ) -> mw_status,
    push: unsafe extern "C" fn(*mut mw_encoder, *const mw_buffer, *mut mw_error) -> mw_status,
    finish: unsafe extern "C" fn(*mut mw_encoder, *mut mw_error) -> mw_status,
    close: unsafe extern "C" fn(*mut mw_encoder),
}

// SAFETY: a table and its strings are constant until the process exits, by R2.
unsafe impl Send for EncoderTable {}
// SAFETY: as above.
unsafe impl Sync for EncoderTable {}

/// What to encode, and how.
#[derive(Clone, Debug)]
pub struct EncodeOptions {
    /// Frames per second.
    pub sample_rate: u32,
    /// Samples per frame.
    pub num_channels: u32,
    /// The number of frames to come, if it is announced.
    pub num_frames: Option<u64>,
    /// The container; `None` for the encoder's default.
    pub container: Option<String>,
    /// The codec; `None` for the encoder's default.
    pub codec: Option<String>,
    /// The depth of a lossless codec; 0 for the encoder's choice.
    pub bits_per_sample: u32,
    /// Speaker positions; 0 when they are unknown.
    pub channel_mask: u64,
    /// Bits a second; 0 for the encoder's choice.
    pub bitrate: u32,
    /// 1 to 100, from fast to small; 0 for the encoder's choice.
    pub effort: u32,
    /// 1 to 100, from small to good; 0 for the encoder's choice.
    pub quality: u32,
    /// Metadata: keys and values.
    pub tags: Vec<(String, String)>,
    /// The maximum number of threads.
    pub max_threads: u32,
    /// The maximum number of bytes to allocate.
    pub max_alloc: u64,
    /// Whether the sink accepts bytes at its end only.
    pub append_only: bool,
    /// The number of the write that fails, counted from 0.
    pub failing_write: Option<u64>,
    /// The error struct to pass.
    pub errors: ErrorSpace,
}

impl EncodeOptions {
    /// Options that nearly every encoder supports.
    pub fn new(sample_rate: u32, num_channels: u32) -> Self {
        Self {
            sample_rate,
            num_channels,
            num_frames: None,
            container: None,
            codec: None,
            bits_per_sample: 0,
            channel_mask: 0,
            bitrate: 0,
            effort: 0,
            quality: 0,
            tags: Vec::new(),
            max_threads: 1,
            max_alloc: 1 << 30,
            append_only: false,
            failing_write: None,
            errors: ErrorSpace::FULL,
        }
    }
}

/// The memory that an encoder writes to.
#[derive(Default)]
pub struct Sink {
    state: Mutex<Written>,
}

#[derive(Default)]
struct Written {
    bytes: Vec<u8>,
    num_writes: u64,
    failing_write: Option<u64>,
    append_only: bool,
    /// Whether a call on the encoder is in progress.
    is_called: bool,
    misuse: Option<String>,
    had_hole: bool,
}

impl Sink {
    fn state(&self) -> MutexGuard<'_, Written> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The bytes written so far.
    pub fn bytes(&self) -> Vec<u8> {
        self.state().bytes.clone()
    }

    /// Whether a write ever started past the end of the bytes written so far and left a hole.
    pub fn had_hole(&self) -> bool {
        self.state().had_hole
    }

    /// The number of writes.
    pub fn num_writes(&self) -> u64 {
        self.state().num_writes
    }
}

impl Written {
    fn write(&mut self, offset: u64, data: &[u8]) -> mw_status {
        let number = self.num_writes;
        self.num_writes += 1;
        if !self.is_called {
            self.misuse
                .get_or_insert_with(|| "write_at was called outside the encoder's own calls".to_owned());
        }
        if self.failing_write == Some(number) {
            return MW_IO;
        }
        if self.append_only && offset != self.bytes.len() as u64 {
            let reason = format!(
                "write_at was called for byte {offset} of an append-only sink of {} bytes",
                self.bytes.len()
            );
            self.misuse.get_or_insert(reason);
            return MW_IO;
        }
        let end = offset.checked_add(data.len() as u64).filter(|end| *end <= MAX_SINK_BYTES);
        let (Some(end), Ok(start)) = (end.and_then(|end| usize::try_from(end).ok()), usize::try_from(offset))
        else {
            self.misuse.get_or_insert_with(|| format!("write_at was called for byte {offset}"));
            return MW_IO;
        };
        self.had_hole |= start > self.bytes.len();
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        if let Some(to) = self.bytes.get_mut(start..end) {
            to.copy_from_slice(data);
        }
        MW_OK
    }
}

unsafe extern "C" fn write_at(
    context: *mut c_void,
    offset: u64,
    data: *const c_void,
    num_bytes: u64,
) -> mw_status {
    // SAFETY: the context is the one of `open`: the sink, which the encoder's handle holds until it is closed, and which is
    // shared through its lock alone.
    let sink = unsafe { &*context.cast::<Sink>() };
    if num_bytes == 0 {
        return sink.state().write(offset, &[]);
    }
    if data.is_null() || num_bytes > MAX_SINK_BYTES {
        let kind = if data.is_null() { "null" } else { "data" };
        sink.state().misuse.get_or_insert_with(|| format!("write_at was given {kind} for {num_bytes} bytes"));
        return MW_IO;
    }
    let Ok(num_bytes) = usize::try_from(num_bytes) else { return MW_IO };
    // SAFETY: not null and below the largest size of a slice; the encoder passes that many initialised bytes, which do not change
    // during the call, by the interface, and bytes need no alignment.
    let data = unsafe { std::slice::from_raw_parts(data.cast::<u8>(), num_bytes) };
    sink.state().write(offset, data)
}

/// A string for a plugin; what follows a zero byte is left out.
fn c_string(text: &str) -> CString {
    CString::new(text.split('\0').next().unwrap_or_default()).unwrap_or_default()
}

impl EncoderTable {
    /// Checks that a table has all functions.
    pub fn new(table: &'static mw_encoder_table) -> Outcome<Self> {
        let missing = |name| Finding::broken("R1", format!("the encoder's function {name} is missing"));
        let functions = Functions {
            open: table.open.ok_or_else(|| missing("open"))?,
            push: table.push.ok_or_else(|| missing("push"))?,
            finish: table.finish.ok_or_else(|| missing("finish"))?,
            close: table.close.ok_or_else(|| missing("close"))?,
        };
        Ok(Self { table, functions })
    }

    /// Its name.
    pub fn name(&self) -> Outcome<String> {
        text(self.table.name, "the encoder's name")
    }

    /// Rejects missing or invalid strings and formats.
    pub fn check_description(&self) -> Outcome {
        let short =
            |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "-_.".contains(letter);
        names(self.table.name, "the encoder's name", short)?;
        let codecs = names(self.table.codecs, "the encoder's codecs", short)?;
        let containers = names(self.table.containers, "the encoder's containers", short)?;
        let takes_integers = self.formats()?.iter().any(|format| *format != Format::F32);
        check_options(self.table.option)?;
        let stated = optional_text(self.table.lossless, "lossless")?;
        statements::check_lossless(&stated, &codecs, takes_integers)?;
        let stated = optional_text(self.table.default_codecs, "default_codecs")?;
        statements::check_default_codecs(&stated, &containers, &codecs)?;
        let stated = optional_text(self.table.extensions, "extensions")?;
        statements::check_extensions(&stated, &containers, &codecs)
    }

    /// The containers that it writes.
    pub fn containers(&self) -> Outcome<Vec<String>> {
        names(self.table.containers, "the encoder's containers", |_| true)
    }

    /// The formats that `push` accepts.
    pub fn formats(&self) -> Outcome<Vec<Format>> {
        Format::from_mask(self.table.formats).ok_or_else(|| {
            Finding::broken("R1", format!("the encoder's formats are {:#x}", self.table.formats))
        })
    }

    /// The codecs that it writes.
    pub fn codecs(&self) -> Outcome<Vec<String>> {
        names(self.table.codecs, "the encoder's codecs", |_| true)
    }

    /// The struct itself, for calls that this host does not make.
    pub fn fields(&self) -> &'static mw_encoder_table {
        self.table
    }

    /// Encodes interleaved samples that are pushed in one call, and returns the file.
    pub fn encode<T: Sample>(&self, options: &EncodeOptions, samples: &[T]) -> Result<Vec<u8>, Fault> {
        let mut encoder = self.open(options)?;
        encoder.push(Layout::Interleaved, samples)?;
        encoder.finish()?;
        Ok(encoder.sink().bytes())
    }

    /// Opens an encoder.
    pub fn open(&self, options: &EncodeOptions) -> Result<Encoder, Fault> {
        let sink = Arc::new(Sink::default());
        {
            let mut state = sink.state();
            state.append_only = options.append_only;
            state.failing_write = options.failing_write;
            state.is_called = true;
        }
        let [container, codec] =
            [&options.container, &options.codec].map(|name| name.as_deref().map(c_string));
        let texts: Vec<(CString, CString)> =
            options.tags.iter().map(|(key, value)| (c_string(key), c_string(value))).collect();
        let tags: Vec<mw_tag> =
            texts.iter().map(|(key, value)| mw_tag { key: key.as_ptr(), value: value.as_ptr() }).collect();
        let mut passed = Box::new(MaybeUninit::new(mw_encoder_options {
            size: struct_bytes::<mw_encoder_options>(),
            sample_rate: options.sample_rate,
            num_channels: options.num_channels,
            bits_per_sample: options.bits_per_sample,
            channel_mask: options.channel_mask,
            num_frames: options.num_frames.unwrap_or(MW_UNKNOWN),
            codec: codec.as_deref().map_or(null(), CStr::as_ptr),
            container: container.as_deref().map_or(null(), CStr::as_ptr),
            bitrate: options.bitrate,
            effort: options.effort,
            quality: options.quality,
            num_tags: u32::try_from(tags.len()).unwrap_or(u32::MAX),
            tags: tags.as_ptr(),
            max_threads: options.max_threads,
            reserved: 0,
            max_alloc: options.max_alloc,
            settings: null(),
            num_settings: 0,
        }));
        // The struct must also be valid until the encoder is closed.
        let passed_sink = Box::new(mw_sink {
            size: struct_bytes::<mw_sink>(),
            flags: if options.append_only { MW_SINK_APPEND_ONLY } else { 0 },
            context: Arc::as_ptr(&sink).cast_mut().cast(),
            write_at: Some(write_at),
        });
        let mut handle: *mut mw_encoder = null_mut();
        let mut error = ErrorBox::new(options.errors);
        // SAFETY: the options are valid during the call, the sink until the handle is closed, which holds it.
        let status = unsafe {
            (self.functions.open)(passed.as_ptr(), &raw const *passed_sink, &raw mut handle, error.pointer())
        };
        let is_null = handle.is_null();
        let functions = self.functions;
        // They were valid during the call only: a pointer kept to them now reads canaries.
        let bytes: *mut MaybeUninit<u8> = passed.as_mut_ptr().cast();
        // SAFETY: all bytes of a value that may hold any, which is this function's own.
        unsafe { bytes.write_bytes(CANARY, size_of::<mw_encoder_options>()) };
        let encoder = Encoder {
            functions,
            handle,
            sink,
            num_channels: options.num_channels,
            _passed: (passed_sink, passed),
            errors: options.errors,
        };
        let verdict = judge("open", status, &error, false);
        encoder.leave()?;
        match verdict {
            Ok(_) if is_null => Err(Fault::broken("open", "open returned MW_OK and set no handle")),
            Ok(_) => Ok(encoder),
            Err(Fault::Refused(_)) if encoder.sink.num_writes() > 0 && options.failing_write.is_none() => {
                Err(Fault::broken("open", "the encoder's open failed after it had written"))
            }
            Err(fault) => Err(fault),
        }
    }

    /// Closes a null handle, which is allowed.
    pub fn close_null(&self) {
        // SAFETY: closing null is legal and does nothing, by the interface.
        unsafe { (self.functions.close)(null_mut()) }
    }
}

/// An open handle, closed on drop.
pub struct Encoder {
    functions: Functions,
    handle: *mut mw_encoder,
    sink: Arc<Sink>,
    num_channels: u32,
    /// The structs passed to `open`, kept so that their memory is not reused for valid data.
    _passed: (Box<mw_sink>, Box<MaybeUninit<mw_encoder_options>>),
    errors: ErrorSpace,
}

// SAFETY: a handle takes calls from any thread, one at a time, by R4; `&self` is not shared between threads here.
unsafe impl Send for Encoder {}

impl Encoder {
    /// The sink.
    pub fn sink(&self) -> Arc<Sink> {
        Arc::clone(&self.sink)
    }

    /// Marks the end of a call on the encoder.
    fn leave(&self) -> Result<(), Fault> {
        let mut state = self.sink.state();
        state.is_called = false;
        state.misuse.clone().map_or(Ok(()), |reason| Err(Fault::broken("write_at", reason)))
    }

    /// Pushes interleaved samples, passed to the encoder in the given layout.
    pub fn push<T: Sample>(&mut self, layout: Layout, samples: &[T]) -> Result<(), Fault> {
        let bytes = T::to_bytes(samples);
        self.push_buffer(&mut GuardedBuffer::of(T::FORMAT, layout, self.num_channels, &bytes))
    }

    /// Pushes frames.
    pub(crate) fn push_buffer(&mut self, frames: &mut GuardedBuffer) -> Result<(), Fault> {
        let buffer = frames.abi_buffer();
        let before = frames.all_bytes();
        let mut error = ErrorBox::new(self.errors);
        self.sink.state().is_called = true;
        // SAFETY: the handle is open; the buffer points to as many frames as it says, and the error is one or null; all of it
        // outlives the call.
        let status = unsafe { (self.functions.push)(self.handle, &raw const buffer, error.pointer()) };
        self.leave()?;
        judge("push", status, &error, false)?;
        match frames.all_bytes() == before {
            true => Ok(()),
            false => Err(Fault::broken("R8", "push wrote to the frames that it was given to read")),
        }
    }

    /// Finishes the stream.
    pub fn finish(&mut self) -> Result<(), Fault> {
        let mut error = ErrorBox::new(self.errors);
        self.sink.state().is_called = true;
        // SAFETY: the handle is open, and the error, which outlives the call, is one or null.
        let status = unsafe { (self.functions.finish)(self.handle, error.pointer()) };
        self.leave()?;
        judge("finish", status, &error, false).map(drop)
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        // SAFETY: the handle is open, or null, which is legal; a value is dropped once, so nothing uses the handle afterwards.
        unsafe { (self.functions.close)(self.handle) };
        pulse::beat();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_sink_takes_what_it_may() {
        let mut sink = Written { is_called: true, ..Written::default() };
        assert_eq!(sink.write(2, b"ab"), MW_OK);
        assert_eq!(sink.write(0, b"xy"), MW_OK);
        assert_eq!(sink.bytes, b"xyab");
        assert_eq!(sink.write(u64::MAX, b"a"), MW_IO);
        assert!(sink.misuse.is_some());
        let mut sink = Written { append_only: true, is_called: true, ..Written::default() };
        assert_eq!(sink.write(0, b"ab"), MW_OK);
        assert_eq!(sink.write(0, b"ab"), MW_IO);
        assert!(sink.misuse.is_some());
        let mut sink = Written { failing_write: Some(1), is_called: true, ..Written::default() };
        assert_eq!((sink.write(0, b"a"), sink.write(1, b"a")), (MW_OK, MW_IO));
        assert!(sink.misuse.is_none());
    }

    #[test]
    fn data_that_cannot_be_is_a_misuse_and_not_read() {
        for (data, num_bytes) in [(null(), 1), (b"a".as_ptr(), MAX_SINK_BYTES + 1)] {
            let sink = Sink::default();
            sink.state().is_called = true;
            let context = (&raw const sink).cast_mut().cast();
            // SAFETY: the context is a sink that outlives the call; data like this is rejected before it is read.
            assert_eq!(unsafe { write_at(context, 0, data.cast(), num_bytes) }, MW_IO);
            assert!(sink.state().misuse.is_some() && sink.bytes().is_empty());
        }
    }
}
