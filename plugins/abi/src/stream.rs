//! The properties of a stream.

use core::ffi::c_char;

#[cfg(doc)]
use crate::status::MW_UNKNOWN;

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
