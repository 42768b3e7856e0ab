//! How much a call may return: for the whole process, and as arguments of a call.

use mapwave_core::Limits as CoreLimits;
use pyo3::prelude::*;

use super::numbers::in_range;
use super::signature::{Arguments, Group};
use super::value::{Argument, Mismatch, number, shown, wrong_type};
use crate::errors::invalid;

/// A limit of a number of things. An infinite one is none.
struct MostOf(u64);

impl<'py> Argument<'py> for MostOf {
    fn parse(value: &Bound<'py, PyAny>) -> Result<Self, Mismatch> {
        match number(value) {
            Some(number) if number == f64::INFINITY => Ok(Self(u64::MAX)),
            _ => in_range(value, "> 0, or math.inf for no limit", |count| count > 0).map(Self),
        }
    }
}

/// A limit of a length in seconds. An infinite one is none.
struct MostSeconds(f64);

impl<'py> Argument<'py> for MostSeconds {
    fn parse(value: &Bound<'py, PyAny>) -> Result<Self, Mismatch> {
        let seconds = number(value).ok_or_else(|| Mismatch::kind("a number of seconds"))?;
        let legal = Some(seconds).filter(|seconds| *seconds > 0.0);
        legal.map(Self).ok_or_else(|| Mismatch::value("> 0 seconds, or math.inf for no limit"))
    }
}

/// The limits among the arguments of a call.
pub(super) fn of_call(arguments: &Arguments<'_, '_>) -> PyResult<CoreLimits> {
    arguments.parse_together(Group::Limits, |arguments| {
        Ok(CoreLimits {
            max_frames: arguments.get::<Option<MostOf>>("max_frames")?.map(|most| most.0),
            max_bytes: arguments.get::<Option<MostOf>>("max_bytes")?.map(|most| most.0),
            max_seconds: arguments.get::<Option<MostSeconds>>("max_seconds")?.map(|most| most.0),
        })
    })
}

/// A change of a limit: what it becomes, or that it is as at first.
enum Change<T> {
    To(T),
    Back,
}

impl<'py, T: Argument<'py>> Argument<'py> for Change<T> {
    fn parse(value: &Bound<'py, PyAny>) -> Result<Self, Mismatch> {
        if value.extract::<&str>().is_ok_and(|word| word == "default") {
            return Ok(Self::Back);
        }
        T::parse(value).map(Self::To).map_err(|mismatch| match mismatch {
            Mismatch::Value(expected) => Mismatch::Value(format!("{expected}, or \"default\"")),
            other => other,
        })
    }
}

/// What `value` makes of a limit; None leaves it.
fn changed<'py, T: Argument<'py>, U>(
    name: &str,
    value: Option<Bound<'py, PyAny>>,
    limit: &mut Option<U>,
    made: impl FnOnce(T) -> U,
) -> PyResult<()> {
    let Some(value) = value else { return Ok(()) };
    let change = Change::<T>::parse(&value).map_err(|mismatch| match mismatch {
        Mismatch::Type(expected) => wrong_type(name, &expected, &value),
        Mismatch::Value(expected) => {
            invalid(value.py(), &format!("{name} must be {expected}, got {}", shown(&value)))
        }
        Mismatch::Raised(error) => error,
    })?;
    *limit = match change {
        Change::To(limit) => Some(made(limit)),
        Change::Back => None,
    };
    Ok(())
}

/// What mapwave.limits returns: the limits that hold for the process. As a context manager it restores those before it.
///
/// Attributes:
///     max_frames: The most frames of an array, or None.
///     max_bytes: The most bytes of an array; None is as many as the machine has memory.
///     max_seconds: The longest array in seconds, or None.
///
/// math.inf stands for no limit.
#[pyclass(frozen, module = "mapwave._core")]
pub(crate) struct Limits {
    limits: CoreLimits,
    before: CoreLimits,
}

#[pymethods]
impl Limits {
    #[getter]
    fn max_frames<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        shown_limit(py, self.limits.max_frames)
    }

    #[getter]
    fn max_bytes<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        shown_limit(py, self.limits.max_bytes)
    }

    #[getter]
    fn max_seconds(&self) -> Option<f64> {
        self.limits.max_seconds
    }

    fn __enter__(this: Py<Self>) -> Py<Self> {
        this
    }

    #[pyo3(signature = (*_details))]
    fn __exit__(&self, _details: &Bound<'_, pyo3::types::PyTuple>) {
        self.before.set_current();
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let seconds = self.limits.max_seconds.into_pyobject(py)?.repr()?;
        let of = |limit| match shown_limit(py, limit)? {
            Some(limit) => limit.repr().map(|text| text.to_string()),
            None => Ok("None".to_owned()),
        };
        let (frames, bytes) = (of(self.limits.max_frames)?, of(self.limits.max_bytes)?);
        Ok(format!("Limits(max_frames={frames}, max_bytes={bytes}, max_seconds={seconds})"))
    }
}

/// A limit as a number of Python.
fn shown_limit(py: Python<'_>, limit: Option<u64>) -> PyResult<Option<Bound<'_, PyAny>>> {
    Ok(match limit {
        None => None,
        Some(u64::MAX) => Some(f64::INFINITY.into_pyobject(py)?.into_any()),
        Some(limit) => Some(limit.into_pyobject(py)?.into_any()),
    })
}

/// Limits how much each call of this process may return, on all threads, and returns the limits that hold.
///
/// What exceeds a limit raises mapwave.LimitExceeded before memory is allocated for it: 200 kilobytes of FLAC can stand for 15
/// gigabytes of silence. The limits hold for each array that load, batch_load, iter_load, or a Reader returns; an argument of
/// the same name holds instead in its call. In a with statement, they hold until its end.
///
/// Args:
///     max_frames: The most frames of an array.
///     max_bytes: The most bytes of an array. By default, it is the memory of the machine or of the control group that the process
///         is in.
///     max_seconds: The longest array in seconds.
///
/// None changes nothing, math.inf allows any number, and "default" is what holds at first.
///
/// Returns:
///     Limits, with max_frames, max_bytes and max_seconds.
///
/// Raises:
///     ValueError: A limit is not above 0.
#[pyfunction]
#[pyo3(signature = (*, max_frames=None, max_bytes=None, max_seconds=None))]
pub(crate) fn limits(
    max_frames: Option<Bound<'_, PyAny>>,
    max_bytes: Option<Bound<'_, PyAny>>,
    max_seconds: Option<Bound<'_, PyAny>>,
) -> PyResult<Limits> {
    let before = CoreLimits::current();
    let mut limits = before;
    changed("max_frames", max_frames, &mut limits.max_frames, |most: MostOf| most.0)?;
    changed("max_bytes", max_bytes, &mut limits.max_bytes, |most: MostOf| most.0)?;
    changed("max_seconds", max_seconds, &mut limits.max_seconds, |most: MostSeconds| most.0)?;
    limits.set_current();
    Ok(Limits { limits, before })
}
