//! The caller's buffer for decoded frames.

#![allow(unsafe_code)] // uninitialised memory that the host passes by pointer

use std::ffi::c_void;
use std::marker::PhantomData;
use std::mem::MaybeUninit;

use crate::sample::{Layout, Sample, SampleFormat};

/// A buffer for frames in the caller's memory, written from the front.
///
/// The frames must be in the requested format, which determines what `convert` has to make; the layout is seen to.
///
/// ```
/// use mapwave_plugin::{Layout, Output, SampleFormat};
///
/// let mut samples = [f32::NAN; 8];
/// Output::with_slice(&mut samples, 2, |output| {
///     assert_eq!((output.format(), output.layout()), (SampleFormat::F32, Layout::Interleaved));
///     assert_eq!((output.num_channels(), output.room()), (2, 4));
///     let (left, right): (&[i16], &[i16]) = (&[16384, 8192], &[-16384, 0]);
///     assert_eq!(output.write_planar(&[left, right], |sample| f32::from(sample) / 32768.0), 2);
///     assert_eq!(output.write_interleaved(&[1i16, 2], f32::from), 1);
///     assert_eq!(output.write_silence(100), 1, "there was no more room");
///     assert_eq!((output.num_written(), output.room()), (4, 0));
/// });
/// assert_eq!(samples, [0.5, -0.5, 0.25, 0.0, 1.0, 2.0, 0.0, 0.0]);
/// ```
#[derive(Debug)]
pub struct Output<'a> {
    planes: &'a [*mut c_void],
    format: SampleFormat,
    layout: Layout,
    num_channels: usize,
    num_frames: usize,
    num_written: usize,
    memory: PhantomData<&'a mut [MaybeUninit<u8>]>,
}

impl<'a> Output<'a> {
    /// Room for `num_frames` frames of `num_channels` channels.
    ///
    /// # Safety
    /// Every plane (one if interleaved, else one per channel) points to memory for that many samples of `format`,
    /// aligned to their size, that nobody else uses while the value lives.
    pub(crate) unsafe fn new(
        planes: &'a [*mut c_void],
        format: SampleFormat,
        layout: Layout,
        num_channels: usize,
        num_frames: usize,
    ) -> Self {
        debug_assert_eq!(planes.len(), if layout == Layout::Planar { num_channels } else { 1 });
        Self { planes, format, layout, num_channels, num_frames, num_written: 0, memory: PhantomData }
    }

    /// A buffer in a slice, for tests of decoders: interleaved samples of whole frames.
    pub fn with_slice<T: Sample, R>(
        samples: &mut [T],
        num_channels: usize,
        write: impl FnOnce(&mut Output<'_>) -> R,
    ) -> R {
        let planes = [samples.as_mut_ptr().cast()];
        let num_frames = samples.len() / num_channels.max(1);
        // SAFETY: the one plane is `samples`, borrowed mutably until this returns, which has room for as many frames.
        let mut output =
            unsafe { Output::new(&planes, T::FORMAT, Layout::Interleaved, num_channels, num_frames) };
        write(&mut output)
    }

    /// The requested sample format.
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

    /// The number of frames that still fit.
    pub fn room(&self) -> usize {
        self.num_frames - self.num_written
    }

    /// The number of frames written.
    pub fn num_written(&self) -> usize {
        self.num_written
    }

    /// Writes frames from one slice per channel, as many as fit, and returns their number. `convert` converts a sample
    /// to the requested format.
    ///
    /// # Panics
    /// When `T` is not the type of the requested format or the number of slices in `planes` is not the number of
    /// channels.
    pub fn write_planar<S: Copy, T: Sample>(&mut self, planes: &[&[S]], convert: impl Fn(S) -> T) -> usize {
        assert_eq!(planes.len(), self.num_channels, "one slice for each channel");
        let num_frames = planes.iter().map(|plane| plane.len()).min().unwrap_or(0).min(self.room());
        match self.layout {
            Layout::Planar => {
                for (channel, plane) in planes.iter().enumerate() {
                    let room = self.plane::<T>(channel, num_frames);
                    room.iter_mut().zip(*plane).for_each(|(to, from)| {
                        to.write(convert(*from));
                    });
                }
            }
            Layout::Interleaved => {
                let room = self.plane::<T>(0, num_frames);
                match planes {
                    [left, right] => {
                        for ((frame, left), right) in
                            room.as_chunks_mut::<2>().0.iter_mut().zip(*left).zip(*right)
                        {
                            *frame = [MaybeUninit::new(convert(*left)), MaybeUninit::new(convert(*right))];
                        }
                    }
                    _ => {
                        for (channel, plane) in planes.iter().enumerate() {
                            let places = room.iter_mut().skip(channel).step_by(planes.len());
                            places.zip(*plane).for_each(|(to, from)| {
                                to.write(convert(*from));
                            });
                        }
                    }
                }
            }
        }
        self.num_written += num_frames;
        num_frames
    }

    /// Writes interleaved frames, as many as fit, and returns their number.
    ///
    /// # Panics
    /// When `T` is not the type of the requested format.
    pub fn write_interleaved<S: Copy, T: Sample>(
        &mut self,
        samples: &[S],
        convert: impl Fn(S) -> T,
    ) -> usize {
        let num_channels = self.num_channels;
        let num_frames = (samples.len() / num_channels.max(1)).min(self.room());
        match self.layout {
            Layout::Interleaved => {
                let room = self.plane::<T>(0, num_frames);
                room.iter_mut().zip(samples).for_each(|(to, from)| {
                    to.write(convert(*from));
                });
            }
            Layout::Planar => {
                for channel in 0..num_channels {
                    let room = self.plane::<T>(channel, num_frames);
                    let one = samples.iter().skip(channel).step_by(num_channels);
                    room.iter_mut().zip(one).for_each(|(to, from)| {
                        to.write(convert(*from));
                    });
                }
            }
        }
        self.num_written += num_frames;
        num_frames
    }

    /// Has the next frames written in place by `write`, for decoders whose samples need no conversion: it gets the rest of the
    /// memory, interleaved or of the only channel, writes whole frames to its beginning and returns them. Returns the number
    /// of frames, or `None` when the channels are apart, for which [`write_channels`](Self::write_channels) is.
    ///
    /// ```
    /// use std::convert::Infallible;
    ///
    /// use mapwave_plugin::Output;
    ///
    /// let mut samples = [0i16; 6];
    /// let written = Output::with_slice(&mut samples, 2, |output| {
    ///     output.write_in_place(|room| Ok::<_, Infallible>(room[..4].write_copy_of_slice(&[1i16, 2, 3, 4])))
    /// });
    /// assert_eq!((written, samples), (Some(Ok(2)), [1, 2, 3, 4, 0, 0]));
    /// ```
    ///
    /// # Errors
    /// Those of `write`; then nothing counts as written.
    ///
    /// # Panics
    /// When `T` is not the type of the requested format, or `write` returns anything but whole frames at the beginning.
    pub fn write_in_place<T: Sample, E>(
        &mut self,
        write: impl for<'r> FnOnce(&'r mut [MaybeUninit<T>]) -> Result<&'r mut [T], E>,
    ) -> Option<Result<usize, E>> {
        if self.layout == Layout::Planar && self.num_channels != 1 {
            return None;
        }
        let num_channels = self.num_channels.max(1);
        let written = written_by(self.plane::<T>(0, self.room()), write);
        Some(written.map(|num_samples| {
            assert!(num_samples.is_multiple_of(num_channels), "whole frames");
            self.num_written += num_samples / num_channels;
            num_samples / num_channels
        }))
    }

    /// As [`write_in_place`](Self::write_in_place), channel by channel, when the channels are apart: `write` gets the number of
    /// a channel and the memory of its next `num_frames` frames, all of which it writes. Returns `None` when the channels are
    /// not apart.
    ///
    /// # Errors
    /// Those of `write`; then nothing counts as written.
    ///
    /// # Panics
    /// As [`write_in_place`](Self::write_in_place), or when `num_frames` is more than there is room for.
    pub fn write_channels<T: Sample, E>(
        &mut self,
        num_frames: usize,
        mut write: impl for<'r> FnMut(usize, &'r mut [MaybeUninit<T>]) -> Result<&'r mut [T], E>,
    ) -> Option<Result<(), E>> {
        if self.layout != Layout::Planar {
            return None;
        }
        for channel in 0..self.num_channels {
            match written_by(self.plane::<T>(channel, num_frames), |room| write(channel, room)) {
                Ok(num_samples) => assert_eq!(num_samples, num_frames, "all frames"),
                Err(error) => return Some(Err(error)),
            }
        }
        self.num_written += num_frames;
        Some(Ok(()))
    }

    /// Writes up to `num_frames` frames of silence and returns their number.
    pub fn write_silence(&mut self, num_frames: usize) -> usize {
        let num_frames = num_frames.min(self.room());
        match self.format {
            SampleFormat::F32 => self.fill::<f32>(num_frames),
            SampleFormat::I16 => self.fill::<i16>(num_frames),
            SampleFormat::I32 => self.fill::<i32>(num_frames),
        }
        self.num_written += num_frames;
        num_frames
    }

    fn fill<T: Sample>(&mut self, num_frames: usize) {
        for plane in 0..self.planes.len() {
            self.plane::<T>(plane, num_frames).fill(MaybeUninit::new(T::default()));
        }
    }

    /// The room for the next `num_frames` frames in a plane.
    fn plane<T: Sample>(&mut self, plane: usize, num_frames: usize) -> &mut [MaybeUninit<T>] {
        assert_eq!(T::FORMAT, self.format, "samples of the requested format");
        assert!(num_frames <= self.room(), "no more frames than fit");
        let samples_per_frame = if self.layout == Layout::Planar { 1 } else { self.num_channels };
        let Some(start) = self.planes.get(plane) else { return &mut [] };
        // SAFETY: `new` was promised room for all of `num_frames` frames, before which the ones written lie.
        let start = unsafe { start.cast::<MaybeUninit<T>>().add(self.num_written * samples_per_frame) };
        // SAFETY: by the assertion, `num_frames` more lie inside that room, aligned for T and borrowed with `self`.
        unsafe { std::slice::from_raw_parts_mut(start, num_frames * samples_per_frame) }
    }
}

/// The number of samples that `write` has written to the beginning of `room`. What it returns proves that they are
/// initialised: no safe code makes such a slice there but of samples that are.
fn written_by<T: Sample, E>(
    room: &mut [MaybeUninit<T>],
    write: impl for<'r> FnOnce(&'r mut [MaybeUninit<T>]) -> Result<&'r mut [T], E>,
) -> Result<usize, E> {
    let (start, room_samples) = (room.as_ptr().cast::<T>(), room.len());
    let written = write(room)?;
    let is_front = written.as_ptr() == start && written.len() <= room_samples;
    assert!(written.is_empty() || is_front, "what is returned is the beginning of the memory");
    Ok(written.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_written_in_place_where_they_are_apart() {
        let (mut left, mut right) = ([0_i16; 3], [0_i16; 3]);
        let planes = [left.as_mut_ptr().cast(), right.as_mut_ptr().cast()];
        // SAFETY: the planes are the two arrays, which nothing else uses until the output is gone.
        let mut output = unsafe { Output::new(&planes, SampleFormat::I16, Layout::Planar, 2, 3) };
        let interleaved = output.write_in_place(|room| Ok::<_, ()>(room.write_copy_of_slice(&[0_i16; 3])));
        assert_eq!(interleaved, None);
        let channels = [[1_i16, 2], [3, 4]];
        let written = output.write_channels(2, |channel, room| {
            Ok::<_, ()>(room.write_copy_of_slice(channels.get(channel).unwrap_or(&[0, 0])))
        });
        assert_eq!((written, output.num_written(), output.room()), (Some(Ok(())), 2, 1));
        let failed = output.write_channels::<i16, _>(1, |_, _| Err("no"));
        assert_eq!((failed, output.num_written()), (Some(Err("no")), 2));
        assert_eq!((left, right), ([1, 2, 0], [3, 4, 0]));
    }

    #[test]
    #[should_panic = "the beginning of the memory"]
    fn what_is_returned_must_lie_in_the_memory() {
        Output::with_slice(&mut [0_i16; 4], 2, |output| {
            output.write_in_place(|_| Ok::<_, ()>(Box::leak(Box::new([1_i16, 2]))))
        });
    }

    #[test]
    #[should_panic = "whole frames"]
    fn whole_frames_are_written() {
        Output::with_slice(&mut [0_i16; 4], 2, |output| {
            output.write_in_place(|room| Ok::<_, ()>(room.split_at_mut(3).0.write_copy_of_slice(&[1_i16; 3])))
        });
    }
}
