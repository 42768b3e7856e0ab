//! Every conversion, one sample at a time: the definition of the kernels and the oracle for their tests.
//!
//! An [`Encoding`] turns a stored sample into a value, and [`To`] converts the value to an output sample. Integers of every size
//! are shifted up to fill an `i16`, `i32` or `i64`, so that all are fractions of 2^15, 2^31 or 2^63, and sixteen formats
//! reduce to five kinds of value. When writing, a value is converted to the sample type of a [`Storage`].

#![forbid(unsafe_code)]

use std::mem::MaybeUninit;

use bytemuck::Pod;
use half::{bf16, f16};

use super::ByteOrder;
use super::companding::{ALAW, MULAW, alaw_code, mulaw_code};
use super::rounding::{
    bf16_from_f32, f16_from_f32, i8_from_f32, i8_from_f64, i16_from_f32, i16_from_f64, i24_from_f64,
    i32_from_f64, odd_f32_from_f64, odd_f32_from_i32, odd_f64_from_i64,
};

/// A way to store a sample in `N` bytes.
pub(super) trait Encoding<const N: usize> {
    /// The type of the value.
    type Value: Value;

    /// The byte order of a 24-bit integer. Compilers generate no good vector code for three bytes, so kernels unpack them
    /// themselves.
    #[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))] // no other kernels do
    const PACKED_24: Option<ByteOrder> = None;

    /// The value of a stored sample.
    fn decode(bytes: [u8; N]) -> Self::Value;
}

/// A sample value: full scale is 2^(bits-1) for integers and 1.0 for floats.
pub(super) trait Value: Pod + To<f32> + To<OddF32> + To<f64> + To<i16> + To<i32> {}

impl<T: Pod + To<f32> + To<OddF32> + To<f64> + To<i16> + To<i32>> Value for T {}

/// The conversion of a value to an output sample, with a single rounding.
pub(super) trait To<T> {
    /// The nearest output sample; ties go to even.
    fn to(self) -> T;
}

/// Converts samples until one of the slices ends.
#[inline(always)]
pub(super) fn convert<E: Encoding<N>, T: Pod, const N: usize>(input: &[u8], output: &mut [MaybeUninit<T>])
where
    E::Value: To<T>,
{
    for (&bytes, sample) in input.as_chunks::<N>().0.iter().zip(output) {
        sample.write(E::decode(bytes).to());
    }
}

/// Unsigned 8-bit.
pub(super) struct U8;
/// Signed 8-bit.
pub(super) struct S8;
/// A-law.
pub(super) struct Alaw;
/// mu-law.
pub(super) struct Mulaw;
/// 24-bit integers, as the parameter of a byte order type.
pub(super) struct I24;
/// A 24-bit integer in the lower bits of a larger one.
#[derive(Clone, Copy)]
pub(super) struct Int24(pub(super) i32);
/// Least significant byte first.
pub(super) struct LittleEndian<T>(T);
/// Most significant byte first.
pub(super) struct BigEndian<T>(T);

impl Encoding<1> for U8 {
    type Value = i16;

    #[inline(always)]
    fn decode([byte]: [u8; 1]) -> i16 {
        i16::from_be_bytes([byte ^ 0x80, 0])
    }
}

impl Encoding<1> for S8 {
    type Value = i16;

    #[inline(always)]
    fn decode([byte]: [u8; 1]) -> i16 {
        i16::from_be_bytes([byte, 0])
    }
}

impl Encoding<1> for Alaw {
    type Value = i16;

    #[inline(always)]
    #[expect(clippy::indexing_slicing, reason = "a byte cannot exceed a table of 256")]
    fn decode([code]: [u8; 1]) -> i16 {
        ALAW[usize::from(code)]
    }
}

impl Encoding<1> for Mulaw {
    type Value = i16;

    #[inline(always)]
    #[expect(clippy::indexing_slicing, reason = "a byte cannot exceed a table of 256")]
    fn decode([code]: [u8; 1]) -> i16 {
        MULAW[usize::from(code)]
    }
}

impl Encoding<3> for LittleEndian<I24> {
    type Value = i32;

    const PACKED_24: Option<ByteOrder> = Some(ByteOrder::Little);

    #[inline(always)]
    fn decode([low, middle, high]: [u8; 3]) -> i32 {
        i32::from_le_bytes([0, low, middle, high])
    }
}

impl Encoding<3> for BigEndian<I24> {
    type Value = i32;

    const PACKED_24: Option<ByteOrder> = Some(ByteOrder::Big);

    #[inline(always)]
    fn decode([high, middle, low]: [u8; 3]) -> i32 {
        i32::from_be_bytes([high, middle, low, 0])
    }
}

macro_rules! stored_as_itself {
    ($($value:ty: $num_bytes:literal),*) => {$(
        impl Encoding<$num_bytes> for LittleEndian<$value> {
            type Value = $value;

            #[inline(always)]
            fn decode(bytes: [u8; $num_bytes]) -> $value {
                <$value>::from_le_bytes(bytes)
            }
        }

        impl Encoding<$num_bytes> for BigEndian<$value> {
            type Value = $value;

            #[inline(always)]
            fn decode(bytes: [u8; $num_bytes]) -> $value {
                <$value>::from_be_bytes(bytes)
            }
        }
    )*};
}

stored_as_itself!(i16: 2, i32: 4, i64: 8, f32: 4, f64: 8);

macro_rules! half_precision {
    ($($short:ty),*) => {$(
        impl Encoding<2> for LittleEndian<$short> {
            type Value = f32;

            #[inline(always)]
            fn decode(bytes: [u8; 2]) -> f32 {
                <$short>::from_le_bytes(bytes).to_f32()
            }
        }
    )*};
}

half_precision!(f16, bf16);

/// A way to write a sample in `N` bytes.
pub(super) trait Storage<const N: usize> {
    /// The type of the sample.
    type Sample: Copy;

    /// The bytes of a sample.
    fn encode(sample: Self::Sample) -> [u8; N];
}

/// Stores samples until one of the slices ends.
#[inline(always)]
pub(super) fn store<E: Encoding<M>, S: Storage<N>, const M: usize, const N: usize>(
    input: &[u8],
    output: &mut [u8],
) where
    E::Value: To<S::Sample>,
{
    for (&bytes, place) in input.as_chunks::<M>().0.iter().zip(output.as_chunks_mut::<N>().0) {
        *place = S::encode(E::decode(bytes).to());
    }
}

macro_rules! storages {
    ($($storage:ty as $sample:ty, $num_bytes:literal: |$value:ident| $bytes:expr;)*) => {$(
        impl Storage<$num_bytes> for $storage {
            type Sample = $sample;

            #[inline(always)]
            fn encode($value: $sample) -> [u8; $num_bytes] {
                $bytes
            }
        }
    )*};
}

storages! {
    U8 as i8, 1: |sample| [sample.cast_unsigned() ^ 0x80];
    S8 as i8, 1: |sample| [sample.cast_unsigned()];
    Alaw as i16, 1: |sample| [alaw_code(sample)];
    Mulaw as i16, 1: |sample| [mulaw_code(sample)];
    LittleEndian<i16> as i16, 2: |sample| sample.to_le_bytes();
    BigEndian<i16> as i16, 2: |sample| sample.to_be_bytes();
    LittleEndian<i32> as i32, 4: |sample| sample.to_le_bytes();
    BigEndian<i32> as i32, 4: |sample| sample.to_be_bytes();
    LittleEndian<f32> as f32, 4: |sample| sample.to_le_bytes();
    BigEndian<f32> as f32, 4: |sample| sample.to_be_bytes();
    LittleEndian<f64> as f64, 8: |sample| sample.to_le_bytes();
    BigEndian<f64> as f64, 8: |sample| sample.to_be_bytes();
}

impl Storage<3> for LittleEndian<I24> {
    type Sample = Int24;

    #[inline(always)]
    fn encode(Int24(sample): Int24) -> [u8; 3] {
        let [low, middle, high, _] = sample.to_le_bytes();
        [low, middle, high]
    }
}

impl Storage<3> for BigEndian<I24> {
    type Sample = Int24;

    #[inline(always)]
    fn encode(Int24(sample): Int24) -> [u8; 3] {
        let [low, middle, high, _] = sample.to_le_bytes();
        [high, middle, low]
    }
}

/// A single-precision number rounded to odd; rounding it to a shorter format gives the same result as rounding the original.
#[derive(Clone, Copy)]
pub(super) struct OddF32(pub(super) f32);

impl<V: To<OddF32>> To<f16> for V {
    #[inline(always)]
    fn to(self) -> f16 {
        let OddF32(value) = self.to();
        f16_from_f32(value)
    }
}

impl<V: To<OddF32>> To<bf16> for V {
    #[inline(always)]
    fn to(self) -> bf16 {
        let OddF32(value) = self.to();
        bf16_from_f32(value)
    }
}

macro_rules! conversions {
    ($($from:ty => $to:ty: |$value:ident| $converted:expr;)*) => {$(
        impl To<$to> for $from {
            #[inline(always)]
            #[allow(clippy::cast_possible_truncation, reason = "`as` rounds and saturates, as intended")]
            fn to(self) -> $to {
                let $value = self;
                $converted
            }
        }
    )*};
}

/// 2^-15, 2^-31 and 2^-63: one step of an integer, where full scale is 1. A product with any of them is exact.
const STEP_16: f32 = 1.0 / (1_u64 << 15) as f32;
const STEP_32: f32 = 1.0 / (1_u64 << 31) as f32;
const STEP_64: f32 = 1.0 / (1_u64 << 63) as f32;
/// Full scale of the integer outputs.
const SCALE_16: f32 = (1_u64 << 15) as f32;
const SCALE_32: f32 = (1_u64 << 31) as f32;
const SCALE_8: f32 = (1_u64 << 7) as f32;
const SCALE_24: f32 = (1_u64 << 23) as f32;

conversions! {
    i16 => f32: |value| f32::from(value) * STEP_16;
    i16 => OddF32: |value| OddF32(f32::from(value) * STEP_16);
    i16 => f64: |value| f64::from(value) * f64::from(STEP_16);
    i16 => i16: |value| value;
    i16 => i32: |value| i32::from(value) << 16;

    i32 => f32: |value| value as f32 * STEP_32;
    i32 => OddF32: |value| OddF32(odd_f32_from_i32(value) * STEP_32);
    i32 => f64: |value| f64::from(value) * f64::from(STEP_32);
    // Half a step, minus one if the result would be even; the largest values are clamped so that the sum fits.
    i32 => i16: |value| ((value.min(i32::MAX - 0x8000) + 0x7fff + (value >> 16 & 1)) >> 16) as i16;
    i32 => i32: |value| value;

    i64 => f32: |value| value as f32 * STEP_64;
    i64 => OddF32: |value| OddF32(odd_f32_from_f64(odd_f64_from_i64(value) * f64::from(STEP_64)));
    i64 => f64: |value| value as f64 * f64::from(STEP_64);
    i64 => i16: |value| (value.saturating_add((1 << 47) - 1 + (value >> 48 & 1)) >> 48) as i16;
    i64 => i32: |value| (value.saturating_add((1 << 31) - 1 + (value >> 32 & 1)) >> 32) as i32;

    f32 => f32: |value| value;
    f32 => OddF32: |value| OddF32(value);
    f32 => f64: |value| f64::from(value);
    f32 => i16: |value| i16_from_f32(value * SCALE_16);
    f32 => i32: |value| i32_from_f64(f64::from(value) * f64::from(SCALE_32));

    f64 => f32: |value| value as f32;
    f64 => OddF32: |value| OddF32(odd_f32_from_f64(value));
    f64 => f64: |value| value;
    f64 => i16: |value| i16_from_f64(value * f64::from(SCALE_16));
    f64 => i32: |value| i32_from_f64(value * f64::from(SCALE_32));

    i16 => i8: |value| ((value.min(i16::MAX - 0x80) + 0x7f + (value >> 8 & 1)) >> 8) as i8;
    i32 => i8: |value| ((value.min(i32::MAX - (1 << 23)) + ((1 << 23) - 1) + (value >> 24 & 1)) >> 24) as i8;
    f32 => i8: |value| i8_from_f32(value * SCALE_8);
    f64 => i8: |value| i8_from_f64(value * f64::from(SCALE_8));

    i16 => Int24: |value| Int24(i32::from(value) << 8);
    i32 => Int24: |value| Int24((value.min(i32::MAX - 0x80) + 0x7f + (value >> 8 & 1)) >> 8);
    f32 => Int24: |value| Int24(i24_from_f64(f64::from(value) * f64::from(SCALE_24)));
    f64 => Int24: |value| Int24(i24_from_f64(value * f64::from(SCALE_24)));
}
