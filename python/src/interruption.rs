//! Work without the interpreter's lock, which Ctrl-C ends, or a call of [`Cancellation::cancel`].

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use mapwave_core::{ReadControl, host};
use pyo3::exceptions::asyncio::CancelledError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::errors::raise;

/// How often long work asks whether Ctrl-C was pressed.
const SIGNAL_INTERVAL: Duration = Duration::from_millis(50);

thread_local! {
    /// Set when the work of this thread is to end.
    static CANCELLED: RefCell<Option<Arc<AtomicBool>>> = const { RefCell::new(None) };
}

/// Ends the work of a thread from another one.
#[pyclass(frozen, module = "mapwave._core")]
pub(crate) struct Cancellation(Arc<AtomicBool>);

#[pymethods]
impl Cancellation {
    #[new]
    fn new() -> Self {
        Self(Arc::default())
    }

    /// Calls a function of this package, which ends early with a CancelledError once cancel is called.
    #[pyo3(signature = (function, /, *args, **kwargs), text_signature = None)]
    fn run<'py>(
        &self,
        function: &Bound<'py, PyAny>,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let before = CANCELLED.replace(Some(Arc::clone(&self.0)));
        let result = check(function.py()).and_then(|()| function.call(args, kwargs));
        CANCELLED.set(before);
        result
    }

    /// Has the work end, from any thread.
    fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Fails when a signal's handler raises, or the work of this thread was cancelled.
pub(crate) fn check(py: Python<'_>) -> PyResult<()> {
    match is_cancelled() {
        true => Err(CancelledError::new_err(())),
        false => py.check_signals(),
    }
}

fn is_cancelled() -> bool {
    CANCELLED.with_borrow(|flag| flag.as_ref().is_some_and(|flag| flag.load(Ordering::Relaxed)))
}

/// What a signal's handler has raised since the interpreter's lock was given up.
#[derive(Default)]
struct Signals {
    raised: RefCell<Option<PyErr>>,
    asked: Cell<Option<Instant>>,
}

impl Signals {
    /// Asks from time to time, or at once when the work was cancelled.
    fn have_raised(&self) -> bool {
        if self.raised.borrow().is_some() {
            return true;
        }
        let now = Instant::now();
        if !is_cancelled() && now - self.asked.get().unwrap_or(now) < SIGNAL_INTERVAL {
            self.asked.set(self.asked.get().or(Some(now)));
            return false;
        }
        self.asked.set(Some(now));
        // None when the interpreter is on its way out: there is nobody to raise to any more.
        let outcome = Python::try_attach(check);
        outcome.is_some_and(|outcome| outcome.map_err(|error| self.raised.replace(Some(error))).is_err())
    }
}

/// Runs a read, or anything else that may call plugins, without the interpreter's lock, and ends it when a signal's handler raises.
pub(crate) fn interruptibly<T: Send>(
    py: Python<'_>,
    max_threads: usize,
    read: impl FnOnce(&ReadControl<'_>) -> mapwave_core::Result<T> + Send,
) -> PyResult<T> {
    let (result, raised) = py.detach(|| {
        let signals = Rc::new(Signals::default());
        let control = ReadControl { max_threads, interrupted: &|| signals.have_raised() };
        let same = Rc::clone(&signals);
        let result = host::interruptible(Rc::new(move || same.have_raised()), || read(&control));
        (result, signals.raised.take())
    });
    // Also where the work came to its end all the same: a handler's exception must not be lost.
    match raised {
        Some(error) => Err(error),
        None => result.map_err(|error| raise(py, &error)),
    }
}
