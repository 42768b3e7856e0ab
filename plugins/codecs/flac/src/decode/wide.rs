//! A difference of two channels of 32 bits has 33 (section 9.2.3), more than a plane holds.
//!
//! Such subframes are rare. They are restored on their own, in 64 bits; then both channels are, which have 32 again.

#![forbid(unsafe_code)]

use super::frame_header::Decorrelation;
use super::predictor::{Predictor, unfold};

/// Restores a difference. `samples` holds its first samples, or all of them if `predictor` is `None`; the others are
/// the folded residuals of `plane`, of which every sample has one.
pub(super) fn restore(samples: &mut [i64], plane: &[i32], predictor: Option<&Predictor>, wasted: u32) {
    if let Some(predictor) = predictor {
        for place in predictor.order..samples.len() {
            let Some((before, [sample, ..])) = samples.split_at_mut_checked(place) else { return };
            let products = before.iter().rev().zip(&predictor.coefficients).take(predictor.order);
            let sum = products.fold(0_i64, |sum, (sample, coefficient)| {
                sum.wrapping_add(sample.wrapping_mul(i64::from(*coefficient)))
            });
            let residual = plane.get(place).copied().map_or(0, unfold);
            // Modulo 2^33, so that no damage makes numbers grow.
            *sample = (i64::from(residual).wrapping_add(sum >> predictor.shift) << 31) >> 31;
        }
    }
    samples.iter_mut().for_each(|sample| *sample = (*sample << wasted << 31) >> 31);
}

/// Makes the left and right channel of one channel and the difference; `first` and `second` are the planes of both
/// subframes, of which that of the difference is ignored.
#[expect(clippy::cast_possible_truncation, reason = "samples have 32 bits")]
pub(super) fn decorrelate(first: &mut [i32], second: &mut [i32], side: &[i64], decorrelation: Decorrelation) {
    for ((first, second), side) in first.iter_mut().zip(second).zip(side) {
        let (left, right) = match decorrelation {
            Decorrelation::Independent => (i64::from(*first), i64::from(*second)),
            Decorrelation::LeftSide => (i64::from(*first), i64::from(*first) - side),
            Decorrelation::SideRight => (i64::from(*second) + side, i64::from(*second)),
            Decorrelation::MidSide => {
                let right = i64::from(*first) - (side >> 1);
                (right + side, right)
            }
        };
        (*first, *second) = (left as i32, right as i32);
    }
}
