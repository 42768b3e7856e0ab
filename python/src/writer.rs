//! `Writer`: a file that is written in parts.

use std::ffi::CString;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, ThreadId};

use mapwave_core::sink;
use mapwave_core::{Error, Layout, OutputFormat};
use mapwave_fork::{Lock, LongLock, generation};
use pyo3::exceptions::{PyResourceWarning, PyRuntimeError, PyValueError};
use pyo3::prelude::*;

use crate::arguments::{Settlement, Writing};
use crate::errors::raise;
use crate::interruption::interruptibly;
use crate::log::log_messages;
use crate::samples::Samples;

/// A file that is written in parts, for audio larger than memory. It appears at its path when it is closed.
#[pyclass(frozen, module = "mapwave")]
pub(crate) struct Writer {
    /// Where the file is to appear, unless it is an object.
    path: Option<PathBuf>,
    layout: Layout,
    /// The sample rate in Hz.
    #[pyo3(get)]
    sample_rate: u32,
    /// The number of channels.
    #[pyo3(get)]
    channels: u16,
    max_threads: usize,
    /// The process that opened it, to which it belongs: a forked child has a copy.
    generation: u32,
    /// Only waited for without the interpreter's lock, which the thread that has it may need for its work.
    state: LongLock<State>,
    is_closed: AtomicBool,
    num_frames: AtomicU64,
    /// The thread that works with the state, while one does.
    worker: Lock<Option<ThreadId>>,
}

#[derive(Default)]
struct State {
    /// None once the writer is closed.
    file: Option<sink::Writer>,
    object: Settlement,
}

impl Writer {
    /// Begins a file of arrays of this layout; the type chooses the encoding where the arguments leave it open.
    pub(crate) fn new(
        py: Python<'_>,
        writing: Writing<'_>,
        format: OutputFormat,
        layout: Layout,
    ) -> PyResult<Self> {
        let Writing { place, options } = writing;
        let (target, settlement) = place.into_target();
        let path = target.path().map(PathBuf::from);
        let (sample_rate, channels, max_threads) =
            (options.sample_rate, options.num_channels, options.max_threads);
        let file = interruptibly(py, 1, |_| sink::Writer::create(target, options, format, None));
        log_messages(py)?;
        let file = file?;
        let state = State { file: Some(file), object: settlement };
        Ok(Self {
            path,
            layout,
            sample_rate,
            channels,
            max_threads,
            generation: generation(),
            state: LongLock::with(state),
            is_closed: AtomicBool::new(false),
            num_frames: AtomicU64::new(0),
            worker: Lock::new(),
        })
    }

    /// Runs a part of the work with the writer's state, one at a time, without the interpreter's lock. A file object's method
    /// or a signal's handler that calls the writer in the middle of it would deadlock, and gets an error instead.
    fn with_state<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut State, &mapwave_core::ReadControl<'_>) -> mapwave_core::Result<T> + Send,
    ) -> PyResult<T> {
        if self.generation != generation() {
            return Err(raise(py, &Error::writer_of_parent()));
        }
        let this_thread = thread::current().id();
        let set_worker = |worker| *self.worker.lock() = worker;
        if *self.worker.lock() == Some(this_thread) {
            return Err(PyRuntimeError::new_err(
                "the writer was called again from inside its own write, in the same thread",
            ));
        }
        let result = interruptibly(py, self.max_threads, |control| {
            let mut state = self.state.lock();
            set_worker(Some(this_thread));
            let result = work(&mut state, control);
            self.is_closed.store(state.file.is_none(), Ordering::Release);
            set_worker(None);
            result
        });
        log_messages(py)?;
        result
    }

    fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Acquire)
    }
}

/// Warns of a file that was never closed and is lost, as a file object of Python does. Nothing is written, as half a file would be of no use.
impl Drop for Writer {
    fn drop(&mut self) {
        if self.is_closed() || self.generation != generation() {
            return;
        }
        let name =
            self.path.as_ref().map_or("a file object".to_owned(), |path| format!("'{}'", path.display()));
        let num_frames = self.num_frames.load(Ordering::Acquire);
        let message = format!(
            "the writer of {name} was dropped open: its {num_frames} frames are lost; close it, or use with"
        );
        // None when the interpreter is on its way out.
        Python::try_attach(|py| {
            // An exception may be on its way, such as that of Ctrl-C between `open` and `with`: a destructor must leave it as it is.
            let on_its_way = PyErr::take(py);
            let category = py.get_type::<PyResourceWarning>();
            let message = CString::new(message).unwrap_or_default();
            // A destructor has nobody to raise to.
            if let Err(error) = PyErr::warn(py, &category, &message, 1) {
                error.write_unraisable(py, None);
            }
            if let Some(error) = on_its_way {
                error.restore(py);
            }
        });
    }
}

fn closed() -> PyErr {
    PyValueError::new_err("the writer is closed")
}

#[pymethods]
impl Writer {
    /// Appends frames: an array of any type that save takes, of the writer's layout and number of channels, or of one axis for a
    /// single channel.
    fn write(&self, py: Python<'_>, chunk: &Bound<'_, PyAny>) -> PyResult<()> {
        if self.is_closed() {
            return Err(closed());
        }
        let samples = Samples::new(chunk)?;
        let audio = samples.audio(py, Some(self.layout))?;
        let written = self.with_state(py, |state, control| {
            let Some(file) = &mut state.file else { return Ok(None) };
            file.write(&audio, control)?;
            self.num_frames.store(file.num_frames(), Ordering::Release);
            Ok(Some(()))
        })?;
        // Another thread may have closed it meanwhile.
        written.ok_or_else(closed)
    }

    /// Completes the file and puts it at its path. Closing again has no effect.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        if self.is_closed() {
            return Ok(());
        }
        let saved = self.with_state(py, |state, control| match state.file.take() {
            Some(file) => file.finish(control).map(|saved| Some((saved, std::mem::take(&mut state.object)))),
            None => Ok(None),
        })?;
        match saved {
            Some((saved, settlement)) => settlement.settle(py, saved.num_bytes),
            None => Ok(()),
        }
    }

    /// Discards the file: the old one at its path stays as it was, and nothing else is left behind.
    fn abort(&self, py: Python<'_>) -> PyResult<()> {
        if self.generation != generation() {
            // The file belongs to the parent process, which may go on with it.
            return Ok(());
        }
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

    /// The number of frames written so far.
    #[getter]
    fn frames_written(&self) -> u64 {
        self.num_frames.load(Ordering::Acquire)
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    /// Closes the file, or discards it when an exception was raised.
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
