//! Encoders, and the sink they write to.

#![allow(unsafe_code)] // functions of a foreign library, and a callback from C

use std::ffi::{CString, c_void};
use std::ptr::{null, null_mut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mapwave_plugin_abi::{
    MW_IO, MW_OK, MW_SINK_APPEND_ONLY, MW_UNKNOWN, mw_buffer, mw_encoder, mw_encoder_options,
    mw_encoder_table, mw_error, mw_sink, mw_status,
};

use super::guarded_buffer::{Format, GuardedBuffer};
use super::library::{names, text};
use super::refusal::{ErrorBox, ErrorSpace, Fault, judge};
use super::struct_bytes;
use crate::verdict::{Finding, Outcome};

/// The most bytes that a sink takes.
const MAX_SINK_BYTES: u64 = 1 << 30;

/// A kind of encoder, with every function there.
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

/// What is to be encoded.
#[derive(Clone, Debug)]
pub struct EncodeOptions {
    /// Frames a second.
    pub sample_rate: u32,
    /// Samples in a frame.
    pub num_channels: u32,
    /// The number of frames to come, if it is said.
    pub num_frames: Option<u64>,
    /// The container, or the usual one.
    pub container: Option<String>,
    /// Whether the sink takes bytes at its end only.
    pub append_only: bool,
    /// The write that fails, counted from 0.
    pub failing_write: Option<u64>,
    /// Where errors go.
    pub errors: ErrorSpace,
}

impl EncodeOptions {
    /// What every encoder of sound can do, most likely.
    pub fn new(sample_rate: u32, num_channels: u32) -> Self {
        Self {
            sample_rate,
            num_channels,
            num_frames: None,
            container: None,
            append_only: false,
            failing_write: None,
            errors: ErrorSpace::FULL,
        }
    }
}

/// Where an encoder's bytes go.
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
    /// Whether one of the encoder's own calls is under way.
    is_called: bool,
    misuse: Option<String>,
}

impl Sink {
    fn state(&self) -> MutexGuard<'_, Written> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was written.
    pub fn bytes(&self) -> Vec<u8> {
        self.state().bytes.clone()
    }

    /// How often the encoder wrote.
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
    // SAFETY: the context is the sink's, which lives until the encoder is closed.
    let sink = unsafe { &*context.cast::<Sink>() };
    let Ok(num_bytes) = usize::try_from(num_bytes) else { return MW_IO };
    if num_bytes == 0 {
        return sink.state().write(offset, &[]);
    }
    // SAFETY: the encoder passes that many bytes, valid during the call.
    let data = unsafe { std::slice::from_raw_parts(data.cast::<u8>(), num_bytes) };
    sink.state().write(offset, data)
}

impl EncoderTable {
    /// A table that says sane things of itself and has all functions.
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

    /// Refuses strings that are none or say nothing, and formats that are none.
    pub fn check_description(&self) -> Outcome {
        let short =
            |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "-_.".contains(letter);
        names(self.table.name, "the encoder's name", short)?;
        names(self.table.codecs, "the encoder's codecs", short)?;
        names(self.table.containers, "the encoder's containers", short)?;
        self.formats().map(drop)
    }

    /// The containers it writes.
    pub fn containers(&self) -> Outcome<Vec<String>> {
        names(self.table.containers, "the encoder's containers", |_| true)
    }

    /// The formats that `push` takes.
    pub fn formats(&self) -> Outcome<Vec<Format>> {
        Format::from_mask(self.table.formats).ok_or_else(|| {
            Finding::broken("R1", format!("the encoder's formats are {:#x}", self.table.formats))
        })
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
        let container = options.container.as_ref().and_then(|name| CString::new(name.as_str()).ok());
        let passed = mw_encoder_options {
            size: struct_bytes::<mw_encoder_options>(),
            sample_rate: options.sample_rate,
            num_channels: options.num_channels,
            bits_per_sample: 0,
            channel_mask: 0,
            num_frames: options.num_frames.unwrap_or(MW_UNKNOWN),
            codec: null(),
            container: container.as_deref().map_or(null(), std::ffi::CStr::as_ptr),
            bitrate: 0,
            effort: 0,
            quality: 0,
            num_tags: 0,
            tags: null(),
            max_threads: 1,
            reserved: 0,
            max_alloc: 1 << 30,
        };
        // The struct as well is valid until the encoder is closed.
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
            (self.functions.open)(
                &raw const passed,
                &raw const *passed_sink,
                &raw mut handle,
                error.pointer(),
            )
        };
        let is_null = handle.is_null();
        let functions = self.functions;
        let encoder = Encoder { functions, handle, sink, _passed: passed_sink, errors: options.errors };
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

    /// Closes no handle, which is legal.
    pub fn close_null(&self) {
        // SAFETY: null is legal.
        unsafe { (self.functions.close)(null_mut()) }
    }
}

/// A handle.
pub struct Encoder {
    functions: Functions,
    handle: *mut mw_encoder,
    sink: Arc<Sink>,
    _passed: Box<mw_sink>,
    errors: ErrorSpace,
}

// SAFETY: a handle takes calls from any thread, one at a time, by R4; `&self` is not shared between threads here.
unsafe impl Send for Encoder {}

impl Encoder {
    /// Where the bytes go.
    pub fn sink(&self) -> Arc<Sink> {
        Arc::clone(&self.sink)
    }

    /// The end of one of the encoder's own calls.
    fn leave(&self) -> Result<(), Fault> {
        let mut state = self.sink.state();
        state.is_called = false;
        state.misuse.clone().map_or(Ok(()), |reason| Err(Fault::broken("write_at", reason)))
    }

    /// Passes frames on.
    pub fn push(&mut self, frames: &mut GuardedBuffer) -> Result<(), Fault> {
        let buffer = frames.to_abi();
        let mut error = ErrorBox::new(self.errors);
        self.sink.state().is_called = true;
        // SAFETY: the handle is open and the frames are there.
        let status = unsafe { (self.functions.push)(self.handle, &raw const buffer, error.pointer()) };
        self.leave()?;
        judge("push", status, &error, false).map(drop)
    }

    /// Completes the stream.
    pub fn finish(&mut self) -> Result<(), Fault> {
        let mut error = ErrorBox::new(self.errors);
        self.sink.state().is_called = true;
        // SAFETY: the handle is open.
        let status = unsafe { (self.functions.finish)(self.handle, error.pointer()) };
        self.leave()?;
        judge("finish", status, &error, false).map(drop)
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        // SAFETY: the handle is open, or null, and used no more.
        unsafe { (self.functions.close)(self.handle) }
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
}
