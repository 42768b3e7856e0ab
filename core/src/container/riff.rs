//! The chunk structure that RIFF (Microsoft/IBM, *Multimedia Programming Interface*, 1991, chapter 2) inherited from IFF (EA,
//! 1985) and shares with AIFF: a four-character code, a 32-bit size, that many bytes, and a padding byte after an odd number.

#![forbid(unsafe_code)]

use crate::cursor::Cursor;
use crate::error::{Error, Result};
use crate::pcm::ByteOrder;
use crate::track::Container;

use super::four_cc::FourCc;

/// More chunks than any writer produces; a file with more was made to waste time.
pub(super) const MAX_CHUNKS: u32 = 65_536;

/// More than any file needs: an RF64 table lists only chunks of 4 GiB and more.
const MAX_LONG_CHUNKS: u32 = 256;

/// The value of a 32-bit size field if the size is stored elsewhere, or unknown.
pub(super) const UNKNOWN: u32 = 0xffff_ffff;

const HEADER_BYTES: u64 = 8;

/// A chunk, as its header describes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    /// The name.
    pub id: FourCc,
    /// Where the payload starts.
    pub start: u64,
    /// The stated size of the payload in bytes; `None` if the writer never knew it.
    pub num_bytes: Option<u64>,
}

impl Chunk {
    /// The end of the payload, which may lie beyond the end of the file.
    pub fn end(&self) -> u64 {
        self.start.saturating_add(self.num_bytes.unwrap_or(u64::MAX))
    }

    /// The payload's stated size; `u64::MAX` if it is unknown.
    pub fn num_bytes(&self) -> u64 {
        self.num_bytes.unwrap_or(u64::MAX)
    }
}

/// The `ds64` chunk of RF64 and BW64 (EBU Tech 3306, section 3; ITU-R BS.2088, section 5): sizes of 4 GiB and more.
#[derive(Clone, Copy, Debug)]
pub(super) struct LongSizes {
    /// The size of the whole form.
    pub riff: u64,
    /// The size of the `data` chunk.
    pub data: u64,
    /// The number of frames, as `fact` would state it.
    pub num_frames: u64,
    table_start: u64,
    num_entries: u32,
}

impl LongSizes {
    const FIXED_BYTES: u64 = 28;
    const ENTRY_BYTES: u64 = 12;

    /// Reads a `ds64` chunk's payload.
    pub fn read(cursor: &mut Cursor<'_>, chunk: &Chunk) -> Result<Self> {
        cursor.seek(chunk.start);
        if chunk.num_bytes() < Self::FIXED_BYTES {
            let found = chunk.num_bytes();
            return Err(cursor.malformed(format!("the 'ds64' chunk has {found} bytes, expected at least 28")));
        }
        let (riff, data, num_frames) = (cursor.u64_le()?, cursor.u64_le()?, cursor.u64_le()?);
        let num_entries = cursor.u32_le()?;
        let table_start = cursor.position();
        let room = chunk.end().min(cursor.file_len()).saturating_sub(table_start) / Self::ENTRY_BYTES;
        let most = u32::try_from(room).unwrap_or(u32::MAX).min(MAX_LONG_CHUNKS);
        Ok(Self { riff, data, num_frames, table_start, num_entries: num_entries.min(most) })
    }

    /// The size stored here for a chunk whose own field is too small for it.
    fn of(&self, id: FourCc, cursor: &mut Cursor<'_>) -> Result<Option<u64>> {
        if id == FourCc(*b"data") {
            return Ok(Some(self.data).filter(|&size| size != u64::MAX));
        }
        cursor.seek(self.table_start);
        for _ in 0..self.num_entries {
            let (entry, size) = (FourCc(cursor.array()?), cursor.u64_le()?);
            if entry == id {
                return Ok(Some(size));
            }
        }
        Ok(None)
    }
}

/// An iterator over the chunks of a form.
#[derive(Clone, Debug)]
pub(super) struct Chunks<'a> {
    cursor: Cursor<'a>,
    container: Container,
    order: ByteOrder,
    next: u64,
    odd: bool,
    num_walked: u32,
    last: Option<Chunk>,
    long_sizes: Option<LongSizes>,
}

impl<'a> Chunks<'a> {
    /// The chunks from offset `first` on, with sizes in the byte order of the container.
    pub fn new(cursor: Cursor<'a>, container: Container, order: ByteOrder, first: u64) -> Self {
        Self {
            cursor,
            container,
            order,
            next: first,
            odd: false,
            num_walked: 0,
            last: None,
            long_sizes: None,
        }
    }

    /// Sets the sizes for the chunks that follow.
    pub fn set_long_sizes(&mut self, sizes: LongSizes) {
        self.long_sizes = Some(sizes);
    }

    /// A cursor over the file, for the payload of a chunk.
    pub fn cursor(&self) -> Cursor<'a> {
        self.cursor.clone()
    }

    /// The next chunk; `None` if the rest of the file is too short for one.
    pub fn next(&mut self) -> Result<Option<Chunk>> {
        self.skip_padding()?;
        if !self.has_room(self.next) {
            return Ok(None);
        }
        self.num_walked = self.num_walked.saturating_add(1);
        if self.num_walked > MAX_CHUNKS {
            return Err(self.malformed(self.next, format!("more than {MAX_CHUNKS} chunks")));
        }
        self.cursor.seek(self.next);
        let id = FourCc(self.cursor.array()?);
        let size = match self.order {
            ByteOrder::Little => self.cursor.u32_le()?,
            ByteOrder::Big => self.cursor.u32_be()?,
        };
        let start = self.cursor.position();
        let num_bytes = match (size, self.long_sizes) {
            (UNKNOWN, Some(sizes)) => sizes.of(id, &mut self.cursor)?,
            (UNKNOWN, None) => None,
            (size, _) => Some(u64::from(size)),
        };
        let chunk = Chunk { id, start, num_bytes };
        self.next = chunk.end();
        self.odd = chunk.num_bytes() % 2 == 1;
        self.last = Some(chunk);
        Ok(Some(chunk))
    }

    /// Whether the bytes from here on are chunks with printable names that exactly fill the file, or the form that ends at
    /// `form_end`.
    pub fn fill(mut self, form_end: u64) -> Result<bool> {
        let file_len = self.cursor.file_len();
        loop {
            let unpadded = self.next;
            self.skip_padding()?;
            if unpadded == form_end || self.next == form_end || self.next >= file_len {
                return Ok(true);
            }
            match self.next()? {
                Some(chunk) if chunk.id.is_printable() && chunk.end() <= file_len => {}
                _ => return Ok(false),
            }
        }
    }

    /// The error for a chunk that was not found.
    pub fn missing(&self, id: &str) -> Error {
        let file_len = self.cursor.file_len();
        match self.last.filter(|chunk| chunk.end() > file_len) {
            Some(Chunk { id: last, start, num_bytes }) => {
                let claim = num_bytes.map_or("an unknown number of".to_string(), |size| size.to_string());
                let left = file_len.saturating_sub(start);
                let what = format!(
                    "no '{id}' chunk: the {last} chunk before it claims {claim} bytes, the file has {left}"
                );
                self.malformed(start, what)
            }
            None => self.malformed(file_len, format!("no '{id}' chunk before the end of the file")),
        }
    }

    /// Skips the padding byte that follows an odd number of bytes. If the writer forgot it, the next chunk's name starts where
    /// the padding should be, and not one byte later.
    fn skip_padding(&mut self) -> Result<()> {
        if std::mem::take(&mut self.odd) {
            let padded = self.next.saturating_add(1);
            if self.names_chunk(padded)? || !self.names_chunk(self.next)? {
                self.next = padded;
            }
        }
        Ok(())
    }

    fn names_chunk(&mut self, offset: u64) -> Result<bool> {
        if !self.has_room(offset) {
            return Ok(false);
        }
        self.cursor.seek(offset);
        self.cursor.array().map(|id| FourCc(id).is_printable())
    }

    fn has_room(&self, offset: u64) -> bool {
        offset.checked_add(HEADER_BYTES).is_some_and(|end| end <= self.cursor.file_len())
    }

    fn malformed(&self, offset: u64, what: String) -> Error {
        Error::malformed(self.container, offset, what)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::builder::{Bytes, chunk_le};
    use super::*;

    fn chunks(bytes: &[u8]) -> Chunks<'_> {
        let cursor = Cursor::new(bytes, bytes.len() as u64, Container::WAV);
        Chunks::new(cursor, Container::WAV, ByteOrder::Little, 0)
    }

    fn ids(bytes: &[u8]) -> Vec<String> {
        let mut chunks = chunks(bytes);
        std::iter::from_fn(|| chunks.next().unwrap()).map(|chunk| chunk.id.to_string()).collect()
    }

    #[test]
    fn padding_follows_an_odd_chunk() {
        let bytes = Bytes::new().put(&chunk_le(b"odd ", b"abc")).put(&chunk_le(b"even", b"abcd"));
        assert_eq!(bytes.0.len(), 8 + 4 + 8 + 4);
        assert_eq!(ids(&bytes.0), ["'odd '", "'even'"]);
    }

    #[test]
    fn padding_may_be_forgotten() {
        let bytes = Bytes::new().put(b"odd ").u32_le(3).put(b"abc").put(&chunk_le(b"even", b"abcd"));
        assert_eq!(ids(&bytes.0), ["'odd '", "'even'"]);
    }

    #[test]
    fn padding_that_looks_like_a_name_is_still_padding() {
        let bytes = Bytes::new().put(b"odd ").u32_le(3).put(b"abcX").put(&chunk_le(b"even", b"abcd"));
        assert_eq!(ids(&bytes.0), ["'odd '", "'even'"]);
    }

    #[test]
    fn an_odd_chunk_may_end_the_file_with_or_without_padding() {
        assert_eq!(ids(b"odd \x01\0\0\0a"), ["'odd '"]);
        assert_eq!(ids(b"odd \x01\0\0\0a\0"), ["'odd '"]);
    }

    #[test]
    fn big_endian_sizes_are_read_as_such() {
        let bytes = b"even\0\0\0\x02abnext\0\0\0\0";
        let cursor = Cursor::new(bytes, bytes.len() as u64, Container::AIFF);
        let mut chunks = Chunks::new(cursor, Container::AIFF, ByteOrder::Big, 0);
        assert_eq!(chunks.next().unwrap().unwrap().num_bytes, Some(2));
        assert_eq!(chunks.next().unwrap().unwrap().id, FourCc(*b"next"));
        assert_eq!(chunks.next().unwrap(), None);
    }

    #[test]
    fn a_walk_of_too_many_chunks_ends_in_an_error() {
        let bytes = b"noop\0\0\0\0".repeat(MAX_CHUNKS as usize + 1);
        let mut chunks = chunks(&bytes);
        let error = std::iter::from_fn(|| chunks.next().transpose()).find_map(Result::err).unwrap();
        assert_eq!(error.to_string(), "malformed wav file at byte 524288: more than 65536 chunks");
    }

    #[test]
    fn the_table_of_long_sizes_is_bounded_by_its_chunk() {
        let table = Bytes::new().put(&[0; 24]).u32_le(u32::MAX).put(b"huge").u64_le(1 << 33);
        let bytes = chunk_le(b"ds64", &table.0);
        let mut walk = chunks(&bytes);
        let chunk = walk.next().unwrap().unwrap();
        let mut cursor = walk.cursor();
        let sizes = LongSizes::read(&mut cursor, &chunk).unwrap();
        assert_eq!(sizes.num_entries, 1);
        assert_eq!(sizes.of(FourCc(*b"huge"), &mut cursor).unwrap(), Some(1 << 33));
        assert_eq!(sizes.of(FourCc(*b"LIST"), &mut cursor).unwrap(), None);
    }

    #[test]
    fn a_chain_fills_the_file_or_the_form() {
        let bytes = Bytes::new().put(&chunk_le(b"LIST", b"abc")).put(&chunk_le(b"note", b""));
        assert!(chunks(&bytes.0).fill(u64::MAX).unwrap());
        assert!(chunks(&[]).fill(u64::MAX).unwrap());
        let garbage = bytes.clone().put(&[7; 20]);
        assert!(!chunks(&garbage.0).fill(u64::MAX).unwrap());
        assert!(chunks(&garbage.0).fill(bytes.0.len() as u64).unwrap());
        let past_the_end = Bytes::new().put(b"LIST").u32_le(10).put(b"abc");
        assert!(!chunks(&past_the_end.0).fill(u64::MAX).unwrap());
        let unpadded = Bytes::new().put(b"LIST").u32_le(3).put(b"abc").put(&[7; 20]);
        assert!(chunks(&unpadded.0).fill(11).unwrap());
    }

    #[test]
    fn a_missing_chunk_is_put_down_to_the_one_that_hides_it() {
        let bytes = Bytes::new().put(b"LIST").u32_le(1000).put(b"abc");
        let mut walk = chunks(&bytes.0);
        while walk.next().unwrap().is_some() {}
        let message = walk.missing("data").to_string();
        assert!(message.contains("'LIST' chunk before it claims 1000 bytes, the file has 3"), "{message}");
        assert!(
            chunks(&[]).missing("data").to_string().contains("no 'data' chunk before the end of the file")
        );
    }
}
