//! Decodes frames with the decoder of `mapwave-flac`.

#![forbid(unsafe_code)]

use std::ops::Range;

use mapwave_flac::crc::crc16;
use mapwave_flac::{BatchError, DecodeError, DecodedSample, Decoder, Part};
use mapwave_plugin::{Error, Output, Result, Sample, SampleFormat, Status};

use super::stream_info::StreamInfoBlock;
use crate::engine::packets::Broken;

/// Decodes frames. They do not depend on each other.
pub(crate) struct FrameCodec {
    decoder: Decoder,
}

impl FrameCodec {
    /// The sample formats for frames of that depth, the lossless one first.
    pub(crate) fn formats(bits_per_sample: u32) -> &'static [SampleFormat] {
        match bits_per_sample {
            ..=16 => &[SampleFormat::I16, SampleFormat::I32, SampleFormat::F32],
            _ => &[SampleFormat::I32, SampleFormat::F32],
        }
    }

    /// A decoder for the frames of a stream.
    ///
    /// # Errors
    /// When the stream is not supported.
    pub(crate) fn new(stream_info: &StreamInfoBlock) -> Result<Self> {
        let decoder = Decoder::new(stream_info.num_channels, stream_info.bits_per_sample)
            .map_err(|error| Error::unsupported(format!("the FLAC stream is not supported: {error}")))?;
        Ok(Self { decoder: decoder.without_checksums() })
    }

    /// Decodes a frame whose checksum is right and returns the number of frames of sound.
    ///
    /// # Errors
    /// When it is malformed.
    pub(crate) fn decode(&mut self, frame: &[u8]) -> Result<usize> {
        self.decoder.read(&[frame]).map_err(|error| rejected(error.reason))?;
        Ok(self.decoder.kept_frames(0))
    }

    /// Decodes a packet of a container.
    ///
    /// # Errors
    /// When it is not exactly one intact frame.
    pub(crate) fn decode_packet(&mut self, packet: &[u8]) -> Result<usize> {
        if !is_intact(packet) {
            return Err(damaged());
        }
        self.decode(packet)
    }

    /// Decodes frames whose checksums are right and writes the wanted frames of sound of each.
    ///
    /// # Errors
    /// The number of the first frame that is malformed or shorter than wanted.
    pub(crate) fn decode_batch(
        &mut self,
        parts: &[Part<'_>],
        output: &mut Output<'_>,
    ) -> Result<(), (usize, Broken)> {
        let decoded = match output.format() {
            SampleFormat::I16 => self.decode_parts::<i16>(parts, output),
            SampleFormat::I32 => self.decode_parts::<i32>(parts, output),
            SampleFormat::F32 => self.decode_parts::<f32>(parts, output),
        };
        decoded.map_err(|error| (error.index, Broken::Fatal(rejected(error.reason))))
    }

    /// As [`decode_batch`](Self::decode_batch), of packets of a container.
    ///
    /// # Errors
    /// As there, or when a packet is not exactly one intact frame.
    pub(crate) fn decode_packets(
        &mut self,
        parts: &[Part<'_>],
        output: &mut Output<'_>,
    ) -> Result<(), (usize, Broken)> {
        let num_intact = parts.iter().take_while(|part| is_intact(part.bytes)).count();
        self.decode_batch(parts.get(..num_intact).unwrap_or_default(), output)?;
        if num_intact < parts.len() { Err((num_intact, Broken::Fatal(damaged()))) } else { Ok(()) }
    }

    fn decode_parts<T: Sample + DecodedSample>(
        &mut self,
        mut parts: &[Part<'_>],
        output: &mut Output<'_>,
    ) -> Result<(), BatchError> {
        if let Some(written) = output.write_in_place::<T, _>(|room| self.decoder.decode(parts, room)) {
            return written.map(|_| ());
        }
        let mut number = 0;
        while !parts.is_empty() {
            let at = |index, reason| BatchError { index: number + index, reason };
            let frames: Vec<&[u8]> = parts.iter().take(Decoder::MAX_KEPT).map(|part| part.bytes).collect();
            let num_read = self.decoder.read(&frames).map_err(|error| at(error.index, error.reason))?;
            let (now, later) = parts.split_at_checked(num_read.max(1)).unwrap_or((parts, &[]));
            for (index, part) in now.iter().enumerate() {
                let written = self.write_channels::<T>(index, part.frames.clone(), output);
                written.map_err(|reason| at(index, reason))?;
            }
            (parts, number) = (later, number + now.len());
        }
        Ok(())
    }

    /// Writes frames of sound of the last decoded frame, as many as fit, and returns their number.
    pub(crate) fn write(&self, frames: Range<usize>, output: &mut Output<'_>) -> usize {
        match output.format() {
            SampleFormat::I16 => self.write_kept::<i16>(frames, output),
            SampleFormat::I32 => self.write_kept::<i32>(frames, output),
            SampleFormat::F32 => self.write_kept::<f32>(frames, output),
        }
    }

    fn write_kept<T: Sample + DecodedSample>(&self, frames: Range<usize>, output: &mut Output<'_>) -> usize {
        let Some(last) = self.decoder.num_kept().checked_sub(1) else { return 0 };
        let end = frames.end.min(self.decoder.kept_frames(last));
        let frames = frames.start..end.min(frames.start.saturating_add(output.room()));
        let in_place = output
            .write_in_place::<T, _>(|room| self.decoder.write(last, frames.clone(), room))
            .map(Result::ok);
        match in_place {
            Some(written) => written.unwrap_or(0),
            None => self.write_channels::<T>(last, frames.clone(), output).map_or(0, |()| frames.len()),
        }
    }

    fn write_channels<T: Sample + DecodedSample>(
        &self,
        index: usize,
        frames: Range<usize>,
        output: &mut Output<'_>,
    ) -> Result<(), DecodeError> {
        let num_frames = frames.len();
        let written = output.write_channels::<T, _>(num_frames, |channel, room| {
            self.decoder.write_channel(index, channel, frames.clone(), room)
        });
        written.unwrap_or(Err(DecodeError::Room))
    }
}

/// Whether the checksum at the end of a packet is right: that of a whole frame including its checksum is 0.
fn is_intact(packet: &[u8]) -> bool {
    crc16(0, packet) == 0
}

fn damaged() -> Error {
    Error::new(Status::BadData, "the FLAC frame is damaged: its checksum is wrong")
}

fn rejected(reason: DecodeError) -> Error {
    let status = if reason == DecodeError::Memory { Status::NoMemory } else { Status::BadData };
    Error::new(status, format!("the FLAC frame cannot be decoded: {reason}"))
}
