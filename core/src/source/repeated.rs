//! A failure that more than one read reports.

#![forbid(unsafe_code)]

use std::io;
use std::sync::Arc;

/// A failure that every later read reports again.
#[derive(Debug)]
pub struct Repeated(pub(super) Arc<io::Error>);

impl Repeated {
    /// What happened.
    pub fn cause(&self) -> &io::Error {
        &self.0
    }
}

impl std::fmt::Display for Repeated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Repeated {}
