//! Frames that the host passes in.

#![allow(unsafe_code)] // memory that the host passes by pointer

use std::ffi::c_void;
use std::marker::PhantomData;

use crate::sample::{Layout, Sample, SampleFormat};

/// Frames to be encoded or resampled, in the caller's own memory.
#[derive(Clone, Copy, Debug)]
pub struct Block<'a> {
    planes: &'a [*mut c_void],
    format: SampleFormat,
    layout: Layout,
    num_channels: usize,
    num_frames: usize,
    memory: PhantomData<&'a [u8]>,
}

impl<'a> Block<'a> {
    /// The frames in `planes`.
    ///
    /// # Safety
    /// Every plane (one when interleaved, else one a channel) points to that many samples of `format`, aligned to their size,
    /// that nobody changes while the value lives.
    pub(crate) unsafe fn new(
        planes: &'a [*mut c_void],
        format: SampleFormat,
        layout: Layout,
        num_channels: usize,
        num_frames: usize,
    ) -> Self {
        debug_assert_eq!(planes.len(), if layout == Layout::Planar { num_channels } else { 1 });
        Self { planes, format, layout, num_channels, num_frames, memory: PhantomData }
    }

    /// The format of the samples.
    pub fn format(&self) -> SampleFormat {
        self.format
    }

    /// How the samples stand in memory.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Samples in a frame.
    pub fn num_channels(&self) -> usize {
        self.num_channels
    }

    /// The number of frames.
    pub fn num_frames(&self) -> usize {
        self.num_frames
    }

    /// The samples of one channel; `None` unless they are planar and of type `T`.
    pub fn channel<T: Sample>(&self, channel: usize) -> Option<&'a [T]> {
        (self.layout == Layout::Planar).then(|| self.plane(channel)).flatten()
    }

    /// All samples side by side; `None` unless they are interleaved and of type `T`.
    pub fn interleaved<T: Sample>(&self) -> Option<&'a [T]> {
        (self.layout == Layout::Interleaved).then(|| self.plane(0)).flatten()
    }

    /// Copies all samples side by side to the end of `samples`; false unless they are of type `T`.
    pub fn append_interleaved<T: Sample>(&self, samples: &mut Vec<T>) -> bool {
        if self.format != T::FORMAT {
            return false;
        }
        match self.layout {
            Layout::Interleaved => samples.extend_from_slice(self.plane(0).unwrap_or_default()),
            Layout::Planar => {
                let first = samples.len();
                samples.resize(first + self.num_frames * self.num_channels, T::default());
                for channel in 0..self.num_channels {
                    let places = samples.iter_mut().skip(first + channel).step_by(self.num_channels);
                    let plane = self.plane::<T>(channel).unwrap_or_default();
                    places.zip(plane).for_each(|(to, from)| *to = *from);
                }
            }
        }
        true
    }

    fn plane<T: Sample>(&self, plane: usize) -> Option<&'a [T]> {
        let samples_per_frame = if self.layout == Layout::Planar { 1 } else { self.num_channels };
        let start = self.planes.get(plane).filter(|_| self.format == T::FORMAT)?;
        // SAFETY: `new` was promised that many samples of this format there, aligned, unchanged for 'a.
        Some(unsafe { std::slice::from_raw_parts(start.cast::<T>(), self.num_frames * samples_per_frame) })
    }
}
