//! Checks that a caller can act on an error.

use mapwave_core::Error;

/// Rejects an error that no file may cause, and one whose message says too little.
///
/// # Panics
/// When the error is one of those.
pub fn check(error: &Error, file: &str) {
    let message = error.to_string();
    match error {
        Error::Malformed { what, .. } => {
            assert!(message.contains("at byte "), "{file}: no place in: {message}");
            assert!(!what.is_empty(), "{file}: no reason in: {message}");
        }
        Error::Unsupported { what, .. } => assert!(!what.is_empty(), "{file}: no reason in: {message}"),
        Error::Limit { got, max, .. } => assert!(got > max, "{file}: {message}"),
        Error::Io { .. } => {}
        _ => panic!("{file}: {error:?} is not a file's fault"),
    }
}

/// Rejects what [`check`] does, and an error that does not name the file.
///
/// # Panics
/// When the error is one of those.
pub fn check_named(error: &Error, file: &str) {
    check(error, file);
    let message = error.to_string();
    assert!(message.starts_with(&format!("{file}: ")), "{file}: not named first in: {message}");
}
