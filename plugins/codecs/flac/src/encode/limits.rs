//! What the format can hold (RFC 9639).

#![forbid(unsafe_code)]

/// The most channels (section 9.1.3).
pub(crate) const MAX_CHANNELS: u32 = 8;

/// The highest rate that the header of a FLAC frame can hold (section 9.1.2), in Hz.
pub(crate) const MAX_SAMPLE_RATE: u32 = 655_350;

/// The largest payload of a metadata block, whose size has 24 bits (section 8.1).
pub(crate) const MAX_BLOCK_BYTES: usize = (1 << 24) - 1;

/// The most frames of a file: their number has 36 bits in STREAMINFO (section 8.2).
pub const MAX_FRAMES: u64 = (1 << 36) - 1;

/// The highest compression level.
pub const MAX_LEVEL: u32 = 8;
