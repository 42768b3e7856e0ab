//! Pages (RFC 3533, section 6).

#![forbid(unsafe_code)]

use std::ops::Range;

use memchr::memmem;

use super::checksum::{Checksums, crc32, followed_by};
use crate::bytes::Bytes;
use crate::tags::id3v2;

/// The first bytes of a page.
pub(crate) const CAPTURE_PATTERN: &[u8; 4] = b"OggS";

const HEADER_BYTES: usize = 27;
/// The most bytes of a page.
pub(crate) const MAX_PAGE_BYTES: usize = HEADER_BYTES + 255 + 255 * 255;
const CHECKSUM: Range<usize> = 22..26;
/// The page with its checksum.
pub(crate) fn with_checksum(mut page: Vec<u8>) -> Vec<u8> {
    let crc = crc32(0, &page);
    if let Some(field) = page.get_mut(CHECKSUM) {
        field.copy_from_slice(&crc.to_le_bytes());
    }
    page
}

/// A complete page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page<'a> {
    /// Where it begins.
    pub(crate) offset: usize,
    /// Whether its first segments continue a packet of the page before.
    pub(crate) is_continued: bool,
    /// Whether it begins a stream.
    pub(crate) is_first: bool,
    /// Whether it ends a stream.
    pub(crate) is_last: bool,
    /// The position of the stream after the last packet that ends on the page; `None` if none does.
    pub(crate) granule: Option<i64>,
    /// The stream.
    pub(crate) serial: u32,
    /// Its number in the stream.
    pub(crate) sequence: u32,
    /// The sizes of its segments.
    pub(crate) lacing: &'a [u8],
    /// The segments.
    pub(crate) body: &'a [u8],
}

impl<'a> Page<'a> {
    /// Reads the page at an offset; `None` if it is invalid or incomplete.
    pub(crate) fn parse(bytes: &'a [u8], offset: usize) -> Option<Self> {
        let mut fields = Bytes::at(bytes.get(offset..)?, offset as u64);
        if fields.array().ok()? != *CAPTURE_PATTERN || fields.u8().ok()? != 0 {
            return None; // the version is 0
        }
        let flags = fields.u8().ok()?;
        let granule = fields.u64_le().ok()?.cast_signed();
        let (serial, sequence) = (fields.u32_le().ok()?, fields.u32_le().ok()?);
        let _checksum = fields.u32_le().ok()?;
        let num_segments = fields.u8().ok()?;
        let lacing = fields.take(num_segments.into()).ok()?.rest();
        let body = fields.take(lacing.iter().map(|size| usize::from(*size)).sum()).ok()?.rest();
        Some(Self {
            offset,
            is_continued: flags & 1 != 0,
            is_first: flags & 2 != 0,
            is_last: flags & 4 != 0,
            granule: (granule != -1).then_some(granule),
            serial,
            sequence,
            lacing,
            body,
        })
    }

    /// Where its segments begin.
    pub(crate) fn body_offset(&self) -> usize {
        self.offset + HEADER_BYTES + self.lacing.len()
    }

    /// Where it ends.
    pub(crate) fn end(&self) -> usize {
        self.body_offset() + self.body.len()
    }

    /// Whether its checksum is right.
    pub(crate) fn is_intact(&self, bytes: &[u8]) -> bool {
        let whole = bytes.get(self.offset..self.end()).unwrap_or_default();
        let (Some(before), Some(stored), Some(after)) =
            (whole.get(..CHECKSUM.start), whole.get(CHECKSUM), whole.get(CHECKSUM.end..))
        else {
            return false;
        };
        let crc = crc32(crc32(crc32(0, before), &[0; 4]), after);
        stored == crc.to_le_bytes()
    }

    /// As [`is_intact`](Self::is_intact), where many places look like pages.
    pub(crate) fn is_intact_among(&self, bytes: &[u8], sums: &mut Checksums) -> bool {
        let field = self.offset + CHECKSUM.start..self.offset + CHECKSUM.end;
        let Some(stored) = bytes.get(field.clone()) else { return false };
        // Without the field, which counts as zeros.
        let with_field = sums.of(bytes, self.offset..self.end());
        let crc = with_field ^ followed_by(crc32(0, stored), self.end() - field.end);
        stored == crc.to_le_bytes()
    }
}

/// The pages of a file in order; bytes between them are skipped.
#[derive(Debug)]
pub(crate) struct Pages<'a> {
    bytes: &'a [u8],
    offset: usize,
    /// Whether the file ends within a page.
    pub(crate) is_cut: bool,
    sums: Checksums,
}

impl<'a> Pages<'a> {
    /// The pages of a file, behind the ID3v2 tags that some programs write in front of them.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, offset: id3v2::leading_bytes(bytes), is_cut: false, sums: Checksums::default() }
    }
}

impl<'a> Iterator for Pages<'a> {
    type Item = Page<'a>;

    fn next(&mut self) -> Option<Page<'a>> {
        if let Some(page) = Page::parse(self.bytes, self.offset) {
            self.offset = page.end();
            return Some(page);
        }
        // Out of sync: only pages with a right checksum are accepted.
        let start = self.offset;
        self.is_cut |= self.bytes.get(start..).is_some_and(|rest| rest.starts_with(CAPTURE_PATTERN));
        let rest = self.bytes.get(start..)?;
        for place in memmem::find_iter(rest, CAPTURE_PATTERN) {
            if let Some(page) = Page::parse(self.bytes, start + place)
                && page.is_intact_among(self.bytes, &mut self.sums)
            {
                self.offset = page.end();
                self.is_cut = false;
                return Some(page);
            }
        }
        self.offset = self.bytes.len();
        None
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::cast_possible_truncation)]
pub(crate) mod tests {
    use super::*;

    /// A page with these segments.
    pub(crate) fn page(
        flags: u8,
        granule: i64,
        serial: u32,
        sequence: u32,
        lacing: &[u8],
        body: &[u8],
    ) -> Vec<u8> {
        let mut page = CAPTURE_PATTERN.to_vec();
        page.extend([0, flags]);
        page.extend(granule.to_le_bytes());
        page.extend(serial.to_le_bytes());
        page.extend(sequence.to_le_bytes());
        page.extend([0; 4]);
        page.push(u8::try_from(lacing.len()).expect("at most 255 segments"));
        page.extend(lacing);
        page.extend(body);
        with_checksum(page)
    }

    #[test]
    fn a_page_among_many_is_intact_when_it_is_alone() {
        let mut bytes = [page(2, 0, 7, 0, &[3], b"abc"), page(4, -1, 7, 1, &[255, 2], &[1; 257])].concat();
        for place in (0..bytes.len()).chain([0]) {
            for start in [0, 31] {
                let page = Page::parse(&bytes, start);
                let among = page.map(|page| page.is_intact_among(&bytes, &mut Checksums::default()));
                assert_eq!(among, page.map(|page| page.is_intact(&bytes)), "{place}");
            }
            bytes[place] ^= 4;
        }
    }

    #[test]
    fn what_looks_like_pages_is_read_once() {
        let lookalike = [b"OggS\0\0".as_slice(), &[255; 21]].concat();
        let whole = page(0, 5, 7, 1, &[1], b"x");
        for every in [usize::MAX, 9] {
            let mut bytes = [page(2, 0, 7, 0, &[3], b"abc").as_slice(), b"X"].concat();
            for number in 0..20_000 {
                bytes.extend(if number % every == every - 1 { &whole } else { &lookalike });
                // Not where the next page is expected.
                bytes.push(b'X');
            }
            let mut pages = Pages::new(&bytes);
            assert_eq!(pages.by_ref().count(), 1 + 20_000 / every);
            assert!(pages.sums.num_read <= 2 * bytes.len(), "{} of {}", pages.sums.num_read, bytes.len());
        }
    }

    #[test]
    fn pages_are_found_behind_garbage_and_only_whole_ones() {
        let first = page(2, 0, 7, 0, &[3], b"abc");
        let second = page(4, -1, 7, 1, &[255, 2], &[1; 257]);
        let mut damaged = page(0, 5, 7, 2, &[3], b"xyz");
        damaged[30] ^= 1;
        let bytes = [first.as_slice(), b"garbage OggS", &damaged, &second].concat();
        let found: Vec<_> = Pages::new(&bytes).collect();
        assert_eq!(found.iter().map(|page| page.sequence).collect::<Vec<_>>(), [0, 1]);
        assert_eq!(found[0].body, b"abc");
        assert_eq!((found[1].granule, found[1].is_last), (None, true));
        let mut pages = Pages::new(&bytes[..bytes.len() - 1]);
        assert_eq!(pages.by_ref().count(), 1);
        let mut pages = Pages::new(&second[..100]);
        assert!(pages.next().is_none() && pages.is_cut);
    }
}
