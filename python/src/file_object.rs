//! A file object of Python that a file is written to.

use std::io;
use std::sync::Arc;

use mapwave_core::sink::ByteSink;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::interned::intern;

/// The bytes that are passed on at a time.
const PIECE_BYTES: usize = 1 << 20;

/// A binary file object. Bytes go there from its present position on; exceptions of its methods come out as they are.
pub(crate) struct FileObject {
    /// Shared with whoever waits for the file, so that the last reference is dropped with the interpreter's lock.
    object: Arc<Py<PyAny>>,
    /// Where the first byte goes, when it can seek.
    start: Option<u64>,
    /// Where the object stands, counted from the first byte; None after a failure.
    position: Option<u64>,
    /// Whether None as the number of bytes that were taken means that it would have blocked.
    is_raw: bool,
    /// Whether it is an `Encoder`'s, which passes bytes on as they come.
    is_live: bool,
}

impl FileObject {
    /// Takes what has a `write` for bytes.
    pub(crate) fn new(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = object.py();
        if !object.hasattr(intern!(py, "write"))? {
            let kind = object.get_type().name()?;
            return Err(PyTypeError::new_err(format!(
                "path must be a str, a path or a writable binary file object, got {kind}"
            )));
        }
        let text = py.import(intern!(py, "io"))?.getattr(intern!(py, "TextIOBase"))?;
        if object.is_instance(&text)? {
            return Err(PyTypeError::new_err("a file object must be binary; open it in binary mode, 'wb'"));
        }
        let says_yes = |name| -> PyResult<bool> {
            match object.hasattr(name)? {
                true => object.call_method0(name)?.is_truthy(),
                false => Ok(false),
            }
        };
        if object.hasattr("writable")? && !says_yes("writable")? {
            return Err(PyTypeError::new_err("a file object must be writable; open it in mode 'wb'"));
        }
        // What is open for appending may seek, but writes at its end all the same.
        let mode = object.getattr(intern!(py, "mode")).and_then(|mode| mode.extract::<String>());
        let appends = mode.is_ok_and(|mode| mode.contains('a'));
        let start = match !appends && says_yes("seekable")? {
            true => Some(object.call_method0(intern!(py, "tell"))?.extract()?),
            false => None,
        };
        let raw = py.import(intern!(py, "io"))?.getattr(intern!(py, "RawIOBase"))?;
        let is_raw = object.is_instance(&raw)?;
        let is_live = object.hasattr(intern!(py, "_mapwave_is_live"))?;
        Ok(Self { object: Arc::new(object.clone().unbind()), start, position: Some(0), is_raw, is_live })
    }

    /// Leaves the object at the end of a file of this size, when it can seek.
    pub(crate) fn settle(object: &Bound<'_, PyAny>, start: Option<u64>, num_bytes: u64) -> PyResult<()> {
        if let Some(start) = start {
            object.call_method1(intern!(object.py(), "seek"), (start + num_bytes,))?;
        }
        Ok(())
    }

    /// The object.
    pub(crate) fn object(&self) -> Arc<Py<PyAny>> {
        Arc::clone(&self.object)
    }

    /// Where the first byte goes, when the object can seek.
    pub(crate) fn start(&self) -> Option<u64> {
        self.start
    }

    fn write(&mut self, py: Python<'_>, offset: u64, bytes: &[u8]) -> PyResult<()> {
        let object = self.object.bind(py);
        if self.position.take() != Some(offset) {
            let Some(start) = self.start else {
                return Err(pyo3::exceptions::PyOSError::new_err("the file object cannot seek"));
            };
            object.call_method1(intern!(py, "seek"), (start + offset,))?;
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            let piece = rest.get(..PIECE_BYTES).unwrap_or(rest);
            let written = object.call_method1(intern!(py, "write"), (PyBytes::new(py, piece),))?;
            if written.is_none() && !self.is_raw {
                rest = rest.get(piece.len()..).unwrap_or_default();
                continue;
            }
            // Raw files may take less than they were given, and say None when they would block.
            let count = written.extract::<usize>().ok().filter(|count| (1..=piece.len()).contains(count));
            let Some(count) = count else {
                let (said, asked) = (written.repr()?.to_string(), piece.len());
                return Err(pyo3::exceptions::PyOSError::new_err(format!(
                    "the file object's write() returned {said} for {asked} bytes; it must take at least one"
                )));
            };
            rest = rest.get(count..).unwrap_or_default();
        }
        self.position = Some(offset + bytes.len() as u64);
        Ok(())
    }
}

impl ByteSink for FileObject {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        // None when the interpreter is on its way out.
        let written = Python::try_attach(|py| self.write(py, offset, bytes));
        written.ok_or_else(|| io::Error::other("the interpreter is shutting down"))?.map_err(io::Error::other)
    }

    fn is_append_only(&self) -> bool {
        self.start.is_none()
    }

    fn is_live(&self) -> bool {
        self.is_live
    }
}
