//! The decoders of files that were opened lately, and their indices. A file that is opened for each of many windows is not put to
//! all plugins again, and its decoder need not scan it again.

#![forbid(unsafe_code)]

use std::sync::Arc;

use mapwave_fork::Lock;

use crate::host::registry::Snapshot;
use crate::host::table::decoder::DecoderKind;
use crate::source::Identity;

/// How many files are remembered, and how many bytes of their indices.
const NUM_REMEMBERED: usize = 64;
const MAX_INDEX_BYTES: usize = 32 << 20;

struct Remembered {
    identity: Identity,
    /// The sound track: another may be of a codec that another plugin decodes.
    track: Option<u32>,
    /// A plugin that is loaded later may report a higher score.
    snapshot: &'static Snapshot,
    known: Known,
}

/// What is known of a track.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) kind: DecoderKind,
    /// What its decoder saves of it, possibly nothing; `None` if it was not asked yet.
    pub(super) index: Option<Option<Arc<[u8]>>>,
}

impl Remembered {
    fn index_bytes(&self) -> usize {
        self.known.index.as_ref().and_then(Option::as_deref).map_or(0, <[u8]>::len)
    }

    fn is(&self, identity: &Identity, track: Option<u32>) -> bool {
        self.track == track && self.identity == *identity
    }
}

/// The most recently opened file is last. Nobody waits for this lock: without it, all plugins are asked.
static REMEMBERED: Lock<Vec<Remembered>> = Lock::new();

/// The decoder that opened this track of exactly this file, if it is remembered and may still be called, and its index.
pub(super) fn recall(identity: &Identity, track: Option<u32>, snapshot: &'static Snapshot) -> Option<Known> {
    let mut remembered = REMEMBERED.try_lock()?;
    let place = remembered.iter().rposition(|file| file.is(identity, track))?;
    // The files that are used again and again stay.
    if let Some(behind) = remembered.get_mut(place..).filter(|behind| behind.len() > NUM_REMEMBERED / 2) {
        behind.rotate_left(1);
    }
    let file = remembered.iter().rev().find(|file| file.is(identity, track))?;
    let is_valid = std::ptr::eq(file.snapshot, snapshot) && file.known.kind.standing().check().is_ok();
    is_valid.then(|| file.known.clone())
}

/// Remembers the decoder that opened a track of a file without the failure of another.
pub(super) fn note(identity: Identity, track: Option<u32>, snapshot: &'static Snapshot, kind: DecoderKind) {
    let Some(mut remembered) = REMEMBERED.try_lock() else { return };
    remembered.retain(|file| !file.is(&identity, track));
    if remembered.len() >= NUM_REMEMBERED {
        remembered.remove(0);
    }
    remembered.push(Remembered { identity, track, snapshot, known: Known { kind, index: None } });
}

/// Remembers the index of a file that was opened again.
pub(super) fn note_index(identity: &Identity, track: Option<u32>, index: Option<Arc<[u8]>>) {
    let Some(mut remembered) = REMEMBERED.try_lock() else { return };
    let Some(place) = remembered.iter().rposition(|file| file.is(identity, track)) else { return };
    if let Some(file) = remembered.get_mut(place) {
        file.known.index = Some(index);
    }
    let mut num_bytes: usize = remembered.iter().map(Remembered::index_bytes).sum();
    for file in remembered.iter_mut().filter(|file| !file.is(identity, track)) {
        if num_bytes <= MAX_INDEX_BYTES {
            break;
        }
        num_bytes -= file.index_bytes();
        file.known.index = None;
    }
}
