//! What a decoder cannot do, and why.

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
    /// The stream or the packet has what this decoder does not support; the text says what.
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
    /// The packet has noise, and the state of its generator is [not known](crate::Decoder::set_noise).
    NoNoise,
    /// The caller's slice has no room for the frames, or there is no such channel.
    Room,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(what) => write!(f, "the setup of the AAC stream {what}"),
            Self::Packet(what) => write!(f, "malformed: {what}"),
            Self::Unsupported(what) => write!(f, "not supported: {what}"),
            Self::Truncated => f.write_str("it is truncated"),
            Self::TooShort { num_frames, wanted } => {
                write!(f, "it has {num_frames} frames, expected {wanted}")
            }
            Self::NoNoise => f.write_str("it has noise, whose generator is in no known state"),
            Self::Room => f.write_str("the slice has no room for the frames that are wanted"),
        }
    }
}

impl std::error::Error for DecodeError {}

/// Which packet of a batch is rejected, and why. Those before it are intact.
pub type BatchError = mapwave_codec_base::BatchError<DecodeError>;
