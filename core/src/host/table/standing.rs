//! How a plugin stands with the host: whether it is trusted, and whether it is still called.

#![forbid(unsafe_code)]

use mapwave_fork::SetOnce;

use crate::host::ffi::fault::Failure;
use crate::host::ffi::log::{self, Level};

/// The standing of a plugin, which all its decoders, encoders and resamplers share until the process exits.
#[derive(Debug)]
pub(crate) struct Standing {
    plugin: &'static str,
    version: &'static str,
    is_trusted: bool,
    /// Why the plugin is not called any more.
    set_aside: SetOnce<String>,
}

impl Standing {
    /// The standing of a plugin that was just loaded. There are as many as plugins, which are never unloaded.
    pub(crate) fn new(plugin: &'static str, version: &'static str, is_trusted: bool) -> &'static Self {
        Box::leak(Box::new(Self { plugin, version, is_trusted, set_aside: SetOnce::new() }))
    }

    /// The name of the plugin.
    pub(crate) fn plugin(&self) -> &'static str {
        self.plugin
    }

    /// The version of the plugin.
    pub(crate) fn version(&self) -> &'static str {
        self.version
    }

    /// Whether the plugin comes with mapwave: its calls need no supervision and may write into the caller's array.
    pub(crate) fn is_trusted(&self) -> bool {
        self.is_trusted
    }

    /// Calls the plugin no more in this process: it has taken too long. Every call that does not return costs its caller the time
    /// limit and leaves a thread behind, so that one is enough. What is open stays usable.
    pub(crate) fn set_aside(&self, why: &str) {
        if self.set_aside.get().is_some() {
            return;
        }
        self.set_aside.get_or_init(|| why.to_owned());
        let text = format!("plugin '{}' is set aside until this process exits: {why}", self.plugin);
        log::report(Level::Warning, self.plugin, text);
    }

    /// Why the plugin is set aside, if it is.
    pub(crate) fn why_set_aside(&self) -> Option<&str> {
        self.set_aside.get().map(String::as_str)
    }

    /// Checks that the plugin may be called.
    ///
    /// # Errors
    /// When the plugin is set aside.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        match self.why_set_aside() {
            None => Ok(()),
            Some(why) => Err(Failure::broken(format!("it is set aside until this process exits: {why}"))),
        }
    }
}
