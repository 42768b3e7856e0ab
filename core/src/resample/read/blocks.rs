//! Runs this crate's own engine: consecutive blocks of a plan over a sliding window of input.

#![forbid(unsafe_code)]

use std::fmt;
use std::sync::Arc;

use super::backend::{Backend, Number};
use super::input::{FrameSource, Interleaved};
use crate::error::Result;
use crate::resample::engine::{Plan, Sample, Scratch};
use crate::segment::Stop;

/// Consecutive blocks.
pub(crate) struct Blocks<T> {
    plan: Arc<Plan<T>>,
    /// The input of each channel from frame `first`, with zeros outside the signal.
    channels: Vec<Vec<T>>,
    first: i64,
    next_block: u64,
    interleaved: Interleaved<T>,
    scratch: Scratch<T>,
}

impl<T: Number> Blocks<T> {
    /// Starts with the block that contains an output frame, and returns the index of that frame in the block.
    pub(crate) fn begin(plan: Arc<Plan<T>>, frame: u64, num_channels: usize) -> (Self, u64) {
        let block_frames = plan.block_frames() as u64;
        let next_block = frame / block_frames;
        let first = plan.first_input(next_block);
        let channels = vec![Vec::with_capacity(plan.input_frames()); num_channels];
        let (interleaved, scratch) = (Interleaved::new(), Scratch::new());
        (Self { plan, channels, first, next_block, interleaved, scratch }, frame % block_frames)
    }

    /// Moves the window of input to the start of the next block's input and fills it to the end.
    fn slide(&mut self, input: &dyn FrameSource, stop: &Stop<'_>) -> Result<()> {
        let first = self.plan.first_input(self.next_block);
        let num_passed = usize::try_from(first - self.first).unwrap_or(0);
        for channel in &mut self.channels {
            channel.drain(..num_passed.min(channel.len()));
        }
        self.first = first;
        let num_held = self.channels.first().map_or(0, Vec::len);
        let end = first.saturating_add_unsigned(self.plan.input_frames() as u64);
        let next = first.saturating_add_unsigned(num_held as u64);
        if next < 0 {
            let num_before = usize::try_from(end.min(0) - next).unwrap_or(0);
            self.add_zeros(num_before);
        }
        let last = input.num_frames();
        let frames = u64::try_from(next).unwrap_or(0).min(last)..u64::try_from(end).unwrap_or(0).min(last);
        if !frames.is_empty() {
            self.interleaved.read(input, frames, T::FORMATS.0, &mut self.channels, stop)?;
        }
        let num_held = self.channels.first().map_or(0, Vec::len);
        self.add_zeros(self.plan.input_frames().saturating_sub(num_held));
        Ok(())
    }

    fn add_zeros(&mut self, num_frames: usize) {
        for channel in &mut self.channels {
            channel.resize(channel.len() + num_frames, T::zero());
        }
    }
}

impl<T: Number> Backend for Blocks<T> {
    type Number = T;

    fn make(&mut self, input: &dyn FrameSource, made: &mut [Vec<T>], stop: &Stop<'_>) -> Result<()> {
        self.slide(input, stop)?;
        let num_input_frames = self.plan.input_frames();
        for (channel, made) in self.channels.iter().zip(made) {
            made.resize(self.plan.block_frames(), T::zero());
            let channel = channel.get(..num_input_frames).unwrap_or_default();
            self.plan.block(self.next_block, channel, made, &mut self.scratch);
        }
        self.next_block += 1;
        Ok(())
    }
}

impl<T: Sample> fmt::Debug for Blocks<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { plan, next_block, .. } = self;
        f.debug_struct("Blocks").field("plan", plan).field("next_block", next_block).finish_non_exhaustive()
    }
}
