//! Decodes a PCM track to frames.

#![forbid(unsafe_code)]

use std::mem::MaybeUninit;
use std::ops::Range;

use crate::decode::ReadControl;
use crate::error::Result;
use crate::mix::Mixer;
use crate::pcm::SampleFormat;
use crate::segment::{self, Piece};
use crate::source::{Scratch, Source};
use crate::spec::FrameSpec;
use crate::track::{Codec, Track};

/// A PCM track that frames can be read from.
#[derive(Debug)]
pub(crate) struct PcmTrack {
    format: SampleFormat,
    num_channels: u16,
    num_frames: u64,
    bytes_per_frame: u64,
    data_offset: u64,
}

impl PcmTrack {
    /// A reader of the track's frames; `None` unless they are PCM.
    pub(crate) fn new(track: &Track) -> Option<Self> {
        let (Codec::Pcm(format), Some(bytes_per_frame), Some(num_frames)) =
            (&track.codec, track.bytes_per_frame(), track.num_frames)
        else {
            return None;
        };
        Some(Self {
            format: *format,
            num_channels: track.num_channels,
            num_frames,
            bytes_per_frame,
            data_offset: track.data.start,
        })
    }

    /// The number of frames.
    pub(crate) fn num_frames(&self) -> u64 {
        self.num_frames
    }

    /// The samples' format in the file.
    pub(crate) fn format(&self) -> SampleFormat {
        self.format
    }

    /// Where frames are in the file.
    pub(crate) fn bytes_of(&self, frames: &Range<u64>) -> Range<u64> {
        let start = self.data_offset + frames.start * self.bytes_per_frame;
        start..start + (frames.end - frames.start) * self.bytes_per_frame
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
        read.run(frames, out, control)?;
        source.verify(range.end)
    }
}

/// A read in progress.
struct Read<'a> {
    track: &'a PcmTrack,
    source: &'a Source,
    mixer: Mixer,
    spec: &'a FrameSpec,
}

impl Read<'_> {
    fn run(&self, frames: Range<u64>, out: &mut [MaybeUninit<u8>], control: &ReadControl<'_>) -> Result<()> {
        let num_frames = frames.end - frames.start;
        let num_bytes = out.len() as u64;
        let bytes_per_frame = self.track.bytes_per_frame.max(num_bytes / num_frames);
        let frames_per_block = segment::frames_per_block(bytes_per_frame);
        if num_frames <= frames_per_block && !self.mixer.is_planar() {
            return self.read_block(Piece { frames, planes: vec![out] }, &mut Scratch::new());
        }
        // Bytes are fetched one range after the other, by the thread that can be interrupted.
        let max_threads = if self.source.is_costly() { 1 } else { control.max_threads };
        let num_threads = segment::num_threads(num_bytes, self.source.is_in_place(), max_threads);
        let starts =
            (frames.start..frames.end).step_by(usize::try_from(frames_per_block).unwrap_or(usize::MAX));
        let blocks = starts.map(|start| start..frames.end.min(start + frames_per_block));
        let pieces = segment::cut(out, self.mixer.num_planes(), self.mixer.plane_frame_bytes(), blocks);
        segment::work(pieces, num_threads, control.interrupted, Scratch::new, |scratch, piece, _| {
            self.read_block(piece, scratch)
        })
    }

    fn read_block(&self, mut block: Piece<'_>, scratch: &mut Scratch) -> Result<()> {
        let range = self.track.bytes_of(&block.frames);
        match block.planes.as_mut_slice() {
            [plane] if self.mixer.is_copy(self.spec.format) => self.source.read_into(range.start, plane)?,
            planes => self.mixer.convert(self.source.read(range, scratch)?, planes),
        }
        Ok(())
    }
}
