//! What a decoder cannot do, and why.

#![forbid(unsafe_code)]

use std::fmt;

/// Why a FLAC frame is rejected.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// The stream has more than 8 channels or none, or not 4 to 32 bits.
    Format {
        /// The samples in a frame.
        num_channels: u32,
        /// The depth.
        bits_per_sample: u32,
    },
    /// The bytes do not begin with a valid header.
    Header,
    /// The FLAC frame has other channels or another depth than the stream.
    OtherFormat {
        /// The samples in a frame.
        num_channels: u32,
        /// The depth.
        bits_per_sample: u32,
    },
    /// A subframe violates the format; the text says how.
    Subframe(&'static str),
    /// The bytes end before the FLAC frame does.
    Truncated,
    /// The CRC-16 at the end does not match.
    Checksum,
    /// The FLAC frame has fewer frames than are wanted of it.
    TooShort {
        /// The frames that it has.
        num_frames: usize,
        /// The frames that it should have at least.
        wanted: usize,
    },
    /// The caller's slice has no room for the frames.
    Room,
    /// Samples of this type do not hold all bits of the stream.
    SampleType {
        /// The bits that the type holds.
        held: u32,
        /// The depth of the stream.
        bits_per_sample: u32,
    },
    /// There is not enough memory for the blocks.
    Memory,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Format { num_channels, bits_per_sample } => write!(
                f,
                "FLAC has 1 to 8 channels and 4 to 32 bits per sample, not {num_channels} channels of \
                 {bits_per_sample} bits"
            ),
            Self::Header => f.write_str("no valid header of a FLAC frame here"),
            Self::OtherFormat { num_channels, bits_per_sample } => write!(
                f,
                "the FLAC frame has {num_channels} channels of {bits_per_sample} bits, unlike the stream"
            ),
            Self::Subframe(what) => write!(f, "a subframe of the FLAC frame is malformed: {what}"),
            Self::Truncated => f.write_str("the FLAC frame is truncated"),
            Self::Checksum => f.write_str("the checksum of the FLAC frame is wrong"),
            Self::TooShort { num_frames, wanted } => {
                write!(f, "a FLAC frame has {num_frames} frames of sound, expected {wanted}")
            }
            Self::Room => f.write_str("the slice has no room for the frames that are wanted"),
            Self::SampleType { held, bits_per_sample } => {
                write!(f, "samples of {bits_per_sample} bits do not fit into integers of {held}")
            }
            Self::Memory => f.write_str("there is not enough memory for the samples of a FLAC frame"),
        }
    }
}

impl std::error::Error for DecodeError {}

/// Which FLAC frame of a batch is rejected, and why. Those before it are intact.
pub type BatchError = mapwave_codec_base::BatchError<DecodeError>;
