//! Decodes a file with a plugin, which is called directly if it is trusted, otherwise through a separate thread.
//!
//! A file whose bytes must be fetched is always read by a separate thread: a plugin that waits for a server cannot be interrupted, and
//! its caller can. The time of fetching is not the plugin's.

#![forbid(unsafe_code)]

use std::time::Duration;

use super::supervisor;
use super::worker::Worker;
use crate::host::ffi::fault::Failure;
use crate::host::ffi::input::PluginInput;
use crate::host::table::decoder::{Chunk, DecoderHandle, DecoderKind, Planes};
use crate::host::table::stream_info::StreamInfo;
use crate::metadata::{Marker, Picture};
use crate::track::SoundTrack;

/// Opens a file.
pub(crate) fn open(kind: &DecoderKind, input: &PluginInput) -> Result<Decoder, Failure> {
    let (copy, bytes, standing) = (*kind, input.clone(), kind.standing());
    let (work, num_bytes) = (move || copy.open(&bytes), input.source().len());
    let handle = match input.source().is_costly() {
        false => supervisor::call_with_file(standing, "opening", num_bytes, work)?,
        true => {
            standing.check()?;
            let opened = supervisor::run(false, &fetching(input), work);
            opened.map_err(|silence| supervisor::blame(standing, silence, "opening"))??
        }
    };
    Decoder::new(handle, input.clone())
}

/// Whether a plugin is called by the thread that reads the file.
fn is_direct(kind: &DecoderKind, input: &PluginInput) -> bool {
    kind.is_trusted() && !input.source().is_costly()
}

/// The time since now that passes with fetching bytes.
fn fetching(input: &PluginInput) -> impl Fn() -> Duration {
    let before = input.source().fetching();
    move || input.source().fetching().saturating_sub(before)
}

/// What opens a file again.
#[derive(Clone, Debug)]
pub(crate) struct Opener {
    kind: DecoderKind,
    input: PluginInput,
}

impl Opener {
    /// Opens the file.
    pub(crate) fn open(&self) -> Result<Decoder, Failure> {
        open(&self.kind, &self.input)
    }
}

/// A handle of a plugin, called directly if the plugin is trusted and the bytes are at hand, otherwise through its thread.
#[derive(Debug)]
pub(crate) struct Decoder {
    kind: DecoderKind,
    info: StreamInfo,
    input: PluginInput,
    has_index: bool,
    /// None if the thread has not returned from a call.
    worker: Option<Worker<DecoderHandle>>,
}

impl Decoder {
    fn new(handle: DecoderHandle, input: PluginInput) -> Result<Self, Failure> {
        let (kind, info, has_index) = (*handle.kind(), handle.info()?.clone(), handle.has_index());
        let worker = Worker::keep(is_direct(&kind, &input), handle);
        let worker = Some(worker.map_err(|silence| supervisor::blame(kind.standing(), silence, "opening"))?);
        Ok(Self { kind, info, input, has_index, worker })
    }

    /// The kind of decoder.
    pub(crate) fn kind(&self) -> &DecoderKind {
        &self.kind
    }

    /// Whether it writes into the caller's array.
    pub(crate) fn is_direct(&self) -> bool {
        is_direct(&self.kind, &self.input)
    }

    /// What the stream is.
    pub(crate) fn info(&self) -> &StreamInfo {
        &self.info
    }

    /// What opens the file again.
    pub(crate) fn opener(&self) -> Opener {
        Opener { kind: self.kind, input: self.input.clone() }
    }

    /// Whether this process is a fork without the handle's thread.
    pub(crate) fn is_left_behind(&self) -> bool {
        self.worker.as_ref().is_some_and(Worker::is_left_behind)
    }

    /// Opens the file again if this process is a fork without the handle's thread.
    fn renew(&mut self) -> Result<(), Failure> {
        if self.is_left_behind() {
            *self = open(&self.kind, &self.input)?;
        }
        Ok(())
    }

    /// Another handle over the same file, at frame 0.
    pub(crate) fn fork(&mut self, stop: &dyn Fn() -> bool) -> Result<Self, Failure> {
        self.renew()?;
        let handle = self.ask("forking", stop, |handle| handle.fork())??;
        Self::new(handle, self.input.clone())
    }

    /// Moves to a frame.
    pub(crate) fn seek(&mut self, frame: u64, stop: &dyn Fn() -> bool) -> Result<(), Failure> {
        self.ask("seeking", stop, move |handle| handle.seek(frame))?
    }

    /// As [`DecoderHandle::decode_into`].
    pub(crate) fn decode_into(&mut self, num_frames: u64, planes: Planes<'_, '_>) -> Result<u64, Failure> {
        match &mut self.worker {
            Some(Worker::Direct(handle)) => handle.decode_into(num_frames, planes),
            _ => Err(Failure::broken("only plugins that are called directly write into the caller's array")),
        }
    }

    /// As [`DecoderHandle::decode_chunk`].
    pub(crate) fn decode_chunk<'a>(
        &mut self,
        num_frames: u64,
        chunk: &'a mut Chunk,
        stop: &dyn Fn() -> bool,
    ) -> Result<&'a [u8], Failure> {
        let mut sent = std::mem::take(chunk);
        let (result, filled) =
            self.ask("decoding", stop, move |handle| (handle.decode_chunk(num_frames, &mut sent), sent))?;
        *chunk = filled;
        let num_bytes = result?;
        Ok(chunk.front(num_bytes))
    }

    /// The stream's metadata.
    pub(crate) fn tags(&mut self) -> Vec<(String, String)> {
        self.listed("reading tags", |handle| handle.tags())
    }

    /// As [`DecoderHandle::pictures`].
    pub(crate) fn pictures(&mut self, with_data: bool) -> Vec<Picture> {
        self.listed("reading pictures", move |handle| handle.pictures(with_data))
    }

    /// As [`DecoderHandle::chapters`].
    pub(crate) fn chapters(&mut self) -> Vec<Marker> {
        self.listed("reading chapters", |handle| handle.chapters())
    }

    /// As [`DecoderHandle::save_index`]; nothing if that fails.
    pub(crate) fn save_index(&mut self, most: usize) -> Option<Vec<u8>> {
        if !self.has_index {
            return None;
        }
        self.renew().ok()?;
        let saved = self.ask("saving its index", &|| false, move |handle| handle.save_index(most));
        saved.ok()?.ok()?
    }

    /// The number of the stream that is open; `None` is the default one.
    pub(crate) fn stream(&self) -> Option<u32> {
        self.input.stream()
    }

    /// As [`DecoderHandle::sound_tracks`].
    pub(crate) fn sound_tracks(&mut self) -> Vec<SoundTrack> {
        self.listed("listing tracks", |handle| handle.sound_tracks())
    }

    /// What a handle lists; nothing if that fails.
    fn listed<T: Send + 'static>(
        &mut self,
        doing: &str,
        list: impl FnOnce(&mut DecoderHandle) -> Vec<T> + Send + 'static,
    ) -> Vec<T> {
        let renewed = self.renew();
        renewed.and_then(|()| self.ask(doing, &|| false, list)).unwrap_or_default()
    }

    /// Makes a call. A thread that does not answer is not used again; if an answer comes later, that thread drops it.
    fn ask<T: Send + 'static>(
        &mut self,
        doing: &str,
        stop: &dyn Fn() -> bool,
        work: impl FnOnce(&mut DecoderHandle) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let Some(worker) = &mut self.worker else {
            return Err(Failure::broken("it did not come back from an earlier call; open the file again"));
        };
        worker.ask(stop, &fetching(&self.input), work).map_err(|silence| {
            self.worker = None;
            supervisor::blame(self.kind.standing(), silence, doing)
        })
    }
}
