//! Reads frames at another rate: any window, on any number of threads, with the same bits.
//!
//! A [`Converter`] is chosen once. A [`Run`] produces consecutive frames from its starting position and reads its input as it
//! goes, so that its memory does not depend on the length of the audio. Long reads are divided where runs may start, and a
//! read that continues where another ended reuses its run.

#![allow(unsafe_code)] // one place: frames that were made

mod backend;
mod blocks;
mod converter;
mod delivery;
mod input;
mod quality;
mod run;
mod stream;

use std::mem::MaybeUninit;
use std::ops::Range;

use mapwave_fork::Lock;

use crate::array::Audio;
use crate::buffer::{Buffer, Frames};
use crate::decode::ReadControl;
use crate::error::Result;
use crate::resample::engine::Rates;
use crate::segment::{self, Piece};
use crate::spec::{ChannelSelection, FrameSpec, Layout};

pub(crate) use converter::Converter;
pub(crate) use input::{FileFrames, FrameSource};
pub use quality::ResampleQuality;

use delivery::Delivery;
use input::ArrayFrames;
use run::AnyRun;

/// How many idle runs are kept, each with up to a few megabytes of buffers.
const MAX_IDLE: usize = 4;

/// Resamples an array into a buffer that `allocate` makes, given its size in bytes.
///
/// `spec` determines the format and layout of the result. It has the channels of the array: `spec.channels` is ignored.
///
/// ```
/// use mapwave_core::resample::Rates;
/// use mapwave_core::{Audio, Buffer, ReadControl, FrameSpec, OutputFormat, ResampleQuality, resample_array};
///
/// let ones = [1.0_f32; 44_100];
/// let audio = Audio::new(&ones, OutputFormat::F32, &[44_100], None)?;
/// let (rates, spec) = (Rates::new(44_100, 16_000)?, FrameSpec::default());
/// let quality = ResampleQuality::Default;
/// let frames = resample_array(audio, rates, quality, &spec, Buffer::new, &ReadControl::ONE_THREAD)?;
/// assert_eq!(frames.shape().axes(), [16_000, 1]);
/// assert!((frames.samples::<f32>().unwrap()[8000] - 1.0).abs() < 1e-6);
/// # Ok::<(), mapwave_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Argument`](crate::Error::Argument) if the rates are too far apart, [`Error::Unsupported`](crate::Error::Unsupported)
/// if no plugin has the quality, [`Error::Limit`](crate::Error::Limit) or [`Error::OutOfMemory`](crate::Error::OutOfMemory) if
/// the result is too large, and [`Error::Interrupted`](crate::Error::Interrupted).
pub fn resample_array(
    audio: Audio<'_>,
    rates: Rates,
    quality: ResampleQuality,
    spec: &FrameSpec,
    allocate: impl FnOnce(usize) -> Result<Buffer>,
    control: &ReadControl<'_>,
) -> Result<Frames> {
    let resampled = Resampled::new(Converter::new(rates, quality)?, audio.num_frames() as u64);
    let spec = FrameSpec { channels: ChannelSelection::All, ..spec.clone() };
    let shape = spec.shape(resampled.num_frames(), audio.num_channels())?;
    let mut buffer = allocate(shape.num_samples() * spec.format.num_bytes())?;
    let frames = 0..resampled.num_frames();
    resampled.read(&ArrayFrames(audio), frames, &spec, buffer.as_uninit_mut(), control)?;
    // SAFETY: `read` initialises all of the buffer when it succeeds, and the buffer was made for `shape`.
    Ok(unsafe { Frames::new(buffer, spec.format, shape) })
}

/// Resampled frames.
#[derive(Debug)]
pub(crate) struct Resampled {
    converter: Converter,
    num_frames: u64,
    idle: Lock<Vec<Idle>>,
}

/// An idle run that can continue.
#[derive(Debug)]
struct Idle {
    channels: ChannelSelection,
    run: AnyRun,
}

impl Resampled {
    /// `num_input_frames` frames, resampled.
    pub(crate) fn new(converter: Converter, num_input_frames: u64) -> Self {
        let num_frames = converter.rates().num_output_frames(num_input_frames);
        Self { converter, num_frames, idle: Lock::new() }
    }

    /// The rates.
    pub(crate) fn rates(&self) -> Rates {
        self.converter.rates()
    }

    /// The number of frames after resampling.
    pub(crate) fn num_frames(&self) -> u64 {
        self.num_frames
    }

    /// Reads `frames`, which must exist, into `out`. On success, all of `out` is initialised.
    ///
    /// `input` delivers the channels that `spec` requests, and must be the same for every read.
    pub(crate) fn read(
        &self,
        input: &dyn FrameSource,
        frames: Range<u64>,
        spec: &FrameSpec,
        out: &mut [MaybeUninit<u8>],
        control: &ReadControl<'_>,
    ) -> Result<()> {
        if out.is_empty() {
            return Ok(());
        }
        let num_channels = input.num_channels();
        let is_planar = num_channels > 1 && spec.layout == Layout::ChannelsFirst;
        let num_planes = if is_planar { num_channels } else { 1 };
        let frame_bytes = num_channels / num_planes * spec.format.num_bytes();
        let max_threads = control.max_threads.min(input.max_threads()).max(1);
        let end = frames.end;
        let segments = self.plan(&frames, input, max_threads)?;
        // Threads without a segment of their own may help within one.
        let threads_each = (max_threads / segments.len()).max(1);
        let delivery = Delivery::new(spec.format, num_channels, is_planar);
        let pieces = segment::cut(out, num_planes, frame_bytes, segments);
        segment::work(
            pieces,
            max_threads,
            control.interrupted,
            || (),
            |(), piece, stop| {
                let Piece { frames, planes } = piece;
                let mut run = self.run(frames.start, &spec.channels, input, threads_each)?;
                run.read(frames.end, input, &delivery, planes, stop)?;
                // The next read can only continue at the end of the whole read.
                if frames.end == end {
                    self.give_back(run, &spec.channels);
                }
                Ok(())
            },
        )
    }

    /// Divides `frames` where runs may start.
    fn plan(
        &self,
        frames: &Range<u64>,
        input: &dyn FrameSource,
        max_threads: usize,
    ) -> Result<Vec<Range<u64>>> {
        let whole = || vec![frames.clone()];
        if max_threads == 1 {
            return Ok(whole());
        }
        let num_frames = frames.end - frames.start;
        let Some(start) = self.converter.start(num_frames)? else { return Ok(whole()) };
        let seek = self.rates().num_output_frames(input.seek_cost_frames());
        let cost = seek.saturating_add(start.cost);
        Ok(segment::plan(frames.clone(), cost, Some(start.grid), max_threads))
    }

    /// A run positioned at `frame`: one that ended there, or a new one.
    fn run(
        &self,
        frame: u64,
        channels: &ChannelSelection,
        input: &dyn FrameSource,
        max_threads: usize,
    ) -> Result<AnyRun> {
        let going_on = {
            let mut idle = self.idle.lock();
            idle.retain(|idle| !idle.run.is_left_behind());
            let fit = idle.iter().position(|idle| idle.channels == *channels && idle.run.position() == frame);
            fit.map(|index| idle.swap_remove(index).run)
        };
        match going_on {
            Some(run) => Ok(run),
            None => AnyRun::begin(&self.converter, frame, input, max_threads),
        }
    }

    fn give_back(&self, run: AnyRun, channels: &ChannelSelection) {
        if run.position() >= self.num_frames {
            return;
        }
        let mut idle = self.idle.lock();
        if idle.len() >= MAX_IDLE {
            idle.remove(0);
        }
        idle.push(Idle { channels: channels.clone(), run });
    }
}
