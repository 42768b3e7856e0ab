//! Opens regular files, and no others.

#![forbid(unsafe_code)]

use std::fs::{File, FileType, Metadata};
use std::io;
use std::path::Path;

use crate::error::{Error, Result};
use crate::files;

/// Opens a regular file.
///
/// # Errors
/// [`Error::Io`] if the file is missing, not readable, a directory, a FIFO, a device or a socket; a FIFO does not block.
pub(super) fn open(path: &Path) -> Result<(File, Metadata)> {
    described(files::open_without_waiting(path).map_err(|cause| Error::io("opening", cause))?)
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
    if kind.is_dir() {
        return files::is_directory();
    }
    let what = files::special_kind(kind).unwrap_or("not a regular file");
    let what =
        format!("it is {what}, and only regular files can be mapped; read it into bytes and pass those");
    io::Error::new(io::ErrorKind::InvalidInput, what)
}
