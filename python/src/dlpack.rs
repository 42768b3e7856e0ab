//! The DLPack capsule: a C struct that array libraries exchange memory by.
//!
//! Source: <https://dmlc.github.io/dlpack/latest/c_api.html>, versions 0.x (`DLManagedTensor`) and 1.x
//! (`DLManagedTensorVersioned`), and the Python protocol of the array API standard.

#![allow(unsafe_code)] // a C interface

use std::ffi::{CStr, c_void};
use std::ptr::NonNull;

use mapwave_core::OutputFormat;
use pyo3::exceptions::PyBufferError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use crate::frames::Owner;

/// `(kDLCPU, 0)`.
pub(crate) const CPU: (i32, i32) = (1, 0);

/// `DLPACK_FLAG_BITMASK_READ_ONLY`.
const READ_ONLY: u64 = 1;

const VERSION: Version = Version { major: 1, minor: 0 };

pub(crate) const UNVERSIONED_NAME: &CStr = c"dltensor";
pub(crate) const VERSIONED_NAME: &CStr = c"dltensor_versioned";

/// Samples that are about to be exported.
pub(crate) struct Tensor {
    pub(crate) owner: Owner,
    pub(crate) start: *mut u8,
    pub(crate) format: OutputFormat,
    pub(crate) readonly: bool,
    pub(crate) shape: Vec<i64>,
}

#[repr(C)]
pub(crate) struct Version {
    pub(crate) major: u32,
    minor: u32,
}

#[repr(C)]
pub(crate) struct DataType {
    pub(crate) code: u8,
    pub(crate) bits: u8,
    pub(crate) lanes: u16,
}

#[repr(C)]
pub(crate) struct DlTensor {
    pub(crate) data: *mut c_void,
    pub(crate) device_type: i32,
    device_id: i32,
    pub(crate) num_axes: i32,
    pub(crate) data_type: DataType,
    pub(crate) shape: *mut i64,
    pub(crate) strides: *mut i64,
    pub(crate) byte_offset: u64,
}

#[repr(C)]
pub(crate) struct Unversioned {
    pub(crate) tensor: DlTensor,
    manager_context: *mut c_void,
    pub(crate) deleter: Option<unsafe extern "C" fn(*mut Unversioned)>,
}

#[repr(C)]
pub(crate) struct Versioned {
    pub(crate) version: Version,
    manager_context: *mut c_void,
    pub(crate) deleter: Option<unsafe extern "C" fn(*mut Versioned)>,
    flags: u64,
    pub(crate) tensor: DlTensor,
}

/// What a tensor's pointers point to, behind `manager_context`.
struct Context {
    _owner: Owner,
    shape: Vec<i64>,
    strides: Vec<i64>,
}

impl Tensor {
    /// The capsule, versioned when the consumer knows that.
    ///
    /// # Errors
    /// BufferError when the samples are read-only and the consumer has no way to be told so.
    pub(crate) fn into_capsule<'py>(
        self,
        py: Python<'py>,
        max_version: Option<(u32, u32)>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let versioned = max_version.is_some_and(|(major, _)| major >= 1);
        if self.readonly && !versioned {
            return Err(PyBufferError::new_err(
                "the samples of a mapped file are read-only, which this consumer's DLPack cannot say; \
                 use the buffer protocol or copy them",
            ));
        }
        let flags = if self.readonly { READ_ONLY } else { 0 };
        let (tensor, manager_context) = self.into_parts()?;
        if versioned {
            let deleter = Some(delete_versioned as unsafe extern "C" fn(*mut Versioned));
            capsule(py, Versioned { version: VERSION, manager_context, deleter, flags, tensor })
        } else {
            let deleter = Some(delete_unversioned as unsafe extern "C" fn(*mut Unversioned));
            capsule(py, Unversioned { tensor, manager_context, deleter })
        }
    }

    fn into_parts(self) -> PyResult<(DlTensor, *mut c_void)> {
        let mut strides = vec![1; self.shape.len()];
        let mut step = 1_i64;
        for (stride, &axis) in strides.iter_mut().zip(&self.shape).rev() {
            *stride = step;
            step = step.saturating_mul(axis.max(1));
        }
        let (code, bits) = match self.format {
            OutputFormat::I16 => (0, 16),
            OutputFormat::I32 => (0, 32),
            OutputFormat::F16 => (2, 16),
            OutputFormat::F32 => (2, 32),
            OutputFormat::F64 => (2, 64),
            OutputFormat::Bf16 => (4, 16),
        };
        let mut context = Box::new(Context { _owner: self.owner, shape: self.shape, strides });
        let tensor = DlTensor {
            data: self.start.cast(),
            device_type: CPU.0,
            device_id: CPU.1,
            num_axes: i32::try_from(context.shape.len())?,
            data_type: DataType { code, bits, lanes: 1 },
            shape: context.shape.as_mut_ptr(),
            strides: context.strides.as_mut_ptr(),
            byte_offset: 0,
        };
        Ok((tensor, Box::into_raw(context).cast()))
    }
}

/// A struct that a capsule holds until a consumer takes it over.
trait Managed: Sized {
    const NAME: &'static CStr;
    /// Frees the struct and what it manages.
    ///
    /// # Safety
    /// `managed` came from [`capsule`] and is not used again.
    unsafe extern "C" fn delete(managed: *mut Self);
}

impl Managed for Unversioned {
    const NAME: &'static CStr = UNVERSIONED_NAME;
    unsafe extern "C" fn delete(managed: *mut Self) {
        // SAFETY: the caller's promise is the same.
        unsafe { delete_unversioned(managed) }
    }
}

impl Managed for Versioned {
    const NAME: &'static CStr = VERSIONED_NAME;
    unsafe extern "C" fn delete(managed: *mut Self) {
        // SAFETY: the caller's promise is the same.
        unsafe { delete_versioned(managed) }
    }
}

fn capsule<M: Managed>(py: Python<'_>, managed: M) -> PyResult<Bound<'_, PyAny>> {
    let pointer = NonNull::from(Box::leak(Box::new(managed)));
    let destructor: ffi::PyCapsule_Destructor = drop_unused::<M>;
    // SAFETY: the pointer stays valid until the destructor or the consumer frees it, and the destructor is for this type.
    let capsule =
        unsafe { PyCapsule::new_with_pointer_and_destructor(py, pointer.cast(), M::NAME, Some(destructor)) };
    match capsule {
        Ok(capsule) => Ok(capsule.into_any()),
        Err(error) => {
            // SAFETY: no capsule holds it, so it is ours alone.
            unsafe { M::delete(pointer.as_ptr()) };
            Err(error)
        }
    }
}

/// The capsule's destructor: a consumer that took the tensor over has renamed the capsule.
unsafe extern "C" fn drop_unused<M: Managed>(capsule: *mut ffi::PyObject) {
    // SAFETY: the interpreter passes the capsule that is being destroyed.
    let ours = unsafe { ffi::PyCapsule_IsValid(capsule, M::NAME.as_ptr()) } == 1;
    if ours {
        // SAFETY: the capsule has just been found to be of this name, so its pointer is a struct of this type.
        let managed = unsafe { ffi::PyCapsule_GetPointer(capsule, M::NAME.as_ptr()) };
        // SAFETY: nobody has taken it over, or the name would be another.
        unsafe { M::delete(managed.cast()) };
    }
}

unsafe extern "C" fn delete_unversioned(managed: *mut Unversioned) {
    // SAFETY: the consumer passes the struct it was given, once.
    let managed = unsafe { Box::from_raw(managed) };
    // SAFETY: `into_parts` made the context and only this frees it.
    drop(unsafe { Box::from_raw(managed.manager_context.cast::<Context>()) });
}

unsafe extern "C" fn delete_versioned(managed: *mut Versioned) {
    // SAFETY: the consumer passes the struct it was given, once.
    let managed = unsafe { Box::from_raw(managed) };
    // SAFETY: `into_parts` made the context and only this frees it.
    drop(unsafe { Box::from_raw(managed.manager_context.cast::<Context>()) });
}
