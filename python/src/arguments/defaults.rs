//! What holds for the whole process where a call names nothing else.

use mapwave_core::ResampleQuality;
use mapwave_fork::Lock;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use super::value::{Argument, Mismatch, shown, wrong_type};
use super::words::ResampleMethod;
use crate::errors::invalid;

/// The environment variable with the quality that "default" stands for.
const VARIABLE: &str = "MAPWAVE_RESAMPLE_QUALITY";

const BUILT_IN: ResampleMethod = ResampleMethod::Core(ResampleQuality::Default);

/// What [`defaults`] has set; None leaves it to the environment.
static CHOSEN: Lock<Option<ResampleMethod>> = Lock::new();

impl ResampleMethod {
    /// What is meant: itself, or what "default" stands for in this process.
    pub(crate) fn settled(self, py: Python<'_>) -> PyResult<Self> {
        if self != BUILT_IN {
            return Ok(self);
        }
        let chosen = *CHOSEN.lock();
        match chosen {
            Some(chosen) => Ok(chosen),
            None => from_environment(py),
        }
    }
}

/// The quality that the environment names.
fn from_environment(py: Python<'_>) -> PyResult<ResampleMethod> {
    match std::env::var_os(VARIABLE) {
        Some(name) if !name.is_empty() => {
            parsed(VARIABLE, PyString::new(py, &name.to_string_lossy()).as_any())
        }
        _ => Ok(BUILT_IN),
    }
}

fn parsed(name: &str, value: &Bound<'_, PyAny>) -> PyResult<ResampleMethod> {
    ResampleMethod::parse(value).map_err(|mismatch| match mismatch {
        Mismatch::Type(expected) => wrong_type(name, &expected, value),
        Mismatch::Value(expected) => {
            invalid(value.py(), &format!("{name} must be {expected}, got {}", shown(value)))
        }
        Mismatch::Raised(error) => error,
    })
}

/// Sets what holds for all calls of this process where an argument is "default" or not given, and returns all of it.
///
/// Args:
///     resample_quality: The quality of resampling, as in load. "default" leaves it to the environment variable
///         MAPWAVE_RESAMPLE_QUALITY, and without that to mapwave. None changes nothing.
///
/// Returns:
///     A dict with resample_quality.
///
/// Raises:
///     ValueError: There is no such quality, here or in the environment variable.
#[pyfunction]
#[pyo3(signature = (*, resample_quality=None))]
pub(crate) fn defaults<'py>(
    py: Python<'py>,
    resample_quality: Option<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyDict>> {
    if let Some(value) = resample_quality {
        let method = parsed("resample_quality", &value)?;
        *CHOSEN.lock() = (method != BUILT_IN).then_some(method);
    }
    let all = PyDict::new(py);
    all.set_item("resample_quality", BUILT_IN.settled(py)?.name())?;
    Ok(all)
}
