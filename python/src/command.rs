//! The `mapwave` command.

use std::ffi::OsString;

use pyo3::prelude::*;

use crate::interruption::interruptibly;

/// The commands that Python runs, for the help.
const MORE: [(&str, &str); 2] = [
    ("bench", "Comparison with other libraries: a table and a chart"),
    ("doctor", "What this installation has and lacks"),
];

/// Runs the command and returns its exit status.
///
/// Args:
///     args: The name of the program and its arguments.
///     again: The program, with its first arguments, that is this command: for the processes that some commands start.
#[pyfunction]
pub(crate) fn run_command(py: Python<'_>, args: Vec<OsString>, again: Vec<OsString>) -> PyResult<i32> {
    interruptibly(py, 1, |_| Ok(mapwave_cli::run(args, &again, &MORE)))
}
