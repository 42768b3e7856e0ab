//! The choice of a conversion from an array's samples to a file's.
//!
//! Unsafe code is allowed here to call functions compiled for instructions that not every CPU has.

#![allow(unsafe_code)]

use std::fmt;

use half::{bf16, f16};

use super::scalar::{self, Alaw, BigEndian, Encoding, I24, Int24, LittleEndian, Mulaw, S8, Storage, To, U8};
use super::{ByteOrder, OutputFormat, SampleFormat, simd};

/// A conversion as compiled code: every sample of the input to the output, which holds as many.
///
/// # Safety
/// The CPU has the instructions the function was compiled for.
pub(crate) type Function = unsafe fn(&[u8], &mut [u8]);

/// A conversion from the samples of an array to those of a file, chosen once for a whole write.
///
/// Integers to floating point divide by 2^(bits-1); floating point to integers multiplies by 2^(bits-1), rounds half to even
/// and saturates, and a NaN becomes 0; integers to shallower ones round half to even and saturate. A-law and mu-law take
/// the sample as 16 bits and give the code in whose interval it lies.
///
/// ```
/// use mapwave_core::pcm::{ByteOrder, OutputFormat, SampleFormat, StoreKernel};
///
/// let kernel = StoreKernel::new(OutputFormat::F32, SampleFormat::S16(ByteOrder::Big)).unwrap();
/// let samples: Vec<u8> = [0.5_f32, -1.0, 2.0].iter().flat_map(|sample| sample.to_ne_bytes()).collect();
/// let mut stored = [0; 6];
/// kernel.store(&samples, &mut stored);
/// assert_eq!(stored, [0x40, 0x00, 0x80, 0x00, 0x7f, 0xff]);
/// ```
#[derive(Clone, Copy)]
pub struct StoreKernel {
    from: OutputFormat,
    to: SampleFormat,
    name: &'static str,
    function: Function,
}

impl StoreKernel {
    /// The fastest kernel this CPU has; `None` for 64-bit integers, which are not written.
    pub fn new(from: OutputFormat, to: SampleFormat) -> Option<Self> {
        if to.native() == Some(from) {
            let copy: Function = |input, output| output.copy_from_slice(input);
            return Some(Self { from, to, name: "copy", function: copy });
        }
        let (name, function) = match simd::store(from, to) {
            Some((name, function)) => (name, function),
            None => (simd::BASELINE, select::<Scalar>(from, to)?),
        };
        Some(Self { from, to, name, function })
    }

    /// The conversion one sample at a time: the oracle of all others.
    pub fn scalar(from: OutputFormat, to: SampleFormat) -> Option<Self> {
        Some(Self { from, to, name: "scalar", function: select::<Scalar>(from, to)? })
    }

    /// The kernel's kind: `copy`, `scalar`, or the name of the instruction set it was compiled for.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// Converts every sample of `input`, of any alignment, into `output`.
    ///
    /// # Panics
    /// When either slice is not a whole number of samples, or when they hold different numbers of them.
    pub fn store(self, input: &[u8], output: &mut [u8]) {
        let (from, to) = (self.from.num_bytes(), self.to.num_bytes());
        assert!(
            input.len().is_multiple_of(from),
            "{} bytes are no whole number of {}",
            input.len(),
            self.from
        );
        assert!(
            output.len().is_multiple_of(to),
            "{} bytes are no whole number of {}",
            output.len(),
            self.to.name()
        );
        assert_eq!(input.len() / from, output.len() / to, "samples of input and output");
        // SAFETY: `new` and `scalar` choose only functions whose instructions this CPU was seen to have.
        unsafe { (self.function)(input, output) }
    }
}

impl fmt::Debug for StoreKernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreKernel({} -> {}, {})", self.from, self.to.name(), self.name)
    }
}

/// What a sample of an array is read as, on its way to a file.
pub(crate) trait Outgoing: To<i8> + To<i16> + To<Int24> + To<i32> + To<f32> + To<f64> {}

impl<T: To<i8> + To<i16> + To<Int24> + To<i32> + To<f32> + To<f64>> Outgoing for T {}

/// A way of compiling the conversions.
pub(crate) trait StoreSet {
    /// The function that stores samples of encoding `E` as `S` has them.
    fn function<E: Encoding<M>, S: Storage<N>, const M: usize, const N: usize>() -> Function
    where
        E::Value: To<S::Sample>;

    /// The function that stores samples of encoding `E` as 24-bit integers. Compilers find no good vector code for three bytes.
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

/// The conversions as this crate's target has them, on every CPU.
struct Scalar;

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
    use SampleFormat::{F32, F64, S16, S24, S32, S64};
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
        S64(_) => return None,
    })
}

#[cfg(test)]
mod tests;
