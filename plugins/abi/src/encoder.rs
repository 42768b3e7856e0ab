//! Encoders.

use core::ffi::c_char;

use crate::buffer::mw_buffer;
use crate::option::{mw_option, mw_tag};
use crate::sink::mw_sink;
use crate::status::{mw_error, mw_status};

#[cfg(doc)]
use crate::decoder::{mw_decoder_options, mw_decoder_table};
#[cfg(doc)]
use crate::status::MW_UNKNOWN;
#[cfg(doc)]
use crate::stream::mw_stream_info;

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
