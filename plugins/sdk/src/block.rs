//! Frames from the host.

#![allow(unsafe_code)] // memory that the host passes by pointer

use std::ffi::c_void;
use std::marker::PhantomData;

use crate::error::{Error, Result, Status};
use crate::sample::{Layout, Sample, SampleFormat};

/// Frames to encode or resample, in the caller's memory.
///
/// ```
/// use mapwave_plugin::{Block, Layout, SampleFormat};
///
/// Block::with_slice(&[1i16, 2, 3, 4, 5, 6], 2, |block| {
///     assert_eq!((block.format(), block.layout()), (SampleFormat::I16, Layout::Interleaved));
///     assert_eq!((block.num_channels(), block.num_frames()), (2, 3));
///     assert_eq!(block.interleaved::<i16>(), Some(&[1, 2, 3, 4, 5, 6][..]));
///     assert_eq!(block.interleaved::<f32>(), None, "they are of another type");
///     assert_eq!(block.channel::<i16>(0), None, "they are not planar");
///     let mut samples = vec![0i16];
///     assert!(block.append_interleaved(&mut samples));
///     assert_eq!(samples, [0, 1, 2, 3, 4, 5, 6]);
/// });
/// Block::with_planes(&[&[1i16, 3, 5], &[2, 4, 6]], |block| {
///     assert_eq!(block.channel::<i16>(1), Some(&[2, 4, 6][..]));
/// });
/// ```
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
    /// Every plane (one if interleaved, else one per channel) points to that many samples of `format`, aligned to their
    /// size, which nobody changes while the value lives.
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

    /// Interleaved samples in a slice, for tests of encoders and resamplers. An incomplete last frame is ignored.
    pub fn with_slice<T: Sample, R>(
        samples: &[T],
        num_channels: usize,
        read: impl FnOnce(&Block<'_>) -> R,
    ) -> R {
        let planes = [samples.as_ptr().cast_mut().cast()];
        let num_frames = samples.len() / num_channels.max(1);
        // SAFETY: the one plane is `samples`, borrowed until this returns, which has as many frames.
        read(&unsafe { Block::new(&planes, T::FORMAT, Layout::Interleaved, num_channels, num_frames) })
    }

    /// Planar samples in one slice per channel, for tests of encoders and resamplers: as many frames as the shortest
    /// has.
    pub fn with_planes<T: Sample, R>(planes: &[&[T]], read: impl FnOnce(&Block<'_>) -> R) -> R {
        let num_frames = planes.iter().map(|plane| plane.len()).min().unwrap_or(0);
        let starts: Vec<_> = planes.iter().map(|plane| plane.as_ptr().cast_mut().cast()).collect();
        // SAFETY: the planes are borrowed until this returns, and each has as many frames.
        read(&unsafe { Block::new(&starts, T::FORMAT, Layout::Planar, planes.len(), num_frames) })
    }

    /// The format of the samples.
    pub fn format(&self) -> SampleFormat {
        self.format
    }

    /// The layout of the samples in memory.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Samples per frame.
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

    /// All samples, frame by frame; `None` unless they are interleaved and of type `T`.
    pub fn interleaved<T: Sample>(&self) -> Option<&'a [T]> {
        (self.layout == Layout::Interleaved).then(|| self.plane(0)).flatten()
    }

    /// Appends all samples, interleaved, to `samples`; false unless they are of type `T`.
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

    /// Rejects floats that an encoder does not support: those for which `is_good` is false. Samples of other formats
    /// always pass.
    ///
    /// `first_frame` is the number of the block's first frame in the stream; `expected` describes a good sample.
    ///
    /// ```
    /// use mapwave_plugin::Block;
    ///
    /// Block::with_slice(&[0.0, 0.5, 1.5, f32::NAN], 2, |block| {
    ///     let error = block.check_floats(100, "a number", f32::is_finite).unwrap_err();
    ///     assert_eq!(error.message(), "the sample of frame 101, channel 1, is NaN; expected a number");
    /// });
    /// ```
    ///
    /// # Errors
    /// [`Status::BadData`] with the frame, the channel and the value of the first such sample in memory.
    pub fn check_floats(
        &self,
        first_frame: u64,
        expected: &str,
        is_good: impl Fn(f32) -> bool,
    ) -> Result<()> {
        let samples_per_frame = self.samples_per_frame().max(1);
        let bad = (0..self.planes.len()).find_map(|plane| {
            let samples = self.plane::<f32>(plane)?;
            let place = samples.iter().position(|sample| !is_good(*sample))?;
            Some((place / samples_per_frame, plane + place % samples_per_frame, samples.get(place)?))
        });
        let Some((frame, channel, sample)) = bad else { return Ok(()) };
        let frame = first_frame.saturating_add(frame as u64);
        let message =
            format!("the sample of frame {frame}, channel {channel}, is {sample}; expected {expected}");
        Err(Error::new(Status::BadData, message))
    }

    /// The samples of a frame in a plane.
    fn samples_per_frame(&self) -> usize {
        if self.layout == Layout::Planar { 1 } else { self.num_channels }
    }

    fn plane<T: Sample>(&self, plane: usize) -> Option<&'a [T]> {
        let start = self.planes.get(plane).filter(|_| self.format == T::FORMAT)?;
        // SAFETY: `new` was promised that many samples of this format there, aligned, unchanged for 'a.
        Some(unsafe {
            std::slice::from_raw_parts(start.cast::<T>(), self.num_frames * self.samples_per_frame())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(block: &Block<'_>) -> Option<(Status, String)> {
        let error = block.check_floats(100, "a number", f32::is_finite).err()?;
        Some((error.status(), error.message().to_owned()))
    }

    fn bad(place: &str) -> Option<(Status, String)> {
        Some((Status::BadData, format!("the sample of {place}; expected a number")))
    }

    #[test]
    fn what_is_no_number_is_named_by_its_place() {
        let found = Block::with_slice(&[0.0, 0.5, 1.5, f32::NAN], 2, check);
        assert_eq!(found, bad("frame 101, channel 1, is NaN"));
        let found = Block::with_planes(&[&[0.0, f32::NEG_INFINITY]], check);
        assert_eq!(found, bad("frame 101, channel 0, is -inf"));
        let found = Block::with_planes(&[&[0.0; 3], &[0.0, 1.0, f32::INFINITY]], check);
        assert_eq!(found, bad("frame 102, channel 1, is inf"));
        assert_eq!(Block::with_slice(&[1.5f32, -2.0], 2, check), None);
        assert_eq!(Block::with_slice(&[i16::MIN], 1, check), None);
        assert_eq!(Block::with_slice::<f32, _>(&[], 2, check), None);
    }

    #[test]
    fn frames_are_counted_to_the_end_of_all_numbers() {
        let error = Block::with_slice(&[0.0, 9.0], 1, |block| {
            block.check_floats(u64::MAX, "at most 8", |sample| sample <= 8.0)
        });
        let message = error.err().map(|error| error.message().to_owned());
        let expected = format!("the sample of frame {}, channel 0, is 9; expected at most 8", u64::MAX);
        assert_eq!(message, Some(expected));
    }
}
