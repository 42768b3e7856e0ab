//! Finds pages of one stream anywhere in a file, without reading what lies between.

#![forbid(unsafe_code)]

use std::ops::Range;

use memchr::memmem;

use super::super::checksum::Checksums;
use super::super::page::{CAPTURE_PATTERN, Page};

/// The pages of one stream in a part of a file. Only intact ones exist, so that they are the same wherever a search begins.
#[derive(Clone, Debug)]
pub(super) struct StreamPages<'a> {
    pub(super) bytes: &'a [u8],
    /// The part, in bytes.
    pub(super) range: Range<usize>,
    pub(super) serial: u32,
}

impl<'a> StreamPages<'a> {
    /// The first page that begins at an offset or after it.
    pub(super) fn next(&self, from: usize, sums: &mut Checksums) -> Option<Page<'a>> {
        let mut at = from.max(self.range.start);
        loop {
            let page = next_page(self.bytes.get(..self.range.end)?, at, sums)?;
            if page.serial == self.serial {
                return Some(page);
            }
            at = page.end();
        }
    }

    /// The first page on which a packet ends that begins at an offset or after it.
    pub(super) fn next_timed(&self, from: usize, sums: &mut Checksums) -> Option<(Page<'a>, i64)> {
        let mut at = from;
        loop {
            let page = self.next(at, sums)?;
            if let Some(granule) = page.granule {
                return Some((page, granule));
            }
            at = page.end();
        }
    }

    /// The last page that begins in front of an offset and fulfils a condition.
    pub(super) fn last(&self, before: usize, is_wanted: impl Fn(&Page<'a>) -> bool) -> Option<Page<'a>> {
        let whole = self.bytes.get(..self.range.end)?;
        let searched = whole.get(self.range.start..before.saturating_add(3).min(self.range.end))?;
        let places = memmem::rfind_iter(searched, CAPTURE_PATTERN);
        let mut pages = places.filter_map(|place| Page::parse(whole, self.range.start + place));
        let mut sums = Checksums::default();
        pages.find(|page| {
            page.serial == self.serial && is_wanted(page) && page.is_intact_among(whole, &mut sums)
        })
    }
}

/// The first intact page of any stream that begins at an offset or after it.
pub(super) fn next_page<'a>(bytes: &'a [u8], from: usize, sums: &mut Checksums) -> Option<Page<'a>> {
    let places = memmem::find_iter(bytes.get(from..)?, CAPTURE_PATTERN);
    let mut pages = places.filter_map(|place| Page::parse(bytes, from + place));
    pages.find(|page| page.is_intact_among(bytes, sums))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::super::super::page::tests::page;
    use super::*;

    #[test]
    fn pages_are_found_from_both_sides() {
        let mut damaged = page(0, 9, 7, 3, &[3], b"bad");
        damaged[29] ^= 1;
        let parts = [
            page(2, 0, 7, 0, &[1], b"a"),
            page(2, 0, 8, 0, &[1], b"b"),
            page(0, -1, 7, 1, &[255], &[7; 255]),
            page(0, 5, 7, 2, &[1], b"c"),
            damaged,
            b"OggS and more".to_vec(),
        ];
        let bytes = parts.concat();
        let pages = StreamPages { bytes: &bytes, range: 0..bytes.len(), serial: 7 };
        let mut sequences = Vec::new();
        let mut at = 0;
        while let Some(page) = pages.next(at, &mut Checksums::default()) {
            sequences.push(page.sequence);
            at = page.end();
        }
        assert_eq!(sequences, [0, 1, 2]);
        let (timed, granule) = pages.next_timed(1, &mut Checksums::default()).unwrap();
        assert_eq!((timed.sequence, granule), (2, 5));
        let last = pages.last(bytes.len(), |_| true).unwrap();
        assert_eq!(last.sequence, 2);
        assert_eq!(pages.last(last.offset, |_| true).unwrap().sequence, 1);
        assert_eq!(pages.last(last.offset, |page| page.granule.is_some()).unwrap().sequence, 0);
        assert!(pages.last(0, |_| true).is_none());
    }
}
