//! Changes the metadata of a file without touching its audio.

#![forbid(unsafe_code)]

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

use super::atomic::AtomicFile;
use super::interrupt::Interrupt;
use super::metadata::open;
use crate::decode::ReadControl;
use crate::error::{Error, Result};
use crate::files;
use crate::metadata::{self, Edit, Plan, SourceBytes};
use crate::reader::Reader;
use crate::source::Source;

/// A file of at most this many bytes is always replaced by a new one, which takes as long as a change in its place.
const MAX_SMALL_BYTES: u64 = 1 << 20;

/// How a file was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retagged {
    /// Whether the bytes of the metadata were overwritten where they are; otherwise a new file has replaced the old one.
    pub in_place: bool,
    /// The size of the file in bytes.
    pub num_bytes: u64,
}

/// Changes the metadata of a file. No sample is decoded, and none changes.
///
/// Where the new metadata fits into the space of the old, or behind the audio, a large file is changed in its place; otherwise a
/// complete new file replaces the old one. If a write fails, the old bytes are restored.
///
/// # Errors
/// [`Error::Argument`] for what the format cannot hold; [`Error::Unsupported`] for a file whose metadata cannot be written;
/// [`Error::Io`]; [`Error::Interrupted`]. The file is unchanged then.
pub fn retag(path: &Path, edit: &Edit, is_durable: bool, control: &ReadControl<'_>) -> Result<Retagged> {
    let change = || -> Result<Retagged> {
        let source = open(path)?;
        // Only a decoder knows the rate of some codecs, and so the times of frames.
        let rate = match &edit.markers {
            Some(markers) if !markers.is_empty() => {
                Reader::open_once(path).ok().map(|reader| reader.sample_rate())
            }
            _ => None,
        };
        let plan = metadata::plan(&source, edit, rate)?;
        source.verify_len()?;
        let num_bytes = plan.num_bytes();
        match plan.in_place() {
            Some(writes) if writes.is_empty() && num_bytes == source.len() => {
                Ok(Retagged { in_place: true, num_bytes })
            }
            Some(writes) if source.len() > MAX_SMALL_BYTES => {
                overwrite(path, &source, &writes, num_bytes, is_durable)?;
                Ok(Retagged { in_place: true, num_bytes })
            }
            _ => {
                write_new_file(path, &source, &plan, is_durable, control.interrupted)?;
                Ok(Retagged { in_place: false, num_bytes })
            }
        }
    };
    change().map_err(|error| error.in_file(path))
}

fn write_new_file(
    path: &Path,
    source: &Source,
    plan: &Plan,
    is_durable: bool,
    stop: Interrupt<'_>,
) -> Result<()> {
    let file = AtomicFile::create(path)?;
    let (mut output, mut offset) = (file.output(), 0);
    let write = |bytes: &[u8]| {
        if stop() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        output.write_at(offset, bytes)?;
        offset += bytes.len() as u64;
        Ok(())
    };
    plan.each(&SourceBytes(source), write).map_err(|error| match error {
        _ if stop() => Error::Interrupted,
        error => metadata::translated(error),
    })?;
    source.verify(source.len())?;
    drop(output);
    file.commit(is_durable, stop)
}

/// Writes over parts of a file: those at its end first, so that its headers never state more than the file holds.
fn overwrite(
    path: &Path,
    source: &Source,
    writes: &[(u64, &[u8])],
    num_bytes: u64,
    is_durable: bool,
) -> Result<()> {
    let failed = |cause| Error::io("writing", cause);
    let file =
        OpenOptions::new().read(true).write(true).open(path).map_err(|cause| Error::io("saving", cause))?;
    let status = file.metadata().map_err(failed)?;
    if status.len() != source.len() {
        let what = "the file has changed since its metadata was read";
        return Err(failed(io::Error::other(what)));
    }
    let mut old = Vec::new();
    for (offset, bytes) in writes {
        let there = usize::try_from(source.len().saturating_sub(*offset)).unwrap_or(usize::MAX);
        let mut kept = vec![0; bytes.len().min(there)];
        files::read_exact_at(&file, &mut kept, *offset).map_err(failed)?;
        old.push((*offset, kept));
    }
    let tail = num_bytes.min(source.len());
    let mut cut = vec![0; usize::try_from(source.len() - tail).unwrap_or(usize::MAX)];
    files::read_exact_at(&file, &mut cut, tail).map_err(failed)?;
    let changed = change(&file, writes, num_bytes);
    if let Err(cause) = changed {
        // What cannot be restored cannot be reported either: the first error counts.
        let _ = file.set_len(source.len());
        let _ = files::write_all_at(&file, &cut, tail);
        for (offset, bytes) in &old {
            let _ = files::write_all_at(&file, bytes, *offset);
        }
        return Err(failed(cause));
    }
    if is_durable {
        file.sync_all().map_err(|cause| Error::io("writing to the disk", cause))?;
    }
    Ok(())
}

fn change(file: &File, writes: &[(u64, &[u8])], num_bytes: u64) -> io::Result<()> {
    for (offset, bytes) in writes.iter().rev() {
        files::write_all_at(file, bytes, *offset)?;
    }
    file.set_len(num_bytes)
}
