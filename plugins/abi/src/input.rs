//! The bytes of a file, and a stream that the host has found in them.

use core::ffi::{c_char, c_void};

#[cfg(doc)]
use crate::status::MW_UNKNOWN;

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
