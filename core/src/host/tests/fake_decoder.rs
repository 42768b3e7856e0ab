//! An in-process decoder for tests: its samples reveal the history of a handle, and it breaks rules on request.

#![allow(unsafe_code)] // the plugin's side of the interface
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)]

use std::collections::HashMap;
use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use mapwave_fork::Lock;
use mapwave_plugin_abi as abi;

use crate::host::ffi::fault::Failure;
use crate::host::ffi::input::PluginInput;
use crate::host::ffi::raw::Sized32;
use crate::host::session::decoder;
use crate::host::session::decoder::Decoder;
use crate::host::session::probing::{self, Question};
use crate::host::table::decoder::{DecoderKind, Hint};
use crate::host::table::standing::Standing;
use crate::source::Source;

/// The rule that it breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Fault {
    /// No rule.
    Nothing,
    /// Reports one frame more than the buffer holds.
    Overcount,
    /// Reports success with 0 frames.
    Undercount,
    /// Reports the end together with a frame.
    EndWithFrames,
    /// Returns an undefined status.
    Status,
    /// Writes a byte past its buffer.
    Overrun,
    /// Panics after the first call, reports it, and must not be called again.
    Panic,
    /// Hangs while decoding.
    HangInDecode,
    /// Hangs in a seek.
    HangInSeek,
    /// Hangs in a fork.
    HangInFork,
    /// Decodes without end.
    Endless,
    /// Returns an invalid score from the probe.
    Score,
    /// Opens a stream without a handle.
    NoHandle,
    /// Fails to describe the stream.
    NoInfo,
    /// Describes an impossible stream.
    SeekClass,
}

const FAULTS: [Fault; 15] = [
    Fault::Nothing,
    Fault::Overcount,
    Fault::Undercount,
    Fault::EndWithFrames,
    Fault::Status,
    Fault::Overrun,
    Fault::Panic,
    Fault::HangInDecode,
    Fault::HangInSeek,
    Fault::HangInFork,
    Fault::Endless,
    Fault::Score,
    Fault::NoHandle,
    Fault::NoInfo,
    Fault::SeekClass,
];

/// A stream for the decoder.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sound {
    pub(crate) fault: Fault,
    /// `MW_SEEK_*`.
    pub(crate) seek_class: u32,
    pub(crate) grid_frames: u64,
    pub(crate) num_channels: u32,
    /// `MW_I16` or `MW_F32`.
    pub(crate) format: u32,
    pub(crate) num_frames: u64,
    /// The number of frames that it states.
    pub(crate) told_frames: u64,
    /// The number by which its handles are counted.
    pub(crate) id: u64,
}

impl Sound {
    /// A stream of 16-bit samples.
    pub(crate) fn new(seek_class: u32, grid_frames: u64, num_channels: u32, num_frames: u64) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let (fault, format, told_frames) = (Fault::Nothing, abi::MW_I16, num_frames);
        Self { fault, seek_class, grid_frames, num_channels, format, num_frames, told_frames, id }
    }

    fn to_bytes(self) -> Vec<u8> {
        let Self { seek_class, grid_frames, num_channels, format, num_frames, told_frames, id, .. } = self;
        let numbers = [
            self.fault as u64,
            seek_class.into(),
            grid_frames,
            num_channels.into(),
            format.into(),
            num_frames,
            told_frames,
            id,
        ];
        numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (numbers, _) = bytes.as_chunks::<8>();
        let &[fault, class, grid_frames, channels, format, num_frames, told_frames, id] = numbers else {
            return None;
        };
        let number = u64::from_le_bytes;
        Some(Self {
            fault: *FAULTS.get(number(fault) as usize)?,
            seek_class: number(class) as u32,
            grid_frames: number(grid_frames),
            num_channels: number(channels) as u32,
            format: number(format) as u32,
            num_frames: number(num_frames),
            told_frames: number(told_frames),
            id: number(id),
        })
    }

    /// The stream as a file.
    pub(crate) fn source(self) -> Arc<Source> {
        Arc::new(Source::from_bytes(self.to_bytes()).unwrap())
    }

    /// Opens the stream with a decoder that is trusted, or called through a thread.
    pub(crate) fn open(self, source: &Arc<Source>, is_trusted: bool) -> Result<Decoder, Failure> {
        decoder::open(&kind(is_trusted), &PluginInput::new(Arc::clone(source), None))
    }

    /// The score from the probe.
    pub(crate) fn probe(self, is_trusted: bool) -> Result<u8, Failure> {
        let source = self.source();
        let head = source.whole().unwrap();
        let question = Question { kind: kind(is_trusted), num_bytes: head.len() };
        let input = PluginInput::new(Arc::clone(&source), None);
        probing::probe(&[question], head, &input, Hint::Nothing).remove(0)
    }

    /// All samples, from a decoder that is used as its seek class demands.
    pub(crate) fn samples(&self) -> Vec<i16> {
        let mut history = History::new();
        let mut samples = Vec::new();
        for frame in 0..self.num_frames {
            if self.seek_class == abi::MW_SEEK_ANCHORED && frame % self.grid_frames == 0 {
                history.start = frame;
            }
            history.pass(frame);
            samples.extend((0..self.num_channels).map(|channel| history.sample(self, frame, channel)));
        }
        samples
    }

    /// How many handles are open.
    pub(crate) fn num_handles(&self) -> i64 {
        HANDLES.lock().get_or_insert_default().get(&self.id).copied().unwrap_or(0)
    }

    /// Releases calls that hang.
    pub(crate) fn release(&self) {
        RELEASED.lock().push(self.id);
    }

    fn count_handle(&self, change: i64) {
        *HANDLES.lock().get_or_insert_default().entry(self.id).or_default() += change;
    }

    fn hang(&self) {
        while !RELEASED.lock().contains(&self.id) {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// The open handles of each stream, and the released streams.
static HANDLES: Lock<Option<HashMap<u64, i64>>> = Lock::new();
static RELEASED: Lock<Vec<u64>> = Lock::new();

/// The history of a handle, on which its samples depend.
#[derive(Clone, Copy)]
struct History {
    /// The target of the last seek.
    start: u64,
    /// A digest of all frames since then.
    digest: u64,
}

impl History {
    fn new() -> Self {
        Self { start: 0, digest: 0 }
    }

    fn pass(&mut self, frame: u64) {
        self.digest = scramble(self.digest ^ frame);
    }

    fn sample(&self, sound: &Sound, frame: u64, channel: u32) -> i16 {
        let seen = match sound.seek_class {
            abi::MW_SEEK_NONE => self.digest,
            abi::MW_SEEK_ANCHORED => self.start,
            _ => 0,
        };
        let [low, high, ..] = scramble(seen ^ (frame << 8) ^ u64::from(channel)).to_le_bytes();
        i16::from_le_bytes([low, high])
    }
}

/// The finaliser of SplitMix64.
fn scramble(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

struct Handle {
    sound: Sound,
    position: u64,
    history: History,
    num_calls: u64,
}

impl Handle {
    fn boxed(sound: Sound) -> *mut abi::mw_decoder {
        sound.count_handle(1);
        let handle = Self { sound, position: 0, history: History::new(), num_calls: 0 };
        Box::into_raw(Box::new(handle)).cast()
    }

    fn decode(&mut self, buffer: &abi::mw_buffer, num_frames: &mut u64) -> abi::mw_status {
        let sound = self.sound;
        self.num_calls += 1;
        *num_frames = 0;
        match sound.fault {
            Fault::HangInDecode => sound.hang(),
            Fault::Overcount => {
                *num_frames = buffer.num_frames + 1;
                return abi::MW_OK;
            }
            Fault::Undercount => return abi::MW_OK,
            Fault::EndWithFrames => {
                *num_frames = 1;
                return abi::MW_END;
            }
            Fault::Status => return 77,
            Fault::Panic if self.num_calls == 2 => return abi::MW_PANIC,
            Fault::Panic if self.num_calls > 2 => std::process::abort(),
            _ => {}
        }
        let rest = if sound.fault == Fault::Endless { u64::MAX } else { sound.num_frames - self.position };
        // Frames are divided among calls differently each time, which must not affect the result.
        let count = buffer.num_frames.min(rest).min(1 + self.num_calls * 7919 % 5000);
        if count == 0 {
            return abi::MW_END;
        }
        let channels = u64::from(sound.num_channels);
        for index in 0..count {
            let frame = self.position + index;
            self.history.pass(frame);
            for channel in 0..sound.num_channels {
                let sample = self.history.sample(&sound, frame, channel);
                let (plane, place) = match buffer.layout {
                    abi::MW_PLANAR => (channel as usize, index),
                    _ => (0, index * channels + u64::from(channel)),
                };
                // SAFETY: a planar buffer has a plane for each channel, an interleaved one has one.
                let plane = unsafe { buffer.planes.add(plane) };
                // SAFETY: as above.
                let plane = unsafe { plane.read() };
                let place = place as usize;
                if buffer.format == abi::MW_I16 {
                    // SAFETY: the buffer has room for `count` frames.
                    let place = unsafe { plane.cast::<i16>().add(place) };
                    // SAFETY: as above.
                    unsafe { place.write_unaligned(sample) };
                } else {
                    // SAFETY: as above.
                    let place = unsafe { plane.cast::<f32>().add(place) };
                    // SAFETY: as above.
                    unsafe { place.write_unaligned(f32::from(sample) / 32768.0) };
                }
            }
        }
        if sound.fault == Fault::Overrun {
            let sample_bytes = if buffer.format == abi::MW_I16 { 2 } else { 4 };
            let end = (buffer.num_frames * channels * sample_bytes) as usize;
            // SAFETY: the host passes one plane at least.
            let plane = unsafe { buffer.planes.read() };
            // SAFETY: no: this is the fault; the host's margin is there.
            let place = unsafe { plane.cast::<u8>().add(end) };
            // SAFETY: as above.
            unsafe { place.write(1) };
        }
        self.position += count;
        *num_frames = count;
        abi::MW_OK
    }
}

unsafe extern "C" fn probe(
    head: *const u8,
    num_bytes: u64,
    _total_bytes: u64,
    _extension: *const c_char,
    _track: *const abi::mw_track,
) -> i32 {
    // SAFETY: the host passes as many bytes.
    let head = unsafe { std::slice::from_raw_parts(head, num_bytes as usize) };
    match Sound::from_bytes(head) {
        Some(sound) if sound.fault == Fault::Score => 101,
        Some(_) => 100,
        None => 0,
    }
}

unsafe extern "C" fn open(
    input: *const abi::mw_input,
    _options: *const abi::mw_decoder_options,
    decoder: *mut *mut abi::mw_decoder,
    _error: *mut abi::mw_error,
) -> abi::mw_status {
    // SAFETY: the host passes an input.
    let input = unsafe { *input };
    // SAFETY: these tests pass bytes in memory.
    let bytes = unsafe { std::slice::from_raw_parts(input.data, input.num_bytes as usize) };
    match Sound::from_bytes(bytes) {
        None => abi::MW_BAD_DATA,
        Some(sound) if sound.fault == Fault::NoHandle => abi::MW_OK,
        Some(sound) => {
            // SAFETY: the host passes room for a handle.
            unsafe { decoder.write(Handle::boxed(sound)) };
            abi::MW_OK
        }
    }
}

unsafe extern "C" fn info(
    decoder: *const abi::mw_decoder,
    info: *mut abi::mw_stream_info,
    _error: *mut abi::mw_error,
) -> abi::mw_status {
    // SAFETY: the host passes a handle that is open.
    let sound = unsafe { &*decoder.cast::<Handle>() }.sound;
    let told = abi::mw_stream_info {
        sample_rate: 48_000,
        num_channels: sound.num_channels,
        num_frames: sound.told_frames,
        bits_per_sample: 16,
        native_format: sound.format,
        formats: 1 << sound.format,
        seek_class: if sound.fault == Fault::SeekClass { 9 } else { sound.seek_class },
        grid_frames: sound.grid_frames,
        codec: c"fake".as_ptr(),
        container: c"fake".as_ptr(),
        ..abi::mw_stream_info::zeroed()
    };
    if sound.fault == Fault::NoInfo {
        return abi::MW_INTERNAL;
    }
    // SAFETY: the host passes room for it.
    unsafe { info.write(told) };
    abi::MW_OK
}

unsafe extern "C" fn seek(
    decoder: *mut abi::mw_decoder,
    frame: u64,
    _error: *mut abi::mw_error,
) -> abi::mw_status {
    // SAFETY: the host passes a handle that is open, to one call at a time.
    let handle = unsafe { &mut *decoder.cast::<Handle>() };
    if handle.sound.fault == Fault::HangInSeek {
        handle.sound.hang();
    }
    if handle.sound.seek_class == abi::MW_SEEK_NONE {
        match frame {
            0 => {}
            _ if frame == handle.position => return abi::MW_OK,
            _ => return abi::MW_UNSUPPORTED,
        }
    }
    if frame > handle.sound.num_frames {
        return abi::MW_BAD_ARGUMENT;
    }
    handle.position = frame;
    handle.history = History { start: frame, digest: 0 };
    abi::MW_OK
}

unsafe extern "C" fn decode(
    decoder: *mut abi::mw_decoder,
    buffer: *const abi::mw_buffer,
    num_frames: *mut u64,
    _error: *mut abi::mw_error,
) -> abi::mw_status {
    // SAFETY: the host passes a handle that is open, to one call at a time.
    let handle = unsafe { &mut *decoder.cast::<Handle>() };
    // SAFETY: the host passes a buffer.
    let buffer = unsafe { &*buffer };
    // SAFETY: the host passes room for a number.
    handle.decode(buffer, unsafe { &mut *num_frames })
}

unsafe extern "C" fn fork(
    decoder: *const abi::mw_decoder,
    fork: *mut *mut abi::mw_decoder,
    _error: *mut abi::mw_error,
) -> abi::mw_status {
    // SAFETY: the host passes a handle that is open.
    let sound = unsafe { &*decoder.cast::<Handle>() }.sound;
    if sound.fault == Fault::HangInFork {
        sound.hang();
    }
    // SAFETY: the host passes room for a handle.
    unsafe { fork.write(Handle::boxed(sound)) };
    abi::MW_OK
}

unsafe extern "C" fn close(decoder: *mut abi::mw_decoder) {
    // SAFETY: the host closes a handle once; it was boxed by `Handle::boxed`.
    let handle = unsafe { Box::from_raw(decoder.cast::<Handle>()) };
    handle.sound.count_handle(-1);
}

fn kind(is_trusted: bool) -> DecoderKind {
    let table = abi::mw_decoder_table {
        size: size_of::<abi::mw_decoder_table>() as u32,
        probe_bytes: 64,
        name: c"fake".as_ptr(),
        codecs: c"fake".as_ptr(),
        extensions: std::ptr::null(),
        probe: Some(probe),
        open: Some(open),
        info: Some(info),
        seek: Some(seek),
        decode: Some(decode),
        fork: Some(fork),
        tag: None,
        close: Some(close),
        stream: None,
        option: None,
        save_index: None,
        picture: None,
        chapter: None,
    };
    // SAFETY: the table's strings are literals, and it is copied.
    unsafe { DecoderKind::new(&raw const table, Standing::new("fake", "1.0", is_trusted)) }.unwrap().0
}

/// A buffer for a read that reveals unwritten bytes: it is filled with 0xee.
pub(crate) fn room(num_bytes: usize) -> Vec<MaybeUninit<u8>> {
    vec![MaybeUninit::new(0xee); num_bytes]
}

/// The contents of such a buffer after a read.
pub(crate) fn bytes(room: &[MaybeUninit<u8>]) -> Vec<u8> {
    // SAFETY: `room` initialised all of it, and nobody can make a byte uninitialised again but by copying such a one into it.
    room.iter().map(|byte| unsafe { byte.assume_init() }).collect()
}
