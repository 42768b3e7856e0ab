//! What an encoder cannot do, and why.

#![forbid(unsafe_code)]

use std::fmt;

/// Why settings or frames are rejected.
///
/// ```
/// use mapwave_flac::{Encoder, EncoderSettings, Error};
///
/// let error = Encoder::new(&EncoderSettings::new(44_100, 9, 16)).unwrap_err();
/// assert_eq!(error, Error::NumChannels(9));
/// assert_eq!(error.to_string(), "FLAC has 1 to 8 channels, not 9");
/// ```
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The number of channels is not 1 to 8.
    NumChannels(u32),
    /// The sample rate is not 1 to 655350 Hz.
    SampleRate(u32),
    /// The depth is not 4 to 24 bits.
    BitsPerSample(u32),
    /// The compression level is not 0 to 8.
    Level(u32),
    /// The channel mask does not have one bit per channel among its lowest 32.
    ChannelMask {
        /// The mask.
        mask: u64,
        /// The number of channels.
        num_channels: u32,
    },
    /// A tag's name is empty or has characters that the format does not allow.
    TagName(String),
    /// The tags together take this many bytes, more than a metadata block holds.
    TagsTooLarge(usize),
    /// More frames than a file can count.
    TooManyFrames(u64),
    /// The encoder would allocate more than [`max_memory`](crate::EncoderSettings::max_memory).
    Memory {
        /// The bytes that it needs at least.
        needed: u64,
        /// The bytes that it may allocate.
        allowed: u64,
    },
    /// The slices do not make up whole frames of this many channels.
    PartialFrame(u32),
    /// Another number of frames was announced, and the file is not seekable.
    NumFrames {
        /// The number of frames in the header.
        announced: u64,
        /// The number of frames that came.
        pushed: u64,
    },
    /// An earlier call failed, so the file is incomplete.
    Failed,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use crate::encode::{MAX_BLOCK_BYTES, MAX_CHANNELS, MAX_FRAMES, MAX_LEVEL, MAX_SAMPLE_RATE};

        match self {
            Self::NumChannels(number) => write!(f, "FLAC has 1 to {MAX_CHANNELS} channels, not {number}"),
            Self::SampleRate(rate) => {
                write!(f, "FLAC has sample rates of 1 to {MAX_SAMPLE_RATE} Hz, not {rate}")
            }
            Self::BitsPerSample(bits) => write!(
                f,
                "FLAC files that every decoder can read have 4 to 24 bits per sample, not {bits}; use 24"
            ),
            Self::Level(level) => write!(f, "FLAC has compression levels 0 to {MAX_LEVEL}, not {level}"),
            Self::ChannelMask { mask, num_channels } => write!(
                f,
                "the channel mask {mask:#x} must have {num_channels} of its lowest 32 bits set and no others"
            ),
            Self::TagName(name) => write!(
                f,
                "invalid tag name {name:?}: FLAC allows one or more of the characters ' ' to '}}' except '='"
            ),
            Self::TagsTooLarge(num_bytes) => {
                write!(f, "the tags take {num_bytes} bytes, but FLAC has room for {MAX_BLOCK_BYTES}")
            }
            Self::TooManyFrames(number) => {
                write!(f, "a FLAC file holds at most {MAX_FRAMES} frames, not {number}")
            }
            Self::Memory { needed, allowed } => {
                write!(f, "encoding needs {needed} bytes of memory, but only {allowed} may be allocated")
            }
            Self::PartialFrame(num_channels) => {
                write!(f, "the samples are not whole frames of {num_channels} channels")
            }
            Self::NumFrames { announced, pushed } => write!(
                f,
                "{announced} frames were announced but {pushed} came, and the header is already written"
            ),
            Self::Failed => f.write_str("an earlier call failed, so the file cannot be completed"),
        }
    }
}

impl std::error::Error for Error {}

/// Why frames were not encoded: the encoder's own reason, or that of the closure that takes the bytes.
///
/// ```
/// use std::io;
///
/// use mapwave_flac::{EncodeError, Encoder, EncoderSettings, Frames};
///
/// let mut encoder = Encoder::new(&EncoderSettings::new(44_100, 1, 16))?;
/// let full = |_: &[u8]| Err(io::Error::other("the disk is full"));
/// let error = encoder.push(Frames::Interleaved(&[0_i16]), full).unwrap_err();
/// assert_eq!(error.to_string(), "the disk is full");
/// assert!(matches!(error, EncodeError::Write(_)));
/// # Ok::<(), mapwave_flac::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EncodeError<E> {
    /// The encoder rejects the frames.
    Encoder(Error),
    /// The closure failed.
    Write(E),
}

impl<E> From<Error> for EncodeError<E> {
    fn from(error: Error) -> Self {
        Self::Encoder(error)
    }
}

impl<E: fmt::Display> fmt::Display for EncodeError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encoder(error) => error.fmt(f),
            Self::Write(error) => error.fmt(f),
        }
    }
}

impl<E: std::error::Error + 'static> std::error::Error for EncodeError<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Encoder(_) => None,
            Self::Write(error) => error.source(),
        }
    }
}
