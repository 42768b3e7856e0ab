//! The list of plugins: what became of each library, and what each plugin says of itself.

#![forbid(unsafe_code)]

use std::path::PathBuf;

use crate::host::loading::directories::Origin;
use crate::host::table::decoder::DecoderSummary;
use crate::host::table::encoder::EncoderSummary;
use crate::host::table::resampler::ResamplerSummary;

/// A plugin library and what became of it.
#[derive(Clone, Debug)]
pub struct Plugin {
    /// Its name, by which it is picked; the file's name when it could not be loaded.
    pub id: String,
    /// Why it is known.
    pub origin: Origin,
    /// The library; `None` for a plugin that is part of this program.
    pub path: Option<PathBuf>,
    /// Whether it can be used.
    pub state: State,
    /// Its version.
    pub version: String,
    /// Who made it.
    pub vendor: String,
    /// Its licence as an SPDX expression.
    pub license: String,
    /// The libraries that it needs and found.
    pub dependencies: String,
    /// What it reads.
    pub decoders: Vec<DecoderSummary>,
    /// What it writes.
    pub encoders: Vec<EncoderSummary>,
    /// How it resamples.
    pub resamplers: Vec<ResamplerSummary>,
}

/// Whether a plugin can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It is loaded.
    Loaded,
    /// It is not, for this reason.
    Refused(String),
}
