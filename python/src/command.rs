//! The `mapwave` command.

use std::ffi::OsString;

use pyo3::prelude::*;

use crate::interruption::interruptibly;

/// What became of a command: its exit status, or the name of one that Python is to run, with its arguments in JSON.
#[derive(IntoPyObject)]
pub(crate) enum Outcome {
    #[pyo3(transparent)]
    Done(i32),
    Python(&'static str, String),
}

impl From<mapwave_cli::Outcome> for Outcome {
    fn from(outcome: mapwave_cli::Outcome) -> Self {
        match outcome {
            mapwave_cli::Outcome::Done(code) => Self::Done(code),
            mapwave_cli::Outcome::Python { command, arguments } => Self::Python(command, arguments),
        }
    }
}

/// Runs the command and returns its exit status, or the name and the arguments of a command that Python runs.
///
/// Args:
///     args: The name of the program and its arguments.
///     again: The program, with its first arguments, that is this command: for the processes that some commands start.
///
/// Returns:
///     int | tuple[str, str]: The exit status; or the name of the command, and its arguments as an object in JSON.
#[pyfunction]
pub(crate) fn run_command(py: Python<'_>, args: Vec<OsString>, again: Vec<OsString>) -> PyResult<Outcome> {
    interruptibly(py, 1, |_| Ok(mapwave_cli::run_or_hand_over(args, &again).into()))
}
