//! Streams in progress: handles that are called directly when their plugin is trusted, else on a thread under supervision.

pub(crate) mod decoder;
pub(crate) mod encoder;
pub(crate) mod resampler;
pub(crate) mod supervisor;
pub(crate) mod worker;
