//! AIFF 1.3 (Apple, 1989) and AIFF-C (Apple, 1991 draft).

#![forbid(unsafe_code)]

use crate::cursor::Cursor;
use crate::error::{Error, Result};
use crate::pcm::{ByteOrder, SampleFormat};
use crate::track::{Codec, Container, PacketCodec, Track};

use super::channel_layout;
use super::four_cc::FourCc;
use super::riff::{Chunk, Chunks, UNKNOWN};
use super::sample_rate;
use super::sound_data::SoundData;
use super::unsupported;

/// `numChannels`, `numSampleFrames`, `sampleSize` and `sampleRate`.
const COMM_BYTES: u64 = 18;
/// `offset` and `blockSize`, before the audio.
const SSND_HEADER_BYTES: u64 = 8;

impl Container {
    /// AIFF.
    pub const AIFF: Self = Self::of_variant("aiff", b"aiff");
    /// AIFF-C.
    pub const AIFC: Self = Self::of_variant("aiff", b"aifc");
}

/// Reads chunks until it has found the first `COMM` and the first `SSND`, in either order.
///
/// The size of `SSND` determines the number of frames: `COMM` counts packets for some codecs and is 0 in a stream. Where `COMM`
/// states more frames than a `SSND` of known size holds, the rest is missing.
pub(super) fn parse(head: &[u8], file_len: u64) -> Result<Track> {
    let (container, form_bytes) = form(head, file_len)?;
    let mut chunks = Chunks::new(Cursor::new(head, file_len, container), container, ByteOrder::Big, 12);
    let (mut common, mut data, mut layout) = (None, None, None);
    while common.is_none() || data.is_none() {
        let Some(chunk) = chunks.next()? else { break };
        match &chunk.id.0 {
            b"COMM" if common.is_none() => {
                common = Some(Common::read(&mut chunks.cursor(), &chunk, container)?)
            }
            b"SSND" if data.is_none() => data = Some(sound_data(&chunks, &chunk, container, form_bytes)?),
            b"CHAN" if layout.is_none() => layout = Some(chunk),
            _ => {}
        }
    }
    let common = common.ok_or_else(|| chunks.missing("COMM"))?;
    // A form without frames does not need a sound data chunk (AIFF 1.3, "Sound Data Chunk").
    let data = match data {
        None if common.num_frames == 0 => (SoundData::within(file_len, file_len, None), false),
        data => data.ok_or_else(|| chunks.missing("SSND"))?,
    };
    let channel_mask = match layout {
        Some(Chunk { start, num_bytes: Some(num_bytes), .. }) => {
            channel_layout::read_mask(&mut chunks.cursor(), start, num_bytes, common.num_channels)?
        }
        _ => 0,
    };
    common.track(container, data, channel_mask)
}

/// The type of the form, and its size if the writer knew it.
fn form(head: &[u8], file_len: u64) -> Result<(Container, Option<u64>)> {
    let mut cursor = Cursor::new(head, file_len, Container::AIFF);
    cursor.seek(4);
    let size = cursor.u32_be()?;
    let kind = FourCc(cursor.array()?);
    let container = match &kind.0 {
        b"AIFF" => Container::AIFF,
        b"AIFC" => Container::AIFC,
        b"8SVX" | b"16SV" => {
            let what = format!("an Amiga IFF {kind} sound (no codec plugin for it is installed)");
            return Err(unsupported(None, None, what));
        }
        _ => {
            let what = format!("an IFF file of type {kind}, expected 'AIFF' or 'AIFC'");
            return Err(unsupported(None, None, what));
        }
    };
    Ok((container, Some(u64::from(size)).filter(|_| size != 0 && size != UNKNOWN)))
}

/// The audio in an `SSND` chunk, which starts after `offset`, `blockSize` and `offset` bytes of alignment.
///
/// An empty chunk was left by a streaming writer if the form ends there, or if the bytes that follow are not the rest of a
/// form. The size of such a chunk is unknown, as the second value says.
fn sound_data(
    chunks: &Chunks<'_>,
    chunk: &Chunk,
    container: Container,
    form_bytes: Option<u64>,
) -> Result<(SoundData, bool)> {
    let mut cursor = chunks.cursor();
    let file_len = cursor.file_len();
    let num_bytes = chunk.num_bytes.filter(|&num_bytes| num_bytes > SSND_HEADER_BYTES);
    let is_empty = chunk.num_bytes.is_some() && num_bytes.is_none();
    if is_empty {
        let form_end = form_bytes.and_then(|size| size.checked_add(8)).filter(|&end| end > chunk.end());
        let goes_on = form_end.map_or(Ok(false), |end| chunks.clone().fill(end))?;
        let left = file_len.saturating_sub(chunk.start);
        if goes_on || left <= SSND_HEADER_BYTES {
            return Ok((SoundData::within(file_len, chunk.end(), Some(0)), true));
        }
    }
    cursor.seek(chunk.start);
    let offset = u64::from(cursor.u32_be()?);
    let _block_size = cursor.u32_be()?;
    let claimed = match num_bytes {
        Some(num_bytes) => {
            Some(num_bytes.saturating_sub(SSND_HEADER_BYTES).checked_sub(offset).ok_or_else(|| {
                let what =
                    format!("the audio starts {offset} bytes into an 'SSND' chunk of {num_bytes} bytes");
                Error::malformed(container, chunk.start, what)
            })?)
        }
        None => None,
    };
    let start = cursor.position().saturating_add(offset);
    Ok((SoundData::within(file_len, start, claimed), claimed.is_some()))
}

/// The fields of the Common chunk, checked.
struct Common {
    num_channels: u16,
    num_frames: u32,
    bits_per_sample: u16,
    sample_rate: u32,
    compression: FourCc,
    /// The offset of `sampleSize`.
    bits_offset: u64,
}

impl Common {
    fn read(cursor: &mut Cursor<'_>, chunk: &Chunk, container: Container) -> Result<Self> {
        cursor.seek(chunk.start);
        if chunk.num_bytes() < COMM_BYTES {
            let found = chunk.num_bytes();
            return Err(cursor
                .malformed(format!("the 'COMM' chunk has {found} bytes, expected at least {COMM_BYTES}")));
        }
        let malformed = |what| Error::malformed(container, chunk.start, what);
        let [high, low] = cursor.array()?;
        let num_channels = i16::from_be_bytes([high, low]);
        let num_channels =
            u16::try_from(num_channels).ok().filter(|&channels| channels > 0).ok_or_else(|| {
                malformed(format!("the number of channels is {num_channels}, expected 1 to {}", i16::MAX))
            })?;
        let num_frames = cursor.u32_be()?;
        let bits_offset = cursor.position();
        let bits_per_sample = cursor.u16_be()?;
        let rate_offset = cursor.position();
        let sample_rate = sample_rate::from_extended(cursor.array()?)
            .map_err(|why| Error::malformed(container, rate_offset, format!("the sample rate {why}")))?;
        // Some AIFF-C writers omit the compression type if there is no compression.
        let has_compression = container == Container::AIFC && chunk.num_bytes() >= COMM_BYTES + 4;
        let compression = if has_compression { FourCc(cursor.array()?) } else { FourCc(*b"NONE") };
        Ok(Self { num_channels, num_frames, bits_per_sample, sample_rate, compression, bits_offset })
    }

    fn track(
        self,
        container: Container,
        (data, is_stated): (SoundData, bool),
        channel_mask: u32,
    ) -> Result<Track> {
        let (codec, bits_per_sample) = self.codec(container)?;
        let channels = u64::from(self.num_channels);
        let num_frames = match &codec {
            Codec::Pcm(format) => Some(data.num_whole((format.num_bytes() as u64).saturating_mul(channels))),
            Codec::Packets(packets) if packets.bytes_per_packet > 0 => {
                let num_packets = data.num_whole(u64::from(packets.bytes_per_packet));
                Some(num_packets.saturating_mul(u64::from(packets.frames_per_packet)))
            }
            Codec::Packets(_) | Codec::Compressed(_) => Some(0).filter(|_| data.num_bytes() == 0),
        };
        let num_lacking = match num_frames {
            Some(num_frames) if is_stated && self.num_frames != u32::MAX => {
                u64::from(self.num_frames).saturating_sub(num_frames)
            }
            _ => 0,
        };
        // A frame is at least a byte; how many bytes it would take does not matter.
        let missing_bytes = data.missing_bytes.max(num_lacking);
        Ok(Track {
            container,
            codec,
            sample_rate: self.sample_rate,
            num_channels: self.num_channels,
            channel_mask,
            bits_per_sample: Some(bits_per_sample).filter(|&bits| bits > 0),
            num_frames,
            data: data.bytes,
            missing_bytes,
        })
    }

    /// The codec of a compression type (AIFF-C draft, "The Common Chunk"; additions by QuickTime and libsndfile), and its bit
    /// depth. The bit depth in `COMM` is valid for uncompressed samples only.
    fn codec(&self, container: Container) -> Result<(Codec, u16)> {
        use ByteOrder::{Big, Little};
        let pcm = |format, bits| Ok((Codec::Pcm(format), bits));
        match &self.compression.0 {
            b"NONE" | b"twos" => Ok((Codec::Pcm(self.integer(Big, container)?), self.bits_per_sample)),
            b"sowt" => Ok((Codec::Pcm(self.integer(Little, container)?), self.bits_per_sample)),
            b"raw " => self.offset_binary(container),
            b"in24" => pcm(SampleFormat::S24(Big), 24),
            b"in32" => pcm(SampleFormat::S32(Big), 32),
            b"42n1" => pcm(SampleFormat::S24(Little), 24),
            b"23ni" => pcm(SampleFormat::S32(Little), 32),
            b"fl32" | b"FL32" => pcm(SampleFormat::F32(Big), 32),
            b"fl64" | b"FL64" => pcm(SampleFormat::F64(Big), 64),
            b"alaw" | b"ALAW" => pcm(SampleFormat::Alaw, 8),
            b"ulaw" | b"ULAW" => pcm(SampleFormat::Mulaw, 8),
            _ => Ok((Codec::Packets(self.packets()), 0)),
        }
    }

    /// Samples are "left-justified" in as many bytes as their size needs (AIFF 1.3, "Sample Points and Sample Frames").
    fn integer(&self, order: ByteOrder, container: Container) -> Result<SampleFormat> {
        match self.bits_per_sample {
            0 => {
                let what = "the number of bits per sample is 0, expected 1 to 32";
                Err(Error::malformed(container, self.bits_offset, what))
            }
            1..=8 => Ok(SampleFormat::S8),
            9..=16 => Ok(SampleFormat::S16(order)),
            17..=24 => Ok(SampleFormat::S24(order)),
            25..=32 => Ok(SampleFormat::S32(order)),
            bits => {
                let what = format!("integer samples of {bits} bits; an AIFF file has 1 to 32");
                Err(unsupported(Some(container), None, what))
            }
        }
    }

    fn offset_binary(&self, container: Container) -> Result<(Codec, u16)> {
        match self.bits_per_sample {
            bits @ 1..=8 => Ok((Codec::Pcm(SampleFormat::U8), bits)),
            bits => {
                let what =
                    format!("offset-binary ('raw ') samples of {bits} bits; only 8 bits are supported");
                Err(unsupported(Some(container), None, what))
            }
        }
    }

    fn packets(&self) -> PacketCodec {
        let channels = u32::from(self.num_channels);
        // Bytes per channel and frames per packet, for codecs with fixed packets.
        let (name, bytes, frames) = match &self.compression.0 {
            b"ima4" => ("adpcm_ima_qt", 34, 64),
            b"MAC3" => ("mace3", 2, 6),
            b"MAC6" => ("mace6", 1, 6),
            b"GSM " | b"agsm" => ("gsm", 33, 160),
            b"G722" => ("adpcm_g722", 0, 0),
            b"QDMC" => ("qdmc", 0, 0),
            b"QDM2" => ("qdm2", 0, 0),
            b"Qclp" => ("qcelp", 0, 0),
            b"SDX2" => ("sdx2_dpcm", 0, 0),
            _ => ("", 0, 0),
        };
        let name = if name.is_empty() { format!("aifc:{}", self.compression) } else { name.to_string() };
        PacketCodec {
            name,
            tag: self.compression.number(),
            config: 0..0,
            bytes_per_packet: channels.saturating_mul(bytes),
            frames_per_packet: frames,
            packet_table: None,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::builder::{Bytes, chunk_be};
    use super::super::parse_head as parse;
    use crate::error::{Error, Result};
    use crate::pcm::{ByteOrder, SampleFormat};
    use crate::track::{Codec, Container, Track};

    const SOUND: &[u8] = b"aabbccddeeff";
    const RATE_44100: [u8; 10] = [0x40, 0x0e, 0xac, 0x44, 0, 0, 0, 0, 0, 0];

    fn comm(channels: u16, frames: u32, bits: u16, compression: &[u8]) -> Vec<u8> {
        let bytes = Bytes::new().u16_be(channels).u32_be(frames).u16_be(bits).put(&RATE_44100);
        chunk_be(b"COMM", &bytes.put(compression).0)
    }

    fn ssnd(offset: u32, sound: &[u8]) -> Vec<u8> {
        chunk_be(b"SSND", &Bytes::new().u32_be(offset).u32_be(0).put(sound).0)
    }

    fn ssnd_header(size: u32) -> Vec<u8> {
        Bytes::new().put(b"SSND").u32_be(size).put(&[0; 8]).0
    }

    fn form(kind: &[u8; 4], size: u32, chunks: &[&[u8]]) -> Vec<u8> {
        Bytes::new().put(b"FORM").u32_be(size).put(kind).put(&chunks.concat()).0
    }

    fn aiff(chunks: &[&[u8]]) -> Vec<u8> {
        form(b"AIFF", u32::try_from(4 + chunks.concat().len()).unwrap(), chunks)
    }

    fn aifc(bits: u16, compression: &[u8; 4]) -> Result<Track> {
        whole(&form(b"AIFC", 0, &[&comm(1, 1, bits, compression), &ssnd(0, SOUND)]))
    }

    fn whole(bytes: &[u8]) -> Result<Track> {
        parse(bytes, bytes.len() as u64)
    }

    fn message(bytes: &[u8]) -> String {
        whole(bytes).unwrap_err().to_string()
    }

    #[test]
    fn a_plain_file() {
        let track = whole(&aiff(&[&comm(2, 3, 16, b""), &ssnd(0, SOUND)])).unwrap();
        assert_eq!((track.container, track.sample_rate, track.num_channels), (Container::AIFF, 44100, 2));
        assert_eq!(track.pcm(), Some(SampleFormat::S16(ByteOrder::Big)));
        assert_eq!((track.num_frames, track.data, track.missing_bytes), (Some(3), 54..66, 0));
    }

    #[test]
    fn the_sound_may_come_first_and_names_be_odd() {
        let name = chunk_be(b"NAME", b"odd");
        let track = whole(&aiff(&[&name, &ssnd(0, SOUND), &name, &comm(2, 3, 16, b"")])).unwrap();
        assert_eq!((track.num_frames, track.data), (Some(3), 40..52));
    }

    #[test]
    fn samples_fill_their_bytes_from_the_top() {
        use ByteOrder::Big;
        for (bits, format) in [
            (5, SampleFormat::S8),
            (8, SampleFormat::S8),
            (12, SampleFormat::S16(Big)),
            (20, SampleFormat::S24(Big)),
            (32, SampleFormat::S32(Big)),
        ] {
            let track = whole(&aiff(&[&comm(1, 1, bits, b""), &ssnd(0, SOUND)])).unwrap();
            assert_eq!((track.pcm(), track.bits_per_sample), (Some(format), Some(bits)));
        }
    }

    #[test]
    fn compression_types_name_codecs() {
        use ByteOrder::{Big, Little};
        for (bits, compression, format, depth) in [
            (16, b"NONE", SampleFormat::S16(Big), 16),
            (16, b"twos", SampleFormat::S16(Big), 16),
            (16, b"sowt", SampleFormat::S16(Little), 16),
            (24, b"sowt", SampleFormat::S24(Little), 24),
            (8, b"sowt", SampleFormat::S8, 8),
            (8, b"raw ", SampleFormat::U8, 8),
            (16, b"in24", SampleFormat::S24(Big), 24),
            (16, b"in32", SampleFormat::S32(Big), 32),
            (24, b"42n1", SampleFormat::S24(Little), 24),
            (32, b"23ni", SampleFormat::S32(Little), 32),
            (16, b"fl32", SampleFormat::F32(Big), 32),
            (32, b"FL32", SampleFormat::F32(Big), 32),
            (64, b"fl64", SampleFormat::F64(Big), 64),
            (64, b"FL64", SampleFormat::F64(Big), 64),
            (16, b"ulaw", SampleFormat::Mulaw, 8),
            (8, b"ULAW", SampleFormat::Mulaw, 8),
            (16, b"alaw", SampleFormat::Alaw, 8),
            (8, b"ALAW", SampleFormat::Alaw, 8),
        ] {
            let track = aifc(bits, compression).unwrap();
            assert_eq!((track.pcm(), track.bits_per_sample), (Some(format), Some(depth)), "{compression:?}");
            assert_eq!(track.container, Container::AIFC);
        }
    }

    #[test]
    fn an_aifc_without_a_compression_type_has_none() {
        let track = whole(&form(b"AIFC", 0, &[&comm(1, 1, 16, b""), &ssnd(0, SOUND)])).unwrap();
        assert_eq!(track.pcm(), Some(SampleFormat::S16(ByteOrder::Big)));
    }

    #[test]
    fn other_compression_is_for_a_plugin() {
        let sound = [0; 34 * 2 * 3 + 5];
        let track = whole(&form(b"AIFC", 0, &[&comm(2, 3, 16, b"ima4"), &ssnd(0, &sound)])).unwrap();
        assert_eq!((track.codec.name(), track.num_frames), ("adpcm_ima_qt", Some(192)));
        let track = whole(&form(b"AIFC", 0, &[&comm(1, 3, 16, b"GSM "), &ssnd(0, &sound)])).unwrap();
        assert_eq!((track.codec.name(), track.num_frames), ("gsm", Some(6 * 160)));
        let Codec::Packets(packets) = aifc(16, b"wh\0t").unwrap().codec else { panic!() };
        assert_eq!((packets.name.as_str(), packets.tag), (r"aifc:'wh\x00t'", 0x7768_0074));
        assert_eq!(aifc(16, b"wh\0t").unwrap().num_frames, None);
    }

    #[test]
    fn the_offset_of_the_sound_is_skipped() {
        let track = whole(&aiff(&[&comm(1, 1, 16, b""), &ssnd(4, SOUND)])).unwrap();
        assert_eq!((track.num_frames, track.data), (Some(4), 58..66));
        let beyond = message(&aiff(&[&comm(1, 1, 16, b""), &ssnd(13, SOUND)]));
        assert!(beyond.contains("the audio starts 13 bytes into an 'SSND' chunk of 20 bytes"), "{beyond}");
    }

    #[test]
    fn the_bytes_decide_how_many_frames_there_are() {
        for stated in [0, 1, 5, u32::MAX] {
            let track = whole(&aiff(&[&comm(1, stated, 24, b""), &ssnd(0, &[0; 13])])).unwrap();
            assert_eq!(track.num_frames, Some(4));
        }
    }

    #[test]
    fn frames_beyond_the_sound_chunk_are_missing() {
        let missing = |stated, sound: &[u8]| {
            let track = whole(&aiff(&[&comm(2, stated, 16, b""), &ssnd(0, sound)])).unwrap();
            (track.num_frames, track.missing_bytes > 0)
        };
        assert_eq!(missing(1000, &[0; 1600]), (Some(400), true));
        assert_eq!(missing(1000, &[]), (Some(0), true));
        assert_eq!(missing(400, &[0; 1600]), (Some(400), false));
        assert_eq!(missing(399, &[0; 1600]), (Some(400), false));
        assert_eq!(missing(u32::MAX, &[0; 1600]), (Some(400), false), "unknown to the writer");
        // The packets of IMA 4:1 are counted, by other writers their frames.
        let packets = |stated| {
            let bytes = form(b"AIFC", 0, &[&comm(1, stated, 16, b"ima4"), &ssnd(0, &[0; 34 * 3])]);
            whole(&bytes).unwrap().missing_bytes > 0
        };
        assert_eq!([3, 192, 193].map(packets), [false, false, true]);
    }

    #[test]
    fn a_stream_reaches_to_the_end() {
        for (form_size, size) in [(0, 0), (0, 8), (u32::MAX, u32::MAX), (46, 8), (1000, 0)] {
            let sound = [0x80; 24];
            let bytes = form(b"AIFF", form_size, &[&comm(1, 0, 16, b""), &ssnd_header(size), &sound]);
            let track = whole(&bytes).unwrap();
            assert_eq!((track.num_frames, track.missing_bytes), (Some(12), 0), "{form_size} {size}");
        }
    }

    #[test]
    fn no_sound_is_legal() {
        let comm = comm(1, 0, 16, b"");
        assert_eq!(whole(&aiff(&[&comm, &ssnd_header(8)])).unwrap().num_frames, Some(0));
        let name = chunk_be(b"NAME", b"after");
        assert_eq!(whole(&aiff(&[&comm, &ssnd_header(8), &name])).unwrap().num_frames, Some(0));
        assert_eq!(whole(&aiff(&[&comm, b"SSND\0\0\0\0", &name, &name])).unwrap().num_frames, Some(0));
        assert_eq!(whole(&aiff(&[&comm])).unwrap().num_frames, Some(0));
    }

    #[test]
    fn data_that_was_cut_off_is_counted() {
        let track = whole(&aiff(&[&comm(1, 50, 16, b""), &ssnd_header(108), SOUND])).unwrap();
        assert_eq!((track.num_frames, track.missing_bytes), (Some(6), 88));
    }

    #[test]
    fn a_layout_gives_a_mask() {
        let layout = chunk_be(b"CHAN", &Bytes::new().u32_be(101 << 16 | 2).u32_be(0).u32_be(0).0);
        let track = whole(&aiff(&[&comm(2, 3, 16, b""), &layout, &ssnd(0, SOUND)])).unwrap();
        assert_eq!(track.channel_mask, 3);
    }

    #[test]
    fn refusals_say_what_was_found() {
        let sound = ssnd(0, SOUND);
        let refused = |comm: Vec<u8>| message(&aiff(&[&comm, &sound]));
        assert!(message(&aiff(&[&sound])).contains("no 'COMM' chunk before the end of the file"));
        assert!(
            message(&aiff(&[&comm(1, 1, 16, b"")])).contains("no 'SSND' chunk before the end of the file")
        );
        assert!(refused(chunk_be(b"COMM", &[0; 17])).contains("has 17 bytes, expected at least 18"));
        assert!(refused(comm(0, 1, 16, b"")).contains("the number of channels is 0, expected 1 to 32767"));
        assert!(refused(comm(0xffff, 1, 16, b"")).contains("the number of channels is -1"));
        assert!(refused(comm(1, 1, 0, b"")).contains("bits per sample is 0, expected 1 to 32"));
        let no_rate =
            Bytes::new().u16_be(1).u32_be(1).u16_be(16).put(&[0x7f, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0]);
        let message = refused(chunk_be(b"COMM", &no_rate.0));
        assert!(message.contains("at byte 28: the sample rate is infinite or not a number"), "{message}");
        assert!(
            aifc(16, b"raw ").unwrap_err().to_string().contains("offset-binary ('raw ') samples of 16 bits")
        );
        assert!(matches!(
            aifc(64, b"NONE"),
            Err(Error::Unsupported { container: Some(Container::AIFC), .. })
        ));
    }

    #[test]
    fn other_forms_are_named() {
        let refused = |kind| message(&form(kind, 100, &[&[0; 100]]));
        assert!(refused(b"8SVX").contains("an Amiga IFF '8SVX' sound"));
        assert!(refused(b"ILBM").contains("an IFF file of type 'ILBM', expected 'AIFF' or 'AIFC'"));
    }
}
