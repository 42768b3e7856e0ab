//! The contents of the headers of uncompressed files.

#![forbid(unsafe_code)]

use super::tags::TagKeys;
use crate::error::Result;
use crate::pcm::{ByteOrder, SampleFormat};

/// The facts needed to write an uncompressed format. Each format has a constant, next to the function that makes its header.
pub(super) struct PcmFacts {
    /// The order of the bytes in a sample.
    pub(super) byte_order: ByteOrder,
    /// Whether 8-bit integers are signed.
    pub(super) has_signed_bytes: bool,
    /// Whether the header can store speaker positions.
    pub(super) has_channel_mask: bool,
    /// Whether an odd number of sample bytes is followed by a zero byte.
    pub(super) pads_samples: bool,
    /// The tags that the header can store.
    pub(super) tag_keys: TagKeys,
    /// Makes the bytes before the samples; their number does not depend on whether the number of frames is known.
    pub(super) header: fn(&Header<'_>, Option<u64>) -> Result<Vec<u8>>,
    /// Makes the bytes that replace a header written without a number of frames.
    pub(super) completed: fn(&Header<'_>, u64) -> Result<Vec<u8>>,
}

/// The contents of a header.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header<'a> {
    pub(super) samples: SampleFormat,
    pub(super) sample_rate: u32,
    pub(super) num_channels: u16,
    pub(super) channel_mask: u32,
    pub(super) tags: &'a [(String, String)],
    /// Chunks with more metadata, an even number of bytes.
    pub(super) more: &'a [u8],
}

impl Header<'_> {
    /// The size of a frame.
    pub(super) fn frame_bytes(&self) -> u64 {
        u64::from(self.num_channels) * self.samples.num_bytes() as u64
    }
}
