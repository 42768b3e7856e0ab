//! The decoders of files that were opened lately. A file that is opened for each of many windows is not put to all plugins again.

#![forbid(unsafe_code)]

use mapwave_fork::Lock;

use crate::host::registry::Snapshot;
use crate::host::table::decoder::DecoderKind;
use crate::source::Identity;

/// How many files are remembered.
const NUM_REMEMBERED: usize = 16;

struct Remembered {
    identity: Identity,
    /// The sound track: another may be of a codec that another plugin decodes.
    track: Option<u32>,
    /// A plugin that is loaded later may report a higher score.
    snapshot: &'static Snapshot,
    kind: DecoderKind,
}

/// The most recently opened file is last. Nobody waits for this lock: without it, all plugins are asked.
static REMEMBERED: Lock<Vec<Remembered>> = Lock::new();

/// The decoder that opened this track of exactly this file, if it is remembered and may still be called.
pub(super) fn recall(
    identity: &Identity,
    track: Option<u32>,
    snapshot: &'static Snapshot,
) -> Option<DecoderKind> {
    let remembered = REMEMBERED.try_lock()?;
    let file = remembered.iter().rev().find(|file| file.track == track && file.identity == *identity)?;
    let is_valid = std::ptr::eq(file.snapshot, snapshot) && file.kind.standing().check().is_ok();
    is_valid.then_some(file.kind)
}

/// Remembers the decoder that opened a track of a file without the failure of another.
pub(super) fn note(identity: Identity, track: Option<u32>, snapshot: &'static Snapshot, kind: DecoderKind) {
    let Some(mut remembered) = REMEMBERED.try_lock() else { return };
    remembered.retain(|file| file.track != track || file.identity != identity);
    if remembered.len() >= NUM_REMEMBERED {
        remembered.remove(0);
    }
    remembered.push(Remembered { identity, track, snapshot, kind });
}
