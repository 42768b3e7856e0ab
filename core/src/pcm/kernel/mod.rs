//! The conversion that a read uses. It is chosen once and is the only access to the compiled conversions.
//!
//! Unsafe code is allowed here to call functions that are compiled for instructions not every CPU has.

#![allow(unsafe_code)]

use std::fmt;
use std::mem::MaybeUninit;

use super::convert::{Function, Scalar, select};
use super::{OutputFormat, SampleFormat, simd};

/// A conversion from one sample format to another, chosen once for a whole read.
///
/// [`OutputFormat`] defines the result. Every kernel for the same pair of formats gives the same bits.
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
    /// The fastest kernel for this CPU.
    pub fn new(from: SampleFormat, to: OutputFormat) -> Self {
        if from.native() == Some(to) {
            return Self { from, to, name: "copy", function: copy };
        }
        let fallback = || (simd::BASELINE, select::<Scalar>(from, to));
        let (name, function) = simd::available(from, to).next().unwrap_or_else(fallback);
        Self { from, to, name, function }
    }

    /// The conversion of one sample at a time: the oracle for all others.
    pub fn scalar(from: SampleFormat, to: OutputFormat) -> Self {
        Self { from, to, name: "scalar", function: select::<Scalar>(from, to) }
    }

    /// The kernel's kind: `copy`, `scalar`, or the name of the instruction set it was compiled for.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// Converts every sample of `input` and initialises all of `output`.
    ///
    /// The input may have any alignment.
    ///
    /// # Panics
    /// If either slice is not a whole number of samples, if the slices hold different numbers of samples, or if `output` is not
    /// aligned to its sample's size.
    pub fn convert(self, input: &[u8], output: &mut [MaybeUninit<u8>]) {
        let (from, to) = (self.from.num_bytes(), self.to.num_bytes());
        assert!(
            input.len().is_multiple_of(from),
            "{} bytes are not a whole number of {} samples",
            input.len(),
            self.from.name()
        );
        assert!(
            output.len().is_multiple_of(to),
            "{} bytes are not a whole number of {} samples",
            output.len(),
            self.to
        );
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

/// Copies samples that need no conversion.
fn copy(input: &[u8], output: &mut [MaybeUninit<u8>]) {
    for (&byte, room) in input.iter().zip(output) {
        room.write(byte);
    }
}

#[cfg(test)]
mod tests;
