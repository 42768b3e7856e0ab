//! The array library that results are handed to.

#![allow(unsafe_code)] // fills memory that an array library has allocated

use std::cell::OnceCell;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::slice;

use mapwave_core::buffer::{advise_huge, is_zeros};
use mapwave_core::{Buffer, Error, OutputFormat, Reader};
use mapwave_fork::SetOnce;
use pyo3::buffer::PyUntypedBuffer;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::arguments::Reading;
use crate::errors::{invalid, raise};
use crate::frames::Frames;
use crate::interned::{import, intern};
use crate::interruption::interruptibly;
use crate::log::log_messages;

/// The output from which it pays to fill an array's own memory rather than have it copied.
const MIN_IN_PLACE: usize = 512 << 10;

/// The output from which a library is asked to allocate.
const MIN_ALLOCATED: usize = 4 << 20;

/// The environment variable that overrides how MLX arrays are made.
const ROUTE: &str = "MAPWAVE_MLX_ROUTE";

/// An array library, imported when the first array is made.
///
/// Its Python side is a function that returns an object with
/// - `from_frames(frames)`: makes an array of a [`Frames`];
/// - `copies`: whether it copies them, so that their memory is free again at once;
/// - `min_adopted`: None, or the size in bytes from which it takes memory over that is whole pages; it copies any other;
/// - `fills`: whether a copy of zeros is an array whose memory can be filled by the buffer protocol;
/// - `allocate(shape, dtype)`: None, or a function that makes a large array of unspecified contents to be filled, or None
///   when that is not possible at this moment;
/// - `finish(array, dtype)`: gives a filled array its type;
/// - `dtypes`: the names of the types it has;
/// - `max_axis`: None, or the longest axis it can have.
pub(crate) struct ArrayLibrary {
    import: Py<PyAny>,
    parts: SetOnce<Parts>,
}

struct Parts {
    from_frames: Py<PyAny>,
    copies: bool,
    min_adopted: Option<usize>,
    fills: bool,
    allocate: Option<Py<PyAny>>,
    finish: Py<PyAny>,
    dtypes: Vec<String>,
    max_axis: Option<usize>,
}

/// Where the memory of frames for an array library comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Allocation {
    /// The library keeps it.
    Kept,
    /// The library copies it.
    Copied,
    /// The library keeps whole pages from this size on, and copies less.
    Adopted { min_bytes: usize },
}

impl Allocation {
    pub(crate) fn buffer(self, num_bytes: usize) -> mapwave_core::Result<Buffer> {
        match self {
            Self::Kept => Buffer::new(num_bytes),
            Self::Adopted { min_bytes } if num_bytes >= min_bytes => Buffer::adoptable(num_bytes),
            Self::Copied | Self::Adopted { .. } => Buffer::recycled(num_bytes),
        }
    }
}

impl Allocation {
    /// Memory that is kept for the next batch when nobody needs it any more.
    pub(crate) fn batch(self, num_bytes: usize) -> mapwave_core::Result<Buffer> {
        match self {
            Self::Kept | Self::Copied => Buffer::for_batch(num_bytes),
            Self::Adopted { .. } => self.buffer(num_bytes),
        }
    }
}

impl ArrayLibrary {
    pub(crate) fn new(import: Py<PyAny>) -> Self {
        Self { import, parts: SetOnce::new() }
    }

    fn parts(&self, py: Python<'_>) -> PyResult<&Parts> {
        self.parts.get_or_try_init(|| {
            let library = self.import.bind(py).call0()?;
            let allocate = library.getattr(intern!(py, "allocate"))?;
            Ok(Parts {
                from_frames: library.getattr(intern!(py, "from_frames"))?.unbind(),
                copies: library.getattr(intern!(py, "copies"))?.extract()?,
                min_adopted: library.getattr(intern!(py, "min_adopted"))?.extract()?,
                fills: library.getattr(intern!(py, "fills"))?.extract()?,
                allocate: (!allocate.is_none()).then(|| allocate.unbind()),
                finish: library.getattr(intern!(py, "finish"))?.unbind(),
                dtypes: library.getattr(intern!(py, "dtypes"))?.extract()?,
                max_axis: library.getattr(intern!(py, "max_axis"))?.extract()?,
            })
        })
    }

    /// Checks that the library has arrays of a type.
    pub(crate) fn check(&self, py: Python<'_>, format: OutputFormat) -> PyResult<()> {
        if format == OutputFormat::F32 {
            // Every library has it: not a reason to import one yet.
            return Ok(());
        }
        let dtypes = &self.parts(py)?.dtypes;
        if dtypes.iter().any(|dtype| dtype == format.name()) {
            return Ok(());
        }
        let names: Vec<_> = dtypes.iter().map(|dtype| format!("'{dtype}'")).collect();
        Err(invalid(
            py,
            &format!("dtype must be one of {} for this array library, got '{format}'", names.join(", ")),
        ))
    }

    /// Reads frames into an array.
    pub(crate) fn read<'py>(
        &self,
        py: Python<'py>,
        reader: &Reader,
        frames: Range<u64>,
        reading: &Reading,
    ) -> PyResult<Bound<'py, PyAny>> {
        let array = self.read_array(py, reader, frames, reading);
        log_messages(py)?;
        array
    }

    fn read_array<'py>(
        &self,
        py: Python<'py>,
        reader: &Reader,
        frames: Range<u64>,
        reading: &Reading,
    ) -> PyResult<Bound<'py, PyAny>> {
        let Reading { spec, max_threads, .. } = reading;
        let parts = self.parts(py)?;
        if parts.allocate.is_some() {
            let num_frames = frames.end.saturating_sub(frames.start);
            let shape = reader.shape(num_frames, spec).map_err(|error| raise(py, &error))?;
            parts.check(shape.axes()).map_err(|error| raise(py, &reader.named(error)))?;
            if let Some(mut array) = parts.unfilled(py, shape.axes(), spec.format)? {
                let memory = array.memory();
                interruptibly(py, *max_threads, |control| {
                    advise_huge(memory);
                    reader.read_into(frames, spec, memory, control)
                })?;
                return array.finish(py, parts);
            }
        }
        let allocation = self.allocation(py)?;
        let read = interruptibly(py, *max_threads, |control| {
            reader.read_with(frames, spec, |num_bytes| allocation.buffer(num_bytes), control)
        })?;
        self.hand_over(py, read)
    }

    /// An array to be filled, where the library has memory for one of this shape that may be written to.
    ///
    /// # Errors
    /// Those of the library, and [`Error::Limit`] for an axis that is too long for it.
    pub(crate) fn unfilled(
        &self,
        py: Python<'_>,
        axes: &[usize],
        format: OutputFormat,
    ) -> PyResult<Option<Unfilled>> {
        let parts = self.parts(py)?;
        parts.check(axes).map_err(|error| raise(py, &error))?;
        parts.unfilled(py, axes, format)
    }

    /// The output from which [`unfilled`](Self::unfilled) is worth asking; None where it never is.
    pub(crate) fn min_unfilled(&self, py: Python<'_>) -> PyResult<Option<usize>> {
        Ok(self.parts(py)?.allocate.as_ref().map(|_| MIN_IN_PLACE))
    }

    /// The array whose memory has been filled.
    pub(crate) fn finish<'py>(&self, py: Python<'py>, filled: Unfilled) -> PyResult<Bound<'py, PyAny>> {
        filled.finish(py, self.parts(py)?)
    }

    /// Makes an array of memory that has been filled.
    pub(crate) fn adopt<'py>(&self, py: Python<'py>, frames: Frames) -> PyResult<Bound<'py, PyAny>> {
        self.parts(py)?.from_frames.bind(py).call1((frames,))
    }

    /// An array of whole numbers along one axis.
    pub(crate) fn integers<'py>(&self, py: Python<'py>, numbers: &[i32]) -> PyResult<Bound<'py, PyAny>> {
        let mut buffer =
            self.allocation(py)?.buffer(size_of_val(numbers)).map_err(|error| raise(py, &error))?;
        let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_ne_bytes()).collect();
        if let Some(place) = buffer.as_uninit_mut().get_mut(..bytes.len()) {
            place.write_copy_of_slice(&bytes);
        }
        self.adopt(py, Frames::of_buffer(buffer, OutputFormat::I32, &[numbers.len()]))
    }

    /// Where the memory of frames for this library should come from.
    pub(crate) fn allocation(&self, py: Python<'_>) -> PyResult<Allocation> {
        let parts = self.parts(py)?;
        Ok(match (parts.min_adopted, parts.copies) {
            (Some(min_bytes), _) => Allocation::Adopted { min_bytes },
            (None, true) => Allocation::Copied,
            (None, false) => Allocation::Kept,
        })
    }

    /// Makes an array of frames that were read before.
    pub(crate) fn hand_over<'py>(
        &self,
        py: Python<'py>,
        frames: mapwave_core::Frames,
    ) -> PyResult<Bound<'py, PyAny>> {
        let parts = self.parts(py)?;
        parts.check(frames.shape().axes()).map_err(|error| raise(py, &error))?;
        parts.from_frames.bind(py).call1((Frames::owned(frames),))
    }
}

impl Parts {
    /// Checks that the library can have an array of this shape.
    fn check(&self, axes: &[usize]) -> mapwave_core::Result<()> {
        match (self.max_axis, axes.iter().max()) {
            (Some(max), Some(&longest)) if longest > max => {
                let what = "the length of an axis, in this array library,";
                Err(Error::Limit { path: None, what, max: max as u64, got: longest as u64 })
            }
            _ => Ok(()),
        }
    }

    /// An array to be filled, where that is worth it and possible.
    fn unfilled(&self, py: Python<'_>, axes: &[usize], format: OutputFormat) -> PyResult<Option<Unfilled>> {
        let num_bytes = axes.iter().product::<usize>() * format.num_bytes();
        let Some(allocate) = self.allocate.as_ref().filter(|_| num_bytes >= MIN_IN_PLACE) else {
            return Ok(None);
        };
        if is_daemon(py)? {
            return Ok(None);
        }
        // The library's own judgement takes microseconds: it is asked only where it has a choice.
        let array = if self.fills && num_bytes < MIN_ALLOCATED && std::env::var_os(ROUTE).is_none() {
            self.from_frames.bind(py).call1((Frames::zeros(axes, format)?,))?
        } else {
            allocate.bind(py).call1((PyTuple::new(py, axes)?, format.name()))?
        };
        match array.is_none() {
            true => Ok(None),
            false => Unfilled::new(&array, format),
        }
    }
}

/// An array that nobody else has seen yet, and its memory, which is to be filled.
pub(crate) struct Unfilled {
    /// Keeps the memory where it is.
    buffer: PyUntypedBuffer,
    array: Py<PyAny>,
    format: OutputFormat,
}

impl Unfilled {
    /// None when the array's memory cannot be written to.
    fn new(array: &Bound<'_, PyAny>, format: OutputFormat) -> PyResult<Option<Self>> {
        let buffer = PyUntypedBuffer::get(array)?;
        let start = buffer.buf_ptr();
        // A library that took the zeros over instead of copying them has an array that must not be written to. One that has no
        // memory has found none: the way that is taken instead says so.
        let is_refused = is_zeros(start.cast_const().cast()) || start.is_null();
        if is_refused || buffer.readonly() || !buffer.is_c_contiguous() {
            return Ok(None);
        }
        Ok(Some(Self { buffer, array: array.clone().unbind(), format }))
    }

    /// Where the memory is, and its size in bytes.
    pub(crate) fn extent(&self) -> (*mut MaybeUninit<u8>, usize) {
        (self.buffer.buf_ptr().cast(), self.buffer.len_bytes())
    }

    /// The memory.
    pub(crate) fn memory(&mut self) -> &mut [MaybeUninit<u8>] {
        let (start, num_bytes) = self.extent();
        // SAFETY: the buffer is writable, contiguous and `num_bytes` long; it is exported, so that it stays where it is, and
        // the array is new, so that nobody else reads or writes it.
        unsafe { slice::from_raw_parts_mut(start, num_bytes) }
    }

    fn finish<'py>(self, py: Python<'py>, parts: &Parts) -> PyResult<Bound<'py, PyAny>> {
        self.buffer.release(py);
        parts.finish.bind(py).call1((self.array, self.format.name()))
    }
}

/// Whether this is a daemon thread. When the interpreter exits, it ends such a thread where it would take its lock again, and
/// MLX, which gives the lock up to show its arrays' memory, does not survive that.
fn is_daemon(py: Python<'_>) -> PyResult<bool> {
    thread_local! {
        static IS_DAEMON: OnceCell<bool> = const { OnceCell::new() };
    }
    IS_DAEMON.with(|known| match known.get() {
        Some(&is_daemon) => Ok(is_daemon),
        None => {
            let thread = import(py, intern!(py, "threading"))?.call_method0("current_thread")?;
            let is_daemon = thread.getattr("daemon")?.extract()?;
            Ok(*known.get_or_init(|| is_daemon))
        }
    })
}
