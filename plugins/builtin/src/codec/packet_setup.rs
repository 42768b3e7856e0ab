//! The codecs whose packets a container stores one by one, with their setup apart: AAC, ALAC, FLAC and Opus.

#![forbid(unsafe_code)]

use std::ops::Range;

use mapwave_codec_base::Part;
use mapwave_plugin::{Error, Output, Result, SampleFormat, SeekClass, Status, StreamInfo};

use crate::codec::aac::{AacCodec, AacSetup, PACKETS_LOOKED_AT};
use crate::codec::alac::{AlacCodec, AlacSetup};
use crate::codec::flac::{FlacSetup, FrameCodec};
use crate::codec::opus;
use crate::codec::opus::{Engine, Kind, OpusCodec, OpusSetup};
use crate::engine::packets::{Broken, Numbered, NumberedPackets, Wanted};

/// The parameters for decoding packets of a codec.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum AudioSetup {
    Aac(AacSetup),
    Alac(AlacSetup),
    Flac(FlacSetup),
    Opus(OpusSetup),
}

impl AudioSetup {
    /// Frames per second.
    pub(crate) fn sample_rate(&self) -> u32 {
        match self {
            Self::Aac(setup) => setup.sample_rate(),
            Self::Alac(setup) => setup.sample_rate,
            Self::Flac(setup) => setup.stream_info.sample_rate,
            Self::Opus(_) => opus::SAMPLE_RATE,
        }
    }

    /// The frames of every packet but the last; for FLAC and Opus, the most frames of a packet.
    pub(crate) fn frames_per_packet(&self) -> u32 {
        match self {
            Self::Aac(setup) => setup.frames_per_packet(),
            Self::Alac(setup) => setup.frames_per_packet,
            Self::Flac(setup) => setup.stream_info.max_block_size,
            Self::Opus(_) => opus::MAX_PACKET_FRAMES,
        }
    }

    /// The frames of a packet according to its own bytes.
    pub(crate) fn frames_of(&self, packet: &[u8]) -> u32 {
        match self {
            Self::Aac(setup) => setup.frames_per_packet(),
            Self::Alac(setup) => setup.frames_of(packet),
            Self::Flac(setup) => setup.stream_info.frames_of(packet).unwrap_or(0),
            Self::Opus(_) => opus::num_frames(packet).unwrap_or(0),
        }
    }

    /// Completes the setup by what the first packets say, before anything is derived from it.
    ///
    /// # Errors
    /// When they need another decoder.
    pub(crate) fn refine<'a>(&mut self, packets: impl Iterator<Item = &'a [u8]> + Clone) -> Result<()> {
        if let Self::Aac(setup) = self {
            *setup = setup.refined(packets.take(PACKETS_LOOKED_AT))?;
        }
        Ok(())
    }

    /// Whether a packet depends on all before it, as in HE-AAC.
    pub(crate) fn depends_on_all(&self) -> bool {
        matches!(self, Self::Aac(setup) if setup.is_replicated())
    }

    /// Checks that at least one of the packets can be decoded: audio of which nothing decodes is not silence. Lossless codecs
    /// report every damaged packet anyway. `offset` is that of the first packet.
    ///
    /// # Errors
    /// When there are packets, and none can be.
    pub(crate) fn check_any_decodes<P>(
        &self,
        packets: impl Iterator<Item = P> + Clone,
        offset: u64,
    ) -> Result<()>
    where
        P: AsRef<[u8]> + PartialEq,
    {
        match self {
            Self::Aac(setup)
                if packets.clone().next().is_some() && !setup.any_decodes(packets.clone())? =>
            {
                Err(Error::bad_data(offset, "not one packet of AAC can be decoded"))
            }
            Self::Opus(setup) if packets.clone().next().is_some() && !setup.any_is_valid(packets.clone()) => {
                Err(Error::bad_data(offset, "not one packet of Opus is valid"))
            }
            _ => Ok(()),
        }
    }

    /// The number of packets that a new decoder must decode before the first one that is wanted.
    pub(crate) fn pre_roll(&self) -> u32 {
        match self {
            Self::Aac(setup) if setup.is_replicated() => 0, // the codec decodes what it needs
            Self::Aac(_) => 1, // half of a packet's frames overlap the one before
            Self::Alac(_) | Self::Flac(_) | Self::Opus(_) => 0, // Opus has cells
        }
    }

    /// The stream info of such packets, without the fields of the container.
    pub(crate) fn info(&self) -> StreamInfo {
        let common = StreamInfo {
            sample_rate: self.sample_rate(),
            num_channels: 0,
            channel_mask: 0,
            num_frames: None,
            bits_per_sample: 0,
            native_format: SampleFormat::F32,
            formats: &[SampleFormat::F32],
            seek_class: SeekClass::Exact,
            is_lossless: true,
            is_truncated: false,
            priming_frames: 0,
            padding_frames: 0,
            seek_cost_frames: u64::from(self.frames_per_packet()) / 2, // half a packet is dropped on average
            codec: c"",
            container: c"",
        };
        match self {
            Self::Aac(setup) => StreamInfo {
                num_channels: setup.num_channels(),
                channel_mask: setup.channel_mask(),
                is_lossless: false,
                seek_cost_frames: setup.seek_cost_frames(),
                codec: c"aac",
                ..common
            },
            Self::Alac(setup) => StreamInfo {
                num_channels: setup.num_channels,
                channel_mask: setup.channel_mask(),
                bits_per_sample: setup.bits_per_sample,
                native_format: setup.formats().0,
                formats: setup.formats().1,
                codec: c"alac",
                ..common
            },
            Self::Flac(setup) => {
                let formats = FrameCodec::formats(setup.stream_info.bits_per_sample);
                StreamInfo {
                    num_channels: setup.stream_info.num_channels,
                    channel_mask: setup.channel_mask,
                    bits_per_sample: setup.stream_info.bits_per_sample,
                    native_format: formats.first().copied().unwrap_or(SampleFormat::I32),
                    formats,
                    // If block sizes vary, most are far below the limit.
                    seek_cost_frames: u64::from(setup.stream_info.max_block_size.min(4608)) / 2,
                    codec: c"flac",
                    ..common
                }
            }
            Self::Opus(setup) => setup.info(Kind::Celt),
        }
    }

    /// A decoder in its initial state.
    ///
    /// # Errors
    /// When the setup is invalid.
    pub(crate) fn codec(&self) -> Result<AudioCodec> {
        match self {
            Self::Aac(setup) => Ok(AudioCodec::Aac(Box::new(setup.codec()))),
            Self::Alac(setup) => setup.codec().map(|codec| AudioCodec::Alac(Box::new(codec))),
            Self::Flac(setup) => {
                FrameCodec::new(&setup.stream_info).map(|codec| AudioCodec::Flac(Box::new(codec)))
            }
            Self::Opus(setup) => {
                OpusCodec::new(setup, Engine::General).map(|codec| AudioCodec::Opus(Box::new(codec)))
            }
        }
    }

    /// A decoder in its initial state, made from a used one if that is possible.
    ///
    /// # Errors
    /// As [`codec`](Self::codec).
    pub(crate) fn renew(&self, codec: AudioCodec) -> Result<AudioCodec> {
        match codec {
            AudioCodec::Opus(_) => self.codec(), // its state cannot be restored
            AudioCodec::Aac(mut codec) => {
                codec.reset();
                Ok(AudioCodec::Aac(codec))
            }
            AudioCodec::Alac(_) | AudioCodec::Flac(_) => Ok(codec), // packets do not depend on each other
        }
    }
}

/// Turns packets of a codec into samples.
pub(crate) enum AudioCodec {
    Aac(Box<AacCodec>),
    Alac(Box<AlacCodec>),
    Flac(Box<FrameCodec>),
    Opus(Box<OpusCodec>),
}

impl AudioCodec {
    /// Decodes a packet of `num_frames` frames and returns the number of decoded frames.
    ///
    /// # Errors
    /// As [`PacketCodec::decode`](crate::engine::packets::PacketCodec::decode).
    pub(crate) fn decode<B: AsRef<[u8]>>(
        &mut self,
        stream: &dyn NumberedPackets,
        packet: &Numbered<B>,
        num_frames: u64,
    ) -> Result<usize, Broken> {
        let numbered = packet;
        let packet = numbered.as_ref();
        match self {
            Self::Aac(codec) => codec.decode(stream, numbered),
            Self::Alac(codec) => codec.decode(packet, num_frames),
            Self::Flac(codec) => {
                let num_decoded = codec.decode_packet(packet).map_err(Broken::Fatal)?;
                if (num_decoded as u64) < num_frames {
                    let message =
                        format!("a FLAC frame has {num_decoded} frames of sound, expected {num_frames}");
                    return Err(Broken::Fatal(Error::new(Status::BadData, message)));
                }
                Ok(num_decoded)
            }
            Self::Opus(codec) => codec.decode(packet),
        }
    }

    /// Writes frames of the last decoded packet, as many as fit, and returns their number.
    pub(crate) fn write(&self, frames: Range<usize>, output: &mut Output<'_>) -> usize {
        match self {
            Self::Aac(codec) => codec.write(frames, output),
            Self::Alac(codec) => codec.write(frames, output),
            Self::Flac(codec) => codec.write(frames, output),
            Self::Opus(codec) => codec.write(frames, output),
        }
    }

    /// Whether packets are decoded in batches.
    pub(crate) fn is_batched(&self) -> bool {
        matches!(self, Self::Aac(_) | Self::Alac(_) | Self::Flac(_))
    }

    /// Decodes a batch of packets and writes the wanted frames of each.
    ///
    /// # Errors
    /// As [`PacketCodec::decode_batch`](crate::engine::packets::PacketCodec::decode_batch).
    pub(crate) fn decode_batch<B: AsRef<[u8]>>(
        &mut self,
        stream: &dyn NumberedPackets,
        batch: &[Wanted<Numbered<B>>],
        output: &mut Output<'_>,
    ) -> Result<(), (usize, Broken)> {
        let parts = || {
            let parts = batch
                .iter()
                .map(|wanted| Part { bytes: wanted.packet.bytes.as_ref(), frames: wanted.frames.clone() });
            parts.collect::<Vec<_>>()
        };
        match self {
            Self::Aac(codec) => codec.decode_batch(stream, batch, output),
            Self::Alac(codec) => codec.decode_batch(&parts(), output),
            Self::Flac(codec) => codec.decode_packets(&parts(), output),
            _ => {
                for (number, Wanted { packet, frames }) in batch.iter().enumerate() {
                    let decoded = self.decode(stream, &packet.bytes, packet.num_frames);
                    decoded.map_err(|broken| (number, broken))?;
                    self.write(frames.clone(), output);
                }
                Ok(())
            }
        }
    }
}
