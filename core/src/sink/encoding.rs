//! How the samples of a file are to be coded, in the caller's words.

#![forbid(unsafe_code)]

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

/// The sample formats of uncompressed files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PcmEncoding {
    /// 8-bit integers, unsigned or signed as the container has them.
    Pcm8,
    /// 16-bit integers.
    Pcm16,
    /// 24-bit integers.
    Pcm24,
    /// 32-bit integers.
    Pcm32,
    /// Single precision.
    F32,
    /// Double precision.
    F64,
    /// G.711 A-law.
    Alaw,
    /// G.711 mu-law.
    Mulaw,
}

impl PcmEncoding {
    /// Every depth, in the order they are listed to users.
    pub const ALL: [Self; 8] =
        [Self::F32, Self::Pcm16, Self::Pcm24, Self::Pcm32, Self::F64, Self::Pcm8, Self::Alaw, Self::Mulaw];

    /// The name that `encoding=` takes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pcm8 => "u8",
            Self::Pcm16 => "pcm16",
            Self::Pcm24 => "pcm24",
            Self::Pcm32 => "pcm32",
            Self::F32 => "float32",
            Self::F64 => "float64",
            Self::Alaw => "alaw",
            Self::Mulaw => "mulaw",
        }
    }

    /// Bits in an integer of this depth; `None` for floats and companded samples.
    pub fn integer_bits(self) -> Option<u16> {
        match self {
            Self::Pcm8 => Some(8),
            Self::Pcm16 => Some(16),
            Self::Pcm24 => Some(24),
            Self::Pcm32 => Some(32),
            Self::F32 | Self::F64 | Self::Alaw | Self::Mulaw => None,
        }
    }
}

/// How the samples of a file are to be coded.
///
/// ```
/// use mapwave_core::sink::{PcmEncoding, Encoding};
///
/// let parse = |name: &str| name.parse::<Encoding>().unwrap();
/// assert_eq!(parse("pcm24"), Encoding::Pcm(PcmEncoding::Pcm24));
/// assert_eq!(parse("mu-law"), parse("mulaw"));
/// assert_eq!(parse("opus"), Encoding::Codec("opus".to_owned()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Uncompressed, or in a lossless codec of that depth.
    Pcm(PcmEncoding),
    /// By a codec, by its short name.
    Codec(String),
}

impl FromStr for Encoding {
    type Err = Infallible;

    /// Takes the names of [`PcmEncoding`], those that `info` gives as subtypes, and any codec's.
    fn from_str(name: &str) -> Result<Self, Infallible> {
        let depth = match name {
            "pcm8" | "pcm_u8" | "pcm_s8" | "s8" => Some(PcmEncoding::Pcm8),
            "a-law" | "pcm_alaw" => Some(PcmEncoding::Alaw),
            "ulaw" | "mu-law" | "u-law" | "pcm_mulaw" => Some(PcmEncoding::Mulaw),
            _ => PcmEncoding::ALL.into_iter().find(|depth| depth.name() == name),
        };
        Ok(depth.map_or_else(|| Self::Codec(name.to_owned()), Self::Pcm))
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pcm(depth) => depth.name(),
            Self::Codec(name) => name,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::pcm::{ByteOrder, SampleFormat};

    #[test]
    fn every_name_and_every_subtype_of_a_file_that_is_written_is_understood() {
        for depth in PcmEncoding::ALL {
            assert_eq!(depth.name().parse(), Ok(Encoding::Pcm(depth)));
        }
        let order = ByteOrder::Little;
        for format in [
            SampleFormat::U8,
            SampleFormat::S8,
            SampleFormat::S16(order),
            SampleFormat::S24(order),
            SampleFormat::S32(order),
            SampleFormat::F32(order),
            SampleFormat::F64(order),
            SampleFormat::Alaw,
            SampleFormat::Mulaw,
        ] {
            assert!(matches!(format.subtype().parse(), Ok(Encoding::Pcm(_))), "{}", format.subtype());
        }
        assert_eq!("mp3".parse::<Encoding>().unwrap().to_string(), "mp3");
    }
}
