//! What a file has besides samples: its streams, pictures and chapters.

use core::ffi::c_char;

#[cfg(doc)]
use crate::status::MW_UNKNOWN;

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
