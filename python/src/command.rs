//! The `mapwave` command.

use std::ffi::OsString;

use pyo3::prelude::*;

/// Runs the command and returns its exit status.
///
/// Args:
///     args: The name of the program and its arguments.
///     again: The program, with its first arguments, that is this command: for the processes that some commands start.
#[pyfunction]
pub(crate) fn run_command(py: Python<'_>, args: Vec<OsString>, again: Vec<OsString>) -> i32 {
    py.detach(|| mapwave_cli::run(args, &again))
}
