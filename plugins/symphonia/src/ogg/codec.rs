//! The packets of a link to samples.

#![forbid(unsafe_code)]

use std::borrow::Cow;
use std::ops::Range;

use mapwave_plugin::{Error, Output, Result, SampleFormat};
use symphonia_codec_vorbis::VorbisDecoder;
use symphonia_core::audio::{Audio, GenericAudioBufferRef};
use symphonia_core::codecs::audio::well_known::CODEC_ID_VORBIS;
use symphonia_core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia_core::packet::PacketRef;
use symphonia_core::units::{Duration, Timestamp};

use super::stream::{OggStream, Setup};
use super::vorbis::VorbisSetup;
use crate::flac::{FrameCodec, crc16};
use crate::packets::{Broken, Packet, PacketCodec};

/// What the codec is given.
#[derive(Debug)]
pub(crate) struct LinkPacket<'a> {
    /// The number of the link.
    pub(crate) link: usize,
    /// The packet, unless it is lost.
    pub(crate) bytes: Option<Cow<'a, [u8]>>,
}

/// Decodes the packets of one link after the other.
pub(crate) struct LinkCodec {
    link: usize,
    codec: Codec,
}

enum Codec {
    Vorbis(Box<VorbisDecoder>),
    Flac(FrameCodec),
}

impl LinkCodec {
    /// A decoder for the packets of a link.
    ///
    /// # Errors
    /// When its setup is not one that can be decoded.
    pub(crate) fn new(link: usize, setup: &Setup) -> Result<Self> {
        let codec = match setup {
            Setup::Vorbis(setup) => Codec::Vorbis(Box::new(vorbis_decoder(setup)?)),
            Setup::Flac(info) => Codec::Flac(FrameCodec::new(info)?),
        };
        Ok(Self { link, codec })
    }

    /// Goes back to the first state.
    ///
    /// All that Symphonia's Vorbis decoder keeps from one packet to the next is the half of the last block that overlaps,
    /// and how long that block was; its `reset` clears both. Everything else is written before it is read.
    pub(crate) fn reset(&mut self) {
        if let Codec::Vorbis(decoder) = &mut self.codec {
            decoder.reset();
        }
    }
}

fn vorbis_decoder(setup: &VorbisSetup) -> Result<VorbisDecoder> {
    let mut parameters = AudioCodecParameters::new();
    parameters.for_codec(CODEC_ID_VORBIS).with_extra_data(setup.headers.clone());
    VorbisDecoder::try_new(&parameters, &AudioDecoderOptions::default())
        .map_err(|error| Error::unsupported(format!("the Vorbis setup cannot be decoded: {error}")))
}

impl PacketCodec<OggStream> for LinkCodec {
    fn decode(&mut self, stream: &OggStream, packet: &Packet<LinkPacket<'_>>) -> Result<usize, Broken> {
        let LinkPacket { link, bytes } = &packet.bytes;
        if *link != self.link {
            let setup = stream.setup(*link).ok_or(Broken::Silence)?;
            *self = Self::new(*link, setup).map_err(Broken::Fatal)?;
        }
        match (&mut self.codec, bytes) {
            (Codec::Vorbis(decoder), Some(bytes)) => {
                let packet = PacketRef::new(0, Timestamp::ZERO, Duration::ZERO, bytes);
                if let Ok(buffer) = decoder.decode_ref(&packet) {
                    return Ok(buffer.frames());
                }
                // What comes next depends on nothing before this, wherever decoding began.
                decoder.reset();
                Err(Broken::Silence)
            }
            (Codec::Vorbis(decoder), None) => {
                decoder.reset();
                Err(Broken::Silence)
            }
            (Codec::Flac(codec), Some(bytes)) => {
                if crc16(0, bytes) != 0 {
                    let message = "the FLAC frame is damaged: its checksum is wrong";
                    return Err(Broken::Fatal(Error::bad_data(packet.offset, message)));
                }
                codec.decode(bytes).map_err(Broken::Fatal)
            }
            (Codec::Flac(_), None) => {
                let message = "pages of the FLAC stream are missing before this one";
                Err(Broken::Fatal(Error::bad_data(packet.offset, message)))
            }
        }
    }

    fn write(&self, frames: Range<usize>, output: &mut Output<'_>) -> usize {
        let decoder = match &self.codec {
            Codec::Vorbis(decoder) => decoder,
            Codec::Flac(codec) => return codec.write(frames, output),
        };
        let GenericAudioBufferRef::F32(buffer) = decoder.last_decoded() else { return 0 };
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
