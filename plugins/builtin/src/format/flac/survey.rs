//! Long streams, whose frames are not all looked at when they are opened.
//!
//! The last frame tells whether a stream is as long as STREAMINFO promises. For seeking, frames at regular distances are
//! marks from which any other is reached by following the numbers. Marks whose numbers do not rise show that the file is
//! not a single stream, or has lost its order; then only the chain from the first frame on counts.

#![forbid(unsafe_code)]

use std::ops::Range;

use super::chain::Place;
use super::frames::{Format, Frame, Work};
use crate::codec::flac::FrameHeader;

/// The bytes that are searched at a time, from the end, for the last frame.
const TAIL_BYTES: usize = 64 << 10;
/// The most places at the end that look like frames but fail, before the search gives up.
const MAX_TAIL_DOUBTS: usize = 256;
/// The least distance of marks in bytes.
const MARK_BYTES: usize = 1 << 20;
/// The most marks.
const MAX_MARKS: usize = 64;
/// The frames in a row of which the last is a mark. Samples can contain what looks like a frame, but hardly so many.
const IN_A_ROW: usize = 4;

/// The same, and the frames in a row, where bytes cost much.
const FEW_TAIL_BYTES: usize = 16 << 10;
const FEW_IN_A_ROW: usize = 2;
/// The most steps towards a frame.
const MAX_STEPS: usize = 24;

/// The place after the last complete frame of a stream that begins at `offset`.
pub(crate) fn end_of_stream(format: &Format, bytes: &[u8], offset: usize, is_costly: bool) -> Option<Place> {
    let tail_bytes = if is_costly { FEW_TAIL_BYTES } else { TAIL_BYTES };
    let mut end = bytes.len();
    let mut num_doubts = 0;
    let mut work = Work::through(0);
    while end > offset {
        let start = end.saturating_sub(tail_bytes).max(offset);
        let mut places = Vec::new();
        format.find(bytes, start..end, |frame| {
            places.push(*frame);
            false
        });
        for frame in places.into_iter().rev() {
            if let Some(offset) = format.doubtful_end(bytes, &frame, &mut work) {
                return Some(Place { offset, first: frame.end(), origin: 0 });
            }
            num_doubts += 1;
            if num_doubts == MAX_TAIL_DOUBTS || work.is_done() {
                return None;
            }
        }
        end = start;
    }
    None
}

/// Marks of a stream from `offset` to `end`, the first frame among them; `None` if its frames are not in order.
pub(crate) fn marks(format: &Format, bytes: &[u8], offset: usize, end: &Place) -> Option<Vec<Place>> {
    let bytes = bytes.get(..end.offset)?;
    let (_, first) = format.frame_at(bytes, offset)?;
    let distance = (end.offset.saturating_sub(offset) / MAX_MARKS).max(MARK_BYTES);
    let mut marks = vec![first];
    let mut from = offset.saturating_add(distance);
    let mut work = Work::through(bytes.len());
    while from.saturating_add(distance / 2) < end.offset {
        let range = from..from.saturating_add(distance).min(end.offset);
        let mark = next_in_order(format, bytes, range, IN_A_ROW, &mut work)?;
        if marks.last().is_some_and(|last| mark.first <= last.first) || mark.first >= end.first {
            return None;
        }
        marks.push(mark);
        from = from.saturating_add(distance);
    }
    // Another stream may be shorter than the first distance.
    if let Some(mark) = marks.get(1)
        && reach(format, bytes, first, mark.first)? != *mark
    {
        return None;
    }
    Some(marks.iter().map(|mark| Place { offset: mark.offset, first: mark.first, origin: 0 }).collect())
}

/// A frame shortly before the one that holds a frame of sound, found by looking where it should be, and nearer each time: few bytes
/// are looked at. `None` if the frames are not in order.
pub(crate) fn near(format: &Format, bytes: &[u8], offset: usize, end: &Place, target: u64) -> Option<Frame> {
    let (_, mut low) = format.frame_at(bytes, offset)?;
    let (mut high_offset, mut high_first) = (end.offset, end.first);
    let mut work = Work::through(bytes.len());
    // So many frames are followed one by one.
    let few = 3 * u64::from(low.num_frames);
    for _ in 0..MAX_STEPS {
        if target < low.first.saturating_add(few) {
            return Some(low);
        }
        let room = high_offset.checked_sub(low.offset)? as u64;
        let all = high_first.checked_sub(low.first).filter(|all| *all > 0)?;
        // A little before it, as it is reached from there.
        let wanted = (target - low.first).saturating_sub(u64::from(low.num_frames) * 3 / 2);
        let ahead = usize::try_from(u128::from(room) * u128::from(wanted) / u128::from(all)).ok()?;
        let from = (low.offset + ahead.max(1)).min(high_offset);
        match next_in_order(format, bytes.get(..end.offset)?, from..high_offset, FEW_IN_A_ROW, &mut work) {
            Some(found) if found.first <= low.first || found.first >= end.first => return None,
            Some(found) if found.first <= target => low = found,
            Some(found) => (high_offset, high_first) = (from, found.first),
            // The last frames are reached from the one before them.
            None => return Some(low),
        }
    }
    Some(low)
}

/// The last of so many frames in a row, of which the first begins in a range; `None` also if that is too much work.
fn next_in_order(
    format: &Format,
    bytes: &[u8],
    range: Range<usize>,
    in_a_row: usize,
    work: &mut Work,
) -> Option<Frame> {
    let mut found = None;
    format.find(bytes, range, |frame| {
        let mut following = |frame: Frame| {
            let usual = format.usual_bytes(&frame).saturating_add(FrameHeader::MAX_BYTES);
            let limit = frame.offset.saturating_add(usual);
            let within = bytes.get(..limit).unwrap_or(bytes);
            let end = format.end_of(within, &frame);
            let looked_at = end.unwrap_or(within.len()).saturating_sub(frame.offset);
            let is_enough = work.take(looked_at);
            let end = end.filter(|_| is_enough)?;
            format.frame_at(bytes, end).map(|(_, next)| next).filter(|next| next.first == frame.end())
        };
        found = (1..in_a_row).try_fold(*frame, |frame, _| following(frame));
        found.is_some() || work.is_done()
    });
    found
}

/// The frame that holds a frame of sound, reached from one before it by following the numbers.
pub(crate) fn reach(format: &Format, bytes: &[u8], mut frame: Frame, target: u64) -> Option<Frame> {
    while frame.end() <= target {
        frame = format.following(bytes, &frame)?;
    }
    (frame.first <= target).then_some(frame)
}
