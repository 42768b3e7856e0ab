//! What to check, and how.

#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use mapwave_plugin_abi::mw_plugin_entry;

/// What to check, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// A directory of files to test decoders with: each decoder gets those that its probe accepts, at any depth. Without it,
    /// the plugin's own encoders make some.
    pub corpus: Option<PathBuf>,
    /// The names of the tests to make; all of them when empty.
    pub only: Vec<String>,
    /// The seed of every random choice: the same seed makes the same ones.
    pub seed: u64,
    /// How long a call of the plugin may take before it counts as hanging. Tests that try many things also stop after about this
    /// long, so that a larger limit tests more of a slow plugin.
    pub time_limit: Duration,
    /// The only decoder to test, of a plugin with several.
    pub decoder: Option<String>,
    /// The entry functions of further plugins that are part of this program, whose decoders read what encoders of the checked
    /// plugin write, if its own do not.
    pub readers: Vec<mw_plugin_entry>,
    /// The program to start for each test, and its arguments; it must call [`child`](crate::child).
    pub child: Vec<OsString>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            corpus: None,
            only: Vec::new(),
            seed: 1,
            time_limit: Duration::from_secs(30),
            decoder: None,
            readers: Vec::new(),
            child: Vec::new(),
        }
    }
}
