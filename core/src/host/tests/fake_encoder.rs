//! An in-process encoder for tests: it writes its request to the output, and breaks rules on request.
//!
//! The tag "faults" of a request lists a fault for each open, and "id" is the number of the test's record.

#![allow(unsafe_code)] // the plugin's side of the interface
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, clippy::indexing_slicing)]

use std::collections::HashMap;
use std::ffi::{CStr, c_char, c_void};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use mapwave_fork::Lock;
use mapwave_plugin_abi as abi;

use crate::host::ffi::raw::Sized32;
use crate::host::table::encoder::{EncoderKind, EncoderRequest};
use crate::host::table::standing::Standing;

/// The record of the handles of a test.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record {
    pub(crate) num_opened: usize,
    pub(crate) num_handles: i64,
    pub(crate) is_released: bool,
    /// The status of the last write outside a call.
    pub(crate) late_status: Option<abi::mw_status>,
    /// A copy of the last sink, as a plugin might keep.
    sink: Option<Sink>,
}

#[derive(Clone, Copy, Debug)]
struct Sink {
    context: usize,
    write_at: unsafe extern "C" fn(*mut c_void, u64, *const c_void, u64) -> abi::mw_status,
}

impl Sink {
    fn write(self, offset: u64, bytes: &[u8]) -> abi::mw_status {
        let context = std::ptr::without_provenance_mut(self.context);
        // SAFETY: the host's callback, and as many bytes.
        unsafe { (self.write_at)(context, offset, bytes.as_ptr().cast(), bytes.len() as u64) }
    }
}

static RECORDS: Lock<Option<HashMap<u64, Record>>> = Lock::new();

fn with_record<T>(id: u64, change: impl FnOnce(&mut Record) -> T) -> T {
    change(RECORDS.lock().get_or_insert_default().entry(id).or_default())
}

/// The encoders of a test.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fake(u64);

impl Fake {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// A request for two channels; its encoders have these faults in turn.
    pub(crate) fn request(self, faults: &str) -> EncoderRequest {
        let tags = vec![("faults".to_owned(), faults.to_owned()), ("id".to_owned(), self.0.to_string())];
        EncoderRequest { tags, ..EncoderRequest::new("fake", "box", 48_000, 2) }
    }

    pub(crate) fn record(self) -> Record {
        with_record(self.0, |record| record.clone())
    }

    /// Releases calls that hang.
    pub(crate) fn release(self) {
        with_record(self.0, |record| record.is_released = true);
    }

    /// Writes like a plugin that has kept its sink.
    pub(crate) fn write_late(self) -> abi::mw_status {
        self.record().sink.unwrap().write(0, b"late")
    }

    /// Waits until all handles are closed.
    pub(crate) fn all_closed(self) -> bool {
        (0..10_000).any(|_| {
            let is_closed = self.record().num_handles == 0;
            if !is_closed {
                std::thread::sleep(Duration::from_millis(1));
            }
            is_closed
        })
    }
}

fn hang(id: u64) {
    while !with_record(id, |record| record.is_released) {
        std::thread::sleep(Duration::from_millis(1));
    }
}

struct Handle {
    id: u64,
    fault: String,
    sink: Sink,
    end: u64,
    num_pushes: u64,
    num_frames: u32,
}

impl Handle {
    fn append(&mut self, bytes: &[u8]) -> abi::mw_status {
        let status = self.sink.write(self.end, bytes);
        self.end += bytes.len() as u64;
        if self.fault == "swallow" { abi::MW_OK } else { status }
    }
}

unsafe fn text<'a>(text: *const c_char) -> &'a str {
    // SAFETY: the host's strings end in zeros.
    unsafe { CStr::from_ptr(text) }.to_str().unwrap()
}

unsafe extern "C" fn open(
    options: *const abi::mw_encoder_options,
    sink: *const abi::mw_sink,
    encoder: *mut *mut abi::mw_encoder,
    error: *mut abi::mw_error,
) -> abi::mw_status {
    // SAFETY: the host passes options.
    let options = unsafe { *options };
    // SAFETY: the host passes a sink.
    let sink = unsafe { *sink };
    let mut tags = HashMap::new();
    for index in 0..options.num_tags as usize {
        // SAFETY: the host passes as many.
        let tag = unsafe { options.tags.add(index) };
        // SAFETY: as above.
        let tag = unsafe { *tag };
        // SAFETY: the host's strings.
        let key = unsafe { text(tag.key) };
        // SAFETY: as above.
        tags.insert(key, unsafe { text(tag.value) });
    }
    let id: u64 = tags["id"].parse().unwrap();
    let sink = Sink { context: sink.context.addr(), write_at: sink.write_at.unwrap() };
    let turn = with_record(id, |record| {
        record.sink = Some(sink);
        record.num_opened += 1;
        record.num_opened - 1
    });
    let fault = tags["faults"].split(',').nth(turn).unwrap_or("none").to_owned();
    let refuse = |status: abi::mw_status, message: &str| {
        // SAFETY: the host passes room for an error.
        let error = unsafe { &mut *error };
        error
            .message
            .iter_mut()
            .zip(message.bytes())
            .for_each(|(to, byte)| *to = c_char::from_ne_bytes([byte]));
        status
    };
    match fault.as_str() {
        "unsupported" => return refuse(abi::MW_UNSUPPORTED, "no such rate"),
        "missing" => return refuse(abi::MW_MISSING_DEPENDENCY, "libfake is not there"),
        "argument" => return refuse(abi::MW_BAD_ARGUMENT, "a bitrate is too much"),
        "limit" => return refuse(abi::MW_LIMIT, "too many frames"),
        "io-lie" => return refuse(abi::MW_IO, "the disk is gone"),
        "no-handle" => return abi::MW_OK,
        "hang-in-open" => hang(id),
        _ => {}
    }
    // SAFETY: the host's strings.
    let codec = unsafe { text(options.codec) };
    // SAFETY: as above.
    let container = unsafe { text(options.container) };
    let asked = format!(
        "{codec} {container} {} {} {:#x} {} {} {} {} {} {}\n",
        options.sample_rate,
        options.num_channels,
        options.channel_mask,
        options.bits_per_sample,
        options.num_frames.cast_signed(),
        options.bitrate,
        options.effort,
        options.quality,
        options.max_threads,
    );
    let mut handle = Handle { id, fault, sink, end: 0, num_pushes: 0, num_frames: 0 };
    if handle.fault != "silent" {
        let status = handle.append(&[&[0; 4], asked.as_bytes()].concat());
        if status != abi::MW_OK {
            return status;
        }
    }
    if handle.fault == "unsupported-after-writing" {
        return refuse(abi::MW_UNSUPPORTED, "no such rate after all");
    }
    with_record(id, |record| record.num_handles += 1);
    // SAFETY: the host passes room for a handle.
    unsafe { encoder.write(Box::into_raw(Box::new(handle)).cast()) };
    abi::MW_OK
}

unsafe extern "C" fn push(
    encoder: *mut abi::mw_encoder,
    buffer: *const abi::mw_buffer,
    _error: *mut abi::mw_error,
) -> abi::mw_status {
    // SAFETY: the host passes a handle that is open, to one call at a time.
    let handle = unsafe { &mut *encoder.cast::<Handle>() };
    // SAFETY: the host passes a buffer.
    let buffer = unsafe { *buffer };
    let sample_bytes: usize = if buffer.format == abi::MW_I16 { 2 } else { 4 };
    // SAFETY: an interleaved buffer has one plane.
    let plane = unsafe { *buffer.planes };
    if !plane.addr().is_multiple_of(sample_bytes) {
        return abi::MW_BAD_ARGUMENT;
    }
    let num_bytes = buffer.num_frames as usize * 2 * sample_bytes;
    // SAFETY: as many frames of two channels are there.
    let samples = unsafe { std::slice::from_raw_parts(plane.cast::<u8>(), num_bytes) };
    handle.num_pushes += 1;
    handle.num_frames += buffer.num_frames as u32;
    match handle.fault.as_str() {
        "panic" if handle.num_pushes == 2 => return abi::MW_PANIC,
        "panic" if handle.num_pushes > 2 => std::process::abort(),
        "status" => return 77,
        "end" => return abi::MW_END,
        "bad-state" => return abi::MW_BAD_STATE,
        "silent" => return abi::MW_OK,
        "far" => return handle.sink.write(1 << 62, b"far"),
        "null" => {
            let context = std::ptr::without_provenance_mut(handle.sink.context);
            // SAFETY: no: this is the fault.
            unsafe { (handle.sink.write_at)(context, handle.end, std::ptr::null(), 8) };
            return abi::MW_OK;
        }
        "gap" => handle.end += 40_000,
        "hang" => {
            hang(handle.id);
            let status = handle.sink.write(handle.end, b"late");
            with_record(handle.id, |record| record.late_status = Some(status));
            return status;
        }
        _ => {}
    }
    handle.append(samples)
}

unsafe extern "C" fn finish(encoder: *mut abi::mw_encoder, _error: *mut abi::mw_error) -> abi::mw_status {
    // SAFETY: the host passes a handle that is open, to one call at a time.
    let handle = unsafe { &mut *encoder.cast::<Handle>() };
    match handle.fault.as_str() {
        "hang-in-finish" => hang(handle.id),
        "silent" => return abi::MW_OK,
        "append-only" => return abi::MW_OK,
        _ => {}
    }
    let status = handle.sink.write(0, &handle.num_frames.to_le_bytes());
    if handle.fault == "swallow" { abi::MW_OK } else { status }
}

unsafe extern "C" fn close(encoder: *mut abi::mw_encoder) {
    // SAFETY: the host closes a handle once; it was boxed by `open`.
    let handle = unsafe { Box::from_raw(encoder.cast::<Handle>()) };
    let late = (handle.fault == "writes-in-close").then(|| handle.sink.write(0, b"late"));
    with_record(handle.id, |record| {
        record.late_status = late.or(record.late_status);
        record.num_handles -= 1;
    });
}

/// The encoder, offered by a plugin of the given name.
pub(crate) fn kind(plugin: &'static str, is_trusted: bool) -> EncoderKind {
    let table = table();
    // SAFETY: the table's strings are literals, and it is copied.
    unsafe { EncoderKind::new(&raw const table, Standing::new(plugin, "1.0", is_trusted)) }.unwrap()
}

/// The same, with the statements that `state` sets.
pub(crate) fn stating(state: impl FnOnce(&mut abi::mw_encoder_table)) -> EncoderKind {
    let mut table = table();
    state(&mut table);
    // SAFETY: the table's strings are literals, as far as its size goes, and it is copied.
    unsafe { EncoderKind::new(&raw const table, Standing::new("fake", "1.0", true)) }.unwrap()
}

fn table() -> abi::mw_encoder_table {
    abi::mw_encoder_table {
        formats: 1 << abi::MW_F32 | 1 << abi::MW_I16 | 1 << 9,
        name: c"fake".as_ptr(),
        codecs: c"fake,other".as_ptr(),
        containers: c"fake,box".as_ptr(),
        open: Some(open),
        push: Some(push),
        finish: Some(finish),
        close: Some(close),
        ..abi::mw_encoder_table::zeroed()
    }
}
