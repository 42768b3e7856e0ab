//! The array library that results are handed to.

#![allow(unsafe_code)] // fills memory that an array library has allocated

use std::cell::{Cell, RefCell};
use std::mem::MaybeUninit;
use std::ops::Range;
use std::slice;
use std::time::{Duration, Instant};

use mapwave::frames::advise_huge;
use mapwave::{Buffer, Effort, Error, FrameSpec, Reader};
use pyo3::buffer::PyUntypedBuffer;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyTuple;

use crate::errors::raise;
use crate::frames::Frames;

/// The output from which it pays to fill an array's own memory rather than have it copied (measured: 0.7 to 1 MB).
const MIN_IN_PLACE: usize = 768 << 10;

/// How often a long read asks whether Ctrl-C was pressed.
const SIGNAL_INTERVAL: Duration = Duration::from_millis(50);

/// An array library, imported when the first array is made.
///
/// Its Python side is a function that returns an object with
/// - `from_frames(frames)`: makes an array of a [`Frames`];
/// - `copies`: whether it copies them, so that their memory is free again at once;
/// - `allocate(shape, dtype)`: None, or a function that makes an array of unspecified contents, or None when that is not
///   safe at this moment; its memory is filled by the buffer protocol;
/// - `finish(array, dtype)`: gives a filled array its type.
pub(crate) struct ArrayLibrary {
    import: Py<PyAny>,
    parts: PyOnceLock<Parts>,
}

struct Parts {
    from_frames: Py<PyAny>,
    copies: bool,
    in_place: Option<(Py<PyAny>, Py<PyAny>)>,
}

impl ArrayLibrary {
    pub(crate) fn new(import: Py<PyAny>) -> Self {
        Self { import, parts: PyOnceLock::new() }
    }

    fn parts(&self, py: Python<'_>) -> PyResult<&Parts> {
        self.parts.get_or_try_init(py, || {
            let library = self.import.bind(py).call0()?;
            let allocate = library.getattr(intern!(py, "allocate"))?;
            let finish = library.getattr(intern!(py, "finish"))?;
            Ok(Parts {
                from_frames: library.getattr(intern!(py, "from_frames"))?.unbind(),
                copies: library.getattr(intern!(py, "copies"))?.extract()?,
                in_place: (!allocate.is_none()).then(|| (allocate.unbind(), finish.unbind())),
            })
        })
    }

    /// Reads frames into an array.
    pub(crate) fn read<'py>(
        &self,
        py: Python<'py>,
        reader: &Reader,
        frames: Range<u64>,
        spec: &FrameSpec,
    ) -> PyResult<Bound<'py, PyAny>> {
        let parts = self.parts(py)?;
        if let Some((allocate, finish)) = &parts.in_place {
            let num_frames = frames.end.saturating_sub(frames.start);
            let shape =
                spec.shape(num_frames, reader.track().num_channels).map_err(|error| raise(py, &error))?;
            if shape.num_samples() * spec.format.num_bytes() >= MIN_IN_PLACE {
                let arguments = (PyTuple::new(py, shape.axes())?, spec.format.name());
                let array = allocate.bind(py).call1(arguments)?;
                if !array.is_none() {
                    fill(&array, reader, frames, spec)?;
                    return finish.bind(py).call1((array, spec.format.name()));
                }
            }
        }
        let allocate = if parts.copies { Buffer::recycled } else { Buffer::new };
        let read = interruptibly(py, |effort| reader.read_with(frames, spec, allocate, effort))?;
        self.hand_over(py, read)
    }

    /// Makes an array of frames that were read before.
    pub(crate) fn hand_over<'py>(
        &self,
        py: Python<'py>,
        frames: mapwave::Frames,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.parts(py)?.from_frames.bind(py).call1((Frames::owned(frames),))
    }
}

/// Reads frames into the memory of an array that nobody else has seen yet.
fn fill(array: &Bound<'_, PyAny>, reader: &Reader, frames: Range<u64>, spec: &FrameSpec) -> PyResult<()> {
    let py = array.py();
    let buffer = PyUntypedBuffer::get(array)?;
    let (start, num_bytes) = (buffer.buf_ptr().cast::<MaybeUninit<u8>>(), buffer.len_bytes());
    assert!(
        !buffer.readonly() && buffer.is_c_contiguous(),
        "an array just allocated can be filled from end to end"
    );
    // SAFETY: the buffer is writable, contiguous and `num_bytes` long; it is exported, so that it stays where it is, and
    // the array is new, so that nobody else reads or writes it.
    let memory = unsafe { slice::from_raw_parts_mut(start, num_bytes) };
    interruptibly(py, |effort| {
        advise_huge(memory);
        reader.read_into(frames, spec, memory, effort)
    })?;
    buffer.release(py);
    Ok(())
}

/// Runs a read on all processors without the interpreter's lock, and ends it when a signal's handler raises.
pub(crate) fn interruptibly<T: Send>(
    py: Python<'_>,
    read: impl FnOnce(&Effort<'_>) -> mapwave::Result<T> + Send,
) -> PyResult<T> {
    let (result, raised) = py.detach(|| {
        let raised = RefCell::new(None);
        let asked = Cell::new(None);
        let interrupted = || {
            let now = Instant::now();
            if now - asked.get().unwrap_or(now) < SIGNAL_INTERVAL {
                asked.set(asked.get().or(Some(now)));
                return false;
            }
            asked.set(Some(now));
            let outcome = Python::attach(|py| py.check_signals());
            outcome.map_err(|error| raised.replace(Some(error))).is_err()
        };
        let effort = Effort { max_threads: mapwave::segment::num_processors(), interrupted: &interrupted };
        let result = read(&effort);
        (result, raised.into_inner())
    });
    match (result, raised) {
        (Err(Error::Interrupted), Some(error)) => Err(error),
        (result, _) => result.map_err(|error| raise(py, &error)),
    }
}
