//! The options for writing a file.

#![forbid(unsafe_code)]

use std::str::FromStr;

use super::dither::Dither;
use super::encoding::{Encoding, PcmEncoding};
use super::format::FileFormat;
use crate::error::{Error, Parameter, Result};
use crate::metadata::{Bext, Marker, OnUnknown, Picture};

/// How samples beyond full scale, which is -1.0 to 1.0, are handled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overflow {
    /// They are clipped to full scale, also in float formats. In integer and compressed formats, a NaN becomes 0.
    #[default]
    Clip,
    /// Float formats keep them. In integer and compressed formats, which cannot hold them, the audio is rejected, as it is for a
    /// NaN.
    Refuse,
    /// The whole audio is attenuated until its peak is at full scale. Audio within full scale stays unchanged.
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

/// The options for writing a file.
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
    /// The file format.
    pub format: FileFormat,
    /// How the samples are encoded. For a codec without a choice of encodings, single precision means the codec's default.
    pub encoding: Encoding,
    /// Frames per second, at least 1.
    pub sample_rate: u32,
    /// Samples per frame, at least 1.
    pub num_channels: u16,
    /// Speaker positions as a WAVE channel mask; 0 for the default positions.
    pub channel_mask: u32,
    /// The factor that all samples are multiplied by, greater than 0, before any other change.
    pub gain: f64,
    /// How samples beyond full scale are handled.
    pub overflow: Overflow,
    /// The noise added before samples are rounded.
    pub dither: Dither,
    /// The bit rate of a lossy codec, in bits per second; `None` for the codec's default.
    pub bitrate: Option<u32>,
    /// The quality of a variable bit rate, from 1 to 100; `None` for the codec's default.
    pub quality: Option<u8>,
    /// How hard a codec tries, from 1 to 100; `None` for the codec's default.
    pub effort: Option<u8>,
    /// The bit depth of a lossless codec; `None` means 16 for 16-bit samples and 24 for all others.
    pub bits_per_sample: Option<u16>,
    /// Metadata: lower-case Vorbis comment names, such as `title`, and their values.
    pub tags: Vec<(String, String)>,
    /// Pictures such as a cover, with their data.
    pub pictures: Vec<Picture>,
    /// Markers, in frames.
    pub markers: Vec<Marker>,
    /// The broadcast extension of a WAV file.
    pub bext: Option<Bext>,
    /// What to do with tags, pictures, markers and a broadcast extension that the format cannot hold.
    pub on_unknown: OnUnknown,
    /// The codec plugin to write the file with; `None` for the first that can.
    pub plugin: Option<String>,
    /// Options of that plugin's own and their values.
    pub plugin_options: Vec<(String, String)>,
    /// The maximum number of threads, including the caller's. The bytes are the same for any number.
    pub max_threads: usize,
    /// Whether the file is flushed to the disk before it replaces the old one. If not, the system decides when to write it; every
    /// program sees a complete file either way.
    pub is_durable: bool,
}

impl SaveOptions {
    /// Options for single precision, or a codec's default encoding.
    pub fn new(format: FileFormat, sample_rate: u32, num_channels: u16) -> Self {
        Self {
            format,
            encoding: Encoding::Pcm(PcmEncoding::F32),
            sample_rate,
            num_channels,
            channel_mask: 0,
            gain: 1.0,
            overflow: Overflow::default(),
            dither: Dither::None,
            bitrate: None,
            quality: None,
            effort: None,
            bits_per_sample: None,
            tags: Vec::new(),
            pictures: Vec::new(),
            markers: Vec::new(),
            bext: None,
            on_unknown: OnUnknown::Error,
            plugin: None,
            plugin_options: Vec::new(),
            max_threads: 1,
            is_durable: false,
        }
    }
}
