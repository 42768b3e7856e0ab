//! The argument `path`: a path, a URL, bytes, or a binary file object.

use std::fs::{File, Metadata};
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mapwave_core::source::{Access, Source};
use mapwave_core::{Choice, Error, Reader};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyByteArray, PyBytes, PyIterator, PyMemoryView, PyString};

use crate::errors::invalid;
use crate::interned::intern;
use crate::interruption::interruptibly;
use crate::log::log_messages;
use crate::ranges::{self, Kept, ObjectRanges, StorageOptions};

/// The path that an object stands for, in text or in the system's own bytes.
pub(crate) fn path_of(object: &Bound<'_, PyAny>) -> PyResult<PathBuf> {
    let py = object.py();
    // Every encoding that a file system's names can have writes ASCII alike.
    if let Some(text) = object.cast::<PyString>().ok().and_then(|text| text.to_str().ok())
        && text.is_ascii()
    {
        return Ok(PathBuf::from(text));
    }
    let decode = || py.import(intern!(py, "os"))?.call_method1(intern!(py, "fsdecode"), (object,));
    object.extract().or_else(|_| decode()?.extract())
}

/// Bytes of the interpreter. Whoever opens them keeps a reference until it has the interpreter's lock again: the last one dropped
/// without it would go onto a list of pyo3's, whose lock a child that is forked at that moment waits for.
pub(crate) type KeptBytes = Arc<PyBackedBytes>;

/// An input that can be opened without the interpreter.
#[derive(Clone)]
pub(crate) enum FileInput {
    Path(PathBuf),
    Bytes {
        bytes: KeptBytes,
        /// What errors call it.
        name: PathBuf,
    },
    /// A part of a file, such as the member of an archive.
    Part {
        file: PathBuf,
        bytes: Range<u64>,
        /// What errors call it.
        name: PathBuf,
    },
    /// A file that is open, from a place in it on.
    Open {
        file: Arc<File>,
        start: u64,
        /// What errors call it.
        name: PathBuf,
    },
    /// A seekable file object, of which this many bytes are left.
    Object {
        ranges: Arc<ObjectRanges>,
        num_bytes: u64,
        /// What errors call it.
        name: PathBuf,
    },
    /// A file on a server.
    Remote {
        url: PathBuf,
        options: Option<Arc<Kept>>,
    },
    /// A file object that had nothing more to read.
    AtItsEnd(PathBuf),
}

/// Modules whose file objects can seek, but read all from the beginning again to go back.
const SLOW_TO_SEEK: [&str; 5] = ["bz2", "compression.zstd", "gzip", "lzma", "zipfile"];

/// A file object of at most this many bytes is read whole, as one read is cheaper than two.
const MAX_SMALL: u64 = 64 << 10;

impl FileInput {
    /// Takes what the caller passed; a file object is read from its position to its end.
    pub(crate) fn new(object: &Bound<'_, PyAny>, options: &StorageOptions) -> PyResult<Self> {
        if let Some(url) = url_of(object) {
            return Ok(Self::Remote { url, options: options.0.clone() });
        }
        match Self::of_this_machine(object)? {
            input if options.0.is_none() => Ok(input),
            _ => Err(invalid(object.py(), "storage_options must be left out unless path is a URL")),
        }
    }

    fn of_this_machine(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = object.py();
        if object.is_instance_of::<PyString>() || object.hasattr(intern!(py, "__fspath__"))? {
            return path_of(object).map(Self::Path);
        }
        if let Ok(bytes) = object.cast::<PyBytes>() {
            return Ok(Self::Bytes { bytes: Arc::new(bytes.clone().into()), name: "<bytes>".into() });
        }
        if object.is_instance_of::<PyByteArray>() || object.is_instance_of::<PyMemoryView>() {
            return Ok(Self::Bytes { bytes: Arc::new(copied(object)?.into()), name: type_name(object)? });
        }
        if !object.hasattr(intern!(py, "read"))? {
            let kind = object.get_type().name()?;
            return Err(PyTypeError::new_err(format!(
                "path must be a str, a path, bytes, a bytearray, a memoryview or a binary file object, got {kind}"
            )));
        }
        // A text file is refused before it fails to decode the bytes of audio.
        let io = py.import(intern!(py, "io"))?;
        if object.is_instance(&io.getattr(intern!(py, "TextIOBase"))?)? {
            let message = "a file object's read() must return bytes, got str; open it in binary mode, 'rb'";
            return Err(PyTypeError::new_err(message));
        }
        Self::of_file_object(object, &io)
    }

    /// A file object that can seek is read in ranges, but for those in memory and those to which going back is slow.
    fn of_file_object(object: &Bound<'_, PyAny>, io: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = object.py();
        let name = name_of(object)?;
        let kind = object.get_type();
        let is_one_of = |names: &[&str]| -> PyResult<bool> {
            names.iter().try_fold(false, |found, name| Ok(found || kind.is(&io.getattr(*name)?)))
        };
        let module = kind.module().map_or_else(|_| String::new(), |module| module.to_string());
        let is_slow = SLOW_TO_SEEK.contains(&module.as_str());
        let can_seek = !is_slow
            && !is_one_of(&["BytesIO"])?
            && object.hasattr(intern!(py, "seekable"))?
            && object.call_method0(intern!(py, "seekable"))?.is_truthy()?;
        if !can_seek {
            return Self::read_whole(object, name);
        }
        let start: u64 = object.call_method0(intern!(py, "tell"))?.extract()?;
        let end: u64 = object.call_method1(intern!(py, "seek"), (0, 2))?.extract()?;
        if let Some(file) =
            if is_one_of(&["BufferedReader", "FileIO"])? { regular_file(object) } else { None }
        {
            return if start < end { Ok(Self::Open { file, start, name }) } else { Ok(Self::AtItsEnd(name)) };
        }
        match end.saturating_sub(start) {
            0 => Ok(Self::AtItsEnd(name)),
            1..=MAX_SMALL => {
                object.call_method1(intern!(py, "seek"), (start,))?;
                Self::read_whole(object, name)
            }
            num_bytes => {
                let ranges = Arc::new(ObjectRanges::new(object.clone(), start, name.clone()));
                Ok(Self::Object { ranges, num_bytes, name })
            }
        }
    }

    /// Reads a file object until it has no more.
    fn read_whole(object: &Bound<'_, PyAny>, name: PathBuf) -> PyResult<Self> {
        let py = object.py();
        let mut bytes = ranges::bytes_of(&object.call_method0(intern!(py, "read"))?)?;
        if bytes.is_empty() {
            return Ok(Self::AtItsEnd(name));
        }
        // A read that returned less is read on.
        let mut more = ranges::bytes_of(&object.call_method0(intern!(py, "read"))?)?;
        if !more.is_empty() {
            let mut all = bytes.to_vec();
            while !more.is_empty() {
                all.extend_from_slice(&more);
                more = ranges::bytes_of(&object.call_method0(intern!(py, "read"))?)?;
            }
            bytes = PyBackedBytes::from(PyBytes::new(py, &all));
        }
        Ok(Self::Bytes { bytes: Arc::new(bytes), name })
    }

    /// What must outlive the input and its reader, see [`KeptBytes`].
    pub(crate) fn kept(&self) -> Option<KeptBytes> {
        match self {
            Self::Bytes { bytes, .. } => Some(Arc::clone(bytes)),
            _ => None,
        }
    }

    /// Opens it, without the interpreter's lock.
    pub(crate) fn open(self, access: Access, choice: Choice<'_>) -> mapwave_core::Result<Reader> {
        let source = match self {
            Self::Path(path) => Source::open(&path, access)?,
            Self::Part { file, bytes, name } => Source::open_part(&file, bytes, &name, access)?,
            Self::Bytes { bytes, name } => {
                Source::from_bytes(Shared(bytes)).map_err(|error| error.in_file(&name))?.with_name(name)
            }
            Self::Open { file, start, name } => {
                let file = file.try_clone().map_err(|cause| {
                    let path = Some(name.clone());
                    Error::Io { path, doing: "opening", offset: None, cause }
                })?;
                Source::from_open_file(file, start, &name, access)?
            }
            Self::Object { ranges, num_bytes, name } => {
                Source::from_ranges(ranges, num_bytes, access)?.with_name(name)
            }
            Self::Remote { url, options } => {
                let (ranges, num_bytes) = ranges::open_remote(&url, options.as_deref()).map_err(|cause| {
                    Error::Io { path: Some(url.clone()), doing: "opening", offset: None, cause }
                })?;
                Source::from_ranges(ranges, num_bytes, access)
                    .map_err(|error| error.in_file(&url))?
                    .with_name(url)
            }
            Self::AtItsEnd(name) => {
                let what = "there are no bytes to read (0 bytes): the file object is empty or at its end, and seek(0) goes \
                            back to its start";
                let what = what.to_owned();
                return Err(Error::Unsupported { path: Some(name), container: None, codec: None, what });
            }
        };
        Reader::new(source, choice)
    }
}

/// Bytes that are kept elsewhere as well.
struct Shared(KeptBytes);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Takes an iterable of what [`FileInput::new`] takes.
pub(crate) fn each(paths: &Bound<'_, PyAny>, options: &StorageOptions) -> PyResult<Vec<FileInput>> {
    iterated(paths)?.map(|path| FileInput::new(&path?, options)).collect()
}

/// The iterator of an iterable of inputs, which a single one is not.
pub(crate) fn iterated<'py>(paths: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyIterator>> {
    let py = paths.py();
    let is_one = paths.is_instance_of::<PyString>()
        || paths.is_instance_of::<PyBytes>()
        || paths.is_instance_of::<PyByteArray>()
        || paths.is_instance_of::<PyMemoryView>()
        || paths.hasattr(intern!(py, "read"))?;
    let iterator = paths.try_iter().ok().filter(|_| !is_one);
    let Some(iterator) = iterator else {
        let kind = paths.get_type().name()?;
        let message =
            format!("paths must be an iterable of paths or files, got {kind}; for one file pass [path]");
        return Err(PyTypeError::new_err(message));
    };
    Ok(iterator)
}

/// Opens what the caller passed, with the interpreter free meanwhile, and makes something of it.
pub(crate) fn open<T: Send>(
    object: &Bound<'_, PyAny>,
    options: &StorageOptions,
    access: Access,
    choice: Choice<'_>,
    then: impl FnOnce(Reader) -> mapwave_core::Result<T> + Send,
) -> PyResult<T> {
    let input = FileInput::new(object, options)?;
    let py = object.py();
    let kept = input.kept();
    let opened = interruptibly(py, 1, |_| input.open(access, choice).and_then(then));
    drop(kept);
    log_messages(py)?;
    opened
}

/// What errors call a file object that cannot seek; None for everything else.
pub(crate) fn pipe_name(object: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
    let py = object.py();
    let is_text = || -> PyResult<bool> {
        object.is_instance(&py.import(intern!(py, "io"))?.getattr(intern!(py, "TextIOBase"))?)
    };
    let is_path = object.is_instance_of::<PyString>() || object.hasattr(intern!(py, "__fspath__"))?;
    if is_path || !object.hasattr(intern!(py, "read"))? || is_text()? {
        return Ok(None);
    }
    let can_seek = match object.hasattr(intern!(py, "seekable"))? {
        true => object.call_method0(intern!(py, "seekable"))?.is_truthy()?,
        false => object.hasattr(intern!(py, "seek"))?,
    };
    Ok(if can_seek { None } else { Some(name_of(object)?.to_string_lossy().into_owned()) })
}

/// The URL that a str is, such as `https://..` or `zip://a.wav::s3://..`, unless a file has that name.
pub(crate) fn url_of(object: &Bound<'_, PyAny>) -> Option<PathBuf> {
    let text = object.cast::<PyString>().ok()?.to_str().ok()?;
    if text.starts_with('/') {
        return None; // a path from the root, as most are
    }
    let (protocol, _) = text.split_once("://")?;
    let is_legal = |letter: char| letter.is_ascii_alphanumeric() || "+-.:_".contains(letter);
    let is_url =
        protocol.starts_with(|letter: char| letter.is_ascii_alphabetic()) && protocol.chars().all(is_legal);
    (is_url && !Path::new(text).exists()).then(|| PathBuf::from(text))
}

/// The regular file of a file object that reads it and nothing else.
fn regular_file(object: &Bound<'_, PyAny>) -> Option<Arc<File>> {
    let fd: i32 = object.call_method0(intern!(object.py(), "fileno")).ok()?.extract().ok()?;
    let file = File::from(duplicate(fd)?);
    file.metadata().ok().filter(Metadata::is_file).map(|_| Arc::new(file))
}

/// Another descriptor of an open file.
fn duplicate(fd: i32) -> Option<OwnedFd> {
    // The link is to the file that the descriptor has open, which is opened again by it, where the system has such links.
    let link =
        if cfg!(target_os = "linux") { format!("/proc/self/fd/{fd}") } else { format!("/dev/fd/{fd}") };
    File::open(link).ok().map(OwnedFd::from)
}

/// What errors call a file object: its name where it has one, else its type.
fn name_of(object: &Bound<'_, PyAny>) -> PyResult<PathBuf> {
    let name = object.getattr(intern!(object.py(), "name"));
    // The name of a file that was opened by its descriptor is a number.
    match name.and_then(|name| path_of(&name)) {
        Ok(name) if !name.as_os_str().is_empty() => Ok(name),
        _ => type_name(object),
    }
}

fn type_name(object: &Bound<'_, PyAny>) -> PyResult<PathBuf> {
    Ok(format!("<{}>", object.get_type().name()?).into())
}

/// A copy of bytes that another thread could change meanwhile.
fn copied<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    let bytes = object.py().get_type::<PyBytes>().call1((object,))?;
    Ok(bytes.cast_into::<PyBytes>()?)
}
