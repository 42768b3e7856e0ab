//! Moves frames from a reader to a new file, a block at a time.

#![forbid(unsafe_code)]

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use mapwave::analysis::{self, Input};
use mapwave::{
    Access, Encoding, FrameSpec, OpenOptions, OutputFormat, PcmEncoding, ReadControl, Reader, Result,
};
use mapwave_core::Buffer;
use mapwave_core::sink::{ByteSink, FileFormat, SaveOptions, Saved, Target, Writer};

use crate::place::trouble;

/// The bytes of the samples in a block: enough for several threads, and a small part of the memory that a pipe may use.
const BLOCK_BYTES: u64 = 1 << 20;

/// The part of a file that is moved.
pub(crate) struct Piece<'a> {
    pub(crate) reader: &'a Reader,
    pub(crate) frames: Range<u64>,
    pub(crate) spec: FrameSpec,
}

impl Piece<'_> {
    /// Writes all frames, and calls `moved` with the number of frames of each block.
    pub(crate) fn write_to(
        &self,
        writer: &mut Writer,
        control: &ReadControl<'_>,
        moved: &dyn Fn(u64),
    ) -> Result<()> {
        let channels = self.spec.num_channels(self.reader.track().num_channels)?;
        let frame_bytes = (channels * self.spec.format.num_bytes()).max(1) as u64;
        let block = (BLOCK_BYTES / frame_bytes).max(1);
        let mut start = self.frames.start;
        while start < self.frames.end {
            let end = self.frames.end.min(start.saturating_add(block));
            let frames = self.reader.read_with(start..end, &self.spec, Buffer::recycled, control)?;
            writer.write(&frames.audio()?, control)?;
            moved(end - start);
            start = end;
        }
        Ok(())
    }
}

/// The loudness that a file is to have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct LoudnessTarget {
    /// Integrated loudness in LUFS.
    pub(crate) integrated: f64,
    /// The greatest true peak in decibels of full scale.
    pub(crate) true_peak: f64,
}

/// Writes a piece so that it has this loudness. It is measured as it is to be written, so that resampling and mixing count; the
/// frames are kept in a file without a name in between, so that nothing is decoded twice.
pub(crate) fn save_at_loudness(
    target: Target,
    mut options: SaveOptions,
    piece: &Piece<'_>,
    loudness: LoudnessTarget,
    control: &ReadControl<'_>,
    moved: &dyn Fn(u64),
) -> Result<Saved> {
    let name = piece.reader.path().map_or_else(|| PathBuf::from("audio"), Path::to_path_buf);
    let failed = |cause| trouble("buffering", &name, cause);
    let file = tempfile::tempfile().map_err(failed)?;
    let encoding = match piece.spec.format {
        OutputFormat::I16 => PcmEncoding::Pcm16,
        OutputFormat::I32 => PcmEncoding::Pcm32,
        OutputFormat::F64 => PcmEncoding::F64,
        _ => PcmEncoding::F32,
    };
    let buffered = SaveOptions {
        encoding: Encoding::Pcm(encoding),
        channel_mask: options.channel_mask,
        // What is beyond full scale may fit after the change.
        overflow: mapwave::Overflow::Refuse,
        ..SaveOptions::new(FileFormat::Wav, options.sample_rate, options.num_channels)
    };
    let sink = Target::Sink(Box::new(Unnamed(file.try_clone().map_err(failed)?)));
    save(sink, buffered, std::slice::from_ref(piece), control, &|_| {})?;
    let reader = OpenOptions::new().access(Access::Streamed).open_file(file, &name)?;
    let measured = analysis::loudness(&Input::from(&reader), control)?;
    options.gain = 10_f64.powf(measured.gain_to(loudness.integrated, loudness.true_peak) / 20.0);
    let spec = FrameSpec { format: piece.spec.format, ..FrameSpec::default() };
    let frames = 0..reader.num_frames();
    save(target, options, &[Piece { reader: &reader, frames, spec }], control, moved)
}

/// A file without a name that is written.
struct Unnamed(File);

impl ByteSink for Unnamed {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> std::io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }
}

/// Writes pieces one after the other into a new file.
pub(crate) fn save(
    target: Target,
    options: SaveOptions,
    pieces: &[Piece<'_>],
    control: &ReadControl<'_>,
    moved: &dyn Fn(u64),
) -> Result<Saved> {
    let num_frames = pieces.iter().map(|piece| piece.frames.end - piece.frames.start).sum();
    let format = pieces.first().map_or_else(|| FrameSpec::default().format, |piece| piece.spec.format);
    let mut writer = Writer::create(target, options, format, Some(num_frames))?;
    for piece in pieces {
        piece.write_to(&mut writer, control, moved)?;
    }
    writer.finish(control)
}
