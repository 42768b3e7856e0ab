//! Arrays that others export by DLPack.

#![allow(unsafe_code)] // a C interface

use std::ffi::CStr;
use std::ptr::NonNull;
use std::slice;

use mapwave_core::OutputFormat;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict};

use crate::dlpack::{CPU, DlTensor, UNVERSIONED_NAME, Unversioned, VERSIONED_NAME, Versioned};
use crate::interned::intern;

/// The most axes that are looked at.
const MAX_AXES: i32 = 32;

/// A tensor that was taken over from a capsule.
pub(crate) struct Imported {
    managed: Managed,
}

enum Managed {
    Unversioned(NonNull<Unversioned>),
    Versioned(NonNull<Versioned>),
}

// SAFETY: a tensor that was taken over is its consumer's, who may free it on any thread; its memory is only read.
unsafe impl Send for Imported {}
// SAFETY: as above.
unsafe impl Sync for Imported {}

impl Imported {
    /// Takes an array's memory; an array that calculates gradients is taken without them.
    pub(crate) fn new(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = object.py();
        let needs_gradient = object.getattr(intern!(py, "requires_grad")).and_then(|needs| needs.is_truthy());
        let object = match needs_gradient {
            Ok(true) => object.call_method0(intern!(py, "detach"))?,
            _ => object.clone(),
        };
        if let Ok(device) = object.call_method0(intern!(py, "__dlpack_device__")) {
            let (kind, _): (i32, i32) = device.extract()?;
            if kind != CPU.0 {
                return Err(PyValueError::new_err(format!(
                    "audio must be in the CPU's memory, got an array on DLPack device {kind}; move it there first, as by \
                     .cpu()"
                )));
            }
        }
        let versions = PyDict::new(py);
        versions.set_item("max_version", (1, 0))?;
        let capsule = match object.call_method(intern!(py, "__dlpack__"), (), Some(&versions)) {
            Ok(capsule) => capsule,
            // Exporters of before version 1 do not know the argument.
            Err(error) if error.is_instance_of::<pyo3::exceptions::PyTypeError>(py) => {
                object.call_method0(intern!(py, "__dlpack__"))?
            }
            Err(error) => return Err(error),
        };
        let capsule = capsule.cast_into::<PyCapsule>().map_err(PyErr::from)?;
        let managed = match taken::<Versioned>(&capsule, VERSIONED_NAME, c"used_dltensor_versioned") {
            Some(managed) => Managed::Versioned(managed),
            None => Managed::Unversioned(
                taken::<Unversioned>(&capsule, UNVERSIONED_NAME, c"used_dltensor").ok_or_else(|| {
                    PyValueError::new_err(
                        "audio's __dlpack__ gave a capsule that holds no tensor of DLPack 0 or 1",
                    )
                })?,
            ),
        };
        let this = Self { managed };
        let (tensor, major) = (this.tensor(), this.major());
        if major > 1 {
            return Err(PyValueError::new_err(format!(
                "audio's __dlpack__ gave version {major}, expected 0 or 1"
            )));
        }
        let is_sound = (0..=MAX_AXES).contains(&tensor.num_axes)
            && (tensor.num_axes == 0 || !tensor.shape.is_null())
            && tensor.device_type == CPU.0
            && this.axes_raw().iter().all(|length| *length >= 0);
        if !is_sound {
            return Err(PyValueError::new_err(
                "audio's __dlpack__ gave a tensor that is not in the memory of the CPU",
            ));
        }
        Ok(this)
    }

    fn tensor(&self) -> &DlTensor {
        match &self.managed {
            // SAFETY: the struct is this value's until it is dropped.
            Managed::Unversioned(managed) => unsafe { &(*managed.as_ptr()).tensor },
            // SAFETY: as above; only the version is read of one of another major.
            Managed::Versioned(managed) => unsafe { &(*managed.as_ptr()).tensor },
        }
    }

    fn major(&self) -> u32 {
        match &self.managed {
            Managed::Unversioned(_) => 0,
            // SAFETY: as in `tensor`.
            Managed::Versioned(managed) => unsafe { (*managed.as_ptr()).version.major },
        }
    }

    /// The type of the samples, or what they are in words.
    pub(crate) fn format(&self) -> Result<OutputFormat, String> {
        let kind = &self.tensor().data_type;
        match (kind.code, kind.bits, kind.lanes) {
            (0, 16, 1) => Ok(OutputFormat::I16),
            (0, 32, 1) => Ok(OutputFormat::I32),
            (2, 16, 1) => Ok(OutputFormat::F16),
            (2, 32, 1) => Ok(OutputFormat::F32),
            (2, 64, 1) => Ok(OutputFormat::F64),
            (4, 16, 1) => Ok(OutputFormat::Bf16),
            (code, bits, lanes) => Err(format!("DLPack type code {code} of {bits} bits in {lanes} lanes")),
        }
    }

    /// The first sample.
    pub(crate) fn start(&self) -> *const u8 {
        let tensor = self.tensor();
        let offset = usize::try_from(tensor.byte_offset).unwrap_or(0);
        tensor.data.cast_const().cast::<u8>().wrapping_add(offset)
    }

    fn num_axes(&self) -> usize {
        usize::try_from(self.tensor().num_axes).unwrap_or(0)
    }

    fn axes_raw(&self) -> &[i64] {
        match self.num_axes() {
            0 => &[],
            // SAFETY: the exporter gives as many lengths as there are axes, for as long as the tensor lives.
            num_axes => unsafe { slice::from_raw_parts(self.tensor().shape, num_axes) },
        }
    }

    /// The lengths of the axes.
    pub(crate) fn axes(&self) -> Vec<usize> {
        self.axes_raw().iter().map(|&length| usize::try_from(length).unwrap_or(0)).collect()
    }

    /// The distances of neighbours along each axis, in bytes.
    pub(crate) fn strides(&self) -> Vec<isize> {
        let tensor = self.tensor();
        let size = isize::from(tensor.data_type.bits) / 8;
        if tensor.strides.is_null() {
            // In C order, as versions before 1.2 may say it.
            let axes = self.axes();
            let after = |axis: usize| axes.iter().skip(axis + 1).product::<usize>().cast_signed();
            return (0..axes.len()).map(|axis| after(axis) * size).collect();
        }
        // SAFETY: the exporter gives as many strides as there are axes, for as long as the tensor lives.
        let strides = unsafe { slice::from_raw_parts(tensor.strides, self.num_axes()) };
        strides.iter().map(|&stride| isize::try_from(stride).unwrap_or(0) * size).collect()
    }
}

impl Drop for Imported {
    fn drop(&mut self) {
        // An exporter's deleter may need the interpreter. On its way out it has no more use for the memory.
        let _ = Python::try_attach(|_| match self.managed {
            Managed::Unversioned(managed) => {
                // SAFETY: the struct is this value's until here.
                let deleter = unsafe { (*managed.as_ptr()).deleter };
                if let Some(deleter) = deleter {
                    // SAFETY: the exporter's function for its struct, called once.
                    unsafe { deleter(managed.as_ptr()) };
                }
            }
            Managed::Versioned(managed) => {
                // SAFETY: as above.
                let deleter = unsafe { (*managed.as_ptr()).deleter };
                if let Some(deleter) = deleter {
                    // SAFETY: as above.
                    unsafe { deleter(managed.as_ptr()) };
                }
            }
        });
    }
}

/// Takes the struct out of a capsule of a name, which is renamed so that its destructor leaves it alone.
fn taken<T>(capsule: &Bound<'_, PyCapsule>, name: &CStr, used: &'static CStr) -> Option<NonNull<T>> {
    // SAFETY: a capsule, and names that end in zeros.
    let is_of_name = unsafe { pyo3::ffi::PyCapsule_IsValid(capsule.as_ptr(), name.as_ptr()) } == 1;
    if !is_of_name {
        return None;
    }
    // SAFETY: the capsule has just been found to be of this name.
    let pointer = unsafe { pyo3::ffi::PyCapsule_GetPointer(capsule.as_ptr(), name.as_ptr()) };
    // SAFETY: the new name is static, as the interpreter keeps the pointer to it.
    unsafe { pyo3::ffi::PyCapsule_SetName(capsule.as_ptr(), used.as_ptr()) };
    NonNull::new(pointer.cast())
}
