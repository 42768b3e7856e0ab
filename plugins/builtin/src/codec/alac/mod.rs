//! Apple Lossless: its setup, the "magic cookie", and its packets.

#![forbid(unsafe_code)]

mod encoder;
mod layout;

use std::ops::Range;

use mapwave_alac::{Config, DecodeError, Decoder, Part};
use mapwave_plugin::{Error, Output, Result, SampleFormat, Status};

use crate::bytes::Bytes;
use crate::codec::kept::{decode_parts, write_last};
use crate::engine::packets::Broken;

pub use encoder::AlacEncoder;
use layout::CHANNEL_MASKS;

/// The most frames a packet may have: sixteen times what every encoder writes.
const MAX_FRAMES_PER_PACKET: u32 = 65536;

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
        fields.take(2)?; // tuning of the entropy coder
        let max_parameter = fields.u8()?; // and the most low bits of its codes
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
        if !(1..=31).contains(&max_parameter) {
            return bad(format!("codes with up to {max_parameter} low bits, expected 1 to 31"));
        }
        let parsed = Config::parse(&config).map_err(|error| Error::bad_data(offset, error.to_string()))?;
        let num_bytes = Decoder::num_bytes_for(&parsed);
        if num_bytes > max_alloc {
            let message =
                format!("decoding the ALAC packets takes {num_bytes} bytes; the limit is {max_alloc}");
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
        let decoder = Config::parse(&self.config).and_then(|config| Decoder::new(&config));
        let decoder = decoder.map_err(|error| Error::new(Status::BadData, error.to_string()))?;
        Ok(AlacCodec { decoder })
    }
}

/// Turns packets into samples. They do not depend on each other.
pub(crate) struct AlacCodec {
    decoder: Decoder,
}

impl AlacCodec {
    /// Decodes a packet of `num_frames` frames and returns their number. A damaged packet ends decoding.
    pub(crate) fn decode(&mut self, packet: &[u8], num_frames: u64) -> Result<usize, Broken> {
        self.decoder.read(&[packet]).map_err(|error| rejected(error.reason))?;
        let num_decoded = self.decoder.kept_frames(0);
        let wanted = usize::try_from(num_frames).unwrap_or(usize::MAX);
        if num_decoded < wanted {
            return Err(rejected(DecodeError::TooShort { num_frames: num_decoded, wanted }));
        }
        Ok(num_decoded)
    }

    /// Decodes packets and writes the wanted frames of each.
    ///
    /// # Errors
    /// The number of the first packet that is damaged or shorter than wanted.
    pub(crate) fn decode_batch(
        &mut self,
        parts: &[Part<'_>],
        output: &mut Output<'_>,
    ) -> Result<(), (usize, Broken)> {
        let decoded = decode_parts(&mut self.decoder, parts, output);
        decoded.map_err(|error| (error.index, rejected(error.reason)))
    }

    /// Writes frames of the last decoded packet.
    pub(crate) fn write(&self, frames: Range<usize>, output: &mut Output<'_>) -> usize {
        write_last(&self.decoder, frames, output)
    }
}

fn rejected(reason: DecodeError) -> Broken {
    let error = match reason {
        DecodeError::Unsupported(_) => Error::unsupported(format!("the ALAC packet: {reason}")),
        DecodeError::Memory => Error::new(Status::NoMemory, reason.to_string()),
        DecodeError::TooShort { num_frames, wanted } => {
            Error::new(Status::BadData, format!("the ALAC packet has {num_frames} frames, expected {wanted}"))
        }
        _ => Error::new(Status::BadData, format!("the ALAC packet is damaged: {reason}")),
    };
    Broken::Fatal(error)
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
