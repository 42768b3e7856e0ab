//! The choice of a conversion, and the only door to it.
//!
//! Unsafe code is allowed here for two things: output memory that nothing was written to yet, and functions compiled
//! for instructions that not every CPU has.

#![allow(unsafe_code)]

use std::fmt;
use std::mem::MaybeUninit;
use std::slice;

use bytemuck::Pod;
use half::{bf16, f16};

use super::scalar::{self, Alaw, BigEndian, Encoding, I24, LittleEndian, Mulaw, S8, To, U8};
use super::{ByteOrder, OutputFormat, SampleFormat, simd};

/// A conversion as compiled code: every sample of the input to the output, which holds as many.
///
/// # Safety
/// The CPU has the instructions the function was compiled for.
pub(crate) type Function = unsafe fn(&[u8], &mut [MaybeUninit<u8>]);

/// A conversion from one sample format to another, chosen once for a whole read.
///
/// What a sample becomes is defined by [`OutputFormat`]; every kernel of a pair of formats gives the same bits.
///
/// ```
/// use std::mem::MaybeUninit;
///
/// use mapwave_core::pcm::{ByteOrder, Kernel, OutputFormat, SampleFormat};
///
/// let mut samples = [MaybeUninit::<f32>::uninit(); 3];
/// // SAFETY: bytes that need not be initialised have no alignment and no invalid value.
/// let (_, room, _) = unsafe { samples.align_to_mut::<MaybeUninit<u8>>() };
/// let kernel = Kernel::new(SampleFormat::S16(ByteOrder::Little), OutputFormat::F32);
/// kernel.convert(&[0x00, 0x80, 0x00, 0x00, 0x00, 0x40], room);
/// // SAFETY: `convert` initialised all three.
/// assert_eq!(samples.map(|sample| unsafe { sample.assume_init() }), [-1.0, 0.0, 0.5]);
/// ```
#[derive(Clone, Copy)]
pub struct Kernel {
    from: SampleFormat,
    to: OutputFormat,
    name: &'static str,
    function: Function,
}

impl Kernel {
    /// The fastest kernel this CPU has.
    pub fn new(from: SampleFormat, to: OutputFormat) -> Self {
        if from.native() == Some(to) {
            return Self { from, to, name: "copy", function: copy };
        }
        let fallback = || (simd::BASELINE, select::<Scalar>(from, to));
        let (name, function) = simd::available(from, to).next().unwrap_or_else(fallback);
        Self { from, to, name, function }
    }

    /// The conversion one sample at a time: the oracle of all others.
    pub fn scalar(from: SampleFormat, to: OutputFormat) -> Self {
        Self { from, to, name: "scalar", function: select::<Scalar>(from, to) }
    }

    /// The kernel's kind: `copy`, `scalar`, or the name of the instruction set it was compiled for.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// Converts every sample of `input` into `output`, all of which is initialised afterwards.
    ///
    /// The input may have any alignment.
    ///
    /// # Panics
    /// When either slice is not a whole number of samples, when they hold different numbers of them, or when `output`
    /// is not aligned to its sample's size.
    pub fn convert(self, input: &[u8], output: &mut [MaybeUninit<u8>]) {
        let (from, to) = (self.from.num_bytes(), self.to.num_bytes());
        assert!(
            input.len().is_multiple_of(from),
            "{} bytes are no whole number of {}",
            input.len(),
            self.from.name()
        );
        assert!(output.len().is_multiple_of(to), "{} bytes are no whole number of {}", output.len(), self.to);
        assert_eq!(input.len() / from, output.len() / to, "samples of input and output");
        assert!(
            output.as_ptr().addr().is_multiple_of(to),
            "output for {} is not aligned to {to} bytes",
            self.to
        );
        // SAFETY: `new` and `scalar` choose only functions whose instructions this CPU was seen to have.
        unsafe { (self.function)(input, output) }
    }
}

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kernel({} -> {}, {})", self.from.name(), self.to, self.name)
    }
}

/// The room for samples in a range of uninitialised bytes.
///
/// # Panics
/// When the bytes are not aligned for `T`.
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

    /// The function that converts samples of encoding `E` to half precision, for which CPUs have an instruction that
    /// compilers do not find.
    fn half<E: Encoding<N>, const N: usize>() -> Function {
        Self::function::<E, f16, N>()
    }
}

/// The conversions as this crate's target has them, on every CPU.
struct Scalar;

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

/// Copies samples that need no change.
fn copy(input: &[u8], output: &mut [MaybeUninit<u8>]) {
    for (&byte, room) in input.iter().zip(output) {
        room.write(byte);
    }
}

#[cfg(test)]
mod tests;
