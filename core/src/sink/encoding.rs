//! The encodings of the samples in a file, and their names.

#![forbid(unsafe_code)]

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use crate::pcm::{ByteOrder, SampleFormat};

/// The sample formats of uncompressed files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PcmEncoding {
    /// 8-bit integers, unsigned or signed depending on the container.
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
    /// Every encoding, in the order in which they are listed for users.
    pub const ALL: [Self; 8] =
        [Self::F32, Self::Pcm16, Self::Pcm24, Self::Pcm32, Self::F64, Self::Pcm8, Self::Alaw, Self::Mulaw];

    /// The encoding's name.
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

    /// The encoding for a name in lower case, without a prefix and a byte order.
    fn spelled(name: &str) -> Option<Self> {
        Some(match name {
            "u8" | "s8" | "pcm8" | "int8" | "uint8" => Self::Pcm8,
            "s16" | "i16" | "pcm16" | "int16" => Self::Pcm16,
            "s24" | "i24" | "pcm24" | "int24" => Self::Pcm24,
            "s32" | "i32" | "pcm32" | "int32" => Self::Pcm32,
            "f32" | "flt" | "float" | "float32" => Self::F32,
            "f64" | "dbl" | "double" | "float64" => Self::F64,
            "alaw" | "a-law" => Self::Alaw,
            "mulaw" | "mu-law" | "ulaw" | "u-law" => Self::Mulaw,
            _ => return None,
        })
    }

    /// The sample format for this encoding in a file with this byte order.
    pub(super) fn stored(self, order: ByteOrder, has_signed_bytes: bool) -> SampleFormat {
        match self {
            Self::Pcm8 if has_signed_bytes => SampleFormat::S8,
            Self::Pcm8 => SampleFormat::U8,
            Self::Pcm16 => SampleFormat::S16(order),
            Self::Pcm24 => SampleFormat::S24(order),
            Self::Pcm32 => SampleFormat::S32(order),
            Self::F32 => SampleFormat::F32(order),
            Self::F64 => SampleFormat::F64(order),
            Self::Alaw => SampleFormat::Alaw,
            Self::Mulaw => SampleFormat::Mulaw,
        }
    }

    /// The bits of an integer encoding; `None` for floats and companded samples.
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

/// How the samples of a file are encoded.
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
    /// Uncompressed, or with a lossless codec of that bit depth.
    Pcm(PcmEncoding),
    /// With a codec, given by its short name.
    Codec(String),
}

impl FromStr for Encoding {
    type Err = Infallible;

    /// Accepts the names of [`PcmEncoding`], the subtypes and codecs that `info` reports, the spellings of other audio libraries,
    /// such as `PCM_16` and `pcm_s16le`, NumPy's dtypes, and any codec's name, in upper or lower case. The byte order is the
    /// container's.
    fn from_str(name: &str) -> Result<Self, Infallible> {
        let name = name.to_ascii_lowercase();
        // "pcm_s16le" and "PCM_16" are a prefix, a sample format, and a byte order.
        let stem = name.strip_prefix("pcm_").unwrap_or(&name);
        let stem = stem.strip_suffix("le").or_else(|| stem.strip_suffix("be")).unwrap_or(stem);
        let pcm = PcmEncoding::spelled(&name.replace('_', "")).or_else(|| PcmEncoding::spelled(stem));
        Ok(pcm.map_or(Self::Codec(name), Self::Pcm))
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
    use crate::pcm::{OutputFormat, StoreKernel};

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

    #[test]
    fn every_sample_format_that_is_written_has_a_kernel() {
        let orders = [ByteOrder::Little, ByteOrder::Big];
        for (encoding, order) in
            PcmEncoding::ALL.iter().flat_map(|encoding| orders.map(|order| (encoding, order)))
        {
            for stored in [true, false].map(|has_signed_bytes| encoding.stored(order, has_signed_bytes)) {
                for from in OutputFormat::ALL {
                    assert!(StoreKernel::scalar(from, stored).is_some(), "{from} to {}", stored.name());
                }
            }
        }
    }

    #[test]
    fn the_spellings_of_other_programs_are_understood() {
        let pcm = |name: &str| match name.parse() {
            Ok(Encoding::Pcm(pcm)) => Some(pcm),
            _ => None,
        };
        for (names, expected) in [
            (&["PCM_U8", "PCM_S8", "uint8", "u8"][..], PcmEncoding::Pcm8),
            (&["PCM_16", "pcm_s16le", "pcm_s16be", "s16", "s16le", "int16"], PcmEncoding::Pcm16),
            (&["PCM_24", "pcm_s24le", "s24", "int24"], PcmEncoding::Pcm24),
            (&["PCM_32", "pcm_s32be", "s32", "int32"], PcmEncoding::Pcm32),
            (&["FLOAT", "pcm_f32le", "f32", "flt"], PcmEncoding::F32),
            (&["DOUBLE", "pcm_f64be", "f64", "dbl"], PcmEncoding::F64),
            (&["ALAW", "pcm_alaw"], PcmEncoding::Alaw),
            (&["ULAW", "pcm_mulaw"], PcmEncoding::Mulaw),
        ] {
            for name in names {
                assert_eq!(pcm(name), Some(expected), "{name}");
            }
        }
        // Neither a bit depth that does not exist, nor a codec whose name ends like a byte order.
        for name in ["pcm20", "pcm_s20le", "16", "le", "able", "pcm_", ""] {
            assert_eq!(pcm(name), None, "{name}");
        }
    }
}
