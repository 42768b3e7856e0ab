//! Compressed files that stay open because windows of them are read again and again by path.
//!
//! A decoder's index alone does not make a window by path as cheap as one by a reader that is open: to trust it takes looks at the
//! file, FFmpeg reads the file's headers once more, and a new decoder has tables to build. So after the second window of the same
//! file its decoder stays, with its map; every opening still proves that the file exists, is readable and has not changed. A file that
//! was written a moment ago is not kept: another change might have the same time stamp.

#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use mapwave_fork::{Lock, SetOnce};

use crate::decode::CompressedTrack;
use crate::host;
use crate::source::{Identity, Source};
use crate::track::Track;

/// How many files stay open, each with a descriptor and a map.
const MOST_OPEN: usize = 64;

/// How many times longer than the window a file must be.
const MIN_PART: u64 = 4;

/// If set to 0, nothing is kept: a map keeps the space of a deleted file allocated and its file system busy.
const VARIABLE: &str = "MAPWAVE_KEEP_MAPS";

/// An open file.
#[derive(Clone, Debug)]
pub(crate) struct OpenFile {
    // Declared before the source, so that a plugin's handles are closed while its bytes still exist.
    pub(crate) compressed: Arc<CompressedTrack>,
    pub(crate) track: Track,
    pub(crate) source: Arc<Source>,
}

/// What a file is known by: exactly these bytes, under this name, which errors state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    identity: Identity,
    path: PathBuf,
    /// The sound track.
    track: Option<u32>,
    /// The plugins that were asked: one that is loaded later may read the file instead.
    plugins: usize,
}

impl Key {
    /// `None` if such a file is never kept.
    pub(crate) fn new(source: &Source, track: Option<u32>) -> Option<Self> {
        let (identity, path) = (source.identity()?, source.path().map(Path::to_owned)?);
        (!source.is_streamed()).then(|| Self { identity, path, track, plugins: host::loaded_plugins() })
    }

    fn is_of(&self, source: &Source, track: Option<u32>) -> bool {
        source.identity().as_ref() == Some(&self.identity)
            && source.path() == Some(&self.path)
            && self.track == track
            && self.plugins == host::loaded_plugins()
            && !source.is_streamed()
    }
}

struct Remembered {
    key: Arc<Key>,
    /// `None` after the first window.
    file: Option<OpenFile>,
}

/// The most recently used file is last. Nobody waits for this lock: without it, a file is opened again.
static REMEMBERED: Lock<Vec<Remembered>> = Lock::new();

/// The open file of a source that was just opened, and its key.
pub(crate) fn recall(source: &Source, track: Option<u32>) -> Option<(Arc<Key>, OpenFile)> {
    let mut remembered = REMEMBERED.try_lock()?;
    let place = remembered.iter().rposition(|file| file.file.is_some() && file.key.is_of(source, track))?;
    remembered.get_mut(place..)?.rotate_left(1);
    let Remembered { key, file } = remembered.last()?;
    Some((Arc::clone(key), file.clone()?))
}

/// Remembers that a window of `part` of a file's `whole` was read, and keeps the file open if that happened before.
pub(crate) fn note(key: &Arc<Key>, part: u64, whole: u64, file: impl FnOnce() -> OpenFile) {
    static ENABLED: SetOnce<bool> = SetOnce::new();
    let is_enabled = ENABLED.get_or_init(|| std::env::var_os(VARIABLE).is_none_or(|value| value != "0"));
    if part.saturating_mul(MIN_PART) > whole || !is_enabled || !key.identity.is_settled() {
        return;
    }
    let Some(mut remembered) = REMEMBERED.try_lock() else { return };
    let place = remembered.iter().rposition(|file| *file.key == **key);
    let forgotten = match place.and_then(|place| remembered.get_mut(place)) {
        Some(Remembered { file: Some(_), .. }) => None,
        Some(Remembered { file: known, .. }) => {
            *known = Some(file());
            None
        }
        None => {
            // An older version of the file at this path is not read any more.
            let outdated = |file: &Remembered| file.key.path == key.path && file.key.track == key.track;
            let outdated = remembered.iter().position(outdated);
            let first = outdated.or((remembered.len() >= MOST_OPEN).then_some(0));
            let forgotten = first.map(|place| remembered.remove(place));
            remembered.push(Remembered { key: Arc::clone(key), file: None });
            forgotten
        }
    };
    drop(remembered);
    // Closing calls a plugin, which may take its time.
    drop(forgotten);
}
