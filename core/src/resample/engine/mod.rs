//! From one sample rate to another: pure mathematics on blocks of samples in memory.
//!
//! A [`Plan`] makes the output in blocks of a fixed grid, each from its own piece of the input: any thread can make any block,
//! and every block has the same bits whoever makes it. One of two methods is behind it, whichever costs less for the rates;
//! neither has a delay, and the [`FilterQuality`] holds for both.
//!
//! - Where the rates' ratio is one of small numbers, as between all rates of real files: a Fourier transform of the input,
//!   the filter as a factor on its bins, and the inverse transform at the other length. Two pieces of the block go through
//!   one complex transform, as its real and its imaginary part. That is a quarter faster than two real transforms in double
//!   precision and almost twice as fast in single, and unlike a pair of channels it lets no channel touch another's bits.
//! - Elsewhere a transform that lasts a whole number of periods of both rates is too long: from 44100 Hz to 44099 Hz it has
//!   132300 points, of which a third is kept. There the same transforms make a signal of at least twice the lower rate, by
//!   small factors, and a windowed sinc of 16 to 24 taps interpolates between its frames, at places that are exact fractions.
//!   That costs four to five times as much a frame as the first method, and takes no more memory however odd the ratio.
//!
//! What a block costs is estimated when the plan is made; the length of the transform is chosen by the same estimate.

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
pub use quality::{FilterQuality, Precision};
pub use rates::{MAX_RATE, Rates};
pub use sample::Sample;
pub use scratch::Scratch;
