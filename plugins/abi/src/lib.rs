//! The C ABI between mapwave and its codec plugins, version 1.
//!
//! A plugin is a shared library that exports one function, [`mapwave_plugin_entry_v1`](mw_plugin_entry). The C header
//! `mapwave_plugin.h` is generated from the Rust crate `mapwave-plugin-abi`. Names are those of C, so that both read alike.
//!
//! # Rules
//!
//! - **R1, sizes.** Every struct begins with its size in bytes as the side that fills it knows it. A reader uses a field
//!   only if the size covers it and takes its default otherwise, which is zero. Later minor versions append fields and
//!   change nothing else. What the callee fills is sized and zeroed by the caller; the callee writes no byte past that
//!   size and leaves the size as it is. A size that does not cover version 1.0 is a mistake, [`MW_BAD_ARGUMENT`]. Nothing is
//!   a bool, a bitfield or of an enumeration's type; reserved fields are zero.
//! - **R2, memory.** Nobody frees the other side's memory. A plugin's tables and strings are valid until the process
//!   exits. A handle dies in its `close` and nowhere else. What the host passes by pointer is valid during the call,
//!   except where its comment says longer.
//! - **R3, strings.** UTF-8, ending in a zero byte. Paths never cross: a plugin sees bytes.
//! - **R4, threads.** Functions without a handle may be called from any thread at any time. A handle takes one call at a
//!   time, each from any thread. Different handles work fully in parallel, also over the same bytes: no state is tied to
//!   a thread, no lock is held across calls. A plugin starts no threads unless `max_threads` says so.
//! - **R5, unwinding.** No panic, exception or `longjmp` crosses. A plugin makes [`MW_PANIC`] of it, after which the handle
//!   is poisoned: every call but `close` answers `MW_PANIC`. No `abort`, no `exit`, no signal handlers, no change of locale or
//!   floating-point mode, and nothing is written to standard output or error.
//! - **R6, errors.** Malformed input gives an error, never undefined behaviour. What a handle allocates stays below
//!   `max_alloc`. Every function that can fail takes an [`mw_error`] to fill, which may be null.
//! - **R7, life.** Libraries are loaded with all symbols bound and by absolute path, and never unloaded. Constructors do
//!   no work.
//! - **R8, bytes.** Input is read-only. A file may be cut short while it is mapped: what is gone reads as zeros and the host
//!   reports it. Output is written straight into the caller's buffer.
//!
//! Little-endian 64-bit machines only.

#![no_std]
#![allow(non_camel_case_types, missing_debug_implementations)] // the names of C; plain data that only pointers are made of

#[doc(hidden)]
pub mod layout;

use core::ffi::{c_char, c_void};

#[cfg(not(all(target_pointer_width = "64", target_endian = "little")))]
compile_error!("mapwave's plugin ABI is defined for little-endian 64-bit machines");

/// The major version of this ABI, which is in the name of the entry function.
pub const MW_ABI_MAJOR: u32 = 1;
/// The minor version of this ABI, which grows when a field or a function is appended.
pub const MW_ABI_MINOR: u32 = 2;

/// What a call came to: [`MW_OK`], [`MW_END`], or an error, which is negative.
pub type mw_status = i32;

/// The call did what it was asked for.
pub const MW_OK: mw_status = 0;
/// There is nothing more: no more frames, no such item.
pub const MW_END: mw_status = 1;
/// This plugin does not read or write that format, or that kind of it. Another plugin may.
pub const MW_UNSUPPORTED: mw_status = -1;
/// An argument breaks the contract of the call.
pub const MW_BAD_ARGUMENT: mw_status = -2;
/// The bytes are not what the format's specification demands.
pub const MW_BAD_DATA: mw_status = -3;
/// The host's `read_at` or `write_at` failed.
pub const MW_IO: mw_status = -4;
/// There is no memory.
pub const MW_NO_MEMORY: mw_status = -5;
/// The handle cannot do that now, such as pushing to an encoder that is finished.
pub const MW_BAD_STATE: mw_status = -6;
/// A library or device that the plugin needs is not there.
pub const MW_MISSING_DEPENDENCY: mw_status = -7;
/// The host asked to stop.
pub const MW_CANCELLED: mw_status = -8;
/// More than `max_alloc`, or than the format allows, would be needed.
pub const MW_LIMIT: mw_status = -9;
/// The plugin panicked; the handle is poisoned.
pub const MW_PANIC: mw_status = -10;
/// A fault of the plugin's own.
pub const MW_INTERNAL: mw_status = -11;

/// Stands for a number that is not known.
pub const MW_UNKNOWN: u64 = u64::MAX;

/// The room for a message in [`mw_error`], in bytes.
pub const MW_MESSAGE_BYTES: usize = 512;

/// Why a call failed. The caller sets `size` and zeroes the rest; the callee fills it only when it fails.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mw_error {
    /// The size of this struct.
    pub size: u32,
    /// What the call returned.
    pub status: mw_status,
    /// The code that a library below the plugin gave, or 0.
    pub native_code: i64,
    /// Where in the input, in bytes, or [`MW_UNKNOWN`].
    pub offset: u64,
    /// What was found and what was expected: UTF-8, ending in a zero byte, cut off between characters when it is too long.
    pub message: [c_char; MW_MESSAGE_BYTES],
}

/// A sample is a 32-bit float, full scale at 1.0.
pub const MW_F32: u32 = 1;
/// A sample is a signed 16-bit integer; a shallower one is shifted up to fill it.
pub const MW_I16: u32 = 2;
/// A sample is a signed 32-bit integer; a shallower one is shifted up to fill it.
pub const MW_I32: u32 = 3;

/// Details that only help to find a fault.
pub const MW_LOG_DEBUG: u32 = 0;
/// Something worth knowing.
pub const MW_LOG_INFO: u32 = 1;
/// Something was put right or left out, such as a damaged packet that became silence.
pub const MW_LOG_WARNING: u32 = 2;
/// Something failed.
pub const MW_LOG_ERROR: u32 = 3;

/// What the host offers a plugin. Passed once, at entry; valid until the process exits.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mw_host {
    /// The size of this struct.
    pub size: u32,
    /// The host's [`MW_ABI_MINOR`].
    pub abi_minor: u32,
    /// The host's name, such as "mapwave".
    pub name: *const c_char,
    /// The host's version.
    pub version: *const c_char,
    /// Passed to the functions below.
    pub context: *mut c_void,
    /// Takes a message of a level `MW_LOG_*`. Any thread; null when the host does not listen.
    pub log: Option<unsafe extern "C" fn(context: *mut c_void, level: u32, message: *const c_char)>,
    /// An extension of this ABI by its name, such as "vendor.name/1"; null when the host has none of that name. Any thread;
    /// what it returns is valid until the process exits. The function may itself be null.
    pub get_extension:
        Option<unsafe extern "C" fn(context: *mut c_void, name: *const c_char) -> *const c_void>,
}

/// A stream inside a container that the host has parsed: WAV, AIFF and CAF files with compressed packets. A decoder that
/// understands it need not parse the container; one that does may as well. All ranges lie inside the input.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mw_track {
    /// The size of this struct.
    pub size: u32,
    /// The container's tag of the codec: a WAVE format tag, or a four-character code as a big-endian number.
    pub tag: u32,
    /// The container: "wav", "rifx", "rf64", "bw64", "w64", "aiff", "aifc" or "caf".
    pub container: *const c_char,
    /// The codec in FFmpeg's terms, such as "adpcm_ms" or "alac", or the tag as text.
    pub codec: *const c_char,
    /// Frames a second.
    pub sample_rate: u32,
    /// Samples in a frame.
    pub num_channels: u32,
    /// Speaker positions as a WAVE channel mask; 0 when unknown.
    pub channel_mask: u64,
    /// The coded depth in bits; 0 when the codec has none.
    pub bits_per_sample: u32,
    /// Bytes in a packet; 0 when they vary.
    pub bytes_per_packet: u32,
    /// Frames in a packet; 0 when they vary.
    pub frames_per_packet: u32,
    /// Frames at the start that are encoder delay, from a packet table; 0 without one.
    pub priming_frames: u32,
    /// Frames at the end that only fill the last packet, from a packet table; 0 without one.
    pub padding_frames: u32,
    /// Reserved.
    pub reserved: u32,
    /// The number of frames as the container states it, without priming and padding; [`MW_UNKNOWN`] when it does not. Not
    /// to be believed without looking at the packets.
    pub num_frames: u64,
    /// Where the packets begin, in bytes from the start of the input.
    pub data_offset: u64,
    /// The size of the packets in bytes.
    pub data_bytes: u64,
    /// Where the codec's setup begins: the rest of a WAVE `fmt ` chunk after its first 18 bytes, a CAF magic cookie.
    pub config_offset: u64,
    /// The size of the setup; 0 without one.
    pub config_bytes: u64,
    /// Where the entries of a CAF packet table begin: for each packet its size where that varies, then its frames where
    /// those vary, in 7 bits a byte, most significant first, all bytes but a number's last with bit 7 set.
    pub table_offset: u64,
    /// The size of the entries; 0 without a table.
    pub table_bytes: u64,
    /// The number of packets that the table describes.
    pub num_packets: u64,
}

/// The bytes of a file. The struct is valid during the call; what it points to, but for `extension` and `track`, is valid
/// until every handle that was opened with it, and every fork of one, is closed.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mw_input {
    /// The size of this struct.
    pub size: u32,
    /// Reserved.
    pub reserved: u32,
    /// The bytes, read-only; null when they come from `read_at`.
    pub data: *const u8,
    /// The number of bytes, always known.
    pub num_bytes: u64,
    /// Passed to `read_at` and `release`.
    pub context: *mut c_void,
    /// Copies up to `num_bytes` bytes that begin at `offset` into `buffer` and returns their number: at least one, 0 at the
    /// end, an error below 0. Fewer than asked for is no error and not the end. Any thread, any number at once; null when
    /// `data` is not.
    pub read_at: Option<
        unsafe extern "C" fn(context: *mut c_void, offset: u64, buffer: *mut c_void, num_bytes: u64) -> i64,
    >,
    /// The file name's extension in lower case and without its dot, or null. A hint, never to be trusted over the bytes.
    pub extension: *const c_char,
    /// The stream as the host found it, or null when the host does not know the container.
    pub track: *const mw_track,
    /// Tells the host that the plugin is done for now with the `num_bytes` bytes of `data` that begin at `offset`, so that the
    /// memory they take up may be given back. They stay what they were, and are there whenever they are looked at again. Of
    /// use to one who goes through a long file when it is opened. Any thread; null when it makes no difference; since version
    /// 1.1.
    pub release: Option<unsafe extern "C" fn(context: *mut c_void, offset: u64, num_bytes: u64)>,
}

/// Only reading forward: `seek` works to frame 0 and to the present position.
pub const MW_SEEK_NONE: u32 = 0;
/// Output after `seek(frame)` is a function of the bytes and `frame` alone; it may differ from linear decoding. The host
/// seeks to every multiple of `grid_frames`, so that its own output is one and the same however it is divided.
pub const MW_SEEK_ANCHORED: u32 = 1;
/// Output after `seek(frame)` equals linear decoding from frame 0 bit for bit, for every frame.
pub const MW_SEEK_EXACT: u32 = 2;

/// The samples come out as they went into the encoder.
pub const MW_STREAM_LOSSLESS: u32 = 1;
/// The file ends before the sound does that it promises; `num_frames` counts what is there.
pub const MW_STREAM_TRUNCATED: u32 = 2;

/// What a stream is. Constant from `open` to `close`, and the same for every fork.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mw_stream_info {
    /// The size of this struct.
    pub size: u32,
    /// `MW_STREAM_*`, added up.
    pub flags: u32,
    /// Frames a second, at least 1.
    pub sample_rate: u32,
    /// Samples in a frame, at least 1.
    pub num_channels: u32,
    /// Speaker positions as a WAVE channel mask, in whose order the channels come; 0 when unknown.
    pub channel_mask: u64,
    /// Exactly how many frames `decode` gives, priming and padding already gone; [`MW_UNKNOWN`] only when nothing but decoding
    /// can tell, which the host then does.
    pub num_frames: u64,
    /// The coded depth in bits; 0 when the codec has none.
    pub bits_per_sample: u32,
    /// The format of samples that loses nothing: `MW_F32`, `MW_I16` or `MW_I32`.
    pub native_format: u32,
    /// The formats that `decode` writes, as the sum of `1 << MW_F32` and so on; the native one is among them.
    pub formats: u32,
    /// `MW_SEEK_*`.
    pub seek_class: u32,
    /// Frames of encoder delay that were left out at the start.
    pub priming_frames: u32,
    /// Frames that were left out at the end.
    pub padding_frames: u32,
    /// What a seek costs, in frames that decode in the same time: pre-roll and setting up. The host divides work by it.
    pub seek_cost_frames: u64,
    /// For `MW_SEEK_ANCHORED`, the distance between the points that the host seeks to; at least 1.
    pub grid_frames: u64,
    /// The codec in FFmpeg's terms, such as "mp3" or "flac". Valid until the process exits.
    pub codec: *const c_char,
    /// The container by the name that people know it by, which is its usual extension: "m4a" for MP4 with sound alone, "mp4" for
    /// MP4 with video, "mov", "ogg", "mp3". Valid until the process exits.
    pub container: *const c_char,
    /// The exact variant of a container that has several, such as an MP4 file's major brand, "M4A ", or a Matroska file's
    /// document type, "webm"; empty when there is none. Printable ASCII, ended by a zero. Since version 1.2.
    pub container_variant: [c_char; 16],
}

/// How a stream is to be opened.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mw_decoder_options {
    /// The size of this struct.
    pub size: u32,
    /// The number of the stream among the file's audio streams, counted from 0.
    pub stream: u32,
    /// How many threads a handle may use, the caller's included; 0 and 1 are the caller's alone.
    pub max_threads: u32,
    /// Reserved.
    pub reserved: u32,
    /// The most bytes that a handle may have allocated at any time; 0 leaves it to the plugin.
    pub max_alloc: u64,
}

/// The samples of a frame stand side by side: one plane, `num_channels` samples a frame.
pub const MW_INTERLEAVED: u32 = 0;
/// The samples of a channel stand side by side: `num_channels` planes.
pub const MW_PLANAR: u32 = 1;

/// Room for frames that a callee writes, or frames that it reads.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mw_buffer {
    /// The size of this struct.
    pub size: u32,
    /// `MW_F32`, `MW_I16` or `MW_I32`.
    pub format: u32,
    /// `MW_INTERLEAVED` or `MW_PLANAR`.
    pub layout: u32,
    /// 1 when interleaved, else the number of channels.
    pub num_planes: u32,
    /// The first sample of each plane, aligned to the size of a sample and no further.
    pub planes: *const *mut c_void,
    /// The number of frames there is room for, or that there are.
    pub num_frames: u64,
}

/// A stream being decoded; defined by the plugin.
#[repr(C)]
pub struct mw_decoder {
    _opaque: [u8; 0],
}

/// A kind of decoder: "mapwave.decoder/1". Every function but `tag` must be there.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mw_decoder_table {
    /// The size of this struct.
    pub size: u32,
    /// How many bytes `probe` wants to see, at most 65536.
    pub probe_bytes: u32,
    /// A short lower-case name, unique in the library, such as "qoa".
    pub name: *const c_char,
    /// The codecs it reads in FFmpeg's terms, separated by commas.
    pub codecs: *const c_char,
    /// The usual extensions of file names, separated by commas, in lower case and without dots.
    pub extensions: *const c_char,
    /// How sure this decoder is that it reads a file that begins with these bytes: 0 no; 1 to 49 a guess by extension; 50 to
    /// 89 a plausible structure; 90 to 100 an unmistakable magic number. `head` has the file's first `probe_bytes` bytes, or
    /// all `total_bytes` of it; `extension` may be null; `track` is not null when the host has parsed the container, and
    /// then 0 unless the decoder reads that codec from it.
    ///
    /// Any thread. A function of its arguments alone, within a millisecond, without allocating or loading anything.
    pub probe: Option<
        unsafe extern "C" fn(
            head: *const u8,
            num_bytes: u64,
            total_bytes: u64,
            extension: *const c_char,
            track: *const mw_track,
        ) -> i32,
    >,
    /// Opens a stream and sets `*decoder`, which stands at frame 0. Nothing is set when it fails.
    ///
    /// Any thread. Parses what is needed to answer `info`; decodes only what it must.
    pub open: Option<
        unsafe extern "C" fn(
            input: *const mw_input,
            options: *const mw_decoder_options,
            decoder: *mut *mut mw_decoder,
            error: *mut mw_error,
        ) -> mw_status,
    >,
    /// Fills `info`, whose size the caller has set.
    pub info: Option<
        unsafe extern "C" fn(
            decoder: *const mw_decoder,
            info: *mut mw_stream_info,
            error: *mut mw_error,
        ) -> mw_status,
    >,
    /// Moves so that the next frame written is number `frame` of those that `decode` gives; `num_frames` is the end and is
    /// legal. The plugin decodes and drops what it must to get there. What comes next does not depend on what the handle did
    /// before. After an error the position is undefined, and another seek is legal.
    pub seek:
        Option<unsafe extern "C" fn(decoder: *mut mw_decoder, frame: u64, error: *mut mw_error) -> mw_status>,
    /// Writes the next frames and sets `*num_frames` to their number, at least 1 and at most `buffer->num_frames`; at the end
    /// `MW_END` and 0. Nothing is written past them. However a stretch of frames is divided into calls, the same samples
    /// come out. At a packet that cannot be decoded, `MW_BAD_DATA` and 0, or silence of its length and a warning in the log, as
    /// the format's decoders do; frames before it come out first, in a call of their own. `buffer` has room for at least one
    /// frame.
    pub decode: Option<
        unsafe extern "C" fn(
            decoder: *mut mw_decoder,
            buffer: *const mw_buffer,
            num_frames: *mut u64,
            error: *mut mw_error,
        ) -> mw_status,
    >,
    /// Makes another handle over the same input, which stands at frame 0 and shares what is known of the file. It lives on
    /// its own: either may be closed first.
    pub fork: Option<
        unsafe extern "C" fn(
            decoder: *const mw_decoder,
            fork: *mut *mut mw_decoder,
            error: *mut mw_error,
        ) -> mw_status,
    >,
    /// Sets `*key` and `*value` to a piece of metadata, counted from 0; `MW_END` past the last. Keys are lower-case Vorbis
    /// comment names such as "title"; the strings are valid until `close`. May be null when there are none.
    pub tag: Option<
        unsafe extern "C" fn(
            decoder: *const mw_decoder,
            index: u32,
            key: *mut *const c_char,
            value: *mut *const c_char,
        ) -> mw_status,
    >,
    /// Frees the handle; null is legal. Cannot fail.
    pub close: Option<unsafe extern "C" fn(decoder: *mut mw_decoder)>,
}

/// A piece of metadata.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mw_tag {
    /// A lower-case Vorbis comment name, such as "title".
    pub key: *const c_char,
    /// Its value.
    pub value: *const c_char,
}

/// The sink takes bytes only where the last ones ended.
pub const MW_SINK_APPEND_ONLY: u32 = 1;

/// Where an encoder's bytes go. Valid until the encoder is closed.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mw_sink {
    /// The size of this struct.
    pub size: u32,
    /// `MW_SINK_*`.
    pub flags: u32,
    /// Passed to `write_at`.
    pub context: *mut c_void,
    /// Writes all bytes at `offset`, or fails with a status below 0. Only called from within the encoder's own calls.
    pub write_at: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            offset: u64,
            data: *const c_void,
            num_bytes: u64,
        ) -> mw_status,
    >,
}

/// What an encoder is to make.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mw_encoder_options {
    /// The size of this struct.
    pub size: u32,
    /// Frames a second.
    pub sample_rate: u32,
    /// Samples in a frame.
    pub num_channels: u32,
    /// The depth to be coded in bits, where the codec has a choice; 0 is the encoder's.
    pub bits_per_sample: u32,
    /// Speaker positions as a WAVE channel mask; 0 when unknown.
    pub channel_mask: u64,
    /// The number of frames to come, or [`MW_UNKNOWN`].
    pub num_frames: u64,
    /// The codec in FFmpeg's terms; null is the table's first.
    pub codec: *const c_char,
    /// The container; null is the codec's usual one.
    pub container: *const c_char,
    /// Bits a second; 0 is the encoder's choice.
    pub bitrate: u32,
    /// How hard to try, from 1 to 100; 0 is the encoder's choice. What comes out decodes to the same samples where the codec is
    /// lossless.
    pub effort: u32,
    /// The quality of a variable bitrate, from 1 to 100; 0 is the encoder's choice.
    pub quality: u32,
    /// The number of `tags`.
    pub num_tags: u32,
    /// Metadata to be written, as far as the container has room for it.
    pub tags: *const mw_tag,
    /// How many threads a handle may use, the caller's included; 0 and 1 are the caller's alone.
    pub max_threads: u32,
    /// Reserved.
    pub reserved: u32,
    /// The most bytes that a handle may have allocated at any time; 0 leaves it to the plugin.
    pub max_alloc: u64,
}

/// A stream being encoded; defined by the plugin.
#[repr(C)]
pub struct mw_encoder {
    _opaque: [u8; 0],
}

/// A kind of encoder: "mapwave.encoder/1". Every function must be there.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mw_encoder_table {
    /// The size of this struct.
    pub size: u32,
    /// The formats that `push` takes, as in [`mw_stream_info`].
    pub formats: u32,
    /// A short lower-case name, unique in the library.
    pub name: *const c_char,
    /// The codecs it writes in FFmpeg's terms, separated by commas, its favourite first.
    pub codecs: *const c_char,
    /// The containers it writes, separated by commas, its favourite first.
    pub containers: *const c_char,
    /// Opens an encoder and sets `*encoder`; refuses here what it cannot do, before a byte is written.
    pub open: Option<
        unsafe extern "C" fn(
            options: *const mw_encoder_options,
            sink: *const mw_sink,
            encoder: *mut *mut mw_encoder,
            error: *mut mw_error,
        ) -> mw_status,
    >,
    /// Takes all frames of `buffer`, in any one of `formats` and either layout.
    pub push: Option<
        unsafe extern "C" fn(
            encoder: *mut mw_encoder,
            buffer: *const mw_buffer,
            error: *mut mw_error,
        ) -> mw_status,
    >,
    /// Writes what is left and completes the headers. Only `close` is legal afterwards.
    pub finish: Option<unsafe extern "C" fn(encoder: *mut mw_encoder, error: *mut mw_error) -> mw_status>,
    /// Frees the handle; null is legal. Before `finish` it abandons the stream and writes nothing.
    pub close: Option<unsafe extern "C" fn(encoder: *mut mw_encoder)>,
    /// The lossless ones of `codecs`, separated by commas, each with the depths in bits that it takes where there are only some:
    /// "flac=16/24,wavpack". The host pushes integers of the chosen depth to a lossless codec, and floats, where `formats` has
    /// them, to any other. Null when none is lossless; since version 1.2.
    pub lossless: *const c_char,
    /// The codec that goes without saying in a container, as pairs: "m4a=aac,mp4=aac". Of all encoders that name one for a
    /// container, the first in the host's order decides; where none does, the first codec that is listed for it. Null when
    /// there is nothing to say; since version 1.2.
    pub default_codecs: *const c_char,
    /// The extensions of file names, in lower case and without their dot, that stand for a container, or for a codec in one:
    /// "m4b=m4a,opus=ogg/opus". The name of a container is an extension of its own that need not be listed. Null when there
    /// are no others; since version 1.2.
    pub extensions: *const c_char,
}

/// What a resampler is to do.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mw_resampler_options {
    /// The size of this struct.
    pub size: u32,
    /// Frames a second that come in.
    pub input_rate: u32,
    /// Frames a second that go out.
    pub output_rate: u32,
    /// Samples in a frame.
    pub num_channels: u32,
    /// The format that comes in; what goes out is `MW_F32`.
    pub input_format: u32,
    /// How many threads a handle may use, the caller's included; 0 and 1 are the caller's alone.
    pub max_threads: u32,
    /// One of the table's `qualities`.
    pub quality: *const c_char,
    /// The most bytes that a handle may have allocated at any time; 0 leaves it to the plugin.
    pub max_alloc: u64,
}

/// A resampler at work; defined by the plugin.
#[repr(C)]
pub struct mw_resampler {
    _opaque: [u8; 0],
}

/// A kind of resampler: "mapwave.resampler/1". Every function but `restart` must be there.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mw_resampler_table {
    /// The size of this struct.
    pub size: u32,
    /// The formats that come in, as in [`mw_stream_info`].
    pub formats: u32,
    /// A short lower-case name, unique in the library.
    pub name: *const c_char,
    /// The names of its qualities, separated by commas.
    pub qualities: *const c_char,
    /// Opens a resampler and sets `*resampler`.
    pub open: Option<
        unsafe extern "C" fn(
            options: *const mw_resampler_options,
            resampler: *mut *mut mw_resampler,
            error: *mut mw_error,
        ) -> mw_status,
    >,
    /// Takes frames from `input`, null once there are no more, and writes frames to `output`; sets `*num_read` and
    /// `*num_written`. With `input` null and nothing left to write, `MW_END`. In all, round(n * output_rate / input_rate)
    /// frames go out for n that came in, however they were divided. `output` has room for at least one frame.
    pub process: Option<
        unsafe extern "C" fn(
            resampler: *mut mw_resampler,
            input: *const mw_buffer,
            num_read: *mut u64,
            output: *const mw_buffer,
            num_written: *mut u64,
            error: *mut mw_error,
        ) -> mw_status,
    >,
    /// Frees the handle; null is legal.
    pub close: Option<unsafe extern "C" fn(resampler: *mut mw_resampler)>,
    /// Says where in a signal one may begin, by setting `*grid_frames` and `*preroll_frames`. A resampler that is opened with
    /// these options and is given frames from S on, a multiple of `grid_frames`, as if nothing came before, gives from its
    /// frame ceil(preroll_frames * output_rate / input_rate) on exactly what one gives that was fed from frame 0, from S *
    /// output_rate / input_rate, a whole number, and as many frames behind it: bit for bit, however it is fed, but for the end
    /// of what it is given. With `*grid_frames` 0, one may begin at frame 0 only. May take some time the first time. Null
    /// stands for 0; since version 1.1.
    pub restart: Option<
        unsafe extern "C" fn(
            options: *const mw_resampler_options,
            grid_frames: *mut u64,
            preroll_frames: *mut u64,
            error: *mut mw_error,
        ) -> mw_status,
    >,
    /// The one of `qualities` that a caller gets who asks for none. Of all resamplers that name one, the first in the host's
    /// order decides. Null leaves it to others; since version 1.2.
    pub default_quality: *const c_char,
    /// `open` refuses rates of which one is this many times as high as the other, or more; 0 when there is no such limit; since
    /// version 1.2.
    pub ratio_limit: u32,
    /// Reserved.
    pub reserved: u32,
}

/// The name of [`mw_decoder_table`] in [`mw_plugin::get`].
pub const MW_DECODER_INTERFACE: &str = "mapwave.decoder/1";
/// The name of [`mw_encoder_table`] in [`mw_plugin::get`].
pub const MW_ENCODER_INTERFACE: &str = "mapwave.encoder/1";
/// The name of [`mw_resampler_table`] in [`mw_plugin::get`].
pub const MW_RESAMPLER_INTERFACE: &str = "mapwave.resampler/1";

/// What a library is. Valid until the process exits.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mw_plugin {
    /// The size of this struct.
    pub size: u32,
    /// [`MW_ABI_MAJOR`] of the plugin.
    pub abi_major: u32,
    /// [`MW_ABI_MINOR`] of the plugin.
    pub abi_minor: u32,
    /// Reserved.
    pub reserved: u32,
    /// The plugin's name, by which a user picks it: lower-case letters, digits, '-' and '_'; not empty.
    pub id: *const c_char,
    /// Its version.
    pub version: *const c_char,
    /// Who made it.
    pub vendor: *const c_char,
    /// Its licence as an SPDX expression, what it is linked with included.
    pub license: *const c_char,
    /// The libraries that it needs and found, with their versions, for the user to read; may be empty.
    pub dependencies: *const c_char,
    /// The table of an interface by its name, such as "mapwave.decoder/1", and its number, counted from 0; null past the last
    /// and for a name that the plugin does not know. Any thread; always the same answer; valid until the process exits.
    pub get: Option<unsafe extern "C" fn(name: *const c_char, index: u32) -> *const c_void>,
}

/// The entry function of a plugin, exported as `mapwave_plugin_entry_v1`: returns what the library is, or null with `error`
/// filled when it cannot work here ([`MW_MISSING_DEPENDENCY`], [`MW_UNSUPPORTED`]).
///
/// Any thread, any number of times, also at once; within 50 milliseconds; the same answer each time.
pub type mw_plugin_entry =
    unsafe extern "C" fn(host: *const mw_host, error: *mut mw_error) -> *const mw_plugin;

/// The name of the entry function.
pub const MW_ENTRY_SYMBOL: &str = "mapwave_plugin_entry_v1";
