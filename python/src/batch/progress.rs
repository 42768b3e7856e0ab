//! Where progress is reported.

use pyo3::prelude::*;

use crate::interned::{import, intern};

/// Where progress is reported: nowhere, to a function of `(done, total)`, or as a line on stderr.
pub(super) struct Progress<'py> {
    report: Option<Bound<'py, PyAny>>,
    total: usize,
    done: usize,
}

impl<'py> Progress<'py> {
    pub(super) fn new(py: Python<'py>, progress: Option<&Bound<'py, PyAny>>, total: usize) -> PyResult<Self> {
        let report = match progress {
            None => None,
            Some(progress) if progress.is_callable() => Some(progress.clone()),
            Some(progress) if progress.extract::<bool>()? => {
                Some(import(py, intern!(py, "mapwave._progress"))?.getattr(intern!(py, "show"))?)
            }
            Some(_) => None,
        };
        Ok(Self { report, total, done: 0 })
    }

    /// Says that one more is done.
    pub(super) fn advance(&mut self) -> PyResult<()> {
        self.done += 1;
        match &self.report {
            Some(report) => report.call1((self.done, self.total)).map(drop),
            None => Ok(()),
        }
    }
}
