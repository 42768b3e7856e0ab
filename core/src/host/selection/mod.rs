//! Which plugin serves a request, and the error when none does.

pub(crate) mod encoder;
