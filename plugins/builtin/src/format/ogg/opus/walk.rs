//! The packets of a link in order, placed on its timeline by the granule positions of pages (RFC 7845, section 4).
//!
//! The granule position of a page is the end of the last packet that ends on it, and the durations of packets are in their first
//! bytes, so that each page stands for itself: reading may begin at any. Where a page begins later than the one before ended,
//! packets are missing: silence is in their place. Where it begins earlier, its end is trimmed, as on the last page.

#![forbid(unsafe_code)]

use std::collections::VecDeque;
use std::ops::Range;

use super::super::checksum::Checksums;
use super::super::page::Page;
use super::search::StreamPages;
use crate::codec::opus::num_frames;

/// The most bytes of a packet on several pages: eight streams at the highest rate take a hundredth of it.
const MAX_JOINED_BYTES: usize = 1 << 20;

/// A packet, or the place of lost ones, on the timeline of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Located {
    pub(super) content: Content,
    /// Where it begins in the file.
    pub(super) offset: usize,
    pub(super) frames: Range<u64>,
}

/// What is in the place of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// These bytes of the file.
    Bytes(Range<usize>),
    /// A packet that several pages share.
    Joined(Vec<u8>),
    /// Nothing: the stream pauses.
    Pause,
    /// Nothing: pages are lost.
    Lost,
}

impl Content {
    /// The bytes of the packet; `None` if there is none.
    pub(super) fn bytes<'a>(&'a self, file: &'a [u8]) -> Option<&'a [u8]> {
        match self {
            Self::Bytes(range) => file.get(range.clone()),
            Self::Joined(bytes) => Some(bytes),
            Self::Pause | Self::Lost => None,
        }
    }
}

/// A position between pages.
#[derive(Clone, Debug, Default)]
pub(super) struct Walk {
    /// Where the next page is looked for.
    pub(super) offset: usize,
    /// The end of the packets before it.
    end: u64,
    /// The beginning of a packet that continues on the next page, and its offset.
    carry: Option<(Vec<u8>, usize)>,
    sequence: Option<u32>,
    /// Packets that ended on pages without a granule position.
    untimed: Vec<(Content, usize, u32)>,
    sums: Checksums,
}

impl Walk {
    /// A position in front of the page at an offset or after it.
    pub(super) fn at(offset: usize) -> Self {
        Self { offset, ..Self::default() }
    }

    /// Adds the packets that end on the next page; false at the end. `first` is the granule position of frame 0, `end` the
    /// number of frames.
    pub(super) fn step(
        &mut self,
        pages: &StreamPages<'_>,
        first: i64,
        end: u64,
        found: &mut VecDeque<Located>,
    ) -> bool {
        let Some((page, is_next)) = self.collect(pages) else { return false };
        if let Some(granule) = page.granule {
            self.place(granule.saturating_sub(first), end, is_next, page.offset, found);
        }
        true
    }

    /// Reads the next page and collects the packets that end on it; returns also whether it follows the one before.
    pub(super) fn collect<'a>(&mut self, pages: &StreamPages<'a>) -> Option<(Page<'a>, bool)> {
        let page = pages.next(self.offset, &mut self.sums)?;
        self.offset = page.end();
        let is_next = self.sequence.is_none_or(|last| last.wrapping_add(1) == page.sequence);
        self.sequence = Some(page.sequence);
        let mut carry = self.carry.take().filter(|_| is_next && page.is_continued);
        let mut is_headless = page.is_continued && carry.is_none();
        let mut at = page.body_offset();
        for lacing in page.lacing.split_inclusive(|size| *size < 255) {
            let num_bytes: usize = lacing.iter().map(|size| usize::from(*size)).sum();
            let piece = at..at + num_bytes;
            at = piece.end;
            if std::mem::take(&mut is_headless) {
                continue;
            }
            let is_complete = lacing.last().is_some_and(|size| *size < 255);
            let bytes = pages.bytes.get(piece.clone()).unwrap_or_default();
            let (content, offset) = match carry.take() {
                Some((mut joined, offset)) => {
                    joined.extend_from_slice(bytes);
                    (Content::Joined(joined), offset)
                }
                None if is_complete => (Content::Bytes(piece.clone()), piece.start),
                None => (Content::Joined(bytes.to_vec()), piece.start),
            };
            match content {
                Content::Joined(joined) if !is_complete => {
                    self.carry =
                        Some((joined, offset)).filter(|(joined, _)| joined.len() <= MAX_JOINED_BYTES);
                }
                content => {
                    let duration = match &content {
                        Content::Joined(joined) => num_frames(joined),
                        _ => num_frames(bytes),
                    };
                    // What is not a packet of Opus has no duration.
                    self.untimed.extend(duration.map(|duration| (content, offset, duration)));
                }
            }
        }
        Some((page, is_next))
    }

    /// Places the packets up to the end of a page.
    fn place(&mut self, granule: i64, end: u64, is_next: bool, offset: usize, found: &mut VecDeque<Located>) {
        let page_end = u64::try_from(granule).unwrap_or(0).min(end).max(self.end);
        let sum: u64 = self.untimed.iter().map(|(.., duration)| u64::from(*duration)).sum();
        let mut start = page_end.saturating_sub(sum).max(self.end);
        if start > self.end {
            let content = if is_next { Content::Pause } else { Content::Lost };
            found.push_back(Located { content, offset, frames: self.end..start });
        }
        for (content, offset, duration) in self.untimed.drain(..) {
            let next = start.saturating_add(duration.into()).min(page_end);
            found.push_back(Located { content, offset, frames: start..next });
            start = next;
        }
        self.end = page_end;
    }

    /// The end of the packets that are placed.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// The sum of the durations of all packets so far that are not placed.
    pub(super) fn num_unplaced(&self) -> u64 {
        self.untimed.iter().map(|(.., duration)| u64::from(*duration)).sum()
    }
}
