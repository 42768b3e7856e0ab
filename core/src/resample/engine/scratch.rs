//! The memory that a thread works in.

#![forbid(unsafe_code)]

use rustfft::num_complex::Complex;

/// What [`Plan::block`](super::Plan::block) works in: one for each thread, kept from block to block.
///
/// It grows to what the plan needs, and leaves nothing of one block to the next.
#[derive(Debug)]
pub struct Scratch<T> {
    /// The two halves of a block, as real and imaginary parts.
    pub(crate) input: Vec<Complex<T>>,
    pub(crate) output: Vec<Complex<T>>,
    /// For the transforms themselves.
    pub(crate) spare: Vec<Complex<T>>,
    /// One half of what came out.
    pub(crate) half: Vec<T>,
}

impl<T> Scratch<T> {
    /// One that has nothing yet.
    pub fn new() -> Self {
        Self { input: Vec::new(), output: Vec::new(), spare: Vec::new(), half: Vec::new() }
    }
}

impl<T> Default for Scratch<T> {
    fn default() -> Self {
        Self::new()
    }
}
