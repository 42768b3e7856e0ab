//! How a caller interrupts a write.

#![forbid(unsafe_code)]

/// Called regularly; true ends the work with [`Error::Interrupted`](crate::Error::Interrupted).
pub(super) type Interrupt<'a> = &'a dyn Fn() -> bool;
