//! The batches of a `Loader`: windows of files whose facts an index has, read ahead into padded arrays.

use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use mapwave_core::resample::Rates;
use mapwave_core::source::Source;
use mapwave_core::{Choice, Error, Result, source::Access};
use mapwave_fork::LongLock;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyAny, PyBytes, PySlice, PyType};

use super::failure::noted;
use super::file::{Batch, Opened, interruptible};
use super::memory::{Memory, Place, Rows};
use crate::arrays::ArrayLibrary;
use crate::errors::{invalid, raise};
use crate::input::{FileInput, path_of};
use crate::log::log_messages;
use crate::pool::{Pool, Stop};

/// The threads that ask the system to read files ahead: opening a file whose directory is not in memory waits for the disk.
const NUM_READING_AHEAD: usize = 4;

/// After so many files in a row that were in memory, only every so many is looked at.
const MANY: usize = 64;
const SOME: usize = 16;

/// How much more of a compressed file than its share a window may need.
const MARGIN_BYTES: u64 = 256 << 10;

/// A window of a file, with the facts that an index has of the file.
struct Window {
    input: FileInput,
    /// The bytes of the file.
    num_bytes: u64,
    file_frames: u64,
    sample_rate: u32,
    num_channels: u16,
    /// In frames of the file.
    frames: Range<u64>,
    seek_table: Option<PyBackedBytes>,
}

/// What `submit` takes of a window: the file, the start and the end of its part, its name, its bytes, frames, rate and channels, the
/// first frame and the number of frames, and its seek table.
type Asked<'py> = (
    Bound<'py, PyAny>,
    Option<(u64, u64)>,
    Bound<'py, PyAny>,
    u64,
    u64,
    u32,
    u16,
    u64,
    u64,
    Option<Bound<'py, PyBytes>>,
);

impl Window {
    fn new(asked: &Asked<'_>) -> PyResult<Self> {
        let (file, part, name, num_bytes, file_frames, sample_rate, num_channels, start, count, table) =
            asked;
        let input = match part {
            Some((start, end)) => {
                FileInput::Part { file: path_of(file)?, bytes: *start..*end, name: path_of(name)? }
            }
            None => FileInput::Path(path_of(file)?),
        };
        let frames = *start..start.saturating_add(*count).min(*file_frames);
        let (num_bytes, file_frames) = (*num_bytes, *file_frames);
        Ok(Self {
            input,
            num_bytes,
            file_frames,
            sample_rate: *sample_rate,
            num_channels: *num_channels,
            frames,
            seek_table: table.clone().map(PyBackedBytes::from),
        })
    }

    /// The frames of the file and those of the window, at the rate that is wanted: a window of n frames has floor(n * wanted /
    /// rate), but a whole file all of its.
    fn at(&self, wanted: Option<u32>) -> Result<(u64, Range<u64>)> {
        let Some(wanted) = wanted.filter(|wanted| *wanted != self.sample_rate) else {
            return Ok((self.file_frames, self.frames.clone()));
        };
        let total = Rates::new(self.sample_rate, wanted)?.num_output_frames(self.file_frames);
        let scaled = |frames: u64| {
            let scaled = u128::from(frames) * u128::from(wanted) / u128::from(self.sample_rate);
            u64::try_from(scaled).unwrap_or(u64::MAX)
        };
        if self.frames == (0..self.file_frames) {
            return Ok((total, 0..total));
        }
        let start = scaled(self.frames.start).min(total);
        let count = scaled(self.frames.end.saturating_sub(self.frames.start));
        Ok((total, start..start.saturating_add(count).min(total)))
    }

    /// Where the system should read.
    fn part(&self) -> (PathBuf, Option<Range<u64>>) {
        let (path, first) = match &self.input {
            FileInput::Path(path) => (path.clone(), 0),
            FileInput::Part { file, bytes, .. } => (file.clone(), bytes.start),
            // An index has no others.
            _ => (PathBuf::new(), 0),
        };
        let share = |frame: u64| {
            let bytes = u128::from(self.num_bytes) * u128::from(frame) / u128::from(self.file_frames.max(1));
            u64::try_from(bytes).unwrap_or(u64::MAX)
        };
        let start = share(self.frames.start).saturating_sub(MARGIN_BYTES);
        let end = share(self.frames.end).saturating_add(MARGIN_BYTES).min(self.num_bytes);
        (path, Some(first.saturating_add(start)..first.saturating_add(end)))
    }

    fn read(&self, batch: &Batch, rows: &Rows, row: &mut Place, stop: &Stop) -> Result<()> {
        let (selection, rate) = (&batch.reading.selection, &batch.reading.rate);
        let choice = Choice { seek_table: self.seek_table.as_deref(), ..selection.choice() };
        let reader = rate.apply(self.input.clone().open(Access::Once, choice)?)?;
        let (total, frames) = self.at(rate.wanted())?;
        let track = reader.track();
        let facts = (reader.num_frames(), track.sample_rate, track.num_channels);
        if facts != (total, self.sample_rate, self.num_channels) {
            let what = format!(
                "the file has changed since it was indexed: it has {} frames, {} channels and {} Hz, not {total}, {} and {}",
                facts.0, facts.2, facts.1, self.num_channels, self.sample_rate
            );
            let cause = io::Error::other(what);
            return Err(reader.named(Error::Io { path: None, doing: "reading", offset: None, cause }));
        }
        let opened = Opened { reader, frames };
        let num_frames = usize::try_from(opened.num_frames()).unwrap_or(usize::MAX);
        rows.fill(row.bytes(), num_frames, |clip| batch.fill(&opened, clip, stop))
    }
}

/// What a thread has done with a row.
struct Item {
    /// The number of the batch, counted from the first.
    batch: u64,
    row: usize,
    result: Result<()>,
    place: Place,
}

/// A batch that is being read.
struct Pending {
    memory: Arc<Memory>,
    rows: Rows,
    lengths: Vec<i32>,
    failures: Vec<(usize, Error)>,
    num_open: usize,
}

struct State {
    // Declared before the memory that its threads use.
    pool: Pool<Item>,
    ahead: Option<Pool<()>>,
    pending: VecDeque<Pending>,
    /// The number of the first that is pending.
    first: u64,
}

/// Batches of windows, read ahead by threads of their own into one padded array each.
#[pyclass(frozen, module = "mapwave._core")]
pub(crate) struct Batches {
    library: Arc<ArrayLibrary>,
    batch: Arc<Batch>,
    pad: f64,
    /// Whether rows that fail are left out.
    leaves_out: bool,
    /// None once it is closed.
    state: LongLock<Option<State>>,
    generation: u32,
    /// How many files in a row were in memory.
    num_warm: Arc<AtomicUsize>,
}

/// A batch: the array, the frames in each row, and the failures with the numbers of their rows.
type Taken<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>, Vec<(usize, PyErr)>);

impl Batches {
    pub(crate) fn new(
        library: Arc<ArrayLibrary>,
        batch: Batch,
        num_workers: usize,
        (pad, leaves_out, reads_ahead): (f64, bool, bool),
    ) -> PyResult<Self> {
        let ahead = if reads_ahead { Some(Pool::new(NUM_READING_AHEAD)?) } else { None };
        let state = State { pool: Pool::new(num_workers)?, ahead, pending: VecDeque::new(), first: 0 };
        Ok(Self {
            library,
            batch: Arc::new(batch),
            pad,
            leaves_out,
            state: LongLock::with(Some(state)),
            generation: mapwave_fork::generation(),
            num_warm: Arc::new(AtomicUsize::new(0)),
        })
    }

    /// Works on the state, unless another thread does.
    fn with<T>(&self, work: impl FnOnce(&mut State) -> PyResult<T>) -> PyResult<T> {
        if self.generation != mapwave_fork::generation() {
            let message = "these batches belong to the process that this one was forked from";
            return Err(PyRuntimeError::new_err(message));
        }
        let Some(mut state) = self.state.try_lock() else {
            return Err(PyValueError::new_err("another thread is waiting for the next batch of this loader"));
        };
        match state.as_mut() {
            Some(state) => work(state),
            None => Err(PyRuntimeError::new_err("the loader is closed")),
        }
    }

    /// The rows of a batch, and the frames in each.
    fn rows(&self, py: Python<'_>, windows: &[Window]) -> PyResult<(Rows, Vec<i32>)> {
        let (spec, wanted) = (&self.batch.reading.spec, self.batch.reading.rate.wanted());
        let mut lengths = Vec::with_capacity(windows.len());
        let mut num_channels = None;
        for window in windows {
            let (_, frames) = window.at(wanted).map_err(|error| raise(py, &error))?;
            let length = i32::try_from(frames.end.saturating_sub(frames.start));
            lengths.push(length.map_err(|_| invalid(py, "a window has more than 2147483647 frames"))?);
            let channels = spec.num_channels(window.num_channels).map_err(|error| raise(py, &error))?;
            if *num_channels.get_or_insert(channels) != channels {
                return Err(invalid(py, "windows of several channel counts need mono=True or channels"));
            }
        }
        let longest = lengths.iter().copied().max().unwrap_or(0);
        let longest = usize::try_from(longest).unwrap_or(0);
        let rows = Rows::new(spec, num_channels.unwrap_or(1), longest, self.pad);
        let rows = rows.map_err(|error| raise(py, &error))?;
        match rows.num_bytes().checked_mul(windows.len()).filter(|size| isize::try_from(*size).is_ok()) {
            Some(_) => Ok((rows, lengths)),
            None => Err(raise(py, &Error::OutOfMemory { path: None, num_bytes: u64::MAX })),
        }
    }

    fn read_ahead(&self, pool: &Pool<()>, windows: &[Window]) {
        for (row, window) in windows.iter().enumerate() {
            if self.num_warm.load(Ordering::Relaxed) >= MANY && row % SOME != 0 {
                continue;
            }
            let ((path, part), num_warm) = (window.part(), Arc::clone(&self.num_warm));
            pool.submit(move |_| match Source::read_ahead(&path, part) {
                true => num_warm.store(0, Ordering::Relaxed),
                false => {
                    num_warm.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        pool.forget_results();
    }
}

impl State {
    /// Takes note of what a thread has done.
    fn note(&mut self, item: Item) {
        let Item { batch, row, result, place } = item;
        drop(place);
        let place = usize::try_from(batch.saturating_sub(self.first)).unwrap_or(usize::MAX);
        let Some(pending) = self.pending.get_mut(place) else { return };
        pending.num_open -= 1;
        if let Err(error) = result {
            pending.failures.push((row, error));
        }
    }
}

#[pymethods]
impl Batches {
    /// `Batches[Array]` in annotations.
    #[classmethod]
    fn __class_getitem__(cls: &Bound<'_, PyType>, _array: &Bound<'_, PyAny>) -> Py<PyType> {
        cls.clone().unbind()
    }

    /// Gives the threads the windows of the next batch.
    fn submit(&self, py: Python<'_>, windows: Vec<Asked<'_>>) -> PyResult<()> {
        let windows: Vec<Window> = windows.iter().map(Window::new).collect::<PyResult<_>>()?;
        let (rows, lengths) = self.rows(py, &windows)?;
        self.with(|state| {
            if let Some(ahead) = &state.ahead {
                self.read_ahead(ahead, &windows);
            }
            let axes = rows.axes(windows.len());
            let memory = Memory::new(
                py,
                &self.library,
                &axes,
                self.batch.reading.spec.format,
                self.batch.reading.selection.limits(),
            )?;
            let memory = Arc::new(memory);
            let number = state.first + state.pending.len() as u64;
            let places = Memory::places(&memory, rows.num_bytes(), windows.len());
            let (failures, num_open) = (Vec::new(), windows.len());
            state.pending.push_back(Pending { memory, rows: rows.clone(), lengths, failures, num_open });
            for ((row, mut place), window) in places.into_iter().enumerate().zip(windows) {
                let (batch, rows) = (Arc::clone(&self.batch), rows.clone());
                state.pool.submit(move |stop| {
                    let result = interruptible(stop, || window.read(&batch, &rows, &mut place, stop));
                    if result.is_err() {
                        rows.put_padding(place.bytes());
                    }
                    Item { batch: number, row, result, place }
                });
            }
            Ok(())
        })
    }

    /// Waits for the oldest batch: the array, the frames in each row, and the errors with the numbers of their rows.
    fn take<'py>(&self, py: Python<'py>) -> PyResult<Taken<'py>> {
        let pending = self.with(|state| {
            while state.pending.front().is_some_and(|pending| pending.num_open > 0) {
                let Some(item) = state.pool.next(py)? else { break };
                state.note(item);
            }
            let pending = state.pending.pop_front();
            state.first += u64::from(pending.is_some());
            pending.ok_or_else(|| PyValueError::new_err("no batch was submitted"))
        })?;
        log_messages(py)?;
        let Pending { mut memory, rows, mut lengths, mut failures, .. } = pending;
        failures.sort_by_key(|(row, _)| *row);
        for (row, _) in &failures {
            if let Some(length) = lengths.get_mut(*row) {
                *length = 0;
            }
        }
        let total = lengths.len();
        let mut count = total;
        if self.leaves_out && !failures.is_empty() {
            let failed: Vec<usize> = failures.iter().map(|(row, _)| *row).collect();
            if let Some(memory) = Arc::get_mut(&mut memory) {
                memory.leave_out(rows.num_bytes(), total, &failed);
            }
            count -= failed.len();
            let mut row = 0..;
            lengths.retain(|_| row.next().is_none_or(|row| !failed.contains(&row)));
        }
        let is_buffer = matches!(*memory, Memory::Buffer(..));
        let mut array = Memory::into_array(
            py,
            &self.library,
            Some(memory),
            &rows.axes(if is_buffer { count } else { total }),
        )?;
        if !is_buffer && count < total {
            let rest = PySlice::new(py, 0, isize::try_from(count)?, 1);
            array = array.get_item(rest)?;
        }
        let lengths = self.library.integers(py, &lengths)?;
        let error = |(row, error): (usize, Error)| {
            let note = format!("while loading row {row} of a batch of {total}");
            (row, noted(py, raise(py, &error), row, note))
        };
        let errors = failures.into_iter().map(error);
        Ok((array, lengths, errors.collect()))
    }

    /// Ends the threads.
    fn close(&self) {
        if self.generation == mapwave_fork::generation()
            && let Some(mut state) = self.state.try_lock()
        {
            *state = None;
        }
    }
}
