//! Where the sound ends: the frames that only fill up the last packet, and the packets behind it.
//!
//! FFmpeg's encoders divide the frames that are too many among the packets that hold them, and its muxers write down those of
//! the last packet; libvorbis's encoder says nothing of them.

#![forbid(unsafe_code)]

use mapwave_plugin::{Error, Result, Status};

use super::codec::Codec;
use super::context::CodecContext;
use super::vorbis_packets::VorbisPackets;
use crate::packet::Packet;

/// What packets have been made of a stream.
pub(super) struct Trim {
    sizes: Sizes,
    /// The frames that come out of a decoder before the sound begins.
    priming: u64,
    /// The frames that come out of a decoder for all packets so far.
    num_encoded: u64,
    /// Whether the packets behind the end are kept: a reader of MP3 looks for two packets, and the padding of its tag may be
    /// longer than one.
    keeps_all: bool,
    is_complete: bool,
}

/// How many frames come out for a packet.
enum Sizes {
    Fixed(u64),
    Vorbis(VorbisPackets),
    /// The last packet is as short as it has to be, or the muxer sees to it.
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

    /// Whether a packet is to be written; the one in which the sound ends is told so. `num_frames` is the length of the
    /// sound once it is known.
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

    /// Refuses an end at which frames are missing.
    ///
    /// # Errors
    /// [`Status::Internal`], for it is a fault of the encoder's.
    pub(super) fn check_end(&self) -> Result<()> {
        if self.is_complete || matches!(self.sizes, Sizes::Exact) {
            return Ok(());
        }
        let message =
            format!("the encoder left frames out: its packets have {} with priming", self.num_encoded);
        Err(Error::new(Status::Internal, message))
    }
}
