//! The two types of numbers that a resampler calculates with.

#![forbid(unsafe_code)]

use rustfft::FftNum;

/// `f32` or `f64`.
pub trait Sample: FftNum + PartialOrd + sealed::Sealed {}

impl Sample for f32 {}

impl Sample for f64 {}

pub(crate) mod sealed {
    /// What of a [`Sample`](super::Sample) is the resampler's own business.
    pub trait Sealed: Sized + 'static {
        /// Below this, half a block is silence: 400 dB under full scale. What a filter makes of more than that is hardly
        /// ever a denormal number, whose arithmetic is a hundred times slower.
        const SILENCE: Self;

        /// The nearest number.
        fn nearest(value: f64) -> Self;
    }
}

impl sealed::Sealed for f32 {
    const SILENCE: Self = 1e-20;

    #[expect(clippy::cast_possible_truncation, reason = "rounds to the nearest, and that is the point")]
    fn nearest(value: f64) -> Self {
        value as f32
    }
}

impl sealed::Sealed for f64 {
    const SILENCE: Self = 1e-20;

    fn nearest(value: f64) -> Self {
        value
    }
}
