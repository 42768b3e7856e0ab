//! Options of a plugin's own.

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyString};

use super::value::{Argument, Mismatch};

/// Names and values; the values become texts, as a plugin gets them.
pub(crate) struct PluginOptions(pub(crate) Vec<(String, String)>);

impl<'py> Argument<'py> for PluginOptions {
    fn parse(value: &Bound<'py, PyAny>) -> Result<Self, Mismatch> {
        let refuse = || Mismatch::kind("a dict of str to str, int, float or bool");
        let pair = |(name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>)| {
            let name: String = name.extract().map_err(|_| refuse())?;
            let text = if let Ok(flag) = value.cast::<PyBool>() {
                u8::from(flag.is_true()).to_string()
            } else if value.is_instance_of::<PyInt>()
                || value.is_instance_of::<PyFloat>()
                || value.is_instance_of::<PyString>()
            {
                value.str()?.to_string()
            } else {
                return Err(refuse());
            };
            Ok((name, text))
        };
        value.cast::<PyDict>().map_err(|_| refuse())?.iter().map(pair).collect::<Result<_, _>>().map(Self)
    }
}
