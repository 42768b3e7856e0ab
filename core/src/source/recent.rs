//! The maps of files that are read repeatedly by path.
//!
//! A file that is opened for each of many short windows is opened again every time, which proves that it still exists, is
//! readable and has not changed. From the third window on, the map of the same file is reused, as if the file had been kept
//! open. A few maps of the most recently used files are kept, but none of a file that is read once or as a whole.

#![forbid(unsafe_code)]

use std::fs::{File, Metadata};
use std::ops::Range;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use mapwave_fork::{Lock, SetOnce};

use super::Mapped;
use crate::files::{self, FileState};

/// How many files are remembered.
const NUM_REMEMBERED: usize = 4;

/// The coarsest time stamps, in seconds: those of FAT.
const COARSEST_SECONDS: i64 = 2;

/// If set to 0, nothing is remembered: a map keeps the space of a deleted file allocated and its file system busy.
const VARIABLE: &str = "MAPWAVE_KEEP_MAPS";

/// What identifies a file with unchanged contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The device and the number that the file has there.
    place: (u64, u64),
    /// Where it begins in the file of an archive that it is a member of; 0 for a file of its own.
    start: u64,
    len: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Identity {
    /// `None` where the system does not tell enough of a file.
    pub(crate) fn new(metadata: &Metadata) -> Option<Self> {
        let FileState { place, len, modified, changed } = files::state(metadata)?;
        Some(Self { place, start: 0, len, modified, changed })
    }

    /// That of a part of the file.
    pub(super) fn of_part(self, bytes: &Range<u64>) -> Self {
        Self { start: bytes.start, len: bytes.end.saturating_sub(bytes.start), ..self }
    }

    /// Whether a later change must show: time stamps can be as coarse as the clock of the file system.
    pub(crate) fn is_settled(&self) -> bool {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        i64::try_from(now).unwrap_or(0).saturating_sub(self.changed.0) > COARSEST_SECONDS
    }

    /// Whether it is the same file with the same contents, whatever has happened to its name and permissions.
    pub(crate) fn has_contents_of(&self, other: &Self) -> bool {
        Self { changed: other.changed, ..*self } == *other
    }
}

struct Remembered {
    identity: Identity,
    map: Option<Arc<Mapped>>,
}

/// The most recently used file is last. Nobody waits for this lock: a file that is not remembered is just read in another way.
static REMEMBERED: Lock<Vec<Remembered>> = Lock::new();

/// The map of exactly this file, if it is kept.
pub(super) fn recall(identity: &Identity) -> Option<Arc<Mapped>> {
    let mut remembered = REMEMBERED.try_lock()?;
    let index = remembered.iter().position(|file| file.identity == *identity)?;
    if let Some(tail) = remembered.get_mut(index..) {
        tail.rotate_left(1);
    }
    remembered.last()?.map.clone().filter(|map| !map.is_damaged())
}

/// Remembers that a part of this file was read, and maps the file if that happened before.
pub(super) fn note(identity: Identity, file: &File) {
    static ENABLED: SetOnce<bool> = SetOnce::new();
    if !ENABLED.get_or_init(|| std::env::var_os(VARIABLE).is_none_or(|value| value != "0")) {
        return;
    }
    let Some(mut remembered) = REMEMBERED.try_lock() else { return };
    let same = |file: &Remembered| file.identity.place == identity.place;
    let before = remembered.iter().position(same).map(|index| remembered.remove(index));
    let again = before.is_some_and(|file| file.identity == identity);
    let map = if again { Mapped::new(file, 0, identity.len) } else { None };
    remembered.push(Remembered { identity, map });
    if remembered.len() > NUM_REMEMBERED {
        remembered.remove(0);
    }
}
