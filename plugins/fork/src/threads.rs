//! Starts threads while forks wait.
//!
//! The GNU C library reuses the stack of a thread that has ended: it frees what that thread's variables had and then forgets it.
//! In a child that is forked between the two, the stack counts as one to be reused, and the next thread that is started there
//! frees the same memory again (`get_cached_stack` in `nptl/allocatestack.c` of version 2.36; seen once in some ten thousand
//! forks beside threads that start others).

#![forbid(unsafe_code)]

use std::io;
use std::thread::{Builder, JoinHandle, Scope, ScopedJoinHandle};

use crate::hold_off;

/// As [`Builder::spawn`], while forks wait.
///
/// # Errors
/// When the system has no more threads.
pub fn start<T: Send + 'static>(
    builder: Builder,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    hold_off(|| builder.spawn(work))
}

/// As [`Builder::spawn_scoped`], while forks wait.
///
/// # Errors
/// When the system has no more threads.
pub fn start_scoped<'scope, T: Send + 'scope>(
    builder: Builder,
    scope: &'scope Scope<'scope, '_>,
    work: impl FnOnce() -> T + Send + 'scope,
) -> io::Result<ScopedJoinHandle<'scope, T>> {
    hold_off(|| builder.spawn_scoped(scope, work))
}
