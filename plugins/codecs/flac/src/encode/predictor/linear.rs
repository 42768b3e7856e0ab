//! Linear predictors: weighted sums of the samples before (RFC 9639, section 9.2.6).
//!
//! The coefficients a[1..=p] that leave the least energy of `x[n] - sum(a[i] x[n-i])` solve the normal equations
//! `sum(a[i] r[|i-j|]) = r[j]` for j = 1..=p, where r is the autocorrelation. Their matrix is the same along each diagonal, so
//! the recursion of Levinson and Durbin finds the solution of order p + 1 from that of order p in p steps: with
//! `k = (r[p+1] - sum(a[i] r[p+1-i])) / E`, the reflection coefficient, `a'[i] = a[i] - k a[p+1-i]`, `a'[p+1] = k`, and the energy
//! left falls to `E (1 - k^2)`. All orders up to the last cost little more than the last, and the best one is chosen by an
//! estimate of its size. The coefficients are then rounded to integers with a common shift.

#![forbid(unsafe_code)]

use super::autocorrelation::MAX_ORDER;

/// The largest shift of a prediction to the right: the field has five bits with a sign, and negative shifts are forbidden.
const MAX_SHIFT: i32 = 15;

/// The best predictor of an order, and the energy of its residuals.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Candidate {
    coefficients: [f64; MAX_ORDER],
    order: usize,
    error: f64,
}

/// The best predictor of each order up to `max_order`, by the recursion of Levinson and Durbin; of fewer orders if one predicts
/// the signal exactly.
pub(crate) fn candidates(
    autocorrelation: &[f64; MAX_ORDER + 1],
    max_order: usize,
) -> impl Iterator<Item = Candidate> {
    let mut coefficients = [0.0; MAX_ORDER];
    let autocorrelation = *autocorrelation;
    let mut error = autocorrelation.first().copied().unwrap_or(0.0);
    (0..max_order.min(MAX_ORDER)).map_while(move |order| {
        if error <= 0.0 || !error.is_finite() {
            return None;
        }
        let known = coefficients.get(..order)?;
        let lags = autocorrelation.get(1..=order)?.iter().rev();
        let predicted: f64 = known.iter().zip(lags).map(|(coefficient, lag)| coefficient * lag).sum();
        let reflection = (autocorrelation.get(order + 1)? - predicted) / error;
        let mut next = coefficients;
        for (to, from) in next.iter_mut().zip(known.iter().rev()) {
            *to -= reflection * from;
        }
        *next.get_mut(order)? = reflection;
        coefficients = next;
        error *= 1.0 - reflection * reflection;
        Some(Candidate { coefficients, order: order + 1, error: error.max(0.0) })
    })
}

impl Candidate {
    /// The bits that `num_samples` samples are expected to take, with coefficients of `precision` bits.
    ///
    /// `error` is the energy of `num_weighted` weighted samples. Residuals are taken as Laplacian, with a size of half the
    /// binary logarithm of their variance and a constant.
    #[expect(clippy::cast_precision_loss, reason = "small whole numbers")]
    pub(crate) fn expected_bits(
        &self,
        num_samples: usize,
        num_weighted: usize,
        bits_per_sample: u32,
        precision: u32,
    ) -> f64 {
        let variance = self.error * 0.5 / num_weighted.max(1) as f64;
        let bits = if variance > 0.0 { (0.5 * variance.log2()).max(0.0) } else { 0.0 };
        let order = self.order as f64;
        bits * (num_samples as f64 - order) + order * f64::from(bits_per_sample + precision)
    }

    /// The predictor with coefficients of `precision` bits; `None` if they are too large.
    #[expect(clippy::cast_possible_truncation, reason = "the cast saturates, and the result is clamped")]
    pub(crate) fn quantize(&self, precision: u32) -> Option<Predictor> {
        let real = self.coefficients.get(..self.order)?;
        let largest = real.iter().fold(0.0_f64, |largest, coefficient| largest.max(coefficient.abs()));
        if largest <= 0.0 || !largest.is_finite() {
            return None;
        }
        // The largest is below 2^exponent.
        let exponent = largest.log2().floor() as i32 + 1;
        let shift = (precision.cast_signed() - 1 - exponent).min(MAX_SHIFT);
        let limit = (1_i32 << (precision - 1)) - 1;
        let scale = f64::from(1_u32 << u32::try_from(shift).ok()?);
        let mut coefficients = [0; MAX_ORDER];
        let mut error = 0.0; // the rounding error is carried to the next coefficient
        for (to, from) in coefficients.iter_mut().zip(real) {
            error += from * scale;
            *to = (error.round() as i32).clamp(-limit - 1, limit);
            error -= f64::from(*to);
        }
        let shift = u32::try_from(shift).ok()?;
        Some(Predictor { coefficients, order: self.order, precision, shift })
    }
}

/// A linear predictor with integer coefficients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Predictor {
    coefficients: [i32; MAX_ORDER],
    order: usize,
    /// The width of a coefficient in bits.
    pub(crate) precision: u32,
    /// The bits by which a prediction is shifted to the right.
    pub(crate) shift: u32,
}

impl Predictor {
    /// The coefficients; the first belongs to the sample just before.
    pub(crate) fn coefficients(&self) -> &[i32] {
        self.coefficients.get(..self.order).unwrap_or_default()
    }

    /// The residuals from the first predicted sample on; false if one is outside the range that the format allows.
    #[inline(always)]
    pub(crate) fn residuals(&self, samples: &[i32], bits_per_sample: u32, residuals: &mut Vec<i32>) -> bool {
        let sum: u64 =
            self.coefficients().iter().map(|coefficient| u64::from(coefficient.unsigned_abs())).sum();
        let largest = sum << (bits_per_sample - 1);
        let way = match largest {
            ..0x4000_0000 => Way::Narrow,
            _ if largest >> self.shift < 0x4000_0000 => Way::Wide,
            _ => Way::Checked,
        };
        macro_rules! of_order {
            ($($order:literal)*) => {
                match self.order {
                    $($order => self.apply::<$order, { $order + 1 }>(samples, way, residuals),)*
                    _ => false,
                }
            };
        }
        of_order!(1 2 3 4 5 6 7 8 9 10 11 12)
    }

    #[inline(always)]
    fn apply<const ORDER: usize, const WINDOW: usize>(
        &self,
        samples: &[i32],
        way: Way,
        residuals: &mut Vec<i32>,
    ) -> bool {
        // Reversed, so that coefficients are in the order of the samples.
        let mut reversed = [0; ORDER];
        for (to, from) in reversed.iter_mut().zip(self.coefficients().iter().rev()) {
            *to = *from;
        }
        residuals.resize(samples.len().saturating_sub(ORDER), 0);
        // A loop instead of `for_each`, whose closure would not be compiled for wider registers along with this function.
        let places = residuals.iter_mut().zip(samples.array_windows::<WINDOW>());
        match way {
            Way::Narrow => {
                for (place, window) in places {
                    let mut sum = 0_i32;
                    for (sample, by) in window.iter().zip(&reversed) {
                        sum = sum.wrapping_add(sample.wrapping_mul(*by));
                    }
                    *place = window.last().unwrap_or(&0).wrapping_sub(sum >> self.shift);
                }
            }
            Way::Wide => {
                for (place, window) in places {
                    // A logical shift will do: the sign bits that it lacks are dropped by the cast.
                    #[expect(clippy::cast_possible_truncation, reason = "the bound was checked")]
                    let prediction = (wide_sum(window, &reversed).cast_unsigned() >> self.shift) as i32;
                    *place = window.last().unwrap_or(&0).wrapping_sub(prediction);
                }
            }
            Way::Checked => {
                for (place, window) in places {
                    let prediction = wide_sum(window, &reversed) >> self.shift;
                    let residual = i64::from(*window.last().unwrap_or(&0)) - prediction;
                    match i32::try_from(residual) {
                        Ok(residual) if residual != i32::MIN => *place = residual,
                        _ => return false,
                    }
                }
            }
        }
        true
    }
}

#[inline(always)]
fn wide_sum<const ORDER: usize>(window: &[i32], reversed: &[i32; ORDER]) -> i64 {
    let mut sum = 0_i64;
    for (sample, by) in window.iter().zip(reversed) {
        sum = sum.wrapping_add(i64::from(*sample).wrapping_mul(i64::from(*by)));
    }
    sum
}

/// How wide the sums of a prediction are.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// Below 2^30.
    Narrow,
    /// Below 2^30 after the shift.
    Wide,
    /// So large that a residual may not fit.
    Checked,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn autocorrelation(samples: &[f64]) -> [f64; MAX_ORDER + 1] {
        std::array::from_fn(|lag| samples.iter().skip(lag).zip(samples).map(|(a, b)| a * b).sum())
    }

    fn tone(num_samples: u32, amplitude: f64) -> Vec<f64> {
        let level = |n: u32| (f64::from(n) * 0.07).sin() + 0.3 * (f64::from(n) * 0.31).cos();
        (0..num_samples).map(|n| level(n) * amplitude).collect()
    }

    /// The energy of the residuals of these coefficients, by definition.
    fn energy(samples: &[f64], coefficients: &[f64]) -> f64 {
        let at = |place: usize, back: usize| {
            if back > place { 0.0 } else { samples.get(place - back).copied().unwrap_or(0.0) }
        };
        let num_places = samples.len() + coefficients.len();
        let residual = |place: usize| {
            let terms =
                coefficients.iter().enumerate().map(|(n, coefficient)| coefficient * at(place, n + 1));
            at(place, 0) - terms.sum::<f64>()
        };
        (0..num_places).map(residual).map(|residual| residual * residual).sum()
    }

    #[test]
    fn candidates_leave_the_energy_they_report_and_no_change_is_better() {
        let samples = tone(500, 1000.0);
        let autocorrelation = autocorrelation(&samples);
        let mut orders = Vec::new();
        for candidate in candidates(&autocorrelation, 8) {
            let coefficients = candidate.coefficients.get(..candidate.order).unwrap_or_default();
            let left = energy(&samples, coefficients);
            assert!((left / candidate.error - 1.0).abs() < 1e-6, "{left} {candidate:?}");
            for place in 0..candidate.order {
                for change in [1e-3, -1e-3] {
                    let mut changed = coefficients.to_vec();
                    changed.get_mut(place).into_iter().for_each(|coefficient| *coefficient += change);
                    assert!(energy(&samples, &changed) > left);
                }
            }
            orders.push(candidate.order);
        }
        assert_eq!(orders, [1, 2, 3, 4, 5, 6, 7, 8]);
    }

    #[test]
    fn silence_has_no_candidate() {
        assert_eq!(candidates(&[0.0; MAX_ORDER + 1], 8).count(), 0);
    }

    #[test]
    fn quantized_coefficients_are_near_and_fit() {
        for candidate in candidates(&autocorrelation(&tone(4096, 1e6)), 12) {
            for precision in 5..=15 {
                let Some(predictor) = candidate.quantize(precision) else { continue };
                let limit = 1 << (precision - 1);
                let scale = f64::from(1_u32 << predictor.shift);
                for (found, real) in predictor.coefficients().iter().zip(candidate.coefficients) {
                    assert!((-limit..limit).contains(found));
                    assert!((f64::from(*found) / scale - real).abs() <= 2.0 / scale, "{found} {real}");
                }
                let largest = predictor.coefficients().iter().map(|coefficient| coefficient.abs()).max();
                assert!(predictor.shift == 15 || largest.is_some_and(|largest| largest >= limit / 2 - 1));
            }
        }
    }

    #[test]
    fn residuals_are_exact_or_rejected() {
        let full = (1 << 24) - 1;
        let signals: [Vec<i32>; 3] = [
            (0..100).map(|n| if n % 7 < 3 { full } else { -full - 1 }).collect(),
            (0..100).map(|n| n * n % 1013 - 500).collect(),
            (0..5).collect(),
        ];
        let mut num_rejected = 0;
        for samples in signals {
            for (order, value, shift) in
                [(1, 4095, 12), (8, -16384, 0), (8, 16383, 15), (12, 16383, 9), (5, -16384, 6)]
            {
                let mut coefficients = [0; MAX_ORDER];
                coefficients.iter_mut().take(order).for_each(|coefficient| *coefficient = value);
                let predictor = Predictor { coefficients, order, precision: 15, shift };
                let expected: Vec<i64> = (order..samples.len())
                    .map(|place| {
                        let sum: i64 = (1..=order)
                            .map(|back| {
                                i64::from(value) * samples.get(place - back).copied().map_or(0, i64::from)
                            })
                            .sum();
                        samples.get(place).copied().map_or(0, i64::from) - (sum >> shift)
                    })
                    .collect();
                let mut found = Vec::new();
                let fits = expected.iter().all(|value| value.unsigned_abs() < 1 << 31);
                assert_eq!(predictor.residuals(&samples, 25, &mut found), fits);
                if fits {
                    assert_eq!(found.into_iter().map(i64::from).collect::<Vec<_>>(), expected);
                } else {
                    num_rejected += 1;
                }
            }
        }
        assert!(num_rejected > 0);
    }
}
