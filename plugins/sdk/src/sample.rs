//! The sample formats of the interface.

use mapwave_plugin_abi as abi;

/// The format of a sample.
///
/// ```
/// use mapwave_plugin::{SampleFormat, abi};
///
/// assert_eq!(SampleFormat::from_code(abi::MW_I16), Some(SampleFormat::I16));
/// assert_eq!((SampleFormat::I16.code(), SampleFormat::I16.num_bytes()), (abi::MW_I16, 2));
/// assert_eq!(SampleFormat::mask(&[SampleFormat::F32, SampleFormat::I32]), 1 << abi::MW_F32 | 1 << abi::MW_I32);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SampleFormat {
    /// 32-bit float, full scale at 1.0.
    F32,
    /// Signed 16-bit; a shallower sample is shifted up to fill it.
    I16,
    /// Signed 32-bit; a shallower sample is shifted up to fill it.
    I32,
}

impl SampleFormat {
    /// The number in the C interface.
    pub const fn code(self) -> u32 {
        match self {
            Self::F32 => abi::MW_F32,
            Self::I16 => abi::MW_I16,
            Self::I32 => abi::MW_I32,
        }
    }

    /// The format with that number, if it exists.
    pub const fn from_code(code: u32) -> Option<Self> {
        match code {
            abi::MW_F32 => Some(Self::F32),
            abi::MW_I16 => Some(Self::I16),
            abi::MW_I32 => Some(Self::I32),
            _ => None,
        }
    }

    /// Several formats as one number.
    pub const fn mask(formats: &[Self]) -> u32 {
        let mut mask = 0;
        let mut rest = formats;
        while let [format, others @ ..] = rest {
            mask |= 1 << format.code();
            rest = others;
        }
        mask
    }

    /// The size of a sample in bytes.
    pub const fn num_bytes(self) -> usize {
        match self {
            Self::F32 | Self::I32 => 4,
            Self::I16 => 2,
        }
    }
}

/// The layout of several channels in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// The samples of a frame are adjacent.
    Interleaved,
    /// The samples of a channel are adjacent.
    Planar,
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for i16 {}
    impl Sealed for i32 {}
}

/// The Rust type of a sample: `f32`, `i16` or `i32`.
///
/// ```
/// use mapwave_plugin::{Sample, SampleFormat};
///
/// assert_eq!(<f32 as Sample>::FORMAT, SampleFormat::F32);
/// ```
pub trait Sample: Copy + Default + Send + Sync + 'static + sealed::Sealed {
    /// Its format.
    const FORMAT: SampleFormat;
}

impl Sample for f32 {
    const FORMAT: SampleFormat = SampleFormat::F32;
}

impl Sample for i16 {
    const FORMAT: SampleFormat = SampleFormat::I16;
}

impl Sample for i32 {
    const FORMAT: SampleFormat = SampleFormat::I32;
}
