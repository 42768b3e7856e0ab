//! Places from which a frame of sound is reached, and how they are saved.

#![forbid(unsafe_code)]

use super::chain::{Chain, Place};
use super::frames::Format;
use crate::engine::saved::{Saved, Saver};

/// The tag of a saved index.
const TAG: &[u8; 8] = b"flac   1";

/// How many places of a saved index are looked at before it is believed.
const NUM_SAMPLES: usize = 32;

/// Places between frames, in order.
#[derive(Debug)]
pub(super) struct Index {
    pub(super) places: Vec<Place>,
    /// Where the last frame ends, in bytes.
    pub(super) end_offset: usize,
    pub(super) kind: IndexKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IndexKind {
    /// The places of all frames.
    Complete,
    /// Some places; all are on the chain of frames.
    Sparse,
    /// The marks of a survey, between which the numbers are followed.
    Surveyed,
}

impl From<Chain> for Index {
    fn from(chain: Chain) -> Self {
        let kind = if chain.is_complete { IndexKind::Complete } else { IndexKind::Sparse };
        Self { places: chain.places, end_offset: chain.end.offset, kind }
    }
}

impl Index {
    /// The index as bytes, and where the frames end.
    pub(super) fn save(&self, end: &Place, is_cut: bool) -> Vec<u8> {
        let mut saver = Saver::new(TAG);
        saver.number(match self.kind {
            IndexKind::Complete => 0,
            IndexKind::Sparse => 1,
            IndexKind::Surveyed => 2,
        });
        saver.number(u64::from(is_cut));
        saver.number(self.places.len() as u64);
        let mut last = Place::start(0);
        for place in self.places.iter().chain([end]) {
            saver.number((place.offset as u64).wrapping_sub(last.offset as u64));
            saver.number(place.first.wrapping_sub(last.first));
            saver.number(place.origin.wrapping_sub(last.origin));
            last = *place;
        }
        saver.finish()
    }
}

/// What [`Index::save`] wrote, or what claims to be it.
#[derive(Debug)]
pub(super) struct SavedIndex {
    pub(super) index: Index,
    pub(super) end: Place,
    pub(super) is_cut: bool,
}

impl SavedIndex {
    /// Reads an index; `None` if it is not one of places in order.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut saved = Saved::new(bytes, TAG)?;
        let kind = match saved.number()? {
            0 => IndexKind::Complete,
            1 => IndexKind::Sparse,
            2 => IndexKind::Surveyed,
            _ => return None,
        };
        let is_cut = saved.number()? == 1;
        let count: usize = saved.small()?;
        let mut places = Vec::with_capacity(count.min(saved.num_bytes() / 3) + 1);
        let mut last = Place::start(0);
        for _ in 0..=count {
            let (offset, first, origin) = (saved.small()?, saved.number()?, saved.number()?);
            let place = Place {
                offset: last.offset.checked_add(offset)?,
                first: last.first.checked_add(first)?,
                origin: last.origin.checked_add(origin)?,
            };
            if !places.is_empty() && (offset == 0 || first == 0) || place.origin > place.first {
                return None;
            }
            places.push(place);
            last = place;
        }
        let end = places.pop()?;
        Some(Self { index: Index { places, end_offset: end.offset, kind }, end, is_cut })
    }

    /// Whether the frames of a stream are where the index has them, as far as a look at some shows, and end at `end`, if that is
    /// known by other means.
    pub(super) fn fits(
        &self,
        format: &Format,
        bytes: &[u8],
        frames_offset: usize,
        end: Option<&Place>,
    ) -> bool {
        let Index { places, kind, .. } = &self.index;
        let is_surveyed = *kind == IndexKind::Surveyed;
        if is_surveyed != end.is_some()
            || end.is_some_and(|end| *end != self.end)
            || places.first() != Some(&Place::start(frames_offset))
            || self.end.offset > bytes.len()
        {
            return false;
        }
        let is_there = |number: usize| {
            let Some(place) = places.get(number) else { return false };
            let Some((_, frame)) = format.frame_at(bytes, place.offset) else { return false };
            let Some(origin) = place.origin_of(&frame, !is_surveyed) else { return false };
            if *kind != IndexKind::Complete {
                return true;
            }
            let next = places.get(number + 1).unwrap_or(&self.end);
            place.after(&frame, origin, next.offset).first == next.first
        };
        let last = places.len() - 1;
        let step = (last / NUM_SAMPLES).max(1);
        (0..last).step_by(step).chain([last]).all(is_there)
    }
}
