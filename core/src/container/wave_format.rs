//! The `fmt ` chunk of the WAVE family: WAVEFORMAT, WAVEFORMATEX and WAVEFORMATEXTENSIBLE (Microsoft's `mmreg.h`;
//! *Multiple Channel Audio Data and WAVE Files*, 2001), shared by RIFF and Wave64.

#![forbid(unsafe_code)]

use std::ops::Range;

use crate::cursor::Cursor;
use crate::error::{Error, Result};
use crate::pcm::{ByteOrder, SampleFormat};
use crate::track::{Codec, Container, PacketCodec, Track};

use super::sound_data::SoundData;
use super::unsupported;
use super::wave_tags::{self as tags, FramesPerPacket, SubFormat};

/// The 16 bytes at the start of every `fmt ` chunk.
const BASIC_BYTES: u64 = 16;
/// The basic bytes, `cbSize`, and the 22 bytes that it counts in a WAVEFORMATEXTENSIBLE.
const EXTENSIBLE_BYTES: u64 = 40;

/// The contents of a `fmt ` chunk, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct WaveFormat {
    container: Container,
    codec: Codec,
    sample_rate: u32,
    num_channels: u16,
    channel_mask: u32,
    bits_per_sample: u16,
}

/// The fields, as stored in the file.
struct Fields {
    tag: u16,
    sub_format: Option<SubFormat>,
    num_channels: u16,
    sample_rate: u32,
    block_align: u16,
    container_bits: u16,
    valid_bits: u16,
    channel_mask: u32,
    config: Range<u64>,
}

/// The position and byte order of a `fmt ` chunk.
#[derive(Clone, Copy, Debug)]
pub(super) struct FormatChunk {
    pub container: Container,
    pub order: ByteOrder,
    pub start: u64,
    pub num_bytes: u64,
}

impl FormatChunk {
    fn u16(self, cursor: &mut Cursor<'_>) -> Result<u16> {
        match self.order {
            ByteOrder::Little => cursor.u16_le(),
            ByteOrder::Big => cursor.u16_be(),
        }
    }

    fn u32(self, cursor: &mut Cursor<'_>) -> Result<u32> {
        match self.order {
            ByteOrder::Little => cursor.u32_le(),
            ByteOrder::Big => cursor.u32_be(),
        }
    }

    fn malformed(self, field_offset: u64, what: impl Into<String>) -> Error {
        Error::malformed(self.container, self.start.saturating_add(field_offset), what)
    }

    fn fields(self, cursor: &mut Cursor<'_>) -> Result<Fields> {
        if self.num_bytes < BASIC_BYTES {
            let what =
                format!("the 'fmt ' chunk has {} bytes, expected at least {BASIC_BYTES}", self.num_bytes);
            return Err(self.malformed(0, what));
        }
        cursor.seek(self.start);
        let tag = self.u16(cursor)?;
        let num_channels = self.u16(cursor)?;
        let sample_rate = self.u32(cursor)?;
        let _bytes_per_second = self.u32(cursor)?;
        let block_align = self.u16(cursor)?;
        let container_bits = self.u16(cursor)?;
        let mut fields = Fields {
            tag,
            sub_format: None,
            num_channels,
            sample_rate,
            block_align,
            container_bits,
            valid_bits: container_bits,
            channel_mask: 0,
            config: cursor.position()..cursor.position(),
        };
        match tag {
            tags::PCM | tags::IEEE_FLOAT | tags::ALAW | tags::MULAW => {}
            tags::EXTENSIBLE => self.extension(cursor, &mut fields)?,
            _ if self.num_bytes >= BASIC_BYTES + 2 => {
                let size = self.u16(cursor)?;
                fields.config = self.config(cursor, size);
            }
            _ => {}
        }
        Ok(fields)
    }

    /// Reads `cbSize` and the bytes that it counts. The size itself is not trusted: some writers leave it 0 in a 40-byte chunk.
    fn extension(self, cursor: &mut Cursor<'_>, fields: &mut Fields) -> Result<()> {
        if self.num_bytes < EXTENSIBLE_BYTES {
            let what = format!(
                "the 'fmt ' chunk of an extensible format has {} bytes, expected at least {EXTENSIBLE_BYTES}",
                self.num_bytes
            );
            return Err(self.malformed(0, what));
        }
        let size = self.u16(cursor)?;
        let valid_bits = self.u16(cursor)?;
        fields.channel_mask = self.u32(cursor)?;
        let guid = cursor.array()?;
        fields.config = self.config(cursor, size.saturating_sub(22));
        // A RIFX writer may store the GUID in big-endian like everything else, or as the little-endian constant.
        let sub_format = SubFormat::read(guid, self.order);
        let tag = sub_format.tag().or_else(|| SubFormat::read(guid, ByteOrder::Little).tag());
        fields.tag = tag.unwrap_or(tags::EXTENSIBLE);
        fields.sub_format = Some(sub_format);
        // Writers store 0 valid bits for codecs without a bit depth; some mean all bits by it.
        if (1..=fields.container_bits).contains(&valid_bits) {
            fields.valid_bits = valid_bits;
        }
        Ok(())
    }

    /// The next `size` bytes, limited to the chunk and the file.
    fn config(self, cursor: &Cursor<'_>, size: u16) -> Range<u64> {
        let start = cursor.position();
        let limit = self.start.saturating_add(self.num_bytes).min(cursor.file_len());
        start..start.saturating_add(u64::from(size)).min(limit).max(start)
    }
}

impl WaveFormat {
    /// Reads and checks a `fmt ` chunk.
    pub fn read(cursor: &mut Cursor<'_>, chunk: FormatChunk) -> Result<Self> {
        let fields = chunk.fields(cursor)?;
        if fields.num_channels == 0 {
            return Err(chunk.malformed(2, "the number of channels is 0, expected at least 1"));
        }
        if fields.sample_rate == 0 {
            return Err(chunk.malformed(4, "the sample rate is 0, expected at least 1 Hz"));
        }
        let (codec, bits_per_sample) = match fields.tag {
            tags::PCM => (Codec::Pcm(fields.integer(chunk)?), fields.valid_bits),
            tags::IEEE_FLOAT => (Codec::Pcm(fields.float(chunk)?), fields.container_bits),
            tags::ALAW => (Codec::Pcm(SampleFormat::Alaw), 8),
            tags::MULAW => (Codec::Pcm(SampleFormat::Mulaw), 8),
            _ => (Codec::Packets(fields.packets(cursor, chunk)?), 0),
        };
        Ok(Self {
            container: chunk.container,
            codec,
            sample_rate: fields.sample_rate,
            num_channels: fields.num_channels,
            channel_mask: known_speakers(fields.channel_mask, fields.num_channels),
            bits_per_sample,
        })
    }

    /// The track with this format in `data`; `fact` is the number of frames stated by a `fact` chunk before the data.
    ///
    /// `fact` is used only for compressed frames: PCM files often have a wrong one, and their size gives the exact number.
    pub fn track(self, data: SoundData, fact: Option<u64>) -> Track {
        let num_frames = match &self.codec {
            Codec::Pcm(format) => {
                let bytes_per_frame =
                    (format.num_bytes() as u64).saturating_mul(u64::from(self.num_channels));
                Some(data.num_whole(bytes_per_frame))
            }
            Codec::Packets(packets) => num_compressed_frames(packets, &data, fact),
            Codec::Compressed(_) => None,
        };
        Track {
            container: self.container,
            codec: self.codec,
            sample_rate: self.sample_rate,
            num_channels: self.num_channels,
            channel_mask: self.channel_mask,
            bits_per_sample: Some(self.bits_per_sample).filter(|&bits| bits > 0),
            num_frames,
            data: data.bytes,
            missing_bytes: data.missing_bytes,
        }
    }
}

impl Fields {
    /// The format of integer samples.
    ///
    /// `wBitsPerSample` may be less than the storage size (12 bits in two bytes), which then follows from `nBlockAlign`. If
    /// `nBlockAlign` is inconsistent, the smallest size that holds the bits is used.
    fn integer(&self, chunk: FormatChunk) -> Result<SampleFormat> {
        if self.container_bits == 0 {
            return Err(chunk.malformed(14, "the number of bits per sample is 0, expected 1 to 64"));
        }
        let least = self.container_bits.div_ceil(8);
        let stated = self.block_align.checked_div(self.num_channels).unwrap_or(0);
        let divides = stated.checked_mul(self.num_channels) == Some(self.block_align);
        let num_bytes = match stated {
            1..=4 | 8 if divides && stated >= least => stated,
            _ => least,
        };
        match (num_bytes, chunk.order) {
            (1, _) => Ok(SampleFormat::U8),
            (2, order) => Ok(SampleFormat::S16(order)),
            (3, order) => Ok(SampleFormat::S24(order)),
            (4, order) => Ok(SampleFormat::S32(order)),
            (8, order) => Ok(SampleFormat::S64(order)),
            _ => Err(self.no_such_sample("integer", "of 1, 2, 3, 4 or 8 bytes", chunk)),
        }
    }

    fn float(&self, chunk: FormatChunk) -> Result<SampleFormat> {
        match self.container_bits {
            0 => Err(chunk.malformed(14, "the number of bits per sample is 0, expected 32 or 64")),
            32 => Ok(SampleFormat::F32(chunk.order)),
            64 => Ok(SampleFormat::F64(chunk.order)),
            _ => Err(self.no_such_sample("floating-point", "of 32 or 64 bits", chunk)),
        }
    }

    fn no_such_sample(&self, kind: &str, expected: &str, chunk: FormatChunk) -> Error {
        let bits = self.container_bits;
        let what = format!("{kind} samples of {bits} bits; only those {expected} are supported");
        unsupported(Some(chunk.container), None, what)
    }

    fn packets(&self, cursor: &mut Cursor<'_>, chunk: FormatChunk) -> Result<PacketCodec> {
        let frames_per_packet = match tags::frames_per_packet(self.tag) {
            FramesPerPacket::Varies => 0,
            FramesPerPacket::SamplesPerBlock(otherwise) => {
                cursor.seek(self.config.start);
                let is_there = self.config.end.saturating_sub(self.config.start) >= 2;
                let stated = if is_there { chunk.u16(cursor)? } else { 0 };
                if stated == 0 { otherwise } else { u32::from(stated) }
            }
        };
        let name = match self.sub_format {
            Some(guid) if self.tag == tags::EXTENSIBLE => format!("wav:{guid}"),
            _ => tags::codec_name(self.tag),
        };
        Ok(PacketCodec {
            name,
            tag: u32::from(self.tag),
            config: self.config.clone(),
            bytes_per_packet: u32::from(self.block_align),
            frames_per_packet,
            packet_table: None,
        })
    }
}

/// The number of frames stated by `fact`, as far as the packets present agree: it can shorten the last packet, no more. (Some
/// writers count the frames of one channel only.)
fn num_compressed_frames(packets: &PacketCodec, data: &SoundData, fact: Option<u64>) -> Option<u64> {
    if data.num_bytes() == 0 {
        return Some(0);
    }
    // A streaming writer that could not seek back leaves 0.
    let stated = fact.filter(|&num_frames| num_frames != 0)?;
    let (bytes, frames) = (u64::from(packets.bytes_per_packet), u64::from(packets.frames_per_packet));
    if bytes == 0 || frames == 0 {
        return Some(stated).filter(|_| data.missing_bytes == 0);
    }
    let most = data.num_bytes().div_ceil(bytes).saturating_mul(frames);
    let all_but_the_last = data.num_whole(bytes).saturating_sub(1).saturating_mul(frames);
    Some(stated.min(most)).filter(|&num_frames| num_frames > all_but_the_last)
}

/// The mask without SPEAKER_ALL, without reserved bits and, as the specification demands, without the highest bits if there
/// are more speakers than channels.
fn known_speakers(mask: u32, num_channels: u16) -> u32 {
    let mut known = mask & 0x0003_ffff;
    while known.count_ones() > u32::from(num_channels) {
        known &= !(0x8000_0000 >> known.leading_zeros());
    }
    known
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::builder::Bytes;
    use super::*;

    fn basic(tag: u16, channels: u16, rate: u32, block_align: u16, bits: u16) -> Bytes {
        Bytes::new().u16_le(tag).u16_le(channels).u32_le(rate).u32_le(0).u16_le(block_align).u16_le(bits)
    }

    fn extensible(block_align: u16, bits: u16, valid: u16, mask: u32, tag: u16) -> Bytes {
        let guid_tail = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];
        let bytes = basic(tags::EXTENSIBLE, 2, 48000, block_align, bits).u16_le(22);
        bytes.u16_le(valid).u32_le(mask).u16_le(tag).put(&guid_tail)
    }

    fn read(bytes: &Bytes) -> Result<WaveFormat> {
        let num_bytes = bytes.0.len() as u64;
        let mut cursor = Cursor::new(&bytes.0, num_bytes, Container::WAV);
        let order = ByteOrder::Little;
        WaveFormat::read(&mut cursor, FormatChunk { container: Container::WAV, order, start: 0, num_bytes })
    }

    fn pcm(channels: u16, block_align: u16, bits: u16) -> Result<SampleFormat> {
        match read(&basic(tags::PCM, channels, 8000, block_align, bits))?.codec {
            Codec::Pcm(format) => Ok(format),
            other => panic!("{other:?}"),
        }
    }

    fn message(bytes: &Bytes) -> String {
        read(bytes).unwrap_err().to_string()
    }

    #[test]
    fn the_size_of_a_sample_follows_from_the_block() {
        use ByteOrder::Little;
        assert_eq!(pcm(2, 4, 16).unwrap(), SampleFormat::S16(Little));
        assert_eq!(pcm(1, 2, 12).unwrap(), SampleFormat::S16(Little));
        assert_eq!(pcm(1, 3, 20).unwrap(), SampleFormat::S24(Little));
        assert_eq!(pcm(2, 8, 24).unwrap(), SampleFormat::S32(Little));
        assert_eq!(pcm(1, 8, 64).unwrap(), SampleFormat::S64(Little));
        assert_eq!(pcm(5, 5, 5).unwrap(), SampleFormat::U8);
    }

    #[test]
    fn a_nonsensical_block_leaves_the_bits_to_decide() {
        use ByteOrder::Little;
        assert_eq!(pcm(3, 4, 24).unwrap(), SampleFormat::S24(Little));
        assert_eq!(pcm(2, 0, 16).unwrap(), SampleFormat::S16(Little));
        assert_eq!(pcm(2, 2, 16).unwrap(), SampleFormat::S16(Little));
        assert_eq!(pcm(1, 6, 16).unwrap(), SampleFormat::S16(Little));
    }

    #[test]
    fn samples_of_five_to_seven_bytes_are_unsupported() {
        for (block_align, bits) in [(5, 36), (6, 48), (7, 53), (16, 128)] {
            let error = pcm(1, block_align, bits).unwrap_err();
            assert!(matches!(error, Error::Unsupported { .. }), "{error}");
            assert!(error.to_string().contains(&format!("integer samples of {bits} bits")), "{error}");
        }
    }

    #[test]
    fn floats_have_32_or_64_bits() {
        let format = read(&basic(tags::IEEE_FLOAT, 1, 8000, 8, 64)).unwrap();
        assert_eq!(format.codec, Codec::Pcm(SampleFormat::F64(ByteOrder::Little)));
        assert!(
            message(&basic(tags::IEEE_FLOAT, 1, 8000, 2, 16)).contains("floating-point samples of 16 bits")
        );
        assert!(message(&basic(tags::IEEE_FLOAT, 1, 8000, 4, 0)).contains("bits per sample is 0"));
    }

    #[test]
    fn companded_samples_are_bytes_whatever_the_header_says() {
        let format = read(&basic(tags::ALAW, 2, 8000, 4, 16)).unwrap();
        assert_eq!((format.codec, format.bits_per_sample), (Codec::Pcm(SampleFormat::Alaw), 8));
        let format = read(&basic(tags::MULAW, 2, 8000, 2, 8)).unwrap();
        assert_eq!(format.codec, Codec::Pcm(SampleFormat::Mulaw));
    }

    #[test]
    fn valid_bits_are_the_depth_in_a_larger_container() {
        let format = read(&extensible(8, 32, 24, 3, tags::PCM)).unwrap();
        assert_eq!(format.codec, Codec::Pcm(SampleFormat::S32(ByteOrder::Little)));
        assert_eq!((format.bits_per_sample, format.channel_mask), (24, 3));
        let format = read(&extensible(4, 16, 12, 3, tags::PCM)).unwrap();
        assert_eq!(format.codec, Codec::Pcm(SampleFormat::S16(ByteOrder::Little)));
        assert_eq!(format.bits_per_sample, 12);
        assert_eq!(read(&extensible(4, 16, 0, 3, tags::PCM)).unwrap().bits_per_sample, 16);
        assert_eq!(read(&extensible(4, 16, 99, 3, tags::PCM)).unwrap().bits_per_sample, 16);
    }

    #[test]
    fn a_mask_names_no_more_speakers_than_there_are() {
        assert_eq!(known_speakers(0x3f, 2), 0x3);
        assert_eq!(known_speakers(0x60f, 6), 0x60f);
        assert_eq!(known_speakers(0x8000_0000, 2), 0);
        assert_eq!(known_speakers(u32::MAX, 1), 1);
    }

    #[test]
    fn a_sub_format_may_be_any_codec() {
        let format = read(&extensible(8, 32, 32, 3, tags::IEEE_FLOAT)).unwrap();
        assert_eq!(format.codec, Codec::Pcm(SampleFormat::F32(ByteOrder::Little)));
        assert_eq!(read(&extensible(1, 16, 0, 3, 0x55)).unwrap().codec.name(), "mp3");
        let mut bytes = extensible(4, 16, 16, 3, tags::PCM);
        *bytes.0.last_mut().unwrap() = 0;
        let name = read(&bytes).unwrap().codec.name().to_string();
        assert_eq!(name, "wav:{00000001-0000-0010-8000-00aa00389b00}");
    }

    #[test]
    fn refusals_say_what_was_found() {
        let short = Bytes::new().put(&[0; 14]);
        assert_eq!(
            message(&short),
            "malformed wav file at byte 0: the 'fmt ' chunk has 14 bytes, expected at least 16"
        );
        assert!(message(&basic(tags::EXTENSIBLE, 2, 8000, 4, 16)).contains("16 bytes, expected at least 40"));
        assert_eq!(
            message(&basic(tags::PCM, 0, 8000, 0, 16)),
            "malformed wav file at byte 2: the number of channels is 0, expected at least 1"
        );
        assert_eq!(
            message(&basic(tags::PCM, 1, 0, 2, 16)),
            "malformed wav file at byte 4: the sample rate is 0, expected at least 1 Hz"
        );
        assert_eq!(
            message(&basic(tags::PCM, 1, 8000, 2, 0)),
            "malformed wav file at byte 14: the number of bits per sample is 0, expected 1 to 64"
        );
    }

    #[test]
    fn a_codec_has_its_setup_and_packet_sizes() {
        let bytes = basic(0x11, 1, 8000, 256, 4).u16_le(2).u16_le(505);
        let Codec::Packets(packets) = read(&bytes).unwrap().codec else { panic!() };
        assert_eq!((packets.name.as_str(), packets.tag, packets.config), ("adpcm_ima_wav", 0x11, 18..20));
        assert_eq!((packets.bytes_per_packet, packets.frames_per_packet), (256, 505));
        let Codec::Packets(packets) = read(&basic(0x31, 1, 8000, 65, 0)).unwrap().codec else { panic!() };
        assert_eq!((packets.name.as_str(), packets.frames_per_packet), ("gsm_ms", 320));
    }

    #[test]
    fn a_setup_longer_than_its_chunk_is_cut() {
        let bytes = basic(0xff, 1, 8000, 1, 16).u16_le(500).put(&[1, 2, 3]);
        let Codec::Packets(packets) = read(&bytes).unwrap().codec else { panic!() };
        assert_eq!(packets.config, 18..21);
    }

    #[test]
    fn the_frames_of_a_codec_come_from_fact_as_far_as_its_packets_agree() {
        let format = read(&basic(0x11, 1, 8000, 256, 4).u16_le(2).u16_le(505)).unwrap();
        let frames =
            |num_bytes, fact| format.clone().track(SoundData::within(num_bytes, 0, None), fact).num_frames;
        assert_eq!(frames(512, Some(900)), Some(900));
        assert_eq!(frames(512, Some(5000)), Some(1010));
        assert_eq!(frames(512, Some(505)), None, "a whole packet would be left over");
        assert_eq!(frames(512, None), None);
        assert_eq!(frames(512, Some(0)), None);
        assert_eq!(frames(0, Some(5)), Some(0));
        let mp3 = read(&basic(0x55, 1, 8000, 1, 0)).unwrap();
        let frames =
            |claimed| mp3.clone().track(SoundData::within(512, 0, Some(claimed)), Some(900)).num_frames;
        assert_eq!(frames(512), Some(900));
        assert_eq!(frames(513), None, "nobody knows how many of them are missing");
    }

    #[test]
    fn the_frames_of_pcm_come_from_its_bytes() {
        let format = read(&basic(tags::PCM, 2, 8000, 4, 16)).unwrap();
        assert_eq!(format.track(SoundData::within(11, 0, None), Some(77)).num_frames, Some(2));
    }
}
