//! The codecs of tracks, and decoders for their packets.

#![forbid(unsafe_code)]

use std::ops::Range;

use mapwave_plugin::{Error, Output, Result, SampleFormat, SeekClass, Status, StreamInfo};

use super::pcm::{PcmCodec, PcmFormat};
use super::segment::TrackEntry;
use crate::bytes::Bytes;
use crate::codec::aac::AacSetup;
use crate::codec::alac::AlacSetup;
use crate::codec::flac::FlacSetup;
use crate::codec::opus::{Engine, OpusCodec, OpusSetup};
use crate::codec::packet_setup::{AudioCodec, AudioSetup};
use crate::codec::vorbis::VorbisCodec;
use crate::codec::vorbis::{VorbisSetup, frames_between};
use crate::engine::packets::{Broken, Numbered, NumberedPackets};
use crate::tags::vorbis_comment::default_channel_mask;

/// A track's codec, with the parameters of its decoder.
#[derive(Debug)]
pub(crate) enum Coding {
    Pcm(PcmTrack),
    Compressed(AudioSetup),
    Vorbis(VorbisSetup),
}

/// Uncompressed samples.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PcmTrack {
    format: PcmFormat,
    sample_rate: u32,
    num_channels: u32,
}

impl Coding {
    /// Reads a track's setup.
    ///
    /// # Errors
    /// When the codec is not supported or the setup is invalid.
    pub(crate) fn new(track: &TrackEntry, max_alloc: u64) -> Result<Self> {
        let id = track.codec_id.as_str();
        let setup = Bytes::new(&track.codec_private);
        let bad_setup = |what: &str| Error::new(Status::BadData, format!("{what} in the setup of {id}"));
        match id {
            "A_FLAC" => Ok(Self::Compressed(AudioSetup::Flac(FlacSetup::from_blocks(setup, max_alloc)?))),
            "A_ALAC" => Ok(Self::Compressed(AudioSetup::Alac(AlacSetup::from_cookie(setup, max_alloc)?))),
            "A_VORBIS" => {
                let [identification, setup] =
                    vorbis_headers(&track.codec_private).ok_or_else(|| bad_setup("no Vorbis headers"))?;
                VorbisSetup::parse(identification, setup, max_alloc, 0).map(Self::Vorbis)
            }
            "A_AAC" => {
                let mut setup = AacSetup::from_config(&track.codec_private, 0)?;
                if track.output_sampling_frequency > track.sampling_frequency {
                    setup = setup.replicated()?;
                }
                Ok(Self::Compressed(AudioSetup::Aac(setup)))
            }
            "A_OPUS" => {
                let setup = match track.codec_private.as_slice() {
                    [] => OpusSetup::without_head(u32::try_from(track.num_channels).unwrap_or(u32::MAX))?,
                    header => OpusSetup::from_head(header, 0)?,
                };
                setup.check_room(max_alloc)?;
                Ok(Self::Compressed(AudioSetup::Opus(setup)))
            }
            _ => match PcmFormat::new(id, track.bit_depth) {
                Some(format) => PcmTrack::new(format, track).map(Self::Pcm),
                None => {
                    let what = format!("Matroska's codec '{id}' of {} bits", track.bit_depth);
                    Err(Error::unsupported(what))
                }
            },
        }
    }

    /// Completes the setup by what the first packets say.
    ///
    /// # Errors
    /// When they need another decoder.
    pub(crate) fn refine<'a>(&mut self, packets: impl Iterator<Item = &'a [u8]> + Clone) -> Result<()> {
        match self {
            Self::Compressed(setup) => setup.refine(packets),
            Self::Pcm(_) | Self::Vorbis(_) => Ok(()),
        }
    }

    /// The stream info of such packets, without the fields of the container; a packet has `mean_frames` frames on
    /// average.
    pub(crate) fn info(&self, mean_frames: u64) -> StreamInfo {
        let common = StreamInfo {
            sample_rate: 0,
            num_channels: 0,
            channel_mask: 0,
            num_frames: None,
            bits_per_sample: 0,
            native_format: SampleFormat::F32,
            formats: &[SampleFormat::F32],
            seek_class: SeekClass::Exact,
            is_lossless: false,
            is_truncated: false,
            priming_frames: 0,
            padding_frames: 0,
            seek_cost_frames: mean_frames / 2, // half a packet is dropped on average
            codec: c"vorbis",
            container: c"",
        };
        match self {
            Self::Compressed(setup) => setup.info(),
            Self::Vorbis(setup) => StreamInfo {
                sample_rate: setup.sample_rate,
                num_channels: setup.num_channels,
                channel_mask: default_channel_mask(setup.num_channels),
                seek_cost_frames: mean_frames * 3 / 2, // and the packet before
                ..common
            },
            Self::Pcm(track) => {
                let formats = track.format.formats();
                StreamInfo {
                    sample_rate: track.sample_rate,
                    num_channels: track.num_channels,
                    channel_mask: match track.num_channels {
                        1 => 0x4,
                        2 => 0x3,
                        _ => 0,
                    },
                    bits_per_sample: track.format.bits(),
                    native_format: formats.first().copied().unwrap_or(SampleFormat::F32),
                    formats,
                    is_lossless: true,
                    codec: track.format.codec(),
                    ..common
                }
            }
        }
    }

    /// The number of packets that a decoder must decode before the first one that is wanted.
    pub(crate) fn pre_roll(&self) -> usize {
        match self {
            Self::Pcm(_) => 0,
            Self::Compressed(setup) => setup.pre_roll() as usize,
            Self::Vorbis(_) => 1, // half of a block overlaps the one before
        }
    }

    /// The number of frames of each packet in turn.
    pub(crate) fn lengths(&self) -> impl FnMut(&[u8]) -> u32 {
        let mut previous = None;
        move |packet| match self {
            Self::Pcm(track) => u32::try_from(packet.len() / track.frame_bytes()).unwrap_or(0),
            Self::Compressed(setup) => setup.frames_of(packet),
            Self::Vorbis(setup) => {
                let Some(exponent) = setup.exponent(packet) else { return 0 };
                let num_frames =
                    previous.replace(exponent).map(|previous| frames_between(previous, exponent));
                num_frames.and_then(|num_frames| u32::try_from(num_frames).ok()).unwrap_or(0)
            }
        }
    }

    /// The most bytes that decoding a packet of `num_bytes` bytes allocates.
    pub(crate) fn needed(&self, packet_bytes: u64) -> u64 {
        match self {
            Self::Pcm(_) => packet_bytes.saturating_mul(4),
            Self::Compressed(_) | Self::Vorbis(_) => 0, // their setups are checked against the limit
        }
    }

    /// The setup of Opus, whose decoders depend on the place in the stream.
    pub(crate) fn opus(&self) -> Option<&OpusSetup> {
        match self {
            Self::Compressed(AudioSetup::Opus(setup)) => Some(setup),
            _ => None,
        }
    }

    /// A decoder of Opus in its initial state.
    ///
    /// # Errors
    /// When there is not enough memory.
    pub(crate) fn opus_codec(setup: &OpusSetup, engine: Engine) -> Result<Codec> {
        OpusCodec::new(setup, engine).map(|codec| Codec::Compressed(AudioCodec::Opus(Box::new(codec))))
    }

    /// A decoder in its initial state.
    ///
    /// # Errors
    /// When the setup is invalid.
    pub(crate) fn codec(&self) -> Result<Codec> {
        match self {
            Self::Pcm(track) => {
                let num_channels = usize::try_from(track.num_channels).unwrap_or(usize::MAX);
                Ok(Codec::Pcm(PcmCodec::new(track.format, num_channels)))
            }
            Self::Compressed(setup) => setup.codec().map(Codec::Compressed),
            Self::Vorbis(setup) => VorbisCodec::new(setup).map(|codec| Codec::Vorbis(Box::new(codec))),
        }
    }

    /// A decoder in its initial state, made from a used one if that is possible.
    ///
    /// # Errors
    /// As [`codec`](Self::codec).
    pub(crate) fn renew(&self, codec: Codec) -> Result<Codec> {
        match (self, codec) {
            (Self::Compressed(setup), Codec::Compressed(codec)) => setup.renew(codec).map(Codec::Compressed),
            (_, Codec::Vorbis(mut codec)) => {
                codec.reset();
                Ok(Codec::Vorbis(codec))
            }
            (_, codec) => Ok(codec),
        }
    }
}

impl PcmTrack {
    fn new(format: PcmFormat, track: &TrackEntry) -> Result<Self> {
        let num_channels = u32::try_from(track.num_channels).unwrap_or(u32::MAX);
        if !(1..=255).contains(&num_channels) {
            return Err(Error::bad_data(0, format!("{num_channels} channels, expected 1 to 255")));
        }
        Ok(Self { format, sample_rate: sample_rate(track.sampling_frequency)?, num_channels })
    }

    fn frame_bytes(self) -> usize {
        self.format.num_bytes() * usize::try_from(self.num_channels).unwrap_or(usize::MAX).max(1)
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // within the bounds
fn sample_rate(frequency: f64) -> Result<u32> {
    let rate = frequency.round();
    if !(1.0..=f64::from(u32::MAX)).contains(&rate) {
        return Err(Error::new(Status::BadData, format!("a sample rate of {frequency} Hz")));
    }
    Ok(rate as u32)
}

/// The first and the last of three laced headers: their number less 1, the lengths of the first two as sums of bytes
/// that are all 255 but the last, then the headers.
fn vorbis_headers(setup: &[u8]) -> Option<[&[u8]; 2]> {
    let mut bytes = setup.strip_prefix(&[2])?;
    let mut lengths = [0_usize; 2];
    for length in &mut lengths {
        loop {
            let (byte, rest) = bytes.split_first()?;
            bytes = rest;
            *length += usize::from(*byte);
            if *byte < 255 {
                break;
            }
        }
    }
    let [first, second] = lengths;
    let (identification, rest) = bytes.split_at_checked(first)?;
    Some([identification, rest.get(second..)?])
}

/// A decoder and its last decoded packet.
pub(crate) enum Codec {
    Pcm(PcmCodec),
    Compressed(AudioCodec),
    Vorbis(Box<VorbisCodec>),
}

impl Codec {
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
        match self {
            Self::Pcm(codec) => Ok(codec.decode(packet.as_ref())),
            Self::Compressed(codec) => codec.decode(stream, packet, num_frames),
            Self::Vorbis(codec) => codec.decode(packet.as_ref()),
        }
    }

    /// Writes frames of the last decoded packet, as many as fit, and returns their number.
    pub(crate) fn write(&self, frames: Range<usize>, output: &mut Output<'_>) -> usize {
        match self {
            Self::Pcm(codec) => codec.write(frames, output),
            Self::Compressed(codec) => codec.write(frames, output),
            Self::Vorbis(codec) => codec.write(frames, output),
        }
    }
}
