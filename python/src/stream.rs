//! `Stream`: a file in chunks, one after the other.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use mapwave_core::Reader;
use pyo3::prelude::*;
use pyo3::types::PyType;

use crate::arguments::Reading;
use crate::arrays::ArrayLibrary;
use crate::errors::raise;

/// An iterator of (chunk, sample_rate).
#[pyclass(frozen, module = "mapwave")]
pub(crate) struct Stream {
    library: Arc<ArrayLibrary>,
    reader: Reader,
    frames: Range<u64>,
    reading: Reading,
    /// The frames in every chunk except the last, which may be shorter.
    #[pyo3(get)]
    chunk_frames: u64,
    /// The chunks' sample rate in Hz.
    #[pyo3(get)]
    sample_rate: u32,
    /// The number of channels in a chunk.
    #[pyo3(get)]
    channels: usize,
    /// The first frame that was not read yet. Only locked with the interpreter's lock, without which the process cannot be forked.
    next: Mutex<u64>,
}

impl Stream {
    pub(crate) fn new(
        py: Python<'_>,
        library: Arc<ArrayLibrary>,
        reader: Reader,
        frames: Range<u64>,
        reading: Reading,
        chunk_frames: u64,
    ) -> PyResult<Self> {
        let channels =
            reading.spec.num_channels(reader.track().num_channels).map_err(|error| raise(py, &error))?;
        let (next, sample_rate) = (Mutex::new(frames.start), reader.sample_rate());
        Ok(Self { library, reader, frames, reading, chunk_frames, sample_rate, channels, next })
    }

    fn position(&self) -> u64 {
        *self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl Stream {
    /// `Stream[Array]` in annotations.
    #[classmethod]
    fn __class_getitem__(cls: &Bound<'_, PyType>, _array: &Bound<'_, PyAny>) -> Py<PyType> {
        cls.clone().unbind()
    }

    /// Reads the next chunk, which has no frames at the end.
    fn read_chunk<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, u32)> {
        // The chunk is claimed first, so that two threads never read the same one, and the lock is not held meanwhile.
        let chunk = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let chunk = *next..next.saturating_add(self.chunk_frames).min(self.frames.end);
            *next = chunk.end;
            chunk
        };
        Ok((self.library.read(py, &self.reader, chunk, &self.reading)?, self.sample_rate))
    }

    /// Whether everything has been read.
    fn at_eof(&self) -> bool {
        self.position() == self.frames.end
    }

    /// The number of frames read so far.
    #[getter]
    fn frames_read(&self) -> u64 {
        self.position() - self.frames.start
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<(Bound<'py, PyAny>, u32)>> {
        if self.at_eof() { Ok(None) } else { self.read_chunk(py).map(Some) }
    }
}
