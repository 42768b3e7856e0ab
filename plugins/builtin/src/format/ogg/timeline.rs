//! The timeline of a link: the sum of its packets' durations, compared with the granule positions of its pages.

#![forbid(unsafe_code)]

use mapwave_plugin::Sweep;

use super::packets::{Packets, Place};
use super::setup::Setup;

/// The most frames of one page: 255 packets of half the longest block.
const MAX_PAGE_FRAMES: u64 = 255 * 4096;

/// The state at a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The first frame of the first packet that begins on it or after it.
    pub(crate) first_frame: u64,
    /// The state after the packet before that; 0 for none.
    pub(crate) previous: u8,
    /// Whether packets before it are lost, so that decoding restarts.
    pub(crate) is_after_hole: bool,
}

/// The timeline of a link, from its first packet on.
#[derive(Debug)]
pub(crate) struct Timeline {
    /// A mark per page.
    pub(crate) marks: Vec<Mark>,
    /// The frames to drop at the start.
    pub(crate) num_priming: u64,
    /// The end of the audio.
    pub(crate) end: u64,
    /// The frames to drop after that.
    pub(crate) num_padding: u64,
    /// Whether a page is marked as the last.
    pub(crate) is_ended: bool,
}

/// The progress of measuring packets.
#[derive(Clone, Copy)]
struct Walk {
    place: Place,
    /// The packet before `place`, if it ends on a page that is not reached yet.
    pending: Option<Pending>,
    frame: u64,
    previous: u8,
    /// The number of pages with a mark.
    num_marked: usize,
}

#[derive(Clone, Copy)]
struct Pending {
    first_page: usize,
    last_page: usize,
    /// Its duration after `previous`, and its own state.
    measure: Option<(u64, u8)>,
}

impl Walk {
    /// Adds the packets that end on a page; returns whether there are any.
    fn pass_page(&mut self, packets: &Packets<'_>, setup: &Setup, page: usize, marks: &mut [Mark]) -> bool {
        let mut has_any = false;
        loop {
            let pending = match self.pending {
                Some(pending) => pending,
                None => {
                    let Some(packet) = packets.next(&mut self.place, false) else { return has_any };
                    let measure = setup.measure(&packet.bytes, self.previous);
                    let (first_page, last_page) = (packet.first_page, packet.last_page);
                    *self.pending.insert(Pending { first_page, last_page, measure })
                }
            };
            while self.num_marked <= pending.first_page {
                if let Some(mark) = marks.get_mut(self.num_marked) {
                    *mark = Mark { first_frame: self.frame, previous: self.previous, is_after_hole: false };
                }
                self.num_marked += 1;
            }
            if pending.last_page > page {
                return has_any;
            }
            has_any = true;
            self.pending = None;
            if let Some((num_frames, previous)) = pending.measure {
                self.frame = self.frame.saturating_add(num_frames);
                self.previous = previous;
            }
        }
    }
}

impl Timeline {
    /// Measures the packets of a link from `start` on, which `sweep` scans.
    pub(crate) fn measure(packets: &Packets<'_>, sweep: &mut Sweep, setup: &Setup, start: Place) -> Self {
        let num_pages = packets.offsets.len();
        let mut marks = vec![Mark::default(); num_pages];
        let mut walk = Walk { place: start, pending: None, frame: 0, previous: 0, num_marked: 0 };
        // The difference between granule positions and frames here, known after the first.
        let mut origin: Option<i64> = None;
        let mut sequence = None;
        // Where pages seem to be lost, until the next granule position shows how many.
        let mut hole: Option<(usize, Walk, u64)> = None;
        let mut timeline =
            Self { marks: Vec::new(), num_priming: 0, end: 0, num_padding: 0, is_ended: false };
        for number in start.page..num_pages {
            let Some(page) = packets.page(number) else { break };
            sweep.pass(page.offset);
            let num_lost = sequence.map_or(0, |last: u32| page.sequence.wrapping_sub(last).wrapping_sub(1));
            sequence = Some(page.sequence);
            if num_lost > 0 && hole.is_none() {
                hole = Some((number, walk, num_lost.into()));
            }
            // The granule position of the page on which the headers end belongs to them.
            let has_sound = walk.pass_page(packets, setup, number, &mut marks) || number > start.page;
            let frame = i64::try_from(walk.frame).unwrap_or(i64::MAX);
            timeline.end = walk.frame;
            if let Some(granule) = page.granule.filter(|_| has_sound) {
                match origin {
                    // A stream of one page is trimmed at its end, any other at its start (Vorbis I, appendix A.2).
                    None if page.is_last && (0..frame).contains(&granule) => {
                        origin = Some(0);
                        timeline.end = granule.unsigned_abs();
                    }
                    None => {
                        let first = granule.saturating_sub(frame);
                        origin = Some(first);
                        timeline.num_priming = first.min(0).unsigned_abs().min(walk.frame);
                    }
                    Some(first) => {
                        let expected = first.saturating_add(frame);
                        let is_early = granule < expected;
                        match hole {
                            Some((begin, before, num_lost)) if granule > expected => {
                                let resumed = resume(packets, setup, begin..number + 1, before, &mut marks);
                                let reached =
                                    first.saturating_add(i64::try_from(resumed.frame).unwrap_or(i64::MAX));
                                let num_missing = granule.saturating_sub(reached).max(0).unsigned_abs();
                                if num_missing <= num_lost.saturating_add(1).saturating_mul(MAX_PAGE_FRAMES) {
                                    walk = shift(resumed, begin, num_missing, &mut marks);
                                }
                                timeline.end = walk.frame;
                            }
                            _ if is_early && page.is_last => {
                                timeline.end = granule.saturating_sub(first).max(0).unsigned_abs();
                            }
                            // The granule positions jump although no page is lost: only the packets count.
                            _ => origin = Some(granule.saturating_sub(frame)),
                        }
                    }
                }
                hole = None;
            }
            if page.is_last {
                timeline.is_ended = true;
                marks.truncate(number + 1);
                break;
            }
        }
        let unmarked = Mark { first_frame: walk.frame, previous: walk.previous, is_after_hole: false };
        marks.iter_mut().skip(walk.num_marked).for_each(|mark| *mark = unmarked);
        timeline.num_priming = timeline.num_priming.min(timeline.end);
        timeline.num_padding = walk.frame.saturating_sub(timeline.end);
        timeline.marks = marks;
        timeline
    }
}

/// Measures pages after lost ones again.
fn resume(
    packets: &Packets<'_>,
    setup: &Setup,
    pages: std::ops::Range<usize>,
    before: Walk,
    marks: &mut [Mark],
) -> Walk {
    let (place, num_marked) = (Place::on_page(pages.start), before.num_marked.min(pages.start));
    let mut walk = Walk { place, pending: None, previous: 0, num_marked, ..before };
    for page in pages {
        walk.pass_page(packets, setup, page, marks);
    }
    walk
}

/// Inserts missing frames before the packets of page `begin` and those after it.
fn shift(walk: Walk, begin: usize, num_missing: u64, marks: &mut [Mark]) -> Walk {
    for mark in marks.iter_mut().take(walk.num_marked).skip(begin) {
        mark.first_frame = mark.first_frame.saturating_add(num_missing);
    }
    if let Some(mark) = marks.get_mut(begin) {
        mark.is_after_hole = true;
    }
    Walk { frame: walk.frame.saturating_add(num_missing), ..walk }
}
