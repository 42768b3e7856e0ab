//! What the headers of uncompressed files say.

#![forbid(unsafe_code)]

use crate::pcm::SampleFormat;

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
