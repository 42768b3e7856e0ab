//! The conversions for vector instructions that not every CPU of the target has.
//!
//! On AArch64 there are none: Advanced SIMD is part of the target, it loads three-byte structures by itself, and the
//! scalar loops have become its code already.

#[cfg(target_arch = "x86_64")]
mod x86;

#[cfg(target_arch = "x86_64")]
pub(super) use x86::{available, store};

/// The conversions for instructions that this CPU has beyond the target's: none.
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn available(
    _from: super::SampleFormat,
    _to: super::OutputFormat,
) -> impl Iterator<Item = (&'static str, super::convert::Function)> {
    std::iter::empty()
}

/// The conversion to a file's samples for instructions that this CPU has beyond the target's: none.
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn store(
    _from: super::OutputFormat,
    _to: super::SampleFormat,
) -> Option<(&'static str, super::store::Function)> {
    None
}

/// What the scalar loops are called where they are vector code.
pub(super) const BASELINE: &str = if cfg!(target_arch = "aarch64") { "neon" } else { "scalar" };
