//! Handlers around a fork, as POSIX systems have them.

#![allow(unsafe_code)] // pthread_atfork

use super::handlers::{before, generation, in_child, in_parent};

/// Registers the handlers when the program or the library is loaded. A fork that is in progress does not run handlers that are
/// registered meanwhile, so its child would not notice that it is one if the first lock registered them.
#[used]
#[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".init_array"))]
#[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__mod_init_func"))]
static AT_LOAD: extern "C" fn() = at_load;

extern "C" fn at_load() {
    generation();
}

/// Has the handlers run around every fork from now on.
pub(super) fn register() {
    // SAFETY: the handlers are functions of this library, which is never unloaded, and touch nothing but atomics and thread-local
    // numbers. If memory is so short that they cannot be registered, forked children are as they would be without this crate.
    unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) };
}
