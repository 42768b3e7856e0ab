//! A signal being resampled by a plugin: called directly when the plugin is trusted, else through a thread of its own.
//!
//! As for decoders, everything that a call may touch belongs to its thread: the samples that go in and out move there and come
//! back with the answer.

#![forbid(unsafe_code)]

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use super::fault::Failure;
use super::registry;
use super::resampler::{Channels, Handle, ResamplerKind, ResamplerRequest, Restart};
use super::supervisor::{self, Silence};
use crate::error::{Error, Fault, Result};

/// The resampler that has a quality: the first in order of precedence.
pub(crate) fn resampler(quality: &str) -> Option<ResamplerKind> {
    registry::snapshot().resamplers.iter().find(|kind| kind.has(quality)).cloned()
}

/// The error of a quality that no plugin has.
pub(crate) fn no_resampler(quality: &str) -> Error {
    let what = format!(
        "no loaded plugin resamples with '{quality}': it is libsoxr's, whose plugin comes with mapwave's wheel (pip install \
         --force-reinstall mapwave; mapwave plugins list tells what is loaded); 'best' needs nothing and is as good{}",
        registry::not_loaded(&registry::snapshot())
    );
    let failure = Failure { fault: Fault::MissingDependency, offset: None, what };
    failure.into_error("soxr", "resampling", None)
}

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
    way: Way,
    /// The process that the thread is in.
    process: u32,
}

#[derive(Debug)]
enum Way {
    Direct(Box<Handle>),
    Thread {
        requests: SyncSender<Request>,
        answers: Receiver<Answer>,
    },
    /// The thread has not come back, or the portion is lost with it.
    Lost,
}

/// A portion, and whether its input is the last there is and has gone in.
type Request = (Portion, bool);

enum Answer {
    Opened(Result<(), Failure>),
    Processed(Result<usize, Failure>, Portion),
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
        let way = if kind.is_trusted() {
            kind.open(request).map(|handle| Way::Direct(Box::new(handle)))
        } else {
            open_on_thread(kind, request)
        };
        let way = way.map_err(|failure| failure.into_error(kind.plugin(), "resampling", None))?;
        Ok(Self { kind: kind.clone(), way, process: std::process::id() })
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
            self.way = Way::Lost;
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
        let (requests, answers) = match &mut self.way {
            Way::Direct(handle) => return run(handle, portion, is_end),
            Way::Lost => return Err(Failure::broken("it is not called any more: it has failed before")),
            Way::Thread { .. } if self.process != std::process::id() => {
                let what = "this process was forked since, and the resampler's thread stayed behind; open it where it is used";
                return Err(Failure::broken(what));
            }
            Way::Thread { requests, answers } => (requests, answers),
        };
        let empty = Portion { input: Channels::F32(Vec::new()), num_taken: 0, output: Vec::new() };
        let sent = std::mem::replace(portion, empty);
        if requests.send((sent, is_end)).is_err() {
            return Err(Failure::broken("its thread has ended"));
        }
        match supervisor::listen(answers, stop, &|| Duration::ZERO) {
            Ok(Answer::Processed(result, back)) => {
                *portion = back;
                result
            }
            Ok(Answer::Opened(_)) => Err(supervisor::mixed_up()),
            Err(silence) => Err(Silence::into_failure(silence, "resampling")),
        }
    }
}

/// Calls a handle until something comes out or nothing is left to go in.
fn run(handle: &mut Handle, portion: &mut Portion, is_end: bool) -> Result<usize, Failure> {
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

/// Starts a thread that opens a handle and keeps it.
fn open_on_thread(kind: &ResamplerKind, request: &ResamplerRequest) -> Result<Way, Failure> {
    let (requests, inbox) = sync_channel::<Request>(1);
    let (outbox, answers) = sync_channel(1);
    let (kind, request) = (kind.clone(), request.clone());
    supervisor::start(move || match kind.open(&request) {
        Ok(mut handle) => {
            if outbox.send(Answer::Opened(Ok(()))).is_err() {
                return;
            }
            for (mut portion, is_end) in inbox {
                let result = run(&mut handle, &mut portion, is_end);
                if outbox.send(Answer::Processed(result, portion)).is_err() {
                    return;
                }
            }
        }
        // A failure that nobody waits for.
        Err(failure) => drop(outbox.send(Answer::Opened(Err(failure)))),
    })?;
    match supervisor::listen(&answers, &|| false, &|| Duration::ZERO) {
        Ok(Answer::Opened(result)) => result.map(|()| Way::Thread { requests, answers }),
        Ok(Answer::Processed(..)) => Err(supervisor::mixed_up()),
        Err(silence) => Err(silence.into_failure("opening")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;
