//! `batch_load(stack=True)`: many files in the rows of one array.

use std::sync::Arc;

use mapwave_core::Error;
use pyo3::prelude::*;

use super::failure::{OnError, failure};
use super::file::{Batch, Opened, interruptible};
use super::memory::{Memory, Place, Rows};
use super::progress::Progress;
use crate::arrays::ArrayLibrary;
use crate::errors::{invalid, raise};
use crate::input::{FileInput, KeptBytes};
use crate::log::log_messages;
use crate::pool::Pool;

/// How many files stay open until the longest is known. The others are opened again.
const MAX_OPEN: usize = 128;

/// What a thread has done with a file.
struct Item {
    index: usize,
    step: mapwave_core::Result<Step>,
    /// Dropped by the thread that has the interpreter's lock.
    kept: Option<KeptBytes>,
    /// The same, of a row that was to be filled.
    _place: Option<Place>,
}

enum Step {
    Opened(Box<Opened>),
    Filled,
}

/// What is known of a file.
struct Clip {
    num_frames: usize,
    num_channels: usize,
    sample_rate: u32,
    opened: Option<Box<Opened>>,
    kept: Option<KeptBytes>,
}

/// An array, the frames in each of its rows, and their rate.
pub(crate) type Stacked<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>, u32);

/// Reads the files into one array: opens them all, and then fills the rows on `num_workers` threads.
pub(crate) fn load_stacked<'py>(
    py: Python<'py>,
    library: &ArrayLibrary,
    batch: Batch,
    inputs: Vec<FileInput>,
    (num_workers, pad): (usize, f64),
    on_error: &OnError,
    progress: Option<&Bound<'py, PyAny>>,
) -> PyResult<Stacked<'py>> {
    let total = inputs.len();
    batch.windows.check_count(py, total)?;
    let report = Progress::new(py, progress, total)?;
    let num_workers = num_workers.min(total).max(1);
    let mut run = Run { on_error, batch: Arc::new(batch), inputs, report };
    // Declared before the pool: whatever ends this, threads end before their memory does.
    let memory;
    let pool = Pool::new(num_workers)?;
    let mut clips = run.open(py, &pool, num_workers)?;
    let (num_channels, sample_rate) = run.check_alike(py, &clips)?;
    let longest = clips.iter().flatten().map(|clip| clip.num_frames).max().unwrap_or(0);
    let rows = Rows::new(&run.batch.reading.spec, num_channels, longest, pad);
    let rows = rows.map_err(|error| raise(py, &error))?;
    let too_large = || raise(py, &Error::OutOfMemory { path: None, num_bytes: u64::MAX });
    rows.num_bytes()
        .checked_mul(total)
        .filter(|size| isize::try_from(*size).is_ok())
        .ok_or_else(too_large)?;
    let axes = rows.axes(total);
    memory = Arc::new(Memory::new(
        py,
        library,
        &axes,
        run.batch.reading.spec.format,
        run.batch.reading.selection.limits(),
    )?);
    let mut lengths = run.fill(py, &pool, &rows, &memory, &mut clips)?;
    drop(pool);
    let array = Memory::into_array(py, library, Some(memory), &axes)?;
    log_messages(py)?;
    lengths.resize(total, 0);
    Ok((array, library.integers(py, &lengths)?, sample_rate))
}

struct Run<'a, 'py> {
    on_error: &'a OnError,
    batch: Arc<Batch>,
    inputs: Vec<FileInput>,
    report: Progress<'py>,
}

impl<'py> Run<'_, 'py> {
    /// Opens all files; None for one that fails.
    fn open(&self, py: Python<'py>, pool: &Pool<Item>, num_workers: usize) -> PyResult<Vec<Option<Clip>>> {
        let total = self.inputs.len();
        let mut clips: Vec<Option<Clip>> = self.inputs.iter().map(|_| None).collect();
        let (mut next, mut num_kept) = (0, 0);
        loop {
            while pool.num_open() < 4 * num_workers
                && let Some(input) = self.inputs.get(next)
            {
                let (index, input, batch) = (next, input.clone(), Arc::clone(&self.batch));
                pool.submit(move |stop| {
                    let kept = input.kept();
                    let step = interruptible(stop, || batch.open(index, input));
                    Item {
                        index,
                        step: step.map(|opened| Step::Opened(Box::new(opened))),
                        kept,
                        _place: None,
                    }
                });
                next += 1;
            }
            let Some(Item { index, step, kept, .. }) = pool.next(py)? else { return Ok(clips) };
            match step {
                Ok(Step::Opened(opened)) => {
                    let clip = self.clip(opened, kept, num_kept < MAX_OPEN);
                    let clip = clip.map_err(|error| failure(py, &error, index, Some(total)))?;
                    num_kept += usize::from(clip.opened.is_some());
                    if let Some(place) = clips.get_mut(index) {
                        *place = Some(clip);
                    }
                }
                Ok(Step::Filled) => {}
                Err(error) => self.on_error.settle(py, failure(py, &error, index, Some(total)))?,
            }
        }
    }

    fn clip(
        &self,
        opened: Box<Opened>,
        kept: Option<KeptBytes>,
        stays_open: bool,
    ) -> mapwave_core::Result<Clip> {
        let (spec, reader) = (&self.batch.reading.spec, &opened.reader);
        let num_channels =
            spec.num_channels(reader.track().num_channels).map_err(|error| reader.named(error))?;
        let shape = reader.shape(opened.num_frames(), spec)?;
        i32::try_from(shape.num_frames()).map_err(|_| {
            let (what, max, got) = ("the number of frames in a row", i32::MAX as u64, opened.num_frames());
            reader.named(Error::Limit { path: None, what, max, got })
        })?;
        Ok(Clip {
            num_frames: shape.num_frames(),
            num_channels,
            sample_rate: reader.sample_rate(),
            opened: stays_open.then_some(opened),
            kept,
        })
    }

    /// The channels and the rate of all clips.
    fn check_alike(&self, py: Python<'py>, clips: &[Option<Clip>]) -> PyResult<(usize, u32)> {
        let mut known = clips.iter().zip(0_usize..).filter_map(|(clip, index)| Some((clip.as_ref()?, index)));
        let Some((first, index)) = known.next() else { return Ok((1, 0)) };
        let (channels, rate) = (first.num_channels, first.sample_rate);
        for (clip, other) in known {
            if clip.sample_rate != rate {
                let got = clip.sample_rate;
                let message = format!(
                    "sr must be given to stack files of several rates: paths[{index}] has {rate} Hz and paths[{other}] {got} Hz"
                );
                return Err(invalid(py, &message));
            }
            if clip.num_channels != channels {
                let got = clip.num_channels;
                let message = format!(
                    "mono=True or channels must be given to stack files of several channel counts: paths[{index}] has \
                     {channels} and paths[{other}] {got}"
                );
                return Err(invalid(py, &message));
            }
        }
        Ok((channels, rate))
    }

    /// Fills the rows and returns the frames in each.
    fn fill(
        &mut self,
        py: Python<'py>,
        pool: &Pool<Item>,
        rows: &Rows,
        memory: &Arc<Memory>,
        clips: &mut [Option<Clip>],
    ) -> PyResult<Vec<i32>> {
        let total = clips.len();
        let frames_of = |clip: &Option<Clip>| clip.as_ref().map_or(0, |clip| clip.num_frames);
        let mut lengths: Vec<i32> =
            clips.iter().map(|clip| i32::try_from(frames_of(clip)).unwrap_or(i32::MAX)).collect();
        let places = Memory::places(memory, rows.num_bytes(), total);
        for ((index, mut place), clip) in places.into_iter().enumerate().zip(clips) {
            let Some(Clip { num_frames, opened, kept, .. }) = clip.take() else {
                rows.put_padding(place.bytes());
                self.report.advance()?;
                continue;
            };
            let Some(input) = self.inputs.get(index).cloned() else { continue };
            let (batch, rows) = (Arc::clone(&self.batch), rows.clone());
            pool.submit(move |stop| {
                let step = interruptible(stop, || {
                    let opened = match opened {
                        Some(opened) => opened,
                        None => Box::new(batch.open(index, input.clone())?),
                    };
                    let found = opened.num_frames();
                    if found != num_frames as u64 {
                        let cause = std::io::Error::other("the file has changed since it was opened");
                        return Err(opened.reader.named(Error::Io {
                            path: None,
                            doing: "reading",
                            offset: None,
                            cause,
                        }));
                    }
                    rows.fill(place.bytes(), num_frames, |clip| batch.fill(&opened, clip, stop))
                });
                if step.is_err() {
                    rows.put_padding(place.bytes());
                }
                // The input goes back with what it keeps.
                let kept = kept.or_else(|| input.kept());
                drop(input);
                Item { index, step: step.map(|()| Step::Filled), kept, _place: Some(place) }
            });
        }
        while let Some(Item { index, step, .. }) = pool.next(py)? {
            if let Err(error) = step {
                if let Some(length) = lengths.get_mut(index) {
                    *length = 0;
                }
                self.on_error.settle(py, failure(py, &error, index, Some(total)))?;
            }
            self.report.advance()?;
        }
        Ok(lengths)
    }
}
