//! What a decoder and an encoder cannot do, and why.

#![forbid(unsafe_code)]

use std::fmt;

/// Why a stream or a packet is rejected.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// The setup is not valid; the text says why.
    Config(&'static str),
    /// The packet violates the format; the text says how.
    Packet(&'static str),
    /// The packet has what no decoder supports; the text says what.
    Unsupported(&'static str),
    /// The bytes end before the packet does.
    Truncated,
    /// The packet has fewer frames than are wanted of it.
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
    /// There is not enough memory for the samples of a packet.
    Memory,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(what) => write!(f, "the setup of the ALAC stream {what}"),
            Self::Packet(what) => write!(f, "malformed: {what}"),
            Self::Unsupported(what) => write!(f, "not supported: {what}"),
            Self::Truncated => f.write_str("it is truncated"),
            Self::TooShort { num_frames, wanted } => {
                write!(f, "it has {num_frames} frames, expected {wanted}")
            }
            Self::Room => f.write_str("the slice has no room for the frames that are wanted"),
            Self::SampleType { held, bits_per_sample } => {
                write!(f, "samples of {bits_per_sample} bits do not fit into integers of {held}")
            }
            Self::Memory => f.write_str("there is not enough memory for the samples of a packet"),
        }
    }
}

impl std::error::Error for DecodeError {}

/// Which packet of a batch is rejected, and why. Those before it are intact.
pub type BatchError = mapwave_codec_base::BatchError<DecodeError>;

/// Why frames cannot be encoded.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncodeError {
    /// Not as many slices as the stream has channels.
    Channels {
        /// The slices.
        found: usize,
        /// The channels.
        expected: u32,
    },
    /// The slices of the channels are not alike in length.
    Lengths,
    /// More frames than a packet has.
    TooMany {
        /// The frames.
        found: usize,
        /// The most frames of a packet.
        most: u32,
    },
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Channels { found, expected } => {
                write!(f, "samples of {found} channels, expected {expected}")
            }
            Self::Lengths => f.write_str("the channels differ in length"),
            Self::TooMany { found, most } => {
                write!(f, "{found} frames for a packet, expected at most {most}")
            }
        }
    }
}

impl std::error::Error for EncodeError {}
