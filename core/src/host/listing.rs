//! The list of plugins: whether each library was loaded, and how each plugin describes itself.

#![forbid(unsafe_code)]

use std::path::PathBuf;

use crate::host::loading::directories::Origin;
use crate::host::table::decoder::DecoderSummary;
use crate::host::table::encoder::EncoderSummary;
use crate::host::table::resampler::ResamplerSummary;

/// A plugin library and its state.
#[derive(Clone, Debug)]
pub struct Plugin {
    /// The name by which the plugin is selected; the file name if it could not be loaded.
    pub id: String,
    /// Where the plugin was found.
    pub origin: Origin,
    /// The path of the library; `None` for a plugin that is built into this program.
    pub path: Option<PathBuf>,
    /// Whether the plugin can be used.
    pub state: State,
    /// The version.
    pub version: String,
    /// The vendor.
    pub vendor: String,
    /// The licence as an SPDX expression.
    pub license: String,
    /// The libraries that the plugin uses.
    pub dependencies: String,
    /// The decoders.
    pub decoders: Vec<DecoderSummary>,
    /// The encoders.
    pub encoders: Vec<EncoderSummary>,
    /// The resamplers.
    pub resamplers: Vec<ResamplerSummary>,
}

/// Whether a plugin can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// The plugin is loaded.
    Loaded,
    /// The plugin was rejected, for this reason.
    Refused(String),
}
