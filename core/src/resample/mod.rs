//! From one sample rate to another: pure mathematics on blocks of samples in memory.

#![forbid(unsafe_code)]

mod cache;
mod interpolation;
mod kaiser;
mod plan;
mod quality;
mod rates;
mod sample;
mod scratch;
mod shape;
#[cfg(test)]
mod tests;
mod transforms;

pub use plan::Plan;
pub use quality::{Precision, Quality};
pub use rates::{MAX_RATE, Rates};
pub use sample::Sample;
pub use scratch::Scratch;
