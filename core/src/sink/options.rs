//! What a caller asks of a file to be written.

#![forbid(unsafe_code)]

use std::str::FromStr;

use super::dither::Dither;
use super::encoding::{Encoding, PcmEncoding};
use super::format::FileFormat;
use crate::error::{Error, Parameter, Result};

/// What becomes of samples beyond full scale, which is -1.0 to 1.0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overflow {
    /// They are held at full scale, in floats too. In integers and in what is compressed a NaN becomes 0.
    #[default]
    Clip,
    /// Floats keep them. Where they would not fit, in integers and in what is compressed, the audio is refused, and so is a
    /// NaN.
    Refuse,
    /// The whole audio is made softer until its peak is at full scale; one that is not beyond it stays as it is.
    Rescale,
}

impl FromStr for Overflow {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "clip" => Ok(Self::Clip),
            "refuse" => Ok(Self::Refuse),
            "rescale" => Ok(Self::Rescale),
            _ => Err(Error::argument(
                Parameter::Overflow,
                "'clip', 'refuse' or 'rescale'",
                format!("'{name}'"),
            )),
        }
    }
}

/// What a caller asks of a file to be written.
///
/// ```
/// use mapwave_core::sink::{PcmEncoding, Encoding, FileFormat, SaveOptions};
///
/// let options = SaveOptions {
///     encoding: Encoding::Pcm(PcmEncoding::Pcm16),
///     ..SaveOptions::new(FileFormat::Wav, 44_100, 2)
/// };
/// assert!(!options.is_durable);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SaveOptions {
    /// The kind of file.
    pub format: FileFormat,
    /// How its samples are coded. Single precision stands for the codec's usual way where there is none.
    pub encoding: Encoding,
    /// Frames a second, at least 1.
    pub sample_rate: u32,
    /// Samples in a frame, at least 1.
    pub num_channels: u16,
    /// Speaker positions as a WAVE channel mask; 0 for the usual ones.
    pub channel_mask: u32,
    /// What becomes of samples beyond full scale.
    pub overflow: Overflow,
    /// The noise that is added before samples are rounded.
    pub dither: Dither,
    /// Bits a second of a lossy codec; `None` leaves it to the codec.
    pub bitrate: Option<u32>,
    /// The quality of a variable bitrate, from 1 to 100; `None` leaves it to the codec.
    pub quality: Option<u8>,
    /// How hard a codec tries, from 1 to 100; `None` leaves it to the codec.
    pub effort: Option<u8>,
    /// The depth in bits of a lossless codec; `None` is 16 for 16-bit samples and 24 for all others.
    pub bits_per_sample: Option<u16>,
    /// Metadata: lower-case Vorbis comment names, such as `title`, and their values.
    pub tags: Vec<(String, String)>,
    /// The codec plugin that is to write the file; `None` for the first that can.
    pub plugin: Option<String>,
    /// How many threads may work, the caller's included. The bytes are the same for any number.
    pub max_threads: usize,
    /// Whether the file is to be on the disk, and not only in the system's memory, when it takes its place. `false` leaves that
    /// to the system; the file is complete for every program either way.
    pub is_durable: bool,
}

impl SaveOptions {
    /// Options for single precision, or a codec's usual way.
    pub fn new(format: FileFormat, sample_rate: u32, num_channels: u16) -> Self {
        Self {
            format,
            encoding: Encoding::Pcm(PcmEncoding::F32),
            sample_rate,
            num_channels,
            channel_mask: 0,
            overflow: Overflow::default(),
            dither: Dither::None,
            bitrate: None,
            quality: None,
            effort: None,
            bits_per_sample: None,
            tags: Vec::new(),
            plugin: None,
            max_threads: 1,
            is_durable: false,
        }
    }
}
