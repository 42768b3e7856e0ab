//! The argument `encoding`.

use mapwave_core::sink::Encoding;
use pyo3::prelude::*;

use super::spelling::dtype_name;
use super::value::{Argument, Mismatch};

impl<'py> Argument<'py> for Encoding {
    fn parse(value: &Bound<'py, PyAny>) -> Result<Self, Mismatch> {
        let name = dtype_name(value).ok_or_else(|| Mismatch::kind("a str"))?;
        let Ok(encoding) = name.parse();
        Ok(encoding)
    }
}
