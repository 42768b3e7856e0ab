//! Files of Windows, the one system that is not POSIX for which the core compiles.

#![forbid(unsafe_code)]

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::fs::{File, FileType, Metadata, OpenOptions};
use std::io;
use std::mem::MaybeUninit;
use std::os::windows::ffi::{OsStrExt, OsStringExt};
use std::os::windows::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::state::FileState;

/// Flags of CreateFileW for a file that goes with its last handle and stays in memory if it can.
const FILE_ATTRIBUTE_TEMPORARY: u32 = 0x100;
const FILE_FLAG_DELETE_ON_CLOSE: u32 = 0x0400_0000;

/// How many bytes are read at once into memory that has no value yet.
const PIECE_BYTES: usize = 1 << 16;

/// Moves the position of the file too, on which nothing here depends.
pub(crate) fn read_at(file: &File, out: &mut [u8], offset: u64) -> io::Result<usize> {
    file.seek_read(out, offset)
}

pub(crate) fn read_exact_at(file: &File, mut out: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !out.is_empty() {
        let count = match file.seek_read(out, offset) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        out = out.get_mut(count..).unwrap_or_default();
        offset += count as u64;
    }
    Ok(())
}

/// The standard library reads into initialised memory alone, so that every piece is copied.
pub(crate) fn read_exact_uninit_at(
    file: &File,
    out: &mut [MaybeUninit<u8>],
    mut offset: u64,
) -> io::Result<()> {
    let mut bytes = vec![0; out.len().min(PIECE_BYTES)];
    for part in out.chunks_mut(PIECE_BYTES) {
        let bytes = bytes.get_mut(..part.len()).unwrap_or_default();
        read_exact_at(file, bytes, offset)?;
        part.write_copy_of_slice(bytes);
        offset += part.len() as u64;
    }
    Ok(())
}

pub(crate) fn write_all_at(file: &File, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        let count = match file.seek_write(bytes, offset) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        bytes = bytes.get(count..).unwrap_or_default();
        offset += count as u64;
    }
    Ok(())
}

pub(crate) fn len(file: &File) -> io::Result<u64> {
    file.metadata().map(|metadata| metadata.len())
}

/// The standard library does not tell the number of a file nor the time at which anything of it changed, and without these a file is
/// never known again.
pub(crate) fn state(_: &Metadata) -> Option<FileState> {
    None
}

/// What could wait is not in the file system.
pub(crate) fn open_without_waiting(path: &Path) -> io::Result<File> {
    match File::open(path) {
        // A directory is not opened like a file.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied && path.is_dir() => Err(is_directory()),
        opened => opened,
    }
}

pub(crate) fn open_nameless(_: &Path) -> Option<File> {
    None
}

/// Nobody else can open it by its name.
pub(crate) fn create_short_lived(path: &Path) -> io::Result<File> {
    let flags = FILE_ATTRIBUTE_TEMPORARY | FILE_FLAG_DELETE_ON_CLOSE;
    OpenOptions::new().read(true).write(true).create_new(true).share_mode(0).custom_flags(flags).open(path)
}

pub(crate) fn special_kind(_: FileType) -> Option<&'static str> {
    None
}

pub(crate) fn is_directory() -> io::Error {
    io::ErrorKind::IsADirectory.into()
}

pub(crate) fn too_many_links() -> io::Error {
    io::Error::other("too many symbolic links lead from one to the next")
}

/// Behind a `:` comes the name of a stream of the file, in which there can be no other.
pub(crate) fn leads_nowhere(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidFilename
    )
}

/// A name is UTF-16. As Python does (PEP 383), a byte that is not of UTF-8 becomes the lone surrogate of its number, so that different
/// bytes are different names.
pub(crate) fn name_of_bytes(bytes: Vec<u8>) -> OsString {
    let mut units: Vec<u16> = Vec::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        units.extend(chunk.valid().encode_utf16());
        units.extend(chunk.invalid().iter().map(|byte| 0xdc00 + u16::from(*byte)));
    }
    OsString::from_wide(&units)
}

pub(crate) fn splits(path: &Path) -> impl Iterator<Item = (PathBuf, OsString)> {
    let units: Vec<u16> = path.as_os_str().encode_wide().collect();
    let mark = u16::from(b':');
    let is_mark = |place: &usize| units.get(*place..*place + 2) == Some(&[mark, mark]);
    let places: Vec<usize> = (0..units.len()).filter(is_mark).collect();
    places.into_iter().filter_map(move |place| {
        let (front, behind) = (units.get(..place)?, units.get(place + 2..)?);
        Some((PathBuf::from(OsString::from_wide(front)), OsString::from_wide(behind)))
    })
}

/// What is not Unicode in it is replaced.
pub(crate) fn shortened(name: &OsStr, max_bytes: usize) -> Cow<'_, OsStr> {
    let mut name = name.to_string_lossy().into_owned();
    name.truncate(name.floor_char_boundary(max_bytes));
    Cow::Owned(name.into())
}
