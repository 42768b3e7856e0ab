//! The codecs: FFmpeg's names of their encoders, and what those support.

#![forbid(unsafe_code)]

use std::ffi::CStr;
use std::ops::RangeInclusive;

use mapwave_plugin::{Error, Result};

use super::context::has_encoder;
use crate::sample_formats::{LibavFormat, SampleType};

/// A codec that can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Codec {
    Aac,
    Alac,
    Flac,
    Mp3,
    Opus,
    Vorbis,
    WavPack,
}

/// A bit depth, and the format in which an encoder takes such samples; they are left-aligned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Depth {
    /// 0 for floats.
    pub(super) bits: u32,
    pub(super) format: LibavFormat,
}

const fn depth(bits: u32, sample: SampleType, is_planar: bool) -> Depth {
    Depth { bits, format: LibavFormat { sample, is_planar } }
}

/// The sample rates of a codec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Rates {
    These(&'static [u32]),
    All(RangeInclusive<u32>),
    /// The maximum of the 16-bit field in a FLAC frame header, in hertz or tens of hertz.
    Flac,
}

impl Codec {
    const ALL: [Self; 7] =
        [Self::Aac, Self::Alac, Self::Flac, Self::Mp3, Self::Opus, Self::Vorbis, Self::WavPack];

    /// The codec with FFmpeg's name.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|codec| codec.name() == name)
    }

    /// Its name in FFmpeg's terms.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Aac => "aac",
            Self::Alac => "alac",
            Self::Flac => "flac",
            Self::Mp3 => "mp3",
            Self::Opus => "opus",
            Self::Vorbis => "vorbis",
            Self::WavPack => "wavpack",
        }
    }

    /// The encoder. FFmpeg's own Opus and Vorbis encoders are experimental and no substitute for the libraries.
    pub(super) fn encoder(self) -> Result<&'static CStr> {
        let name = match self {
            Self::Aac => c"aac",
            Self::Alac => c"alac",
            Self::Flac => c"flac",
            Self::Mp3 => c"libmp3lame",
            Self::Opus => c"libopus",
            Self::Vorbis => c"libvorbis",
            Self::WavPack => c"wavpack",
        };
        if has_encoder(name) {
            return Ok(name);
        }
        let (codec, library) = (self.name(), name.to_string_lossy());
        let message = format!("this FFmpeg was built without {library}, which encodes {codec}");
        Err(Error::unsupported(message))
    }

    /// The supported bit depths, in rising order.
    pub(super) fn depths(self) -> &'static [Depth] {
        match self {
            Self::Aac | Self::Mp3 | Self::Vorbis => const { &[depth(0, SampleType::F32, true)] },
            Self::Opus => const { &[depth(0, SampleType::F32, false)] },
            Self::Flac => const { &[depth(16, SampleType::I16, false), depth(24, SampleType::I32, false)] },
            Self::Alac => const { &[depth(16, SampleType::I16, true), depth(24, SampleType::I32, true)] },
            Self::WavPack => {
                const {
                    &[
                        depth(16, SampleType::I16, true),
                        depth(24, SampleType::I32, true),
                        depth(32, SampleType::I32, true),
                    ]
                }
            }
        }
    }

    /// The depth with that many bits.
    ///
    /// # Errors
    /// When the codec does not support it.
    pub(super) fn depth(self, bits: u32) -> Result<Depth> {
        let depths = self.depths();
        if let Some(depth) = depths.iter().find(|depth| depth.bits == bits) {
            return Ok(*depth);
        }
        let name = self.name();
        if depths.iter().any(|depth| depth.bits == 0) {
            let message = format!("{bits} bits per sample; {name} has no bit depth: leave it out");
            return Err(Error::unsupported(message));
        }
        let known: Vec<String> = depths.iter().map(|depth| depth.bits.to_string()).collect();
        let message = format!("{bits} bits per sample; {name} supports {}", known.join(" or "));
        Err(Error::unsupported(message))
    }

    /// The supported sample rates.
    pub(super) fn rates(self) -> Rates {
        match self {
            Self::Aac => Rates::These(&[
                7350, 8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000, 88_200,
                96_000,
            ]),
            Self::Mp3 => {
                Rates::These(&[8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000])
            }
            Self::Opus => Rates::These(&[8000, 12_000, 16_000, 24_000, 48_000]),
            Self::Vorbis => Rates::All(8000..=200_000),
            Self::Alac => Rates::All(1..=384_000),
            Self::WavPack => Rates::All(1..=0xff_ffff),
            Self::Flac => Rates::Flac,
        }
    }

    /// Rejects a sample rate that the codec does not support.
    ///
    /// # Errors
    /// A list of the supported ones.
    pub(super) fn check_rate(self, sample_rate: u32) -> Result<()> {
        let (is_known, known) = match self.rates() {
            Rates::These(rates) => {
                let list: Vec<String> = rates.iter().map(ToString::to_string).collect();
                (rates.contains(&sample_rate), list.join(", "))
            }
            Rates::All(range) => {
                (range.contains(&sample_rate), format!("{} to {}", range.start(), range.end()))
            }
            Rates::Flac => {
                let is_known = match sample_rate {
                    0 => false,
                    1..=65_535 => true,
                    _ => sample_rate <= 655_350 && sample_rate.is_multiple_of(10),
                };
                (is_known, "1 to 65535, and multiples of 10 up to 655350".to_owned())
            }
        };
        if is_known {
            return Ok(());
        }
        let name = self.name();
        let message = format!("{sample_rate} Hz; {name} supports {known} Hz: resample first");
        Err(Error::unsupported(message))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_codecs() {
        for codec in Codec::ALL {
            assert_eq!(Codec::from_name(codec.name()), Some(codec));
        }
        assert_eq!(Codec::from_name("pcm_s16le"), None);
    }

    #[test]
    fn rates_are_refused_with_those_there_are() {
        let error = Codec::Opus.check_rate(44_100).unwrap_err();
        assert_eq!(
            error.message(),
            "44100 Hz; opus supports 8000, 12000, 16000, 24000, 48000 Hz: resample first"
        );
        let flac = |rate| Codec::Flac.check_rate(rate).is_ok();
        assert!(flac(1) && flac(65_535) && flac(655_350) && flac(96_000));
        assert!(!flac(0) && !flac(65_537) && !flac(655_360));
    }

    #[test]
    fn depths_are_refused_with_those_there_are() {
        assert!(Codec::Flac.depth(20).unwrap_err().message().contains("16 or 24"));
        assert!(Codec::Mp3.depth(16).unwrap_err().message().contains("leave it out"));
        assert_eq!(Codec::Alac.depth(24).unwrap().format.sample, SampleType::I32);
    }
}
