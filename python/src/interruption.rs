//! Work without the interpreter's lock, which Ctrl-C ends.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use mapwave_core::{Error, ReadControl, host};
use pyo3::prelude::*;

use crate::errors::raise;

/// How often long work asks whether Ctrl-C was pressed.
const SIGNAL_INTERVAL: Duration = Duration::from_millis(50);

/// What a signal's handler has raised since the interpreter's lock was given up.
#[derive(Default)]
struct Signals {
    raised: RefCell<Option<PyErr>>,
    asked: Cell<Option<Instant>>,
}

impl Signals {
    /// Asks from time to time.
    fn have_raised(&self) -> bool {
        if self.raised.borrow().is_some() {
            return true;
        }
        let now = Instant::now();
        if now - self.asked.get().unwrap_or(now) < SIGNAL_INTERVAL {
            self.asked.set(self.asked.get().or(Some(now)));
            return false;
        }
        self.asked.set(Some(now));
        // None when the interpreter is on its way out: there is nobody to raise to any more.
        let outcome = Python::try_attach(|py| py.check_signals());
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
    match (result, raised) {
        (Err(Error::Interrupted), Some(error)) => Err(error),
        (result, _) => result.map_err(|error| raise(py, &error)),
    }
}
