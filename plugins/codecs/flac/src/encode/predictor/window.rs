//! Windows: weights for samples whose autocorrelation is taken.
//!
//! A block cut out of a signal begins and ends abruptly, which would add energy at all frequencies to its spectrum. Tapered ends
//! avoid that. Windows over parts of a block find predictors for a signal that changes within it.

#![forbid(unsafe_code)]

use std::f64::consts::PI;
use std::ops::Range;

/// A Tukey window over a part of a block: flat in the middle, a quarter of it tapered at each end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    /// The number of the part.
    pub(crate) part: usize,
    /// The number of parts that the block is divided into.
    pub(crate) num_parts: usize,
}

impl Window {
    /// The samples that the window covers.
    fn range(self, num_samples: usize) -> Range<usize> {
        let start = |part| num_samples * part / self.num_parts;
        start(self.part)..start(self.part + 1)
    }
}

/// The weights of several windows for blocks of one size.
#[derive(Debug)]
pub(crate) struct Weights {
    windows: &'static [Window],
    num_samples: usize,
    /// For each window the sample at which it begins, and its weights.
    weights: Vec<(usize, Vec<f32>)>,
}

impl Weights {
    /// Room for the weights of windows; none are computed yet.
    pub(crate) fn new(windows: &'static [Window]) -> Self {
        Self { windows, num_samples: 0, weights: Vec::new() }
    }

    /// Computes the weights for blocks of a size, unless they are computed already.
    pub(crate) fn prepare(&mut self, num_samples: usize) {
        if self.num_samples != num_samples {
            let one = |window: &Window| {
                let range = window.range(num_samples);
                (range.start, tukey(range.len()))
            };
            self.weights = self.windows.iter().map(one).collect();
            self.num_samples = num_samples;
        }
    }

    /// The number of windows.
    pub(crate) fn num_windows(&self) -> usize {
        self.windows.len()
    }

    /// The weighted samples under a window.
    #[inline(always)]
    pub(crate) fn apply(&self, window: usize, samples: &[i32], weighted: &mut Vec<f32>) {
        let Some((start, weights)) = self.weights.get(window) else { return };
        let samples = samples.get(*start..).unwrap_or_default();
        weighted.resize(weights.len(), 0.0);
        for ((place, sample), weight) in weighted.iter_mut().zip(samples).zip(weights) {
            *place = *sample as f32 * weight;
        }
    }
}

/// A Tukey window: a quarter of the samples at each end rises or falls as half a period of a cosine.
#[expect(clippy::cast_precision_loss, reason = "a block has no more than 65535 samples")]
#[expect(clippy::cast_possible_truncation, reason = "a weight needs no more bits")]
fn tukey(num_samples: usize) -> Vec<f32> {
    let taper = num_samples / 4;
    let weight = |sample: usize| {
        let distance = sample.min(num_samples - 1 - sample) + 1;
        let angle = PI * distance as f64 / (taper + 1) as f64;
        if distance > taper { 1.0 } else { (0.5 - 0.5 * angle.cos()) as f32 }
    };
    (0..num_samples).map(weight).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_a_block() {
        for num_samples in [0, 1, 5, 4095, 4096] {
            let ranges: Vec<_> =
                (0..3).map(|part| Window { part, num_parts: 3 }.range(num_samples)).collect();
            assert_eq!(ranges.iter().map(Range::len).sum::<usize>(), num_samples);
            assert!(ranges.windows(2).all(|pair| matches!(pair, [a, b] if a.end == b.start)));
        }
    }

    #[test]
    fn a_window_rises_and_falls() {
        for num_samples in [1, 3, 16, 1000] {
            let weights = tukey(num_samples);
            assert!(weights.iter().eq(weights.iter().rev()), "it is symmetric");
            assert!(weights.iter().all(|weight| (0.0..=1.0).contains(weight) && *weight > 0.0));
            let half = weights.get(..num_samples / 2).unwrap_or_default();
            assert!(half.is_sorted());
            let num_flat = weights.iter().filter(|weight| **weight == 1.0).count();
            assert_eq!(num_flat, num_samples - 2 * (num_samples / 4));
        }
    }

    #[test]
    fn weights_are_those_of_the_last_size() {
        static WINDOWS: [Window; 2] = [Window { part: 0, num_parts: 1 }, Window { part: 1, num_parts: 2 }];
        let mut weights = Weights::new(&WINDOWS);
        let mut weighted = Vec::new();
        for num_samples in [100, 7] {
            weights.prepare(num_samples);
            let samples: Vec<i32> = (0..100).collect();
            weights.apply(1, &samples, &mut weighted);
            assert_eq!(weighted.len(), num_samples - num_samples / 2);
            let first = weighted.first().copied().unwrap_or(0.0);
            let expected = tukey(weighted.len()).first().copied().unwrap_or(0.0) * (num_samples / 2) as f32;
            assert!((first - expected).abs() < 1e-6);
        }
    }
}
