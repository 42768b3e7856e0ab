//! The built-in codecs.

#![forbid(unsafe_code)]

use std::sync::Once;

use mapwave_core::host;

use crate::hints::{PluginSources, register_hints};

/// Makes the built-in codecs known, and what to install where a library is missing.
///
/// Every function of this crate that needs them calls this first. Call it yourself only before you use `mapwave-core` directly.
/// Calling it again has no effect.
pub fn set_up() {
    static DONE: Once = Once::new();
    DONE.call_once(|| {
        host::embed(mapwave_builtin::entry);
        register_hints(PluginSources::RUST);
    });
}

/// As [`set_up`], with `sources` as where messages say that a missing plugin is to be had: for another front door.
pub fn set_up_with(sources: PluginSources) {
    set_up();
    register_hints(sources);
}
