//! The argument `path`: a path, bytes, or a binary file object.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use mapwave_core::source::{Access, Source};
use mapwave_core::{Choice, Error, Reader};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyByteArray, PyBytes, PyIterator, PyMemoryView, PyString};

use crate::interned::intern;
use crate::interruption::interruptibly;
use crate::log::log_messages;

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
    /// A file object that had nothing more to read.
    AtItsEnd(PathBuf),
}

impl FileInput {
    /// Takes what the caller passed; a file object is read from its position to its end.
    pub(crate) fn new(object: &Bound<'_, PyAny>) -> PyResult<Self> {
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
        let wrong = |kind: &str| {
            let hint = if kind == "str" { "; open it in binary mode, 'rb'" } else { "" };
            PyTypeError::new_err(format!("a file object's read() must return bytes, got {kind}{hint}"))
        };
        // A text file is refused before it fails to decode the bytes of audio.
        if object.is_instance(&py.import(intern!(py, "io"))?.getattr(intern!(py, "TextIOBase"))?)? {
            return Err(wrong("str"));
        }
        let name = name_of(object)?;
        match object.call_method0(intern!(py, "read"))?.cast_into::<PyBytes>() {
            Ok(bytes) if bytes.as_bytes().is_empty() => Ok(Self::AtItsEnd(name)),
            Ok(bytes) => Ok(Self::Bytes { bytes: Arc::new(bytes.into()), name }),
            Err(error) => Err(wrong(&error.into_inner().get_type().name()?.to_string())),
        }
    }

    /// What must outlive the input and its reader, see [`KeptBytes`].
    pub(crate) fn kept(&self) -> Option<KeptBytes> {
        match self {
            Self::Bytes { bytes, .. } => Some(Arc::clone(bytes)),
            Self::Path(_) | Self::Part { .. } | Self::AtItsEnd(_) => None,
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
pub(crate) fn each(paths: &Bound<'_, PyAny>) -> PyResult<Vec<FileInput>> {
    iterated(paths)?.map(|path| FileInput::new(&path?)).collect()
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
    access: Access,
    choice: Choice<'_>,
    then: impl FnOnce(Reader) -> mapwave_core::Result<T> + Send,
) -> PyResult<T> {
    let input = FileInput::new(object)?;
    let py = object.py();
    let kept = input.kept();
    let opened = interruptibly(py, 1, |_| input.open(access, choice).and_then(then));
    drop(kept);
    log_messages(py)?;
    opened
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
