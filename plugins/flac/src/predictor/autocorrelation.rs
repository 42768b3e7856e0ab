//! How much a signal resembles itself a few samples later.

#![forbid(unsafe_code)]

/// Sums that are added up side by side. It is part of the result, since additions of floats are not associative.
const LANES: usize = 4;

/// The highest order of a predictor that is looked for, which is the highest in the streamable subset at up to 48 kHz (RFC
/// 9639, section 7).
pub(crate) const MAX_ORDER: usize = 12;

/// The autocorrelation for no lag and every lag up to `max_lag`.
#[inline(always)]
pub(crate) fn autocorrelation(samples: &[f64], max_lag: usize) -> [f64; MAX_ORDER + 1] {
    let mut sums = [0.0; MAX_ORDER + 1];
    if max_lag <= 8 {
        add::<9>(samples, &mut sums)
    } else {
        add::<{ MAX_ORDER + 1 }>(samples, &mut sums)
    }
    sums
}

/// Adds the products of samples with the `NUM_LAGS` samples from themselves back.
#[inline(always)]
fn add<const NUM_LAGS: usize>(samples: &[f64], sums: &mut [f64]) {
    let mut lanes = [[0.0; LANES]; NUM_LAGS];
    let head = samples.get(..NUM_LAGS - 1).unwrap_or(samples);
    for (place, sample) in head.iter().enumerate() {
        let before = head.get(..=place).unwrap_or_default().iter().rev();
        for (sum, before) in sums.iter_mut().zip(before) {
            *sum += sample * before;
        }
    }
    let body = samples.get(NUM_LAGS - 1..).unwrap_or_default();
    let (groups, tail) = body.as_chunks::<LANES>();
    for (number, group) in groups.iter().enumerate() {
        let from_first_lag = samples.get(number * LANES..).unwrap_or_default();
        for (lag, lanes) in lanes.iter_mut().enumerate() {
            let before =
                from_first_lag.get(NUM_LAGS - 1 - lag..).and_then(|rest| rest.first_chunk::<LANES>());
            let before = before.unwrap_or(group);
            for ((lane, sample), before) in lanes.iter_mut().zip(group).zip(before) {
                *lane += sample * before;
            }
        }
    }
    let rest = samples.get(samples.len().saturating_sub(tail.len() + NUM_LAGS - 1)..).unwrap_or_default();
    for window in rest.windows(NUM_LAGS).take(if body.is_empty() { 0 } else { tail.len() }) {
        let mut before = window.iter().rev();
        let sample = before.clone().next().copied().unwrap_or(0.0);
        for sum in sums.iter_mut().take(NUM_LAGS) {
            *sum += sample * before.next().copied().unwrap_or(0.0);
        }
    }
    for (sum, lanes) in sums.iter_mut().zip(lanes) {
        *sum += lanes.iter().sum::<f64>();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naive(samples: &[f64], lag: usize) -> f64 {
        samples.iter().skip(lag).zip(samples).map(|(sample, before)| sample * before).sum()
    }

    #[test]
    fn every_length_is_summed() {
        for num_samples in (0..40).chain([1000, 4096]) {
            let samples: Vec<f64> = (0..num_samples).map(|n| f64::from(n * n % 101 - 50)).collect();
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
