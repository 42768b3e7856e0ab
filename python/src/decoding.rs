//! `Decoder`: bytes that come one after the other, decoded as they come.

use std::sync::Arc;

use mapwave_core::{Error, Parameter};
use mapwave_fork::{LongLock, generation};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyType};

use crate::arguments::Reading;
use crate::arrays::ArrayLibrary;
use crate::growing::Growing;
use crate::interruption::interruptibly;
use crate::log::log_messages;

/// Decodes what is written to it. Bytes that were decoded stay on the disk, in a file without a name, not in memory.
#[pyclass(frozen, module = "mapwave")]
pub(crate) struct Decoding {
    library: Arc<ArrayLibrary>,
    generation: u32,
    /// None in a forked child. Taken for a call without waiting.
    state: LongLock<Option<State>>,
}

struct State {
    file: Growing,
    /// The first frame that was not returned.
    next: u64,
}

impl Decoding {
    pub(crate) fn new(library: Arc<ArrayLibrary>, reading: Reading, format: Option<String>) -> Self {
        let state = State { file: Growing::new(reading, format, "<stream>".to_owned()), next: 0 };
        Self { library, generation: generation(), state: LongLock::with(Some(state)) }
    }

    /// Works on the file, and returns the frames that are ready then.
    fn with_file<'py>(
        &self,
        py: Python<'py>,
        work: impl FnOnce(&mut Growing) -> mapwave_core::Result<()> + Send,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        if self.generation != generation() {
            let message = "this decoder belongs to the process that this one was forked from: make one here";
            return Err(PyRuntimeError::new_err(message));
        }
        let Some(mut state) = self.state.try_lock() else {
            return Err(PyValueError::new_err("another thread is writing to this decoder"));
        };
        let Some(State { file, next }) = state.as_mut() else { return Ok(None) };
        let worked = interruptibly(py, 1, |_| work(file));
        log_messages(py)?;
        worked?;
        let Some((reader, frames)) = file.settled_from(*next) else { return Ok(None) };
        let end = frames.end;
        let array = self.library.read(py, &reader, frames, file.reading())?;
        *next = end;
        Ok(Some(array))
    }

    fn with_reader<T>(&self, get: impl FnOnce(&Growing, &mapwave_core::Reader) -> T) -> Option<T> {
        let state = self.state.try_lock()?;
        let file = &state.as_ref()?.file;
        file.reader().map(|reader| get(file, reader))
    }
}

#[pymethods]
impl Decoding {
    /// `Decoding[Array]` in annotations.
    #[classmethod]
    fn __class_getitem__(cls: &Bound<'_, PyType>, _array: &Bound<'_, PyAny>) -> Py<PyType> {
        cls.clone().unbind()
    }

    /// Takes the next bytes, any number of them, and returns the frames that are complete with them, or None if there are none.
    fn write<'py>(&self, py: Python<'py>, data: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let bytes: PyBackedBytes = match data.extract() {
            Ok(bytes) => bytes,
            Err(_) => py
                .get_type::<PyBytes>()
                .call1((py.get_type::<pyo3::types::PyMemoryView>().call1((data,))?,))?
                .extract()?,
        };
        self.with_file(py, |file| {
            if file.is_finished() {
                let what = "cannot be written to after finish".to_owned();
                return Err(Error::Argument { path: None, parameter: Parameter::Writer, what });
            }
            file.append(&bytes)
        })
    }

    /// Returns the last frames, or None if there are none; no more bytes come. That the bytes are not a file of sound, or too few, is
    /// an error now.
    fn finish<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.with_file(py, Growing::finish)
    }

    /// The rate of the frames in Hz; None until it is known.
    #[getter]
    fn sample_rate(&self) -> Option<u32> {
        self.with_reader(|_, reader| reader.sample_rate())
    }

    /// The number of channels that are returned; None until it is known.
    #[getter]
    fn channels(&self) -> Option<usize> {
        self.with_reader(|file, reader| file.reading().spec.num_channels(reader.track().num_channels).ok())?
    }

    /// The number of frames that were returned.
    #[getter]
    fn frames_read(&self) -> u64 {
        self.state.try_lock().and_then(|state| state.as_ref().map(|state| state.next)).unwrap_or(0)
    }
}
