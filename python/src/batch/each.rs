//! `iter_load`: files one after the other, read ahead.

use std::collections::BTreeMap;
use std::sync::Arc;

use mapwave_fork::LongLock;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyIterator, PyType};

use super::failure::{OnError, failure, named};
use super::file::{Batch, Loaded, interruptible};
use crate::arrays::{Allocation, ArrayLibrary};
use crate::input::{FileInput, KeptBytes};
use crate::log::log_messages;
use crate::pool::Pool;
use crate::ranges::StorageOptions;

/// What a thread has made of a file.
struct Item {
    index: usize,
    result: mapwave_core::Result<Loaded>,
    /// Dropped by the thread that has the interpreter's lock.
    _kept: Option<KeptBytes>,
}

/// How files are taken.
pub(crate) struct Order {
    pub(crate) num_workers: usize,
    /// How many files are read or being read beyond those that were returned.
    pub(crate) num_ahead: usize,
    /// Whether they are returned in the order of the paths.
    pub(crate) is_ordered: bool,
}

/// An iterator of (index, audio, sample_rate) for many files, which threads read ahead.
#[pyclass(frozen, module = "mapwave")]
pub(crate) struct Loading {
    library: Arc<ArrayLibrary>,
    on_error: OnError,
    order: Order,
    /// None at the end, and in a forked child, which has none of the threads. It is taken for a call without waiting.
    state: LongLock<Option<State>>,
    generation: u32,
}

struct State {
    // Declared before what its threads may use.
    pool: Pool<Item>,
    paths: Option<Py<PyIterator>>,
    batch: Arc<Batch>,
    allocation: Allocation,
    storage: StorageOptions,
    /// What was read before it is its turn.
    ready: BTreeMap<usize, Item>,
    num_given: usize,
    next: usize,
}

impl Loading {
    pub(crate) fn new(
        py: Python<'_>,
        library: Arc<ArrayLibrary>,
        batch: Batch,
        (paths, storage): (Bound<'_, PyIterator>, StorageOptions),
        on_error: OnError,
        order: Order,
    ) -> PyResult<Self> {
        let state = State {
            pool: Pool::new(order.num_workers)?,
            paths: Some(paths.unbind()),
            batch: Arc::new(batch),
            allocation: library.allocation(py)?,
            storage,
            ready: BTreeMap::new(),
            num_given: 0,
            next: 0,
        };
        let (state, generation) = (LongLock::with(Some(state)), mapwave_fork::generation());
        Ok(Self { library, on_error, order, state, generation })
    }

    fn advance<'py>(
        &self,
        py: Python<'py>,
        state: &mut State,
    ) -> PyResult<Option<(usize, Bound<'py, PyAny>, u32)>> {
        loop {
            state.read_ahead(py, self.order.num_ahead)?;
            let Some(item) = state.take(py, self.order.is_ordered)? else { return Ok(None) };
            let index = item.index;
            let array = match item.result {
                Ok(Loaded { frames, sample_rate }) => {
                    let array = self.library.hand_over(py, frames);
                    array.map(|array| (array, sample_rate)).map_err(|error| named(py, error, index, None))
                }
                Err(error) => Err(failure(py, &error, index, None)),
            };
            log_messages(py)?;
            match array {
                Ok((array, sample_rate)) => return Ok(Some((index, array, sample_rate))),
                Err(error) => self.on_error.settle(py, error)?,
            }
        }
    }
}

impl State {
    /// Gives the threads the next files.
    fn read_ahead(&mut self, py: Python<'_>, num_ahead: usize) -> PyResult<()> {
        while self.pool.num_open() + self.ready.len() < num_ahead {
            let Some(paths) = &self.paths else { return Ok(()) };
            let Some(path) = paths.bind(py).clone().next() else {
                self.paths = None;
                return Ok(());
            };
            let input = FileInput::new(&path?, &self.storage)?;
            let (index, batch, allocation) = (self.num_given, Arc::clone(&self.batch), self.allocation);
            self.num_given += 1;
            self.pool.submit(move |stop| {
                let kept = input.kept();
                let result = interruptible(stop, || batch.read(batch.open(index, input)?, allocation, stop));
                Item { index, result, _kept: kept }
            });
        }
        Ok(())
    }

    /// The next file; None at the end.
    fn take(&mut self, py: Python<'_>, is_ordered: bool) -> PyResult<Option<Item>> {
        loop {
            if let Some(item) = self.ready.remove(&self.next).filter(|_| is_ordered) {
                self.next += 1;
                return Ok(Some(item));
            }
            match self.pool.next(py)? {
                Some(item) if is_ordered => self.ready.insert(item.index, item),
                other => return Ok(other),
            };
        }
    }
}

#[pymethods]
impl Loading {
    /// `Loading[Array]` in annotations.
    #[classmethod]
    fn __class_getitem__(cls: &Bound<'_, PyType>, _array: &Bound<'_, PyAny>) -> Py<PyType> {
        cls.clone().unbind()
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<(usize, Bound<'py, PyAny>, u32)>> {
        if self.generation != mapwave_fork::generation() {
            let message = "this iterator belongs to the process that this one was forked from: make one here";
            return Err(PyRuntimeError::new_err(message));
        }
        let Some(mut state) = self.state.try_lock() else {
            return Err(PyValueError::new_err(
                "another thread is waiting for the next file of this iterator",
            ));
        };
        let Some(present) = state.as_mut() else { return Ok(None) };
        let next = self.advance(py, present);
        if !matches!(next, Ok(Some(_))) {
            *state = None;
        }
        next
    }

    /// Ends the threads; the iterator then has nothing more.
    fn close(&self) {
        if let Some(mut state) = self.state.try_lock() {
            *state = None;
        }
    }
}
