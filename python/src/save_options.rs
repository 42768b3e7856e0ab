//! The arguments that `save`, `save_prepared` and `open(path, "w")` share, checked before any file is touched.

use std::path::{Path, PathBuf};

use mapwave_core::Layout;
use mapwave_core::sink::{Dither, Encoding, FileFormat, Overflow, SaveOptions, Target};
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyInt, PyString};

use crate::errors::{invalid, raise};
use crate::file_object::FileObject;
use crate::input::path_of;
use crate::options::max_threads;

/// The highest level of FLAC compression.
const MAX_FLAC_LEVEL: i64 = 8;

/// Levels of FLAC compression are ninths of the range of efforts.
const EFFORT_PER_LEVEL: i64 = 12;

/// Where a file is to go.
pub(crate) enum Place<'py> {
    Path(PathBuf),
    Object { object: Bound<'py, PyAny>, file: FileObject },
}

impl<'py> Place<'py> {
    /// Takes a path or a writable file object.
    pub(crate) fn new(object: &Bound<'py, PyAny>) -> PyResult<Self> {
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

    /// The target, and what is to be settled when the file is whole.
    pub(crate) fn into_target(self) -> (Target, Settlement<'py>) {
        match self {
            Self::Path(path) => (Target::Path(path), Settlement(None)),
            Self::Object { object, file } => {
                let start = file.start();
                (Target::Output(Box::new(file)), Settlement(Some((object, start))))
            }
        }
    }
}

/// A file object that is left at the end of what was written.
pub(crate) struct Settlement<'py>(Option<(Bound<'py, PyAny>, Option<u64>)>);

impl Settlement<'_> {
    pub(crate) fn settle(&self, num_bytes: u64) -> PyResult<()> {
        match &self.0 {
            Some((object, start)) => FileObject::settle(object, *start, num_bytes),
            None => Ok(()),
        }
    }

    /// The object and where its file begins, without the interpreter's lock.
    pub(crate) fn unbind(self) -> Option<(Py<PyAny>, Option<u64>)> {
        self.0.map(|(object, start)| (object.unbind(), start))
    }
}

/// The names of the arguments.
const NAMES: [&str; 16] = [
    "sr",
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
    "codec",
    "threads",
    "durable",
];

/// The arguments as the caller gave them, by their names; one that is missing or None has its default.
pub(crate) struct Arguments<'a, 'py>(&'a Bound<'py, PyDict>);

impl<'a, 'py> Arguments<'a, 'py> {
    /// Refuses a name that there is not, as Python does for a function's own.
    pub(crate) fn new(arguments: &'a Bound<'py, PyDict>, function: &str) -> PyResult<Self> {
        for name in arguments.keys() {
            let name: String = name.extract()?;
            if !NAMES.contains(&name.as_str()) {
                let message = format!("{function}() got an unexpected keyword argument '{name}'");
                return Err(PyTypeError::new_err(message));
            }
        }
        Ok(Self(arguments))
    }

    fn get(&self, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
        Ok(self.0.get_item(name)?.filter(|value| !value.is_none()))
    }

    fn text(&self, name: &str) -> PyResult<Option<String>> {
        let text =
            self.get(name)?.map(|value| value.extract().map_err(|_| wrong_type(name, "a str", &value)));
        text.transpose()
    }

    /// A whole number of a range, for which `expected` stands in the message.
    fn number<T: TryFrom<i64>>(
        &self,
        py: Python<'_>,
        name: &str,
        expected: &str,
        is_legal: impl Fn(i64) -> bool,
    ) -> PyResult<Option<T>> {
        let Some(value) = self.get(name)? else { return Ok(None) };
        let number = whole_number(&value).ok_or_else(|| wrong_type(name, "an int", &value))?;
        let legal =
            Some(number).filter(|&number| is_legal(number)).and_then(|number| T::try_from(number).ok());
        let refuse = || invalid(py, &format!("{name} must be {expected}, got {number}"));
        legal.map(Some).ok_or_else(refuse)
    }

    fn percent(&self, py: Python<'_>, name: &str) -> PyResult<Option<u8>> {
        self.number(py, name, "from 1 to 100 or None", |percent| (1..=100).contains(&percent))
    }

    /// The options for the core.
    pub(crate) fn options(
        &self,
        py: Python<'_>,
        place: &Place<'_>,
        num_channels: u16,
    ) -> PyResult<SaveOptions> {
        let Some(sr) = self.get("sr")? else {
            return Err(PyTypeError::new_err("sr must be given: the sample rate in Hz"));
        };
        let format = place.format(py, self.text("format")?.as_deref())?;
        let mut options = SaveOptions::new(format, sample_rate(&sr)?, num_channels);
        if let Some(encoding) = self.text("encoding")? {
            let Ok(encoding) = encoding.parse::<Encoding>();
            options.encoding = encoding;
        }
        options.dither = self.dither(py)?;
        options.effort = match (self.flac_level(py, &options)?, self.percent(py, "effort")?) {
            (Some(_), Some(_)) => {
                return Err(invalid(py, "give either flac_compression or effort, not both"));
            }
            (level, effort) => level.or(effort),
        };
        options.quality = self.percent(py, "quality")?;
        options.overflow = self.get("clip")?.map_or(Ok(Overflow::Clip), |clip| overflow(&clip))?;
        options.bitrate = self.get("bitrate")?.map_or(Ok(None), |bitrate| self::bitrate(&bitrate))?;
        options.bits_per_sample =
            self.number(py, "bit_depth", "from 8 to 32 or None", |bits| (8..=32).contains(&bits))?;
        let is_mask = |mask| (0..=i64::from(u32::MAX)).contains(&mask);
        let mask = self.number(py, "channel_mask", "a WAVE channel mask of 32 bits or None", is_mask)?;
        options.channel_mask = mask.unwrap_or(0);
        options.tags = self.get("tags")?.map_or_else(|| Ok(Vec::new()), |tags| self::tags(&tags))?;
        options.plugin = self.text("codec")?;
        let threads = self.get("threads")?.map(|threads| {
            whole_number(&threads).ok_or_else(|| wrong_type("threads", "an int or None", &threads))
        });
        options.max_threads = max_threads(py, threads.transpose()?)?;
        options.is_durable = self.get("durable")?.map_or(Ok(true), |durable| durable.is_truthy())?;
        Ok(options)
    }

    fn dither(&self, py: Python<'_>) -> PyResult<Dither> {
        let seed: Option<i64> = self.number(py, "seed", "at least 0", |seed| seed >= 0)?;
        match self.text("dither")?.as_deref() {
            None | Some("none") => Ok(Dither::None),
            Some("tpdf") => Ok(Dither::Tpdf { seed: seed.unwrap_or(0).unsigned_abs() }),
            Some(other) => Err(invalid(py, &format!("dither must be 'none' or 'tpdf', got '{other}'"))),
        }
    }

    /// The effort of a level of FLAC compression; None for the default.
    fn flac_level(&self, py: Python<'_>, options: &SaveOptions) -> PyResult<Option<u8>> {
        let Some(value) = self.get("flac_compression")? else { return Ok(None) };
        let word = value.extract::<String>().ok();
        if word.as_deref() == Some("default") {
            return Ok(None);
        }
        let refuse = |what: &str| -> PyResult<Option<u8>> {
            let got = value.repr()?;
            Err(invalid(py, &format!("flac_compression must be {what}, got {got}")))
        };
        if options.format.name() != "flac" && options.encoding != Encoding::Codec("flac".to_owned()) {
            return refuse("'default' for a file that is not FLAC");
        }
        let level = match word.as_deref() {
            Some("fast") => Some(0),
            Some(word) => word.parse().ok(),
            None => whole_number(&value),
        };
        match level {
            Some(level @ 0..=MAX_FLAC_LEVEL) => Ok(u8::try_from(1 + EFFORT_PER_LEVEL * level).ok()),
            _ => refuse("'default', 'fast' or a level from 0 to 8"),
        }
    }
}

fn wrong_type(name: &str, expected: &str, got: &Bound<'_, PyAny>) -> PyErr {
    let kind = got.get_type().name().map_or_else(|_| "?".to_owned(), |name| name.to_string());
    PyTypeError::new_err(format!("{name} must be {expected}, got {kind}"))
}

/// A layout, or None for "auto".
pub(crate) fn layout(py: Python<'_>, name: &str) -> PyResult<Option<Layout>> {
    match name {
        "auto" => Ok(None),
        "channels_last" => Ok(Some(Layout::ChannelsLast)),
        "channels_first" => Ok(Some(Layout::ChannelsFirst)),
        _ => Err(invalid(
            py,
            &format!("layout must be 'auto', 'channels_last' or 'channels_first', got '{name}'"),
        )),
    }
}

/// An int, or what stands for one such as a NumPy integer, but no bool.
fn whole_number(object: &Bound<'_, PyAny>) -> Option<i64> {
    if object.is_instance_of::<PyBool>() {
        return None;
    }
    object.extract::<i64>().ok()
}

/// A sample rate: a whole number, also as a float.
fn sample_rate(object: &Bound<'_, PyAny>) -> PyResult<u32> {
    let py = object.py();
    let number = whole_number(object).or_else(|| {
        let float = object.extract::<f64>().ok().filter(|_| !object.is_instance_of::<PyBool>())?;
        // `as` saturates, and what is not whole is refused.
        #[allow(clippy::cast_possible_truncation)]
        Some(float as i64).filter(|&number| number as f64 == float)
    });
    match number.map(u32::try_from) {
        Some(Ok(rate)) if rate > 0 => Ok(rate),
        _ => {
            let is_bool = object.is_instance_of::<PyBool>();
            let got = object.repr()?;
            let message = format!("sr must be > 0 Hz, a whole number below 2**32, got {got}");
            match !is_bool && (object.is_instance_of::<PyInt>() || object.extract::<f64>().is_ok()) {
                true => Err(invalid(py, &message)),
                false => Err(PyTypeError::new_err(message)),
            }
        }
    }
}

/// "auto", a number of bits a second, or text such as "192k".
fn bitrate(object: &Bound<'_, PyAny>) -> PyResult<Option<u32>> {
    let parsed = match object.extract::<&str>() {
        Ok("auto") => return Ok(None),
        Ok(word) => {
            let word = word.trim().to_ascii_lowercase();
            let (digits, factor) = match word.strip_suffix('k') {
                Some(digits) => (digits, 1000),
                None => match word.strip_suffix('m') {
                    Some(digits) => (digits, 1_000_000),
                    None => (word.as_str(), 1),
                },
            };
            digits.parse::<i64>().ok().and_then(|number| number.checked_mul(factor))
        }
        Err(_) => whole_number(object),
    };
    match parsed.map(u32::try_from) {
        Some(Ok(rate)) if rate > 0 => Ok(Some(rate)),
        _ => {
            let got = object.repr()?;
            let message =
                format!("bitrate must be 'auto' or bits a second such as '192k' or 192000, got {got}");
            Err(invalid(object.py(), &message))
        }
    }
}

/// True, False or "rescale".
fn overflow(object: &Bound<'_, PyAny>) -> PyResult<Overflow> {
    if let Ok(clips) = object.cast::<PyBool>() {
        return Ok(if clips.is_true() { Overflow::Clip } else { Overflow::Refuse });
    }
    match object.extract::<&str>() {
        Ok("rescale") => Ok(Overflow::Rescale),
        _ => {
            let got = object.repr()?;
            Err(invalid(object.py(), &format!("clip must be True, False or 'rescale', got {got}")))
        }
    }
}

/// Pairs of names and values.
fn tags(tags: &Bound<'_, PyAny>) -> PyResult<Vec<(String, String)>> {
    let Ok(tags) = tags.cast::<PyDict>() else {
        return Err(wrong_type("tags", "a dict of str to str or int", tags));
    };
    let pair = |(key, value): (Bound<'_, PyAny>, Bound<'_, PyAny>)| {
        let key: String =
            key.extract().map_err(|_| wrong_type("tags", "a dict of str to str or int", &key))?;
        if !value.is_instance_of::<PyString>() && whole_number(&value).is_none() {
            return Err(wrong_type("tags", "a dict of str to str or int", &value));
        }
        Ok((key.to_lowercase(), value.str()?.to_string()))
    };
    tags.iter().map(pair).collect()
}
