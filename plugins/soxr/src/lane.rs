//! The channels of one thread: samples for libsoxr, and samples from it.

#![forbid(unsafe_code)]

use mapwave_plugin::{Block, Layout, Result, Sample};

use crate::sys::{Conversion, Engine, SoxrSample};

/// The frames that libsoxr gets at a time, so that it works within the processor's caches whatever the size of the host's
/// blocks.
pub(crate) const FEED_FRAMES: usize = 1 << 15;

/// The most frames that are fetched from it at a time.
pub(crate) const READY_FRAMES: usize = 1 << 15;

/// Consecutive channels from number `first` on.
pub(crate) struct Lane<I> {
    engine: Engine<I, f32>,
    first: usize,
    /// Samples for libsoxr, a vector per channel.
    pending: Vec<Vec<I>>,
    ready: Vec<Vec<f32>>,
    num_ready: usize,
}

impl<I: Sample + SoxrSample> Lane<I> {
    pub(crate) fn new(conversion: Conversion, first: usize, num_channels: usize) -> Result<Self> {
        Ok(Self {
            engine: Engine::new(conversion, num_channels)?,
            first,
            pending: vec![Vec::with_capacity(FEED_FRAMES); num_channels],
            ready: vec![vec![0.0; READY_FRAMES]; num_channels],
            num_ready: 0,
        })
    }

    /// Takes frames of its channels for libsoxr.
    pub(crate) fn take(&mut self, block: &Block<'_>, frames: std::ops::Range<usize>) {
        let num_channels = block.num_channels();
        for (channel, pending) in (self.first..).zip(&mut self.pending) {
            match block.layout() {
                Layout::Planar => {
                    let plane = block.channel::<I>(channel).and_then(|plane| plane.get(frames.clone()));
                    pending.extend_from_slice(plane.unwrap_or_default());
                }
                Layout::Interleaved => {
                    let all = block.interleaved::<I>().unwrap_or_default();
                    let some = all.get(frames.start * num_channels..frames.end * num_channels);
                    let samples = some.unwrap_or_default().iter().skip(channel);
                    pending.extend(samples.step_by(num_channels).copied());
                }
            }
        }
    }

    /// Adds frames of silence for libsoxr.
    pub(crate) fn take_silence(&mut self, num_frames: usize) {
        for pending in &mut self.pending {
            pending.resize(pending.len() + num_frames, I::default());
        }
    }

    /// Passes the taken frames to libsoxr and fetches up to `num_frames` frames from it.
    pub(crate) fn step(&mut self, num_frames: usize) -> Result<()> {
        let input: Vec<&[I]> = self.pending.iter().map(Vec::as_slice).collect();
        self.num_ready = 0;
        self.num_ready = self.engine.process(&input, &mut self.ready, num_frames)?;
        self.pending.iter_mut().for_each(Vec::clear);
        Ok(())
    }

    /// How many frames the last step fetched.
    pub(crate) fn num_ready(&self) -> usize {
        self.num_ready
    }

    /// The frames that the last step fetched, from `start` on, as one slice per channel.
    pub(crate) fn ready(&self, start: usize) -> impl Iterator<Item = &[f32]> {
        let num_ready = self.num_ready;
        self.ready.iter().map(move |channel| channel.get(start..num_ready).unwrap_or_default())
    }
}
