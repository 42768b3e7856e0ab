//! The built-in codecs.

#![forbid(unsafe_code)]

use std::sync::Once;

use mapwave_core::host;

use crate::hints::register_hints;

/// Makes the built-in codecs known, and what to install where a library is missing.
///
/// Every function of this crate that needs them calls this first. Call it yourself only before you use `mapwave-core` directly.
/// Calling it again has no effect.
pub fn set_up() {
    static DONE: Once = Once::new();
    DONE.call_once(|| {
        host::embed(mapwave_builtin::entry);
        register_hints();
    });
}
