//! Predictors: the likely value of a sample, given those before it (RFC 9639, sections 9.2.5 and 9.2.6).

pub(crate) mod autocorrelation;
pub(crate) mod fixed;
pub(crate) mod linear;
pub(crate) mod window;
