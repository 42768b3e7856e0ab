//! Decodes Vorbis packets with Symphonia's decoder.

#![forbid(unsafe_code)]

use std::ops::Range;

use mapwave_plugin::{Error, Output, Result, SampleFormat};
use symphonia_codec_vorbis::VorbisDecoder;
use symphonia_core::audio::{Audio, GenericAudioBufferRef};
use symphonia_core::codecs::audio::well_known::CODEC_ID_VORBIS;
use symphonia_core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia_core::packet::PacketRef;
use symphonia_core::units::{Duration, Timestamp};

use crate::codec::vorbis::VorbisSetup;
use crate::engine::packets::Broken;

/// Turns packets into samples.
pub(crate) struct VorbisCodec {
    decoder: VorbisDecoder,
}

impl VorbisCodec {
    /// A decoder for the packets of a stream.
    ///
    /// # Errors
    /// When the setup is not supported.
    pub(crate) fn new(setup: &VorbisSetup) -> Result<Self> {
        let mut parameters = AudioCodecParameters::new();
        parameters.for_codec(CODEC_ID_VORBIS).with_extra_data(setup.headers.clone());
        let decoder = VorbisDecoder::try_new(&parameters, &AudioDecoderOptions::default());
        decoder
            .map(|decoder| Self { decoder })
            .map_err(|error| Error::unsupported(format!("the Vorbis setup is not supported: {error}")))
    }

    /// Returns to the initial state.
    ///
    /// Symphonia's decoder keeps only the overlapping half of the last block and its length from packet to packet; its
    /// `reset` clears both. Everything else is written before it is read.
    pub(crate) fn reset(&mut self) {
        self.decoder.reset();
    }

    /// Decodes a packet and returns the number of frames. A damaged packet becomes silence, as in other decoders.
    pub(crate) fn decode(&mut self, packet: &[u8]) -> Result<usize, Broken> {
        let packet = PacketRef::new(0, Timestamp::ZERO, Duration::ZERO, packet);
        if let Ok(buffer) = self.decoder.decode_ref(&packet) {
            return Ok(buffer.frames());
        }
        // After the reset, the output does not depend on where decoding started.
        self.decoder.reset();
        Err(Broken::Silence)
    }

    /// Writes frames of the last decoded packet, as many as fit, and returns their number.
    pub(crate) fn write(&self, frames: Range<usize>, output: &mut Output<'_>) -> usize {
        let GenericAudioBufferRef::F32(buffer) = self.decoder.last_decoded() else { return 0 };
        let mut planes: [&[f32]; 8] = [&[]; 8];
        for (channel, plane) in planes.iter_mut().enumerate().take(buffer.num_planes()) {
            *plane = buffer.plane(channel).and_then(|plane| plane.get(frames.clone())).unwrap_or_default();
        }
        let planes = planes.get(..output.num_channels()).unwrap_or_default();
        match output.format() {
            SampleFormat::F32 => output.write_planar(planes, |sample: f32| sample),
            SampleFormat::I16 | SampleFormat::I32 => 0, // not among the formats offered
        }
    }
}
