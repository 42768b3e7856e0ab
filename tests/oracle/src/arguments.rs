//! Command lines, an argument a line.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

/// Parses a command line; returns whether it is understood.
pub(crate) fn check(bytes: &[u8]) -> bool {
    let arguments = bytes.split(|byte| *byte == b'\n').take(40).map(|word| OsString::from_vec(word.to_vec()));
    mapwave_cli::is_understood(std::iter::once("mapwave".into()).chain(arguments))
}
