//! The conversion that a read uses: chosen once, and the only door to the compiled ones.
//!
//! Unsafe code is allowed here to call functions compiled for instructions that not every CPU has.

#![allow(unsafe_code)]

use std::fmt;
use std::mem::MaybeUninit;

use super::convert::{Function, Scalar, select};
use super::{OutputFormat, SampleFormat, simd};

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

/// Copies samples that need no change.
fn copy(input: &[u8], output: &mut [MaybeUninit<u8>]) {
    for (&byte, room) in input.iter().zip(output) {
        room.write(byte);
    }
}

#[cfg(test)]
mod tests;
