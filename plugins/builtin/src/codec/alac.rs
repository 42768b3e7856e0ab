//! Apple Lossless: its setup, the "magic cookie", and its packets.

#![forbid(unsafe_code)]

use std::ops::Range;

use mapwave_plugin::{Error, Output, Result, SampleFormat, Status};
use symphonia_codec_alac::AlacDecoder;
use symphonia_core::audio::{Audio, GenericAudioBufferRef};
use symphonia_core::codecs::audio::well_known::CODEC_ID_ALAC;
use symphonia_core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia_core::packet::PacketRef;
use symphonia_core::units::{Duration, Timestamp};

use crate::bytes::Bytes;
use crate::engine::packets::Broken;

/// The most frames a packet may have: sixteen times what every encoder writes.
const MAX_FRAMES_PER_PACKET: u32 = 65536;

/// The speakers of each number of channels, as a WAVE mask (ALACMagicCookieDescription, "Channel Layout Info").
const CHANNEL_MASKS: [u64; 9] = [0, 0x4, 0x3, 0x7, 0x107, 0x37, 0x3f, 0x13f, 0xff];

/// The parameters for decoding packets: the ALACSpecificConfig.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AlacSetup {
    /// The 24 bytes from the file.
    config: [u8; 24],
    pub(crate) frames_per_packet: u32,
    pub(crate) bits_per_sample: u32,
    pub(crate) num_channels: u32,
    pub(crate) sample_rate: u32,
}

impl AlacSetup {
    /// Reads a magic cookie: an ALACSpecificConfig, which older files wrap in atoms "frma" and "alac".
    ///
    /// # Errors
    /// When it is truncated or has values that the format does not allow.
    pub(crate) fn from_cookie(cookie: Bytes<'_>, max_alloc: u64) -> Result<Self> {
        let wrapped = cookie.boxes().take(2).find(|found| found.kind == *b"alac");
        let mut bytes = match wrapped {
            Some(found) => {
                let mut payload = found.payload;
                payload.version_and_flags()?;
                payload
            }
            None => cookie,
        };
        let offset = bytes.offset();
        let config: [u8; 24] = bytes.array()?;
        let mut fields = Bytes::new(&config);
        let frames_per_packet = fields.u32()?;
        let version = fields.u8()?;
        let bits_per_sample = u32::from(fields.u8()?);
        fields.take(3)?; // tuning of the entropy coder
        let num_channels = u32::from(fields.u8()?);
        fields.take(10)?; // the longest run, the largest packet and the mean bit rate
        let sample_rate = fields.u32()?;
        let bad = |what: String| Err(Error::bad_data(offset, format!("the ALAC setup has {what}")));
        if version != 0 {
            return Err(Error::unsupported(format!(
                "ALAC version {version} is not supported, only version 0"
            )));
        }
        if !(1..=MAX_FRAMES_PER_PACKET).contains(&frames_per_packet) {
            return bad(format!(
                "{frames_per_packet} frames per packet, expected 1 to {MAX_FRAMES_PER_PACKET}"
            ));
        }
        if !matches!(bits_per_sample, 16 | 20 | 24 | 32) {
            return bad(format!("{bits_per_sample} bits per sample, expected 16, 20, 24 or 32"));
        }
        if !(1..=8).contains(&num_channels) {
            return bad(format!("{num_channels} channels, expected 1 to 8"));
        }
        if sample_rate == 0 {
            return bad("a sample rate of 0".to_owned());
        }
        let num_bytes = u64::from(frames_per_packet) * u64::from(num_channels + 1) * 4;
        if num_bytes > max_alloc {
            let message = format!("a packet decodes to {num_bytes} bytes; the limit is {max_alloc}");
            return Err(Error::new(Status::Limit, message).at(offset));
        }
        Ok(Self { config, frames_per_packet, bits_per_sample, num_channels, sample_rate })
    }

    /// Speaker positions as a WAVE channel mask.
    pub(crate) fn channel_mask(&self) -> u64 {
        CHANNEL_MASKS.get(self.num_channels as usize).copied().unwrap_or(0)
    }

    /// The lossless sample format, and all that decoding can write.
    pub(crate) fn formats(&self) -> (SampleFormat, &'static [SampleFormat]) {
        if self.bits_per_sample <= 16 {
            (SampleFormat::I16, &[SampleFormat::I16, SampleFormat::I32, SampleFormat::F32])
        } else {
            (SampleFormat::I32, &[SampleFormat::I32, SampleFormat::F32])
        }
    }

    /// The number of frames of a packet. Only a short packet holds the number itself.
    pub(crate) fn frames_of(&self, packet: &[u8]) -> u32 {
        // 3 bits of element, 4 of instance, 12 unused, 1 "has a number of frames", 2 shift, 1 verbatim, then the number
        let Some(head) = packet.first_chunk::<7>() else { return self.frames_per_packet };
        let [a, b, c, d, e, f, g] = *head;
        let bits = u64::from_be_bytes([0, a, b, c, d, e, f, g]);
        let (element, is_short) = (bits >> 53, bits >> 36 & 1);
        let num_frames = u32::try_from(bits >> 1 & 0xffff_ffff).unwrap_or(u32::MAX);
        let is_audio = matches!(element, 0 | 1 | 3);
        if is_audio && is_short == 1 && num_frames <= self.frames_per_packet {
            num_frames
        } else {
            self.frames_per_packet
        }
    }

    /// A decoder in its initial state.
    pub(crate) fn codec(&self) -> Result<AlacCodec> {
        AlacCodec::new(self)
    }
}

/// Turns packets into samples.
pub(crate) struct AlacCodec {
    decoder: AlacDecoder,
    /// For each of our channels, the number of the decoder's.
    order: &'static [usize],
}

/// For each number of channels, the decoder's channel of each speaker in the mask's order. In layouts with more than
/// six channels it exchanges the surround and centre channels.
const DECODER_ORDERS: [&[usize]; 9] = [
    &[],
    &[0],
    &[0, 1],
    &[0, 1, 2],
    &[0, 1, 2, 3],
    &[0, 1, 2, 3, 4],
    &[0, 1, 2, 3, 4, 5],
    &[0, 1, 2, 3, 5, 6, 4],
    &[0, 1, 2, 3, 6, 7, 4, 5],
];

impl AlacCodec {
    fn new(setup: &AlacSetup) -> Result<Self> {
        let mut parameters = AudioCodecParameters::new();
        parameters.for_codec(CODEC_ID_ALAC).with_extra_data(Box::new(setup.config));
        let decoder = AlacDecoder::try_new(&parameters, &AudioDecoderOptions::default());
        let decoder = decoder.map_err(|error| Error::unsupported(error.to_string()))?;
        let order = DECODER_ORDERS.get(setup.num_channels as usize).copied().unwrap_or(&[]);
        Ok(Self { decoder, order })
    }

    /// Decodes a packet of `num_frames` frames and returns their number. A damaged packet ends decoding.
    pub(crate) fn decode(&mut self, packet: &[u8], num_frames: u64) -> Result<usize, Broken> {
        let packet = PacketRef::new(0, Timestamp::new(0), Duration::new(num_frames), packet);
        let fatal = |message| Broken::Fatal(Error::new(Status::BadData, message));
        let samples = self.decoder.decode_ref(&packet);
        let samples = samples.map_err(|error| fatal(format!("the ALAC packet is damaged: {error}")))?;
        let num_decoded = samples.frames();
        if (num_decoded as u64) < num_frames {
            return Err(fatal(format!("the ALAC packet has {num_decoded} frames, expected {num_frames}")));
        }
        Ok(num_decoded)
    }

    /// Writes frames of the last decoded packet.
    pub(crate) fn write(&self, frames: Range<usize>, output: &mut Output<'_>) -> usize {
        let GenericAudioBufferRef::S32(samples) = self.decoder.last_decoded() else { return 0 };
        let mut planes: [&[i32]; 8] = [&[]; 8];
        for (plane, channel) in planes.iter_mut().zip(self.order) {
            *plane = samples.plane(*channel).and_then(|samples| samples.get(frames.clone())).unwrap_or(&[]);
        }
        let Some(planes) = planes.get(..self.order.len()) else { return 0 };
        // Samples are in the upper bits.
        match output.format() {
            SampleFormat::I16 => output.write_planar(planes, |sample| {
                let [.., low, high] = i32::to_le_bytes(sample);
                i16::from_le_bytes([low, high])
            }),
            SampleFormat::I32 => output.write_planar(planes, |sample: i32| sample),
            SampleFormat::F32 => output.write_planar(planes, |sample: i32| sample as f32 / 2_147_483_648.0),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    const CONFIG: [u8; 24] =
        [0, 0, 0x10, 0, 0, 16, 40, 10, 14, 2, 0, 255, 0, 0, 0x40, 4, 0, 0x15, 0x88, 0x80, 0, 0, 0xac, 0x44];

    #[test]
    fn a_cookie_is_read_with_and_without_atoms() {
        let plain = AlacSetup::from_cookie(Bytes::new(&CONFIG), 1 << 20).unwrap();
        assert_eq!((plain.frames_per_packet, plain.bits_per_sample), (4096, 16));
        assert_eq!((plain.num_channels, plain.sample_rate, plain.channel_mask()), (2, 44100, 3));
        let mut wrapped = b"\0\0\0\x0cfrmaalac\0\0\0\x24alac\0\0\0\0".to_vec();
        wrapped.extend(CONFIG);
        wrapped.extend(b"\0\0\0\x08\0\0\0\0");
        assert_eq!(AlacSetup::from_cookie(Bytes::new(&wrapped), 1 << 20).unwrap(), plain);
    }

    #[test]
    fn nonsense_is_refused() {
        let change = |at: usize, value: u8| {
            let mut config = CONFIG;
            config[at] = value;
            AlacSetup::from_cookie(Bytes::new(&config), 1 << 20).unwrap_err().status()
        };
        assert_eq!(change(0, 1), Status::BadData); // 16 million frames per packet
        assert_eq!(change(2, 0), Status::BadData); // none
        assert_eq!(change(4, 1), Status::Unsupported);
        assert_eq!(change(5, 33), Status::BadData);
        assert_eq!(change(9, 0), Status::BadData);
        assert_eq!(change(9, 9), Status::BadData);
        let error = AlacSetup::from_cookie(Bytes::new(&CONFIG[..23]), 1 << 20).unwrap_err();
        assert_eq!(error.status(), Status::BadData);
        let error = AlacSetup::from_cookie(Bytes::new(&CONFIG), 1000).unwrap_err();
        assert_eq!(error.status(), Status::Limit);
    }

    #[test]
    fn a_short_packet_tells_its_frames() {
        let setup = AlacSetup::from_cookie(Bytes::new(&CONFIG), 1 << 20).unwrap();
        // A pair (1), instance 0, 12 unused bits, short, no shift, compressed; 2521 frames.
        let bits: u64 = 1 << 53 | 1 << 36 | 2521 << 1;
        let packet = &bits.to_be_bytes()[1..];
        assert_eq!(setup.frames_of(packet), 2521);
        assert_eq!(setup.frames_of(&[0x20, 0, 0, 0, 0, 0, 0]), 4096);
        assert_eq!(setup.frames_of(&[]), 4096);
    }
}
