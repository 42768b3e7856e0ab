//! The conversions for vector instructions that not every CPU of the target has.
//!
//! AArch64 needs none: Advanced SIMD is part of the target and loads three-byte structures, so the compiler already turns the
//! scalar loops into vector code.

#[cfg(target_arch = "x86_64")]
mod x86;

#[cfg(target_arch = "x86_64")]
pub(super) use x86::{available, store};

/// The conversions for instructions beyond the target's: none.
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn available(
    _from: super::SampleFormat,
    _to: super::OutputFormat,
) -> impl Iterator<Item = (&'static str, super::convert::Function)> {
    std::iter::empty()
}

/// The conversion to file samples for instructions beyond the target's: none.
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn store(
    _from: super::OutputFormat,
    _to: super::SampleFormat,
) -> Option<(&'static str, super::store::Function)> {
    None
}

/// The name of the scalar loops on targets where they are vector code.
pub(super) const BASELINE: &str = if cfg!(target_arch = "aarch64") { "neon" } else { "scalar" };
