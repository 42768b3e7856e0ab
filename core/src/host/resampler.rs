//! What the resamplers of plugins say of themselves.

#![allow(unsafe_code)] // tables of plugins

use mapwave_plugin_abi as abi;

use super::decoder::split;
use super::fault::{Failure, required_name};
use super::raw::{self, Sized32};

/// What a resampler says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResamplerSummary {
    /// Its name.
    pub name: String,
    /// The names of its qualities.
    pub qualities: Vec<String>,
}

impl ResamplerSummary {
    /// Reads a resampler's table.
    ///
    /// # Safety
    /// `table` is what a plugin returned for its resampler interface: valid until the process exits.
    pub(super) unsafe fn new(table: *const abi::mw_resampler_table) -> Result<Self, Failure> {
        // SAFETY: the caller's promise; a table begins with its size.
        let table = unsafe { Sized32::copied(table) };
        if table.open.is_none() || table.process.is_none() || table.close.is_none() {
            return Err(Failure::broken("its resampler table lacks a function"));
        }
        // SAFETY: strings of a table are valid until the process exits.
        let name = unsafe { required_name(table.name, "resampler's name") }?.to_owned();
        // SAFETY: as above.
        let qualities = unsafe { raw::text(table.qualities) };
        Ok(Self { name, qualities: split(qualities) })
    }
}
