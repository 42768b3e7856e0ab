//! Chooses the plugin for a request, and makes the error if there is none.

pub(crate) mod absence;
pub(crate) mod decoder;
pub(crate) mod encoder;
mod recent;
pub(crate) mod resampler;
pub(crate) mod seek_table;
pub(crate) mod writable;
