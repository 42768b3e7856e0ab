//! What a decoder cannot do, and why.

#![forbid(unsafe_code)]

use std::fmt;

/// Why a stream or a packet is rejected.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// A header violates the specification; the text says how.
    Header(&'static str),
    /// A header ends early.
    TruncatedHeader,
    /// The stream is of another version of Vorbis.
    Version(u32),
    /// The tables of the stream take more memory than the caller allows.
    Limit {
        /// The bytes that they take, as far as they are known.
        needed: u64,
        /// The bytes that are allowed.
        allowed: u64,
    },
    /// The packet is not an audio packet of the stream; the text says why.
    Packet(&'static str),
    /// The packet has fewer frames than are wanted of it.
    TooShort {
        /// The frames that it has.
        num_frames: usize,
        /// The frames that it should have at least.
        wanted: usize,
    },
    /// The caller's slice has no room for the frames, or there is no such channel.
    Room,
    /// There is not enough memory.
    Memory,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(what) => write!(f, "the Vorbis stream's {what}"),
            Self::TruncatedHeader => f.write_str("a header of the Vorbis stream is truncated"),
            Self::Version(version) => write!(f, "version {version} of Vorbis, expected version 0"),
            Self::Limit { needed, allowed } => {
                write!(f, "the Vorbis codebooks need {needed} bytes, but only {allowed} may be allocated")
            }
            Self::Packet(what) => write!(f, "malformed: {what}"),
            Self::TooShort { num_frames, wanted } => {
                write!(f, "it has {num_frames} frames, expected {wanted}")
            }
            Self::Room => f.write_str("the slice has no room for the frames that are wanted"),
            Self::Memory => f.write_str("there is not enough memory for the tables or the samples"),
        }
    }
}

impl std::error::Error for DecodeError {}

/// Which packet of a batch is rejected, and why. Those before it are intact.
pub type BatchError = mapwave_codec_base::BatchError<DecodeError>;
