//! `Stream`: a file in chunks, one after the other.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use mapwave_core::Reader;
use mapwave_fork::LongLock;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyType;

use crate::arguments::Reading;
use crate::arrays::ArrayLibrary;
use crate::errors::raise;
use crate::pipe::Pipe;

/// An iterator of (chunk, sample_rate).
#[pyclass(frozen, module = "mapwave")]
pub(crate) struct Stream {
    library: Arc<ArrayLibrary>,
    input: Input,
    /// The frames in every chunk except the last, which may be shorter.
    #[pyo3(get)]
    chunk_frames: u64,
    /// The chunks' sample rate in Hz.
    #[pyo3(get)]
    sample_rate: u32,
    /// The number of channels in a chunk.
    #[pyo3(get)]
    channels: usize,
}

/// Where the frames come from.
enum Input {
    File {
        reader: Box<Reader>,
        frames: Range<u64>,
        reading: Box<Reading>,
        /// The first frame that was not read yet. Only locked with the interpreter's lock, without which the process cannot be
        /// forked.
        next: Mutex<u64>,
    },
    /// What has no end yet; None in a forked child. Taken for a call without waiting.
    Pipe(LongLock<Option<Pipe>>),
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
        let channels = reading.spec.num_channels(reader.track().num_channels);
        let channels = channels.map_err(|error| raise(py, &reader.named(error)))?;
        let (next, sample_rate) = (Mutex::new(frames.start), reader.sample_rate());
        let input = Input::File { reader: Box::new(reader), frames, reading: Box::new(reading), next };
        Ok(Self { library, input, chunk_frames, sample_rate, channels })
    }

    pub(crate) fn of_pipe(
        py: Python<'_>,
        library: Arc<ArrayLibrary>,
        pipe: Pipe,
        chunk_frames: u64,
    ) -> PyResult<Self> {
        let facts = pipe.reader().map(|reader| (reader.sample_rate(), reader.track().num_channels));
        let (sample_rate, num_channels) = facts.unwrap_or((1, 1));
        let channels = pipe.reading().spec.num_channels(num_channels).map_err(|error| raise(py, &error))?;
        let input = Input::Pipe(LongLock::with(Some(pipe)));
        Ok(Self { library, input, chunk_frames, sample_rate, channels })
    }
}

/// Works on a pipe, unless another thread does.
fn with_pipe<T>(lock: &LongLock<Option<Pipe>>, work: impl FnOnce(&mut Pipe) -> PyResult<T>) -> PyResult<T> {
    let Some(mut pipe) = lock.try_lock() else {
        return Err(PyValueError::new_err("another thread is waiting for the next chunk of this stream"));
    };
    match pipe.as_mut() {
        Some(pipe) => work(pipe),
        None => {
            Err(PyValueError::new_err("this stream belongs to the process that this one was forked from"))
        }
    }
}

fn position(next: &Mutex<u64>) -> u64 {
    *next.lock().unwrap_or_else(PoisonError::into_inner)
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
        let array = match &self.input {
            Input::File { reader, frames, reading, next } => {
                // The chunk is claimed first, so that two threads never read the same one, and the lock is not held meanwhile.
                let chunk = {
                    let mut next = next.lock().unwrap_or_else(PoisonError::into_inner);
                    let chunk = *next..next.saturating_add(self.chunk_frames).min(frames.end);
                    *next = chunk.end;
                    chunk
                };
                self.library.read(py, reader, chunk, reading)?
            }
            Input::Pipe(pipe) => with_pipe(pipe, |pipe| {
                let (reader, frames) = pipe.take(py, self.chunk_frames)?;
                let end = frames.end;
                let array = self.library.read(py, &reader, frames, pipe.reading())?;
                pipe.pass(end);
                Ok(array)
            })?,
        };
        Ok((array, self.sample_rate))
    }

    /// Whether everything has been read. Of a file that cannot seek it reads on until that is known.
    fn at_eof(&self, py: Python<'_>) -> PyResult<bool> {
        match &self.input {
            Input::File { frames, next, .. } => Ok(position(next) == frames.end),
            Input::Pipe(pipe) => with_pipe(pipe, |pipe| pipe.is_at_end(py)),
        }
    }

    /// The number of frames read so far.
    #[getter]
    fn frames_read(&self) -> PyResult<u64> {
        match &self.input {
            Input::File { frames, next, .. } => Ok(position(next) - frames.start),
            Input::Pipe(pipe) => with_pipe(pipe, |pipe| Ok(pipe.frames_read())),
        }
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<(Bound<'py, PyAny>, u32)>> {
        if self.at_eof(py)? { Ok(None) } else { self.read_chunk(py).map(Some) }
    }
}
