//! Runs a plugin's resampler, which consumes a signal from any frame and delivers the output as it becomes available.

#![forbid(unsafe_code)]

use mapwave_fork::SetOnce;

use super::backend::{Backend, Start};
use super::input::{FrameSource, Interleaved};
use crate::error::{Error, Fault, Result};
use crate::host::{Channels, Portion, Resampler, ResamplerKind, ResamplerRequest, Restart};
use crate::pcm::OutputFormat;
use crate::resample::engine::Rates;
use crate::segment::Stop;

/// The number of frames pushed at a time: with more, a plugin's buffers would not stay in the second-level cache.
const INPUT_FRAMES: u64 = 1 << 14;

/// The maximum number of frames pulled at a time.
const OUTPUT_FRAMES: usize = 1 << 14;

/// The fewest input frames that are worth dividing: a minute and a half of audio, since a plugin may need a twentieth of a second
/// to determine where it may start.
const MIN_DIVIDED_FRAMES: u64 = 1 << 22;

/// A quality of a plugin for two rates.
#[derive(Debug)]
pub(crate) struct PluginConverter {
    kind: ResamplerKind,
    quality: String,
    rates: Rates,
    /// Where runs may start, once the plugin has been asked.
    restart: SetOnce<Option<Restart>>,
}

impl PluginConverter {
    pub(crate) fn new(kind: ResamplerKind, rates: Rates, quality: &str) -> Self {
        Self { kind, quality: quality.to_owned(), rates, restart: SetOnce::new() }
    }

    /// The rates.
    pub(crate) fn rates(&self) -> Rates {
        self.rates
    }

    /// Where runs may start; `None` if only at the beginning.
    fn restart(&self) -> Result<Option<Restart>> {
        if let Some(known) = self.restart.get() {
            return Ok(*known);
        }
        let restart = self.kind.restart_for(&self.request(1, false, 1))?;
        Ok(*self.restart.get_or_init(|| restart))
    }

    /// Where runs on separate threads may start. If the read is not divided, the plugin processes its channels in parallel.
    pub(crate) fn start(&self, num_frames: u64) -> Result<Option<Start>> {
        let (input, output) = (u128::from(self.rates.input()), u128::from(self.rates.output()));
        if u128::from(num_frames) * input / output < MIN_DIVIDED_FRAMES.into() {
            return Ok(None);
        }
        let Some(Restart { grid_frames, preroll_frames }) = self.restart()? else { return Ok(None) };
        let grid = self.rates.num_output_frames(grid_frames);
        let before = self.rates.num_output_frames(grid_frames.saturating_add(preroll_frames));
        // Each part is then at least four times as long as the frames that are discarded before it.
        Ok(Some(Start { grid, cost: before / 4 }))
    }

    fn request(&self, num_channels: usize, is_16_bit: bool, max_threads: usize) -> ResamplerRequest {
        let (input_rate, output_rate) = (self.rates.input(), self.rates.output());
        let quality = self.quality.clone();
        ResamplerRequest { input_rate, output_rate, num_channels, is_16_bit, quality, max_threads }
    }

    /// The input frame at which to start so that an output frame has the same bits as always.
    fn entry(&self, frame: u64) -> Result<u64> {
        if frame == 0 {
            return Ok(0);
        }
        let Some(Restart { grid_frames, preroll_frames }) = self.restart()? else { return Ok(0) };
        let (input, output) = (u128::from(self.rates.input()), u128::from(self.rates.output()));
        // Before the input frame at the time of `frame`, with an output frame of margin for rounding up.
        let needed = u128::from(frame.saturating_sub(1)) * input / output;
        let needed = u64::try_from(needed).unwrap_or(u64::MAX).saturating_sub(preroll_frames);
        Ok(needed - needed % grid_frames)
    }
}

/// A signal that is passing through a plugin.
#[derive(Debug)]
pub(crate) struct Stream {
    resampler: Resampler,
    plugin: &'static str,
    portion: Portion,
    /// The next frame to push.
    next_input: u64,
    is_ended: bool,
    from_16: Interleaved<i16>,
    from_32: Interleaved<f32>,
}

impl Stream {
    /// Starts so that `frame` has the same bits as always, and returns how many frames come before it.
    pub(crate) fn begin(
        converter: &PluginConverter,
        frame: u64,
        input: &dyn FrameSource,
        max_threads: usize,
    ) -> Result<(Self, u64)> {
        let next_input = converter.entry(frame)?;
        // A grid step is a whole number of frames at both rates.
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

    /// Whether this process is a fork without the plugin's thread.
    pub(crate) fn is_left_behind(&self) -> bool {
        self.resampler.is_left_behind()
    }

    /// Reads the next frames to push.
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
                let what =
                    format!("it ended before delivering the output for all {} frames", input.num_frames());
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
