//! The packets of a stream (RFC 3533, section 5).

#![forbid(unsafe_code)]

use std::borrow::Cow;

use super::page::Page;

/// The bytes of a packet that are enough to determine its duration.
pub(crate) const HEAD_BYTES: usize = 16;

/// The pages of one stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packets<'a> {
    pub(crate) bytes: &'a [u8],
    /// The offsets of the pages.
    pub(crate) offsets: &'a [usize],
}

/// A position between packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// The number of the page.
    pub(crate) page: usize,
    /// The number of its segments before the position.
    segment: usize,
    /// The number of its bytes before the position.
    body: usize,
}

impl Place {
    /// The position before the first packet that begins on a page.
    pub(crate) fn on_page(page: usize) -> Self {
        Self { page, segment: 0, body: 0 }
    }
}

/// A packet that was found.
#[derive(Clone, Debug)]
pub(crate) struct FoundPacket<'a> {
    /// All of it, or its head.
    pub(crate) bytes: Cow<'a, [u8]>,
    /// Where it begins in the file.
    pub(crate) offset: usize,
    /// The number of the page on which it begins.
    pub(crate) first_page: usize,
    /// The number of the page on which it ends.
    pub(crate) last_page: usize,
}

impl<'a> Packets<'a> {
    /// A page by its number.
    pub(crate) fn page(&self, number: usize) -> Option<Page<'a>> {
        Page::parse(self.bytes, *self.offsets.get(number)?)
    }

    /// The packet at a position, all of it or at least [`HEAD_BYTES`]; the position advances past it. A packet with a
    /// lost part is skipped.
    pub(crate) fn next(&self, place: &mut Place, is_whole: bool) -> Option<FoundPacket<'a>> {
        loop {
            let page = self.page(place.page)?;
            if place.segment == 0 && page.is_continued {
                let (num_segments, num_bytes) = first_packet(page.lacing);
                (place.segment, place.body) = (num_segments, num_bytes);
            }
            let lacing = page.lacing.get(place.segment..).unwrap_or_default();
            if lacing.is_empty() {
                *place = Place::on_page(place.page + 1);
                continue;
            }
            let (num_segments, num_bytes) = first_packet(lacing);
            let piece = page.body.get(place.body..)?.get(..num_bytes)?;
            let first_page = place.page;
            let offset = page.body_offset() + place.body;
            if is_complete(lacing, num_segments) {
                place.segment += num_segments;
                place.body += num_bytes;
                let bytes = Cow::Borrowed(piece);
                return Some(FoundPacket { bytes, offset, first_page, last_page: first_page });
            }
            if let Some(bytes) = self.join(place, page.sequence, piece, is_whole) {
                return Some(FoundPacket { bytes, offset, first_page, last_page: place.page });
            }
        }
    }

    /// The rest of a packet that continues on the next page; advances past it, or to the next page if it is lost.
    fn join(
        &self,
        place: &mut Place,
        mut sequence: u32,
        piece: &'a [u8],
        is_whole: bool,
    ) -> Option<Cow<'a, [u8]>> {
        let mut bytes = Cow::Borrowed(piece);
        loop {
            let number = place.page + 1;
            *place = Place::on_page(number);
            let page = self.page(number)?;
            if !page.is_continued || page.sequence != sequence.wrapping_add(1) {
                return None;
            }
            sequence = page.sequence;
            let (num_segments, num_bytes) = first_packet(page.lacing);
            if is_whole || bytes.len() < HEAD_BYTES {
                bytes.to_mut().extend_from_slice(page.body.get(..num_bytes)?);
            }
            if is_complete(page.lacing, num_segments) {
                *place = Place { page: number, segment: num_segments, body: num_bytes };
                return Some(bytes);
            }
        }
    }
}

/// The numbers of segments and bytes of the first packet in `lacing`.
fn first_packet(lacing: &[u8]) -> (usize, usize) {
    let num_full = lacing.iter().take_while(|size| **size == 255).count();
    match lacing.get(num_full) {
        Some(last) => (num_full + 1, num_full * 255 + usize::from(*last)),
        None => (num_full, num_full * 255),
    }
}

/// Whether a packet of so many segments is complete.
fn is_complete(lacing: &[u8], num_segments: usize) -> bool {
    num_segments.checked_sub(1).and_then(|last| lacing.get(last)).is_some_and(|size| *size < 255)
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::cast_possible_truncation)]
mod tests {
    use super::super::page::tests::page;
    use super::*;

    fn packets(pages: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let bytes = pages.concat();
        let offsets: Vec<usize> =
            (0..pages.len()).map(|number| pages[..number].iter().map(Vec::len).sum()).collect();
        let packets = Packets { bytes: &bytes, offsets: &offsets };
        let (mut place, mut heads) = (Place::default(), Place::default());
        let mut found = Vec::new();
        while let Some(packet) = packets.next(&mut place, true) {
            let head = packets.next(&mut heads, false).expect("a head");
            assert!(packet.bytes.starts_with(&head.bytes) && place == heads);
            assert!(head.bytes.len() >= packet.bytes.len().min(HEAD_BYTES));
            found.push(packet.bytes.into_owned());
        }
        found
    }

    #[test]
    fn packets_go_on_over_pages_unless_a_part_is_lost() {
        let body: Vec<u8> = (0..255).collect();
        let pages = [
            page(2, 0, 1, 0, &[3, 0, 255], &[b"abc".as_slice(), &body].concat()),
            page(1, -1, 1, 1, &[255], &body),
            page(1, 9, 1, 2, &[1, 2], b"zde"),
        ];
        let whole = [body.as_slice(), &body, b"z"].concat();
        assert_eq!(packets(&pages), [b"abc".to_vec(), Vec::new(), whole, b"de".to_vec()]);
        let lost = [pages[0].clone(), pages[2].clone()];
        assert_eq!(packets(&lost), [b"abc".to_vec(), Vec::new(), b"de".to_vec()]);
        assert_eq!(packets(&pages[1..]), [b"de".to_vec()]);
        assert_eq!(packets(&pages[..2]), [b"abc".to_vec(), Vec::new()]);
    }
}
