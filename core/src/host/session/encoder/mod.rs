//! Encodes a stream with a plugin, which is called directly if it is trusted, otherwise through a separate thread.
//!
//! As for decoders, everything that a call may access belongs to its thread, except the access to the output: it is closed for an
//! abandoned encoder.

#![forbid(unsafe_code)]

use std::sync::Arc;
use std::time::Duration;

use super::supervisor::{self, Silence};
use super::worker::Worker;
use crate::error::{Error, Parameter, Result};
use crate::host::ffi::fault::{Failure, Trouble};
use crate::host::ffi::output::{ByteSink, Outlet};
use crate::host::ffi::raw;
use crate::host::table::encoder::{EncoderHandle, EncoderKind, EncoderRequest, Options};
use crate::pcm::OutputFormat;
use crate::track::Container;

/// The bytes of frames passed to a plugin at a time: the caller can interrupt often enough, and the copy for a plugin's thread stays
/// small.
const MAX_PUSH_BYTES: usize = 2 << 20;

/// The failure to open an encoder.
pub(crate) struct Unopened {
    pub(crate) why: Why,
    /// The output, unless the plugin wrote to it.
    pub(crate) output: Option<Box<dyn ByteSink>>,
}

/// Why a call failed.
#[derive(Debug)]
pub(crate) enum Why {
    /// The caller interrupted the call.
    Interrupted,
    /// The plugin or the output failed.
    Trouble(Trouble),
}

impl<T: Into<Trouble>> From<T> for Why {
    fn from(trouble: T) -> Self {
        Self::Trouble(trouble.into())
    }
}

/// A stream that passes through an encoder to an output.
///
/// If it is dropped before [`finish`](Self::finish), the stream is abandoned: the bytes written so far stay unchanged.
#[derive(Debug)]
pub struct Encoder {
    kind: EncoderKind,
    container: Option<Container>,
    num_channels: u16,
    /// How many frames were announced.
    promised: Option<u64>,
    num_frames: u64,
    outlet: Arc<Outlet>,
    /// Or why the stream has ended.
    worker: std::result::Result<Worker<EncoderHandle>, String>,
    block: Block,
}

impl Encoder {
    /// Opens an encoder of a kind.
    pub(crate) fn open(
        kind: &EncoderKind,
        request: &EncoderRequest,
        output: Box<dyn ByteSink>,
        stop: &dyn Fn() -> bool,
    ) -> Result<Self, Unopened> {
        let outlet = Outlet::new(output);
        let options = Options::new(request);
        let (copy, door) = (kind.clone(), Arc::clone(&outlet));
        let open = move || copy.open(&options, &door);
        let opened = kind.standing().check().map_err(Why::from).and_then(|()| {
            Worker::open(kind.is_trusted(), stop, &time_spent(&outlet), open)
                .map_err(|silence| silent(kind, silence, "opening"))?
                .map_err(Why::from)
        });
        match opened {
            Ok(worker) => Ok(Self {
                kind: kind.clone(),
                container: raw::name(&request.container).map(Container::new),
                num_channels: request.num_channels,
                promised: request.num_frames,
                num_frames: 0,
                outlet,
                worker: Ok(worker),
                block: Block::default(),
            }),
            Err(why) => {
                let output = outlet.shut();
                Err(Unopened { why, output: output.filter(|_| outlet.end() == 0) })
            }
        }
    }

    /// The plugin that encodes.
    pub fn plugin(&self) -> &'static str {
        self.kind.plugin()
    }

    /// Whether the plugin comes with mapwave.
    pub(crate) fn is_trusted(&self) -> bool {
        self.kind.is_trusted()
    }

    /// The sample formats that it accepts: at least one of `F32`, `I16` and `I32`.
    pub fn formats(&self) -> &[OutputFormat] {
        self.kind.formats()
    }

    /// Encodes whole interleaved frames of one of the [`formats`](Self::formats), at any address.
    ///
    /// # Errors
    /// [`Error::Io`] with its cause if the output cannot be written; [`Error::Plugin`] if the plugin fails;
    /// [`Error::Interrupted`] if `stop`, which is called regularly, returns true; [`Error::Argument`] for an unsupported format, a
    /// partial frame, or more frames than announced. Nothing can be encoded after any error but the last.
    pub fn push(&mut self, format: OutputFormat, interleaved: &[u8], stop: &dyn Fn() -> bool) -> Result<()> {
        self.check_open("encoding")?;
        if !self.formats().contains(&format) {
            let names: Vec<&str> = self.formats().iter().map(|format| format.name()).collect();
            return Err(Error::argument(
                Parameter::OutputFormat,
                format!("one of {}", names.join(", ")),
                format,
            ));
        }
        let frame_bytes = usize::from(self.num_channels) * format.num_bytes();
        if !interleaved.len().is_multiple_of(frame_bytes) {
            let got = format!("{} bytes", interleaved.len());
            return Err(Error::argument(
                Parameter::Audio,
                format!("whole frames of {frame_bytes} bytes"),
                got,
            ));
        }
        let num_frames = self.num_frames.saturating_add((interleaved.len() / frame_bytes) as u64);
        if let Some(promised) = self.promised.filter(|&promised| promised < num_frames) {
            return Err(Error::argument(
                Parameter::NumFrames,
                format!("the {promised} announced"),
                num_frames,
            ));
        }
        let piece_bytes = (MAX_PUSH_BYTES / frame_bytes).max(1) * frame_bytes;
        for piece in interleaved.chunks(piece_bytes) {
            self.push_piece(format, piece, stop).map_err(|why| self.fail(why, "encoding"))?;
        }
        self.num_frames = num_frames;
        Ok(())
    }

    fn push_piece(&mut self, format: OutputFormat, piece: &[u8], stop: &dyn Fn() -> bool) -> Result<(), Why> {
        self.check(stop)?;
        let worker = self.worker.as_mut().map_err(|why| ended(why))?;
        if let Worker::Direct(handle) = worker
            && piece.as_ptr().addr().is_multiple_of(format.num_bytes())
        {
            return Ok(handle.push(format, piece)?);
        }
        let mut block = std::mem::take(&mut self.block);
        block.fill(piece);
        let work = move |handle: &mut EncoderHandle| (handle.push(format, block.bytes()), block);
        let answer = worker.ask(stop, &time_spent(&self.outlet), work);
        let (result, block) = answer.map_err(|silence| silent(&self.kind, silence, "encoding"))?;
        self.block = block;
        Ok(result?)
    }

    /// Completes the stream and releases the output, to which nothing is written afterwards. Returns the number of bytes written.
    /// Nothing can be encoded afterwards.
    ///
    /// # Errors
    /// As [`push`](Self::push), with [`Error::Argument`] if fewer frames were pushed than announced.
    pub fn finish(&mut self, stop: &dyn Fn() -> bool) -> Result<u64> {
        self.check_open("finishing")?;
        if let Some(promised) = self.promised.filter(|&promised| promised > self.num_frames) {
            return Err(Error::argument(
                Parameter::NumFrames,
                format!("the {promised} announced"),
                self.num_frames,
            ));
        }
        self.finish_stream(stop).map_err(|why| self.fail(why, "finishing"))?;
        self.worker = Err("the file is complete already".to_owned());
        drop(self.outlet.shut());
        Ok(self.outlet.end())
    }

    fn finish_stream(&mut self, stop: &dyn Fn() -> bool) -> Result<(), Why> {
        self.check(stop)?;
        let worker = std::mem::replace(&mut self.worker, Err("finishing has failed".to_owned()));
        let worker = worker.map_err(|why| ended(&why))?;
        let answer = worker.finish(stop, &time_spent(&self.outlet), EncoderHandle::finish);
        Ok(answer.map_err(|silence| silent(&self.kind, silence, "finishing"))??)
    }

    /// Whether the stream can continue.
    fn check_open(&self, doing: &'static str) -> Result<()> {
        match &self.worker {
            Ok(_) => Ok(()),
            Err(why) => Err(ended(why).into_error(self.plugin(), doing, self.container)),
        }
    }

    /// Whether a call can be made.
    fn check(&self, stop: &dyn Fn() -> bool) -> Result<(), Why> {
        match &self.worker {
            Ok(worker) if worker.is_left_behind() => {
                let what = "this process was forked after the encoder was opened, and the encoder's thread stayed behind; \
                            open it where it is used";
                Err(Failure::broken(what).into())
            }
            _ if stop() => Err(Why::Interrupted),
            _ => Ok(()),
        }
    }

    /// Ends the stream: the position of a failed handle is unknown.
    fn fail(&mut self, why: Why, doing: &'static str) -> Error {
        // Before anything else: the plugin must not write any more.
        drop(self.outlet.shut());
        let error = match why {
            Why::Interrupted => Error::Interrupted,
            Why::Trouble(trouble) => trouble.into_error(self.plugin(), doing, self.container),
        };
        self.worker = Err(format!("{doing} has failed before ({error})"));
        error
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        drop(self.outlet.shut());
    }
}

/// The failure of a call after the stream has ended.
fn ended(why: &str) -> Failure {
    Failure::broken(format!("it is not called any more: {why}"))
}

fn silent(kind: &EncoderKind, silence: Silence, doing: &str) -> Why {
    match silence {
        Silence::GivenUp => Why::Interrupted,
        _ => supervisor::blame(kind.standing(), silence, doing).into(),
    }
}

/// The time that the output takes from now on, which does not count as the plugin's.
fn time_spent(outlet: &Outlet) -> impl Fn() -> Duration {
    let before = outlet.time_spent();
    move || outlet.time_spent().saturating_sub(before)
}

/// Frames that are aligned for every format.
#[derive(Debug, Default)]
struct Block {
    words: Vec<u64>,
    num_bytes: usize,
}

impl Block {
    fn fill(&mut self, bytes: &[u8]) {
        self.words.resize(bytes.len().div_ceil(size_of::<u64>()), 0);
        self.num_bytes = bytes.len();
        let room: &mut [u8] = bytemuck::cast_slice_mut(&mut self.words);
        room.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    }

    fn bytes(&self) -> &[u8] {
        bytemuck::cast_slice(&self.words).get(..self.num_bytes).unwrap_or_default()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;
