//! Decodes a track to frames: PCM here, everything else with a codec plugin.

#![forbid(unsafe_code)]

mod compressed;
mod control;
mod pcm;

pub(crate) use compressed::CompressedTrack;
pub use control::ReadControl;
pub(crate) use pcm::PcmTrack;

use std::mem::MaybeUninit;
use std::ops::Range;
use std::sync::Arc;

use crate::error::Result;
use crate::source::Source;
use crate::spec::FrameSpec;

/// A track that frames can be read from.
#[derive(Debug)]
pub(crate) enum FrameTrack {
    Pcm(PcmTrack),
    Compressed(Arc<CompressedTrack>),
}

impl FrameTrack {
    /// The number of frames.
    pub(crate) fn num_frames(&self) -> u64 {
        match self {
            Self::Pcm(track) => track.num_frames(),
            Self::Compressed(track) => track.num_frames(),
        }
    }

    /// How many threads may read at once.
    pub(crate) fn max_threads(&self) -> usize {
        match self {
            Self::Pcm(_) => usize::MAX,
            Self::Compressed(track) => track.max_threads(),
        }
    }

    /// The cost of starting at any frame, in frames.
    pub(crate) fn seek_cost_frames(&self) -> u64 {
        match self {
            Self::Pcm(_) => 0,
            Self::Compressed(track) => track.seek_cost_frames(),
        }
    }

    /// Whether the samples are 16-bit integers.
    pub(crate) fn is_16_bit(&self) -> bool {
        match self {
            Self::Pcm(track) => track.format().is_16_bit(),
            Self::Compressed(track) => track.is_16_bit(),
        }
    }

    /// Reads `frames`, which the track must have, into `out`. On success, all of `out` is initialised.
    pub(crate) fn read(
        &self,
        source: &Source,
        frames: Range<u64>,
        spec: &FrameSpec,
        out: &mut [MaybeUninit<u8>],
        control: &ReadControl<'_>,
    ) -> Result<()> {
        match self {
            Self::Pcm(track) => track.read(source, frames, spec, out, control),
            Self::Compressed(track) => track.read(source, frames, spec, out, control),
        }
    }
}
