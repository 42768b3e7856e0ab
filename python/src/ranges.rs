//! Bytes that Python has, fetched in ranges: a seekable file object, or a file on a server.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mapwave_core::source::RangedRead;
use mapwave_fork::LongLock;
use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

use crate::errors::reading_failed;
use crate::interned::{import, intern};

/// The bytes of a file object that are asked for at once, so that Ctrl-C is heard between them.
const PIECE_BYTES: usize = 4 << 20;

/// An object of Python's that any thread may drop.
pub(crate) struct Kept(Option<Py<PyAny>>);

impl Kept {
    pub(crate) fn new(object: Bound<'_, PyAny>) -> Self {
        Self(Some(object.unbind()))
    }

    fn bind<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.0.as_ref().map_or_else(|| py.None().into_bound(py), |object| object.bind(py).clone())
    }
}

/// With the interpreter's lock: without it the object would go onto a list of pyo3's, whose lock a child that is forked at that
/// moment waits for.
impl Drop for Kept {
    fn drop(&mut self) {
        let object = self.0.take();
        // An object that outlives the interpreter stays where it is.
        let mut left = Some(object);
        if Python::try_attach(|_| drop(left.take())).is_none() {
            std::mem::forget(left);
        }
    }
}

/// What fsspec makes the file system of a URL with, if anything.
#[derive(Clone, Default)]
pub(crate) struct StorageOptions(pub(crate) Option<Arc<Kept>>);

/// A seekable file object from a place in it to its end.
pub(crate) struct ObjectRanges {
    object: Kept,
    start: u64,
    name: PathBuf,
    /// Held by the thread that seeks and reads.
    turn: LongLock<()>,
}

impl ObjectRanges {
    pub(crate) fn new(object: Bound<'_, PyAny>, start: u64, name: PathBuf) -> Self {
        Self { object: Kept::new(object), start, name, turn: LongLock::with(()) }
    }

    fn fill(&self, py: Python<'_>, offset: u64, out: &mut [u8]) -> PyResult<()> {
        let object = self.object.bind(py);
        object.call_method1(intern!(py, "seek"), (self.start + offset,))?;
        read_exactly(&object, out)
    }
}

impl RangedRead for ObjectRanges {
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let _turn = self.turn.lock();
        attached(|py| {
            self.fill(py, offset, out).map_err(|error| reading_failed(py, &self.name, offset, error))
        })
    }
}

/// A file on a server.
struct RemoteRanges {
    /// Takes the first byte and the one after the last.
    fetch: Kept,
    turn: LongLock<()>,
}

impl RangedRead for RemoteRanges {
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let _turn = self.turn.lock();
        attached(|py| {
            let end = offset + out.len() as u64;
            let bytes: PyBackedBytes = self.fetch.bind(py).call1((offset, end))?.extract()?;
            if bytes.len() != out.len() {
                let (expected, found) = (out.len(), bytes.len());
                return Err(PyOSError::new_err(format!("expected {expected} bytes, got {found}")));
            }
            out.copy_from_slice(&bytes);
            Ok(())
        })
    }
}

/// Finds a file on a server: what fetches its bytes, and their number. It waits for the server.
pub(crate) fn open_remote(url: &Path, options: Option<&Kept>) -> io::Result<(Arc<dyn RangedRead>, u64)> {
    attached(|py| {
        let opened = import(py, intern!(py, "mapwave._remote"))?.getattr("opened")?;
        let options = options.map(|options| options.bind(py));
        let (size, fetch): (u64, Bound<'_, PyAny>) =
            opened.call1((url.to_string_lossy(), options))?.extract()?;
        let ranges = RemoteRanges { fetch: Kept::new(fetch), turn: LongLock::with(()) };
        Ok((Arc::new(ranges) as Arc<dyn RangedRead>, size))
    })
}

/// Fills all of `out` from a file object's position on; a read that returns less is read on.
pub(crate) fn read_exactly(object: &Bound<'_, PyAny>, out: &mut [u8]) -> PyResult<()> {
    let py = object.py();
    let mut filled = 0;
    while let Some(rest) = out.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        let wanted = rest.len().min(PIECE_BYTES);
        let bytes = bytes_of(&object.call_method1(intern!(py, "read"), (wanted,))?)?;
        let place = rest.get_mut(..bytes.len()).filter(|_| bytes.len() <= wanted);
        match place {
            Some([]) | None => {
                let got = bytes.len();
                return Err(PyOSError::new_err(format!(
                    "read({wanted}) returned {got} bytes, {} before the end of the file",
                    rest.len()
                )));
            }
            Some(place) => place.copy_from_slice(&bytes),
        }
        filled += bytes.len();
    }
    Ok(())
}

/// The bytes that a file object's read() has returned.
pub(crate) fn bytes_of(read: &Bound<'_, PyAny>) -> PyResult<PyBackedBytes> {
    if read.is_none() {
        let message = "a file object's read() returned None: it does not block, and has no bytes now";
        return Err(pyo3::exceptions::PyBlockingIOError::new_err(message));
    }
    read.extract().map_err(|_| {
        let kind =
            read.get_type().name().map_or_else(|_| "something else".to_owned(), |name| name.to_string());
        let hint = if kind == "str" { "; open it in binary mode, 'rb'" } else { "" };
        let message = format!("a file object's read() must return bytes, got {kind}{hint}");
        pyo3::exceptions::PyTypeError::new_err(message)
    })
}

fn attached<T>(call: impl FnOnce(Python<'_>) -> PyResult<T>) -> io::Result<T> {
    // None when the interpreter is on its way out.
    let result =
        Python::try_attach(call).ok_or_else(|| io::Error::other("the interpreter is shutting down"))?;
    result.map_err(io::Error::other)
}
