//! Decodes Vorbis packets with the decoder of `mapwave-vorbis`.

#![forbid(unsafe_code)]

use std::ops::Range;

use mapwave_plugin::{Error, Output, Result, SampleFormat};
use mapwave_vorbis::{DecodeError, Decoder, Part};

use crate::codec::vorbis::VorbisSetup;
use crate::engine::packets::Broken;

/// Turns packets into samples.
pub(crate) struct VorbisCodec {
    decoder: Decoder,
}

impl VorbisCodec {
    /// A decoder for the packets of a stream.
    ///
    /// # Errors
    /// When there is not enough memory.
    pub(crate) fn new(setup: &VorbisSetup) -> Result<Self> {
        let decoder = Decoder::new(&setup.setup);
        let no_memory = |error: DecodeError| Error::new(mapwave_plugin::Status::NoMemory, error.to_string());
        decoder.map(|decoder| Self { decoder }).map_err(no_memory)
    }

    /// Returns to the initial state.
    pub(crate) fn reset(&mut self) {
        self.decoder.reset();
    }

    /// Decodes a packet and returns the number of frames. A damaged packet becomes silence, as in other decoders.
    pub(crate) fn decode(&mut self, packet: &[u8]) -> Result<usize, Broken> {
        // After an error the decoder is reset, so that the output does not depend on where decoding started.
        self.decoder.read(&[packet]).map_err(|_| Broken::Silence)?;
        Ok(self.decoder.kept_frames(0))
    }

    /// Decodes packets and writes the wanted frames of each; those that a packet does not have, because the one before is
    /// lost, are silence.
    ///
    /// # Errors
    /// The number of the first packet that is damaged. The frames of those before it are written.
    pub(crate) fn decode_batch(
        &mut self,
        parts: &[Part<'_>],
        output: &mut Output<'_>,
    ) -> Result<(), (usize, Broken)> {
        let packets: Vec<&[u8]> = parts.iter().map(|part| part.bytes).collect();
        let mut number = 0;
        while number < parts.len() {
            let read = self.decoder.read(packets.get(number..).unwrap_or_default());
            for index in 0..self.decoder.num_kept() {
                let frames = parts.get(number + index).map_or(0..0, |part| part.frames.clone());
                self.write_kept(index, frames, output);
            }
            number += read.map_err(|error| {
                self.decoder.reset(); // what is kept is not of the last packet
                (number + error.index, Broken::Silence)
            })?;
        }
        Ok(())
    }

    /// Writes frames of the last decoded packet, as many as fit, and returns their number. Those that it does not have are
    /// silence.
    pub(crate) fn write(&self, frames: Range<usize>, output: &mut Output<'_>) -> usize {
        match self.decoder.num_kept().checked_sub(1) {
            Some(last) => self.write_kept(last, frames, output),
            None => output.write_silence(frames.len()),
        }
    }

    fn write_kept(&self, index: usize, frames: Range<usize>, output: &mut Output<'_>) -> usize {
        if output.format() != SampleFormat::F32 {
            return 0; // not among the formats offered
        }
        let end = frames.end.min(frames.start.saturating_add(output.room()));
        let num_kept = self.decoder.kept_frames(index);
        let kept = frames.start.min(num_kept)..end.min(num_kept);
        let decoder = &self.decoder;
        let in_place = output.write_in_place::<f32, _>(|room| decoder.write(index, kept.clone(), room));
        if in_place.is_none() {
            // All channels have the frames.
            let _ = output.write_channels::<f32, _>(kept.len(), |channel, room| {
                decoder.write_channel(index, channel, kept.clone(), room)
            });
        }
        kept.len() + output.write_silence(end - frames.start - kept.len())
    }
}
