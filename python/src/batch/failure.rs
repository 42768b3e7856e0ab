//! What becomes of a file that cannot be read.

use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::arguments::{Argument, Mismatch};
use crate::errors::raise;
use crate::interned::intern;

/// What a caller wants to become of errors.
pub(crate) enum OnError {
    Raise,
    Skip,
    /// A function that is called with the error.
    Call(Py<PyAny>),
}

impl<'py> Argument<'py> for OnError {
    fn parse(value: &Bound<'py, PyAny>) -> Result<Self, Mismatch> {
        if let Ok(word) = value.cast::<PyString>() {
            return match word.to_str()?.trim().to_ascii_lowercase().as_str() {
                "raise" => Ok(Self::Raise),
                "skip" => Ok(Self::Skip),
                _ => Err(Mismatch::value("'raise', 'skip' or a function of the error")),
            };
        }
        match value.is_callable() {
            true => Ok(Self::Call(value.clone().unbind())),
            false => Err(Mismatch::kind("'raise', 'skip' or a function of the error")),
        }
    }
}

impl OnError {
    /// Settles the failure of a file.
    ///
    /// # Errors
    /// The failure, if it is to be raised, or what the caller's function raises.
    pub(super) fn settle(&self, py: Python<'_>, error: PyErr) -> PyResult<()> {
        match self {
            Self::Raise => Err(error),
            Self::Skip => Ok(()),
            Self::Call(function) => function.call1(py, (error.into_value(py),)).map(drop),
        }
    }
}

/// The exception for the failure of a file, which says which of them it was: in `index` and in a note. The path itself is in its
/// message.
pub(super) fn failure(
    py: Python<'_>,
    error: &mapwave_core::Error,
    index: usize,
    total: Option<usize>,
) -> PyErr {
    named(py, raise(py, error), index, total)
}

/// The same for an exception.
pub(super) fn named(py: Python<'_>, error: PyErr, index: usize, total: Option<usize>) -> PyErr {
    let of = total.map_or_else(String::new, |total| format!(" of {total}"));
    noted(py, error, index, format!("while loading paths[{index}]{of}"))
}

/// The exception with an index and a note. One that takes no note and no attribute is left without them.
pub(super) fn noted(py: Python<'_>, error: PyErr, index: usize, note: String) -> PyErr {
    let _ = error.value(py).setattr(intern!(py, "index"), index);
    let _ = error.add_note(py, note);
    error
}
