//! A link of a chain: its headers, and its length from its first and last pages (RFC 7845, sections 3 and 4).

#![forbid(unsafe_code)]

use std::collections::VecDeque;
use std::ops::Range;

use mapwave_plugin::{Error, Result};

use super::super::checksum::Checksums;
use super::super::packets::{Packets, Place};
use super::super::page::{MAX_PAGE_BYTES, Page};
use super::search::StreamPages;
use super::walk::{Located, Walk};
use crate::codec::opus::{Cells, Kind, OpusSetup};
use crate::tags::vorbis_comment;
use crate::tags::vorbis_comment::Comments;

/// The first bytes of the second packet.
const COMMENT_SIGNATURE: &[u8; 8] = b"OpusTags";

/// The bytes in which the search for a frame reads every page.
const LINEAR_BYTES: usize = 32 << 10;

/// The most frames per byte: a packet of two bytes, with a byte of lacing, has 120 ms.
const MAX_FRAMES_PER_BYTE: u64 = 2880;

/// One stream of packets.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) setup: OpusSetup,
    pub(super) comments: Comments,
    pub(super) serial: u32,
    /// Its part of the file.
    pub(super) range: Range<usize>,
    /// Where the pages with sound begin.
    audio: usize,
    /// The granule position of frame 0.
    first: i64,
    /// The decoded frames, without those trimmed at the end.
    pub(super) end: u64,
    /// The frames trimmed there.
    pub(super) num_padding: u64,
    /// Whether a page is marked as the last.
    pub(super) is_ended: bool,
    /// What the first packet is made of.
    pub(super) kind: Kind,
    pub(super) cells: Cells,
}

impl Link {
    /// Reads the beginning and the end of the link that begins with the first page of a stream in a part of the file.
    ///
    /// # Errors
    /// When its headers are malformed or damaged, or decoders would take more than `max_alloc` bytes.
    pub(super) fn open(bytes: &[u8], range: Range<usize>, serial: u32, max_alloc: u64) -> Result<Self> {
        let pages = StreamPages { bytes, range: range.clone(), serial };
        let offset = range.start as u64;
        let (setup, comments, audio) = headers(&pages, offset)?;
        setup.check_room(max_alloc).map_err(|error| error.at(offset))?;
        let mut link = Self {
            cells: Cells::new(setup.pre_skip.into(), 0),
            setup,
            comments,
            serial,
            range,
            audio,
            first: 0,
            end: 0,
            num_padding: 0,
            is_ended: false,
            kind: Kind::Celt,
        };
        link.measure(&pages);
        link.cells = Cells::new(link.setup.pre_skip.into(), link.end);
        Ok(link)
    }

    /// Determines the length.
    fn measure(&mut self, pages: &StreamPages<'_>) {
        // The first granule position.
        let mut walk = Walk::at(self.audio);
        let (granule, sum, is_last) = loop {
            let Some((page, _)) = walk.collect(pages) else { return };
            if let Some(granule) = page.granule {
                break (granule, i64::try_from(walk.num_unplaced()).unwrap_or(i64::MAX), page.is_last);
            }
        };
        // A stream of one page is trimmed at its end (section 4.5).
        self.first = if is_last && granule < sum { 0 } else { granule.saturating_sub(sum) };
        // The last one.
        let is_audio = |offset: usize| offset >= self.audio;
        let last = pages.last(self.range.end, |page| is_audio(page.offset));
        self.is_ended = last.is_some_and(|page| page.is_last);
        let last = pages.last(self.range.end, |page| is_audio(page.offset) && page.granule.is_some());
        let Some((last, granule)) = last.and_then(|page| page.granule.map(|granule| (page, granule))) else {
            return;
        };
        let before = pages.last(last.offset, |page| is_audio(page.offset) && page.granule.is_some());
        // From the page before on, for a packet that begins there.
        let mut walk = Walk::at(before.map_or(self.audio, |page| page.offset));
        if before.is_some() {
            walk.step(pages, self.first, u64::MAX, &mut VecDeque::new());
        }
        let mut is_next = true;
        while walk.offset <= last.offset {
            let Some((_, follows)) = walk.collect(pages) else { break };
            is_next &= follows;
        }
        let stated = u64::try_from(granule.saturating_sub(self.first)).unwrap_or(0);
        // More than the packets hold is only believed where some are lost.
        let whole = walk.end().saturating_add(walk.num_unplaced());
        self.end = if is_next { stated.min(whole) } else { stated };
        self.num_padding = whole.saturating_sub(self.end);
        let first = self.packets(pages.bytes, 0).next();
        self.kind = first.map_or(Kind::Celt, |located| self.kind_of_packet(pages.bytes, &located));
    }

    /// The number of frames that are played.
    pub(super) fn num_frames(&self) -> u64 {
        self.end.saturating_sub(self.setup.pre_skip.into())
    }

    /// Whether the file can hold that many frames.
    pub(super) fn is_plausible(&self) -> bool {
        self.end <= (self.range.len() as u64).saturating_mul(MAX_FRAMES_PER_BYTE)
    }

    fn pages<'a>(&self, bytes: &'a [u8]) -> StreamPages<'a> {
        StreamPages { bytes, range: self.range.clone(), serial: self.serial }
    }

    /// Whether a granule position and an offset lie between those of the first and the last page.
    pub(super) fn has(&self, granule: i64) -> bool {
        let end = self.first.saturating_add(i64::try_from(self.end).unwrap_or(i64::MAX));
        (self.first..=end).contains(&granule)
    }

    /// The packets from the one on that has `frame`.
    pub(super) fn packets<'a>(&'a self, bytes: &'a [u8], frame: u64) -> impl Iterator<Item = Located> + 'a {
        let mut cursor = self.cursor(bytes, frame);
        std::iter::from_fn(move || self.next(bytes, &mut cursor))
    }

    /// The position in front of the packet that has `frame`.
    pub(super) fn cursor(&self, bytes: &[u8], frame: u64) -> LinkCursor {
        LinkCursor { walk: Walk::at(self.page_before(bytes, frame)), found: VecDeque::new(), from: frame }
    }

    /// The packet at a position, which advances past it.
    pub(super) fn next(&self, bytes: &[u8], cursor: &mut LinkCursor) -> Option<Located> {
        let pages = self.pages(bytes);
        loop {
            match cursor.found.pop_front() {
                Some(located) if located.frames.end <= cursor.from => {}
                Some(located) => return Some(located),
                None if cursor.walk.step(&pages, self.first, self.end, &mut cursor.found) => {}
                None => return None,
            }
        }
    }

    /// The offset of the last page that ends at or in front of `frame`; of the first page with sound if there is none.
    fn page_before(&self, bytes: &[u8], frame: u64) -> usize {
        let pages = self.pages(bytes);
        let is_before =
            |granule: i64| u64::try_from(granule.saturating_sub(self.first)).is_ok_and(|end| end <= frame);
        let mut sums = Checksums::default();
        let (mut low, mut high) = (self.audio, self.range.end);
        while high.saturating_sub(low) > LINEAR_BYTES {
            let middle = low + (high - low) / 2;
            // A page that begins in front of `high` may end behind it.
            let end = high.saturating_add(MAX_PAGE_BYTES).min(self.range.end);
            let below = StreamPages { range: self.range.start..end, ..pages.clone() };
            match below.next_timed(middle, &mut sums) {
                Some((page, granule)) if page.offset < high && is_before(granule) => low = page.offset,
                _ => high = middle,
            }
        }
        let mut at = low;
        while let Some((page, _)) = pages.next_timed(at, &mut sums).filter(|(_, granule)| is_before(*granule))
        {
            (low, at) = (page.offset, page.end());
        }
        low
    }

    /// What the packets with frames of a range are made of. Where some are lost, what is before the gap matters after it.
    pub(super) fn kind_of(&self, bytes: &[u8], frames: Range<u64>) -> Kind {
        let packets = self.packets(bytes, frames.start);
        let packets = packets.take_while(|located| located.frames.start < frames.end);
        Kind::of(packets.map(|located| self.kind_of_packet(bytes, &located)))
    }

    fn kind_of_packet(&self, bytes: &[u8], located: &Located) -> Kind {
        located.content.bytes(bytes).map_or(Kind::Mixed, |packet| self.setup.kind(packet))
    }
}

/// A position between packets.
#[derive(Clone, Debug)]
pub(super) struct LinkCursor {
    walk: Walk,
    found: VecDeque<Located>,
    /// Packets that end before this frame are left out.
    from: u64,
}

/// Reads the two headers; returns also where the pages with sound begin.
fn headers(pages: &StreamPages<'_>, offset: u64) -> Result<(OpusSetup, Comments, usize)> {
    let mut offsets = Vec::new();
    let mut at = pages.range.start;
    let mut sums = Checksums::default();
    let mut first = None;
    // They are looked for among twice as many pages each time, so that each page is read a few times at most.
    let mut is_end = false;
    while !is_end {
        let wanted = (2 * offsets.len()).max(1);
        while offsets.len() < wanted && !is_end {
            match pages.next(at, &mut sums) {
                Some(page) => {
                    at = page.end();
                    offsets.push(page.offset);
                }
                None => is_end = true,
            }
        }
        let packets = Packets { bytes: pages.bytes, offsets: &offsets };
        let end_of = |number| packets.page(number).map_or(at, |page: Page<'_>| page.end());
        let mut place = Place::default();
        let Some(head) = packets.next(&mut place, true) else { continue };
        let (setup, after_head) = match first.take() {
            Some(first) => first,
            None => (OpusSetup::from_head(&head.bytes, offset)?, end_of(head.last_page)),
        };
        if let Some(comment) = packets.next(&mut place, true) {
            return Ok(match comment.bytes.strip_prefix(COMMENT_SIGNATURE) {
                Some(block) => (setup, vorbis_comment::parse(block), end_of(comment.last_page)),
                None => (setup, Comments::new(), after_head),
            });
        }
        first = Some((setup, after_head));
    }
    Err(match first {
        Some(_) => Error::bad_data(offset, "the Opus stream ends within its headers"),
        None => {
            Error::bad_data(offset, "the first page of the Opus stream is damaged: its checksum is wrong")
        }
    })
}
