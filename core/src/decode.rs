//! From a track to frames: PCM here, everything else by a codec plugin.

#![forbid(unsafe_code)]

use std::mem::MaybeUninit;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::error::{Error, Result};
use crate::mix::{Mixer, Planes};
use crate::pcm::SampleFormat;
use crate::segment;
use crate::source::{Scratch, Source};
use crate::spec::FrameSpec;
use crate::track::{Codec, Track};

/// How a read may use the machine and when it stops.
pub struct Effort<'a> {
    /// The most threads to use, the caller's included.
    pub max_threads: usize,
    /// Asked on the caller's thread every few hundred microseconds; true ends the read with [`Error::Interrupted`].
    pub interrupted: &'a dyn Fn() -> bool,
}

impl Effort<'_> {
    /// One thread, never interrupted.
    pub const ONE_THREAD: Effort<'static> = Effort { max_threads: 1, interrupted: &|| false };
}

/// A PCM track with all that reading its frames needs.
#[derive(Debug)]
pub(crate) struct PcmTrack {
    format: SampleFormat,
    num_channels: u16,
    num_frames: u64,
    bytes_per_frame: u64,
    data_offset: u64,
}

impl PcmTrack {
    /// The reader of a track's frames.
    ///
    /// # Errors
    /// [`Error::Unsupported`] when only a codec plugin could read it.
    pub(crate) fn new(track: &Track) -> Result<Self> {
        match (&track.codec, track.bytes_per_frame(), track.num_frames) {
            (Codec::Pcm(format), Some(bytes_per_frame), Some(num_frames)) => Ok(Self {
                format: *format,
                num_channels: track.num_channels,
                num_frames,
                bytes_per_frame,
                data_offset: track.data.start,
            }),
            (codec, ..) => {
                let what = format!(
                    "{} audio in a {} file needs a codec plugin, and none is installed for it",
                    codec.name(),
                    track.container
                );
                let codec = Some(codec.name().to_owned());
                Err(Error::Unsupported { path: None, container: Some(track.container), codec, what })
            }
        }
    }

    /// The number of frames.
    pub(crate) fn num_frames(&self) -> u64 {
        self.num_frames
    }

    /// The samples' format in the file.
    pub(crate) fn format(&self) -> SampleFormat {
        self.format
    }

    /// The place of frames in the file.
    pub(crate) fn bytes_of(&self, frames: &Range<u64>) -> Range<u64> {
        let start = self.data_offset + frames.start * self.bytes_per_frame;
        start..start + (frames.end - frames.start) * self.bytes_per_frame
    }

    /// Reads `frames`, which must be the track's, into `out`, all of which is initialised when this succeeds.
    pub(crate) fn read(
        &self,
        source: &Source,
        frames: Range<u64>,
        spec: &FrameSpec,
        out: &mut [MaybeUninit<u8>],
        effort: &Effort<'_>,
    ) -> Result<()> {
        let shape = spec.shape(frames.end - frames.start, self.num_channels)?;
        assert_eq!(
            out.len(),
            shape.num_samples() * spec.format.num_bytes(),
            "the output is as large as its shape"
        );
        if out.is_empty() {
            return Ok(());
        }
        let range = self.bytes_of(&frames);
        let read =
            Read { track: self, source, mixer: Mixer::new(self.format, self.num_channels, spec), spec };
        source.settle(&range);
        read.run(frames, out, effort)?;
        source.verify(range.end)
    }
}

/// One read under way.
struct Read<'a> {
    track: &'a PcmTrack,
    source: &'a Source,
    mixer: Mixer,
    spec: &'a FrameSpec,
}

/// Some frames and their place in the output.
struct Block<'a> {
    frames: Range<u64>,
    planes: Planes<'a>,
}

impl Read<'_> {
    fn run(&self, frames: Range<u64>, out: &mut [MaybeUninit<u8>], effort: &Effort<'_>) -> Result<()> {
        let num_frames = frames.end - frames.start;
        let num_bytes = out.len() as u64;
        let bytes_per_frame = self.track.bytes_per_frame.max(num_bytes / num_frames);
        let frames_per_block = segment::frames_per_block(bytes_per_frame);
        if num_frames <= frames_per_block && !self.mixer.is_planar() {
            return self.read_block(Block { frames, planes: vec![out] }, &mut Scratch::new());
        }
        let blocks = self.cut(frames, out, frames_per_block);
        let num_threads =
            segment::num_threads(num_bytes, self.source.is_in_place(), effort.max_threads).min(blocks.len());
        let queue = Queue { blocks: Mutex::new(blocks.into_iter()), stop: AtomicBool::new(false) };
        std::thread::scope(|scope| {
            let work = || queue.work(self, &|| false);
            // Where no thread can be had, the caller's does all the work.
            let start = |_| std::thread::Builder::new().spawn_scoped(scope, work).ok();
            let workers: Vec<_> = (1..num_threads).filter_map(start).collect();
            let mut result = queue.work(self, effort.interrupted);
            for worker in workers {
                match worker.join() {
                    Ok(other) => result = result.and(other),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            result
        })
    }

    /// Cuts the output into blocks of `frames_per_block`.
    fn cut<'a>(
        &self,
        frames: Range<u64>,
        out: &'a mut [MaybeUninit<u8>],
        frames_per_block: u64,
    ) -> Vec<Block<'a>> {
        let num_frames = usize::try_from(frames.end - frames.start).unwrap_or(usize::MAX);
        let block_frames = usize::try_from(frames_per_block).unwrap_or(usize::MAX).min(num_frames);
        let plane_bytes =
            if self.mixer.is_planar() { num_frames * self.spec.format.num_bytes() } else { out.len() };
        let block_bytes = plane_bytes / num_frames * block_frames;
        let mut planes: Vec<_> =
            out.chunks_exact_mut(plane_bytes).map(|plane| plane.chunks_mut(block_bytes)).collect();
        let starts = (frames.start..frames.end).step_by(block_frames);
        let cut = starts.map(|start| Block {
            frames: start..frames.end.min(start + frames_per_block),
            planes: planes.iter_mut().filter_map(Iterator::next).collect(),
        });
        cut.collect()
    }

    fn read_block(&self, mut block: Block<'_>, scratch: &mut Scratch) -> Result<()> {
        let range = self.track.bytes_of(&block.frames);
        match block.planes.as_mut_slice() {
            [plane] if self.mixer.is_copy(self.spec.format) => self.source.read_into(range.start, plane)?,
            planes => self.mixer.convert(self.source.read(range, scratch)?, planes),
        }
        Ok(())
    }
}

/// The blocks that are left, taken by whichever thread is free.
struct Queue<'a> {
    blocks: Mutex<std::vec::IntoIter<Block<'a>>>,
    stop: AtomicBool,
}

impl<'a> Queue<'a> {
    fn next(&self) -> Option<Block<'a>> {
        if self.stop.load(Ordering::Relaxed) {
            return None;
        }
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner).next()
    }

    /// Works until nothing is left; an error or an interruption stops the other threads too.
    fn work(&self, read: &Read<'_>, interrupted: &dyn Fn() -> bool) -> Result<()> {
        let mut scratch = Scratch::new();
        while let Some(block) = self.next() {
            let result =
                if interrupted() { Err(Error::Interrupted) } else { read.read_block(block, &mut scratch) };
            if result.is_err() {
                self.stop.store(true, Ordering::Relaxed);
                return result;
            }
        }
        Ok(())
    }
}
