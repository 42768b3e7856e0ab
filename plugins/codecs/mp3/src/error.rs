//! What a decoder cannot do, and why.

#![forbid(unsafe_code)]

use std::fmt;

/// Why a packet is rejected.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// The packet does not begin with a header of layer III.
    Header,
    /// The packet violates the format; the text says how.
    Packet(&'static str),
    /// The bytes end before the main data of the packet does.
    Truncated,
    /// The main data begins in packets that have not been decoded.
    Reservoir {
        /// The bytes of main data that are known from the packets before.
        known: usize,
        /// The bytes that the packet refers to.
        wanted: usize,
    },
    /// The packet has fewer frames than are wanted of it.
    TooShort {
        /// The frames that it has.
        num_frames: usize,
        /// The frames that it should have at least.
        wanted: usize,
    },
    /// The packet is larger than any of the format.
    TooLarge {
        /// The bytes that it has.
        num_bytes: usize,
        /// The most bytes that are accepted.
        max: usize,
    },
    /// The caller's slice has no room for the frames.
    Room,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header => f.write_str("it does not begin with a header of MPEG audio layer III"),
            Self::Packet(what) => write!(f, "malformed: {what}"),
            Self::Truncated => f.write_str("it is truncated"),
            Self::Reservoir { known, wanted } => {
                write!(f, "its main data begins {wanted} bytes before it, of which {known} are known")
            }
            Self::TooShort { num_frames, wanted } => {
                write!(f, "it has {num_frames} frames, expected {wanted}")
            }
            Self::TooLarge { num_bytes, max } => {
                write!(f, "it has {num_bytes} bytes, at most {max} expected")
            }
            Self::Room => f.write_str("the slice has no room for the frames that are wanted"),
        }
    }
}

impl std::error::Error for DecodeError {}

/// Which packet of a batch is rejected, and why. Those before it are intact.
pub type BatchError = mapwave_codec_base::BatchError<DecodeError>;
