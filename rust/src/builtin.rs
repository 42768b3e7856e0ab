//! The built-in codecs.

#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicBool, Ordering};

use mapwave_core::host;

use crate::hints::{PluginSources, register_hints};

/// Makes the built-in codecs known, and what to install where a library is missing.
///
/// Every function of this crate that needs them calls this first. Call it yourself only before you use `mapwave-core` directly.
/// Calling it again has no effect.
pub fn set_up() {
    // Threads that come here together all do it, which is harmless: a lock could be left behind locked in a forked child.
    static IS_DONE: AtomicBool = AtomicBool::new(false);
    if !IS_DONE.load(Ordering::Acquire) {
        host::embed(mapwave_builtin::entry);
        register_hints(PluginSources::RUST);
        IS_DONE.store(true, Ordering::Release);
    }
}

/// As [`set_up`], with `sources` as where messages say that a missing plugin is to be had: for another front door.
pub fn set_up_with(sources: PluginSources) {
    set_up();
    register_hints(sources);
}
