//! The C ABI between mapwave and its codec plugins, version 1.
//!
//! A plugin is a shared library that exports one function, [`mapwave_plugin_entry_v1`](mw_plugin_entry). The C header
//! `mapwave_plugin.h` is generated from the Rust crate `mapwave-plugin-abi`. Names follow C's style, so that both read
//! alike.
//!
//! # Rules
//!
//! - **R1, sizes.** Every struct begins with its size in bytes, as known to the side that fills it. A reader uses a
//!   field only if the size covers it; otherwise the field has its default, zero. Later minor versions only append
//!   fields. The caller sizes and zeroes structs that the callee fills; the callee writes no byte past that size and
//!   does not change the size. A size that does not cover version 1.0 is an error, [`MW_BAD_ARGUMENT`]; only an
//!   [`mw_error`] of such a size is filled as far as it goes, or left as it is. No field is a bool, a bitfield or an
//!   enumeration; reserved fields are zero.
//! - **R2, memory.** Neither side frees the other's memory. A plugin's tables and strings are valid until the process
//!   exits. Only `close` frees a handle. Pointers from the host are valid during the call, unless their comment says
//!   longer.
//! - **R3, strings.** Strings are UTF-8 and end with a NUL. Paths never cross the interface: a plugin sees bytes.
//! - **R4, threads.** Functions without a handle may be called from any thread at any time. A handle takes one call at
//!   a time, each from any thread. Different handles work fully in parallel, even over the same bytes: no state is tied
//!   to a thread, and no lock is held across calls. A plugin starts no threads unless `max_threads` allows it. Every call
//!   has a stack of at least [`MW_MIN_STACK_BYTES`], 8 MiB.
//! - **R5, unwinding.** No panic, exception or `longjmp` crosses the interface. A plugin returns [`MW_PANIC`] instead,
//!   after which the handle is poisoned: every call but `close` returns `MW_PANIC`. A plugin does not call `abort` or
//!   `exit`, install signal handlers, change the locale, the floating-point mode, the working directory, the
//!   environment or a signal mask, or write to standard output or error.
//! - **R6, errors.** Malformed input gives an error, never undefined behaviour. A handle allocates at most `max_alloc`
//!   bytes. Every function that can fail takes an [`mw_error`] to fill, which may be null.
//! - **R7, life.** Libraries are loaded with all symbols bound and by absolute path, and never unloaded. Constructors
//!   do no work.
//! - **R8, bytes.** Input is read-only. A file may be truncated while it is mapped: the missing bytes read as zeros,
//!   and the host reports it. Output is written directly into the caller's buffer.
//!
//! Little-endian 64-bit machines only.

#![no_std]
#![allow(non_camel_case_types, missing_debug_implementations)] // C's names; plain data behind pointers

pub mod headers;
#[doc(hidden)]
pub mod layout;

use core::ffi::{c_char, c_void};

#[cfg(not(all(target_pointer_width = "64", target_endian = "little")))]
compile_error!("mapwave's plugin ABI is defined for little-endian 64-bit machines");

/// The major version of this ABI, which is in the name of the entry function.
pub const MW_ABI_MAJOR: u32 = 1;
/// The minor version of this ABI, which grows when a field or a function is appended.
pub const MW_ABI_MINOR: u32 = 2;

/// The bytes of stack that a host gives every call at least: a plugin may use as much.
pub const MW_MIN_STACK_BYTES: u32 = 8 << 20;

/// The result of a call: [`MW_OK`], [`MW_END`], or an error, which is negative.
pub type mw_status = i32;

/// The call succeeded.
pub const MW_OK: mw_status = 0;
/// There are no more frames or items.
pub const MW_END: mw_status = 1;
/// This plugin does not support the format or this variant of it. Another plugin may.
pub const MW_UNSUPPORTED: mw_status = -1;
/// An argument breaks the contract of the call.
pub const MW_BAD_ARGUMENT: mw_status = -2;
/// The bytes violate the format's specification.
pub const MW_BAD_DATA: mw_status = -3;
/// The host's `read_at` or `write_at` failed.
pub const MW_IO: mw_status = -4;
/// Not enough memory.
pub const MW_NO_MEMORY: mw_status = -5;
/// The state of the handle does not allow the call, such as pushing to a finished encoder.
pub const MW_BAD_STATE: mw_status = -6;
/// A library or device that the plugin needs is missing.
pub const MW_MISSING_DEPENDENCY: mw_status = -7;
/// The host asked to stop.
pub const MW_CANCELLED: mw_status = -8;
/// The call needs more than `max_alloc`, or more than the format allows.
pub const MW_LIMIT: mw_status = -9;
/// The plugin panicked; the handle is poisoned.
pub const MW_PANIC: mw_status = -10;
/// An internal error of the plugin.
pub const MW_INTERNAL: mw_status = -11;

/// Stands for an unknown number.
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
    /// The code of a library below the plugin, or 0.
    pub native_code: i64,
    /// The offset in the input in bytes, or [`MW_UNKNOWN`].
    pub offset: u64,
    /// What was found and what was expected: UTF-8, NUL-terminated, truncated between characters if it is too long.
    pub message: [c_char; MW_MESSAGE_BYTES],
}

/// A sample is a 32-bit float, full scale at 1.0.
pub const MW_F32: u32 = 1;
/// A sample is a signed 16-bit integer; a shallower one is shifted up to fill it.
pub const MW_I16: u32 = 2;
/// A sample is a signed 32-bit integer; a shallower one is shifted up to fill it.
pub const MW_I32: u32 = 3;

/// Details for debugging.
pub const MW_LOG_DEBUG: u32 = 0;
/// Something worth knowing.
pub const MW_LOG_INFO: u32 = 1;
/// Something was corrected or skipped, such as a damaged packet that became silence.
pub const MW_LOG_WARNING: u32 = 2;
/// Something failed.
pub const MW_LOG_ERROR: u32 = 3;

/// The host's services. Passed once, at entry; valid until the process exits.
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
    /// Logs a message of a level `MW_LOG_*`. Any thread; null if the host does not log.
    pub log: Option<unsafe extern "C" fn(context: *mut c_void, level: u32, message: *const c_char)>,
    /// Returns an extension of this ABI by its name, such as "vendor.name/1", or null if the host does not have it. Any
    /// thread; the result is valid until the process exits. The function itself may be null.
    pub get_extension:
        Option<unsafe extern "C" fn(context: *mut c_void, name: *const c_char) -> *const c_void>,
    /// Returns 1 if the caller of the current call no longer waits for it, or else 0. A call that takes long asks now and
    /// then, on the thread on which it was made, and returns [`MW_CANCELLED`]; a decoder can then be used after a seek. Null
    /// if the host cannot say; since version 1.2.
    pub is_cancelled: Option<unsafe extern "C" fn(context: *mut c_void) -> i32>,
}

/// A stream inside a container that the host has parsed: WAV, AIFF and CAF files with compressed packets. A decoder
/// that uses it need not parse the container, but may. All ranges are within the input.
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
    /// Frames per second.
    pub sample_rate: u32,
    /// Samples per frame.
    pub num_channels: u32,
    /// Speaker positions as a WAVE channel mask; 0 if unknown.
    pub channel_mask: u64,
    /// The depth in bits; 0 if the codec has none.
    pub bits_per_sample: u32,
    /// Bytes per packet; 0 if they vary.
    pub bytes_per_packet: u32,
    /// Frames per packet; 0 if they vary.
    pub frames_per_packet: u32,
    /// The encoder delay at the start in frames, from a packet table; 0 without one.
    pub priming_frames: u32,
    /// The padding of the last packet in frames, from a packet table; 0 without one.
    pub padding_frames: u32,
    /// Reserved.
    pub reserved: u32,
    /// The number of frames that the container states, without priming and padding; [`MW_UNKNOWN`] if it does not. It
    /// is not reliable: the packets decide.
    pub num_frames: u64,
    /// The offset of the packets in bytes from the start of the input.
    pub data_offset: u64,
    /// The size of the packets in bytes.
    pub data_bytes: u64,
    /// The offset of the codec's setup: the rest of a WAVE `fmt ` chunk after its first 18 bytes, a CAF magic cookie.
    pub config_offset: u64,
    /// The size of the setup; 0 without one.
    pub config_bytes: u64,
    /// The offset of the entries of a CAF packet table: for each packet its size if that varies, then its frames if
    /// those vary. Numbers have 7 bits per byte, most significant first, and bit 7 set in every byte but the last.
    pub table_offset: u64,
    /// The size of the entries; 0 without a table.
    pub table_bytes: u64,
    /// The number of packets that the table describes.
    pub num_packets: u64,
}

/// Bytes are fetched when they are touched, as those of a server are: a plugin should look at few of them when it opens a stream.
/// Since version 1.2.
pub const MW_INPUT_COSTLY: u32 = 1;

/// The bytes of a file. The struct is valid during the call; its pointers, except `extension` and `track`, are valid
/// until every handle opened with it, and every fork of one, is closed.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mw_input {
    /// The size of this struct.
    pub size: u32,
    /// The sum of `MW_INPUT_*`; 0 before version 1.2.
    pub flags: u32,
    /// The bytes, read-only; null if `read_at` provides them.
    pub data: *const u8,
    /// The number of bytes, always known.
    pub num_bytes: u64,
    /// Passed to `read_at` and `release`.
    pub context: *mut c_void,
    /// Copies up to `num_bytes` bytes from `offset` on into `buffer` and returns their number: at least one, 0 at the
    /// end, a negative error. Fewer bytes than requested are neither an error nor the end. Any thread, also
    /// concurrently; null if `data` is not.
    pub read_at: Option<
        unsafe extern "C" fn(context: *mut c_void, offset: u64, buffer: *mut c_void, num_bytes: u64) -> i64,
    >,
    /// The extension of the file name in lower case without its dot, or null. It is a hint: the bytes decide. The plugins
    /// that come with a host do not get it, so that a file does not depend on its name.
    pub extension: *const c_char,
    /// The stream that the host has parsed, or null if the host does not know the container.
    pub track: *const mw_track,
    /// Tells the host that the plugin does not need `num_bytes` bytes of `data` from `offset` on for now, so that their
    /// memory may be released. The bytes do not change and can be read again at any time. Useful for plugins that scan
    /// a long file when it is opened. Any thread; null if it makes no difference; since version 1.1.
    pub release: Option<unsafe extern "C" fn(context: *mut c_void, offset: u64, num_bytes: u64)>,
}

/// Forward only: `seek` works to frame 0 and to the current position.
pub const MW_SEEK_NONE: u32 = 0;
/// Output after `seek(frame)` is a function of the bytes and `frame` alone; it may differ from linear decoding. The
/// host seeks to every multiple of `grid_frames`, so that its own output does not depend on how it is divided.
pub const MW_SEEK_ANCHORED: u32 = 1;
/// Output after `seek(frame)` equals linear decoding from frame 0 bit for bit, for every frame.
pub const MW_SEEK_EXACT: u32 = 2;

/// The samples are those that the encoder got.
pub const MW_STREAM_LOSSLESS: u32 = 1;
/// The file ends before the audio that it promises; `num_frames` counts the frames that it holds.
pub const MW_STREAM_TRUNCATED: u32 = 2;

/// The properties of a stream. Constant from `open` to `close`, and the same for every fork.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mw_stream_info {
    /// The size of this struct.
    pub size: u32,
    /// The sum of `MW_STREAM_*`.
    pub flags: u32,
    /// Frames per second, at least 1.
    pub sample_rate: u32,
    /// Samples per frame, at least 1.
    pub num_channels: u32,
    /// Speaker positions as a WAVE channel mask, one for each channel, which also gives the order of channels; 0 if
    /// unknown.
    pub channel_mask: u64,
    /// The exact number of frames that `decode` returns, without priming and padding; [`MW_UNKNOWN`] only if it takes
    /// decoding to know it, which the host then does.
    pub num_frames: u64,
    /// The depth in bits; 0 if the codec has none.
    pub bits_per_sample: u32,
    /// The lossless sample format: `MW_F32`, `MW_I16` or `MW_I32`.
    pub native_format: u32,
    /// The formats that `decode` writes, as the sum of `1 << MW_F32` and so on; the native one is among them.
    pub formats: u32,
    /// `MW_SEEK_*`.
    pub seek_class: u32,
    /// The frames of encoder delay dropped at the start.
    pub priming_frames: u32,
    /// The frames dropped at the end.
    pub padding_frames: u32,
    /// The cost of a seek, in frames that decode in the same time: pre-roll and setup. The host divides work
    /// accordingly.
    pub seek_cost_frames: u64,
    /// For `MW_SEEK_ANCHORED`, the distance between the points that the host seeks to; at least 1.
    pub grid_frames: u64,
    /// The codec in FFmpeg's terms, such as "mp3" or "flac": lower-case letters, digits and "-_.+". Valid until the
    /// process exits.
    pub codec: *const c_char,
    /// The everyday name of the container, which is its usual extension: "m4a" for MP4 with audio alone, "mp4" for MP4
    /// with video, "mov", "ogg", "mp3"; of the same letters. Valid until the process exits.
    pub container: *const c_char,
    /// The exact variant of a container that has several, such as an MP4 file's major brand, "M4A ", or a Matroska
    /// file's document type, "webm"; empty if there is none. Printable ASCII, NUL-terminated; since version 1.2.
    pub container_variant: [c_char; 16],
}

/// Stands for a file's default stream in [`mw_decoder_options`]: the one that the file flags as default, or else the first.
/// A host uses it only if the table has the function `stream`; since version 1.2.
pub const MW_DEFAULT_STREAM: u32 = u32::MAX;

/// An option is "0" or "1"; since version 1.2.
pub const MW_OPTION_FLAG: u32 = 1;
/// An option is a whole number in decimal digits; since version 1.2.
pub const MW_OPTION_INTEGER: u32 = 2;
/// An option is a number such as "0.5" or "1e-3"; since version 1.2.
pub const MW_OPTION_NUMBER: u32 = 3;
/// An option is a text; since version 1.2.
pub const MW_OPTION_TEXT: u32 = 4;

/// An option of a decoder's or encoder's own. Its strings are valid until the process exits; since version 1.2.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mw_option {
    /// The size of this struct.
    pub size: u32,
    /// `MW_OPTION_*`.
    pub kind: u32,
    /// The name, unique in the table: lower-case letters, digits and '_'.
    pub name: *const c_char,
    /// The value that the option has if it is not given, as text; null if there is none.
    pub default_value: *const c_char,
    /// The legal values of a text, separated by commas; null if any is legal.
    pub choices: *const c_char,
    /// What it does, in a few words; null if there is nothing to say.
    pub description: *const c_char,
    /// The least legal number; without limits, both are 0.
    pub minimum: f64,
    /// The greatest legal number.
    pub maximum: f64,
}

/// A tag, or an option and its value.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mw_tag {
    /// A lower-case Vorbis comment name, such as "title", or the name of an option.
    pub key: *const c_char,
    /// Its value.
    pub value: *const c_char,
}

/// Options for opening a stream.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mw_decoder_options {
    /// The size of this struct.
    pub size: u32,
    /// The number of the stream among the file's audio streams, counted from 0, or [`MW_DEFAULT_STREAM`].
    pub stream: u32,
    /// The number of threads that a handle may use, including the caller's; 0 and 1 mean the caller's alone.
    pub max_threads: u32,
    /// Reserved.
    pub reserved: u32,
    /// The most bytes that a handle may have allocated at any time; 0 leaves the limit to the plugin.
    pub max_alloc: u64,
    /// The values of options that the table's `option` describes, as far as the user gives them: legal ones, each at most
    /// once; since version 1.2.
    pub settings: *const mw_tag,
    /// The number of `settings`; since version 1.2.
    pub num_settings: u64,
    /// What `save_index` of the table wrote about this stream, or null. Valid during the call. The host keeps accidents away:
    /// it seals what it saves with digests of it and of the file, and with the decoder's version. Yet it may be made up: the
    /// decoder compares it with the file as far as that costs little, opens the file as without it if it does not fit,
    /// and never reads outside of the file, loops or allocates more because of it; since version 1.2.
    pub index: *const u8,
    /// The number of its bytes; since version 1.2.
    pub index_bytes: u64,
}

/// The stream is the default one of its file; since version 1.2.
pub const MW_ENTRY_DEFAULT: u32 = 1;

/// An audio stream in the list of those that a file has, whether or not the plugin decodes it; since version 1.2.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mw_stream_entry {
    /// The size of this struct.
    pub size: u32,
    /// [`MW_ENTRY_DEFAULT`] or 0.
    pub flags: u32,
    /// Frames per second as the container states them; 0 if it does not.
    pub sample_rate: u32,
    /// Samples per frame as the container states them; 0 if it does not.
    pub num_channels: u32,
    /// The codec in FFmpeg's terms, or the container's name of it. Valid until `close`.
    pub codec: *const c_char,
    /// The language as the container states it, such as "eng"; null if it does not. Valid until `close`.
    pub language: *const c_char,
}

/// A picture in a file, such as a cover; since version 1.2.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mw_picture {
    /// The size of this struct.
    pub size: u32,
    /// What it shows, as ID3v2 numbers it from 0 to 20: 3 is the front cover, 0 anything else.
    pub kind: u32,
    /// The type of the data, such as "image/jpeg". Valid until `close`.
    pub mime: *const c_char,
    /// A description; null if there is none. Valid until `close`.
    pub description: *const c_char,
    /// The width in pixels; 0 if it is not known.
    pub width: u32,
    /// The height in pixels; 0 if it is not known.
    pub height: u32,
    /// The image file. Valid until `close`.
    pub data: *const u8,
    /// The number of its bytes, at least 1.
    pub num_bytes: u64,
}

/// A chapter or a marker of a stream, in frames that `decode` returns; since version 1.2.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mw_chapter {
    /// The size of this struct.
    pub size: u32,
    /// Reserved.
    pub reserved: u32,
    /// The name; null if it has none. Valid until `close`.
    pub label: *const c_char,
    /// The first frame.
    pub start: u64,
    /// The frame behind the last one, at least `start`; [`MW_UNKNOWN`] if it has no end.
    pub end: u64,
}

/// The samples of a frame are adjacent: one plane, `num_channels` samples per frame.
pub const MW_INTERLEAVED: u32 = 0;
/// The samples of a channel are adjacent: `num_channels` planes.
pub const MW_PLANAR: u32 = 1;

/// A buffer for frames that the callee writes, or with frames that it reads.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mw_buffer {
    /// The size of this struct.
    pub size: u32,
    /// `MW_F32`, `MW_I16` or `MW_I32`.
    pub format: u32,
    /// `MW_INTERLEAVED` or `MW_PLANAR`.
    pub layout: u32,
    /// 1 if interleaved, or else the number of channels.
    pub num_planes: u32,
    /// The first sample of each plane, aligned to the size of a sample.
    pub planes: *const *mut c_void,
    /// The capacity in frames, or the number of frames.
    pub num_frames: u64,
}

/// The sink takes bytes only at its end.
pub const MW_SINK_APPEND_ONLY: u32 = 1;

/// Bytes go on to a listener as they come: an encoder should make short packets, pages and blocks, and write each at once. It may
/// ignore this. Since version 1.2.
pub const MW_SINK_LIVE: u32 = 2;

/// The destination of an encoder's bytes, valid until the encoder is closed, or of a decoder's index.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mw_sink {
    /// The size of this struct.
    pub size: u32,
    /// `MW_SINK_*`.
    pub flags: u32,
    /// Passed to `write_at`.
    pub context: *mut c_void,
    /// Writes all bytes at `offset`, or fails with a negative status. Called only from within the plugin's own calls.
    pub write_at: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            offset: u64,
            data: *const c_void,
            num_bytes: u64,
        ) -> mw_status,
    >,
}

/// A stream being decoded; defined by the plugin.
#[repr(C)]
pub struct mw_decoder {
    _opaque: [u8; 0],
}

/// A kind of decoder: "mapwave.decoder/1". Only `tag` and the functions since version 1.2 may be null.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mw_decoder_table {
    /// The size of this struct.
    pub size: u32,
    /// The number of bytes that `probe` needs, at most 65536; since version 1.2 at most 327680, of which a host gives
    /// 8192 at first, and all only if no decoder finds a plausible structure.
    pub probe_bytes: u32,
    /// A short lower-case name, unique in the library, such as "qoa".
    pub name: *const c_char,
    /// The codecs it reads in FFmpeg's terms, separated by commas.
    pub codecs: *const c_char,
    /// The usual extensions of file names, separated by commas, in lower case and without dots.
    pub extensions: *const c_char,
    /// Returns a score for a file that begins with these bytes: 0 if the decoder does not support it; 1 to 49 for a
    /// guess by extension; 50 to 89 for a plausible structure; 90 to 99 for an unmistakable magic number; 100 if, beyond
    /// that, no other decoder is to be asked when `open` answers `MW_BAD_DATA`. `head` has the file's first
    /// `probe_bytes` bytes, or all `total_bytes` of it; `extension` is null unless no decoder supports the file by its
    /// bytes; `track` is not null if the host has parsed the container, and then the score is 0 unless the decoder
    /// supports that codec in it.
    ///
    /// Any thread. The result depends on the arguments alone and takes less than a millisecond; nothing is allocated or
    /// loaded.
    pub probe: Option<
        unsafe extern "C" fn(
            head: *const u8,
            num_bytes: u64,
            total_bytes: u64,
            extension: *const c_char,
            track: *const mw_track,
        ) -> i32,
    >,
    /// Opens a stream at frame 0 and sets `*decoder`. On failure nothing is set. A stream that the file does not have is
    /// [`MW_BAD_ARGUMENT`], with a message that says which it has; one that the plugin does not decode is
    /// [`MW_UNSUPPORTED`], with a message that names its codec.
    ///
    /// Any thread. Parses as much as `info` needs, and decodes only if it must.
    pub open: Option<
        unsafe extern "C" fn(
            input: *const mw_input,
            options: *const mw_decoder_options,
            decoder: *mut *mut mw_decoder,
            error: *mut mw_error,
        ) -> mw_status,
    >,
    /// Fills `info`, whose size the caller sets.
    pub info: Option<
        unsafe extern "C" fn(
            decoder: *const mw_decoder,
            info: *mut mw_stream_info,
            error: *mut mw_error,
        ) -> mw_status,
    >,
    /// Moves to frame number `frame` of those that `decode` returns; `num_frames`, the end, is legal. The plugin
    /// decodes and drops frames if it must. The following output does not depend on earlier calls. After an error the
    /// position is undefined, and another seek is legal.
    pub seek:
        Option<unsafe extern "C" fn(decoder: *mut mw_decoder, frame: u64, error: *mut mw_error) -> mw_status>,
    /// Writes the next frames and sets `*num_frames` to their number, at least 1 and at most `buffer->num_frames`; at
    /// the end returns `MW_END` and sets 0. Nothing is written past them. The samples do not depend on how frames are
    /// divided into calls. At a damaged packet, returns `MW_BAD_DATA` and sets 0, or writes silence of its length and
    /// logs a warning, as is usual for the format; frames before it are returned first, by a separate call. `buffer`
    /// has room for at least one frame.
    pub decode: Option<
        unsafe extern "C" fn(
            decoder: *mut mw_decoder,
            buffer: *const mw_buffer,
            num_frames: *mut u64,
            error: *mut mw_error,
        ) -> mw_status,
    >,
    /// Makes another handle over the same input at frame 0, which shares the parsed headers. The handles are
    /// independent: either may be closed first.
    pub fork: Option<
        unsafe extern "C" fn(
            decoder: *const mw_decoder,
            fork: *mut *mut mw_decoder,
            error: *mut mw_error,
        ) -> mw_status,
    >,
    /// Sets `*key` and `*value` to the tag number `index`, counted from 0; `MW_END` past the last. Keys are lower-case
    /// Vorbis comment names such as "title"; the strings are valid until `close`. May be null if there are no tags.
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
    /// Fills `entry`, whose size the caller sets, with audio stream number `index` of the file, counted from 0; `MW_END`
    /// past the last, and nothing is written. The list is the same for every handle, whichever stream it has open; `stream`
    /// of [`mw_decoder_options`] counts as it does. It holds at least the open stream, and exactly one stream has
    /// [`MW_ENTRY_DEFAULT`]: the one that [`MW_DEFAULT_STREAM`] opens. Null if the decoder reads the first stream of a file
    /// and no other, in which case a host asks for no other; since version 1.2.
    pub stream: Option<
        unsafe extern "C" fn(
            decoder: *const mw_decoder,
            index: u32,
            entry: *mut mw_stream_entry,
            error: *mut mw_error,
        ) -> mw_status,
    >,
    /// Fills `option`, whose size the caller sets, with option number `index` of the decoder's own, counted from 0;
    /// [`MW_END`] past the last. Any thread; always the same result. Null if there are none; since version 1.2.
    pub option:
        Option<unsafe extern "C" fn(index: u32, option: *mut mw_option, error: *mut mw_error) -> mw_status>,
    /// Writes to `sink`, one behind the other from offset 0 on, the bytes that spare another `open` of the same file the scan
    /// for its packets: a few for each packet at most. `MW_END`, with nothing written, if there was no such scan. Every handle
    /// over the stream writes the same, whether it was opened with an `index` or without. `sink` is valid during the call, and
    /// its `flags` are [`MW_SINK_APPEND_ONLY`]; the host refuses what is longer than it keeps. Null if the decoder has
    /// no index; since version 1.2.
    pub save_index: Option<
        unsafe extern "C" fn(
            decoder: *const mw_decoder,
            sink: *const mw_sink,
            error: *mut mw_error,
        ) -> mw_status,
    >,
    /// Fills `picture`, whose size the caller sets, with picture number `index` of the file, counted from 0; [`MW_END`] past the
    /// last, and nothing is written. Always the same, for every fork. Null if the decoder knows none; since version 1.2.
    pub picture: Option<
        unsafe extern "C" fn(
            decoder: *const mw_decoder,
            index: u32,
            picture: *mut mw_picture,
            error: *mut mw_error,
        ) -> mw_status,
    >,
    /// Fills `chapter`, whose size the caller sets, with chapter number `index` of the stream, counted from 0; [`MW_END`] past
    /// the last, and nothing is written. Always the same, for every fork. Null if the decoder knows none; since version 1.2.
    pub chapter: Option<
        unsafe extern "C" fn(
            decoder: *const mw_decoder,
            index: u32,
            chapter: *mut mw_chapter,
            error: *mut mw_error,
        ) -> mw_status,
    >,
}

/// Options for opening an encoder.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mw_encoder_options {
    /// The size of this struct.
    pub size: u32,
    /// Frames per second.
    pub sample_rate: u32,
    /// Samples per frame.
    pub num_channels: u32,
    /// The depth to encode in bits, if the codec has a choice; 0 is the encoder's choice.
    pub bits_per_sample: u32,
    /// Speaker positions as a WAVE channel mask; 0 if unknown.
    pub channel_mask: u64,
    /// The number of frames to come, or [`MW_UNKNOWN`].
    pub num_frames: u64,
    /// The codec in FFmpeg's terms; null means the table's first.
    pub codec: *const c_char,
    /// The container; null means the codec's usual one.
    pub container: *const c_char,
    /// Bits per second; 0 is the encoder's choice.
    pub bitrate: u32,
    /// The effort, from 1 to 100; 0 is the encoder's choice. With a lossless codec it does not change the decoded
    /// samples.
    pub effort: u32,
    /// The quality of a variable bitrate, from 1 to 100; 0 is the encoder's choice.
    pub quality: u32,
    /// The number of `tags`.
    pub num_tags: u32,
    /// The tags to write, as far as the container supports them.
    pub tags: *const mw_tag,
    /// The number of threads that a handle may use, including the caller's; 0 and 1 mean the caller's alone.
    pub max_threads: u32,
    /// Reserved.
    pub reserved: u32,
    /// The most bytes that a handle may have allocated at any time; 0 leaves the limit to the plugin.
    pub max_alloc: u64,
    /// As in [`mw_decoder_options`]; since version 1.2.
    pub settings: *const mw_tag,
    /// The number of `settings`; since version 1.2.
    pub num_settings: u64,
}

/// A stream being encoded; defined by the plugin.
#[repr(C)]
pub struct mw_encoder {
    _opaque: [u8; 0],
}

/// A kind of encoder: "mapwave.encoder/1". Only `option` may be null.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mw_encoder_table {
    /// The size of this struct.
    pub size: u32,
    /// The formats that `push` takes, as in [`mw_stream_info`].
    pub formats: u32,
    /// A short lower-case name, unique in the library.
    pub name: *const c_char,
    /// The codecs it writes in FFmpeg's terms, separated by commas, the preferred one first.
    pub codecs: *const c_char,
    /// The containers it writes, separated by commas, the preferred one first.
    pub containers: *const c_char,
    /// Opens an encoder and sets `*encoder`. Unsupported options are rejected here, before a byte is written; `effort` and
    /// `tags` alone may have no effect.
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
    /// Writes the rest and completes the headers. Only `close` is legal afterwards.
    pub finish: Option<unsafe extern "C" fn(encoder: *mut mw_encoder, error: *mut mw_error) -> mw_status>,
    /// Frees the handle; null is legal. Before `finish` it abandons the stream without writing.
    pub close: Option<unsafe extern "C" fn(encoder: *mut mw_encoder)>,
    /// The lossless ones of `codecs`, separated by commas, each with the depths in bits that it supports if not all:
    /// "flac=16/24,wavpack". The host pushes integers of the chosen depth to a lossless codec, and floats, if `formats`
    /// has them, to any other. Null if none is lossless; since version 1.2.
    pub lossless: *const c_char,
    /// The default codecs of containers, as pairs: "m4a=aac,mp4=aac". The first encoder in the host's order that names
    /// one for a container decides; without any, the default is the first codec that is listed for it. Null for no
    /// defaults; since version 1.2.
    pub default_codecs: *const c_char,
    /// The extensions of file names, in lower case and without their dot, that mean a container, or a codec in one:
    /// "m4b=m4a,opus=ogg/opus". The name of a container is an extension too and need not be listed. Null for no others;
    /// since version 1.2.
    pub extensions: *const c_char,
    /// As in [`mw_decoder_table`], the encoder's own options; since version 1.2.
    pub option:
        Option<unsafe extern "C" fn(index: u32, option: *mut mw_option, error: *mut mw_error) -> mw_status>,
}

/// Options for opening a resampler.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mw_resampler_options {
    /// The size of this struct.
    pub size: u32,
    /// Frames per second of the input.
    pub input_rate: u32,
    /// Frames per second of the output.
    pub output_rate: u32,
    /// Samples per frame.
    pub num_channels: u32,
    /// The format of the input; that of the output is `MW_F32`.
    pub input_format: u32,
    /// The number of threads that a handle may use, including the caller's; 0 and 1 mean the caller's alone.
    pub max_threads: u32,
    /// One of the table's `qualities`.
    pub quality: *const c_char,
    /// The most bytes that a handle may have allocated at any time; 0 leaves the limit to the plugin.
    pub max_alloc: u64,
}

/// A resampler at work; defined by the plugin.
#[repr(C)]
pub struct mw_resampler {
    _opaque: [u8; 0],
}

/// A kind of resampler: "mapwave.resampler/1". Only `restart` may be null.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mw_resampler_table {
    /// The size of this struct.
    pub size: u32,
    /// The formats of the input, as in [`mw_stream_info`].
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
    /// Takes frames from `input`, which is null after the last, and writes frames to `output`; sets `*num_read` and
    /// `*num_written`. If `input` is null and nothing is left to write, returns `MW_END`. In all, n input frames give
    /// round(n * output_rate / input_rate) output frames, however they are divided. `output` has room for at least one
    /// frame.
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
    /// Sets `*grid_frames` and `*preroll_frames`, which state where in a signal a resampler may start. Let S be a
    /// multiple of `*grid_frames`, so that S * output_rate / input_rate is a whole number. A resampler opened with
    /// these options that gets the frames from S on as if they were the first returns, from its output frame
    /// ceil(preroll_frames * output_rate / input_rate) on, the same bits as one that got all frames from 0 on returns
    /// that many frames after S * output_rate / input_rate, however the input is divided, except near its end. If
    /// `*grid_frames` is 0, a resampler may start at frame 0 only. The first call may take some time. Null means 0;
    /// since version 1.1.
    pub restart: Option<
        unsafe extern "C" fn(
            options: *const mw_resampler_options,
            grid_frames: *mut u64,
            preroll_frames: *mut u64,
            error: *mut mw_error,
        ) -> mw_status,
    >,
    /// The default one of `qualities`. The first resampler in the host's order that names one decides. Null leaves it
    /// to others; since version 1.2.
    pub default_quality: *const c_char,
    /// `open` rejects rates if one is at least this many times the other; 0 for no limit; since version 1.2.
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

/// The description of a library. Valid until the process exits.
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
    /// The plugin's name, by which users choose it: lower-case letters, digits, '-' and '_'; not empty.
    pub id: *const c_char,
    /// Its version.
    pub version: *const c_char,
    /// Who made it.
    pub vendor: *const c_char,
    /// Its licence as an SPDX expression, including that of linked libraries.
    pub license: *const c_char,
    /// The libraries that it uses, with their versions, for the user to read; may be empty.
    pub dependencies: *const c_char,
    /// Returns the table of an interface by its name, such as "mapwave.decoder/1", and its number, counted from 0; null
    /// past the last and for unknown names. Any thread; always the same result, valid until the process exits.
    pub get: Option<unsafe extern "C" fn(name: *const c_char, index: u32) -> *const c_void>,
}

/// The entry function of a plugin, exported as `mapwave_plugin_entry_v1`: returns the description of the library, or
/// null with `error` filled if it cannot work here ([`MW_MISSING_DEPENDENCY`], [`MW_UNSUPPORTED`]).
///
/// Any thread, any number of times, also concurrently; within 50 milliseconds; always the same result.
pub type mw_plugin_entry =
    unsafe extern "C" fn(host: *const mw_host, error: *mut mw_error) -> *const mw_plugin;

/// The name of the entry function.
pub const MW_ENTRY_SYMBOL: &str = "mapwave_plugin_entry_v1";
