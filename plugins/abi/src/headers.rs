//! The C headers as texts, for tools that give them to plugin authors.

/// `mapwave_plugin.h`: the interface.
pub const PLUGIN: &str = include_str!("../include/mapwave_plugin.h");

/// `mapwave_plugin_util.h`: helpers on top of it.
pub const PLUGIN_UTIL: &str = include_str!("../include/mapwave_plugin_util.h");
