//! What the headers of a link say of its codec.

#![forbid(unsafe_code)]

use crate::codec::flac::StreamInfoBlock;
use crate::codec::vorbis::{VorbisSetup, frames_between};

/// What the headers of a link say.
#[derive(Debug)]
pub(crate) enum Setup {
    Vorbis(VorbisSetup),
    Flac(StreamInfoBlock),
}

impl Setup {
    pub(super) fn sample_rate(&self) -> u32 {
        match self {
            Self::Vorbis(setup) => setup.sample_rate,
            Self::Flac(info) => info.sample_rate,
        }
    }

    pub(super) fn num_channels(&self) -> u32 {
        match self {
            Self::Vorbis(setup) => setup.num_channels,
            Self::Flac(info) => info.num_channels,
        }
    }

    /// The depth in bits; 0 when there is none.
    pub(super) fn bits_per_sample(&self) -> u32 {
        match self {
            Self::Vorbis(_) => 0,
            Self::Flac(info) => info.bits_per_sample,
        }
    }

    /// The frames that come of a packet after one that left `previous`, and what it leaves; `None` when it is none of the
    /// stream's.
    pub(crate) fn measure(&self, packet: &[u8], previous: u8) -> Option<(u64, u8)> {
        match self {
            Self::Vorbis(setup) => {
                let exponent = setup.exponent(packet)?;
                let num_frames = if previous == 0 { 0 } else { frames_between(previous, exponent) };
                Some((num_frames, exponent))
            }
            Self::Flac(info) => info.frames_of(packet).map(|num_frames| (num_frames.into(), 1)),
        }
    }
}
