//! Reads and changes the metadata of a file of any format.

use crate::edit::{Edit, OnUnknown};
use crate::error::{Error, Result};
use crate::format::Format;
use crate::input::{Buffered, ReadAt};
use crate::model::Metadata;
use crate::options::Options;
use crate::plan::{Piece, Plan};
use crate::{aiff, caf, flac, matroska, mp4, mp4_plan, mpeg, ogg, w64, wave};

/// Reads the metadata of a file. That of an unknown format is empty.
///
/// # Errors
/// [`Error::Io`]; [`Error::Malformed`] if the container is damaged where it says where its metadata is. Damaged entries are skipped.
pub fn read(input: &dyn ReadAt, options: &Options) -> Result<Metadata> {
    let input = &Buffered::new(input);
    let Some(format) = Format::of(input)? else { return Ok(Metadata::default()) };
    let mut metadata = match format {
        Format::Wave => wave::read(input, options),
        Format::Wave64 => w64::read(input),
        Format::Aiff => aiff::read(input, options),
        Format::Caf => caf::read(input),
        Format::Flac => flac::read(input, options),
        Format::Ogg => ogg::read(input, options),
        Format::Mpeg | Format::Adts => mpeg::read(input, options),
        Format::Mp4 => mp4::read(input, options),
        Format::Matroska => matroska::read(input, options),
    }?;
    metadata.tags.retain(|(name, value)| !name.is_empty() && !value.is_empty());
    metadata.markers.sort_by_key(|marker| marker.start);
    Ok(metadata)
}

/// The plan of a change. Nothing of the file but its metadata changes, and what the edit does not name stays, also what is not
/// understood. `sample_rate` is the rate of the frames of markers; `None` for the one that the file states.
///
/// # Errors
/// [`Error::Lacks`] for what the format cannot hold; [`Error::Unsupported`] for a format whose metadata is not written;
/// [`Error::Malformed`] for a damaged container; [`Error::Io`].
pub fn plan(input: &dyn ReadAt, edit: &Edit, sample_rate: Option<u32>) -> Result<Plan> {
    edit.check()?;
    let input = &Buffered::new(input);
    let all = || Plan::new(vec![Piece::Kept(0..input.num_bytes())]);
    let Some(format) = Format::of(input)? else {
        return Err(Error::unsupported(
            "the metadata of such a file cannot be changed; those of wav, aiff, caf, flac, ogg, mp3, aac and m4a can",
        ));
    };
    if edit.is_empty() {
        return Ok(all());
    }
    match format {
        Format::Wave => wave::plan(input, edit),
        Format::Aiff => aiff::plan(input, edit),
        Format::Caf => caf::plan(input, edit),
        Format::Flac => flac::plan(input, edit, sample_rate),
        Format::Ogg => ogg::plan(input, edit, sample_rate),
        Format::Mpeg | Format::Adts => mpeg::plan(input, edit, format.name(), sample_rate),
        Format::Mp4 => mp4_plan::plan(input, edit, sample_rate),
        Format::Wave64 if edit.on_unknown == OnUnknown::Drop => Ok(all()),
        Format::Wave64 => {
            edit.lacks_all("w64", &["tags", "pictures", "markers", "bext"])?;
            Ok(all())
        }
        Format::Matroska => Err(Error::unsupported(
            "the metadata of a Matroska file can be read but not changed; those of wav, aiff, caf, flac, ogg, mp3, aac and m4a can",
        )),
    }
}

/// Checks that a file of a format can hold an edit.
///
/// # Errors
/// [`Error::Lacks`] for what it cannot hold.
pub fn check(format: Format, edit: &Edit) -> Result<()> {
    edit.check()?;
    match format {
        Format::Wave | Format::Wave64 | Format::Aiff | Format::Caf => chunks(format, edit, 1).map(|_| ()),
        Format::Flac => flac::edited(&[], edit, false, "flac", 1).map(|_| ()),
        Format::Ogg => ogg::check(edit),
        Format::Mpeg | Format::Adts => mpeg::check(edit, format.name()),
        Format::Mp4 => mp4_plan::check(edit),
        Format::Matroska => edit.lacks_all("mka", &["pictures", "markers", "bext"]),
    }
}

/// The chunks that hold an edit in a new file of a PCM format, to be written before its samples; empty if there is nothing to hold.
/// Their size is a multiple of 8 bytes in WAV and of 2 in AIFF.
///
/// # Errors
/// [`Error::Lacks`].
pub fn chunks(format: Format, edit: &Edit, sample_rate: u32) -> Result<Vec<u8>> {
    edit.check()?;
    match format {
        Format::Wave => wave::compose(edit, sample_rate),
        Format::Aiff => aiff::compose(edit, sample_rate),
        Format::Caf => caf::compose(edit),
        Format::Wave64 => {
            edit.lacks_all("w64", &["tags", "pictures", "markers", "bext"])?;
            Ok(Vec::new())
        }
        _ => Ok(Vec::new()),
    }
}
