//! The autocorrelation of a signal: how much it resembles itself a few samples later.

#![forbid(unsafe_code)]

/// The sums that are accumulated side by side. The number is part of the result: adding floats is not associative.
const LANES: usize = 8;

/// The vectors of that many sums: with several, an addition need not wait for the one before.
const VECTORS: usize = 4;

/// The samples that are processed for all lags in turn, few enough to stay in the first-level cache.
const STRETCH: usize = 1024;

/// The highest order of a predictor that is searched: the highest of the streamable subset up to 48 kHz (RFC 9639, section
/// 7).
pub(crate) const MAX_ORDER: usize = 12;

/// The autocorrelation for every lag from 0 to `max_lag`.
#[inline(always)]
pub(crate) fn autocorrelation(samples: &[f32], max_lag: usize) -> [f64; MAX_ORDER + 1] {
    let mut sums = [0.0; MAX_ORDER + 1];
    for first in (0..samples.len()).step_by(STRETCH) {
        for (lag, sum) in sums.iter_mut().enumerate().take(max_lag + 1) {
            let start = first.max(lag);
            let stretch = samples.get(start..(first + STRETCH).min(samples.len())).unwrap_or_default();
            let before = samples.get(start - lag..).unwrap_or_default();
            *sum += sum_of_products(stretch, before);
        }
    }
    sums
}

/// The sum of the products of the samples of `a` with as many of `b`.
#[inline(always)]
fn sum_of_products(a: &[f32], b: &[f32]) -> f64 {
    let (groups, rest) = a.as_chunks::<{ LANES * VECTORS }>();
    let (others, _) = b.as_chunks::<{ LANES * VECTORS }>();
    let mut sums = [[0.0_f32; LANES]; VECTORS];
    for (group, other) in groups.iter().zip(others) {
        let (group, _) = group.as_chunks::<LANES>();
        let (other, _) = other.as_chunks::<LANES>();
        for ((sums, group), other) in sums.iter_mut().zip(group).zip(other) {
            for ((sum, a), b) in sums.iter_mut().zip(group).zip(other) {
                *sum += a * b;
            }
        }
    }
    let mut total = 0.0;
    for sum in sums.as_flattened() {
        total += f64::from(*sum);
    }
    for (a, b) in rest.iter().zip(b.iter().skip(groups.len() * LANES * VECTORS)) {
        total += f64::from(a * b);
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naive(samples: &[f32], lag: usize) -> f64 {
        samples.iter().skip(lag).zip(samples).map(|(sample, before)| f64::from(sample * before)).sum()
    }

    #[test]
    fn every_length_is_summed() {
        for num_samples in (0..40).chain([511, 512, 513, 530, 1000, 4096]) {
            let samples: Vec<f32> = (0..num_samples).map(|n| (n * n % 101 - 50) as f32).collect();
            for max_lag in [4, 8, 12] {
                let found = autocorrelation(&samples, max_lag);
                for (lag, found) in found.into_iter().enumerate().take(max_lag + 1) {
                    // Whole numbers: exact in any order.
                    assert_eq!(found, naive(&samples, lag), "{num_samples} samples, lag {lag}");
                }
            }
        }
    }
}
