//! A system without `fork`: no process has a parent whose threads it lacks.

#![forbid(unsafe_code)]

/// There is nothing to register.
pub(super) fn register() {}
