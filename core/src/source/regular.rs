//! Opens regular files, and no others.

#![forbid(unsafe_code)]

use std::fs::{File, FileType, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use crate::error::{Error, Result};

/// Opens a regular file.
///
/// # Errors
/// [`Error::Io`] if the file is missing, not readable, a directory, a FIFO, a device or a socket; a FIFO does not block.
pub(super) fn open(path: &Path) -> Result<(File, Metadata)> {
    // O_NONBLOCK keeps a FIFO without a writer from blocking and has no effect on a regular file.
    let flags = libc::O_NONBLOCK | libc::O_NOCTTY;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path);
    described(file.map_err(|cause| Error::io("opening", cause))?)
}

/// A file that is open, if it is a regular one.
///
/// # Errors
/// As [`open`].
pub(super) fn described(file: File) -> Result<(File, Metadata)> {
    let metadata = file.metadata().map_err(|cause| Error::io("opening", cause))?;
    match metadata.is_file() {
        true => Ok((file, metadata)),
        false => Err(Error::io("opening", not_regular(metadata.file_type()))),
    }
}

/// The error for something that is not a regular file.
fn not_regular(kind: FileType) -> io::Error {
    let what = match kind {
        _ if kind.is_dir() => return io::Error::from_raw_os_error(libc::EISDIR),
        _ if kind.is_fifo() => "a FIFO",
        _ if kind.is_socket() => "a socket",
        _ if kind.is_char_device() || kind.is_block_device() => "a device",
        _ => "not a regular file",
    };
    let what =
        format!("it is {what}, and only regular files can be mapped; read it into bytes and pass those");
    io::Error::new(io::ErrorKind::InvalidInput, what)
}
