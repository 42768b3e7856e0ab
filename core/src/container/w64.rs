//! Sony Wave64 (Sonic Foundry, *Sony Pictures Digital Wave 64*): WAVE with GUIDs for names and 64-bit sizes.

#![forbid(unsafe_code)]

use crate::cursor::Cursor;
use crate::error::{Error, Result};
use crate::pcm::ByteOrder;
use crate::track::{Container, Track};

use super::riff::MAX_CHUNKS;
use super::sound_data::SoundData;
use super::wave_format::{FormatChunk, WaveFormat};

pub(crate) type Guid = [u8; 16];

/// {66666972-912E-11CF-A5D6-28DB04C10000}, at the start of the file.
pub(crate) const RIFF: Guid = *b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00";
pub(crate) const WAVE: Guid = *b"wave\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a";
pub(crate) const FMT: Guid = *b"fmt \xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a";
pub(crate) const FACT: Guid = *b"fact\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a";
pub(crate) const DATA: Guid = *b"data\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a";

/// A GUID and a size, which includes both.
const HEADER_BYTES: u64 = 24;
/// The offset of the first chunk, after the file's header and form type.
const FIRST_CHUNK: u64 = 40;
/// Streaming writers leave a size of this value or more: all ones, with or without the sign bit.
const UNKNOWN: u64 = i64::MAX as u64;

impl Container {
    /// Sony Wave64.
    pub const W64: Self = Self::of_variant("wav", b"w64");
}

const CONTAINER: Container = Container::W64;

/// Reads chunks until it has found the first `fmt ` and the first `data`, in either order.
pub(super) fn parse(head: &[u8], file_len: u64) -> Result<Track> {
    let mut cursor = Cursor::new(head, file_len, CONTAINER);
    cursor.seek(16);
    let file_size = cursor.u64_le()?;
    if cursor.array()? != WAVE {
        return Err(Error::malformed(CONTAINER, HEADER_BYTES, "the form's type is not the GUID of 'wave'"));
    }
    let (mut format, mut data, mut fact) = (None, None, None);
    let mut offset = FIRST_CHUNK;
    for _ in 0..MAX_CHUNKS {
        if offset.checked_add(HEADER_BYTES).is_none_or(|end| end > file_len) {
            break;
        }
        let chunk = Chunk::read(&mut cursor, offset)?;
        match chunk.id {
            FMT if format.is_none() => {
                let (start, num_bytes) = (chunk.start, chunk.num_bytes.unwrap_or(u64::MAX));
                let place = FormatChunk { container: CONTAINER, order: ByteOrder::Little, start, num_bytes };
                format = Some(WaveFormat::read(&mut cursor, place)?);
            }
            FACT if data.is_none() && fact.is_none() && chunk.num_bytes.is_none_or(|size| size >= 8) => {
                fact = Some(cursor.u64_le()?);
            }
            DATA if data.is_none() => {
                let is_unfinished = format.is_some()
                    && chunk.num_bytes == Some(0)
                    && (file_size >= UNKNOWN || file_size <= chunk.start);
                let claimed = if is_unfinished { None } else { chunk.num_bytes };
                data = Some(SoundData::within(file_len, chunk.start, claimed));
            }
            _ => {}
        }
        match (format, data) {
            (Some(format), Some(data)) => return Ok(format.track(data, fact)),
            (still_format, still_data) => (format, data) = (still_format, still_data),
        }
        offset = chunk.next();
    }
    let missing = if format.is_none() { "fmt " } else { "data" };
    let at = offset.min(file_len);
    Err(Error::malformed(CONTAINER, at, format!("no '{missing}' chunk before the end of the file")))
}

struct Chunk {
    id: Guid,
    start: u64,
    /// The size of the payload; `None` if the writer never knew it.
    num_bytes: Option<u64>,
}

impl Chunk {
    fn read(cursor: &mut Cursor<'_>, offset: u64) -> Result<Self> {
        cursor.seek(offset);
        let (id, size) = (cursor.array()?, cursor.u64_le()?);
        let Some(num_bytes) = size.checked_sub(HEADER_BYTES) else {
            let what =
                format!("the chunk's size is {size}, expected at least {HEADER_BYTES} for its own header");
            return Err(Error::malformed(CONTAINER, offset, what));
        };
        let num_bytes = Some(num_bytes).filter(|_| size < UNKNOWN);
        Ok(Self { id, start: cursor.position(), num_bytes })
    }

    /// Where the next chunk starts: chunks are 8-byte aligned.
    fn next(&self) -> u64 {
        let end = self.start.saturating_add(self.num_bytes.unwrap_or(u64::MAX));
        end.checked_next_multiple_of(8).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::builder::Bytes;
    use super::super::parse_head as parse;
    use super::{DATA, FACT, FMT, RIFF, WAVE};
    use crate::error::Result;
    use crate::pcm::{ByteOrder, SampleFormat};
    use crate::track::{Container, Track};

    const SOUND: &[u8] = b"aabbccdd";
    const JUNK: &[u8; 16] = b"junk\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a";

    fn chunk(id: &[u8; 16], payload: &[u8]) -> Vec<u8> {
        let padding = vec![0; payload.len().next_multiple_of(8) - payload.len()];
        Bytes::new().put(id).u64_le(24 + payload.len() as u64).put(payload).put(&padding).0
    }

    fn fmt(tag: u16) -> Vec<u8> {
        chunk(&FMT, &Bytes::new().u16_le(tag).u16_le(1).u32_le(8000).u32_le(0).u16_le(2).u16_le(16).0)
    }

    fn w64(size: u64, chunks: &[&[u8]]) -> Vec<u8> {
        Bytes::new().put(&RIFF).u64_le(size).put(&WAVE).put(&chunks.concat()).0
    }

    fn data_header(size: u64) -> Vec<u8> {
        Bytes::new().put(&DATA).u64_le(size).0
    }

    fn whole(bytes: &[u8]) -> Result<Track> {
        parse(bytes, bytes.len() as u64)
    }

    #[test]
    fn a_plain_file() {
        let track = whole(&w64(112, &[&fmt(1), &chunk(&DATA, SOUND)])).unwrap();
        assert_eq!((track.container, track.sample_rate), (Container::W64, 8000));
        assert_eq!(track.pcm(), Some(SampleFormat::S16(ByteOrder::Little)));
        assert_eq!((track.num_frames, track.data), (Some(4), 104..112));
    }

    #[test]
    fn chunks_are_aligned_to_eight_bytes() {
        let chunks: [&[u8]; 3] = [&chunk(JUNK, b"odd"), &fmt(1), &chunk(&DATA, SOUND)];
        assert_eq!(whole(&w64(144, &chunks)).unwrap().num_frames, Some(4));
    }

    #[test]
    fn the_data_may_come_first() {
        let track = whole(&w64(112, &[&chunk(&DATA, SOUND), &fmt(1)])).unwrap();
        assert_eq!((track.num_frames, track.data), (Some(4), 64..72));
    }

    #[test]
    fn an_unknown_size_reaches_to_the_end() {
        for size in [u64::MAX, i64::MAX as u64] {
            let track = whole(&w64(u64::MAX, &[&fmt(1), &data_header(size), SOUND])).unwrap();
            assert_eq!((track.num_frames, track.missing_bytes), (Some(4), 0));
        }
    }

    #[test]
    fn no_sound_is_legal_and_an_unfinished_header_reaches_to_the_end() {
        assert_eq!(whole(&w64(104, &[&fmt(1), &data_header(24)])).unwrap().num_frames, Some(0));
        assert_eq!(whole(&w64(112, &[&fmt(1), &data_header(24), SOUND])).unwrap().num_frames, Some(0));
        for size in [0, 104, u64::MAX] {
            assert_eq!(whole(&w64(size, &[&fmt(1), &data_header(24), SOUND])).unwrap().num_frames, Some(4));
        }
    }

    #[test]
    fn data_that_was_cut_off_is_counted() {
        let track = whole(&w64(200, &[&fmt(1), &data_header(24 + 100), SOUND])).unwrap();
        assert_eq!((track.num_frames, track.missing_bytes), (Some(4), 92));
    }

    #[test]
    fn fact_counts_the_frames_of_a_codec() {
        let track =
            whole(&w64(0, &[&fmt(0x55), &chunk(&FACT, &[5, 0, 0, 0, 0, 0, 0, 0]), &chunk(&DATA, SOUND)]));
        assert_eq!(track.unwrap().num_frames, Some(5));
    }

    #[test]
    fn refusals_say_what_was_found() {
        let message = |bytes: &[u8]| whole(bytes).unwrap_err().to_string();
        assert!(message(&w64(0, &[&fmt(1)])).contains("no 'data' chunk before the end of the file"));
        assert!(
            message(&w64(0, &[&chunk(&DATA, SOUND)])).contains("no 'fmt ' chunk before the end of the file")
        );
        assert!(
            message(&w64(0, &[&fmt(1), &data_header(23)]))
                .contains("the chunk's size is 23, expected at least 24")
        );
        let no_wave = Bytes::new().put(&RIFF).u64_le(0).put(JUNK).0;
        assert!(message(&no_wave).contains("not the GUID of 'wave'"));
    }
}
