//! The source of a file's bytes: a file on disk, mapped or read in pieces, or bytes in memory.
//!
//! A file that is opened for a single read is read with `pread`: the page faults of a new map cost as much as the copy
//! (measured for 3 to 70 MB, on one thread and two), and `pread` reports a file that shrinks meanwhile. A file that is kept
//! open, or opened repeatedly for parts of it, is mapped under a guard that turns the SIGBUS of a shrinking file into an
//! error.
//!
//! `shard.tar::member.flac` is a member of a tar archive, which is read where it is, as a part of the archive's file.

mod ahead;
mod guard;
mod mapped;
mod paged;
mod ranged;
mod ranged_read;
mod recent;
mod regular;
mod repeated;
mod scratch;
mod spool;
mod tar;

use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata};
use std::io;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use mapwave_fork::SetOnce;

use crate::error::{Error, Result};
use crate::files;
pub use mapped::Mapped;
use ranged::Ranged;
pub use ranged_read::RangedRead;
pub(crate) use recent::Identity;
pub use repeated::Repeated;
pub use scratch::Scratch;
pub use spool::Spool;
pub use tar::Member;

/// How a source will be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Once, with `pread`, in pieces.
    Once,
    /// From start to end, with `pread`, so that bytes already read take up no memory. If only a map will do,
    /// [`release`](Source::release) releases its pages.
    Streamed,
    /// Many times: the file is mapped at the first read and stays mapped.
    Kept,
}

/// How many times longer than the part read a file must be for its map to be worth keeping.
const MIN_PART: u64 = 4;

/// The bytes of one audio file; never empty.
pub struct Source {
    path: Option<PathBuf>,
    len: u64,
    bytes: Bytes,
}

enum Bytes {
    File {
        file: File,
        /// Where the bytes begin in the file: not at 0 for a member of an archive.
        start: u64,
        /// `None` where the system does not tell enough of a file.
        identity: Option<Identity>,
        access: Access,
        map: SetOnce<Option<Arc<Mapped>>>,
    },
    Memory(Box<dyn AsRef<[u8]> + Send + Sync>),
    Ranged(Ranged),
}

impl Source {
    /// Opens a regular file, or the member of a tar archive: `shard.tar::member.flac`, unless a file has that name.
    ///
    /// # Errors
    /// [`Error::Io`] if the file is missing, not readable, a directory, a FIFO, a device or a socket; a FIFO does not block.
    /// [`Error::Unsupported`] if the file is empty, or the archive is damaged.
    pub fn open(path: &Path, access: Access) -> Result<Self> {
        let opened = match regular::open(path) {
            Ok((file, metadata)) => Self::of_file(path, &file_bytes(&metadata), file, &metadata, access),
            Err(error) => match archive_of(path, &error) {
                Some((archive, member)) => Self::open_member(path, &archive, &member, access),
                None => Err(error),
            },
        };
        opened.map_err(|error| error.in_file(path))
    }

    /// Opens a part of a regular file as a file of its own, which errors call by `name`.
    ///
    /// # Errors
    /// As [`open`](Self::open); [`Error::Io`] if the file is shorter.
    pub fn open_part(path: &Path, bytes: Range<u64>, name: &Path, access: Access) -> Result<Self> {
        let opened = regular::open(path)
            .and_then(|(file, metadata)| Self::of_file(name, &bytes, file, &metadata, access));
        opened.map_err(|error| error.in_file(name))
    }

    /// Uses a regular file that is open already, which errors call by `name`. Its position plays no part.
    ///
    /// # Errors
    /// [`Error::Io`] if it is not a regular file; [`Error::Unsupported`] if it is empty.
    pub fn from_file(file: File, name: &Path, access: Access) -> Result<Self> {
        let opened = regular::described(file).and_then(|(file, metadata)| {
            Self::of_file(name, &file_bytes(&metadata), file, &metadata, access)
        });
        opened.map_err(|error| error.in_file(name))
    }

    /// The regular files in a tar archive, in its order.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn members(path: &Path) -> Result<Vec<Member>> {
        let members = regular::open(path).and_then(|(file, metadata)| tar::members(&file, metadata.len()));
        members.map_err(|error| error.in_file(path))
    }

    /// Has the system begin to read a file, or a part of it, that will be opened soon; returns whether that was needed. Nothing
    /// waits for the bytes.
    pub fn read_ahead(path: &Path, part: Option<Range<u64>>) -> bool {
        ahead::read_ahead(path, part)
    }

    fn open_member(name: &Path, archive: &Path, member: &OsStr, access: Access) -> Result<Self> {
        let (file, metadata) = regular::open(archive)?;
        match tar::find(&file, Identity::new(&metadata), metadata.len(), member)? {
            Some(bytes) => Self::of_file(name, &bytes, file, &metadata, access),
            None => {
                let what = format!("'{}' has no member of this name", archive.display());
                Err(Error::io("opening", io::Error::new(io::ErrorKind::NotFound, what)))
            }
        }
    }

    fn of_file(
        name: &Path,
        bytes: &Range<u64>,
        file: File,
        metadata: &Metadata,
        access: Access,
    ) -> Result<Self> {
        if bytes.start > bytes.end || bytes.end > metadata.len() {
            let what =
                format!("bytes {}..{} are not in the file of {}", bytes.start, bytes.end, metadata.len());
            return Err(Error::io("opening", io::Error::new(io::ErrorKind::UnexpectedEof, what)));
        }
        let identity = Identity::new(metadata).map(|identity| identity.of_part(bytes));
        let (access, map) =
            match identity.as_ref().and_then(recent::recall).filter(|_| access == Access::Once) {
                Some(map) => (Access::Kept, SetOnce::from(Some(map))),
                None => (access, SetOnce::new()),
            };
        let len = bytes.end - bytes.start;
        let bytes = Bytes::File { file, start: bytes.start, identity, access, map };
        Self::non_empty(Some(name.to_path_buf()), len, bytes, "the file is empty (0 bytes)")
    }

    /// Uses a whole file that is in memory.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if there are no bytes.
    pub fn from_bytes(bytes: impl AsRef<[u8]> + Send + Sync + 'static) -> Result<Self> {
        let len = bytes.as_ref().len() as u64;
        Self::non_empty(None, len, Bytes::Memory(Box::new(bytes)), "there are no bytes to read (0 bytes)")
    }

    /// Uses `len` bytes that are fetched in ranges, only as many as a read needs.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if there are no bytes.
    pub fn from_ranges(reader: Arc<dyn RangedRead>, len: u64, access: Access) -> Result<Self> {
        let ranged = Ranged::new(reader, len, access == Access::Streamed);
        Self::non_empty(None, len, Bytes::Ranged(ranged), "there are no bytes to read (0 bytes)")
    }

    /// Opens a part of a file that is open, with a name for errors.
    ///
    /// # Errors
    /// As [`open_part`](Self::open_part); [`Error::Io`] unless it is a regular file.
    pub fn from_open_file(file: File, start: u64, name: &Path, access: Access) -> Result<Self> {
        let metadata = file.metadata().map_err(|cause| Error::io("opening", cause));
        let opened = metadata.and_then(|metadata| {
            let bytes = start.min(metadata.len())..metadata.len();
            Self::of_file(name, &bytes, file, &metadata, access)
        });
        opened.map_err(|error| error.in_file(name))
    }

    /// Whether bytes must be fetched, at a cost: a decoder should look at few of them.
    pub fn is_costly(&self) -> bool {
        matches!(self.bytes, Bytes::Ranged(_))
    }

    /// The time that has passed with fetching bytes.
    pub(crate) fn fetching(&self) -> Duration {
        match &self.bytes {
            Bytes::Ranged(ranged) => ranged.fetching(),
            _ => Duration::ZERO,
        }
    }

    fn non_empty(path: Option<PathBuf>, len: u64, bytes: Bytes, otherwise: &str) -> Result<Self> {
        if len == 0 {
            return Err(Error::Unsupported {
                path,
                container: None,
                codec: None,
                what: otherwise.to_owned(),
            });
        }
        Ok(Self { path, len, bytes })
    }

    /// Gives bytes in memory the name by which errors are to call them.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<PathBuf>) -> Self {
        self.path = Some(name.into());
        self
    }

    /// The file's path, or the name of bytes in memory, when there is one.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Whether it is a file on disk.
    pub fn is_file(&self) -> bool {
        matches!(self.bytes, Bytes::File { .. })
    }

    /// The length in bytes when the source was opened.
    #[allow(clippy::len_without_is_empty)] // a source is never empty
    pub fn len(&self) -> u64 {
        self.len
    }

    /// The bytes of `range`: in place if they are in memory or mapped, otherwise read into `scratch`.
    ///
    /// The bytes of a map can change or disappear during the read: call [`verify`](Self::verify) afterwards to check.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be read or has shrunk.
    pub fn read<'a>(&'a self, range: Range<u64>, scratch: &'a mut Scratch) -> Result<&'a [u8]> {
        let (start, end) = self.bounds(&range)?;
        match &self.bytes {
            Bytes::Memory(bytes) => {
                bytes.as_ref().as_ref().get(start..end).ok_or_else(|| self.outside(&range))
            }
            Bytes::Ranged(ranged) => {
                let scratch = scratch.get(end - start);
                ranged.read_at(range.start, scratch).map_err(|cause| self.read_failed(range.start, cause))?;
                Ok(scratch)
            }
            Bytes::File { file, start: first, .. } => match self.mapped() {
                Some(map) => map.bytes().get(start..end).ok_or_else(|| self.outside(&range)),
                None => {
                    let scratch = scratch.get(end - start);
                    files::read_exact_at(file, scratch, first + range.start)
                        .map_err(|cause| self.read_failed(range.start, cause))?;
                    Ok(scratch)
                }
            },
        }
    }

    /// Fills all of `out` with the bytes from `offset`.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be read or has shrunk.
    pub fn read_into(&self, offset: u64, out: &mut [MaybeUninit<u8>]) -> Result<()> {
        let range = offset..offset.saturating_add(out.len() as u64);
        self.bounds(&range)?;
        match &self.bytes {
            Bytes::File { file, start, .. } if self.mapped().is_none() => {
                files::read_exact_uninit_at(file, out, start + offset)
                    .map_err(|cause| self.read_failed(offset, cause))?;
            }
            _ => {
                out.write_copy_of_slice(self.read(range, &mut Scratch::new())?);
            }
        }
        Ok(())
    }

    /// Checks that the bytes read from a map up to `end` came from the file: the file has not shrunk.
    ///
    /// # Errors
    /// [`Error::Io`] if it has, or if the disk failed under the map.
    pub fn verify(&self, end: u64) -> Result<()> {
        self.verify_ranges()?;
        let Bytes::File { file, start, map, .. } = &self.bytes else { return Ok(()) };
        let Some(Some(map)) = map.get() else { return Ok(()) };
        let len = files::len(file).map_err(|cause| self.read_failed(end, cause))?.saturating_sub(*start);
        if len < end || map.is_damaged() {
            let cause = match len < self.len {
                true => shrank(self.len, Some(len)),
                false => io::Error::other("a mapped page could not be read from the disk"),
            };
            return Err(self.read_failed(len.min(end), cause));
        }
        Ok(())
    }

    /// Checks that the file has not shrunk, whether or not it is mapped.
    ///
    /// # Errors
    /// [`Error::Io`] if it has.
    pub fn verify_len(&self) -> Result<()> {
        self.verify_ranges()?;
        let Bytes::File { file, start, .. } = &self.bytes else { return Ok(()) };
        let len = files::len(file).map_err(|cause| self.read_failed(0, cause))?;
        match len.saturating_sub(*start) {
            len if len < self.len => Err(self.read_failed(len, shrank(self.len, Some(len)))),
            _ => Ok(()),
        }
    }

    /// Fails if bytes could not be fetched while they were read in place.
    fn verify_ranges(&self) -> Result<()> {
        match &self.bytes {
            Bytes::Ranged(ranged) => {
                let failure = ranged.failure();
                failure.map_or(Ok(()), |cause| {
                    Err(Error::Io { path: self.path.clone(), doing: "reading", offset: None, cause })
                })
            }
            _ => Ok(()),
        }
    }

    /// What identifies the file and its contents, if it is one.
    pub(crate) fn identity(&self) -> Option<Identity> {
        match &self.bytes {
            Bytes::File { identity, .. } => *identity,
            Bytes::Memory(_) | Bytes::Ranged(_) => None,
        }
    }

    /// The whole file in place, if it is in memory or can be mapped; bytes that must be fetched are when they are touched, and
    /// [`verify`](Self::verify) tells whether that failed.
    pub fn whole(&self) -> Option<&[u8]> {
        match &self.bytes {
            Bytes::Memory(bytes) => Some(bytes.as_ref().as_ref()),
            Bytes::Ranged(ranged) => ranged.whole(),
            Bytes::File { file, start, map, .. } => self.map(file, *start, map).map(Mapped::bytes),
        }
    }

    /// Whether [`release`](Self::release) releases the parts of the file that were read.
    pub fn is_streamed(&self) -> bool {
        match &self.bytes {
            Bytes::File { access, .. } => *access == Access::Streamed,
            Bytes::Ranged(ranged) => ranged.is_streamed(),
            Bytes::Memory(_) => false,
        }
    }

    /// Releases the memory of those pages of a streamed file that lie in `range`. They come back from the page cache when they
    /// are touched again.
    pub fn release(&self, range: Range<u64>) {
        if let Bytes::Ranged(ranged) = &self.bytes
            && ranged.is_streamed()
        {
            ranged.release(range);
            return;
        }
        let Bytes::File { access: Access::Streamed, map, .. } = &self.bytes else { return };
        if let Some(Some(map)) = map.get() {
            let place = |offset: u64| usize::try_from(offset.min(self.len)).unwrap_or(usize::MAX);
            map.release(place(range.start)..place(range.end));
        }
    }

    /// Decides how to read `range`: maps a file that is kept open, unless it is mapped already or cannot be mapped, and
    /// remembers a file of which only a part is read.
    pub fn settle(&self, range: &Range<u64>) {
        match &self.bytes {
            Bytes::File { file, start, map, access: Access::Kept, .. } => {
                self.map(file, *start, map);
            }
            Bytes::File { file, start, identity, access: Access::Once, .. } => {
                // The map of an archive's member would be in the way of those of the others.
                if let Some(identity) = identity
                    && *start == 0
                    && (range.end - range.start).saturating_mul(MIN_PART) <= self.len
                {
                    recent::note(*identity, file);
                }
            }
            Bytes::Ranged(ranged) => ranged.watch(),
            Bytes::File { access: Access::Streamed, .. } | Bytes::Memory(_) => {}
        }
    }

    /// What an earlier reader [kept](Self::keep) of exactly this file, with the map that is used again.
    pub(crate) fn found<T: Clone + 'static>(&self) -> Option<T> {
        self.mapped()?.found().cloned()
    }

    /// Keeps what was found in a file with its map, for the next one who opens the same file. Not of a file that was written a moment
    /// ago, since another change might have the same time stamp.
    pub(crate) fn keep<T: Clone + Send + Sync + 'static>(&self, found: &T) {
        if let (Some(map), Some(identity)) = (self.mapped(), self.identity())
            && identity.is_settled()
        {
            map.keep(found.clone());
        }
    }

    /// Whether reads need no copy: the bytes are in memory or mapped.
    pub fn is_in_place(&self) -> bool {
        matches!(self.bytes, Bytes::Memory(_)) || self.mapped().is_some()
    }

    /// The map that is used for reading, if there is one yet.
    fn mapped(&self) -> Option<&Mapped> {
        match &self.bytes {
            Bytes::File { map, access: Access::Kept, .. } => map.get().and_then(Option::as_deref),
            _ => None,
        }
    }

    fn map<'a>(&self, file: &File, start: u64, map: &'a SetOnce<Option<Arc<Mapped>>>) -> Option<&'a Mapped> {
        // It is not an error if the file system cannot map files: every read falls back to pread.
        map.get_or_init(|| Mapped::new(file, start, self.len)).as_deref()
    }

    fn bounds(&self, range: &Range<u64>) -> Result<(usize, usize)> {
        let inside = range.start <= range.end && range.end <= self.len;
        let bounds = usize::try_from(range.start).ok().zip(usize::try_from(range.end).ok());
        bounds.filter(|_| inside).ok_or_else(|| self.outside(range))
    }

    fn outside(&self, range: &Range<u64>) -> Error {
        let what = format!("bytes {}..{} of {} were requested", range.start, range.end, self.len);
        self.read_failed(range.start, io::Error::new(io::ErrorKind::UnexpectedEof, what))
    }

    /// An error from a read at `offset`. A read can only reach the end of the file if the file has shrunk since it was opened.
    fn read_failed(&self, offset: u64, cause: io::Error) -> Error {
        let cause = match (cause.kind(), cause.get_ref()) {
            (io::ErrorKind::UnexpectedEof, None) => shrank(self.len, None),
            _ => cause,
        };
        Error::Io { path: self.path.clone(), doing: "reading", offset: Some(offset), cause }
    }
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source").field("path", &self.path).field("len", &self.len).finish_non_exhaustive()
    }
}

/// All bytes of a file.
fn file_bytes(metadata: &Metadata) -> Range<u64> {
    0..metadata.len()
}

/// The archive and the member that a path means which no file has: the archive is the shortest part in front of a `::` that is a
/// file.
fn archive_of(path: &Path, error: &Error) -> Option<(PathBuf, OsString)> {
    let Error::Io { cause, .. } = error else { return None };
    if !files::leads_nowhere(cause) {
        return None;
    }
    files::splits(path).find(|(archive, _)| archive.is_file())
}

fn shrank(from: u64, to: Option<u64>) -> io::Error {
    let to = to.map(|to| format!(" to {to}")).unwrap_or_default();
    let what = format!("the file shrank from {from}{to} bytes while it was being read");
    io::Error::new(io::ErrorKind::UnexpectedEof, what)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]
mod tests {
    use super::*;
    #[cfg(unix)]
    use std::fs::OpenOptions;
    use std::io::Write;

    fn file_of(bytes: &[u8]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    #[cfg(unix)]
    fn message(result: Result<Source>) -> String {
        result.err().unwrap().to_string()
    }

    fn mapped(file: &tempfile::NamedTempFile) -> Source {
        let source = Source::open(file.path(), Access::Kept).unwrap();
        source.settle(&(0..1));
        assert!(source.mapped().is_some());
        source
    }

    #[cfg(unix)]
    #[test]
    fn what_was_found_stays_with_the_map_of_a_settled_file() {
        let file = file_of(&[1; 5000]);
        let source = mapped(&file);
        source.keep(&7_u32);
        assert_eq!(source.found::<u32>(), None, "another change might have the same time stamp");
        std::thread::sleep(std::time::Duration::from_millis(3100));
        source.keep(&8_u32);
        source.keep(&9_u32);
        assert_eq!((source.found::<u32>(), source.found::<u8>()), (Some(8), None));
        assert_eq!(mapped(&file).found::<u32>(), None, "a map of its own");
        let memory = Source::from_bytes(vec![1; 5000]).unwrap();
        memory.keep(&7_u32);
        assert_eq!(memory.found::<u32>(), None);
    }

    #[test]
    fn every_way_of_reading_gives_the_same_bytes() {
        let bytes: Vec<u8> = (0..3_000_000u32).map(|i| (i % 251) as u8).collect();
        let file = file_of(&bytes);
        let sources = [
            Source::open(file.path(), Access::Once).unwrap(),
            mapped(&file),
            Source::from_bytes(bytes.clone()).unwrap(),
        ];
        for source in &sources {
            for range in [0..10, 2_999_990..3_000_000, 5..2_500_000, 7..7] {
                let expected = &bytes[range.start as usize..range.end as usize];
                assert_eq!(source.read(range.clone(), &mut Scratch::new()).unwrap(), expected);
                let mut out = vec![MaybeUninit::uninit(); expected.len()];
                source.read_into(range.start, &mut out).unwrap();
                #[allow(unsafe_code)]
                // SAFETY: `read_into` initialises all of `out` when it succeeds.
                let out = unsafe { out.assume_init_ref() };
                assert_eq!(out, expected);
            }
            source.verify(3_000_000).unwrap();
            assert!(source.read(0..3_000_001, &mut Scratch::new()).is_err());
            assert!(source.read(u64::MAX - 1..u64::MAX, &mut Scratch::new()).is_err());
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_part_of_a_file_is_a_file_of_its_own() {
        let bytes: Vec<u8> = (0..1_000_000u32).map(|i| (i % 251) as u8).collect();
        let file = file_of(&bytes);
        let part = 4097..900_001;
        for access in [Access::Once, Access::Kept, Access::Streamed] {
            let source = Source::open_part(file.path(), part.clone(), Path::new("part"), access).unwrap();
            let expected = &bytes[4097..900_001];
            assert_eq!((source.len(), source.path()), (expected.len() as u64, Some(Path::new("part"))));
            source.settle(&(0..10));
            for range in [0..10, 895_000..895_904, 5..600_000, 7..7] {
                let wanted = &expected[range.start as usize..range.end as usize];
                assert_eq!(source.read(range.clone(), &mut Scratch::new()).unwrap(), wanted);
                let mut out = vec![MaybeUninit::uninit(); wanted.len()];
                source.read_into(range.start, &mut out).unwrap();
                #[allow(unsafe_code)]
                // SAFETY: `read_into` initialises all of `out` when it succeeds.
                let out = unsafe { out.assume_init_ref() };
                assert_eq!(out, wanted);
            }
            assert_eq!(source.whole().unwrap(), expected);
            assert!(source.read(895_904..895_905, &mut Scratch::new()).is_err());
            source.release(0..source.len());
            assert_eq!(source.whole().unwrap(), expected);
            source.verify(source.len()).unwrap();
        }
        let other = Source::open_part(file.path(), 0..10, Path::new("part"), Access::Once).unwrap();
        let same = Source::open_part(file.path(), 10..20, Path::new("part"), Access::Once).unwrap();
        assert_ne!(other.identity(), same.identity());
        assert!(
            message(Source::open_part(file.path(), 0..1_000_001, Path::new("part"), Access::Once))
                .contains("not in")
        );
        assert!(
            message(Source::open_part(file.path(), 5..5, Path::new("part"), Access::Once)).contains("empty")
        );
        let source = Source::open_part(file.path(), part, Path::new("part"), Access::Kept).unwrap();
        source.settle(&(0..1));
        file.as_file().set_len(900_000).unwrap();
        assert!(source.verify(source.len()).is_err());
        assert!(source.verify_len().is_err());
        assert!(source.verify(source.len() - 1).is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn a_member_of_an_archive_opens_by_its_name_unless_a_file_has_it() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| std::fs::write(dir.path().join(name), bytes).unwrap();
        write("a.bin", b"first");
        write("b::c.bin", b"second");
        let archive = dir.path().join("x.tar");
        let mut tar = std::process::Command::new("tar");
        tar.arg("-cf").arg(&archive).arg("-C").arg(dir.path()).args(["./a.bin", "b::c.bin"]);
        assert!(tar.status().unwrap().success());
        let read = |name: &str| {
            let source = Source::open(&dir.path().join(name), Access::Once)?;
            Ok::<_, Error>(source.read(0..source.len(), &mut Scratch::new())?.to_vec())
        };
        assert_eq!(read("x.tar::a.bin").unwrap(), b"first");
        assert_eq!(read("x.tar::./a.bin").unwrap(), b"first");
        assert_eq!(read("x.tar::b::c.bin").unwrap(), b"second");
        assert_eq!(read("b::c.bin").unwrap(), b"second");
        write("x.tar::a.bin", b"a file of its own");
        assert_eq!(read("x.tar::a.bin").unwrap(), b"a file of its own");
        let error = read("x.tar::gone.bin").unwrap_err();
        assert!(error.to_string().contains("x.tar' has no member of this name"), "{error}");
        assert!(
            read("a.bin::a.bin").unwrap_err().to_string().contains("the tar archive is damaged at byte 0")
        );
        assert!(read("y.tar::a.bin").unwrap_err().to_string().contains("No such file"));
        let names: Vec<_> =
            Source::members(&archive).unwrap().into_iter().map(|member| member.name).collect();
        assert_eq!(names, ["./a.bin", "b::c.bin"]);
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_regular_file_is_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let fifo = dir.path().join("fifo");
        assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        let missing = dir.path().join("missing");
        let empty = file_of(b"");
        assert!(message(Source::open(&fifo, Access::Once)).contains("a FIFO"));
        assert!(message(Source::open(Path::new("/dev/null"), Access::Once)).contains("a device"));
        assert!(message(Source::open(dir.path(), Access::Once)).contains("directory"));
        assert!(message(Source::open(&missing, Access::Once)).contains("missing"));
        assert!(message(Source::open(empty.path(), Access::Once)).contains("empty (0 bytes)"));
        assert!(message(Source::from_bytes(Vec::new())).contains("0 bytes"));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_shrinks_under_its_map_is_an_error() {
        let file = file_of(&vec![1; 1 << 20]);
        let source = mapped(&file);
        assert_eq!(source.read(0..1 << 20, &mut Scratch::new()).unwrap()[5000], 1);
        file.as_file().set_len(4096).unwrap();
        let sum: u64 =
            source.read(0..1 << 20, &mut Scratch::new()).unwrap().iter().map(|&b| u64::from(b)).sum();
        assert_eq!(sum, 4096);
        let error = source.verify(1 << 20).unwrap_err().to_string();
        assert!(error.contains("shrank from 1048576 to 4096 bytes"), "{error}");
    }

    /// How much of the map at an address is in memory, in bytes.
    #[cfg(target_os = "linux")]
    fn resident_bytes(start: *const u8) -> u64 {
        let smaps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let mut lines = smaps.lines().skip_while(|line| !line.starts_with(&format!("{:x}-", start.addr())));
        let resident = lines.find_map(|line| line.strip_prefix("Rss:")).unwrap();
        resident.trim_end_matches("kB").trim().parse::<u64>().unwrap() << 10
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn pages_of_a_streamed_file_are_given_back_and_come_again() {
        const LEN: usize = 3 << 20;
        let file = file_of(&vec![1; LEN]);
        for (access, is_given_back) in [(Access::Streamed, true), (Access::Kept, false)] {
            let source = Source::open(file.path(), access).unwrap();
            let bytes = source.whole().unwrap();
            let sum = || bytes.iter().map(|&byte| usize::from(byte)).sum::<usize>();
            assert_eq!((sum(), resident_bytes(bytes.as_ptr())), (LEN, LEN as u64));
            source.release(0..1 << 20);
            // The system may release more than it was told to.
            let most = if is_given_back { 2 << 20 } else { LEN as u64 };
            let rest = resident_bytes(bytes.as_ptr());
            assert!(rest <= most && (is_given_back || rest == most), "{access:?}: {rest}");
            assert_eq!((sum(), resident_bytes(bytes.as_ptr())), (LEN, LEN as u64));
            source.release(Range { start: u64::MAX, end: 0 });
            assert_eq!(resident_bytes(bytes.as_ptr()), LEN as u64);
            source.release(0..u64::MAX);
            assert_eq!(resident_bytes(bytes.as_ptr()), if is_given_back { 0 } else { LEN as u64 });
            assert_eq!(sum(), LEN);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_shrinks_inside_a_page_is_an_error() {
        let file = file_of(&[1; 5000]);
        let source = mapped(&file);
        source.read(0..5000, &mut Scratch::new()).unwrap();
        file.as_file().set_len(4999).unwrap();
        assert!(source.verify(5000).is_err());
        assert!(source.verify(4999).is_ok());
    }

    #[test]
    fn a_file_that_shrinks_before_a_pread_is_an_error() {
        let file = file_of(&[1; 5000]);
        let source = Source::open(file.path(), Access::Once).unwrap();
        file.as_file().set_len(100).unwrap();
        let error = source.read(0..5000, &mut Scratch::new()).unwrap_err().to_string();
        assert!(error.contains("shrank from 5000"), "{error}");
        let error = source.read_into(0, &mut [MaybeUninit::uninit(); 5000]).unwrap_err().to_string();
        assert!(error.contains("shrank from 5000"), "{error}");
    }

    /// Reads byte 10 of a file like a caller that opens it again for every window.
    #[cfg(unix)]
    fn read_a_part(path: &Path) -> (u8, bool) {
        let source = Source::open(path, Access::Once).unwrap();
        source.settle(&(10..11));
        let byte = source.read(10..11, &mut Scratch::new()).unwrap()[0];
        source.verify(11).unwrap();
        (byte, source.is_in_place())
    }

    /// The remembered files belong to the process: tests that depend on them take turns.
    static TURN: std::sync::Mutex<()> = std::sync::Mutex::new(());

    #[cfg(unix)]
    #[test]
    fn a_file_read_in_parts_again_and_again_is_mapped() {
        let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let file = file_of(&[7; 5000]);
        let reads: Vec<_> = (0..4).map(|_| read_a_part(file.path())).collect();
        assert_eq!(reads, [(7, false), (7, false), (7, true), (7, true)]);
        let others: Vec<_> = (0..4).map(|_| file_of(&[8; 5000])).collect();
        others.iter().for_each(|other| assert_eq!(read_a_part(other.path()), (8, false)));
        assert_eq!(read_a_part(file.path()), (7, false), "only the files used last are remembered");
    }

    #[test]
    fn a_file_read_as_a_whole_is_not_mapped() {
        let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let file = file_of(&[7; 5000]);
        for _ in 0..4 {
            let source = Source::open(file.path(), Access::Once).unwrap();
            source.settle(&(0..5000));
            assert!(!source.is_in_place());
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_was_changed_replaced_or_cut_is_read_anew() {
        let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        std::fs::write(&path, [1; 5000]).unwrap();
        for _ in 0..3 {
            read_a_part(&path);
        }
        // In place, with another length, so that no clock is too coarse to tell.
        std::fs::write(&path, [2; 6000]).unwrap();
        assert_eq!(read_a_part(&path), (2, false));
        for _ in 0..3 {
            read_a_part(&path);
        }
        let other = dir.path().join("other");
        std::fs::write(&other, [3; 6000]).unwrap();
        std::fs::rename(&other, &path).unwrap();
        assert_eq!(read_a_part(&path), (3, false));
        for _ in 0..3 {
            read_a_part(&path);
        }
        OpenOptions::new().write(true).open(&path).unwrap().set_len(11).unwrap();
        assert_eq!(read_a_part(&path), (3, false));
        std::fs::remove_file(&path).unwrap();
        assert!(message(Source::open(&path, Access::Once)).contains("No such file"));
    }
}
