//! `batch_load`: many files on several threads, results in the order of the paths.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyList;

use super::failure::{OnError, failure, named};
use super::file::{Batch, Loaded, Opened, interruptible};
use super::memory::{Memory, Place};
use super::progress::Progress;
use crate::arrays::{Allocation, ArrayLibrary};
use crate::input::{FileInput, KeptBytes};
use crate::interned::intern;
use crate::log::log_messages;
use crate::pool::Pool;

/// How many files are read ahead for each thread, so that a batch needs little more memory than its result.
const AHEAD_PER_WORKER: usize = 2;

/// What a thread has done with a file.
struct Item {
    index: usize,
    step: mapwave_core::Result<Step>,
    /// Dropped by the thread that has the interpreter's lock.
    kept: Option<KeptBytes>,
}

enum Step {
    Loaded(Loaded),
    /// It waits for the memory of an array.
    Opened(Box<Opened>),
    /// The memory of an array is filled.
    Filled(Place, u32),
}

/// An array of the library's that is filled.
struct Pending {
    memory: Arc<Memory>,
    index: usize,
}

/// Reads the files on `num_workers` threads and makes the arrays on the caller's.
///
/// A large array of a library that copies what it is given is filled in place instead.
pub(crate) fn load<'py>(
    py: Python<'py>,
    library: &ArrayLibrary,
    batch: Batch,
    inputs: Vec<FileInput>,
    num_workers: usize,
    on_error: &OnError,
    progress: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyList>> {
    let total = inputs.len();
    batch.windows.check_count(py, total)?;
    let report = Progress::new(py, progress, total)?;
    let num_workers = num_workers.min(total).max(1);
    let run = Run {
        library,
        on_error,
        batch: Arc::new(batch),
        allocation: library.allocation(py)?,
        min_unfilled: library.min_unfilled(py)?,
    };
    let mut results: Vec<Option<(Bound<'py, PyAny>, u32)>> = inputs.iter().map(|_| None).collect();
    let outcome = run.collect(py, inputs, num_workers, &mut results, report);
    let results = PyList::new(py, results)?;
    if let Err(error) = outcome {
        // What was read before is not lost. An exception that takes no attribute is raised without it.
        if error.value(py).hasattr(intern!(py, "index"))? {
            let _ = error.value(py).setattr(intern!(py, "results"), results);
        }
        return Err(error);
    }
    log_messages(py)?;
    Ok(results)
}

/// A batch that is read.
struct Run<'a> {
    library: &'a ArrayLibrary,
    on_error: &'a OnError,
    batch: Arc<Batch>,
    allocation: Allocation,
    min_unfilled: Option<usize>,
}

impl Run<'_> {
    fn collect<'py>(
        &self,
        py: Python<'py>,
        inputs: Vec<FileInput>,
        num_workers: usize,
        results: &mut [Option<(Bound<'py, PyAny>, u32)>],
        mut report: Progress<'py>,
    ) -> PyResult<()> {
        // Dropped after the pool, whose threads write there.
        let mut pending: Vec<Pending> = Vec::new();
        let total = inputs.len();
        let pool = Pool::new(num_workers)?;
        let mut inputs = inputs.into_iter().enumerate();
        for (index, input) in inputs.by_ref().take((1 + AHEAD_PER_WORKER) * num_workers) {
            self.submit(&pool, index, input);
        }
        while let Some(Item { index, step, kept }) = pool.next(py)? {
            let named = |error: PyErr| named(py, error, index, Some(total));
            let array = match step {
                Ok(Step::Opened(opened)) => {
                    self.fill(py, &pool, &mut pending, index, *opened, kept).map_err(named)?;
                    continue;
                }
                Ok(Step::Loaded(loaded)) => {
                    self.library.hand_over(py, loaded.frames).map(|array| (array, loaded.sample_rate))
                }
                Ok(Step::Filled(place, sample_rate)) => {
                    drop(place);
                    self.finish(py, &mut pending, index).map(|array| (array, sample_rate))
                }
                Err(error) => {
                    pending.retain(|pending| pending.index != index);
                    Err(failure(py, &error, index, Some(total)))
                }
            };
            if let Some((index, input)) = inputs.next() {
                self.submit(&pool, index, input);
            }
            match array {
                Ok(array) => {
                    if let Some(place) = results.get_mut(index) {
                        *place = Some(array);
                    }
                }
                Err(error) => self.on_error.settle(py, named_once(py, error, index, total))?,
            }
            report.advance()?;
        }
        Ok(())
    }

    fn submit(&self, pool: &Pool<Item>, index: usize, input: FileInput) {
        let (batch, allocation, min_unfilled) = (Arc::clone(&self.batch), self.allocation, self.min_unfilled);
        pool.submit(move |stop| {
            let kept = input.kept();
            let step = interruptible(stop, || {
                let opened = batch.open(index, input)?;
                let shape = opened.reader.shape(opened.num_frames(), &batch.reading.spec);
                let num_bytes =
                    shape.map_or(0, |shape| shape.num_samples() * batch.reading.spec.format.num_bytes());
                match min_unfilled.is_some_and(|least| num_bytes >= least) {
                    true => Ok(Step::Opened(Box::new(opened))),
                    false => batch.read(opened, allocation, stop).map(Step::Loaded),
                }
            });
            Item { index, step, kept }
        });
    }

    /// Gives a file that is open the memory of an array.
    fn fill(
        &self,
        py: Python<'_>,
        pool: &Pool<Item>,
        pending: &mut Vec<Pending>,
        index: usize,
        opened: Opened,
        kept: Option<KeptBytes>,
    ) -> PyResult<()> {
        let (batch, allocation) = (Arc::clone(&self.batch), self.allocation);
        let spec = &batch.reading.spec;
        let array = match opened.reader.shape(opened.num_frames(), spec) {
            Ok(shape) => self.library.unfilled(py, shape.axes(), spec.format)?,
            // The read says what is wrong.
            Err(_) => None,
        };
        let Some(array) = array else {
            pool.submit_first(move |stop| {
                let step = interruptible(stop, || batch.read(opened, allocation, stop).map(Step::Loaded));
                Item { index, step, kept }
            });
            return Ok(());
        };
        let memory = Arc::new(Memory::Array(array));
        let mut place = Memory::whole(&memory);
        pending.push(Pending { memory, index });
        pool.submit_first(move |stop| {
            let sample_rate = opened.reader.sample_rate();
            let step = interruptible(stop, || batch.fill(&opened, place.bytes(), stop));
            let step = step.map(|()| Step::Filled(place, sample_rate));
            drop(opened);
            Item { index, step, kept }
        });
        Ok(())
    }

    fn finish<'py>(
        &self,
        py: Python<'py>,
        pending: &mut Vec<Pending>,
        index: usize,
    ) -> PyResult<Bound<'py, PyAny>> {
        let place = pending.iter().position(|pending| pending.index == index);
        let memory = place.map(|place| pending.swap_remove(place).memory);
        Memory::into_array(py, self.library, memory, &[])
    }
}

/// The exception with its index, which failures have already.
fn named_once(py: Python<'_>, error: PyErr, index: usize, total: usize) -> PyErr {
    match error.value(py).getattr(intern!(py, "index")).is_ok_and(|index| !index.is_none()) {
        true => error,
        false => named(py, error, index, Some(total)),
    }
}
