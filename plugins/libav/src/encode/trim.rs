//! The end of the stream: the padding in the last packet, and the packets after it.
//!
//! FFmpeg's encoders divide the padding among the packets that hold it, and its muxers record only that of
//! the last packet; libvorbis's encoder does not state it.

#![forbid(unsafe_code)]

use mapwave_plugin::{Error, Result, Status};

use super::codec::Codec;
use super::context::CodecContext;
use super::vorbis_packets::VorbisPackets;
use crate::packet::Packet;

/// The number of packets of a stream.
pub(super) struct Trim {
    sizes: Sizes,
    /// The priming in frames.
    priming: u64,
    /// The number of frames that all packets so far decode to.
    num_encoded: u64,
    /// Whether the packets past the end are kept: MP3 readers look for two packets, and the padding in the tag may be
    /// longer than one.
    keeps_all: bool,
    is_complete: bool,
}

/// The number of frames that a packet decodes to.
enum Sizes {
    Fixed(u64),
    Vorbis(VorbisPackets),
    /// The last packet is short, or the muxer trims it.
    Exact,
}

impl Trim {
    pub(super) fn new(codec: Codec, context: &CodecContext) -> Result<Self> {
        let sizes = match codec {
            Codec::Mp3 | Codec::Opus => Sizes::Fixed(context.frame_size() as u64),
            Codec::Vorbis => Sizes::Vorbis(VorbisPackets::new(context.extradata())?),
            Codec::Aac | Codec::Alac | Codec::Flac | Codec::WavPack => Sizes::Exact,
        };
        let priming = if matches!(sizes, Sizes::Fixed(_)) { context.initial_padding() } else { 0 };
        Ok(Self { sizes, priming, num_encoded: 0, keeps_all: codec == Codec::Mp3, is_complete: false })
    }

    /// Whether a packet must be written; trims the one in which the stream ends. `num_frames` is the length of the
    /// stream, once known.
    pub(super) fn takes(&mut self, packet: &mut Packet, num_frames: Option<u64>) -> Result<bool> {
        let before = self.num_encoded;
        self.num_encoded += match &mut self.sizes {
            Sizes::Exact => return Ok(true),
            Sizes::Fixed(size) => *size,
            Sizes::Vorbis(packets) => packets.num_frames(packet.bytes()),
        };
        let Some(num_frames) = num_frames else { return Ok(true) };
        let end = num_frames.saturating_add(self.priming);
        if before >= end && !self.keeps_all {
            return Ok(false);
        }
        let Some(padding) = self.num_encoded.checked_sub(end) else { return Ok(true) };
        self.is_complete = true;
        if padding > 0 {
            let padding = u32::try_from(padding).unwrap_or(u32::MAX);
            packet.set_padding(padding)?;
        }
        Ok(true)
    }

    /// Rejects an end with missing frames.
    ///
    /// # Errors
    /// [`Status::Internal`], as it is a fault of the encoder.
    pub(super) fn check_end(&self) -> Result<()> {
        if self.is_complete || matches!(self.sizes, Sizes::Exact) {
            return Ok(());
        }
        let message =
            format!("the encoder dropped frames: its packets have {} including priming", self.num_encoded);
        Err(Error::new(Status::Internal, message))
    }
}
