//! What the headers of uncompressed files say.

#![forbid(unsafe_code)]

use super::tags::TagKeys;
use crate::error::Result;
use crate::pcm::{ByteOrder, SampleFormat};

/// What there is to know of an uncompressed format to write it. Each is a constant beside the function that makes its header.
pub(super) struct PcmFacts {
    /// The order of the bytes in a sample.
    pub(super) byte_order: ByteOrder,
    /// Whether 8-bit integers are signed.
    pub(super) has_signed_bytes: bool,
    /// Whether the header has a place for speaker positions.
    pub(super) has_channel_mask: bool,
    /// Whether samples of an odd number of bytes are followed by a zero.
    pub(super) pads_samples: bool,
    /// The tags that the header has a place for.
    pub(super) tag_keys: TagKeys,
    /// The bytes before the samples, as many whether the number of frames is known or not.
    pub(super) header: fn(&Header<'_>, Option<u64>) -> Result<Vec<u8>>,
    /// The bytes with which a header is replaced that was written without a number of frames.
    pub(super) completed: fn(&Header<'_>, u64) -> Result<Vec<u8>>,
}

/// What a header says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header<'a> {
    pub(super) samples: SampleFormat,
    pub(super) sample_rate: u32,
    pub(super) num_channels: u16,
    pub(super) channel_mask: u32,
    pub(super) tags: &'a [(String, String)],
}

impl Header<'_> {
    /// The size of a frame.
    pub(super) fn frame_bytes(&self) -> u64 {
        u64::from(self.num_channels) * self.samples.num_bytes() as u64
    }
}
