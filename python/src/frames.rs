//! `Frames`: samples in memory, or in place in a mapped file, as every array library can take them.

#![allow(unsafe_code)] // the buffer protocol is a C interface

use std::ffi::{CStr, c_int, c_void};
use std::ptr;
use std::sync::Arc;

use mapwave_core::{Buffer, OutputFormat, Reader, Shape};
use pyo3::exceptions::PyBufferError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::dlpack;
use crate::errors::raise;

/// What keeps the samples where they are.
#[derive(Clone)]
pub(crate) enum Owner {
    Memory(Arc<mapwave_core::Frames>),
    Buffer(Arc<Buffer>),
    File(#[allow(dead_code)] Arc<Reader>),
    Zeros(#[allow(dead_code)] Arc<memmap2::Mmap>),
}

/// Samples as a C-contiguous array, exported without a copy by the buffer protocol and by DLPack.
///
/// A view of a file is read-only and keeps it mapped. If the file shrinks, the missing samples read as zeros, unless another
/// library has replaced the SIGBUS handler since.
#[pyclass(frozen, module = "mapwave")]
pub(crate) struct Frames {
    owner: Owner,
    start: *mut u8,
    num_bytes: usize,
    format: OutputFormat,
    readonly: bool,
    /// The shape and strides that the buffer protocol points to.
    shape: Vec<ffi::Py_ssize_t>,
    strides: Vec<ffi::Py_ssize_t>,
}

// SAFETY: the owner keeps the samples alive and may be sent and shared; `start` only points into what it owns.
unsafe impl Send for Frames {}
// SAFETY: as above; whoever writes through an exported pointer answers for it, as with any array.
unsafe impl Sync for Frames {}

impl Frames {
    /// Takes frames that a read has made.
    pub(crate) fn owned(frames: mapwave_core::Frames) -> Self {
        let (start, num_bytes) = (frames.as_ptr(), frames.bytes().len());
        let (format, shape) = (frames.format(), frames.shape());
        Self::new(Owner::Memory(Arc::new(frames)), start, num_bytes, format, shape.axes(), false)
    }

    /// Takes a buffer of which every byte has been written, as an array of this shape.
    pub(crate) fn of_buffer(buffer: Buffer, format: OutputFormat, shape: &[usize]) -> Self {
        let start = buffer.as_ptr();
        let num_bytes = shape.iter().product::<usize>() * format.num_bytes();
        assert!(num_bytes <= buffer.num_bytes(), "the buffer holds the array");
        Self::new(Owner::Buffer(Arc::new(buffer)), start, num_bytes, format, shape, false)
    }

    /// Points at a file's samples in place.
    ///
    /// # Errors
    /// The core's, when they cannot be used in place.
    pub(crate) fn of_file(reader: Arc<Reader>) -> mapwave_core::Result<Self> {
        let view = reader.view()?;
        let (start, num_bytes, format) = (view.bytes.as_ptr().cast_mut(), view.bytes.len(), view.format);
        let spec = mapwave_core::FrameSpec { format, ..mapwave_core::FrameSpec::default() };
        let shape: Shape = spec.shape(reader.num_frames(), reader.track().num_channels)?;
        Ok(Self::new(Owner::File(reader), start, num_bytes, format, shape.axes(), true))
    }

    /// Zeros of a shape, for an array library that copies them.
    pub(crate) fn zeros(shape: &[usize], format: OutputFormat) -> PyResult<Self> {
        let num_bytes = shape.iter().product::<usize>() * format.num_bytes();
        let map = mapwave_core::buffer::zeros(num_bytes)?;
        let start = map.as_ptr().cast_mut();
        Ok(Self::new(Owner::Zeros(map), start, num_bytes, format, shape, false))
    }

    fn new(
        owner: Owner,
        start: *mut u8,
        num_bytes: usize,
        format: OutputFormat,
        shape: &[usize],
        readonly: bool,
    ) -> Self {
        let shape: Vec<_> = shape.iter().map(|&axis| axis.cast_signed()).collect();
        let strides = c_strides(&shape, format.num_bytes().cast_signed());
        Self { owner, start, num_bytes, format, readonly, shape, strides }
    }

    fn buffer_format(&self) -> PyResult<&'static CStr> {
        match self.format {
            OutputFormat::F32 => Ok(c"f"),
            OutputFormat::F16 => Ok(c"e"),
            OutputFormat::F64 => Ok(c"d"),
            OutputFormat::I16 => Ok(c"h"),
            OutputFormat::I32 => Ok(c"i"),
            OutputFormat::Bf16 => {
                Err(PyBufferError::new_err("the buffer protocol has no bfloat16; take the samples by DLPack"))
            }
        }
    }
}

#[pymethods]
impl Frames {
    /// The lengths of the axes.
    #[getter]
    fn shape<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, &self.shape)
    }

    /// The type of the samples, such as "float32".
    #[getter]
    fn dtype(&self) -> &'static str {
        self.format.name()
    }

    /// The size in bytes.
    #[getter]
    fn nbytes(&self) -> usize {
        self.num_bytes
    }

    /// Whether the samples belong to a file and cannot be changed.
    #[getter]
    fn readonly(&self) -> bool {
        self.readonly
    }

    /// Returns the whole pages that hold the samples, with the zeros behind them, along one axis: what a GPU can use without a
    /// copy. None when the samples do not start at a page or share their last one.
    fn pages(&self) -> Option<Self> {
        let num_bytes = match &self.owner {
            Owner::Memory(frames) => frames.num_page_bytes()?,
            Owner::Buffer(buffer) => buffer.num_page_bytes()?,
            Owner::File(_) | Owner::Zeros(_) => return None,
        };
        let num_samples = num_bytes / self.format.num_bytes();
        Some(Self::new(self.owner.clone(), self.start, num_bytes, self.format, &[num_samples], false))
    }

    fn __len__(&self) -> usize {
        self.shape.first().map_or(0, |axis| axis.unsigned_abs())
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let shape = self.shape(py)?;
        Ok(format!(
            "Frames(shape={shape}, dtype='{}', readonly={})",
            self.dtype(),
            python_bool(self.readonly)
        ))
    }

    /// Exports the samples as a DLPack capsule.
    #[pyo3(signature = (*, stream=None, max_version=None, dl_device=None, copy=None))]
    fn __dlpack__<'py>(
        &self,
        py: Python<'py>,
        stream: Option<&Bound<'py, PyAny>>,
        max_version: Option<(u32, u32)>,
        dl_device: Option<(i32, i32)>,
        copy: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if stream.is_some() {
            return Err(PyBufferError::new_err(
                "these samples are in CPU memory, where a stream has no meaning",
            ));
        }
        if dl_device.is_some_and(|device| device != dlpack::CPU) {
            return Err(PyBufferError::new_err("these samples are in CPU memory; move the array afterwards"));
        }
        if copy == Some(true) {
            return Err(PyBufferError::new_err(
                "samples are exported without a copy; copy the array afterwards",
            ));
        }
        let tensor = dlpack::Tensor {
            owner: self.owner.clone(),
            start: self.start,
            format: self.format,
            readonly: self.readonly,
            shape: self.shape.iter().map(|&axis| axis as i64).collect(),
        };
        tensor.into_capsule(py, max_version)
    }

    /// The device of the samples in DLPack's terms: the CPU.
    fn __dlpack_device__(&self) -> (i32, i32) {
        dlpack::CPU
    }

    /// Fills in a `Py_buffer`.
    unsafe fn __getbuffer__(slf: Bound<'_, Self>, view: *mut ffi::Py_buffer, flags: c_int) -> PyResult<()> {
        let frames = slf.get();
        let format = frames.buffer_format()?;
        if frames.readonly && flags & ffi::PyBUF_WRITABLE != 0 {
            return Err(PyBufferError::new_err(
                "the samples of a mapped file are read-only; copy them to change them",
            ));
        }
        let if_asked = |flag: c_int, pointer: *mut ffi::Py_ssize_t| {
            if flags & flag == flag { pointer } else { ptr::null_mut() }
        };
        let filled = ffi::Py_buffer {
            buf: frames.start.cast::<c_void>(),
            obj: slf.clone().into_any().into_ptr(),
            len: frames.num_bytes.cast_signed(),
            itemsize: frames.format.num_bytes().cast_signed(),
            readonly: c_int::from(frames.readonly),
            ndim: c_int::try_from(frames.shape.len())?,
            format: if flags & ffi::PyBUF_FORMAT != 0 { format.as_ptr().cast_mut() } else { ptr::null_mut() },
            shape: if_asked(ffi::PyBUF_ND, frames.shape.as_ptr().cast_mut()),
            strides: if_asked(ffi::PyBUF_STRIDES, frames.strides.as_ptr().cast_mut()),
            suboffsets: ptr::null_mut(),
            internal: ptr::null_mut(),
        };
        // SAFETY: the interpreter passes a valid place for the answer; all that it points to lives as long as `obj`, to
        // which it holds a reference.
        unsafe { view.write(filled) };
        Ok(())
    }
}

/// The strides of an array in C order, in the unit of `step`.
fn c_strides(shape: &[ffi::Py_ssize_t], step: ffi::Py_ssize_t) -> Vec<ffi::Py_ssize_t> {
    let mut strides = vec![step; shape.len()];
    let mut step = step;
    for (stride, &axis) in strides.iter_mut().zip(shape).rev() {
        *stride = step;
        step = step.saturating_mul(axis.max(1));
    }
    strides
}

/// Returns zeros that take up no memory, for a library that copies what it is given: they are read-only.
#[pyfunction]
pub(crate) fn zeros(py: Python<'_>, shape: Vec<usize>, dtype: &str) -> PyResult<Frames> {
    let format = dtype.parse().map_err(|error| raise(py, &error))?;
    Frames::zeros(&shape, format)
}

pub(crate) fn python_bool(value: bool) -> &'static str {
    if value { "True" } else { "False" }
}
