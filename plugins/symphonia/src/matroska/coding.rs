//! How the packets of a track are coded, and the decoders for them.

#![forbid(unsafe_code)]

use std::ffi::CStr;
use std::ops::Range;
use std::sync::Arc;

use mapwave_plugin::{Error, Output, Result, SampleFormat, SeekClass};
use symphonia_bundle_flac::FlacDecoder;
use symphonia_bundle_mp3::MpaDecoder;
use symphonia_codec_aac::AacDecoder;
use symphonia_codec_alac::AlacDecoder;
use symphonia_codec_vorbis::VorbisDecoder;
use symphonia_core::audio::sample::Sample as SymphoniaSample;
use symphonia_core::audio::{Audio, AudioBuffer, Channels, GenericAudioBufferRef};
use symphonia_core::codecs::audio::well_known as ids;
use symphonia_core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia_core::packet::PacketRef;
use symphonia_core::units::{Duration, Timestamp};

use super::length::{self, MpegHeader};
use super::pcm::{PcmCodec, PcmFormat, to_f32, to_i16};
use super::segment::TrackEntry;
use crate::flac::{FrameHeader, crc16};
use crate::ogg::VorbisSetup;

/// The codecs, each with what the length of its packets depends on.
#[derive(Clone, Debug)]
enum Kind {
    Pcm(PcmFormat),
    Flac,
    Alac { frame_length: u32 },
    Vorbis(Arc<VorbisSetup>),
    Mpeg { layer: u8 },
    Aac,
}

/// A track's coding.
#[derive(Clone, Debug)]
pub(super) struct Coding {
    kind: Kind,
    parameters: AudioCodecParameters,
    pub(super) sample_rate: u32,
    pub(super) num_channels: u32,
    pub(super) channel_mask: u64,
    pub(super) bits_per_sample: u32,
}

impl Coding {
    /// Finds out what the track's setup and its first packet say, and gives the decoder that came of it along.
    pub(super) fn new(track: &TrackEntry, first_packet: &[u8], max_alloc: u64) -> Result<(Self, Codec)> {
        let num_channels = u32::try_from(track.num_channels).unwrap_or(u32::MAX);
        let mut coding = Self {
            kind: kind(track, first_packet, max_alloc)?,
            parameters: AudioCodecParameters::new(),
            sample_rate: sample_rate(track.sampling_frequency)?,
            num_channels,
            channel_mask: 0,
            bits_per_sample: 0,
        };
        let setup = &track.codec_private;
        match &coding.kind {
            Kind::Pcm(format) => {
                let bits = u32::try_from(8 * format.num_bytes()).unwrap_or(0);
                coding.bits_per_sample = bits;
                if !(1..=255).contains(&num_channels) {
                    return Err(Error::bad_data(0, format!("{num_channels} channels, expected 1 to 255")));
                }
            }
            Kind::Flac => {
                let stream_info = flac_stream_info(setup)?;
                coding.bits_per_sample = match stream_info.get(12..14) {
                    Some(&[high, low]) => u32::from(high & 1) * 16 + u32::from(low >> 4) + 1,
                    _ => 0,
                };
                coding.parameters.for_codec(ids::CODEC_ID_FLAC).with_extra_data(stream_info.into());
            }
            Kind::Alac { .. } => {
                coding.bits_per_sample = setup.get(5).copied().unwrap_or(0).into();
                coding.parameters.for_codec(ids::CODEC_ID_ALAC).with_extra_data(setup.as_slice().into());
            }
            Kind::Vorbis(setup) => {
                coding.parameters.for_codec(ids::CODEC_ID_VORBIS).with_extra_data(setup.headers.clone());
            }
            Kind::Aac => {
                coding.parameters.for_codec(ids::CODEC_ID_AAC).with_extra_data(setup.as_slice().into());
            }
            Kind::Mpeg { layer } => {
                let id = match layer {
                    1 => ids::CODEC_ID_MP1,
                    2 => ids::CODEC_ID_MP2,
                    _ => ids::CODEC_ID_MP3,
                };
                coding.parameters.for_codec(id);
                if let Some(header) = MpegHeader::read(first_packet) {
                    (coding.sample_rate, coding.num_channels) = (header.sample_rate, header.num_channels);
                }
            }
        }
        let codec = coding.codec()?;
        coding.take_layout(&codec);
        Ok((coding, codec))
    }

    /// The rate and the channels of the decoder, where it knows them before the first packet: what a container says of
    /// them is a copy.
    fn take_layout(&mut self, codec: &Codec) {
        if let Codec::Symphonia { decoder, .. } = codec
            && !matches!(self.kind, Kind::Mpeg { .. })
        {
            let buffer = decoder.last_decoded();
            let spec = buffer.spec();
            self.sample_rate = spec.rate();
            self.num_channels = u32::try_from(spec.channels().count()).unwrap_or(0);
            if let Channels::Positioned(positions) = spec.channels() {
                self.channel_mask = positions.bits() & 0x3_ffff;
            }
        }
        match self.num_channels {
            1 => self.channel_mask = 4,
            2 if self.channel_mask == 0 => self.channel_mask = 3,
            _ => {}
        }
    }

    /// The codec in FFmpeg's terms.
    pub(super) fn name(&self) -> &'static CStr {
        match &self.kind {
            Kind::Pcm(format) => format.codec(),
            Kind::Flac => c"flac",
            Kind::Alac { .. } => c"alac",
            Kind::Vorbis(_) => c"vorbis",
            Kind::Mpeg { layer: 1 } => c"mp1",
            Kind::Mpeg { layer: 2 } => c"mp2",
            Kind::Mpeg { .. } => c"mp3",
            Kind::Aac => c"aac",
        }
    }

    pub(super) fn is_lossless(&self) -> bool {
        matches!(self.kind, Kind::Pcm(_) | Kind::Flac | Kind::Alac { .. })
    }

    /// The formats that decoding can write, the native one first.
    pub(super) fn formats(&self) -> &'static [SampleFormat] {
        use SampleFormat::{F32, I16, I32};
        match &self.kind {
            Kind::Pcm(format) if format.is_float() => &[F32],
            Kind::Pcm(_) | Kind::Flac | Kind::Alac { .. } if self.bits_per_sample > 16 => &[I32, F32],
            Kind::Pcm(_) | Kind::Flac | Kind::Alac { .. } => &[I16, I32, F32],
            Kind::Vorbis(_) | Kind::Mpeg { .. } | Kind::Aac => &[F32],
        }
    }

    /// Packets of MPEG audio reach back into those before them, and AAC's noise depends on all of them.
    pub(super) fn seek_class(&self) -> SeekClass {
        match self.kind {
            Kind::Mpeg { .. } | Kind::Aac => SeekClass::None,
            _ => SeekClass::Exact,
        }
    }

    /// How many packets before the first one wanted a decoder must see: the overlap of Vorbis is with one.
    pub(super) fn pre_roll(&self) -> usize {
        match self.kind {
            Kind::Vorbis(_) => 1,
            Kind::Mpeg { .. } | Kind::Aac => usize::MAX,
            _ => 0,
        }
    }

    /// The frames that come of each of the packets, in turn.
    pub(super) fn lengths(&self) -> impl FnMut(&[u8]) -> u32 {
        let frame_bytes = match &self.kind {
            Kind::Pcm(format) => {
                format.num_bytes() * usize::try_from(self.num_channels).unwrap_or(usize::MAX).max(1)
            }
            _ => 1,
        };
        let mut last_quarter = None;
        move |packet| match &self.kind {
            Kind::Pcm(_) => u32::try_from(packet.len() / frame_bytes).unwrap_or(0),
            Kind::Flac => FrameHeader::parse(packet).map_or(0, |header| header.block_size),
            Kind::Alac { frame_length } => length::alac(packet, *frame_length),
            Kind::Vorbis(setup) => {
                // From the middle of the block before to the middle of this one (Vorbis I, section 1.3.2).
                let Some(exponent) = setup.exponent(packet) else { return 0 };
                let quarter = 1_u32 << (exponent - 2);
                last_quarter.replace(quarter).map_or(0, |last| last + quarter)
            }
            Kind::Mpeg { .. } => MpegHeader::read(packet).map_or(0, |header| header.num_frames),
            Kind::Aac => 1024,
        }
    }

    /// The most bytes that a packet of so many takes to decode.
    pub(super) fn needed(&self, packet_bytes: u64) -> u64 {
        match self.kind {
            Kind::Pcm(_) => packet_bytes.saturating_mul(4),
            _ => 0,
        }
    }

    /// A decoder in its first state.
    pub(super) fn codec(&self) -> Result<Codec> {
        let (parameters, options) = (&self.parameters, AudioDecoderOptions::default().gapless(false));
        let num_channels = usize::try_from(self.num_channels).unwrap_or(usize::MAX);
        let decoder: symphonia_core::errors::Result<Box<dyn AudioDecoder>> = match &self.kind {
            Kind::Pcm(format) => return Ok(Codec::Pcm(PcmCodec::new(*format, num_channels))),
            Kind::Flac => FlacDecoder::try_new(parameters, &options).map(|decoder| Box::new(decoder) as _),
            Kind::Alac { .. } => {
                AlacDecoder::try_new(parameters, &options).map(|decoder| Box::new(decoder) as _)
            }
            Kind::Vorbis(_) => {
                VorbisDecoder::try_new(parameters, &options).map(|decoder| Box::new(decoder) as _)
            }
            Kind::Mpeg { .. } => {
                MpaDecoder::try_new(parameters, &options).map(|decoder| Box::new(decoder) as _)
            }
            Kind::Aac => AacDecoder::try_new(parameters, &options).map(|decoder| Box::new(decoder) as _),
        };
        match decoder {
            Ok(decoder) => Ok(Codec::Symphonia {
                decoder,
                num_channels,
                is_lossless: self.is_lossless(),
                has_checksum: matches!(self.kind, Kind::Flac),
            }),
            Err(symphonia_core::errors::Error::Unsupported(why)) => Err(Error::unsupported(why)),
            Err(error) => {
                Err(Error::new(mapwave_plugin::Status::BadData, format!("the codec's setup: {error}")))
            }
        }
    }
}

fn kind(track: &TrackEntry, first_packet: &[u8], max_alloc: u64) -> Result<Kind> {
    let id = track.codec_id.as_str();
    let bad_setup =
        |what: &str| Error::new(mapwave_plugin::Status::BadData, format!("{what} in the setup of {id}"));
    if let Some(how) = track.is_encoded {
        return Err(Error::unsupported(format!("{how} packets of {id}")));
    }
    match id {
        "A_FLAC" => Ok(Kind::Flac),
        "A_ALAC" => match (track.codec_private.len(), track.codec_private.first_chunk()) {
            (24 | 48, Some(length)) => Ok(Kind::Alac { frame_length: u32::from_be_bytes(*length) }),
            _ => Err(bad_setup("no magic cookie of 24 or 48 bytes")),
        },
        "A_VORBIS" => {
            let headers = vorbis_headers(&track.codec_private);
            let [identification, setup] = headers.ok_or_else(|| bad_setup("no Vorbis headers"))?;
            Ok(Kind::Vorbis(Arc::new(VorbisSetup::parse(identification, setup, max_alloc, 0)?)))
        }
        "A_MPEG/L1" | "A_MPEG/L2" | "A_MPEG/L3" => match MpegHeader::read(first_packet) {
            Some(header) => Ok(Kind::Mpeg { layer: header.layer }),
            None if first_packet.is_empty() => Ok(Kind::Mpeg { layer: 3 }),
            None => {
                Err(Error::new(mapwave_plugin::Status::BadData, "the first packet is no MPEG audio frame"))
            }
        },
        "A_AAC" => {
            // A decoder of the low-complexity profile alone would give half of the band at half the rate.
            if track.output_sampling_frequency > track.sampling_frequency {
                return Err(Error::unsupported("AAC with spectral band replication needs the libav plugin"));
            }
            if track.codec_private.len() < 2 {
                return Err(bad_setup("no AudioSpecificConfig"));
            }
            Ok(Kind::Aac)
        }
        "A_OPUS" => Err(Error::unsupported("Opus needs the libav plugin")),
        _ => match PcmFormat::new(id, track.bit_depth) {
            Some(format) => Ok(Kind::Pcm(format)),
            None => Err(Error::unsupported(format!("Matroska's codec '{id}' of {} bits", track.bit_depth))),
        },
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // inside the bounds
fn sample_rate(frequency: f64) -> Result<u32> {
    let rate = frequency.round();
    if !(1.0..=f64::from(u32::MAX)).contains(&rate) {
        return Err(Error::new(mapwave_plugin::Status::BadData, format!("a sample rate of {frequency} Hz")));
    }
    Ok(rate as u32)
}

/// STREAMINFO, which comes first in the blocks of metadata that are the setup.
fn flac_stream_info(setup: &[u8]) -> Result<&[u8]> {
    let stream_info = setup.strip_prefix(b"fLaC").and_then(|blocks| blocks.get(4..38));
    stream_info
        .ok_or_else(|| Error::new(mapwave_plugin::Status::BadData, "no STREAMINFO in the setup of A_FLAC"))
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
pub(super) enum Codec {
    Pcm(PcmCodec),
    Symphonia { decoder: Box<dyn AudioDecoder>, num_channels: usize, is_lossless: bool, has_checksum: bool },
}

/// A packet that cannot be decoded.
pub(super) struct Undecodable {
    pub(super) is_lossless: bool,
    pub(super) why: String,
}

impl Codec {
    /// Decodes a packet and returns the number of frames that came of it.
    pub(super) fn decode(&mut self, packet: &[u8]) -> Result<usize, Undecodable> {
        match self {
            Self::Pcm(codec) => Ok(codec.decode(packet)),
            Self::Symphonia { decoder, num_channels, is_lossless, has_checksum } => {
                let is_lossless = *is_lossless;
                // RFC 9639, section 9.3: over a whole frame, its checksum included, the sum is 0.
                if *has_checksum && crc16(0, packet) != 0 {
                    return Err(Undecodable {
                        is_lossless,
                        why: "a FLAC frame's checksum is wrong".to_owned(),
                    });
                }
                let packet = PacketRef::new(0, Timestamp::ZERO, Duration::ZERO, packet);
                if let Err(error) = decoder.decode_ref(&packet) {
                    // What comes next depends on nothing before this, wherever decoding began.
                    decoder.reset();
                    return Err(Undecodable { is_lossless, why: error.to_string() });
                }
                let buffer = decoder.last_decoded();
                if buffer.frames() > 0 && buffer.num_planes() != *num_channels {
                    let why = format!("{} channels, expected {num_channels}", buffer.num_planes());
                    return Err(Undecodable { is_lossless, why });
                }
                Ok(buffer.frames())
            }
        }
    }

    /// Writes frames of the packet decoded last, as many as there is room for, and returns their number.
    pub(super) fn write(&self, frames: Range<usize>, output: &mut Output<'_>) -> usize {
        match self {
            Self::Pcm(codec) => codec.write(frames, output),
            Self::Symphonia { decoder, .. } => match (decoder.last_decoded(), output.format()) {
                (GenericAudioBufferRef::S32(buffer), SampleFormat::I16) => {
                    output.write_planar(&planes(buffer, &frames), to_i16)
                }
                (GenericAudioBufferRef::S32(buffer), SampleFormat::I32) => {
                    output.write_planar(&planes(buffer, &frames), |sample: i32| sample)
                }
                (GenericAudioBufferRef::S32(buffer), SampleFormat::F32) => {
                    output.write_planar(&planes(buffer, &frames), to_f32)
                }
                (GenericAudioBufferRef::F32(buffer), SampleFormat::F32) => {
                    output.write_planar(&planes(buffer, &frames), |sample: f32| sample)
                }
                _ => output.write_silence(frames.len()),
            },
        }
    }
}

fn planes<'a, S: SymphoniaSample>(buffer: &'a AudioBuffer<S>, frames: &Range<usize>) -> Vec<&'a [S]> {
    (0..buffer.num_planes())
        .map(|plane| buffer.plane(plane).and_then(|plane| plane.get(frames.clone())).unwrap_or_default())
        .collect()
}
