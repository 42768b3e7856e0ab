//! The sample formats of files, and those that callers can request.

#![forbid(unsafe_code)]

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Parameter};

/// The order of the bytes in a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ByteOrder {
    /// Least significant byte first.
    Little,
    /// Most significant byte first.
    Big,
}

impl ByteOrder {
    /// The byte order of this machine.
    pub const NATIVE: Self = if cfg!(target_endian = "big") { Self::Big } else { Self::Little };
}

/// What the bits of a sample mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SampleKind {
    /// Integers.
    Integer,
    /// IEEE 754 floating point, full scale at 1.0.
    Float,
    /// G.711 A-law: 8 bits that represent a 13-bit integer.
    Alaw,
    /// G.711 mu-law: 8 bits that represent a 14-bit integer.
    Mulaw,
}

/// How a PCM sample is stored in a file.
///
/// Every fact about a format is a method with an exhaustive match, so that the compiler asks for each fact of a new format.
///
/// ```
/// use mapwave_core::pcm::{ByteOrder, OutputFormat, SampleFormat};
///
/// let format = SampleFormat::S24(ByteOrder::Little);
/// assert_eq!((format.num_bytes(), format.name(), format.native()), (3, "pcm_s24le", None));
/// assert_eq!(SampleFormat::F32(ByteOrder::NATIVE).native(), Some(OutputFormat::F32));
/// ```
///
/// Integers occupy the most significant bits: a 12-bit sample in two bytes is an `S16` whose low four bits are unused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SampleFormat {
    /// Unsigned 8-bit, silence at 128.
    U8,
    /// Signed 8-bit.
    S8,
    /// Signed 16-bit.
    S16(ByteOrder),
    /// Signed 24-bit in three bytes.
    S24(ByteOrder),
    /// Signed 32-bit.
    S32(ByteOrder),
    /// Signed 64-bit.
    S64(ByteOrder),
    /// IEEE 754 single precision, full scale at 1.0.
    F32(ByteOrder),
    /// IEEE 754 double precision, full scale at 1.0.
    F64(ByteOrder),
    /// G.711 A-law.
    Alaw,
    /// G.711 mu-law.
    Mulaw,
}

impl SampleFormat {
    /// The size of a sample in bytes.
    pub fn num_bytes(self) -> usize {
        usize::from(self.bits() / 8)
    }

    /// The size of a sample in bits.
    pub fn bits(self) -> u16 {
        match self {
            Self::U8 | Self::S8 | Self::Alaw | Self::Mulaw => 8,
            Self::S16(_) => 16,
            Self::S24(_) => 24,
            Self::S32(_) | Self::F32(_) => 32,
            Self::S64(_) | Self::F64(_) => 64,
        }
    }

    /// What the bits mean.
    pub fn kind(self) -> SampleKind {
        match self {
            Self::U8 | Self::S8 | Self::S16(_) | Self::S24(_) | Self::S32(_) | Self::S64(_) => {
                SampleKind::Integer
            }
            Self::F32(_) | Self::F64(_) => SampleKind::Float,
            Self::Alaw => SampleKind::Alaw,
            Self::Mulaw => SampleKind::Mulaw,
        }
    }

    /// Whether samples are integers.
    pub fn is_integer(self) -> bool {
        self.kind() == SampleKind::Integer
    }

    /// Whether samples are floating point, which can exceed full scale.
    pub fn is_float(self) -> bool {
        self.kind() == SampleKind::Float
    }

    /// Whether samples are companded, which discards the low bits of loud samples.
    pub fn is_companded(self) -> bool {
        match self.kind() {
            SampleKind::Alaw | SampleKind::Mulaw => true,
            SampleKind::Integer | SampleKind::Float => false,
        }
    }

    /// Whether samples are signed 16-bit integers, in either byte order.
    pub fn is_16_bit(self) -> bool {
        self.is_integer() && self.bits() == 16
    }

    /// Whether single precision, whose significand has 24 bits, holds every sample exactly.
    pub fn fits_f32(self) -> bool {
        match self {
            Self::U8 | Self::S8 | Self::S16(_) | Self::S24(_) => true,
            Self::F32(_) | Self::Alaw | Self::Mulaw => true,
            Self::S32(_) | Self::S64(_) | Self::F64(_) => false,
        }
    }

    /// The codec's short name.
    pub fn name(self) -> &'static str {
        use ByteOrder::{Big, Little};
        match self {
            Self::U8 => "pcm_u8",
            Self::S8 => "pcm_s8",
            Self::S16(Little) => "pcm_s16le",
            Self::S16(Big) => "pcm_s16be",
            Self::S24(Little) => "pcm_s24le",
            Self::S24(Big) => "pcm_s24be",
            Self::S32(Little) => "pcm_s32le",
            Self::S32(Big) => "pcm_s32be",
            Self::S64(Little) => "pcm_s64le",
            Self::S64(Big) => "pcm_s64be",
            Self::F32(Little) => "pcm_f32le",
            Self::F32(Big) => "pcm_f32be",
            Self::F64(Little) => "pcm_f64le",
            Self::F64(Big) => "pcm_f64be",
            Self::Alaw => "pcm_alaw",
            Self::Mulaw => "pcm_mulaw",
        }
    }

    /// The encoding's name without its byte order, as in `info(...).subtype`.
    pub fn subtype(self) -> &'static str {
        match self {
            Self::U8 => "pcm_u8",
            Self::S8 => "pcm_s8",
            Self::S16(_) => "pcm16",
            Self::S24(_) => "pcm24",
            Self::S32(_) => "pcm32",
            Self::S64(_) => "pcm64",
            Self::F32(_) => "float32",
            Self::F64(_) => "float64",
            Self::Alaw => "alaw",
            Self::Mulaw => "mulaw",
        }
    }

    /// The output format with the same bits as these samples, if there is one and the byte order is this machine's.
    pub fn native(self) -> Option<OutputFormat> {
        let (order, format) = match self {
            Self::S16(order) => (order, OutputFormat::I16),
            Self::S32(order) => (order, OutputFormat::I32),
            Self::F32(order) => (order, OutputFormat::F32),
            Self::F64(order) => (order, OutputFormat::F64),
            Self::U8 | Self::S8 | Self::S24(_) | Self::S64(_) | Self::Alaw | Self::Mulaw => return None,
        };
        (order == ByteOrder::NATIVE).then_some(format)
    }
}

/// The sample format that a caller requests, in this machine's byte order.
///
/// ```
/// use mapwave_core::OutputFormat;
///
/// assert_eq!("bfloat16".parse::<OutputFormat>()?, OutputFormat::Bf16);
/// assert_eq!(OutputFormat::Bf16.num_bytes(), 2);
/// # Ok::<(), mapwave_core::Error>(())
/// ```
///
/// A conversion from integers to floating point divides by 2^(bits-1). A conversion from floating point to integers multiplies by
/// 2^(bits-1), rounds half to even, saturates, and turns a NaN into 0. Every conversion rounds at most once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OutputFormat {
    /// IEEE 754 single precision.
    F32,
    /// IEEE 754 half precision.
    F16,
    /// bfloat16: the upper half of a single-precision number.
    Bf16,
    /// IEEE 754 double precision.
    F64,
    /// Signed 16-bit.
    I16,
    /// Signed 32-bit.
    I32,
}

impl OutputFormat {
    /// Every format, in the order in which they are listed for users.
    pub const ALL: [Self; 6] = [Self::F32, Self::F16, Self::Bf16, Self::F64, Self::I16, Self::I32];

    /// The size of a sample in bytes.
    pub fn num_bytes(self) -> usize {
        match self {
            Self::F16 | Self::Bf16 | Self::I16 => 2,
            Self::F32 | Self::I32 => 4,
            Self::F64 => 8,
        }
    }

    /// The bits of an integer format; `None` for floating point.
    pub fn integer_bits(self) -> Option<u16> {
        match self {
            Self::I16 => Some(16),
            Self::I32 => Some(32),
            Self::F32 | Self::F16 | Self::Bf16 | Self::F64 => None,
        }
    }

    /// The name of the array type, such as `float32`.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "float32",
            Self::F16 => "float16",
            Self::Bf16 => "bfloat16",
            Self::F64 => "float64",
            Self::I16 => "int16",
            Self::I32 => "int32",
        }
    }
}

impl fmt::Display for OutputFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for OutputFormat {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|format| format.name() == name).ok_or_else(|| {
            let names = Self::ALL.map(|format| format!("'{format}'"));
            Error::argument(
                Parameter::OutputFormat,
                format!("one of {}", names.join(", ")),
                format!("'{name}'"),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::ByteOrder::{Big, Little};
    use super::*;

    #[test]
    fn facts_agree_with_each_other() {
        let orders = [Little, Big].into_iter();
        let wide = [SampleFormat::S16, SampleFormat::S24, SampleFormat::S32, SampleFormat::S64];
        let float = [SampleFormat::F32, SampleFormat::F64];
        let ordered = orders.flat_map(|order| wide.into_iter().chain(float).map(move |format| format(order)));
        let bytes = [SampleFormat::U8, SampleFormat::S8, SampleFormat::Alaw, SampleFormat::Mulaw];
        for format in ordered.chain(bytes) {
            assert_eq!(usize::from(format.bits()), 8 * format.num_bytes(), "{format:?}");
            let kinds = [format.is_integer(), format.is_float(), format.is_companded()];
            assert_eq!(kinds.into_iter().filter(|&is_kind| is_kind).count(), 1, "{format:?}");
            // A significand of 24 bits: integers of as many, what stands for fewer, and single precision itself.
            let fits = match format.kind() {
                SampleKind::Integer => format.bits() <= 24,
                SampleKind::Float => format.bits() <= 32,
                SampleKind::Alaw | SampleKind::Mulaw => true,
            };
            assert_eq!(format.fits_f32(), fits, "{format:?}");
            assert_eq!(format.is_16_bit(), matches!(format, SampleFormat::S16(_)), "{format:?}");
            if let Some(native) = format.native() {
                assert_eq!(native.num_bytes(), format.num_bytes(), "{format:?}");
                assert_eq!(native.integer_bits().is_some(), format.is_integer(), "{format:?}");
            }
        }
    }
}
