//! libav's sample formats, and their conversion to the host's.
//!
//! Integers of n bits become floats by division by 2^(n-1); floats become integers by multiplication, rounded half to even,
//! saturated, NaN to 0. An integer that gets more bits is shifted up; one that loses some is rounded half to even.

#![forbid(unsafe_code)]
#![allow(clippy::cast_possible_truncation)] // what it is for

use std::ffi::c_int;

use ffmpeg_sys_next::AVSampleFormat;
use mapwave_plugin::SampleFormat;

/// The type of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SampleType {
    U8,
    I16,
    I32,
    I64,
    F32,
    F64,
}

/// One of libav's sample formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LibavFormat {
    /// The type of a sample.
    pub(crate) sample: SampleType,
    /// Whether each channel has memory of its own.
    pub(crate) is_planar: bool,
}

/// All of libav's formats.
const FORMATS: [(AVSampleFormat, SampleType, bool); 12] = [
    (AVSampleFormat::AV_SAMPLE_FMT_U8, SampleType::U8, false),
    (AVSampleFormat::AV_SAMPLE_FMT_U8P, SampleType::U8, true),
    (AVSampleFormat::AV_SAMPLE_FMT_S16, SampleType::I16, false),
    (AVSampleFormat::AV_SAMPLE_FMT_S16P, SampleType::I16, true),
    (AVSampleFormat::AV_SAMPLE_FMT_S32, SampleType::I32, false),
    (AVSampleFormat::AV_SAMPLE_FMT_S32P, SampleType::I32, true),
    (AVSampleFormat::AV_SAMPLE_FMT_S64, SampleType::I64, false),
    (AVSampleFormat::AV_SAMPLE_FMT_S64P, SampleType::I64, true),
    (AVSampleFormat::AV_SAMPLE_FMT_FLT, SampleType::F32, false),
    (AVSampleFormat::AV_SAMPLE_FMT_FLTP, SampleType::F32, true),
    (AVSampleFormat::AV_SAMPLE_FMT_DBL, SampleType::F64, false),
    (AVSampleFormat::AV_SAMPLE_FMT_DBLP, SampleType::F64, true),
];

impl LibavFormat {
    /// The format with libav's number in a frame; `None` for unknown numbers.
    pub(crate) fn from_code(code: c_int) -> Option<Self> {
        let (_, sample, is_planar) = FORMATS.iter().find(|(format, ..)| *format as c_int == code)?;
        Some(Self { sample: *sample, is_planar: *is_planar })
    }

    /// libav's name for it.
    #[allow(dead_code)] // encoders name the format they take
    pub(crate) fn av_format(self) -> AVSampleFormat {
        let found = FORMATS
            .iter()
            .find(|(_, sample, is_planar)| Self { sample: *sample, is_planar: *is_planar } == self);
        found.map_or(AVSampleFormat::AV_SAMPLE_FMT_NONE, |(format, ..)| *format)
    }
}

impl SampleType {
    /// The host's format that loses nothing, or the least.
    pub(crate) fn native(self) -> SampleFormat {
        match self {
            Self::U8 | Self::I16 => SampleFormat::I16,
            Self::I32 | Self::I64 => SampleFormat::I32,
            Self::F32 | Self::F64 => SampleFormat::F32,
        }
    }

    /// The size of a sample in bytes.
    #[allow(dead_code)] // encoders make room for as many
    pub(crate) fn num_bytes(self) -> usize {
        match self {
            Self::U8 => 1,
            Self::I16 => 2,
            Self::I32 | Self::F32 => 4,
            Self::I64 | Self::F64 => 8,
        }
    }

    /// Its depth in bits; 0 for floats.
    pub(crate) fn bits(self) -> u32 {
        match self {
            Self::U8 => 8,
            Self::I16 => 16,
            Self::I32 => 32,
            Self::I64 => 64,
            Self::F32 | Self::F64 => 0,
        }
    }
}

/// Converts one of libav's samples to the host's type.
pub(crate) trait Convert<T>: Copy {
    /// The same sample in the other type.
    fn convert(self) -> T;
}

macro_rules! convert {
    ($($from:ty => $to:ty: |$value:ident| $result:expr;)*) => {
        $(impl Convert<$to> for $from {
            fn convert(self) -> $to {
                let $value = self;
                $result
            }
        })*
    };
}

convert! {
    u8 => f32: |value| f32::from(i16::from(value) - 128) / 128.0;
    u8 => i16: |value| (i16::from(value) - 128) << 8;
    u8 => i32: |value| (i32::from(value) - 128) << 24;
    i16 => f32: |value| f32::from(value) / 32_768.0;
    i16 => i16: |value| value;
    i16 => i32: |value| i32::from(value) << 16;
    i32 => f32: |value| value as f32 / 2_147_483_648.0;
    i32 => i16: |value| ((value.min(i32::MAX - 0x8000) + 0x7fff + (value >> 16 & 1)) >> 16) as i16;
    i32 => i32: |value| value;
    i64 => f32: |value| value as f32 / 9_223_372_036_854_775_808.0;
    i64 => i16: |value| ((value.min(i64::MAX - (1 << 47)) + (1 << 47) - 1 + (value >> 48 & 1)) >> 48) as i16;
    i64 => i32: |value| ((value.min(i64::MAX - (1 << 31)) + (1 << 31) - 1 + (value >> 32 & 1)) >> 32) as i32;
    f32 => f32: |value| value;
    f32 => i16: |value| (value * 32_768.0).round_ties_even() as i16;
    f32 => i32: |value| (f64::from(value) * 2_147_483_648.0).round_ties_even() as i32;
    f64 => f32: |value| value as f32;
    f64 => i16: |value| (value * 32_768.0).round_ties_even() as i16;
    f64 => i32: |value| (value * 2_147_483_648.0).round_ties_even() as i32;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to<S: Convert<T>, T>(sample: S) -> T {
        sample.convert()
    }

    #[test]
    fn full_scale_is_full_scale() {
        assert_eq!([0u8, 128, 255].map(to::<u8, f32>), [-1.0, 0.0, 127.0 / 128.0]);
        assert_eq!([0u8, 128, 255].map(to::<u8, i16>), [i16::MIN, 0, 127 << 8]);
        assert_eq!([0u8, 128, 255].map(to::<u8, i32>), [i32::MIN, 0, 127 << 24]);
        assert_eq!(to::<i16, f32>(i16::MIN), -1.0);
        assert_eq!(to::<i32, f32>(i32::MIN), -1.0);
        assert_eq!(to::<i64, f32>(i64::MIN), -1.0);
        assert_eq!(to::<i32, f32>(0x4000_0000), 0.5);
    }

    #[test]
    fn floats_are_rounded_half_to_even_and_saturated() {
        let half = |steps: f32| (steps + 0.5) / 32_768.0;
        assert_eq!([half(0.0), half(1.0), half(-1.0), half(2.0)].map(to::<f32, i16>), [0, 2, 0, 2]);
        assert_eq!([1.0, -1.0, 2.0, -2.0, f32::NAN].map(to::<f32, i16>), [32767, -32768, 32767, -32768, 0]);
        assert_eq!([1.0, -1.0, f32::INFINITY].map(to::<f32, i32>), [i32::MAX, i32::MIN, i32::MAX]);
        assert_eq!([1.0, -1.0, 0.5, f64::NAN].map(to::<f64, i32>), [i32::MAX, i32::MIN, 1 << 30, 0]);
        assert_eq!(to::<f64, f32>(1e300), f32::INFINITY);
    }

    #[test]
    fn integers_that_lose_bits_are_rounded_half_to_even() {
        let cases = [(0x8000, 0), (0x8001, 1), (0x1_8000, 2), (0x2_8000, 2), (-0x8000, 0), (-0x8001, -1)];
        for (value, expected) in cases {
            assert_eq!(to::<i32, i16>(value), expected, "{value:#x}");
            assert_eq!(to::<i64, i32>(i64::from(value) << 16), i32::from(expected), "{value:#x}");
            assert_eq!(to::<i64, i16>(i64::from(value) << 32), expected, "{value:#x}");
        }
        assert_eq!((to::<i32, i16>(i32::MAX), to::<i64, i32>(i64::MAX)), (i16::MAX, i32::MAX));
        assert_eq!((to::<i32, i16>(i32::MIN), to::<i64, i16>(i64::MIN)), (i16::MIN, i16::MIN));
    }

    #[test]
    fn every_format_of_libav_has_a_type() {
        for code in 0..AVSampleFormat::AV_SAMPLE_FMT_NB as c_int {
            let format = LibavFormat::from_code(code).map(LibavFormat::av_format);
            assert_eq!(format.map(|format| format as c_int), Some(code));
        }
        assert_eq!(LibavFormat::from_code(-1), None);
        assert_eq!(LibavFormat::from_code(99), None);
    }
}
