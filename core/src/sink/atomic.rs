//! A file that takes the place of another at once, when it is whole.

#![forbid(unsafe_code)]

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::Access;

use super::interrupt::Interrupt;
use crate::error::{Error, Result};
use crate::host::ByteSink;

/// The ending of the name of a file that is not whole yet. It stays behind only when the process is killed.
const ENDING: &str = ".mapwave-tmp";

/// The most bytes of the target's name that go into the temporary one, which must not pass 255.
const MAX_STEM_BYTES: usize = 180;

/// The most symbolic links that are followed, as by Linux.
const MAX_LINKS: u32 = 40;

/// A new file beside its target. Until [`commit`](Self::commit) the target is as it was; dropped before, it leaves nothing
/// behind.
#[derive(Debug)]
pub(super) struct AtomicFile {
    file: Arc<Growing>,
    temporary: PathBuf,
    target: PathBuf,
    is_committed: bool,
    /// A forked child has a copy of this value but not the file's ownership.
    process: u32,
}

impl AtomicFile {
    /// Creates the file beside `path`, or beside what `path` links to, with the mode of what is there.
    ///
    /// # Errors
    /// [`Error::Io`] when there is no such directory, when nothing may be written there, or when something is there that is
    /// no regular file or may not be written to.
    pub(super) fn create(path: &Path) -> Result<Self> {
        Self::create_beside(path).map_err(|cause| Error::io("saving", cause).in_file(path))
    }

    fn create_beside(path: &Path) -> io::Result<Self> {
        let target = resolved(path)?;
        let Some(name) = target.file_name() else {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the path does not end in a file's name",
            ));
        };
        let existing = match fs::metadata(&target) {
            Ok(metadata) => Some(replaceable(&target, metadata)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let (file, temporary) = create_new(&target, name)?;
        let file = Arc::new(Growing::new(file, existing.is_some()));
        let this = Self { file, temporary, target, is_committed: false, process: std::process::id() };
        if let Some(existing) = existing {
            let file = &this.file.file;
            file.set_permissions(Permissions::from_mode(existing.mode() & 0o7777))?;
            let own = file.metadata()?;
            if (own.uid(), own.gid()) != (existing.uid(), existing.gid()) {
                // Only root gives files away; for everybody else the new file is the writer's own.
                let _ = std::os::unix::fs::fchown(file, Some(existing.uid()), Some(existing.gid()));
            }
        }
        Ok(this)
    }

    /// Where the file's bytes go.
    pub(super) fn output(&self) -> Box<dyn ByteSink> {
        Box::new(FileOutput(Arc::clone(&self.file)))
    }

    /// Puts the file in its target's place; when `is_durable`, after its bytes have reached the disk, and before its name has.
    ///
    /// # Errors
    /// [`Error::Io`]; the target is as it was then, but for a directory that could not be written to the disk at the end.
    pub(super) fn commit(mut self, is_durable: bool, stop: Interrupt<'_>) -> Result<()> {
        if stop() {
            return Err(Error::Interrupted);
        }
        self.file.settle().map_err(|cause| Error::io("writing", cause))?;
        if is_durable {
            self.file.file.sync_all().map_err(|cause| Error::io("writing to the disk", cause))?;
        }
        fs::rename(&self.temporary, &self.target).map_err(|cause| Error::io("replacing", cause))?;
        self.is_committed = true;
        if is_durable {
            let directory = directory_of(&self.target);
            let synced = File::open(directory).and_then(|directory| directory.sync_all());
            match synced {
                // Not every file system can.
                Err(error) if error.kind() != io::ErrorKind::InvalidInput => {
                    return Err(Error::io("writing the directory to the disk", error));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if !self.is_committed && self.process == std::process::id() {
            // There is nobody to tell, and nothing else to try.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

struct FileOutput(Arc<Growing>);

impl ByteSink for FileOutput {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let end = offset.saturating_add(bytes.len() as u64);
        self.0.reserve(end);
        self.0.file.write_all_at(bytes, offset)?;
        self.0.end.fetch_max(end, Ordering::Relaxed);
        Ok(())
    }
}

/// A file whose blocks are reserved before they are written, when it is to replace another.
///
/// ext4 takes a rename over a file for the wish to have the new one on the disk and waits for all its blocks whose place
/// was not chosen yet (`auto_da_alloc`): 90 of 120 ms for 69 MB. Whoever has that wish says so, and `fsync` follows; where
/// nobody has, blocks that have their place spare the wait.
#[derive(Debug)]
struct Growing {
    file: File,
    /// Where the last byte was written.
    end: AtomicU64,
    /// How far blocks are reserved; all there is when no more shall be.
    #[cfg_attr(not(target_os = "linux"), allow(dead_code))] // blocks are reserved on Linux alone
    reserved: AtomicU64,
    reserves: bool,
}

impl Growing {
    fn new(file: File, replaces: bool) -> Self {
        let reserves = replaces && cfg!(target_os = "linux");
        let reserved = if reserves { 0 } else { u64::MAX };
        Self { file, end: AtomicU64::new(0), reserved: AtomicU64::new(reserved), reserves }
    }

    /// Reserves blocks up to `end` and beyond, where the file system can. Where it has no room left, the write says so.
    fn reserve(&self, end: u64) {
        #[cfg(target_os = "linux")]
        {
            let reserved = self.reserved.load(Ordering::Relaxed);
            if end <= reserved {
                return;
            }
            // Twice as much each time, and little for a small file.
            let length = (end - reserved).max(reserved).next_multiple_of(1 << 16);
            let keeps_size = rustix::fs::FallocateFlags::KEEP_SIZE;
            let next = match rustix::fs::fallocate(&self.file, keeps_size, reserved, length) {
                Ok(()) => reserved + length,
                Err(_) => u64::MAX,
            };
            self.reserved.store(next, Ordering::Relaxed);
        }
        #[cfg(not(target_os = "linux"))]
        let _ = end;
    }

    /// Gives back what was reserved beyond the end.
    fn settle(&self) -> io::Result<()> {
        match self.reserves {
            true => self.file.set_len(self.end.load(Ordering::Relaxed)),
            false => Ok(()),
        }
    }
}

/// The file that a path leads to, which need not be there: a link is kept, and what it points to is replaced.
fn resolved(path: &Path) -> io::Result<PathBuf> {
    let mut target = path.to_path_buf();
    for _ in 0..MAX_LINKS {
        match fs::read_link(&target) {
            Ok(link) => target = directory_of(&target).join(link),
            Err(_) => return Ok(target),
        }
    }
    Err(io::Error::from_raw_os_error(libc::ELOOP))
}

fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Refuses what must not be replaced: anything but a regular file, and a file that its user may not write to.
fn replaceable(target: &Path, metadata: Metadata) -> io::Result<Metadata> {
    let kind = metadata.file_type();
    let what = match kind {
        _ if kind.is_file() => {
            rustix::fs::access(target, Access::WRITE_OK)?;
            return Ok(metadata);
        }
        _ if kind.is_dir() => return Err(io::Error::from_raw_os_error(libc::EISDIR)),
        _ if kind.is_fifo() => "a FIFO",
        _ if kind.is_socket() => "a socket",
        _ => "a device",
    };
    let what =
        format!("there is {what}, and only a regular file is replaced; pass a file object to write there");
    Err(io::Error::new(io::ErrorKind::InvalidInput, what))
}

/// A new file of a name that says what it is and whose.
fn create_new(target: &Path, name: &OsStr) -> io::Result<(File, PathBuf)> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let bytes = name.as_bytes();
    let stem = OsStr::from_bytes(bytes.get(..MAX_STEM_BYTES).unwrap_or(bytes));
    loop {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let mut name = OsString::from(".");
        name.push(stem);
        name.push(format!(".{}-{number}{ENDING}", std::process::id()));
        let path = directory_of(target).join(name);
        // The mode is what the user's umask leaves of it.
        match OpenOptions::new().write(true).create_new(true).mode(0o666).open(&path) {
            Ok(file) => return Ok((file, path)),
            // Left behind by a process of the same number that was killed, or another's in a namespace of its own.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
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
