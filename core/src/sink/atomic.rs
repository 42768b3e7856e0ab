//! Atomic replacement of a file by a complete new one.

#![forbid(unsafe_code)]

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use mapwave_fork::generation;

use super::interrupt::Interrupt;
use super::replaced::{self, Replaced};
use crate::error::{Error, Result};
use crate::files;
use crate::host::ByteSink;
use crate::source::{Access, Source};

/// The suffix of the name of an incomplete file. Such a file remains only if the process is killed.
const ENDING: &str = ".mapwave-tmp";

/// The maximum number of bytes of the target's name in the temporary name, which must not exceed 255.
const MAX_STEM_BYTES: usize = 180;

/// The maximum number of symbolic links that are followed, as in Linux.
const MAX_LINKS: u32 = 40;

/// A new file next to its target. The target does not change before [`commit`](Self::commit). If the value is dropped before that,
/// the new file is removed.
#[derive(Debug)]
pub(super) struct AtomicFile {
    file: Arc<Growing>,
    temporary: PathBuf,
    target: PathBuf,
    is_committed: bool,
    /// A forked child has a copy of this value but does not own the file.
    generation: u32,
}

impl AtomicFile {
    /// Creates the file next to `path`, or next to the target of the link `path`, with the mode of an existing file.
    ///
    /// # Errors
    /// [`Error::Io`] if the directory does not exist or is not writable, or if `path` exists and is not a regular file or not
    /// writable.
    pub(super) fn create(path: &Path) -> Result<Self> {
        Self::create_beside(path).map_err(|cause| Error::io("saving", cause).in_file(path))
    }

    fn create_beside(path: &Path) -> io::Result<Self> {
        let target = resolved(path)?;
        let Some(name) = target.file_name() else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the path does not end in a file name"));
        };
        let existing = match fs::metadata(&target) {
            Ok(metadata) => Some(replaceable(&target, metadata)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        // Nobody else may read a file that takes the place of a private one, not even until it has its mode.
        let (file, temporary) = create_new(&target, name, existing.is_some())?;
        let file = Arc::new(Growing::new(file, existing.is_some()));
        let this = Self { file, temporary, target, is_committed: false, generation: generation() };
        if let Some(existing) = existing {
            existing.give_to(&this.target, &this.file.file)?;
        }
        Ok(this)
    }

    /// Where to write the file's bytes.
    pub(super) fn output(&self) -> Box<dyn ByteSink> {
        Box::new(FileOutput(Arc::clone(&self.file)))
    }

    /// The file as it is now, by the name of its target. It is read once from front to back, and what was read takes no memory.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be opened.
    pub(super) fn to_source(&self) -> Result<Source> {
        self.file.settle().map_err(|cause| Error::io("writing", cause))?;
        Ok(Source::open(&self.temporary, Access::Streamed)?.with_name(&self.target))
    }

    /// Replaces the target with the file. If `is_durable`, flushes the file's bytes to the disk before, and its name after.
    ///
    /// # Errors
    /// [`Error::Io`]; the target is unchanged then. [`Error::NotDurable`] if only the flush of the name failed.
    pub(super) fn commit(mut self, is_durable: bool, stop: Interrupt<'_>) -> Result<()> {
        if stop() {
            return Err(Error::Interrupted);
        }
        if self.generation != generation() {
            return Err(Error::writer_of_parent());
        }
        self.file.settle().map_err(|cause| Error::io("writing", cause))?;
        // All that can fail comes before the target changes, as far as possible.
        let mut directory = None;
        if is_durable {
            self.file.file.sync_all().map_err(|cause| Error::io("writing to the disk", cause))?;
            let opened = replaced::open_directory(directory_of(&self.target));
            let opened = opened.map_err(|cause| Error::io("opening the directory to flush it", cause))?;
            sync(&opened).map_err(|cause| Error::io("writing the directory to the disk", cause))?;
            directory = Some(opened);
        }
        fs::rename(&self.temporary, &self.target).map_err(|cause| Error::io("replacing", cause))?;
        self.is_committed = true;
        match directory {
            Some(directory) => sync(&directory).map_err(|cause| Error::NotDurable { path: None, cause }),
            None => Ok(()),
        }
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if !self.is_committed && self.generation == generation() {
            // The error cannot be reported, and there is nothing else to try.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

struct FileOutput(Arc<Growing>);

impl ByteSink for FileOutput {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let end = offset.saturating_add(bytes.len() as u64);
        self.0.reserve(end);
        files::write_all_at(&self.0.file, bytes, offset)?;
        self.0.end.fetch_max(end, Ordering::Relaxed);
        Ok(())
    }
}

/// A file whose blocks are reserved before they are written if it is to replace another file.
///
/// ext4 treats a rename over a file as a request to flush the new file, and waits for all its blocks that are not allocated yet
/// (`auto_da_alloc`): 90 of 120 ms for 69 MB. A caller that wants the flush requests `fsync`; for all others, allocated blocks
/// avoid the wait.
#[derive(Debug)]
struct Growing {
    file: File,
    /// The end of the bytes written.
    end: AtomicU64,
    /// The end of the reserved blocks; the maximum if no more are to be reserved.
    reserved: AtomicU64,
    reserves: bool,
}

impl Growing {
    fn new(file: File, replaces: bool) -> Self {
        let reserves = replaces && replaced::RESERVES;
        let reserved = if reserves { 0 } else { u64::MAX };
        Self { file, end: AtomicU64::new(0), reserved: AtomicU64::new(reserved), reserves }
    }

    /// Reserves blocks up to `end` and beyond, if the file system supports it. If the disk is full, the write reports it.
    fn reserve(&self, end: u64) {
        let reserved = self.reserved.load(Ordering::Relaxed);
        if end <= reserved {
            return;
        }
        // Twice as much each time, and only a little for a small file.
        let length = (end - reserved).max(reserved).next_multiple_of(1 << 16);
        let next = if replaced::reserve(&self.file, reserved, length) { reserved + length } else { u64::MAX };
        self.reserved.store(next, Ordering::Relaxed);
    }

    /// Releases the blocks reserved beyond the end.
    fn settle(&self) -> io::Result<()> {
        match self.reserves {
            true => self.file.set_len(self.end.load(Ordering::Relaxed)),
            false => Ok(()),
        }
    }
}

/// The file that a path leads to, which may not exist: a link is kept, and its target is replaced.
fn resolved(path: &Path) -> io::Result<PathBuf> {
    let mut target = path.to_path_buf();
    for _ in 0..MAX_LINKS {
        match fs::read_link(&target) {
            Ok(link) => target = directory_of(&target).join(link),
            Err(_) => return Ok(target),
        }
    }
    Err(files::too_many_links())
}

/// Flushes a directory to the disk, which not every file system supports.
fn sync(directory: &File) -> io::Result<()> {
    directory.sync_all().or_else(|error| match error.kind() {
        io::ErrorKind::InvalidInput => Ok(()),
        _ => Err(error),
    })
}

fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Rejects a target that must not be replaced: anything but a regular file, and a file that the user may not write.
fn replaceable(target: &Path, metadata: Metadata) -> io::Result<Replaced> {
    let kind = metadata.file_type();
    if kind.is_file() {
        return Replaced::new(target, metadata);
    }
    if kind.is_dir() {
        return Err(files::is_directory());
    }
    let what = files::special_kind(kind).unwrap_or("a device");
    let what = format!(
        "the path is {what}, and only a regular file can be replaced; pass an open file to write there"
    );
    Err(io::Error::new(io::ErrorKind::InvalidInput, what))
}

/// A new file, private or not, whose name states its purpose and the process.
fn create_new(target: &Path, name: &OsStr, is_private: bool) -> io::Result<(File, PathBuf)> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let stem = files::shortened(name, MAX_STEM_BYTES);
    loop {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let mut name = OsString::from(".");
        name.push(&stem);
        name.push(format!(".{}-{number}{ENDING}", std::process::id()));
        let path = directory_of(target).join(name);
        match replaced::create_new(&path, is_private) {
            Ok(file) => return Ok((file, path)),
            // Left by a killed process with the same number, or belonging to a process in another namespace.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    fn write(path: &Path, bytes: &[u8], is_durable: bool) {
        let file = AtomicFile::create(path).unwrap();
        file.output().write_at(0, bytes).unwrap();
        file.commit(is_durable, &|| false).unwrap();
    }

    #[test]
    fn the_target_is_replaced_only_at_the_end_and_keeps_its_mode() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.wav");
        write(&path, b"first", true);
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let file = AtomicFile::create(&path).unwrap();
        file.output().write_at(0, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert!(
            names(directory.path()).iter().any(|name| name.starts_with(".a.wav.") && name.ends_with(ENDING))
        );
        file.commit(false, &|| false).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o640);
        assert_eq!(names(directory.path()), ["a.wav"]);
    }

    #[test]
    fn what_is_given_up_leaves_nothing_behind() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.wav");
        write(&path, b"old", false);
        let file = AtomicFile::create(&path).unwrap();
        file.output().write_at(0, b"new").unwrap();
        drop(file);
        let file = AtomicFile::create(&path).unwrap();
        assert!(matches!(file.commit(false, &|| true), Err(Error::Interrupted)));
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(directory.path()), ["a.wav"]);
    }

    #[test]
    fn a_link_stays_and_what_it_points_to_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let (real, link) = (directory.path().join("real.wav"), directory.path().join("link.wav"));
        std::os::unix::fs::symlink("real.wav", &link).unwrap();
        write(&link, b"dangling", false);
        assert_eq!(fs::read(&real).unwrap(), b"dangling");
        write(&link, b"again", false);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&real).unwrap(), b"again");
        let looped = directory.path().join("loop.wav");
        std::os::unix::fs::symlink("loop.wav", &looped).unwrap();
        assert!(AtomicFile::create(&looped).unwrap_err().to_string().contains("loop.wav"));
    }

    #[test]
    fn only_regular_files_are_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let fifo = directory.path().join("fifo.wav");
        assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        let message = |path: &Path| AtomicFile::create(path).unwrap_err().to_string();
        assert!(message(&fifo).contains("a FIFO"));
        assert!(message(directory.path()).contains("directory"));
        assert!(message(&directory.path().join("none/x.wav")).contains("No such file"));
        assert!(message(Path::new("/")).contains("saving"));
        assert_eq!(names(directory.path()), ["fifo.wav"]);
    }

    #[test]
    fn long_names_have_temporary_ones_that_fit() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(format!("{}.wav", "n".repeat(250)));
        write(&path, b"x", false);
        assert_eq!(fs::read(&path).unwrap(), b"x");
    }
}
