//! What is analysed: a file or an array.

use std::ops::Range;

use bytemuck::AnyBitPattern;
use mapwave_core::pcm::{ByteOrder, SampleFormat, StoreKernel};
use mapwave_core::track::Codec;
use mapwave_core::{Audio, Buffer, Error, FrameSpec, OutputFormat, ReadControl, Reader, Result};

/// The samples that are read at a time: as many as stay in the second-level cache.
const BLOCK_SAMPLES: usize = 1 << 17;

/// A type of samples that audio is analysed as.
pub(crate) trait Sample: AnyBitPattern + PartialOrd {
    const FORMAT: OutputFormat;

    /// What a sample at full scale is divided by to be 1.
    const FULL_SCALE: f32;

    fn to_f32(self) -> f32;
}

impl Sample for f32 {
    const FORMAT: OutputFormat = OutputFormat::F32;
    const FULL_SCALE: f32 = 1.0;

    fn to_f32(self) -> f32 {
        self
    }
}

/// Only for audio of 16 bits, which is read faster so.
impl Sample for i16 {
    const FORMAT: OutputFormat = OutputFormat::I16;
    const FULL_SCALE: f32 = 32_768.0;

    fn to_f32(self) -> f32 {
        self.into()
    }
}

/// What is analysed.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// The frames of a file, at the rate at which the reader delivers them.
    File(&'a Reader),
    /// Frames in memory.
    Array {
        /// The frames.
        audio: Audio<'a>,
        /// Frames per second.
        sample_rate: u32,
    },
}

impl<'a> From<&'a Reader> for Input<'a> {
    fn from(reader: &'a Reader) -> Self {
        Self::File(reader)
    }
}

impl Input<'_> {
    /// The number of frames.
    pub fn num_frames(&self) -> u64 {
        match self {
            Self::File(reader) => reader.num_frames(),
            Self::Array { audio, .. } => audio.num_frames() as u64,
        }
    }

    /// Samples per frame.
    pub fn num_channels(&self) -> u16 {
        match self {
            Self::File(reader) => reader.track().num_channels,
            Self::Array { audio, .. } => audio.num_channels(),
        }
    }

    /// Frames per second.
    pub fn sample_rate(&self) -> u32 {
        match self {
            Self::File(reader) => reader.sample_rate(),
            Self::Array { sample_rate, .. } => *sample_rate,
        }
    }

    /// Speaker positions as a WAVE channel mask; 0 when unknown.
    pub fn channel_mask(&self) -> u32 {
        match self {
            Self::File(reader) => reader.track().channel_mask,
            Self::Array { .. } => 0,
        }
    }

    /// How many threads can read different parts at once.
    pub(crate) fn max_threads(&self) -> usize {
        match self {
            Self::File(reader) => reader.max_threads(),
            Self::Array { .. } => usize::MAX,
        }
    }

    /// The error, with the file it is of.
    pub(crate) fn named(&self, error: Error) -> Error {
        match self {
            Self::File(reader) => reader.named(error),
            Self::Array { .. } => error,
        }
    }

    /// Whether the samples are 16-bit integers.
    pub(crate) fn is_16_bit(&self) -> bool {
        match self {
            Self::File(reader) if reader.sample_rate() != reader.track().sample_rate => false,
            Self::File(reader) => match &reader.track().codec {
                Codec::Pcm(format) => format.is_16_bit(),
                Codec::Compressed(stream) => stream.native.is_16_bit(),
                Codec::Packets(_) => false,
            },
            Self::Array { audio, .. } => audio.format() == OutputFormat::I16,
        }
    }

    /// Calls `look` with all interleaved samples of `frames`, a block after the other.
    pub(crate) fn each_block<T: Sample>(
        &self,
        frames: Range<u64>,
        scratch: &mut Scratch,
        stopped: &dyn Fn() -> bool,
        mut look: impl FnMut(&[T]),
    ) -> Result<()> {
        let step = (BLOCK_SAMPLES / usize::from(self.num_channels())).max(1) as u64;
        let mut start = frames.start;
        while start < frames.end {
            if stopped() {
                return Err(Error::Interrupted);
            }
            let end = frames.end.min(start + step);
            self.block(start..end, scratch, stopped, &mut look)?;
            start = end;
        }
        Ok(())
    }

    /// Calls `look` with the interleaved samples of `frames`.
    fn block<T: Sample>(
        &self,
        frames: Range<u64>,
        scratch: &mut Scratch,
        stopped: &dyn Fn() -> bool,
        look: &mut impl FnMut(&[T]),
    ) -> Result<()> {
        match self {
            Self::File(reader) => {
                let spec = FrameSpec { format: T::FORMAT, ..FrameSpec::default() };
                let control = ReadControl { max_threads: 1, interrupted: stopped };
                let frames = reader.read_with(frames, &spec, Buffer::recycled, &control)?;
                look(frames.samples().unwrap_or_default());
            }
            Self::Array { audio, .. } => {
                let place = |frame| usize::try_from(frame).unwrap_or(usize::MAX);
                let bytes = audio.interleaved(place(frames.start)..place(frames.end), &mut scratch.strided);
                let to = match T::FORMAT {
                    OutputFormat::I16 => SampleFormat::S16(ByteOrder::NATIVE),
                    _ => SampleFormat::F32(ByteOrder::NATIVE),
                };
                let num_bytes = bytes.len() / audio.format().num_bytes() * to.num_bytes();
                scratch.converted.resize(num_bytes.div_ceil(size_of::<f32>()), 0.0);
                let converted: &mut [u8] = bytemuck::cast_slice_mut(&mut scratch.converted);
                let converted = converted.get_mut(..num_bytes).unwrap_or_default();
                if let Some(kernel) = StoreKernel::new(audio.format(), to) {
                    kernel.store(bytes, converted);
                }
                look(bytemuck::try_cast_slice(converted).unwrap_or_default());
            }
        }
        Ok(())
    }
}

/// Memory that a thread reuses from block to block.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    strided: Vec<u8>,
    converted: Vec<f32>,
}
