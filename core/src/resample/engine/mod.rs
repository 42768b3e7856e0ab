//! The mathematics of sample rate conversion, for blocks of samples in memory.
//!
//! A [`Plan`] computes the output in blocks on a fixed grid, each from its own piece of the input. Any thread can compute any
//! block, and a block always has the same bits. The plan uses the cheaper of two methods for the rates. Neither has a delay,
//! and [`FilterQuality`] applies to both.
//!
//! - If the rates have a ratio of small numbers, as all common rates do: a Fourier transform of the input, a multiplication of
//!   its bins with the filter, and an inverse transform of the other length. Two pieces of the block share one complex
//!   transform, as its real and imaginary parts. This is a quarter faster than two real transforms in double precision and
//!   almost twice as fast in single precision. Unlike pairing two channels, it keeps each channel's bits independent of others.
//! - Otherwise a transform that covers a whole number of periods of both rates is too long: from 44100 Hz to 44099 Hz it has
//!   132300 points, of which a third is kept. In this case the same transforms produce a signal of at least twice the lower
//!   rate, by small factors, and a windowed sinc with 16 to 24 taps interpolates between its frames at exact fractional
//!   positions. This costs four to five times as much per frame as the first method, but no more memory for any ratio.
//!
//! The cost of a block is estimated when the plan is made; the same estimate determines the length of the transform.

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
