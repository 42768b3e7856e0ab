//! The samples of whatever array a caller passes, where they are.

#![allow(unsafe_code)] // reads an array's memory by its strides

use std::ffi::CStr;

use mapwave_core::sink::Audio;
use mapwave_core::{Layout, OutputFormat};
use pyo3::buffer::PyUntypedBuffer;
use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::dlpack_import::Imported;
use crate::errors::{invalid, raise};
use crate::interned::intern;

/// The memory of an array, which stays as it is and where it is for as long as this lives.
pub(crate) struct Samples {
    memory: Memory,
    format: OutputFormat,
}

enum Memory {
    Buffer(PyUntypedBuffer),
    Imported(Imported),
}

impl Samples {
    /// Takes an array by the buffer protocol or by DLPack. An MLX array is evaluated by that.
    pub(crate) fn new(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = object.py();
        let object = &evaluated(object)?;
        if let Some(words) = bfloat16_words(object)? {
            let buffer = PyUntypedBuffer::get(&words)?;
            return Ok(Self { memory: Memory::Buffer(buffer), format: OutputFormat::Bf16 });
        }
        match PyUntypedBuffer::get(object) {
            Ok(buffer) => {
                if buffer.suboffsets().is_some_and(|offsets| offsets.iter().any(|offset| *offset >= 0)) {
                    return Err(invalid(
                        py,
                        "audio must be an array in one piece, got one of pointers to others",
                    ));
                }
                let format = of_buffer(buffer.format()).ok_or_else(|| {
                    let found = buffer.format().to_string_lossy();
                    refused(py, object, &format!("format '{found}'"))
                })?;
                return Ok(Self { memory: Memory::Buffer(buffer), format });
            }
            Err(error) if !object.hasattr(intern!(py, "__dlpack__"))? => {
                let kind = object.get_type().name()?;
                let refusal = PyTypeError::new_err(format!(
                    "audio must be an array with the buffer protocol or DLPack (mlx, numpy, torch, jax), got {kind}"
                ));
                refusal.set_cause(py, Some(error));
                return Err(refusal);
            }
            Err(_) => {}
        }
        let imported = Imported::new(object)?;
        let format = imported.format().map_err(|found| refused(py, object, &found))?;
        Ok(Self { memory: Memory::Imported(imported), format })
    }

    /// The type of the samples.
    pub(crate) fn format(&self) -> OutputFormat {
        self.format
    }

    /// The lengths of the axes.
    pub(crate) fn axes(&self) -> Vec<usize> {
        match &self.memory {
            // A single number has no axes, and no array of them.
            Memory::Buffer(buffer) if buffer.dimensions() == 0 => Vec::new(),
            Memory::Buffer(buffer) => buffer.shape().to_vec(),
            Memory::Imported(tensor) => tensor.axes(),
        }
    }

    /// The distances of neighbours along each axis, in bytes.
    pub(crate) fn strides(&self) -> Vec<isize> {
        match &self.memory {
            Memory::Buffer(buffer) if buffer.dimensions() == 0 => Vec::new(),
            Memory::Buffer(buffer) => buffer.strides().to_vec(),
            Memory::Imported(tensor) => tensor.strides(),
        }
    }

    /// The frames that the array is, with its channels on the axis that `layout` says or that can be told.
    pub(crate) fn audio(&self, py: Python<'_>, layout: Option<Layout>) -> PyResult<Audio<'_>> {
        let start = match &self.memory {
            Memory::Buffer(buffer) => buffer.buf_ptr().cast_const().cast(),
            Memory::Imported(tensor) => tensor.start(),
        };
        // SAFETY: the exporter vouches for every sample that its shape and strides lead to, as long as the export lives; that
        // nobody writes there meanwhile is asked of the caller.
        let audio = unsafe { Audio::from_strides(start, self.format, &self.axes(), &self.strides(), layout) };
        audio.map_err(|error| raise(py, &error))
    }
}

/// An MLX array as a value of its own over the same memory, evaluated; any other object as it is.
///
/// MLX writes an assignment to the caller's array into that memory only while nobody else has it. Bfloat16, which the buffers of
/// MLX 0.32.0 have no format for, is taken as the 16 bits it is.
fn evaluated<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = object.py();
    if object.get_type().module()?.to_str()? != "mlx.core" || !object.hasattr(intern!(py, "__copy__"))? {
        return Ok(object.clone());
    }
    let array = object.call_method0(intern!(py, "__copy__"))?;
    // Before its buffer is asked for: until 0.32.4 MLX ends the process when the evaluation fails in there.
    py.import(intern!(py, "mlx.core"))?.call_method1(intern!(py, "eval"), (&array,)).map_err(|error| {
        if !error.is_instance_of::<PyRuntimeError>(py) {
            return error;
        }
        let message = "audio is an MLX array that cannot be evaluated on this thread; call mx.eval(audio) on the thread \
                       that made it";
        let refusal = invalid(py, message);
        refusal.set_cause(py, Some(error));
        refusal
    })?;
    Ok(array)
}

/// The words of an array of bfloat16, which the buffers of NumPy, and of MLX before 0.32.1, have no format for.
fn bfloat16_words<'py>(object: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = object.py();
    let module = object.get_type().module()?;
    let words = match module.to_str()? {
        "numpy" => {
            let name = object.getattr(intern!(py, "dtype"))?.getattr(intern!(py, "name"))?;
            (name.extract::<&str>()? == "bfloat16").then(|| PyString::new(py, "uint16").into_any())
        }
        "mlx.core" if object.hasattr(intern!(py, "dtype"))? => {
            let mlx = py.import(intern!(py, "mlx.core"))?;
            let is_bfloat16 =
                object.getattr(intern!(py, "dtype"))?.eq(mlx.getattr(intern!(py, "bfloat16"))?)?;
            is_bfloat16.then(|| mlx.getattr(intern!(py, "uint16"))).transpose()?
        }
        _ => None,
    };
    match words {
        Some(words) => evaluated(&object.call_method1(intern!(py, "view"), (words,))?).map(Some),
        None => Ok(None),
    }
}

/// The type that a format of the buffer protocol stands for; MLX calls one by its name.
fn of_buffer(format: &CStr) -> Option<OutputFormat> {
    let format = format.to_str().ok()?;
    if format == "bfloat16" {
        return Some(OutputFormat::Bf16);
    }
    let native = if cfg!(target_endian = "big") { '>' } else { '<' };
    Some(match format.strip_prefix(['@', '=', native]).unwrap_or(format) {
        "f" => OutputFormat::F32,
        "d" => OutputFormat::F64,
        "e" => OutputFormat::F16,
        "h" => OutputFormat::I16,
        // A C long has 64 bits but in the standard sizes.
        "i" => OutputFormat::I32,
        "l" if format.starts_with(['=', native]) => OutputFormat::I32,
        _ => return None,
    })
}

fn refused(py: Python<'_>, object: &Bound<'_, PyAny>, found: &str) -> PyErr {
    let names = OutputFormat::ALL.map(OutputFormat::name).join(", ");
    let found = match object.getattr(intern!(py, "dtype")) {
        Ok(dtype) => dtype.to_string(),
        Err(_) => found.to_owned(),
    };
    invalid(py, &format!("audio must be an array of {names} in this machine's byte order, got {found}"))
}
