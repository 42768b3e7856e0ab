//! Decodes the packets of links.

#![forbid(unsafe_code)]

use std::borrow::Cow;
use std::ops::Range;

use mapwave_codec_base::Part;
use mapwave_plugin::{Error, Output, Result};

use super::setup::Setup;
use crate::codec::flac::FrameCodec;
use crate::codec::vorbis::VorbisCodec;
use crate::engine::packets::{Broken, Packet, PacketCodec, PacketStream, Wanted};

/// The input of the codec.
#[derive(Debug)]
pub(crate) struct LinkPacket<'a> {
    /// The number of the link.
    pub(crate) link: usize,
    /// The setup of the link.
    pub(crate) setup: &'a Setup,
    /// The packet, unless it is lost.
    pub(crate) bytes: Option<Cow<'a, [u8]>>,
}

/// Decodes the packets of consecutive links.
pub(crate) struct LinkCodec {
    link: usize,
    codec: Codec,
}

enum Codec {
    Vorbis(Box<VorbisCodec>),
    Flac(Box<FrameCodec>),
}

impl LinkCodec {
    /// A decoder for the packets of a link.
    ///
    /// # Errors
    /// When the setup is not supported.
    pub(crate) fn new(link: usize, setup: &Setup) -> Result<Self> {
        let codec = match setup {
            Setup::Vorbis(setup) => Codec::Vorbis(Box::new(VorbisCodec::new(setup)?)),
            Setup::Flac(info) => Codec::Flac(Box::new(FrameCodec::new(info)?)),
        };
        Ok(Self { link, codec })
    }

    /// Returns to the initial state.
    pub(crate) fn reset(&mut self) {
        if let Codec::Vorbis(codec) = &mut self.codec {
            codec.reset();
        }
    }
}

impl<S> PacketCodec<S> for LinkCodec
where
    S: for<'a> PacketStream<Bytes<'a> = LinkPacket<'a>>,
{
    fn decode(&mut self, _: &S, packet: &Packet<LinkPacket<'_>>) -> Result<usize, Broken> {
        let LinkPacket { link, setup, bytes } = &packet.bytes;
        if *link != self.link {
            *self = Self::new(*link, setup).map_err(Broken::Fatal)?;
        }
        match (&mut self.codec, bytes) {
            (Codec::Vorbis(codec), Some(bytes)) => codec.decode(bytes),
            (Codec::Vorbis(codec), None) => {
                codec.reset();
                Err(Broken::Silence)
            }
            (Codec::Flac(codec), Some(bytes)) => codec.decode_packet(bytes).map_err(Broken::Fatal),
            (Codec::Flac(_), None) => {
                let message = "pages of the FLAC stream are missing before this one";
                Err(Broken::Fatal(Error::bad_data(packet.offset, message)))
            }
        }
    }

    fn write(&self, frames: Range<usize>, output: &mut Output<'_>) -> usize {
        match &self.codec {
            Codec::Vorbis(codec) => codec.write(frames, output),
            Codec::Flac(codec) => codec.write(frames, output),
        }
    }

    fn is_batched(&self, packet: &Packet<LinkPacket<'_>>) -> bool {
        let LinkPacket { link, bytes, .. } = &packet.bytes;
        *link == self.link && bytes.is_some()
    }

    fn decode_batch(
        &mut self,
        _: &S,
        batch: &[Wanted<LinkPacket<'_>>],
        output: &mut Output<'_>,
    ) -> Result<(), (usize, Broken)> {
        let parts = batch.iter().map(|wanted| {
            let bytes = wanted.packet.bytes.bytes.as_deref().unwrap_or_default();
            Part { bytes, frames: wanted.frames.clone() }
        });
        let parts: Vec<Part<'_>> = parts.collect();
        match &mut self.codec {
            Codec::Vorbis(codec) => codec.decode_batch(&parts, output),
            Codec::Flac(codec) => codec.decode_packets(&parts, output),
        }
    }
}
