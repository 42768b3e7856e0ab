//! Plugins of the host's own tests.

pub(crate) mod fake_decoder;
pub(crate) mod fake_encoder;
pub(crate) mod fake_resampler;
