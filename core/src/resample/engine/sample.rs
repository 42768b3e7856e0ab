//! The two number types that a resampler computes with.

#![forbid(unsafe_code)]

use rustfft::FftNum;

/// `f32` or `f64`.
pub trait Sample: FftNum + PartialOrd + sealed::Sealed {}

impl Sample for f32 {}

impl Sample for f64 {}

pub(crate) mod sealed {
    /// The private part of [`Sample`](super::Sample).
    pub trait Sealed: Sized + 'static {
        /// Half a block below this, 400 dB under full scale, counts as silence. Above it, a filter hardly ever produces denormal
        /// numbers, with which arithmetic is a hundred times slower.
        const SILENCE: Self;

        /// The nearest number.
        fn nearest(value: f64) -> Self;
    }
}

impl sealed::Sealed for f32 {
    const SILENCE: Self = 1e-20;

    #[expect(clippy::cast_possible_truncation, reason = "rounds to nearest, as intended")]
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
