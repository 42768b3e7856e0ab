//! CAF's Audio Description chunk, `desc` (*Apple Core Audio Format Specification 1.0*, "Audio Description Chunk").

#![forbid(unsafe_code)]

use crate::cursor::Cursor;
use crate::error::{Error, Result};
use crate::pcm::{ByteOrder, SampleFormat};
use crate::track::{Codec, Container, PacketCodec};

use super::four_cc::FourCc;
use super::sample_rate;
use super::sound_data::SoundData;
use super::unsupported;

const CONTAINER: Container = Container::CAF;

const DESCRIPTION_BYTES: u64 = 32;

/// `kCAFLinearPCMFormatFlagIsFloat`.
pub(crate) const IS_FLOAT: u32 = 1;
/// `kCAFLinearPCMFormatFlagIsLittleEndian`.
pub(crate) const IS_LITTLE_ENDIAN: u32 = 2;

pub(crate) const LINEAR_PCM: FourCc = FourCc(*b"lpcm");
pub(crate) const A_LAW: FourCc = FourCc(*b"alaw");
pub(crate) const MU_LAW: FourCc = FourCc(*b"ulaw");
const ALAC: FourCc = FourCc(*b"alac");

/// The chunk's fields; the rate and the number of channels are checked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Description {
    pub sample_rate: u32,
    pub num_channels: u16,
    pub frames_per_packet: u32,
    format: FourCc,
    flags: u32,
    bytes_per_packet: u32,
    bits_per_channel: u32,
    start: u64,
}

impl Description {
    /// Reads and checks the payload of a `desc` chunk.
    pub fn read(cursor: &mut Cursor<'_>, start: u64, num_bytes: u64) -> Result<Self> {
        if num_bytes < DESCRIPTION_BYTES {
            let what = format!("the 'desc' chunk has {num_bytes} bytes, expected {DESCRIPTION_BYTES}");
            return Err(Error::malformed(CONTAINER, start, what));
        }
        cursor.seek(start);
        let sample_rate = sample_rate::from_f64(cursor.f64_be()?)
            .map_err(|why| Error::malformed(CONTAINER, start, format!("the sample rate {why}")))?;
        let (format, flags) = (FourCc(cursor.array()?), cursor.u32_be()?);
        let (bytes_per_packet, frames_per_packet) = (cursor.u32_be()?, cursor.u32_be()?);
        let channels_offset = cursor.position();
        let channels = cursor.u32_be()?;
        let num_channels =
            u16::try_from(channels).ok().filter(|&channels| channels > 0).ok_or_else(|| {
                let what = format!("the number of channels is {channels}, expected 1 to {}", u16::MAX);
                Error::malformed(CONTAINER, channels_offset, what)
            })?;
        let bits_per_channel = cursor.u32_be()?;
        Ok(Self {
            sample_rate,
            num_channels,
            frames_per_packet,
            format,
            flags,
            bytes_per_packet,
            bits_per_channel,
            start,
        })
    }

    /// Whether the audio consists of packets for a codec plugin.
    pub fn is_packets(&self) -> bool {
        !matches!(self.format, LINEAR_PCM | A_LAW | MU_LAW)
    }

    /// The codec; for packets, without what other chunks state about them.
    pub fn codec(&self) -> Result<Codec> {
        match self.format {
            LINEAR_PCM => self.linear_pcm().map(Codec::Pcm),
            A_LAW => Ok(Codec::Pcm(SampleFormat::Alaw)),
            MU_LAW => Ok(Codec::Pcm(SampleFormat::Mulaw)),
            _ => Ok(Codec::Packets(PacketCodec {
                name: self.codec_name(),
                tag: self.format.number(),
                config: 0..0,
                bytes_per_packet: self.bytes_per_packet,
                frames_per_packet: self.frames_per_packet,
                packet_table: None,
            })),
        }
    }

    /// The significant bits of a sample; 0 if the codec has no bit depth.
    pub fn depth(&self) -> u16 {
        match (self.format, self.flags) {
            (LINEAR_PCM, _) => u16::try_from(self.bits_per_channel).unwrap_or(0),
            (A_LAW | MU_LAW, _) => 8,
            // Apple Lossless stores the bit depth of its source in the flags (`kAppleLosslessFormatFlag_...`).
            (ALAC, 1) => 16,
            (ALAC, 2) => 20,
            (ALAC, 3) => 24,
            (ALAC, 4) => 32,
            _ => 0,
        }
    }

    /// How many numbers an entry of the packet table has: the size and the frames of a packet, each only if it varies.
    pub fn numbers_per_entry(&self) -> u64 {
        u64::from(self.bytes_per_packet == 0).saturating_add(u64::from(self.frames_per_packet == 0))
    }

    /// How many packets are present, if all have the same size.
    pub fn num_constant_packets(&self, data: &SoundData) -> Option<u64> {
        (self.numbers_per_entry() == 0).then(|| data.num_whole(u64::from(self.bytes_per_packet)))
    }

    /// How many frames are present, if all packets have the same size or there are none.
    pub fn num_constant_frames(&self, data: &SoundData) -> Option<u64> {
        let num_packets = self.num_constant_packets(data).or(Some(0).filter(|_| data.num_bytes() == 0));
        Some(num_packets?.saturating_mul(u64::from(self.frames_per_packet)))
    }

    /// The format of linear PCM. A sample may take more bytes than its bits need; it then occupies the most significant bits.
    fn linear_pcm(&self) -> Result<SampleFormat> {
        let order = if self.flags & IS_LITTLE_ENDIAN != 0 { ByteOrder::Little } else { ByteOrder::Big };
        let bits = self.bits_per_channel;
        if bits == 0 {
            return Err(self.malformed("the number of bits per channel is 0, expected 1 to 64".to_string()));
        }
        let least = bits.div_ceil(8);
        let num_bytes = self.bytes_per_sample(least)?;
        if num_bytes < least {
            return Err(self.malformed(format!("samples of {bits} bits in {num_bytes} bytes")));
        }
        match (self.flags & IS_FLOAT != 0, num_bytes) {
            (false, 1) => Ok(SampleFormat::S8),
            (false, 2) => Ok(SampleFormat::S16(order)),
            (false, 3) => Ok(SampleFormat::S24(order)),
            (false, 4) => Ok(SampleFormat::S32(order)),
            (false, 8) => Ok(SampleFormat::S64(order)),
            (true, 4) if bits == 32 => Ok(SampleFormat::F32(order)),
            (true, 8) if bits == 64 => Ok(SampleFormat::F64(order)),
            (is_float, _) => {
                let (kind, expected) = match is_float {
                    true => ("floating-point", "of 32 or 64 bits in as many"),
                    false => ("integer", "in 1, 2, 3, 4 or 8 bytes"),
                };
                let what = format!(
                    "{kind} samples of {bits} bits in {num_bytes} bytes; only those {expected} are supported"
                );
                Err(unsupported(Some(CONTAINER), None, what))
            }
        }
    }

    /// The bytes of a sample, from `mBytesPerPacket`. Some writers leave that field or `mFramesPerPacket` 0.
    fn bytes_per_sample(&self, least: u32) -> Result<u32> {
        if self.bytes_per_packet == 0 {
            return Ok(least);
        }
        let samples = self.frames_per_packet.max(1).checked_mul(u32::from(self.num_channels));
        let num_bytes = samples.and_then(|samples| self.bytes_per_packet.checked_div(samples)).unwrap_or(0);
        if samples.and_then(|samples| samples.checked_mul(num_bytes)) != Some(self.bytes_per_packet) {
            let (bytes, frames, channels) =
                (self.bytes_per_packet, self.frames_per_packet, self.num_channels);
            let what =
                format!("packets of {bytes} bytes cannot hold {frames} frames of {channels} channels evenly");
            return Err(self.malformed(what));
        }
        Ok(num_bytes)
    }

    fn codec_name(&self) -> String {
        let name = match &self.format.0 {
            b"aac " | b"aach" | b"aacp" | b"aacl" | b"aace" => "aac",
            b"ac-3" | b"sac3" => "ac3",
            b"ec-3" => "eac3",
            b"alac" => "alac",
            b"flac" => "flac",
            b"opus" => "opus",
            b".mp1" => "mp1",
            b".mp2" => "mp2",
            b".mp3" | b"ms\0\x55" => "mp3",
            b"ima4" => "adpcm_ima_qt",
            b"ms\0\x02" => "adpcm_ms",
            b"ms\0\x11" => "adpcm_ima_wav",
            b"ms\0\x31" => "gsm_ms",
            b"agsm" => "gsm",
            b"samr" => "amr_nb",
            b"sawb" => "amr_wb",
            b"ilbc" => "ilbc",
            b"MAC3" => "mace3",
            b"MAC6" => "mace6",
            b"QDM2" => "qdm2",
            b"QDMC" => "qdmc",
            b"Qclp" | b"Qclq" => "qcelp",
            _ => return format!("caf:{}", self.format),
        };
        name.to_string()
    }

    fn malformed(&self, what: String) -> Error {
        Error::malformed(CONTAINER, self.start, what)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::builder::Bytes;
    use super::*;

    fn read(
        rate: f64,
        format: &[u8; 4],
        flags: u32,
        packet: (u32, u32),
        channels: u32,
        bits: u32,
    ) -> Result<Description> {
        let bytes = Bytes::new().f64_be(rate).put(format).u32_be(flags).u32_be(packet.0).u32_be(packet.1);
        let bytes = bytes.u32_be(channels).u32_be(bits).0;
        let num_bytes = bytes.len() as u64;
        Description::read(&mut Cursor::new(&bytes, num_bytes, CONTAINER), 0, num_bytes)
    }

    /// The format of stereo samples.
    fn stereo(flags: u32, bytes_per_frame: u32, bits: u32) -> Result<SampleFormat> {
        read(8000.0, b"lpcm", flags, (bytes_per_frame, 1), 2, bits)?.linear_pcm()
    }

    #[test]
    fn every_combination_of_flags_and_sizes() {
        use ByteOrder::{Big, Little};
        for (flags, order) in [(0, Big), (IS_LITTLE_ENDIAN, Little)] {
            assert_eq!(stereo(flags, 2, 8).unwrap(), SampleFormat::S8);
            assert_eq!(stereo(flags, 4, 16).unwrap(), SampleFormat::S16(order));
            assert_eq!(stereo(flags, 6, 24).unwrap(), SampleFormat::S24(order));
            assert_eq!(stereo(flags, 8, 32).unwrap(), SampleFormat::S32(order));
            assert_eq!(stereo(flags, 16, 64).unwrap(), SampleFormat::S64(order));
            assert_eq!(stereo(flags | IS_FLOAT, 8, 32).unwrap(), SampleFormat::F32(order));
            assert_eq!(stereo(flags | IS_FLOAT, 16, 64).unwrap(), SampleFormat::F64(order));
        }
    }

    #[test]
    fn samples_may_have_room_to_spare() {
        assert_eq!(stereo(0, 8, 24).unwrap(), SampleFormat::S32(ByteOrder::Big));
        assert_eq!(stereo(0, 4, 12).unwrap(), SampleFormat::S16(ByteOrder::Big));
        assert_eq!(stereo(0, 0, 24).unwrap(), SampleFormat::S24(ByteOrder::Big));
        assert_eq!(read(8000.0, b"lpcm", 0, (8, 1), 2, 24).unwrap().depth(), 24);
    }

    #[test]
    fn a_packet_may_hold_several_frames() {
        let format = read(8000.0, b"lpcm", 0, (16, 4), 2, 16).unwrap().linear_pcm().unwrap();
        assert_eq!(format, SampleFormat::S16(ByteOrder::Big));
    }

    #[test]
    fn sizes_that_contradict_each_other_are_malformed() {
        let message = |bytes, bits| stereo(0, bytes, bits).unwrap_err().to_string();
        assert!(message(5, 16).contains("packets of 5 bytes cannot hold 1 frames of 2 channels evenly"));
        assert!(message(4, 24).contains("samples of 24 bits in 2 bytes"));
        assert!(message(4, 0).contains("bits per channel is 0, expected 1 to 64"));
        let huge = read(8000.0, b"lpcm", 0, (u32::MAX, u32::MAX), 65535, 16).unwrap().linear_pcm();
        assert!(matches!(huge, Err(Error::Malformed { .. })));
    }

    #[test]
    fn sizes_that_nothing_decodes_are_unsupported() {
        assert!(stereo(0, 12, 48).unwrap_err().to_string().contains("integer samples of 48 bits in 6 bytes"));
        assert!(
            stereo(IS_FLOAT, 4, 16).unwrap_err().to_string().contains("floating-point samples of 16 bits")
        );
        assert!(matches!(stereo(IS_FLOAT, 16, 32), Err(Error::Unsupported { .. })));
    }

    #[test]
    fn companded_samples_and_packets_are_told_apart() {
        let name =
            |format| read(8000.0, format, 0, (0, 0), 1, 0).unwrap().codec().unwrap().name().to_string();
        assert_eq!(name(b"alaw"), "pcm_alaw");
        assert_eq!(name(b"ulaw"), "pcm_mulaw");
        assert_eq!(name(b"ms\0\x11"), "adpcm_ima_wav");
        assert_eq!(name(b"opus"), "opus");
        assert_eq!(name(b"xyz "), "caf:'xyz '");
    }

    #[test]
    fn apple_lossless_keeps_its_depth_in_the_flags() {
        let depth = |flags| read(8000.0, b"alac", flags, (0, 4096), 1, 0).unwrap().depth();
        assert_eq!([0, 1, 2, 3, 4, 5].map(depth), [0, 16, 20, 24, 32, 0]);
    }

    #[test]
    fn refusals_say_what_was_found() {
        let message = |rate, channels| read(rate, b"lpcm", 0, (2, 1), channels, 16).unwrap_err().to_string();
        assert!(message(f64::NAN, 1).contains("at byte 0: the sample rate is infinite or not a number"));
        assert!(message(8000.0, 0).contains("at byte 24: the number of channels is 0, expected 1 to 65535"));
        assert!(message(8000.0, 65536).contains("the number of channels is 65536"));
        let mut cursor = Cursor::new(&[0; 31], 31, CONTAINER);
        let short = Description::read(&mut cursor, 0, 31).unwrap_err().to_string();
        assert!(short.contains("the 'desc' chunk has 31 bytes, expected 32"), "{short}");
    }
}
