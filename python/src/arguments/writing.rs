//! The arguments that `save`, `save_prepared` and `open(path, "w")` share, checked before any file is touched.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use mapwave_core::sink::{Encoding, FileFormat, SaveOptions, Target};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyString;

use super::metadata::{Broadcast, Markers, Pictures, Tags, Unknown};
use super::numbers::{BitDepth, Bitrate, ChannelMask, FileRate, FlacLevel, Percent, Seed, Threads};
use super::reading::{plugin, plugin_options};
use super::signature::Arguments;
use super::value::shown;
use super::words::{Clip, Dither};
use crate::errors::{invalid, raise};
use crate::file_object::FileObject;
use crate::input::path_of;
use crate::interned::intern;

/// A file to be written: where, and how.
pub(crate) struct Writing<'py> {
    pub(crate) place: Place<'py>,
    pub(crate) options: SaveOptions,
}

/// The arguments that only writing takes, beside those that it shares with reading.
pub(crate) const ONLY_WRITING: [&str; 17] = [
    "encoding",
    "bitrate",
    "clip",
    "flac_compression",
    "format",
    "dither",
    "seed",
    "tags",
    "quality",
    "effort",
    "bit_depth",
    "channel_mask",
    "durable",
    "pictures",
    "markers",
    "bext",
    "on_unknown_tags",
];

impl<'py> Writing<'py> {
    pub(crate) fn new(arguments: &Arguments<'_, 'py>, num_channels: u16) -> PyResult<Self> {
        let place = Place::new(&arguments.get("path")?)?;
        let Some(FileRate(sample_rate)) = arguments.get("sr")? else {
            return Err(PyTypeError::new_err("sr must be given: the sample rate in Hz"));
        };
        let format = place.format(arguments.py(), arguments.get::<Option<String>>("format")?.as_deref())?;
        let Percents { quality, effort } = Percents::new(arguments)?;
        let encoding: Encoding = arguments.get_or_default("encoding")?;
        let options = SaveOptions {
            dither: arguments
                .get_or_default::<Dither>("dither")?
                .with_seed(arguments.get_or_default::<Seed>("seed")?.0),
            effort: self::effort(arguments, &format, &encoding, effort)?,
            quality,
            overflow: arguments.get_or_default::<Clip>("clip")?.0,
            bitrate: arguments.get_or_default::<Bitrate>("bitrate")?.0,
            bits_per_sample: arguments.get::<Option<BitDepth>>("bit_depth")?.map(|bits| bits.0),
            channel_mask: arguments.get::<Option<ChannelMask>>("channel_mask")?.map_or(0, |mask| mask.0),
            tags: arguments.get::<Option<Tags>>("tags")?.map_or_else(Vec::new, |tags| tags.0),
            pictures: arguments
                .get::<Option<Pictures>>("pictures")?
                .map_or_else(Vec::new, |pictures| pictures.0),
            markers: arguments.get::<Option<Markers>>("markers")?.map_or_else(Vec::new, |markers| markers.0),
            bext: arguments.get::<Option<Broadcast>>("bext")?.map(|bext| bext.0),
            on_unknown: arguments.get::<Unknown>("on_unknown_tags")?.0,
            plugin: plugin(arguments)?,
            plugin_options: plugin_options(arguments)?,
            max_threads: Threads::max(arguments.get("threads")?),
            is_durable: arguments.get_or_default("durable")?,
            encoding,
            ..SaveOptions::new(format, sample_rate, num_channels)
        };
        Ok(Self { place, options })
    }
}

struct Percents {
    quality: Option<u8>,
    effort: Option<u8>,
}

impl Percents {
    fn new(arguments: &Arguments<'_, '_>) -> PyResult<Self> {
        let percent = |name| Ok::<_, PyErr>(arguments.get::<Option<Percent>>(name)?.map(|percent| percent.0));
        Ok(Self { quality: percent("quality")?, effort: percent("effort")? })
    }
}

/// The effort that `effort` or `flac_compression` asks for.
fn effort(
    arguments: &Arguments<'_, '_>,
    format: &FileFormat,
    encoding: &Encoding,
    effort: Option<u8>,
) -> PyResult<Option<u8>> {
    let py = arguments.py();
    let FlacLevel(level) = arguments.get_or_default("flac_compression")?;
    if level.is_some() && format.name() != "flac" && *encoding != Encoding::Codec("flac".to_owned()) {
        let got = shown(&arguments.get::<Bound<'_, PyAny>>("flac_compression")?);
        let message = format!("flac_compression must be 'default' for a file that is not FLAC, got {got}");
        return Err(invalid(py, &message));
    }
    match (level, effort) {
        (Some(_), Some(_)) => Err(invalid(py, "give either flac_compression or effort, not both")),
        (level, effort) => Ok(level.or(effort)),
    }
}

/// Where a file is to go.
pub(crate) enum Place<'py> {
    Path(PathBuf),
    Object { object: Bound<'py, PyAny>, file: FileObject },
}

impl<'py> Place<'py> {
    /// Takes a path or a writable file object.
    fn new(object: &Bound<'py, PyAny>) -> PyResult<Self> {
        let py = object.py();
        if object.is_instance_of::<PyString>() || object.hasattr(intern!(py, "__fspath__"))? {
            return path_of(object).map(Self::Path);
        }
        Ok(Self::Object { object: object.clone(), file: FileObject::new(object)? })
    }

    /// The format by its name, or by the extension of the path or of the file object's name.
    fn format(&self, py: Python<'_>, format: Option<&str>) -> PyResult<FileFormat> {
        let found = match (format, self) {
            (Some(name), _) => FileFormat::named(name),
            (None, Self::Path(path)) => FileFormat::of_path(path).map_err(|error| error.in_file(path)),
            (None, Self::Object { object, .. }) => {
                let name = object.getattr(intern!(py, "name")).and_then(|name| name.extract::<PathBuf>());
                match name {
                    Ok(name) => FileFormat::of_path(&name),
                    Err(_) => FileFormat::of_path(Path::new("")),
                }
            }
        };
        found.map_err(|error| raise(py, &error))
    }

    /// The target, and what is to be settled when the file is complete.
    pub(crate) fn into_target(self) -> (Target, Settlement) {
        match self {
            Self::Path(path) => (Target::Path(path), Settlement(None)),
            Self::Object { file, .. } => {
                let settlement = Settlement(Some((file.object(), file.start())));
                (Target::Sink(Box::new(file)), settlement)
            }
        }
    }
}

/// A file object that is left at the end of what was written.
#[derive(Default)]
pub(crate) struct Settlement(Option<(Arc<Py<PyAny>>, Option<u64>)>);

impl Settlement {
    pub(crate) fn settle(&self, py: Python<'_>, num_bytes: u64) -> PyResult<()> {
        match &self.0 {
            Some((object, start)) => FileObject::settle(object.bind(py), *start, num_bytes),
            None => Ok(()),
        }
    }
}
