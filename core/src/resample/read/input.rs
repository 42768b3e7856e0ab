//! The source of the frames to resample: a file or an array.

#![allow(unsafe_code)] // reads back what an input has written

use std::mem::MaybeUninit;
use std::ops::Range;

use bytemuck::Pod;

use crate::array::Audio;
use crate::decode::{FrameTrack, ReadControl};
use crate::error::{Error, Parameter, Result};
use crate::pcm::{ByteOrder, OutputFormat, SampleFormat, StoreKernel};
use crate::segment::Stop;
use crate::source::Source;
use crate::spec::{ChannelSelection, FrameSpec, Layout};

/// Frames that can be read from any position.
///
/// # Safety
/// If [`read`](Self::read) succeeds, it must have written every byte of `out`.
pub(crate) unsafe trait FrameSource: Sync {
    /// The number of frames.
    fn num_frames(&self) -> u64;

    /// Samples per frame.
    fn num_channels(&self) -> usize;

    /// How many threads may read at once.
    fn max_threads(&self) -> usize;

    /// The cost of starting at any frame, in frames.
    fn seek_cost_frames(&self) -> u64;

    /// Whether the samples are 16-bit integers.
    fn is_16_bit(&self) -> bool;

    /// Reads `frames`, interleaved, as samples of `format`: float32, float64, or int16 if [`is_16_bit`](Self::is_16_bit).
    fn read(
        &self,
        frames: Range<u64>,
        format: OutputFormat,
        out: &mut [MaybeUninit<u8>],
        stop: &Stop<'_>,
    ) -> Result<()>;
}

/// The frames of a file.
pub(crate) struct FileFrames<'a> {
    pub(crate) frames: &'a FrameTrack,
    pub(crate) source: &'a Source,
    pub(crate) channels: &'a ChannelSelection,
    /// The number of selected channels.
    pub(crate) num_channels: usize,
}

// SAFETY: `FrameTrack::read` initialises all of its output when it succeeds.
unsafe impl FrameSource for FileFrames<'_> {
    fn num_frames(&self) -> u64 {
        self.frames.num_frames()
    }

    fn num_channels(&self) -> usize {
        self.num_channels
    }

    fn max_threads(&self) -> usize {
        self.frames.max_threads()
    }

    fn seek_cost_frames(&self) -> u64 {
        self.frames.seek_cost_frames()
    }

    fn is_16_bit(&self) -> bool {
        // The mean of two integers may not be an integer.
        let is_mixed = matches!(self.channels, ChannelSelection::Mono(_) | ChannelSelection::Matrix(_));
        self.frames.is_16_bit() && !is_mixed
    }

    fn read(
        &self,
        frames: Range<u64>,
        format: OutputFormat,
        out: &mut [MaybeUninit<u8>],
        stop: &Stop<'_>,
    ) -> Result<()> {
        let channels = self.channels.clone();
        let spec = FrameSpec { format, channels, layout: Layout::ChannelsLast, squeeze_mono: false };
        let control = ReadControl { max_threads: 1, interrupted: &|| stop.check().is_err() };
        self.frames.read(self.source, frames, &spec, out, &control)
    }
}

/// The frames of an array.
pub(crate) struct ArrayFrames<'a>(pub(crate) Audio<'a>);

/// The number of frames of an array converted at a time.
const FRAMES_AT_A_TIME: usize = 4096;

// SAFETY: the whole output is cut into parts, and every part is written.
unsafe impl FrameSource for ArrayFrames<'_> {
    fn num_frames(&self) -> u64 {
        self.0.num_frames() as u64
    }

    fn num_channels(&self) -> usize {
        self.0.num_channels().into()
    }

    fn max_threads(&self) -> usize {
        usize::MAX
    }

    fn seek_cost_frames(&self) -> u64 {
        0
    }

    fn is_16_bit(&self) -> bool {
        self.0.format() == OutputFormat::I16
    }

    fn read(
        &self,
        frames: Range<u64>,
        format: OutputFormat,
        out: &mut [MaybeUninit<u8>],
        stop: &Stop<'_>,
    ) -> Result<()> {
        stop.check()?;
        let to = match format {
            OutputFormat::F64 => SampleFormat::F64(ByteOrder::NATIVE),
            OutputFormat::I16 => SampleFormat::S16(ByteOrder::NATIVE),
            OutputFormat::F32 | OutputFormat::F16 | OutputFormat::Bf16 | OutputFormat::I32 => {
                SampleFormat::F32(ByteOrder::NATIVE)
            }
        };
        let kernel = StoreKernel::new(self.0.format(), to).ok_or_else(|| {
            Error::argument(Parameter::Audio, "samples that can be resampled", self.0.format())
        })?;
        let frame_bytes = self.num_channels() * to.num_bytes();
        let mut next = usize::try_from(frames.start).unwrap_or(usize::MAX);
        let (mut strided, mut converted) = (Vec::new(), Vec::new());
        for part in out.chunks_mut(FRAMES_AT_A_TIME * frame_bytes) {
            let end = next + part.len() / frame_bytes;
            converted.resize(part.len(), 0);
            kernel.store(self.0.interleaved(next..end, &mut strided), &mut converted);
            part.write_copy_of_slice(&converted);
            next = end;
        }
        Ok(())
    }
}

/// A buffer for interleaved samples between an input and the channels of an engine.
#[derive(Debug)]
pub(crate) struct Interleaved<T> {
    samples: Vec<T>,
}

impl<T: Pod> Interleaved<T> {
    pub(crate) fn new() -> Self {
        Self { samples: Vec::new() }
    }

    /// Reads frames as samples of `format`, which has the size of `T`, and appends the samples of each channel to it.
    pub(crate) fn read(
        &mut self,
        input: &dyn FrameSource,
        frames: Range<u64>,
        format: OutputFormat,
        channels: &mut [Vec<T>],
        stop: &Stop<'_>,
    ) -> Result<()> {
        assert_eq!(size_of::<T>(), format.num_bytes(), "the size of a sample of {format}");
        let num_frames = usize::try_from(frames.end - frames.start).unwrap_or(usize::MAX);
        let num_samples = num_frames.saturating_mul(input.num_channels());
        self.samples.clear();
        self.samples.reserve(num_samples);
        let room = self.samples.spare_capacity_mut().get_mut(..num_samples).unwrap_or_default();
        let (start, num_bytes) = (room.as_mut_ptr().cast::<MaybeUninit<u8>>(), size_of_val(room));
        // SAFETY: the bytes of `room`, which is borrowed mutably until they are used no more; any byte is a MaybeUninit<u8>.
        let bytes = unsafe { std::slice::from_raw_parts_mut(start, num_bytes) };
        input.read(frames, format, bytes, stop)?;
        // SAFETY: as many samples were reserved, an input that succeeds has written all of their bytes, and any bits are a T.
        unsafe { self.samples.set_len(num_samples) };
        match channels {
            [only] => only.extend_from_slice(&self.samples),
            [left, right] => {
                let pairs = self.samples.as_chunks::<2>().0;
                left.extend(pairs.iter().map(|[left, _]| *left));
                right.extend(pairs.iter().map(|[_, right]| *right));
            }
            many => {
                let step = many.len();
                for (number, channel) in many.iter_mut().enumerate() {
                    channel.extend(self.samples.iter().skip(number).step_by(step));
                }
            }
        }
        Ok(())
    }
}
