//! Decodes frames with Symphonia's decoder.

#![forbid(unsafe_code)]

use std::ops::Range;

use mapwave_flac::crc::crc16;
use mapwave_plugin::{Error, Output, Result, SampleFormat, Status};
use symphonia_bundle_flac::FlacDecoder as Decoder;
use symphonia_core::audio::{Audio, GenericAudioBufferRef};
use symphonia_core::codecs::audio::well_known::CODEC_ID_FLAC;
use symphonia_core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia_core::packet::PacketRef;
use symphonia_core::units::{Duration, Timestamp};

use super::frame_header::FrameHeader;
use super::stream_info::StreamInfoBlock;

/// Decodes frames. They do not depend on each other.
pub(crate) struct FrameCodec {
    decoder: Decoder,
    bits_per_sample: u32,
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
        let mut parameters = AudioCodecParameters::new();
        parameters.for_codec(CODEC_ID_FLAC).with_extra_data(Box::new(stream_info.to_bytes()));
        let decoder = Decoder::try_new(&parameters, &AudioDecoderOptions::default())
            .map_err(|error| Error::unsupported(format!("the FLAC stream is not supported: {error}")))?;
        Ok(Self { decoder, bits_per_sample: stream_info.bits_per_sample })
    }

    /// Decodes a frame with a valid header and returns the number of frames of sound.
    ///
    /// # Errors
    /// When it is malformed, or of the one kind that is not supported.
    pub(crate) fn decode(&mut self, frame: &[u8]) -> Result<usize> {
        if self.bits_per_sample == 32 {
            let header = FrameHeader::parse(frame);
            if header.is_some_and(|header| header.side_channel.is_some()) {
                let message = "32-bit FLAC with a side channel of 33 bits is not supported by this decoder";
                return Err(Error::new(Status::Unsupported, message));
            }
        }
        let packet = PacketRef::new(0, Timestamp::ZERO, Duration::ZERO, frame);
        match self.decoder.decode_ref(&packet) {
            Ok(buffer) => Ok(buffer.frames()),
            Err(error) => {
                Err(Error::new(Status::BadData, format!("the FLAC frame cannot be decoded: {error}")))
            }
        }
    }

    /// Decodes a packet of a container.
    ///
    /// # Errors
    /// When it is not exactly one intact frame.
    pub(crate) fn decode_packet(&mut self, packet: &[u8]) -> Result<usize> {
        // The checksum of a whole frame including its checksum is 0.
        if crc16(0, packet) != 0 {
            return Err(Error::new(Status::BadData, "the FLAC frame is damaged: its checksum is wrong"));
        }
        self.decode(packet)
    }

    /// Writes frames of sound of the last decoded frame, as many as fit, and returns their number.
    pub(crate) fn write(&self, frames: Range<usize>, output: &mut Output<'_>) -> usize {
        let GenericAudioBufferRef::S32(buffer) = self.decoder.last_decoded() else { return 0 };
        let mut planes: [&[i32]; 8] = [&[]; 8];
        for (channel, plane) in planes.iter_mut().enumerate().take(buffer.num_planes()) {
            *plane = buffer.plane(channel).and_then(|plane| plane.get(frames.clone())).unwrap_or_default();
        }
        let planes = planes.get(..output.num_channels()).unwrap_or_default();
        match output.format() {
            #[allow(clippy::cast_possible_truncation)] // the lost bits are zero
            SampleFormat::I16 => output.write_planar(planes, |sample| (sample >> 16) as i16),
            SampleFormat::I32 => output.write_planar(planes, |sample| sample),
            SampleFormat::F32 => output.write_planar(planes, |sample| sample as f32 / (1_u32 << 31) as f32),
        }
    }
}
