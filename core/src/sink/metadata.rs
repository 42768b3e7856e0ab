//! Pictures, markers and the broadcast extension of files to be written.

#![forbid(unsafe_code)]

use super::atomic::AtomicFile;
use super::format::FileFormat;
use super::options::SaveOptions;
use super::tags::{self, TagKeys};
use crate::error::{Error, Parameter, Result, a_file};
use crate::host::{ByteSink, Choice};
use crate::metadata::{self, Edit, Format, OnUnknown, SourceBytes};
use crate::reader::Reader;
use crate::source::{Access, Source};

/// What can hold metadata in files of a format; `None` if nothing but tags is written.
fn held_by(format: &FileFormat) -> Option<Format> {
    match format.name() {
        "wav" | "rf64" => Some(Format::Wave),
        "w64" => Some(Format::Wave64),
        "aiff" | "aifc" => Some(Format::Aiff),
        "caf" => Some(Format::Caf),
        "flac" => Some(Format::Flac),
        "ogg" | "oga" | "opus" => Some(Format::Ogg),
        "mp3" | "mp2" => Some(Format::Mpeg),
        "aac" | "adts" => Some(Format::Adts),
        "m4a" | "mp4" | "mov" => Some(Format::Mp4),
        _ => None,
    }
}

/// What the options set beside tags, which the writers have their own places for.
fn edit(options: &SaveOptions) -> Edit {
    Edit {
        tags: None,
        pictures: Some(options.pictures.clone()).filter(|pictures| !pictures.is_empty()),
        markers: Some(options.markers.clone()).filter(|markers| !markers.is_empty()),
        bext: options.bext.clone().map(Some),
        on_unknown: options.on_unknown,
    }
}

/// The options without tags that the format cannot hold, if those are to be left out.
///
/// # Errors
/// [`Error::Argument`] for what the format cannot hold.
pub(super) fn checked(mut options: SaveOptions) -> Result<SaveOptions> {
    if let (OnUnknown::Drop, Some(facts)) = (options.on_unknown, options.format.facts())
        && let TagKeys::Only(known) = facts.tag_keys
    {
        options.tags.retain(|(key, _)| known.iter().any(|(known, _)| known == key));
    }
    let edit = edit(&options);
    match held_by(&options.format) {
        Some(format) => metadata::check(format, &edit).map_err(metadata::translated)?,
        None if edit.is_empty() => {}
        None if options.on_unknown == OnUnknown::Drop => {
            (options.pictures, options.markers, options.bext) = (Vec::new(), Vec::new(), None);
        }
        None => {
            let parameter = match () {
                () if edit.pictures.is_some() => Parameter::Pictures,
                () if edit.markers.is_some() => Parameter::Markers,
                () => Parameter::Bext,
            };
            let expected = format!("left out: {} cannot store it", a_file(options.format.name()));
            return Err(Error::argument(parameter, expected, "some"));
        }
    }
    Ok(options)
}

/// The chunks of an uncompressed file that hold what the options set beside tags; empty if they set nothing.
pub(super) fn chunks(options: &SaveOptions) -> Result<Vec<u8>> {
    match held_by(&options.format) {
        Some(format) => {
            metadata::chunks(format, &edit(options), options.sample_rate).map_err(metadata::translated)
        }
        None => Ok(Vec::new()),
    }
}

/// Checks the tags of a file.
pub(super) fn check_tags(options: &SaveOptions) -> Result<()> {
    let keys = options.format.facts().map_or(TagKeys::Any, |facts| facts.tag_keys);
    tags::check(options.format.name(), keys, &options.tags)
}

/// Adds what a codec plugin's encoder is not given to the file that it has written: the complete file is passed on.
#[derive(Debug)]
pub(super) struct Completion {
    edit: Edit,
    /// The rate that the frames of markers are counted at.
    sample_rate: u32,
}

impl Completion {
    /// `None` if nothing is to be added.
    pub(super) fn new(options: &SaveOptions) -> Option<Self> {
        let edit = edit(options);
        let is_needed = options.format.facts().is_none() && !edit.is_empty();
        is_needed.then_some(Self { edit, sample_rate: options.sample_rate })
    }

    /// The edit with markers in frames of a rate: some codecs have a rate of their own.
    fn at(&self, rate: u32) -> Edit {
        let mut edit = self.edit.clone();
        let (from, to) = (u128::from(self.sample_rate.max(1)), u128::from(rate));
        let moved =
            |frame: u64| u64::try_from((u128::from(frame) * to + from / 2) / from).unwrap_or(u64::MAX);
        for marker in edit.markers.iter_mut().flatten() {
            (marker.start, marker.end) = (moved(marker.start), marker.end.map(moved));
        }
        edit
    }

    /// Writes the file with its metadata, and returns its size.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Argument`], [`Error::Unsupported`] for a file whose metadata cannot be written.
    pub(super) fn write(&self, encoded: &AtomicFile, output: &mut dyn ByteSink) -> Result<u64> {
        let source = encoded.to_source()?;
        let rate = Reader::new(encoded.to_source()?, Choice::default())
            .map_or(self.sample_rate, |reader| reader.sample_rate());
        let plan = metadata::plan(&source, &self.at(rate), Some(rate))?;
        let mut offset = 0;
        let write = |bytes: &[u8]| {
            output.write_at(offset, bytes)?;
            offset += bytes.len() as u64;
            Ok(())
        };
        plan.each(&SourceBytes(&source), write).map_err(metadata::translated)?;
        Ok(offset)
    }
}

/// A file to encode into before its metadata is added, which is never put in its place.
///
/// # Errors
/// [`Error::Io`].
pub(super) fn scratch() -> Result<AtomicFile> {
    AtomicFile::create(&std::env::temp_dir().join(format!("mapwave-{}", std::process::id())))
}

/// Whether a path names a file itself, not a member of an archive.
pub(super) fn open(path: &std::path::Path) -> Result<Source> {
    if !path.is_file() && path.to_string_lossy().contains("::") {
        let what = "the metadata of a member of an archive cannot be changed".to_owned();
        return Err(Error::Unsupported {
            path: Some(path.to_path_buf()),
            container: None,
            codec: None,
            what,
        });
    }
    Source::open(path, Access::Once)
}
