//! Decoders.

use core::ffi::c_char;

use crate::buffer::mw_buffer;
use crate::input::{mw_input, mw_track};
use crate::metadata::{mw_chapter, mw_picture, mw_stream_entry};
use crate::option::{mw_option, mw_tag};
use crate::sink::mw_sink;
use crate::status::{mw_error, mw_status};
use crate::stream::mw_stream_info;

#[cfg(doc)]
use crate::metadata::MW_ENTRY_DEFAULT;
#[cfg(doc)]
use crate::sink::MW_SINK_APPEND_ONLY;
#[cfg(doc)]
use crate::status::{MW_BAD_ARGUMENT, MW_END, MW_UNSUPPORTED};

/// Stands for a file's default stream in [`mw_decoder_options`]: the one that the file flags as default, or else the first.
/// A host uses it only if the table has the function `stream`; since version 1.2.
pub const MW_DEFAULT_STREAM: u32 = u32::MAX;

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
