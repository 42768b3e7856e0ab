//! Handlers around a fork, as POSIX systems have them.

#![allow(unsafe_code)] // pthread_atfork

/// Has handlers run around every fork from now on: before it, after it in the parent, and after it in the child. They must touch
/// nothing but atomics and thread-local numbers.
pub(super) fn register(before: extern "C" fn(), in_parent: extern "C" fn(), in_child: extern "C" fn()) {
    // SAFETY: the handlers are functions of this library, which is never unloaded, and do what a handler may. If memory is so short
    // that they cannot be registered, forked children are as they would be without this crate.
    unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) };
}
