//! What the value of an argument may be, and the error that a caller gets otherwise.

use std::path::PathBuf;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyFloat, PyString};

use crate::input::path_of;

/// The longest value that a message shows in full.
const MAX_SHOWN: usize = 80;

/// A type that an argument is parsed into.
pub(crate) trait Argument<'py>: Sized {
    fn parse(value: &Bound<'py, PyAny>) -> Result<Self, Mismatch>;
}

/// Why a value is rejected, with what the argument takes instead.
pub(crate) enum Mismatch {
    Type(String),
    Value(String),
    Raised(PyErr),
}

impl Mismatch {
    /// The wrong type.
    pub(crate) fn kind(expected: impl Into<String>) -> Self {
        Self::Type(expected.into())
    }

    /// The right type, but not such a value.
    pub(crate) fn value(expected: impl Into<String>) -> Self {
        Self::Value(expected.into())
    }
}

impl From<PyErr> for Mismatch {
    fn from(error: PyErr) -> Self {
        Self::Raised(error)
    }
}

impl<'py, T: Argument<'py>> Argument<'py> for Option<T> {
    fn parse(value: &Bound<'py, PyAny>) -> Result<Self, Mismatch> {
        if value.is_none() {
            return Ok(None);
        }
        T::parse(value).map(Some).map_err(|mismatch| match mismatch {
            Mismatch::Type(expected) => Mismatch::Type(expected + " or None"),
            Mismatch::Value(expected) => Mismatch::Value(expected + " or None"),
            raised @ Mismatch::Raised(_) => raised,
        })
    }
}

impl<'py> Argument<'py> for Bound<'py, PyAny> {
    fn parse(value: &Bound<'py, PyAny>) -> Result<Self, Mismatch> {
        Ok(value.clone())
    }
}

impl<'py> Argument<'py> for bool {
    fn parse(value: &Bound<'py, PyAny>) -> Result<Self, Mismatch> {
        value.extract().map_err(|_| Mismatch::kind("True or False"))
    }
}

impl<'py> Argument<'py> for f64 {
    fn parse(value: &Bound<'py, PyAny>) -> Result<Self, Mismatch> {
        number(value).ok_or_else(|| Mismatch::kind("a number"))
    }
}

impl<'py> Argument<'py> for String {
    fn parse(value: &Bound<'py, PyAny>) -> Result<Self, Mismatch> {
        value.extract().map_err(|_| Mismatch::kind("a str"))
    }
}

impl<'py> Argument<'py> for PathBuf {
    fn parse(value: &Bound<'py, PyAny>) -> Result<Self, Mismatch> {
        path_of(value).map_err(|_| Mismatch::kind("a str or path"))
    }
}

/// A number, but not a bool.
pub(super) fn number(value: &Bound<'_, PyAny>) -> Option<f64> {
    if value.is_instance_of::<PyBool>() || value.is_instance_of::<PyString>() {
        return None;
    }
    value.extract().ok()
}

/// A whole number: an int, what stands for one such as a NumPy integer, or a float without a fraction.
pub(super) fn whole(value: &Bound<'_, PyAny>) -> Result<i64, Mismatch> {
    if value.is_instance_of::<PyBool>() {
        return Err(Mismatch::kind("a whole number"));
    }
    if let Ok(number) = value.extract::<i64>() {
        return Ok(number);
    }
    match number(value) {
        Some(float) => whole_float(float).ok_or_else(|| Mismatch::kind("a whole number")),
        None => Err(Mismatch::kind("a whole number")),
    }
}

fn whole_float(float: f64) -> Option<i64> {
    // Beyond 2^63 `as` saturates, which stands for a number that is out of every range.
    #[allow(clippy::cast_possible_truncation)]
    (float.fract() == 0.0).then_some(float as i64)
}

/// A TypeError that names the argument.
pub(crate) fn wrong_type(name: &str, expected: &str, got: &Bound<'_, PyAny>) -> PyErr {
    PyTypeError::new_err(format!("{name} must be {expected}, got {}", shown(got)))
}

/// A value as a message shows it: a number, a text or None as Python writes it, and anything else by its type too.
pub(crate) fn shown(value: &Bound<'_, PyAny>) -> String {
    let kind = value.get_type().name().map_or_else(|_| "an object".to_owned(), |name| name.to_string());
    let is_plain = value.is_none()
        || value.is_instance_of::<PyString>()
        || value.is_instance_of::<PyFloat>()
        || value.is_instance_of::<pyo3::types::PyInt>();
    match value.repr().map(|text| text.to_string()) {
        Ok(text) if is_plain && text.len() <= MAX_SHOWN => text,
        Ok(text) if text.len() + kind.len() < MAX_SHOWN && !text.contains('\n') && !text.contains(&kind) => {
            format!("{text}, of type {kind}")
        }
        Ok(text) if text.len() <= MAX_SHOWN && !text.contains('\n') => text,
        _ => format!("an object of type {kind}"),
    }
}
