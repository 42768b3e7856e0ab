//! How the packets of a track are coded, and the decoders for them.

#![forbid(unsafe_code)]

use std::ops::Range;

use mapwave_plugin::{Error, Output, Result, SampleFormat, SeekClass, Status, StreamInfo};

use super::pcm::{PcmCodec, PcmFormat};
use super::segment::TrackEntry;
use crate::bytes::Bytes;
use crate::codec::aac::AacSetup;
use crate::codec::alac::AlacSetup;
use crate::codec::flac::FlacSetup;
use crate::codec::packet_setup::{AudioCodec, AudioSetup};
use crate::codec::vorbis::VorbisCodec;
use crate::codec::vorbis::{VorbisSetup, frames_between};
use crate::engine::packets::Broken;
use crate::tags::vorbis_comment::default_channel_mask;

/// A track's coding, with what its decoder needs.
#[derive(Debug)]
pub(crate) enum Coding {
    Pcm(PcmTrack),
    Compressed(AudioSetup),
    Vorbis(VorbisSetup),
}

/// Samples as they are.
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
    /// For codecs that are not here, and where the setup is not what it must be.
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
                // A decoder of the low-complexity profile alone would give half of the band at half the rate.
                if track.output_sampling_frequency > track.sampling_frequency {
                    return Err(Error::unsupported("HE-AAC needs the libav plugin"));
                }
                let setup = AacSetup::from_config(&track.codec_private, 0)?;
                Ok(Self::Compressed(AudioSetup::Aac(setup)))
            }
            "A_OPUS" => Err(Error::unsupported("Opus needs the libav plugin")),
            _ => match PcmFormat::new(id, track.bit_depth) {
                Some(format) => PcmTrack::new(format, track).map(Self::Pcm),
                None => {
                    let what = format!("Matroska's codec '{id}' of {} bits", track.bit_depth);
                    Err(Error::unsupported(what))
                }
            },
        }
    }

    /// Looks at the first packets.
    ///
    /// # Errors
    /// When they need a decoder that is not here.
    pub(crate) fn check_packets<'a>(&self, packets: impl Iterator<Item = &'a [u8]>) -> Result<()> {
        match self {
            Self::Compressed(setup) => setup.check_packets(packets),
            Self::Pcm(_) | Self::Vorbis(_) => Ok(()),
        }
    }

    /// A stream of such packets, with what belongs to the container left open; `mean_frames` is what a packet has.
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
            seek_cost_frames: mean_frames / 2, // half a packet is dropped in the mean
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

    /// How many packets before the first one wanted a decoder must see.
    pub(crate) fn pre_roll(&self) -> usize {
        match self {
            Self::Pcm(_) => 0,
            Self::Compressed(setup) => setup.pre_roll() as usize,
            Self::Vorbis(_) => 1, // half of a block overlaps the one before
        }
    }

    /// The frames that come of each of the packets, in turn.
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

    /// The most bytes that a packet of so many takes to decode.
    pub(crate) fn needed(&self, packet_bytes: u64) -> u64 {
        match self {
            Self::Pcm(_) => packet_bytes.saturating_mul(4),
            Self::Compressed(_) | Self::Vorbis(_) => 0, // their setups are held against what may be allocated
        }
    }

    /// A decoder in its first state.
    ///
    /// # Errors
    /// When the setup is not what it must be.
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

    /// A decoder in its first state, made of one that was used where that is possible.
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

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // inside the bounds
fn sample_rate(frequency: f64) -> Result<u32> {
    let rate = frequency.round();
    if !(1.0..=f64::from(u32::MAX)).contains(&rate) {
        return Err(Error::new(Status::BadData, format!("a sample rate of {frequency} Hz")));
    }
    Ok(rate as u32)
}

/// The first and the last of the three headers that are laced together: their number less 1, the lengths of the first
/// two as sums of bytes of which all but the last are 255, the headers.
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

/// A decoder and what it decoded last.
pub(crate) enum Codec {
    Pcm(PcmCodec),
    Compressed(AudioCodec),
    Vorbis(Box<VorbisCodec>),
}

impl Codec {
    /// Decodes a packet that stands for `num_frames` frames, and returns the number that came of it.
    ///
    /// # Errors
    /// As [`PacketCodec::decode`](crate::engine::packets::PacketCodec::decode).
    pub(crate) fn decode(&mut self, packet: &[u8], num_frames: u64) -> Result<usize, Broken> {
        match self {
            Self::Pcm(codec) => Ok(codec.decode(packet)),
            Self::Compressed(codec) => codec.decode(packet, num_frames),
            Self::Vorbis(codec) => codec.decode(packet),
        }
    }

    /// Writes frames of the packet decoded last, as many as there is room for, and returns their number.
    pub(crate) fn write(&self, frames: Range<usize>, output: &mut Output<'_>) -> usize {
        match self {
            Self::Pcm(codec) => codec.write(frames, output),
            Self::Compressed(codec) => codec.write(frames, output),
            Self::Vorbis(codec) => codec.write(frames, output),
        }
    }
}
