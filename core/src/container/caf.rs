//! Core Audio Format (*Apple Core Audio Format Specification 1.0*).

#![forbid(unsafe_code)]

use std::ops::Range;

use crate::cursor::Cursor;
use crate::error::{Error, Result};
use crate::track::{Codec, Container, PacketTable, Track};

use super::caf_description::Description;
use super::channel_layout;
use super::four_cc::FourCc;
use super::riff::MAX_CHUNKS;
use super::sound_data::SoundData;
use super::unsupported;

impl Container {
    /// Apple Core Audio Format.
    pub const CAF: Self = Self::new("caf");
}

const CONTAINER: Container = Container::CAF;

const FILE_HEADER_BYTES: u64 = 8;
const CHUNK_HEADER_BYTES: u64 = 12;
/// `mEditCount`, before the audio.
const EDIT_COUNT_BYTES: u64 = 4;
/// The four numbers before the entries of a packet table.
const PACKET_TABLE_BYTES: u64 = 24;

/// Reads chunks in any order until everything that the codec needs is known.
pub(super) fn parse(head: &[u8], file_len: u64) -> Result<Track> {
    let mut cursor = Cursor::new(head, file_len, CONTAINER);
    cursor.seek(4);
    let (version, _flags) = (cursor.u16_be()?, cursor.u16_be()?);
    if version != 1 {
        let what = format!("version {version} of CAF; only version 1 is supported");
        return Err(unsupported(Some(CONTAINER), None, what));
    }
    let mut found = Found::default();
    let mut last = None;
    let mut offset = FILE_HEADER_BYTES;
    for _ in 0..MAX_CHUNKS {
        if found.is_enough() || offset.checked_add(CHUNK_HEADER_BYTES).is_none_or(|end| end > file_len) {
            return found.track(cursor, last);
        }
        let chunk = Chunk::read(&mut cursor, offset)?;
        match &chunk.id.0 {
            b"desc" if found.description.is_none() => {
                found.description = Some(Description::read(&mut cursor, chunk.start, chunk.num_bytes())?);
            }
            b"data" if found.data.is_none() => found.data = Some(sound_data(&chunk, file_len)?),
            b"pakt" if found.packets.is_none() => found.packets = Some(chunk),
            b"chan" if found.layout.is_none() => found.layout = Some(chunk),
            b"kuki" if found.cookie.is_none() => found.cookie = Some(chunk),
            _ => {}
        }
        offset = chunk.end();
        last = Some(chunk);
    }
    Err(Error::malformed(CONTAINER, offset, format!("more than {MAX_CHUNKS} chunks")))
}

#[derive(Clone, Copy)]
struct Chunk {
    id: FourCc,
    start: u64,
    /// `None` for -1, which means up to the end of the file.
    num_bytes: Option<u64>,
}

impl Chunk {
    fn read(cursor: &mut Cursor<'_>, offset: u64) -> Result<Self> {
        cursor.seek(offset);
        let (id, size) = (FourCc(cursor.array()?), cursor.i64_be()?);
        let num_bytes = match size {
            // Only the data chunk may have this size ("Audio Data Chunk").
            -1 if id == FourCc(*b"data") => None,
            size => Some(u64::try_from(size).map_err(|_| {
                Error::malformed(
                    CONTAINER,
                    offset,
                    format!("the {id} chunk's size is {size}, expected 0 or more"),
                )
            })?),
        };
        Ok(Self { id, start: cursor.position(), num_bytes })
    }

    fn num_bytes(&self) -> u64 {
        self.num_bytes.unwrap_or(u64::MAX)
    }

    fn end(&self) -> u64 {
        self.start.saturating_add(self.num_bytes())
    }

    /// The part of the payload that is in the file.
    fn in_file(&self, file_len: u64) -> Range<u64> {
        self.start.min(file_len)..self.end().min(file_len)
    }
}

fn sound_data(chunk: &Chunk, file_len: u64) -> Result<SoundData> {
    let claimed = chunk.num_bytes.map(|num_bytes| {
        num_bytes.checked_sub(EDIT_COUNT_BYTES).ok_or_else(|| {
            let what =
                format!("the 'data' chunk has {num_bytes} bytes, expected at least 4 for its edit count");
            Error::malformed(CONTAINER, chunk.start, what)
        })
    });
    Ok(SoundData::within(file_len, chunk.start.saturating_add(EDIT_COUNT_BYTES), claimed.transpose()?))
}

/// What is known from the chunks read so far.
#[derive(Default)]
struct Found {
    description: Option<Description>,
    data: Option<SoundData>,
    packets: Option<Chunk>,
    layout: Option<Chunk>,
    cookie: Option<Chunk>,
}

impl Found {
    /// Whether no later chunk could add anything. PCM needs neither a packet table nor a cookie, and it needs a layout only if
    /// there are more than two channels. Chunks after the audio would cost a read at the end of the file.
    fn is_enough(&self) -> bool {
        let Some(description) = self.description.as_ref().filter(|_| self.data.is_some()) else {
            return false;
        };
        let needs_layout = description.num_channels > 2 && self.layout.is_none();
        let needs_setup = description.is_packets() && (self.packets.is_none() || self.cookie.is_none());
        !needs_layout && !needs_setup
    }

    fn track(self, mut cursor: Cursor<'_>, last: Option<Chunk>) -> Result<Track> {
        let file_len = cursor.file_len();
        let Some(description) = self.description else { return Err(missing("desc", last, file_len)) };
        let Some(data) = self.data else { return Err(missing("data", last, file_len)) };
        let channel_mask = match self.layout {
            Some(chunk) => {
                let num_channels = description.num_channels;
                channel_layout::read_mask(&mut cursor, chunk.start, chunk.num_bytes(), num_channels)?
            }
            None => 0,
        };
        let mut codec = description.codec()?;
        let num_frames = match &mut codec {
            Codec::Pcm(format) => {
                let channels = u64::from(description.num_channels);
                Some(data.num_whole((format.num_bytes() as u64).saturating_mul(channels)))
            }
            Codec::Packets(packets) => {
                packets.config = self.cookie.map_or(0..0, |chunk| chunk.in_file(file_len));
                let table = self.packets.map(|chunk| packet_table(&mut cursor, &chunk, &description, &data));
                packets.packet_table = table.transpose()?;
                match &packets.packet_table {
                    // With packets of varying length, only the codec can tell how many frames are missing.
                    Some(table) => {
                        let is_known = data.missing_bytes == 0 || description.numbers_per_entry() == 0;
                        Some(table.num_valid_frames).filter(|_| is_known)
                    }
                    None => description.num_constant_frames(&data),
                }
            }
            Codec::Compressed(_) => None,
        };
        Ok(Track {
            container: CONTAINER,
            codec,
            sample_rate: description.sample_rate,
            num_channels: description.num_channels,
            channel_mask,
            bits_per_sample: Some(description.depth()).filter(|&bits| bits > 0),
            num_frames,
            data: data.bytes,
            missing_bytes: data.missing_bytes,
        })
    }
}

/// Reads a `pakt` chunk ("Packet Table Chunk") and bounds its numbers by the bytes that must back them.
fn packet_table(
    cursor: &mut Cursor<'_>,
    chunk: &Chunk,
    description: &Description,
    data: &SoundData,
) -> Result<PacketTable> {
    let malformed = |what| Error::malformed(CONTAINER, chunk.start, what);
    if chunk.num_bytes() < PACKET_TABLE_BYTES {
        let found = chunk.num_bytes();
        return Err(malformed(format!(
            "the 'pakt' chunk has {found} bytes, expected at least {PACKET_TABLE_BYTES}"
        )));
    }
    cursor.seek(chunk.start);
    let not_negative = |name, value| {
        let refusal =
            || malformed(format!("the packet table's number of {name} is {value}, expected 0 or more"));
        u64::try_from(value).map_err(|_| refusal())
    };
    let num_packets = not_negative("packets", cursor.i64_be()?)?;
    let num_valid_frames = not_negative("valid frames", cursor.i64_be()?)?;
    let priming = i32::from_be_bytes(cursor.array()?);
    let remainder = i32::from_be_bytes(cursor.array()?);
    not_negative("priming frames", i64::from(priming))?;
    not_negative("remainder frames", i64::from(remainder))?;
    let entries = cursor.position()..chunk.in_file(cursor.file_len()).end;

    let table_bytes = entries.end.saturating_sub(entries.start);
    let least = num_packets.saturating_mul(description.numbers_per_entry());
    if least > table_bytes {
        let what = format!(
            "the packet table counts {num_packets} packets, which its {table_bytes} bytes cannot describe"
        );
        return Err(malformed(what));
    }
    // Packets of constant size have no entries; there the audio itself is the bound.
    let num_packets = match description.num_constant_packets(data) {
        Some(present) => num_packets.min(present),
        None => num_packets,
    };
    let num_frames = num_packets.saturating_mul(u64::from(description.frames_per_packet));
    let is_beyond = description.frames_per_packet > 0 && num_valid_frames > num_frames;
    if is_beyond && data.missing_bytes == 0 {
        let what =
            format!("the packet table counts {num_valid_frames} valid frames in packets of {num_frames}");
        return Err(malformed(what));
    }
    Ok(PacketTable {
        num_packets,
        num_valid_frames: if is_beyond { num_frames } else { num_valid_frames },
        priming_frames: priming.unsigned_abs(),
        remainder_frames: remainder.unsigned_abs(),
        entries,
    })
}

/// The error for a chunk that is missing, or hidden by the size of an earlier chunk.
fn missing(id: &str, last: Option<Chunk>, file_len: u64) -> Error {
    match last.filter(|chunk| chunk.end() > file_len) {
        Some(Chunk { id: last, start, num_bytes }) => {
            let claim = num_bytes.map_or("all the".to_string(), |num_bytes| num_bytes.to_string());
            let left = file_len.saturating_sub(start);
            let what = format!(
                "no '{id}' chunk: the {last} chunk before it claims {claim} bytes, the file has {left}"
            );
            Error::malformed(CONTAINER, start, what)
        }
        None => Error::malformed(CONTAINER, file_len, format!("no '{id}' chunk before the end of the file")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::builder::Bytes;
    use super::super::parse_head as parse;
    use crate::error::{Error, Result};
    use crate::track::{Codec, Container, PacketCodec, Track};

    const SOUND: &[u8] = b"aabbccddeeff";

    fn chunk(id: &[u8; 4], payload: &[u8]) -> Vec<u8> {
        Bytes::new().put(id).u64_be(payload.len() as u64).put(payload).0
    }

    fn desc(
        id: &[u8; 4],
        bytes_per_packet: u32,
        frames_per_packet: u32,
        channels: u32,
        bits: u32,
    ) -> Vec<u8> {
        let bytes = Bytes::new().f64_be(44100.0).put(id).u32_be(0).u32_be(bytes_per_packet);
        chunk(b"desc", &bytes.u32_be(frames_per_packet).u32_be(channels).u32_be(bits).0)
    }

    fn data(sound: &[u8]) -> Vec<u8> {
        chunk(b"data", &[&[0; 4], sound].concat())
    }

    fn data_header(size: i64) -> Vec<u8> {
        Bytes::new().put(b"data").put(&size.to_be_bytes()).put(&[0; 4]).0
    }

    fn pakt(packets: i64, valid: i64, priming: i32, remainder: i32, entries: &[u8]) -> Vec<u8> {
        let bytes = Bytes::new().put(&packets.to_be_bytes()).put(&valid.to_be_bytes());
        chunk(b"pakt", &bytes.put(&priming.to_be_bytes()).put(&remainder.to_be_bytes()).put(entries).0)
    }

    fn chan(tag: u32) -> Vec<u8> {
        chunk(b"chan", &Bytes::new().u32_be(tag).u32_be(0).u32_be(0).0)
    }

    fn caf(chunks: &[&[u8]]) -> Vec<u8> {
        Bytes::new().put(b"caff\0\x01\0\0").put(&chunks.concat()).0
    }

    fn whole(bytes: &[u8]) -> Result<Track> {
        parse(bytes, bytes.len() as u64)
    }

    fn message(bytes: &[u8]) -> String {
        whole(bytes).unwrap_err().to_string()
    }

    fn packets(track: &Track) -> &PacketCodec {
        match &track.codec {
            Codec::Packets(packets) => packets,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_plain_file() {
        let track =
            whole(&caf(&[&desc(b"lpcm", 4, 1, 2, 16), &chunk(b"free", &[0; 5]), &data(SOUND)])).unwrap();
        assert_eq!((track.container, track.codec.name()), (Container::CAF, "pcm_s16be"));
        assert_eq!((track.sample_rate, track.num_channels, track.bits_per_sample), (44100, 2, Some(16)));
        assert_eq!((track.num_frames, track.data, track.missing_bytes), (Some(3), 85..97, 0));
    }

    #[test]
    fn chunks_come_in_any_order() {
        let layout = chan(113 << 16 | 3);
        let track = whole(&caf(&[&data(SOUND), &layout, &desc(b"lpcm", 6, 1, 3, 16)])).unwrap();
        assert_eq!((track.num_frames, track.data, track.channel_mask), (Some(2), 24..36, 7));
        let track = whole(&caf(&[&desc(b"lpcm", 6, 1, 3, 16), &data(SOUND), &layout])).unwrap();
        assert_eq!(track.channel_mask, 7);
    }

    #[test]
    fn nothing_behind_samples_is_needed() {
        let bytes = caf(&[&desc(b"lpcm", 4, 1, 2, 16), &data_header(4004)]);
        assert_eq!(parse(&bytes, bytes.len() as u64 + 5000).unwrap().num_frames, Some(1000));
    }

    #[test]
    fn an_unknown_size_reaches_to_the_end() {
        let track = whole(&caf(&[&desc(b"lpcm", 4, 1, 2, 16), &data_header(-1), SOUND])).unwrap();
        assert_eq!((track.num_frames, track.missing_bytes), (Some(3), 0));
    }

    #[test]
    fn data_that_was_cut_off_is_counted() {
        let track = whole(&caf(&[&desc(b"lpcm", 4, 1, 2, 16), &data_header(104), SOUND])).unwrap();
        assert_eq!((track.num_frames, track.missing_bytes), (Some(3), 88));
    }

    #[test]
    fn no_sound_is_legal() {
        assert_eq!(whole(&caf(&[&desc(b"lpcm", 4, 1, 2, 16), &data(b"")])).unwrap().num_frames, Some(0));
    }

    #[test]
    fn a_packet_table_may_stand_behind_the_data() {
        let cookie = chunk(b"kuki", b"cookie");
        let table = pakt(2, 6617, 0, 1575, &[0x81, 0x00, 7]);
        let alac = desc(b"alac", 0, 4096, 2, 0);
        let before = whole(&caf(&[&alac, &cookie, &table, &data(SOUND)])).unwrap();
        let behind = whole(&caf(&[&alac, &data(SOUND), &table, &cookie])).unwrap();
        for track in [&before, &behind] {
            assert_eq!((track.codec.name(), track.num_frames), ("alac", Some(6617)));
            let table = packets(track).packet_table.as_ref().unwrap();
            assert_eq!((table.num_packets, table.num_valid_frames), (2, 6617));
            assert_eq!((table.priming_frames, table.remainder_frames), (0, 1575));
        }
        let cut = whole(&caf(&[&alac, &table, &data_header(4000), SOUND])).unwrap();
        assert_eq!((cut.num_frames, cut.missing_bytes), (None, 3984));
        assert_eq!(packets(&before).config, 64..70);
        assert_eq!(packets(&before).packet_table.as_ref().unwrap().entries, 106..109);
    }

    #[test]
    fn a_packet_table_is_bounded_by_its_bytes() {
        let refused = |desc: &[u8], table: &[u8]| message(&caf(&[desc, table, &data(SOUND)]));
        let alac = desc(b"alac", 0, 4096, 2, 0);
        let huge = refused(&alac, &pakt(1 << 40, 1, 0, 0, &[1, 1]));
        assert!(huge.contains("counts 1099511627776 packets, which its 2 bytes cannot describe"), "{huge}");
        // With frames per packet in the table as well, each entry has two numbers.
        let vorbis = desc(b"vorb", 0, 0, 2, 0);
        assert!(refused(&vorbis, &pakt(2, 1, 0, 0, &[1, 1, 1])).contains("3 bytes cannot describe"));
        assert!(whole(&caf(&[&vorbis, &pakt(2, 1, 0, 0, &[1; 4]), &data(SOUND)])).is_ok());
        let frames = refused(&alac, &pakt(2, 8193, 0, 0, &[1, 1]));
        assert!(frames.contains("8193 valid frames in packets of 8192"), "{frames}");
    }

    #[test]
    fn negative_numbers_in_a_packet_table_are_refused() {
        for (table, name) in [
            (pakt(-1, 1, 0, 0, b""), "packets is -1"),
            (pakt(0, -2, 0, 0, b""), "valid frames is -2"),
            (pakt(0, 0, -3, 0, b""), "priming frames is -3"),
            (pakt(0, 0, 0, -4, b""), "remainder frames is -4"),
        ] {
            let message = message(&caf(&[&desc(b"alac", 0, 4096, 2, 0), &table, &data(SOUND)]));
            assert!(message.contains(name), "{message}");
        }
    }

    #[test]
    fn packets_that_are_all_alike_need_no_table() {
        let ima4 = desc(b"ima4", 34, 64, 1, 0);
        let sound = data(&[0; 34 * 3 + 1]);
        let track = whole(&caf(&[&ima4, &sound])).unwrap();
        assert_eq!((track.codec.name(), track.num_frames), ("adpcm_ima_qt", Some(192)));
        let track = whole(&caf(&[&ima4, &sound, &pakt(3, 100, 40, 52, b"")])).unwrap();
        assert_eq!(track.num_frames, Some(100));
        // A truncated file has no more than its packets.
        let table = pakt(1 << 40, 1 << 45, 0, 0, b"");
        let track = whole(&caf(&[&ima4, &table, &data_header(1 << 50), &[0; 68]])).unwrap();
        assert_eq!(track.num_frames, Some(128));
        assert_eq!(packets(&track).packet_table.as_ref().unwrap().num_packets, 2);
    }

    #[test]
    fn only_the_codec_can_count_other_packets() {
        assert_eq!(whole(&caf(&[&desc(b"aac ", 0, 1024, 2, 0), &data(SOUND)])).unwrap().num_frames, None);
    }

    #[test]
    fn refusals_say_what_was_found() {
        let lpcm = desc(b"lpcm", 4, 1, 2, 16);
        assert!(message(b"caff\0\x02\0\0").contains("version 2 of CAF"));
        assert!(message(b"caff\0\x01").contains("expected 2 more bytes, found 0"));
        assert!(message(&caf(&[&lpcm])).contains("no 'data' chunk before the end of the file"));
        assert!(message(&caf(&[&data(SOUND)])).contains("no 'desc' chunk before the end of the file"));
        let hidden = Bytes::new().put(b"free").u64_be(1 << 62).0;
        assert!(
            message(&caf(&[&lpcm, &hidden]))
                .contains("the 'free' chunk before it claims 4611686018427387904 bytes")
        );
        let negative = Bytes::new().put(b"free").put(&(-2i64).to_be_bytes()).0;
        assert!(
            message(&caf(&[&lpcm, &negative])).contains("the 'free' chunk's size is -2, expected 0 or more")
        );
        assert!(message(&caf(&[&lpcm, &data_header(-2)])).contains("size is -2"));
        assert!(
            message(&caf(&[&lpcm, &chunk(b"data", b"abc")])).contains("has 3 bytes, expected at least 4")
        );
        let alac = desc(b"alac", 0, 4096, 2, 0);
        assert!(
            message(&caf(&[&alac, &chunk(b"pakt", &[0; 23]), &data(SOUND)]))
                .contains("has 23 bytes, expected")
        );
    }

    #[test]
    fn a_walk_of_too_many_chunks_ends_in_an_error() {
        let bytes = caf(&[&chunk(b"free", b"").repeat(70_000)]);
        assert!(matches!(whole(&bytes), Err(Error::Malformed { .. })));
        assert!(message(&bytes).contains("more than 65536 chunks"));
    }
}
