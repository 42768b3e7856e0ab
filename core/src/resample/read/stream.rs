//! A plugin's resampler at work, which takes a signal from some frame on and gives what comes out as it comes.

#![forbid(unsafe_code)]

use std::sync::OnceLock;

use super::backend::{Backend, Start};
use super::input::{FrameSource, Interleaved};
use crate::error::{Error, Fault, Result};
use crate::host::{Channels, Portion, Resampler, ResamplerKind, ResamplerRequest, Restart};
use crate::pcm::OutputFormat;
use crate::resample::engine::Rates;
use crate::segment::Stop;

/// The frames that go in at a time: more would leave the second-level cache, in which a plugin's buffers should stay.
const INPUT_FRAMES: u64 = 1 << 14;

/// The most frames that come out at a time.
const OUTPUT_FRAMES: usize = 1 << 14;

/// The fewest input frames for which it is worth asking a plugin where it may begin, in order to divide them: a minute and a
/// half of sound, for a plugin may take a twentieth of a second to find out the first time.
const MIN_DIVIDED_FRAMES: u64 = 1 << 22;

/// A quality of a plugin for two rates.
#[derive(Debug)]
pub(crate) struct PluginConverter {
    kind: ResamplerKind,
    quality: String,
    rates: Rates,
    /// Where it may begin, once that was asked.
    restart: OnceLock<Option<Restart>>,
}

impl PluginConverter {
    pub(crate) fn new(kind: ResamplerKind, rates: Rates, quality: &str) -> Self {
        Self { kind, quality: quality.to_owned(), rates, restart: OnceLock::new() }
    }

    /// The rates.
    pub(crate) fn rates(&self) -> Rates {
        self.rates
    }

    /// Where a run may begin; `None` when that is at the beginning alone.
    fn restart(&self) -> Result<Option<Restart>> {
        if let Some(known) = self.restart.get() {
            return Ok(*known);
        }
        let restart = self.kind.restart_for(&self.request(1, false, 1))?;
        Ok(*self.restart.get_or_init(|| restart))
    }

    /// Where runs may begin on threads of their own. Of what is not divided, the plugin works on the channels at once.
    pub(crate) fn start(&self, num_frames: u64) -> Result<Option<Start>> {
        let (input, output) = (u128::from(self.rates.input()), u128::from(self.rates.output()));
        if u128::from(num_frames) * input / output < MIN_DIVIDED_FRAMES.into() {
            return Ok(None);
        }
        let Some(Restart { grid_frames, preroll_frames }) = self.restart()? else { return Ok(None) };
        let grid = self.rates.num_output_frames(grid_frames);
        let before = self.rates.num_output_frames(grid_frames.saturating_add(preroll_frames));
        // A part is then at least four times as long as what is made for nothing before it.
        Ok(Some(Start { grid, cost: before / 4 }))
    }

    fn request(&self, num_channels: usize, is_16_bit: bool, max_threads: usize) -> ResamplerRequest {
        let (input_rate, output_rate) = (self.rates.input(), self.rates.output());
        let quality = self.quality.clone();
        ResamplerRequest { input_rate, output_rate, num_channels, is_16_bit, quality, max_threads }
    }

    /// The frame of the input at which to begin so that a frame of the output comes out as it always does.
    fn entry(&self, frame: u64) -> Result<u64> {
        if frame == 0 {
            return Ok(0);
        }
        let Some(Restart { grid_frames, preroll_frames }) = self.restart()? else { return Ok(0) };
        let (input, output) = (u128::from(self.rates.input()), u128::from(self.rates.output()));
        // Below the input frame whose time is that of `frame`, with a frame of the output to spare for rounding up.
        let needed = u128::from(frame.saturating_sub(1)) * input / output;
        let needed = u64::try_from(needed).unwrap_or(u64::MAX).saturating_sub(preroll_frames);
        Ok(needed - needed % grid_frames)
    }
}

/// A signal on its way through a plugin.
#[derive(Debug)]
pub(crate) struct Stream {
    resampler: Resampler,
    plugin: &'static str,
    portion: Portion,
    /// The frame that goes in next.
    next_input: u64,
    is_ended: bool,
    from_16: Interleaved<i16>,
    from_32: Interleaved<f32>,
}

impl Stream {
    /// Begins so that `frame` comes out as it always does, and says how many frames come before it.
    pub(crate) fn begin(
        converter: &PluginConverter,
        frame: u64,
        input: &dyn FrameSource,
        max_threads: usize,
    ) -> Result<(Self, u64)> {
        let next_input = converter.entry(frame)?;
        // A grid is a whole number of frames of both rates.
        let first = converter.rates.num_output_frames(next_input);
        let num_channels = input.num_channels();
        let is_16_bit = input.is_16_bit() && converter.kind.takes(OutputFormat::I16);
        let request = converter.request(num_channels, is_16_bit, max_threads);
        let resampler = Resampler::open(&converter.kind, &request)?;
        let input = match is_16_bit {
            true => Channels::I16(vec![Vec::new(); num_channels]),
            false => Channels::F32(vec![Vec::new(); num_channels]),
        };
        let portion = Portion { input, num_taken: 0, output: vec![vec![0.0; OUTPUT_FRAMES]; num_channels] };
        let this = Self {
            resampler,
            plugin: converter.kind.plugin(),
            portion,
            next_input,
            is_ended: false,
            from_16: Interleaved::new(),
            from_32: Interleaved::new(),
        };
        Ok((this, frame - first))
    }

    /// Reads what goes in next.
    fn refill(&mut self, input: &dyn FrameSource, stop: &Stop<'_>) -> Result<()> {
        let end = self.next_input.saturating_add(INPUT_FRAMES).min(input.num_frames());
        let frames = self.next_input.min(end)..end;
        self.is_ended = frames.is_empty();
        self.portion.num_taken = 0;
        match &mut self.portion.input {
            Channels::I16(channels) => {
                channels.iter_mut().for_each(Vec::clear);
                if !frames.is_empty() {
                    self.from_16.read(input, frames, OutputFormat::I16, channels, stop)?;
                }
            }
            Channels::F32(channels) => {
                channels.iter_mut().for_each(Vec::clear);
                if !frames.is_empty() {
                    self.from_32.read(input, frames, OutputFormat::F32, channels, stop)?;
                }
            }
        }
        self.next_input = end;
        Ok(())
    }
}

impl Backend for Stream {
    type Number = f32;

    fn make(&mut self, input: &dyn FrameSource, made: &mut [Vec<f32>], stop: &Stop<'_>) -> Result<()> {
        loop {
            if !self.is_ended && self.portion.num_taken == self.portion.input.num_frames() {
                self.refill(input, stop)?;
            }
            let num_made =
                self.resampler.process(&mut self.portion, self.is_ended, &|| stop.check().is_err())?;
            if num_made > 0 {
                for (made, output) in made.iter_mut().zip(&self.portion.output) {
                    made.extend_from_slice(output.get(..num_made).unwrap_or_default());
                }
                return Ok(());
            }
            if self.is_ended {
                let what = format!("it ended before all frames of {} had come out", input.num_frames());
                return Err(Error::Plugin {
                    path: None,
                    plugin: self.plugin,
                    doing: "resampling",
                    fault: Fault::Broken,
                    offset: None,
                    container: None,
                    what: what.into(),
                });
            }
        }
    }
}
