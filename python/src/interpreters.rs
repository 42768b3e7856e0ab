//! Which interpreters of Python mapwave works in.

#![allow(unsafe_code)] // the number of an interpreter

use pyo3::exceptions::PyImportError;
use pyo3::ffi;
use pyo3::prelude::*;

/// The number of the interpreter that the process began with.
const MAIN: i64 = 0;

/// Refuses any interpreter but the main one: types and functions are kept once per process, and threads of mapwave call Python in the
/// main interpreter.
#[pyfunction]
pub(crate) fn check_interpreter(_py: Python<'_>) -> PyResult<()> {
    // SAFETY: the token proves that this thread is attached to an interpreter, which lives as long as the call.
    let current = unsafe { ffi::PyInterpreterState_Get() };
    // SAFETY: as above; the function reads a number.
    match unsafe { ffi::PyInterpreterState_GetID(current) } {
        MAIN => Ok(()),
        _ => Err(PyImportError::new_err(
            "mapwave works only in the main interpreter of a process, not in a sub-interpreter: use threads or processes",
        )),
    }
}
