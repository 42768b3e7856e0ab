//! Writes an uncompressed file: a header and samples.

#![forbid(unsafe_code)]

use std::fmt;

use super::header::{Header, PcmFacts};
use super::interrupt::Interrupt;
use super::metadata;
use super::options::SaveOptions;
use super::quantise::Quantiser;
use crate::array::Audio;
use crate::error::{Error, Parameter, Result};
use crate::host::ByteSink;
use crate::pcm::{OutputFormat, SampleFormat};

/// The bytes of an array converted at a time, which fit into the caches.
const BLOCK_BYTES: usize = 256 << 10;

/// The bytes written at a time if no conversion is needed.
const COPY_BYTES: usize = 512 << 10;

/// An uncompressed file being written.
pub(super) struct PcmWriter {
    facts: &'static PcmFacts,
    output: Box<dyn ByteSink>,
    samples: SampleFormat,
    /// The number of bytes before the samples.
    header_bytes: u64,
    /// The number of frames in the header; `None` until it is known.
    stated_frames: Option<u64>,
    /// The chunks of metadata beside tags.
    more: Vec<u8>,
    num_frames: u64,
    gathered: Vec<u8>,
    converted: Vec<u8>,
}

impl PcmWriter {
    /// Writes the header.
    ///
    /// # Errors
    /// [`Error::Limit`] if the format cannot hold so many frames, [`Error::Argument`] if the header could not be completed at the
    /// end, [`Error::Io`].
    pub(super) fn new(
        mut output: Box<dyn ByteSink>,
        options: &SaveOptions,
        samples: SampleFormat,
        num_frames: Option<u64>,
    ) -> Result<Self> {
        if num_frames.is_none() && output.is_append_only() {
            let expected = "a path or a seekable object, since the header is completed at the end";
            return Err(Error::argument(Parameter::Target, expected, "an append-only object"));
        }
        let facts = options.format.facts().ok_or_else(|| {
            let expected = "a format that is written without a plugin";
            Error::argument(Parameter::FileFormat, expected, options.format.name())
        })?;
        let more = metadata::chunks(options)?;
        let description = describe(options, samples, &more);
        check_size(&description, num_frames.unwrap_or(0))?;
        let header = (facts.header)(&description, num_frames)?;
        write(&mut *output, 0, &header)?;
        Ok(Self {
            facts,
            output,
            samples,
            header_bytes: header.len() as u64,
            stated_frames: num_frames,
            more,
            num_frames: 0,
            gathered: Vec::new(),
            converted: Vec::new(),
        })
    }

    /// Writes frames.
    pub(super) fn write(
        &mut self,
        audio: &Audio<'_>,
        quantiser: &mut Quantiser,
        stop: Interrupt<'_>,
    ) -> Result<()> {
        let frame_bytes = audio.frame_bytes().max(1);
        let block_bytes = if quantiser.is_copy() { COPY_BYTES } else { BLOCK_BYTES };
        let frames_per_block = (block_bytes / frame_bytes).max(1);
        let file_frame_bytes = u64::from(audio.num_channels()) * self.samples.num_bytes() as u64;
        for start in (0..audio.num_frames()).step_by(frames_per_block) {
            if stop() {
                return Err(Error::Interrupted);
            }
            let frames = start..audio.num_frames().min(start + frames_per_block);
            let num_frames = (frames.end - frames.start) as u64;
            let samples = audio.interleaved(frames, &mut self.gathered);
            let first_sample = self.num_frames * u64::from(audio.num_channels());
            let bytes = quantiser.convert(samples, first_sample, &mut self.converted);
            let offset = self.header_bytes + self.num_frames * file_frame_bytes;
            write(&mut *self.output, offset, bytes)?;
            self.num_frames += num_frames;
        }
        Ok(())
    }

    /// Completes the file and returns its size.
    pub(super) fn finish(mut self, options: &SaveOptions) -> Result<u64> {
        let data = self.num_frames * u64::from(options.num_channels) * self.samples.num_bytes() as u64;
        let end = self.header_bytes + data;
        let padded = if self.facts.pads_samples { data.next_multiple_of(2) } else { data };
        if padded > data {
            write(&mut *self.output, end, &[0])?;
        }
        if self.stated_frames != Some(self.num_frames) {
            let description = describe(options, self.samples, &self.more);
            check_size(&description, self.num_frames)?;
            let completed = (self.facts.completed)(&description, self.num_frames)?;
            debug_assert_eq!(completed.len() as u64, self.header_bytes, "a header is completed in its place");
            write(&mut *self.output, 0, &completed)?;
        }
        Ok(self.header_bytes + padded)
    }

    /// The type of the samples in the file.
    pub(super) fn samples(&self) -> SampleFormat {
        self.samples
    }

    /// The number of frames that were written.
    pub(super) fn num_frames(&self) -> u64 {
        self.num_frames
    }
}

impl fmt::Debug for PcmWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PcmWriter({}, {} frames)", self.samples.name(), self.num_frames)
    }
}

/// The contents of the header.
fn describe<'a>(options: &'a SaveOptions, samples: SampleFormat, more: &'a [u8]) -> Header<'a> {
    Header {
        samples,
        sample_rate: options.sample_rate,
        num_channels: options.num_channels,
        channel_mask: options.channel_mask,
        tags: &options.tags,
        more,
    }
}

/// Rejects more frames than a file can hold: file sizes have 63 bits.
fn check_size(description: &Header<'_>, num_frames: u64) -> Result<()> {
    let max = i64::MAX as u64;
    match num_frames.checked_mul(description.frame_bytes()) {
        Some(size) if size <= max - (1 << 32) => Ok(()),
        _ => Err(Error::Limit { path: None, what: "the number of frames", max, got: num_frames }),
    }
}

fn write(output: &mut dyn ByteSink, offset: u64, bytes: &[u8]) -> Result<()> {
    let failed = |cause| Error::Io { path: None, doing: "writing", offset: Some(offset), cause };
    output.write_at(offset, bytes).map_err(failed)
}

/// The quantiser from an array's samples to a file's.
pub(super) fn quantiser(options: &SaveOptions, from: OutputFormat, to: SampleFormat) -> Result<Quantiser> {
    Quantiser::new(from, to, options.overflow, options.dither, false)
}
