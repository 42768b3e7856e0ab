//! The conversions from array samples to file samples, for each instruction set that they are compiled for.

#![forbid(unsafe_code)]

use half::{bf16, f16};

use super::scalar::{self, Alaw, BigEndian, Encoding, I24, Int24, LittleEndian, Mulaw, S8, Storage, To, U8};
use super::{ByteOrder, OutputFormat, SampleFormat};

/// A compiled conversion from every sample of the input to the output, which holds as many samples.
///
/// # Safety
/// The CPU must have the instructions that the function was compiled for.
pub(crate) type Function = unsafe fn(&[u8], &mut [u8]);

/// The value of an array sample that is converted to a file sample.
pub(crate) trait Outgoing: To<i8> + To<i16> + To<Int24> + To<i32> + To<f32> + To<f64> {}

impl<T: To<i8> + To<i16> + To<Int24> + To<i32> + To<f32> + To<f64>> Outgoing for T {}

/// A way of compiling the conversions.
pub(crate) trait StoreSet {
    /// The function that stores samples of encoding `E` as `S`.
    fn function<E: Encoding<M>, S: Storage<N>, const M: usize, const N: usize>() -> Function
    where
        E::Value: To<S::Sample>;

    /// The function that stores samples of encoding `E` as 24-bit integers. Compilers generate no good vector
    /// code for three bytes.
    fn function_24<E: Encoding<M>, const M: usize>(order: ByteOrder) -> Function
    where
        E::Value: To<Int24>,
    {
        match order {
            ByteOrder::Little => Self::function::<E, LittleEndian<I24>, M, 3>(),
            ByteOrder::Big => Self::function::<E, BigEndian<I24>, M, 3>(),
        }
    }
}

/// The conversions compiled for this crate's target, which run on every CPU.
pub(super) struct Scalar;

impl StoreSet for Scalar {
    fn function<E: Encoding<M>, S: Storage<N>, const M: usize, const N: usize>() -> Function
    where
        E::Value: To<S::Sample>,
    {
        scalar::store::<E, S, M, N>
    }
}

/// The conversion between two formats, compiled for `I`.
pub(crate) fn select<I: StoreSet>(from: OutputFormat, to: SampleFormat) -> Option<Function> {
    match from {
        OutputFormat::F32 => select_storage::<I, LittleEndian<f32>, 4>(to),
        OutputFormat::F16 => select_storage::<I, LittleEndian<f16>, 2>(to),
        OutputFormat::Bf16 => select_storage::<I, LittleEndian<bf16>, 2>(to),
        OutputFormat::F64 => select_storage::<I, LittleEndian<f64>, 8>(to),
        OutputFormat::I16 => select_storage::<I, LittleEndian<i16>, 2>(to),
        OutputFormat::I32 => select_storage::<I, LittleEndian<i32>, 4>(to),
    }
}

fn select_storage<I: StoreSet, E: Encoding<M>, const M: usize>(to: SampleFormat) -> Option<Function>
where
    E::Value: Outgoing,
{
    use ByteOrder::{Big, Little};
    use SampleFormat::{F32, F64, S16, S24, S32};
    Some(match to {
        SampleFormat::U8 => I::function::<E, U8, M, 1>(),
        SampleFormat::S8 => I::function::<E, S8, M, 1>(),
        SampleFormat::Alaw => I::function::<E, Alaw, M, 1>(),
        SampleFormat::Mulaw => I::function::<E, Mulaw, M, 1>(),
        S16(Little) => I::function::<E, LittleEndian<i16>, M, 2>(),
        S16(Big) => I::function::<E, BigEndian<i16>, M, 2>(),
        S24(order) => I::function_24::<E, M>(order),
        S32(Little) => I::function::<E, LittleEndian<i32>, M, 4>(),
        S32(Big) => I::function::<E, BigEndian<i32>, M, 4>(),
        F32(Little) => I::function::<E, LittleEndian<f32>, M, 4>(),
        F32(Big) => I::function::<E, BigEndian<f32>, M, 4>(),
        F64(Little) => I::function::<E, LittleEndian<f64>, M, 8>(),
        F64(Big) => I::function::<E, BigEndian<f64>, M, 8>(),
        // A format that is only read.
        _ => return None,
    })
}
