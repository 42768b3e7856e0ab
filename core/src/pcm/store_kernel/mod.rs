//! The conversion that a write uses. It is chosen once and is the only access to the compiled conversions.
//!
//! Unsafe code is allowed here to call functions that are compiled for instructions not every CPU has.

#![allow(unsafe_code)]

use std::fmt;

use super::store::{Function, Scalar, select};
use super::{OutputFormat, SampleFormat, simd};

/// A conversion from the samples of an array to those of a file, chosen once for a whole write.
///
/// A conversion from integers to floating point divides by 2^(bits-1). A conversion from floating point to integers multiplies by
/// 2^(bits-1), rounds half to even, saturates, and turns a NaN into 0. A conversion to integers with fewer bits rounds half to
/// even and saturates. A-law and mu-law first convert the sample to 16 bits and then choose the code whose interval contains it.
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
    /// The fastest kernel for this CPU; `None` for 64-bit integers, which are not written.
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

    /// The conversion of one sample at a time: the oracle for all others.
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
    /// If either slice is not a whole number of samples, or if the slices hold different numbers of samples.
    pub fn store(self, input: &[u8], output: &mut [u8]) {
        let (from, to) = (self.from.num_bytes(), self.to.num_bytes());
        assert!(
            input.len().is_multiple_of(from),
            "{} bytes are not a whole number of {} samples",
            input.len(),
            self.from
        );
        assert!(
            output.len().is_multiple_of(to),
            "{} bytes are not a whole number of {} samples",
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

#[cfg(test)]
mod tests;
