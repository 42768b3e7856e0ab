//! Decodes a compressed stream to frames with the decoder of a plugin: several handles work at once, each directly into its
//! part of the output.
//!
//! The output does not depend on the number of threads or on earlier reads. A stream with exact seeks is divided anywhere. A
//! stream with anchored seeks is decoded afresh from every multiple of its grid, with one thread or many. A stream without
//! seeks is decoded from the start.

#![forbid(unsafe_code)]

mod prototype;

use std::mem::MaybeUninit;
use std::ops::Range;

use mapwave_fork::Lock;

use crate::decode::ReadControl;
use crate::error::{Error, Result};
use crate::host::{self, Chunk, Decoder, Failure, SeekClass, StreamInfo};
use crate::metadata::{Marker, Picture};
use crate::mix::Mixer;
use crate::segment::{self, Piece, Stop};
use crate::source::Source;
use crate::spec::FrameSpec;
use crate::track::{Codec, CompressedStream, Container, SoundTrack, Track};
use prototype::Prototype;

/// The frames that a plugin decodes per call, in bytes of its samples: they stay in the second-level cache until they are
/// converted, and the caller can interrupt often enough.
const CHUNK_BYTES: usize = 128 << 10;

/// The same for a plugin that is called through a separate thread, which costs some microseconds per call.
const SUPERVISED_CHUNK_BYTES: usize = 512 << 10;

/// How many idle handles are kept. Each holds a decoder's tables and buffers.
const MAX_IDLE: usize = 16;

/// A generous limit on the frames per byte of a file: 14 bytes of FLAC decode to 65535 frames of silence.
const MAX_FRAMES_PER_BYTE: u64 = 1 << 16;

/// A stream that a plugin has opened.
#[derive(Debug)]
pub(crate) struct CompressedTrack {
    /// The handle from which the others are forked; it never decodes.
    prototype: Prototype,
    idle: Lock<Vec<Handle>>,
    info: StreamInfo,
    plugin: &'static str,
    container: Container,
    num_frames: u64,
    /// How many bytes a container that this crate parsed promises beyond the end of the file.
    missing_bytes: u64,
    is_direct: bool,
}

impl CompressedTrack {
    /// Wraps a stream that a plugin has opened; counts its frames by decoding if the plugin cannot tell their number.
    ///
    /// # Errors
    /// The plugin's, and [`Error::Malformed`] when nothing is left of the audio that the file promises.
    pub(crate) fn new(decoder: Decoder, source: &Source, track: Option<&Track>) -> Result<Self> {
        let (plugin, is_direct) = (decoder.kind().plugin(), decoder.is_direct());
        let info = decoder.info().clone();
        let container = track.map_or(info.container, |track| track.container);
        let mut this = Self {
            prototype: Prototype::new(decoder),
            idle: Lock::new(),
            num_frames: info.num_frames.unwrap_or(0),
            info,
            plugin,
            container,
            missing_bytes: track.map_or(0, |track| track.missing_bytes),
            is_direct,
        };
        if this.info.num_frames.is_none() {
            this.num_frames = this.count(source).map_err(|failure| this.error(failure))?;
        }
        if this.num_frames == 0 && (this.info.is_truncated || this.missing_bytes > 0) {
            let what = "the file promises audio and holds none of it: it is truncated";
            return Err(Error::malformed(this.container, source.len(), what));
        }
        Ok(this)
    }

    /// A description of the stream.
    pub(crate) fn describe(&self, source: &Source) -> Track {
        let info = &self.info;
        Track {
            container: self.container,
            codec: Codec::Compressed(CompressedStream {
                name: info.codec,
                plugin: self.plugin,
                native: info.native,
                is_lossless: info.is_lossless,
                priming_frames: info.priming_frames,
                padding_frames: info.padding_frames,
            }),
            sample_rate: info.sample_rate,
            num_channels: info.num_channels,
            channel_mask: info.channel_mask,
            bits_per_sample: Some(info.bits_per_sample).filter(|&bits| bits > 0),
            num_frames: Some(self.num_frames),
            data: 0..source.len(),
            missing_bytes: self.missing_bytes.max(info.is_truncated.into()),
        }
    }

    /// The number of frames.
    pub(crate) fn num_frames(&self) -> u64 {
        self.num_frames
    }

    /// Whether its plugin came with this crate's user, and is called directly.
    pub(crate) fn is_direct(&self) -> bool {
        self.is_direct
    }

    /// How many threads may read at once: without seeks, each would decode everything before its part.
    pub(crate) fn max_threads(&self) -> usize {
        if self.info.seek_class == SeekClass::None { 1 } else { usize::MAX }
    }

    /// The cost of starting at any frame, in frames.
    pub(crate) fn seek_cost_frames(&self) -> u64 {
        self.info.seek_cost_frames
    }

    /// Whether the decoder outputs 16-bit integers.
    pub(crate) fn is_16_bit(&self) -> bool {
        self.info.native.is_16_bit()
    }

    /// The stream's metadata.
    pub(crate) fn tags(&self) -> Vec<(String, String)> {
        let tags = self.prototype.with(&|| false, |decoder| Ok(decoder.tags()));
        tags.unwrap_or_default()
    }

    /// The pictures in the file, as its plugin lists them, with their data or without.
    pub(crate) fn pictures(&self, with_data: bool) -> Vec<Picture> {
        let pictures = self.prototype.with(&|| false, |decoder| Ok(decoder.pictures(with_data)));
        pictures.unwrap_or_default()
    }

    /// The chapters and markers of the stream, as its plugin lists them.
    pub(crate) fn chapters(&self) -> Vec<Marker> {
        self.prototype.with(&|| false, |decoder| Ok(decoder.chapters())).unwrap_or_default()
    }

    /// What spares another opening of the file the scan for its packets; `None` if it costs as little without.
    pub(crate) fn seek_table(&self, source: &Source) -> Option<Vec<u8>> {
        self.prototype.with(&|| false, |decoder| Ok(host::seek_table(decoder, source))).ok()?
    }

    /// The sound tracks of the file, of which this is one.
    pub(crate) fn sound_tracks(&self) -> Vec<SoundTrack> {
        let info = &self.info;
        let open = SoundTrack {
            codec: info.codec.to_owned(),
            language: None,
            sample_rate: Some(info.sample_rate),
            num_channels: Some(info.num_channels),
            is_default: true,
        };
        let listed = self.prototype.with(&|| false, |decoder| Ok((decoder.sound_tracks(), decoder.stream())));
        let (listed, number) = listed.unwrap_or_default();
        SoundTrack::settled(listed, number, open)
    }

    /// Reads `frames`, which the track must have, into `out`. On success, all of `out` is initialised.
    pub(crate) fn read(
        &self,
        source: &Source,
        frames: Range<u64>,
        spec: &FrameSpec,
        out: &mut [MaybeUninit<u8>],
        control: &ReadControl<'_>,
    ) -> Result<()> {
        if out.is_empty() {
            return Ok(());
        }
        if source.is_costly() {
            source.settle(&(0..0));
        }
        let (grid, max_threads) = match self.info.seek_class {
            SeekClass::None => (None, 1),
            SeekClass::Anchored(grid) => (Some(grid), control.max_threads),
            SeekClass::Exact => (None, control.max_threads),
        };
        let segments = segment::plan(frames.clone(), self.info.seek_cost_frames, grid, max_threads);
        let read = Read::new(self, spec);
        let pieces = segment::cut(out, read.mixer.num_planes(), read.mixer.plane_frame_bytes(), segments);
        let result = segment::work(
            pieces,
            max_threads,
            control.interrupted,
            || Chunk::new(self.chunk_bytes()),
            |chunk, piece, stop| read.segment(piece, chunk, stop),
        );
        source.release(0..source.len());
        match result {
            Ok(()) => source.verify(source.len()),
            Err(Error::Interrupted) => result,
            // A plugin cannot tell a file that has shrunk from a damaged one.
            Err(_) => source.verify(source.len()).and_then(|()| source.verify_len()).and(result),
        }
    }

    fn chunk_bytes(&self) -> usize {
        if self.is_direct { CHUNK_BYTES } else { SUPERVISED_CHUNK_BYTES }
    }

    /// Decodes everything to count the frames.
    fn count(&self, source: &Source) -> Result<u64, Failure> {
        let mut handle = self.handle(0, &|| false)?;
        let mut chunk = Chunk::new(CHUNK_BYTES);
        let bytes_per_frame = u64::from(self.info.num_channels) * self.info.native.num_bytes() as u64;
        let most = source.len().saturating_mul(MAX_FRAMES_PER_BYTE);
        let mut num_frames = 0;
        loop {
            if num_frames > most {
                let num_bytes = source.len();
                let what =
                    format!("it decodes more than {most} frames from {num_bytes} bytes and does not end");
                return Err(Failure::broken(what));
            }
            match handle.decoder.decode_chunk(CHUNK_BYTES as u64, &mut chunk, &|| false)?.len() as u64 {
                0 => return Ok(num_frames),
                num_bytes => num_frames += num_bytes / bytes_per_frame,
            }
        }
    }

    /// An idle handle, preferably one positioned at `frame`.
    fn handle(&self, frame: u64, stop: &dyn Fn() -> bool) -> Result<Handle, Failure> {
        let mut idle = self.idle.lock();
        idle.retain(|handle| !handle.decoder.is_left_behind());
        let fit = idle.iter().position(|handle| handle.position == Some(frame));
        // Without seeks, any handle that has not passed the frame is nearer to it than the start.
        let fit = fit.or_else(|| {
            let is_before = |handle: &Handle| handle.position.is_some_and(|position| position <= frame);
            if self.info.seek_class == SeekClass::None { idle.iter().position(is_before) } else { None }
        });
        if let Some(handle) = fit.map(|index| idle.swap_remove(index)).or_else(|| idle.pop()) {
            return Ok(handle);
        }
        drop(idle);
        let decoder = self.prototype.with(stop, |decoder| decoder.fork(stop))?;
        Ok(Handle { decoder, position: Some(0) })
    }

    fn give_back(&self, handle: Handle) {
        let mut idle = self.idle.lock();
        if idle.len() < MAX_IDLE {
            idle.push(handle);
        }
    }

    fn error(&self, failure: Failure) -> Error {
        failure.into_error(self.plugin, "decoding", Some(self.container))
    }
}

/// A decoder and the number of its next frame; `None` if only a seek can tell.
#[derive(Debug)]
struct Handle {
    decoder: Decoder,
    position: Option<u64>,
}

impl Handle {
    /// Moves to where decoding must start to produce `frame` with the same bits as always, and returns how many frames to skip
    /// before it.
    fn approach(&mut self, frame: u64, class: SeekClass, stop: &Stop<'_>) -> Result<u64, Failure> {
        let (start, is_anchored) = match class {
            SeekClass::Exact => (frame, false),
            SeekClass::Anchored(grid) => (frame - frame % grid, true),
            SeekClass::None => (self.position.filter(|&position| position <= frame).unwrap_or(0), false),
        };
        // Continuing gives the same frames as a seek to the anchor, except at the anchor itself: a handle there has come from
        // the anchor before.
        if self.position == Some(frame) && !(is_anchored && frame == start) {
            return Ok(0);
        }
        if self.position != Some(start) || is_anchored {
            self.position = None;
            self.decoder.seek(start, &|| stop.check().is_err())?;
            self.position = Some(start);
        }
        Ok(frame - start)
    }

    fn advance(&mut self, num_frames: u64) {
        self.position = self.position.map(|position| position + num_frames);
    }
}

/// A read in progress.
struct Read<'a> {
    track: &'a CompressedTrack,
    mixer: Mixer,
    /// Whether the plugin's samples have the format of the array, so that it can write them there directly.
    is_direct: bool,
}

impl<'a> Read<'a> {
    fn new(track: &'a CompressedTrack, spec: &FrameSpec) -> Self {
        let mixer = Mixer::new(track.info.native, track.info.num_channels, spec);
        let is_copy = mixer.is_copy(spec.format) || mixer.is_planar_copy(spec.format);
        Self { track, mixer, is_direct: track.is_direct && is_copy }
    }

    fn segment(&self, mut piece: Piece<'_>, chunk: &mut Chunk, stop: &Stop<'_>) -> Result<()> {
        let track = self.track;
        // A call that was abandoned because the caller interrupted the read is not the plugin's fault.
        let failed = |failure| stop.check().err().unwrap_or_else(|| track.error(failure));
        let mut handle = track.handle(piece.frames.start, &|| stop.check().is_err()).map_err(failed)?;
        let bytes_per_frame = usize::from(track.info.num_channels) * track.info.native.num_bytes();
        let chunk_frames = (track.chunk_bytes() / bytes_per_frame).max(1) as u64;
        let mut next = piece.frames.start;
        while next < piece.frames.end {
            let mut before = handle.approach(next, track.info.seek_class, stop).map_err(failed)?;
            while before > 0 {
                stop.check()?;
                let wanted = before.min(chunk_frames);
                let bytes =
                    handle.decoder.decode_chunk(wanted, chunk, &|| stop.check().is_err()).map_err(failed)?;
                let num_frames = (bytes.len() / bytes_per_frame) as u64;
                if num_frames == 0 {
                    return Err(self.ended(next - before));
                }
                handle.advance(num_frames);
                before -= num_frames;
            }
            let cell_end = match track.info.seek_class {
                SeekClass::Anchored(grid) => (next / grid).saturating_add(1).saturating_mul(grid),
                _ => u64::MAX,
            };
            let end = piece.frames.end.min(cell_end);
            while next < end {
                stop.check()?;
                let num_frames = self
                    .some(&mut handle, &mut piece, (end - next).min(chunk_frames), chunk, stop)
                    .map_err(failed)?;
                if num_frames == 0 {
                    return Err(self.ended(next));
                }
                handle.advance(num_frames);
                next += num_frames;
            }
        }
        track.give_back(handle);
        Ok(())
    }

    /// Decodes up to `num_frames` frames to the front of the piece's planes and removes that part from them.
    fn some(
        &self,
        handle: &mut Handle,
        piece: &mut Piece<'_>,
        num_frames: u64,
        chunk: &mut Chunk,
        stop: &Stop<'_>,
    ) -> Result<u64, Failure> {
        let native_bytes = usize::from(self.track.info.num_channels) * self.track.info.native.num_bytes();
        let num_decoded = if self.is_direct {
            handle.decoder.decode_into(num_frames, &mut piece.planes)?
        } else {
            let bytes = handle.decoder.decode_chunk(num_frames, chunk, &|| stop.check().is_err())?;
            let count = bytes.len() / native_bytes;
            let mut fronts: Vec<&mut [MaybeUninit<u8>]> = Vec::with_capacity(piece.planes.len());
            for plane in &mut piece.planes {
                let length = (count * self.mixer.plane_frame_bytes()).min(plane.len());
                fronts.push(plane.get_mut(..length).unwrap_or_default());
            }
            self.mixer.convert(bytes, &mut fronts);
            count as u64
        };
        let num_bytes =
            usize::try_from(num_decoded).unwrap_or(usize::MAX).saturating_mul(self.mixer.plane_frame_bytes());
        for plane in &mut piece.planes {
            *plane = std::mem::take(plane).get_mut(num_bytes..).unwrap_or_default();
        }
        Ok(num_decoded)
    }

    fn ended(&self, frame: u64) -> Error {
        let what = format!(
            "the sound ended at frame {frame} of the {} that the plugin promised",
            self.track.num_frames
        );
        self.track.error(Failure::broken(what))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]
mod tests;
