//! What a command prints.

#![forbid(unsafe_code)]

use std::io::{self, ErrorKind, Write};

/// Writes a report to standard output and returns the exit code.
pub(crate) fn print(report: &str) -> i32 {
    let mut output = io::stdout().lock();
    match output.write_all(report.as_bytes()).and_then(|()| output.flush()) {
        Ok(()) => 0,
        // The reader has closed the pipe and wants no more.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => 0,
        Err(error) => fail(&format!("standard output: {error}")),
    }
}

/// Writes an error to standard error and returns the exit code.
pub(crate) fn fail(message: &str) -> i32 {
    // If it cannot be written, there is nothing left to report.
    let _ = writeln!(io::stderr(), "error: {message}");
    1
}
