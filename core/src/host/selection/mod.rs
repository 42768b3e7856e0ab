//! Which plugin serves a request, and the error when none does.

pub(crate) mod absence;
pub(crate) mod decoder;
pub(crate) mod encoder;
pub(crate) mod resampler;
pub(crate) mod writable;
