//! Files of a POSIX system.

#![forbid(unsafe_code)]

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::fs::{File, FileType, Metadata, OpenOptions};
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::state::FileState;

#[inline]
pub(crate) fn read_at(file: &File, out: &mut [u8], offset: u64) -> io::Result<usize> {
    file.read_at(out, offset)
}

#[inline]
pub(crate) fn read_exact_at(file: &File, out: &mut [u8], offset: u64) -> io::Result<()> {
    file.read_exact_at(out, offset)
}

#[inline]
pub(crate) fn read_exact_uninit_at(file: &File, out: &mut [MaybeUninit<u8>], offset: u64) -> io::Result<()> {
    let mut filled = 0;
    while let Some(rest) = out.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match rustix::io::pread(file, rest, offset + filled as u64) {
            Ok(([], _)) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok((bytes, _)) => filled += bytes.len(),
            Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

#[inline]
pub(crate) fn write_all_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    file.write_all_at(bytes, offset)
}

/// By `fstat`: the standard library asks for more.
#[inline]
pub(crate) fn len(file: &File) -> io::Result<u64> {
    let status = rustix::fs::fstat(file)?;
    Ok(u64::try_from(status.st_size).unwrap_or(0))
}

#[inline]
pub(crate) fn state(metadata: &Metadata) -> Option<FileState> {
    Some(FileState {
        place: (metadata.dev(), metadata.ino()),
        len: metadata.len(),
        modified: (metadata.mtime(), metadata.mtime_nsec()),
        changed: (metadata.ctime(), metadata.ctime_nsec()),
    })
}

pub(crate) fn open_without_waiting(path: &Path) -> io::Result<File> {
    // O_NONBLOCK keeps a FIFO without a writer from blocking and has no effect on a regular file.
    let flags = libc::O_NONBLOCK | libc::O_NOCTTY;
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

#[cfg(target_os = "linux")]
pub(crate) fn open_nameless(directory: &Path) -> Option<File> {
    private().custom_flags(libc::O_TMPFILE).open(directory).ok()
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn open_nameless(_: &Path) -> Option<File> {
    None
}

pub(crate) fn create_short_lived(path: &Path) -> io::Result<File> {
    let file = private().create_new(true).open(path)?;
    std::fs::remove_file(path).map(|()| file)
}

/// For a file that nobody else may open.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    options
}

pub(crate) fn special_kind(kind: FileType) -> Option<&'static str> {
    match kind {
        _ if kind.is_fifo() => Some("a FIFO"),
        _ if kind.is_socket() => Some("a socket"),
        _ if kind.is_char_device() || kind.is_block_device() => Some("a device"),
        _ => None,
    }
}

pub(crate) fn is_directory() -> io::Error {
    io::Error::from_raw_os_error(libc::EISDIR)
}

pub(crate) fn too_many_links() -> io::Error {
    io::Error::from_raw_os_error(libc::ELOOP)
}

/// The name of a member can be longer than that of a file.
pub(crate) fn leads_nowhere(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidFilename
    )
}

/// A name is bytes.
pub(crate) fn name_of_bytes(bytes: Vec<u8>) -> OsString {
    OsString::from_vec(bytes)
}

pub(crate) fn splits(path: &Path) -> impl Iterator<Item = (PathBuf, OsString)> {
    let bytes = path.as_os_str().as_bytes();
    let marks = bytes.windows(2).zip(0..).filter(|(mark, _)| *mark == b"::").map(|(_, place)| place);
    let parts = marks.filter_map(|place: usize| Some((bytes.get(..place)?, bytes.get(place + 2..)?)));
    parts.map(|(front, behind)| {
        (PathBuf::from(OsStr::from_bytes(front)), OsStr::from_bytes(behind).to_owned())
    })
}

pub(crate) fn shortened(name: &OsStr, max_bytes: usize) -> Cow<'_, OsStr> {
    let bytes = name.as_bytes();
    Cow::Borrowed(OsStr::from_bytes(bytes.get(..max_bytes).unwrap_or(bytes)))
}
