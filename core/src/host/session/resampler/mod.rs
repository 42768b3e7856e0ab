//! A signal being resampled by a plugin: called directly when the plugin is trusted, else through a thread of its own.
//!
//! As for decoders, everything that a call may touch belongs to its thread: the samples that go in and out move there and come
//! back with the answer.

#![forbid(unsafe_code)]

use std::time::Duration;

use super::supervisor;
use super::worker::Worker;
use crate::error::{Error, Result};
use crate::host::ffi::fault::Failure;
use crate::host::table::resampler::{Channels, ResamplerHandle, ResamplerKind, ResamplerRequest, Restart};

/// Frames on their way through a resampler.
#[derive(Debug)]
pub(crate) struct Portion {
    /// What goes in.
    pub(crate) input: Channels,
    /// How much of it has gone.
    pub(crate) num_taken: usize,
    /// Room for what comes out; every channel is as long.
    pub(crate) output: Vec<Vec<f32>>,
}

/// A signal on its way.
#[derive(Debug)]
pub(crate) struct Resampler {
    kind: ResamplerKind,
    /// None when it has failed: its thread has not come back, or nothing is known of where it stands.
    worker: Option<Worker<ResamplerHandle>>,
}

impl ResamplerKind {
    /// Where in a signal one may begin; `None` when that is at its beginning alone.
    ///
    /// # Errors
    /// The plugin's.
    pub(crate) fn restart_for(&self, request: &ResamplerRequest) -> Result<Option<Restart>> {
        let (kind, copy) = (self.clone(), request.clone());
        let asked = supervisor::call(self.is_trusted(), "planning", move || kind.restart(&copy));
        asked.map_err(|failure| failure.into_error(self.plugin(), "resampling", None))
    }
}

impl Resampler {
    /// Opens a resampler.
    ///
    /// # Errors
    /// The plugin's.
    pub(crate) fn open(kind: &ResamplerKind, request: &ResamplerRequest) -> Result<Self> {
        let (copy, request) = (kind.clone(), request.clone());
        let opened =
            Worker::open(kind.is_trusted(), &|| false, &|| Duration::ZERO, move || copy.open(&request));
        let worker = opened.unwrap_or_else(|silence| Err(silence.into_failure("opening")));
        let worker = worker.map_err(|failure| failure.into_error(kind.plugin(), "resampling", None))?;
        Ok(Self { kind: kind.clone(), worker: Some(worker) })
    }

    /// Takes frames from a portion's input, or is told that there are no more where `is_end`, and fills the front of its output.
    /// Returns how many frames came out. Without any, `is_end` is the end; else all of the input was taken.
    ///
    /// # Errors
    /// [`Error::Interrupted`] when `stop` says so, which is asked all the while; else the plugin's. Nothing can be resampled
    /// afterwards.
    pub(crate) fn process(
        &mut self,
        portion: &mut Portion,
        is_end: bool,
        stop: &dyn Fn() -> bool,
    ) -> Result<usize> {
        self.process_portion(portion, is_end, stop).map_err(|failure| {
            self.worker = None;
            if stop() {
                Error::Interrupted
            } else {
                failure.into_error(self.kind.plugin(), "resampling", None)
            }
        })
    }

    fn process_portion(
        &mut self,
        portion: &mut Portion,
        is_end: bool,
        stop: &dyn Fn() -> bool,
    ) -> Result<usize, Failure> {
        let Some(worker) = &mut self.worker else {
            return Err(Failure::broken("it is not called any more: it has failed before"));
        };
        if worker.is_left_behind() {
            let what = "this process was forked since, and the resampler's thread stayed behind; open it where it is used";
            return Err(Failure::broken(what));
        }
        let empty = Portion { input: Channels::F32(Vec::new()), num_taken: 0, output: Vec::new() };
        let mut sent = std::mem::replace(portion, empty);
        let work = move |handle: &mut ResamplerHandle| (run(handle, &mut sent, is_end), sent);
        let answer = worker.ask(stop, &|| Duration::ZERO, work);
        let (result, back) = answer.map_err(|silence| silence.into_failure("resampling"))?;
        *portion = back;
        result
    }
}

/// Calls a handle until something comes out or nothing is left to go in.
fn run(handle: &mut ResamplerHandle, portion: &mut Portion, is_end: bool) -> Result<usize, Failure> {
    loop {
        let offered = portion.input.num_frames().saturating_sub(portion.num_taken);
        let input = (!is_end).then_some((&portion.input, portion.num_taken));
        if !is_end && offered == 0 {
            return Ok(0);
        }
        let (num_read, num_written) = handle.process(input, &mut portion.output)?;
        portion.num_taken += num_read;
        if num_written > 0 || is_end {
            return Ok(num_written);
        }
        if num_read == 0 {
            let what = format!("it takes none of {offered} frames and gives none");
            return Err(Failure::broken(what));
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;
