//! A slice: 20 samples of one channel in 64 bits, 4 for a scale factor and 3 for every residual.

#![forbid(unsafe_code)]

use crate::lms::Lms;

/// The frames of a slice.
pub(crate) const SLICE_FRAMES: usize = 20;
/// The size of a slice.
pub(crate) const SLICE_BYTES: usize = 8;

/// The number of scale factors.
const NUM_SCALES: usize = 16;

/// The scale factors: round((s + 1)^2.75).
const SCALES: [i32; NUM_SCALES] =
    [1, 7, 21, 45, 84, 138, 211, 304, 421, 562, 731, 928, 1157, 1419, 1715, 2048];

/// Four times the values of the residuals of 3 bits: 0.75, 2.5, 4.5 and 7, each followed by its negative.
const QUARTERS: [i32; 8] = [3, -3, 10, -10, 18, -18, 28, -28];

/// The residual for each scale factor and each 3 bits: their product, rounded to nearest and ties away from zero.
static RESIDUALS: [[i32; 8]; NUM_SCALES] = residuals();

#[expect(
    clippy::indexing_slicing,
    reason = "a const fn has no iterators, and both loops end with the tables"
)]
const fn residuals() -> [[i32; 8]; NUM_SCALES] {
    let mut residuals = [[0; 8]; NUM_SCALES];
    let mut scale = 0;
    while scale < NUM_SCALES {
        let mut code = 0;
        while code < 8 {
            let quarters = SCALES[scale] * QUARTERS[code];
            residuals[scale][code] = (quarters + 2 * quarters.signum()) / 4;
            code += 1;
        }
        scale += 1;
    }
    residuals
}

/// The residuals of a scale factor.
#[inline]
fn residuals_of(scale: usize) -> &'static [i32; 8] {
    RESIDUALS.get(scale).unwrap_or(const { &[0; 8] })
}

/// The sum of a prediction and a residual, clamped to 16 bits.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the clamp is there for it")]
fn reconstruct(prediction: i32, residual: i32) -> i16 {
    (prediction + residual).clamp(i16::MIN.into(), i16::MAX.into()) as i16
}

/// Decodes a slice into up to 20 samples.
#[inline]
pub(crate) fn decode<'a>(slice: u64, lms: &mut Lms, places: impl Iterator<Item = &'a mut i16>) {
    let residuals = residuals_of((slice >> 60) as usize);
    let mut codes = slice << 4;
    for place in places.take(SLICE_FRAMES) {
        let residual = residuals.get((codes >> 61) as usize).copied().unwrap_or_default();
        codes <<= 3;
        *place = reconstruct(lms.predict(), residual);
        lms.update(*place, residual);
    }
}

/// Encodes up to 20 samples with the best of the 16 scale factors, and advances the predictor past them.
///
/// The best scale factor of the slice before, `scale`, is tried first: neighbouring slices are alike, and once a good one is
/// known, the others are abandoned at the first sample that makes them worse.
pub(crate) fn encode(samples: &[i16], lms: &mut Lms, scale: &mut usize) -> u64 {
    let mut best = Trial { error: u64::MAX, slice: 0, lms: *lms };
    let first = *scale;
    for candidate in (first..NUM_SCALES).chain(0..first) {
        if let Some(trial) = Trial::run(samples, *lms, candidate, best.error) {
            (best, *scale) = (trial, candidate);
        }
    }
    *lms = best.lms;
    best.slice
}

/// A slice encoded with one scale factor.
struct Trial {
    /// The sum of the squared errors and the predictor's penalties.
    error: u64,
    slice: u64,
    lms: Lms,
}

impl Trial {
    /// Encodes samples; `None` unless the error stays below `limit`.
    fn run(samples: &[i16], mut lms: Lms, scale: usize, limit: u64) -> Option<Self> {
        let (residuals, reciprocal) = (residuals_of(scale), reciprocal_of(scale));
        let (mut error, mut slice) = (0_u64, scale as u64);
        for &sample in samples {
            let prediction = lms.predict();
            let code = quantise(i32::from(sample) - prediction, reciprocal);
            let residual = residuals.get(code).copied().unwrap_or_default();
            let decoded = reconstruct(prediction, residual);

            let squared = u64::from(sample.abs_diff(decoded)).pow(2);
            error = error.saturating_add(squared).saturating_add(lms.penalty());
            if error >= limit {
                return None;
            }
            lms.update(decoded, residual);
            slice = slice << 3 | code as u64;
        }
        // "The last slice may contain less than 20 samples", with "the unused samples zeroed out".
        let num_unused = SLICE_FRAMES.saturating_sub(samples.len());
        Some(Self { error, slice: slice << (3 * num_unused), lms })
    }
}

/// 2^16 divided by a scale factor, rounded up.
fn reciprocal_of(scale: usize) -> i64 {
    let divisor = i64::from(SCALES.get(scale).copied().unwrap_or(1));
    ((1 << 16) + divisor - 1) / divisor
}

/// The 3 bits for a residual: its quotient by the scale factor, rounded to the nearest integer, but to 1 or -1 instead of 0
/// unless the residual is 0, because codes 0 and 1 have the values 3/4 and -3/4.
#[inline]
fn quantise(residual: i32, reciprocal: i64) -> usize {
    let nearest = (i64::from(residual) * reciprocal + (1 << 15)) >> 16;
    // Magnitudes 0 and 1, 2 and 3, 4 and 5, 6 and above share a code each; the negative one follows the positive.
    let magnitude = (nearest.unsigned_abs() / 2).min(3) as usize;
    2 * magnitude + usize::from(residual < 0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_those_of_the_formulas() {
        for (scale, row) in RESIDUALS.iter().enumerate() {
            let factor = ((scale + 1) as f64).powf(2.75).round();
            assert_eq!(f64::from(SCALES[scale]), factor);
            for (residual, value) in row.iter().zip([0.75, -0.75, 2.5, -2.5, 4.5, -4.5, 7.0, -7.0]) {
                assert_eq!(f64::from(*residual), (factor * value).round()); // which rounds ties away from zero
            }
        }
    }

    #[test]
    fn residuals_are_quantised_away_from_zero() {
        let codes = |scale: usize, residuals: &[i32]| -> Vec<usize> {
            residuals.iter().map(|residual| quantise(*residual, reciprocal_of(scale))).collect()
        };
        assert_eq!(codes(0, &[-9, -8, -6, -5, -4, -3, -2, -1]), [7, 7, 7, 5, 5, 3, 3, 1]);
        assert_eq!(codes(0, &[0, 1, 2, 3, 4, 5, 6, 9]), [0, 0, 2, 2, 4, 4, 6, 6]);
        assert_eq!(codes(15, &[1, -1, 3071, 3072, -3073, 65535, -65536]), [0, 1, 0, 2, 3, 6, 7]);
    }

    #[test]
    fn what_an_encoder_keeps_is_what_a_decoder_has() {
        let samples: Vec<i16> = (0..20).map(|n| (n * n * 37 - 4000) as i16).collect();
        let (mut encoded, mut decoded, mut scale) = (Lms::START, Lms::START, 0);
        for length in [20, 20, 7] {
            let slice = encode(&samples[..length], &mut encoded, &mut scale);
            let mut places = [0; 20];
            decode(slice, &mut decoded, places.iter_mut().take(length));
            assert_eq!(decoded, encoded);
            assert_eq!((slice >> 60) as usize, scale);
            assert_eq!(slice & ((1 << (3 * (20 - length))) - 1), 0);
        }
    }

    #[test]
    fn no_scale_factor_is_better_than_the_one_taken() {
        let samples: Vec<i16> = (0..20).map(|n| (n * 7919 % 12_007) as i16).collect();
        let mut scale = 3;
        let slice = encode(&samples, &mut { Lms::START }, &mut scale);
        let trials = (0..16).filter_map(|scale| Trial::run(&samples, Lms::START, scale, u64::MAX));
        let best = trials.min_by_key(|trial| trial.error).unwrap();
        assert_eq!(best.slice, slice);
    }
}
