//! The metadata of a source: tags, pictures, markers, loops and the broadcast extension.
//!
//! The crate `mapwave-metadata` knows the formats; here are the bytes that it reads, and its errors as those of this crate.

#![forbid(unsafe_code)]

use std::io;

pub use mapwave_metadata::{Bext, Edit, Loop, LoopKind, Marker, Metadata, OnUnknown, Picture};
pub(crate) use mapwave_metadata::{CAF_NAMES, Format, IFF_NAMES, INFO_NAMES, Plan, check, chunks, is_tag};
use mapwave_metadata::{Options, ReadAt};

use crate::error::{Error, Parameter, Result, a_file};
use crate::source::{Scratch, Source};

/// Reads the metadata of a source of any format that is known; that of others is empty.
///
/// `sample_rate` is the rate of the frames of markers, or `None` for the one that the file states. Pictures have their data only
/// `with_data`.
///
/// # Errors
/// [`Error::Io`] if the source cannot be read, [`Error::Unsupported`] if it is too damaged.
pub fn read(source: &Source, sample_rate: Option<u32>, with_data: bool) -> Result<Metadata> {
    let options = Options { sample_rate, with_data };
    mapwave_metadata::read(&SourceBytes(source), &options).map_err(translated).map_err(|error| {
        match source.path() {
            Some(path) => error.in_file(path),
            None => error,
        }
    })
}

/// The plan of a change of a source's metadata.
///
/// # Errors
/// [`Error::Argument`] for what the format cannot hold, [`Error::Unsupported`] if its metadata is not written or the file is too
/// damaged, [`Error::Io`].
pub(crate) fn plan(source: &Source, edit: &Edit, sample_rate: Option<u32>) -> Result<Plan> {
    mapwave_metadata::plan(&SourceBytes(source), edit, sample_rate).map_err(translated)
}

/// The bytes of a source.
pub(crate) struct SourceBytes<'a>(pub(crate) &'a Source);

impl ReadAt for SourceBytes<'_> {
    fn num_bytes(&self) -> u64 {
        self.0.len()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let end = offset.saturating_add(buffer.len() as u64);
        let mut scratch = Scratch::new();
        let bytes = self.0.read(offset..end, &mut scratch).map_err(io::Error::other)?;
        match bytes.len() == buffer.len() {
            true => buffer.copy_from_slice(bytes),
            false => return Err(io::ErrorKind::UnexpectedEof.into()),
        }
        Ok(())
    }

    fn in_memory(&self) -> Option<&[u8]> {
        if self.0.is_in_place() { self.0.whole() } else { None }
    }

    fn is_costly(&self) -> bool {
        self.0.is_costly()
    }
}

/// An error as those of this crate.
pub(crate) fn translated(error: mapwave_metadata::Error) -> Error {
    let unsupported = |what| Error::Unsupported { path: None, container: None, codec: None, what };
    match error {
        mapwave_metadata::Error::Io(cause) => Error::io("reading metadata", cause),
        mapwave_metadata::Error::Lacks { item, what, format } => {
            let parameter = match item {
                "tags" => Parameter::Tags,
                "pictures" => Parameter::Pictures,
                "markers" => Parameter::Markers,
                _ => Parameter::Bext,
            };
            let what = format!("cannot be stored in {}: {what}", a_file(format));
            Error::Argument { path: None, parameter, what }
        }
        other => unsupported(other.to_string()),
    }
}
