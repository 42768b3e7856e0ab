//! How a caller stops a write that is under way.

#![forbid(unsafe_code)]

/// Asked now and then; true ends the work with [`Error::Interrupted`](crate::Error::Interrupted).
pub(super) type Interrupt<'a> = &'a dyn Fn() -> bool;
