//! Codec plugins: which there are, where they are searched for, and how to load another.
//!
//! Plugins are searched for and loaded when the first file needs one. Uncompressed files never do.

#![forbid(unsafe_code)]

use std::path::Path;

pub use mapwave_core::host::{
    DecoderSummary, Directory, EncoderSummary, Level, Message, Origin, Plugin, ResamplerSummary, State,
};
use mapwave_core::{Result, host};

/// Every plugin that was found, in order of precedence, and those that were refused, with the reason.
///
/// ```
/// let ids: Vec<String> = mapwave::plugins::list().into_iter().map(|plugin| plugin.id).collect();
/// assert!(ids.contains(&"builtin".to_owned()));
/// ```
pub fn list() -> Vec<Plugin> {
    crate::set_up();
    host::plugins()
}

/// The directories that are searched for plugins, in order of precedence.
pub fn directories() -> Vec<Directory> {
    host::directories()
}

/// Loads the plugin at `path`. It comes before all others from now on.
///
/// # Errors
/// [`Error::Plugin`](crate::Error::Plugin) when it cannot be loaded or breaks a rule of the interface.
pub fn register(path: impl AsRef<Path>) -> Result<Plugin> {
    crate::set_up();
    host::register(path.as_ref())
}

/// Takes the messages that plugins have written since the last call, such as that a damaged packet was replaced by silence.
pub fn drain_messages() -> Vec<Message> {
    host::drain_messages()
}
