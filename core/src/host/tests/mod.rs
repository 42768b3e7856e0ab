//! In-process plugins for the host's tests.

pub(crate) mod fake_decoder;
pub(crate) mod fake_encoder;
pub(crate) mod fake_resampler;
