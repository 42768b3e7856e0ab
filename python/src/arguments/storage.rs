//! The argument `storage_options`: what fsspec makes the file system of a URL with.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::value::{Argument, Mismatch};
use crate::ranges::{Kept, StorageOptions};

impl<'py> Argument<'py> for StorageOptions {
    fn parse(value: &Bound<'py, PyAny>) -> Result<Self, Mismatch> {
        match value.is_none() {
            true => Ok(Self(None)),
            false if value.is_instance_of::<PyDict>() => Ok(Self(Some(Arc::new(Kept::new(value.clone()))))),
            false => Err(Mismatch::kind("a dict of options of fsspec, or None")),
        }
    }
}
