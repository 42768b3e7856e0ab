//! `Writer`: a file that is written in parts.

use std::sync::{Mutex, PoisonError};

use mapwave::sink;
use mapwave::{Layout, OutputFormat};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arrays::interruptibly;
use crate::errors::raise;
use crate::plugins::log_messages;
use crate::samples::Samples;
use crate::save_options::{Arguments, Place};

/// A file that is written in parts, for audio that need not fit the memory. It is at its path once it is closed.
#[pyclass(frozen, module = "mapwave")]
pub(crate) struct Writer {
    layout: Layout,
    /// The sample rate in Hz.
    #[pyo3(get)]
    sample_rate: u32,
    /// The number of channels.
    #[pyo3(get)]
    channels: u16,
    max_threads: usize,
    state: Mutex<State>,
}

struct State {
    /// None once the writer is closed.
    file: Option<sink::Writer>,
    object: Option<(Py<PyAny>, Option<u64>)>,
    num_frames: u64,
}

impl Writer {
    /// Begins a file; `arguments` are those of `open` that it does not share with reading.
    pub(crate) fn new(
        py: Python<'_>,
        path: &Bound<'_, PyAny>,
        channels: u16,
        format: OutputFormat,
        layout: Layout,
        arguments: &Bound<'_, PyDict>,
    ) -> PyResult<Self> {
        let place = Place::new(path)?;
        let options = Arguments::new(arguments, "open")?.options(py, &place, channels)?;
        let (target, settlement) = place.into_target();
        let (sample_rate, max_threads) = (options.sample_rate, options.max_threads);
        let file = py.detach(|| sink::Writer::create(target, options, format, None));
        log_messages(py)?;
        let file = file.map_err(|error| raise(py, &error))?;
        let state = State { file: Some(file), object: settlement.unbind(), num_frames: 0 };
        Ok(Self { layout, sample_rate, channels, max_threads, state: Mutex::new(state) })
    }

    /// Runs a part of the work with the writer's state, one at a time, without the interpreter's lock.
    fn with_state<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut State, &mapwave::Effort<'_>) -> mapwave::Result<T> + Send,
    ) -> PyResult<T> {
        let result = interruptibly(py, self.max_threads, |effort| {
            work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner), effort)
        });
        log_messages(py)?;
        result
    }

    fn is_closed(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).file.is_none()
    }

    fn check_open(&self) -> PyResult<()> {
        match self.is_closed() {
            true => Err(PyValueError::new_err("the writer is closed")),
            false => Ok(()),
        }
    }
}

#[pymethods]
impl Writer {
    /// Adds frames: an array of the writer's dtype, layout and number of channels, or of one axis when there is one channel.
    fn write(&self, py: Python<'_>, chunk: &Bound<'_, PyAny>) -> PyResult<()> {
        self.check_open()?;
        let samples = Samples::new(chunk)?;
        let audio = samples.audio(py, Some(self.layout))?;
        self.with_state(py, |state, effort| {
            let Some(file) = &mut state.file else { return Ok(()) };
            file.write(&audio, effort)?;
            state.num_frames = file.num_frames();
            Ok(())
        })
    }

    /// Completes the file and puts it in its place; more than once is of no effect.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        if self.is_closed() {
            return Ok(());
        }
        let saved = self.with_state(py, |state, effort| match state.file.take() {
            Some(file) => file.finish(effort).map(|saved| Some((saved, state.object.take()))),
            None => Ok(None),
        })?;
        match saved {
            Some((saved, Some((object, start)))) => {
                crate::file_object::FileObject::settle(object.bind(py), start, saved.num_bytes)
            }
            _ => Ok(()),
        }
    }

    /// Gives the file up: the old one stays as it was, and nothing else is left behind.
    fn abort(&self, py: Python<'_>) -> PyResult<()> {
        self.with_state(py, |state, _| {
            state.file = None;
            Ok(())
        })
    }

    /// Whether the writer is closed.
    #[getter]
    fn closed(&self) -> bool {
        self.is_closed()
    }

    /// The number of frames that were written.
    #[getter]
    fn frames_written(&self) -> u64 {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).num_frames
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    /// Closes the file, or gives it up when an exception has come.
    fn __exit__(
        &self,
        py: Python<'_>,
        kind: &Bound<'_, PyAny>,
        _value: &Bound<'_, PyAny>,
        _traceback: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        match kind.is_none() {
            true => self.close(py),
            false => self.abort(py),
        }
    }

    fn __repr__(&self) -> String {
        let state = if self.is_closed() { "closed" } else { "open" };
        let (sample_rate, channels) = (self.sample_rate, self.channels);
        format!("<mapwave.Writer {state}, sample_rate={sample_rate}, channels={channels}>")
    }
}
