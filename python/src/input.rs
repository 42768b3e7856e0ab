//! What a caller may pass as `path`: a path, bytes, or a binary file object.

use std::path::PathBuf;

use mapwave_core::Reader;
use mapwave_core::source::{Access, Source};
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyByteArray, PyBytes, PyMemoryView, PyString};

use crate::errors::raise;
use crate::log::log_messages;

/// The path that an object stands for, in text or in the system's own bytes.
pub(crate) fn path_of(object: &Bound<'_, PyAny>) -> PyResult<PathBuf> {
    let py = object.py();
    let decode = || py.import(intern!(py, "os"))?.call_method1(intern!(py, "fsdecode"), (object,));
    object.extract().or_else(|_| decode()?.extract())
}

/// An input that can be opened without the interpreter.
pub(crate) enum FileInput {
    Path(PathBuf),
    Bytes(PyBackedBytes),
}

impl FileInput {
    /// Takes what the caller passed; a file object is read from its position to its end.
    pub(crate) fn new(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = object.py();
        if object.is_instance_of::<PyString>() || object.hasattr(intern!(py, "__fspath__"))? {
            return path_of(object).map(Self::Path);
        }
        if let Ok(bytes) = object.cast::<PyBytes>() {
            return Ok(Self::Bytes(bytes.clone().into()));
        }
        if object.is_instance_of::<PyByteArray>() || object.is_instance_of::<PyMemoryView>() {
            return Ok(Self::Bytes(copied(object)?.into()));
        }
        if !object.hasattr(intern!(py, "read"))? {
            let kind = object.get_type().name()?;
            return Err(PyTypeError::new_err(format!(
                "path must be a str, a path, bytes, a bytearray, a memoryview or a binary file object, got {kind}"
            )));
        }
        let contents = object.call_method0(intern!(py, "read"))?;
        match contents.cast_into::<PyBytes>() {
            Ok(bytes) => Ok(Self::Bytes(bytes.into())),
            Err(error) => {
                let kind = error.into_inner().get_type().name()?.to_string();
                let hint = if kind == "str" { "; open it in binary mode, 'rb'" } else { "" };
                Err(PyTypeError::new_err(format!(
                    "a file object's read() must return bytes, got {kind}{hint}"
                )))
            }
        }
    }

    /// Opens it, without the interpreter's lock, with the plugin of that name if one is given.
    pub(crate) fn open(self, access: Access, plugin: Option<&str>) -> mapwave_core::Result<Reader> {
        let source = match self {
            Self::Path(path) => Source::open(&path, access)?,
            Self::Bytes(bytes) => Source::from_bytes(bytes)?,
        };
        Reader::new(source, plugin)
    }
}

/// Opens what the caller passed, with the interpreter free meanwhile.
pub(crate) fn open(object: &Bound<'_, PyAny>, access: Access, plugin: Option<&str>) -> PyResult<Reader> {
    let input = FileInput::new(object)?;
    let py = object.py();
    let opened = py.detach(|| input.open(access, plugin));
    log_messages(py)?;
    opened.map_err(|error| raise(py, &error))
}

/// A copy of bytes that somebody else could change meanwhile.
fn copied<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    let bytes = object.py().get_type::<PyBytes>().call1((object,))?;
    Ok(bytes.cast_into::<PyBytes>()?)
}
