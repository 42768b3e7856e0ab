//! The factors of points around a Fourier transform.

#![forbid(unsafe_code)]

use crate::math;

/// exp(-πi times a fraction) times a factor.
#[expect(clippy::cast_possible_truncation, reason = "to the precision of lines")]
pub(super) const fn turn(numerator: usize, denominator: usize, factor: f64) -> [f32; 2] {
    let (numerator, denominator) = (numerator as i64, denominator as i64);
    [
        (math::cos_pi(numerator, denominator) * factor) as f32,
        (-math::sin_pi(numerator, denominator) * factor) as f32,
    ]
}

/// The factors of M/2 points before the Fourier transform. They also scale samples: 1/M, and full scale of 16 bits to 1.
#[expect(clippy::indexing_slicing, reason = "the compiler computes it, and checks")]
pub(super) const fn before<const POINTS: usize>() -> [[f32; 2]; POINTS] {
    let mut factors = [[0.0; 2]; POINTS];
    let mut k = 0;
    while k < POINTS {
        factors[k] = turn(4 * k + 1, 8 * POINTS, 1.0 / (2 * POINTS) as f64 / 32768.0);
        k += 1;
    }
    factors
}

/// The factors of M/2 points after the Fourier transform.
#[expect(clippy::indexing_slicing, reason = "the compiler computes it, and checks")]
pub(super) const fn after<const POINTS: usize>() -> [[f32; 2]; POINTS] {
    let mut factors = [[0.0; 2]; POINTS];
    let mut j = 0;
    while j < POINTS {
        factors[j] = turn(j, 2 * POINTS, 1.0);
        j += 1;
    }
    factors
}
