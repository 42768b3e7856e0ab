//! A plugin library as an open file: what is checked, tried and loaded is one file, whatever its path comes to mean in between.

#![forbid(unsafe_code)]

use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::files::{self, FileState};
use crate::host::loading::system;

/// What the paths of libraries relative to a library's own directory begin with (ld.so(8)).
const ORIGINS: [&[u8]; 2] = [b"$ORIGIN", b"${ORIGIN}"];

const LONGEST_ORIGIN: usize = 9;

/// A library that is open.
#[derive(Clone, Debug)]
pub(crate) struct Pinned {
    file: Arc<File>,
    path: PathBuf,
    state: FileState,
}

impl Pinned {
    /// Opens a library whose path has no links; an error too where the system does not tell whether a file is still the same.
    pub(crate) fn open(path: &Path) -> io::Result<(Self, Metadata)> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        let state = files::state(&metadata).ok_or(io::ErrorKind::Unsupported)?;
        Ok((Self { file: Arc::new(file), path: path.to_path_buf(), state }, metadata))
    }

    /// What it was when it was opened.
    pub(crate) fn key(&self) -> String {
        let FileState { place: (device, inode), len, modified, changed } = self.state;
        format!("{len}\t{}.{:09}\t{}.{:09}\t{device}:{inode}", modified.0, modified.1, changed.0, changed.1)
    }

    /// Whether it is as it was when it was opened.
    pub(crate) fn is_unchanged(&self) -> bool {
        self.file.metadata().is_ok_and(|metadata| self.is_state_of(&metadata))
    }

    /// Whether its path still names it.
    fn is_at_its_path(&self) -> bool {
        std::fs::metadata(&self.path).is_ok_and(|metadata| self.is_state_of(&metadata))
    }

    fn is_state_of(&self, metadata: &Metadata) -> bool {
        files::state(metadata) == Some(self.state)
    }

    /// A path by which the dynamic loader of this process loads this very file; `None` if its own path names another file by now,
    /// and it cannot be named otherwise.
    pub(crate) fn place(&self) -> Option<PathBuf> {
        static NUM_NAMED: AtomicUsize = AtomicUsize::new(0);
        // The loader knows a library by its path, too, and the same number may stand for another file later: slashes tell them
        // apart.
        let slashes = || "/".repeat(1 + NUM_NAMED.fetch_add(1, Ordering::Relaxed) % 4096);
        self.by_descriptor("self", slashes)
    }

    /// The same for another process of this user.
    pub(crate) fn place_elsewhere(&self) -> Option<PathBuf> {
        self.by_descriptor(&std::process::id().to_string(), || "/".to_owned())
    }

    fn by_descriptor(&self, process: &str, slashes: impl FnOnce() -> String) -> Option<PathBuf> {
        let is_it = |place: &PathBuf| {
            let found = File::open(place).and_then(|file| file.metadata());
            found.is_ok_and(|found| self.is_state_of(&found))
        };
        system::by_descriptor(&self.file, process, || (!self.needs_its_directory()).then(slashes))
            .filter(is_it)
            .or_else(|| self.is_at_its_path().then(|| self.path.clone()))
    }

    /// Whether it may ask for libraries relative to its own directory, which the loader takes from the path.
    fn needs_its_directory(&self) -> bool {
        let mut buffer = vec![0; 1 << 16];
        let mut offset = 0;
        loop {
            let Ok(count) = files::read_at(&self.file, &mut buffer, offset) else { return true };
            let bytes = buffer.get(..count).unwrap_or_default();
            let mut places = bytes.iter().zip(0..).filter(|(byte, _)| **byte == b'$').map(|(_, place)| place);
            let is_origin = |place: usize| {
                let rest = bytes.get(place..).unwrap_or_default();
                ORIGINS.iter().any(|origin| rest.starts_with(origin))
            };
            if places.any(is_origin) {
                return true;
            }
            // The next part begins with the end of this one.
            match count.checked_sub(LONGEST_ORIGIN) {
                Some(num_new) if num_new > 0 => offset += num_new as u64,
                _ => return false,
            }
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_is_what_it_was_when_another_takes_its_path() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("plugin.so");
        fs::write(&path, b"first").unwrap();
        let (pinned, metadata) = Pinned::open(&path).unwrap();
        assert_eq!(metadata.len(), 5);
        let other = directory.path().join("other.so");
        fs::write(&other, b"other").unwrap();
        fs::rename(&other, &path).unwrap();
        match (pinned.place(), pinned.place_elsewhere()) {
            (Some(here), Some(there)) => {
                assert!(cfg!(target_os = "linux") && here != path && there != path);
                assert_eq!(fs::read(here).unwrap(), b"first");
                assert_eq!(fs::read(there).unwrap(), b"first");
            }
            places => assert_eq!(places, (None, None)),
        }
    }

    #[test]
    fn a_change_is_noticed_and_a_library_with_neighbours_keeps_its_path() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("plugin.so");
        fs::write(&path, b"\x7fELF $ORIGIN/../lib").unwrap();
        let (pinned, _) = Pinned::open(&path).unwrap();
        assert!(pinned.is_unchanged());
        assert_eq!(pinned.place(), Some(path.clone()));
        fs::write(&path, b"something else").unwrap();
        assert!(!pinned.is_unchanged());
        assert_eq!((pinned.place(), pinned.key() == Pinned::open(&path).unwrap().0.key()), (None, false));
    }
}
