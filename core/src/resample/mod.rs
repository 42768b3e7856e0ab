//! Converts audio from one sample rate to another.
//!
//! [`engine`] contains the mathematics for blocks of samples in memory. `read` applies it, or a plugin's resampler, to any
//! window of a file or an array.

pub mod engine;
mod read;

pub use engine::{FilterQuality, MAX_RATE, Plan, Precision, Rates, Sample, Scratch};
pub(crate) use read::{Converter, FileFrames, Resampled};
pub use read::{ResampleQuality, resample_array};
