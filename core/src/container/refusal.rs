//! The error for features of a container that this crate does not read.

#![forbid(unsafe_code)]

use crate::error::Error;
use crate::track::Container;

/// [`Error::Unsupported`] without a path, which the caller adds.
pub(super) fn unsupported(
    container: Option<Container>,
    codec: Option<String>,
    what: impl Into<String>,
) -> Error {
    Error::Unsupported { path: None, container, codec, what: what.into() }
}
