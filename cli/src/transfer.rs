//! Moves frames from a reader to a new file, a block at a time.

#![forbid(unsafe_code)]

use std::ops::Range;

use mapwave::{FrameSpec, ReadControl, Reader, Result};
use mapwave_core::Buffer;
use mapwave_core::sink::{SaveOptions, Saved, Target, Writer};

/// The bytes of the samples in a block: enough for several threads, and a small part of the memory that a pipe may use.
const BLOCK_BYTES: u64 = 4 << 20;

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
