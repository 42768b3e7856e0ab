//! Streams in progress: handles that are called directly if their plugin is trusted, otherwise on a supervised thread.

pub(crate) mod decoder;
pub(crate) mod encoder;
pub(crate) mod interruption;
pub(crate) mod probing;
pub(crate) mod resampler;
pub(crate) mod supervisor;
pub(crate) mod worker;
