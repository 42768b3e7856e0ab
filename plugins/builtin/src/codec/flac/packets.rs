//! Decodes frames with the decoder of `mapwave-flac`.

#![forbid(unsafe_code)]

use std::ops::Range;

use mapwave_flac::crc::crc16;
use mapwave_flac::{DecodeError, Decoder, Part};
use mapwave_plugin::{Error, Output, Result, SampleFormat, Status};

use super::stream_info::StreamInfoBlock;
use crate::codec::kept::{decode_parts, write_last};
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
        let decoded = decode_parts(&mut self.decoder, parts, output);
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

    /// Writes frames of sound of the last decoded frame, as many as fit, and returns their number.
    pub(crate) fn write(&self, frames: Range<usize>, output: &mut Output<'_>) -> usize {
        write_last(&self.decoder, frames, output)
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
