//! Working memory for a thread.

#![forbid(unsafe_code)]

use rustfft::num_complex::Complex;

/// Working memory for [`Plan::block`](super::Plan::block): one per thread, reused from block to block.
///
/// It grows to the size that the plan needs, and carries no state from one block to the next.
#[derive(Debug)]
pub struct Scratch<T> {
    /// The two halves of a block, as real and imaginary parts.
    pub(crate) input: Vec<Complex<T>>,
    pub(crate) output: Vec<Complex<T>>,
    /// For the transforms themselves.
    pub(crate) spare: Vec<Complex<T>>,
    /// One half of the result.
    pub(crate) half: Vec<T>,
}

impl<T> Scratch<T> {
    /// Empty working memory.
    pub fn new() -> Self {
        Self { input: Vec::new(), output: Vec::new(), spare: Vec::new(), half: Vec::new() }
    }
}

impl<T> Default for Scratch<T> {
    fn default() -> Self {
        Self::new()
    }
}
