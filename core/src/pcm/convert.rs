//! The conversions from file samples to array samples, for each instruction set that they are compiled for.
//!
//! Unsafe code is allowed here for one purpose: uninitialised output memory.

#![allow(unsafe_code)]

use std::mem::MaybeUninit;
use std::slice;

use bytemuck::Pod;
use half::{bf16, f16};

use super::scalar::{self, Alaw, BigEndian, Encoding, I24, LittleEndian, Mulaw, S8, To, U8};
use super::{ByteOrder, OutputFormat, SampleFormat};

/// A compiled conversion from every sample of the input to the output, which holds as many samples.
///
/// # Safety
/// The CPU must have the instructions that the function was compiled for.
pub(crate) type Function = unsafe fn(&[u8], &mut [MaybeUninit<u8>]);

/// Uninitialised bytes as uninitialised samples.
///
/// # Panics
/// If the bytes are not aligned for `T`.
#[inline(always)]
pub(crate) fn samples_of<T: Pod>(bytes: &mut [MaybeUninit<u8>]) -> &mut [MaybeUninit<T>] {
    let start = bytes.as_mut_ptr().cast::<MaybeUninit<T>>();
    assert!(start.is_aligned());
    // SAFETY: the address is aligned for T, the length is rounded down to whole samples of the borrowed bytes, and a
    // MaybeUninit<T> of a Pod type may be made of any bytes and leave any bytes behind.
    unsafe { slice::from_raw_parts_mut(start, bytes.len() / size_of::<T>()) }
}

/// A way of compiling the conversions.
pub(crate) trait InstructionSet {
    /// The function that converts samples of encoding `E` to `T`.
    fn function<E: Encoding<N>, T: Pod, const N: usize>() -> Function
    where
        E::Value: To<T>;

    /// The function that converts samples of encoding `E` to half precision. CPUs have an instruction for it that compilers do
    /// not generate.
    fn half<E: Encoding<N>, const N: usize>() -> Function {
        Self::function::<E, f16, N>()
    }
}

/// The conversions compiled for this crate's target, which run on every CPU.
pub(super) struct Scalar;

impl InstructionSet for Scalar {
    fn function<E: Encoding<N>, T: Pod, const N: usize>() -> Function
    where
        E::Value: To<T>,
    {
        |input, output| scalar::convert::<E, T, N>(input, samples_of(output))
    }
}

/// The conversion between two formats, compiled for `I`.
pub(crate) fn select<I: InstructionSet>(from: SampleFormat, to: OutputFormat) -> Function {
    use ByteOrder::{Big, Little};
    use SampleFormat::{F32, F64, S16, S24, S32, S64};
    match from {
        SampleFormat::U8 => select_output::<I, U8, 1>(to),
        SampleFormat::S8 => select_output::<I, S8, 1>(to),
        SampleFormat::Alaw => select_output::<I, Alaw, 1>(to),
        SampleFormat::Mulaw => select_output::<I, Mulaw, 1>(to),
        S16(Little) => select_output::<I, LittleEndian<i16>, 2>(to),
        S16(Big) => select_output::<I, BigEndian<i16>, 2>(to),
        S24(Little) => select_output::<I, LittleEndian<I24>, 3>(to),
        S24(Big) => select_output::<I, BigEndian<I24>, 3>(to),
        S32(Little) => select_output::<I, LittleEndian<i32>, 4>(to),
        S32(Big) => select_output::<I, BigEndian<i32>, 4>(to),
        S64(Little) => select_output::<I, LittleEndian<i64>, 8>(to),
        S64(Big) => select_output::<I, BigEndian<i64>, 8>(to),
        F32(Little) => select_output::<I, LittleEndian<f32>, 4>(to),
        F32(Big) => select_output::<I, BigEndian<f32>, 4>(to),
        F64(Little) => select_output::<I, LittleEndian<f64>, 8>(to),
        F64(Big) => select_output::<I, BigEndian<f64>, 8>(to),
    }
}

fn select_output<I: InstructionSet, E: Encoding<N>, const N: usize>(to: OutputFormat) -> Function {
    match to {
        OutputFormat::F32 => I::function::<E, f32, N>(),
        OutputFormat::F16 => I::half::<E, N>(),
        OutputFormat::Bf16 => I::function::<E, bf16, N>(),
        OutputFormat::F64 => I::function::<E, f64, N>(),
        OutputFormat::I16 => I::function::<E, i16, N>(),
        OutputFormat::I32 => I::function::<E, i32, N>(),
    }
}
