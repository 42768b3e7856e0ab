//! Bitrate, quality and effort in the terms of the framework's encoder of AAC.
//!
//! | option | setting |
//! |---|---|
//! | `bitrate` | the encoder's bitrate, which must be a supported one |
//! | neither | 128k in mono, 112k per channel in stereo and 160k per channel above, or the next lower supported one |
//! | `quality` 1 to 100 | a variable bitrate of quality 1 to 127 |
//! | `effort` 1 to 100 | the codec's quality, 0 to 127 |

#![allow(unsafe_code)] // the framework's functions

use std::ptr;

use mapwave_plugin::{EncoderOptions, Error, Result};

use super::codec::Codec;
use crate::audio_file::Client;
use crate::ext_file::ExtFile;
use crate::property::{self, Plain};
use crate::status::check;
use crate::sys::*;

/// The rate control of a codec.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Steering {
    bitrate: Option<Bitrate>,
    vbr_quality: Option<u32>,
    codec_quality: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bitrate {
    Wanted(u32),
    /// This or the next lower.
    Usual(u32),
}

impl Steering {
    /// Converts the host's options.
    ///
    /// # Errors
    /// When a bitrate is given for a codec without one, or bitrate and quality both.
    pub(super) fn new(codec: Codec, options: &EncoderOptions<'_>) -> Result<Self> {
        if codec != Codec::Aac {
            if options.bitrate.is_some() || options.quality.is_some() {
                let message = format!("{} has a fixed bitrate: leave out bitrate and quality", codec.name());
                return Err(Error::unsupported(message));
            }
            return Ok(Self::default());
        }
        let a_channel = match options.num_channels {
            1 => 128_000,
            2 => 112_000,
            _ => 160_000,
        };
        let bitrate = match (options.bitrate, options.quality) {
            (Some(bitrate), Some(quality)) => {
                let message =
                    format!("a bitrate of {bitrate} and a quality of {quality}: choose one of them");
                return Err(Error::unsupported(message));
            }
            (Some(bitrate), None) => Some(Bitrate::Wanted(bitrate)),
            (None, Some(_)) => None,
            (None, None) => Some(Bitrate::Usual(a_channel * options.num_channels)),
        };
        Ok(Self {
            bitrate,
            vbr_quality: options.quality.map(|quality| (quality.clamp(1, 100) * 127 / 100).max(1)),
            codec_quality: options
                .effort
                .map(|effort| (effort.clamp(1, 100) - 1) * kAudioConverterQuality_Max / 99),
        })
    }

    /// Applies the rate control to the codec of a file.
    ///
    /// # Errors
    /// When it does not support the bitrate, with a list of the supported ones.
    pub(super) fn apply<C: Client>(self, ext: &mut ExtFile<C>) -> Result<()> {
        if self == Self::default() {
            return Ok(());
        }
        let converter = ext.converter()?;
        if let Some(quality) = self.codec_quality {
            set(converter, kAudioConverterCodecQuality, quality, "setting the effort")?;
        }
        if let Some(quality) = self.vbr_quality {
            let mode = kAudioCodecBitRateControlMode_Variable;
            set(converter, kAudioCodecPropertyBitRateControlMode, mode, "choosing a variable bitrate")?;
            set(converter, kAudioCodecPropertySoundQualityForVBR, quality, "setting the quality")?;
        }
        if let Some(bitrate) = self.bitrate {
            // SAFETY: the converter lives as long as the wrapper, and the size is a number.
            let size = |size| unsafe {
                let property = kAudioConverterApplicableEncodeBitRates;
                AudioConverterGetPropertyInfo(converter, property, size, ptr::null_mut())
            };
            // SAFETY: as above; the size and the place are those of the values.
            let get = |size, place| unsafe {
                let property = kAudioConverterApplicableEncodeBitRates;
                AudioConverterGetProperty(converter, property, size, place)
            };
            // SAFETY: the functions write no more than the size passed to them.
            let ranges = unsafe { property::list("reading the bitrates", size, get) }?;
            if let Some(bitrate) = choose(bitrate, &ranges)? {
                set(converter, kAudioConverterEncodeBitRate, bitrate, "setting the bitrate")?;
            }
        }
        ext.take_over_settings()
    }
}

fn set(converter: Opaque, property: u32, value: u32, doing: &str) -> Result<()> {
    let place = ptr::from_ref(&value).cast();
    // SAFETY: the converter lives as long as its wrapper, and the value is there, of the size it says.
    check(unsafe { AudioConverterSetProperty(converter, property, u32::NUM_BYTES, place) }, doing)
}

/// The bitrate to set, out of those a codec supports; `None` leaves it to the codec.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // bitrates are small and positive
fn choose(bitrate: Bitrate, ranges: &[AudioValueRange]) -> Result<Option<u32>> {
    match bitrate {
        Bitrate::Wanted(wanted) => {
            let has = |range: &AudioValueRange| (range.mMinimum..=range.mMaximum).contains(&wanted.into());
            if ranges.is_empty() || ranges.iter().any(has) {
                return Ok(Some(wanted));
            }
            let name = |range: &AudioValueRange| match range.mMinimum == range.mMaximum {
                true => range.mMinimum.to_string(),
                false => format!("{} to {}", range.mMinimum, range.mMaximum),
            };
            let list: Vec<String> = ranges.iter().map(name).collect();
            let message =
                format!("{wanted} bits per second; aac at this sample rate supports {}", list.join(", "));
            Err(Error::unsupported(message))
        }
        Bitrate::Usual(usual) => {
            let below = ranges.iter().filter(|range| range.mMinimum <= usual.into());
            let below = below.map(|range| range.mMaximum.min(usual.into()) as u32);
            Ok(below.max().filter(|bitrate| *bitrate > 0))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn bitrates_are_those_that_the_codec_has() {
        let range = |least, most| AudioValueRange { mMinimum: least, mMaximum: most };
        let ranges = [range(32e3, 32e3), range(64e3, 96e3)];
        assert_eq!(choose(Bitrate::Wanted(80_000), &ranges).unwrap(), Some(80_000));
        assert_eq!(choose(Bitrate::Wanted(80_000), &[]).unwrap(), Some(80_000), "the codec will say");
        let message = choose(Bitrate::Wanted(50_000), &ranges).unwrap_err().message().to_owned();
        assert_eq!(message, "50000 bits per second; aac at this sample rate supports 32000, 64000 to 96000");
        let usual = |bitrate| choose(Bitrate::Usual(bitrate), &ranges).unwrap();
        assert_eq!(
            [20_000, 50_000, 70_000, 224_000].map(usual),
            [None, Some(32_000), Some(70_000), Some(96_000)]
        );
    }

    #[test]
    fn one_wish_alone_steers() {
        let options = EncoderOptions { quality: Some(100), effort: Some(1), ..EncoderOptions::new(8000, 1) };
        let steering = Steering::new(Codec::Aac, &options).unwrap();
        assert_eq!(
            (steering.bitrate, steering.vbr_quality, steering.codec_quality),
            (None, Some(127), Some(0))
        );
        assert!(Steering::new(Codec::Alac, &options).is_err());
        let both = EncoderOptions { bitrate: Some(64_000), ..options };
        assert!(Steering::new(Codec::Aac, &both).unwrap_err().message().contains("one of them"));
    }
}
