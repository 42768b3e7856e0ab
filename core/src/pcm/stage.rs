//! A block of samples between two steps of a conversion, small enough to stay in the first-level cache.

#![allow(unsafe_code)] // reads back what a kernel has written into uninitialised memory

use std::mem::MaybeUninit;

use bytemuck::AnyBitPattern;

use super::Kernel;

/// Memory that a kernel writes to and that is then read as samples of type `T`.
pub(crate) struct Stage<T> {
    samples: Box<[MaybeUninit<T>]>,
}

impl<T: AnyBitPattern> Stage<T> {
    /// A stage for up to `num_samples` samples.
    pub(crate) fn new(num_samples: usize) -> Self {
        Self { samples: Box::new_uninit_slice(num_samples) }
    }

    /// Converts all of `input` and returns the resulting `num_samples` samples, which must fit into the stage.
    ///
    /// The kernel's output must have the size of `T`.
    pub(crate) fn convert(&mut self, kernel: Kernel, input: &[u8], num_samples: usize) -> &[T] {
        let samples = self.samples.get_mut(..num_samples).unwrap_or_default();
        let (start, num_bytes) = (samples.as_mut_ptr().cast::<MaybeUninit<u8>>(), size_of_val(samples));
        // SAFETY: the bytes of `samples`, borrowed mutably until the end of this call; MaybeUninit<u8> takes any of them.
        let bytes = unsafe { std::slice::from_raw_parts_mut(start, num_bytes) };
        kernel.convert(input, bytes);
        // SAFETY: `convert` initialises all of its output, which is all of `samples`, and any bits are a valid T.
        unsafe { samples.assume_init_ref() }
    }
}
