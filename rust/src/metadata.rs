//! Metadata without decoding: tags, pictures, markers and the broadcast extension.

#![forbid(unsafe_code)]

use std::path::Path;

use mapwave_core::metadata;
use mapwave_core::sink;
use mapwave_core::source::{Access, Source};
use mapwave_core::{ReadControl, Result};

pub use mapwave_core::metadata::{Bext, Edit, Loop, LoopKind, Marker, Metadata, OnUnknown, Picture};
pub use mapwave_core::sink::Retagged;

/// Reads the metadata of a file with the data of its pictures. Nothing is decoded, and no plugin is asked: of a format that is not
/// known it is empty. [`Reader::metadata`](mapwave_core::Reader::metadata) has the tags that only a plugin finds as well.
///
/// ```
/// # fn main() -> mapwave::Result<()> {
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/compressed/vorbis.ogg");
/// for (name, value) in mapwave::metadata(path)?.tags {
///     println!("{name}: {value}");
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Error::Io`](crate::Error::Io) when the file cannot be read, [`Error::Unsupported`](crate::Error::Unsupported) when it is too
/// damaged.
pub fn metadata(path: impl AsRef<Path>) -> Result<Metadata> {
    metadata::read(&Source::open(path.as_ref(), Access::Once)?, None, true)
}

/// Changes the metadata of a file: WAV, AIFF, CAF, FLAC, Ogg, MP3, ADTS or MP4. What the edit does not name stays, and no sample
/// changes.
///
/// A large file is changed in its place where the space suffices; otherwise a complete new file replaces the old one. After an
/// error the file is as it was.
///
/// ```
/// use mapwave::Edit;
///
/// # fn main() -> mapwave::Result<()> {
/// # let directory = tempfile::tempdir().unwrap();
/// # let path = directory.path().join("a.flac");
/// # std::fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/compressed/flac16.flac"), &path).unwrap();
/// let edit = Edit { tags: Some(vec![("title".to_owned(), "A talk".to_owned())]), ..Edit::default() };
/// mapwave::retag(&path, &edit)?;
/// # assert_eq!(mapwave::open(&path)?.tags(), [("title".to_owned(), "A talk".to_owned())]);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Error::Argument`](crate::Error::Argument) for what the format cannot hold, [`Error::Unsupported`](crate::Error::Unsupported)
/// for a file whose metadata cannot be written, [`Error::Io`](crate::Error::Io).
pub fn retag(path: impl AsRef<Path>, edit: &Edit) -> Result<Retagged> {
    sink::retag(path.as_ref(), edit, false, &ReadControl::ONE_THREAD)
}
