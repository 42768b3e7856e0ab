//! Resamples a signal with a plugin, which is called directly if it is trusted, otherwise through a separate thread.
//!
//! As for decoders, everything that a call may access belongs to its thread: input and output samples move there and return with
//! the answer.

#![forbid(unsafe_code)]

use std::time::Duration;

use super::supervisor;
use super::worker::Worker;
use crate::error::{Error, Result};
use crate::host::ffi::fault::Failure;
use crate::host::table::resampler::{Channels, ResamplerHandle, ResamplerKind, ResamplerRequest, Restart};

/// A portion of frames for a resampler.
#[derive(Debug)]
pub(crate) struct Portion {
    /// The input.
    pub(crate) input: Channels,
    /// How many input frames have been consumed.
    pub(crate) num_taken: usize,
    /// Memory for the output, of the same length for every channel.
    pub(crate) output: Vec<Vec<f32>>,
}

/// A signal that is being resampled.
#[derive(Debug)]
pub(crate) struct Resampler {
    kind: ResamplerKind,
    /// None after a failure: its thread has not returned, or its position is unknown.
    worker: Option<Worker<ResamplerHandle>>,
}

impl ResamplerKind {
    /// Where in a signal resampling may start; `None` if only at the beginning.
    ///
    /// # Errors
    /// The plugin's.
    pub(crate) fn restart_for(&self, request: &ResamplerRequest) -> Result<Option<Restart>> {
        let (kind, copy) = (self.clone(), request.clone());
        let asked = supervisor::call(self.standing(), "planning", move || kind.restart(&copy));
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
        let open = move || copy.open(&request);
        let worker = kind.standing().check().and_then(|()| {
            Worker::open(kind.is_trusted(), &|| false, &|| Duration::ZERO, open)
                .unwrap_or_else(|silence| Err(supervisor::blame(kind.standing(), silence, "opening")))
        });
        let worker = worker.map_err(|failure| failure.into_error(kind.plugin(), "resampling", None))?;
        Ok(Self { kind: kind.clone(), worker: Some(worker) })
    }

    /// Whether this process is a fork without the handle's thread.
    pub(crate) fn is_left_behind(&self) -> bool {
        self.worker.as_ref().is_some_and(Worker::is_left_behind)
    }

    /// Consumes frames from a portion's input, or learns that there are no more if `is_end`, and fills the front of its output.
    /// Returns the number of output frames. If it is 0, the end is reached if `is_end`; otherwise all input was consumed.
    ///
    /// # Errors
    /// [`Error::Interrupted`] if `stop`, which is called regularly, returns true; otherwise the plugin's. Nothing can be resampled
    /// after an error.
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
        let (result, back) =
            answer.map_err(|silence| supervisor::blame(self.kind.standing(), silence, "resampling"))?;
        *portion = back;
        result
    }
}

/// Calls a handle until it produces output or no input is left.
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
