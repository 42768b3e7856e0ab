//! What a command prints, and its exit code.

#![forbid(unsafe_code)]

use std::io::{self, ErrorKind, Write};

use clap::builder::styling::{AnsiColor, Style};
use mapwave::Error;
use mapwave_core::Parameter;

/// The exit codes. Clap's own, for a command line that is not understood, is 2.
pub(crate) const SUCCESS: i32 = 0;
pub(crate) const FAILURE: i32 = 1;
pub(crate) const TROUBLE: i32 = 2;

/// How the word "error" looks on a terminal, as in clap's messages.
const ERROR: Style = AnsiColor::Red.on_default().bold();

/// Writes a report to standard output and returns the exit code.
pub(crate) fn print(report: &str) -> i32 {
    let mut output = anstream::stdout().lock();
    match output.write_all(report.as_bytes()).and_then(|()| output.flush()) {
        Ok(()) => SUCCESS,
        // The reader has closed the pipe and wants no more.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => SUCCESS,
        Err(error) => fail(&format!("standard output: {error}")),
    }
}

/// Writes an error to standard error and returns the exit code.
pub(crate) fn fail(message: &str) -> i32 {
    // If it cannot be written, there is nothing left to report.
    let _ = writeln!(anstream::stderr(), "{ERROR}error:{ERROR:#} {message}");
    FAILURE
}

/// Writes a remark to standard error.
pub(crate) fn note(message: &str) {
    let _ = writeln!(io::stderr(), "{message}");
}

/// Writes an error of the library to standard error and returns the exit code.
pub(crate) fn fail_with(error: &Error) -> i32 {
    match error {
        // The signal itself ends the process.
        Error::Interrupted => FAILURE,
        Error::Io { cause, .. } if cause.kind() == ErrorKind::BrokenPipe => FAILURE,
        error => fail(&message(error)),
    }
}

/// The message of an error, with the command's names for its options.
pub(crate) fn message(error: &Error) -> String {
    error.message(|parameter| match parameter {
        Parameter::Bitrate => "--bitrate",
        Parameter::BitsPerSample => "-b",
        Parameter::Channels | Parameter::NumChannels => "-c",
        Parameter::Dither => "--dither",
        Parameter::Effort => "--effort",
        Parameter::Encoding => "--encoding",
        Parameter::FileFormat => "--format",
        Parameter::Offset => "--from",
        Parameter::OutputRate | Parameter::SampleRate => "-r",
        Parameter::Plugin => "--plugin",
        Parameter::Quality => "--quality",
        Parameter::ResampleQuality => "--resample-quality",
        Parameter::Tags => "--tags",
        Parameter::Target => "the output",
        Parameter::Track => "track",
        other => other.name(),
    })
}
