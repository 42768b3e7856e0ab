//! `batch_load`: many files on several threads, results in the order of the paths.

use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Builder;
use std::time::Duration;

use mapwave_core::source::Access;
use mapwave_core::{Frames, ReadControl, host};
use mapwave_fork::start_scoped;
use pyo3::prelude::*;

use crate::arguments::{Reading, Window};
use crate::arrays::{Allocation, ArrayLibrary};
use crate::errors::raise;
use crate::input::{FileInput, KeptBytes};
use crate::interned::intern;
use crate::log::log_messages;

/// The settings shared by all files of a batch.
pub(crate) struct Batch {
    pub(crate) window: Window,
    pub(crate) reading: Reading,
    pub(crate) num_workers: usize,
}

/// How often the caller's thread asks whether Ctrl-C was pressed while it waits.
const SIGNAL_INTERVAL: Duration = Duration::from_millis(50);

/// The index of a path, the result of reading it, and what is dropped by the thread that has the interpreter's lock.
type Item = (usize, mapwave_core::Result<Loaded>, Option<KeptBytes>);

/// A file that was read.
struct Loaded {
    frames: Frames,
    sample_rate: u32,
}

/// Reads the files on `num_workers` threads and makes the arrays on the caller's.
///
/// Workers wait when they are more than two files ahead, so that a batch needs little more memory than its result.
pub(crate) fn load<'py>(
    py: Python<'py>,
    library: &ArrayLibrary,
    batch: &Batch,
    inputs: Vec<FileInput>,
    progress: Option<&Bound<'py, PyAny>>,
) -> PyResult<Vec<(Bound<'py, PyAny>, u32)>> {
    let report = Progress::new(py, progress, inputs.len())?;
    let num_workers = batch.num_workers.min(inputs.len()).max(1);
    let mut arrays: Vec<Option<(Bound<'py, PyAny>, u32)>> = inputs.iter().map(|_| None).collect();
    let allocation = library.allocation(py)?;
    let (queue, stop) = (Mutex::new(inputs.into_iter().enumerate()), Arc::new(AtomicBool::new(false)));
    let (sender, mut receiver) = mpsc::sync_channel::<Item>(2 * num_workers);
    std::thread::scope(|scope| {
        let mut refusal = None;
        let mut num_started = 0;
        for _ in 0..num_workers {
            let (sender, queue, stop) = (sender.clone(), &queue, &stop);
            let work = move || {
                while !stop.load(Ordering::Relaxed) {
                    let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
                    let Some((index, input)) = next else { return };
                    let kept = input.kept();
                    if sender.send((index, read(input, batch, allocation, stop), kept)).is_err() {
                        return;
                    }
                }
            };
            match start_scoped(Builder::new(), scope, work) {
                Ok(_) => num_started += 1,
                Err(error) => refusal = Some(error),
            }
        }
        if let (0, Some(error)) = (num_started, refusal) {
            return Err(error.into());
        }
        drop(sender);
        let result = collect(py, library, &mut receiver, &mut arrays, &report);
        stop.store(true, Ordering::Relaxed);
        // A worker that waits for room in the channel gets an error and ends.
        drop(receiver);
        result
    })?;
    log_messages(py)?;
    Ok(arrays.into_iter().flatten().collect())
}

fn read(
    input: FileInput,
    batch: &Batch,
    allocation: Allocation,
    stop: &Arc<AtomicBool>,
) -> mapwave_core::Result<Loaded> {
    let same = Arc::clone(stop);
    host::interruptible(Rc::new(move || same.load(Ordering::Relaxed)), || {
        read_file(input, batch, allocation, stop)
    })
}

fn read_file(
    input: FileInput,
    batch: &Batch,
    allocation: Allocation,
    stop: &AtomicBool,
) -> mapwave_core::Result<Loaded> {
    let Reading { selection, rate, spec, max_threads } = &batch.reading;
    let reader = rate.apply(input.open(Access::Once, selection.choice())?)?;
    let frames = batch.window.of(&reader)?;
    let control = ReadControl { max_threads: *max_threads, interrupted: &|| stop.load(Ordering::Relaxed) };
    let frames = reader.read_with(frames, spec, |num_bytes| allocation.buffer(num_bytes), &control)?;
    Ok(Loaded { frames, sample_rate: reader.sample_rate() })
}

/// Takes what the workers send and puts each array in its place.
fn collect<'py>(
    py: Python<'py>,
    library: &ArrayLibrary,
    receiver: &mut Receiver<Item>,
    arrays: &mut [Option<(Bound<'py, PyAny>, u32)>],
    report: &Progress<'py>,
) -> PyResult<()> {
    let mut done = 0;
    loop {
        let received = match receiver.try_recv() {
            Ok(item) => Ok(item),
            Err(_) => {
                let receiver = &mut *receiver;
                py.detach(move || receiver.recv_timeout(SIGNAL_INTERVAL))
            }
        };
        match received {
            Ok((index, result, _kept)) => {
                let named = |error: PyErr| name_item(py, error, index, arrays.len());
                let loaded = result.map_err(|error| named(raise(py, &error)))?;
                let array = library.hand_over(py, loaded.frames).map_err(named)?;
                if let Some(place) = arrays.get_mut(index) {
                    *place = Some((array, loaded.sample_rate));
                }
                done += 1;
                report.update(done)?;
            }
            Err(RecvTimeoutError::Timeout) => py.check_signals()?,
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
    }
}

/// Adds to an error which of the paths it was; the path itself is in its message.
fn name_item(py: Python<'_>, error: PyErr, index: usize, total: usize) -> PyErr {
    // An exception that takes no note is raised without it.
    let _ = error.add_note(py, format!("while loading paths[{index}] of {total}"));
    error
}

/// Where progress is reported: nowhere, to a function of `(done, total)`, or as a line on stderr.
struct Progress<'py> {
    report: Option<Bound<'py, PyAny>>,
    total: usize,
}

impl<'py> Progress<'py> {
    fn new(py: Python<'py>, progress: Option<&Bound<'py, PyAny>>, total: usize) -> PyResult<Self> {
        let report = match progress {
            None => None,
            Some(progress) if progress.is_callable() => Some(progress.clone()),
            Some(progress) if progress.extract::<bool>()? => {
                Some(py.import(intern!(py, "mapwave._progress"))?.getattr(intern!(py, "show"))?)
            }
            Some(_) => None,
        };
        Ok(Self { report, total })
    }

    fn update(&self, done: usize) -> PyResult<()> {
        match &self.report {
            Some(report) => report.call1((done, self.total)).map(drop),
            None => Ok(()),
        }
    }
}
