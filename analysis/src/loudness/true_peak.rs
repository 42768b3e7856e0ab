//! Peaks, those of the samples and those between them.
//!
//! The true peak is that of the signal at four times the rate, as ITU-R BS.1770-5, annex 2 has it, or twice the rate from 96 kHz
//! on. The samples themselves are one of the phases. The others come from an interpolator of 49 taps: a sinc in a window of Hann.
//!
//! An interpolated value cannot exceed the largest sample near it times the sum of the taps' magnitudes. Stretches whose largest
//! sample is too small to change the result are skipped, which is most of any music.

use std::f64::consts::PI;

/// The samples that are looked at together.
const STRETCH: usize = 64;

/// The taps of the interpolator, over all phases.
const NUM_TAPS: usize = 49;

/// The samples before the first that its interpolated values need, at least.
pub(super) const HISTORY: usize = 24;

/// The largest magnitudes of a channel or of several.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Peaks {
    pub(super) sample: f32,
    pub(super) between: f32,
}

impl Peaks {
    pub(super) fn or(self, other: Self) -> Self {
        Self { sample: self.sample.max(other.sample), between: self.between.max(other.between) }
    }

    /// The true peak: never less than that of the samples.
    pub(super) fn largest(self) -> f32 {
        self.sample.max(self.between)
    }
}

/// The interpolator for a sample rate.
#[derive(Clone, Debug)]
pub(super) struct Interpolator {
    /// The taps of each phase between two samples.
    phases: Vec<Vec<f32>>,
    /// The most that an interpolated value is of the largest sample.
    largest_gain: f32,
}

impl Interpolator {
    pub(super) fn new(sample_rate: u32) -> Self {
        let factor = match sample_rate {
            0..96_000 => 4,
            96_000..192_000 => 2,
            _ => 1,
        };
        let phases: Vec<Vec<f32>> = (1..factor)
            .map(|phase| (phase..NUM_TAPS).step_by(factor).map(|index| tap(index, factor)).collect())
            .collect();
        let gain = |taps: &Vec<f32>| taps.iter().map(|tap| tap.abs()).sum::<f32>();
        // A little more, for what rounding may add.
        let largest_gain = phases.iter().map(gain).fold(0.0, f32::max) * 1.0001;
        Self { phases, largest_gain }
    }

    /// The peaks of `samples` after the first [`HISTORY`] of them, which are only needed for what lies between. Values between
    /// samples that do not exceed `known` may be left out.
    pub(super) fn peaks(&self, samples: &[f32], known: f32) -> Peaks {
        let new = samples.get(HISTORY..).unwrap_or_default();
        let largest = |samples: &[f32]| samples.iter().fold(0.0, |peak: f32, sample| peak.max(sample.abs()));
        let sample = new.chunks(STRETCH).map(largest).fold(0.0, f32::max);
        let mut peaks = Peaks { sample, between: 0.0 };
        if self.phases.is_empty() {
            return peaks;
        }
        for start in (0..new.len()).step_by(STRETCH) {
            let end = new.len().min(start + STRETCH);
            let Some(near) = samples.get(start..end + HISTORY) else { break };
            if largest(near) * self.largest_gain > known.max(peaks.largest()) {
                for taps in &self.phases {
                    peaks.between = peaks.between.max(largest_between(near, taps));
                }
            }
        }
        peaks
    }
}

/// The largest magnitude of one phase between the samples after the first [`HISTORY`].
fn largest_between(near: &[f32], taps: &[f32]) -> f32 {
    let mut values = [0.0_f32; STRETCH];
    let num_values = near.len() - HISTORY;
    for (delay, tap) in taps.iter().enumerate() {
        let from = near.get(HISTORY - delay..).unwrap_or_default();
        for (value, sample) in values.iter_mut().zip(from) {
            *value += tap * sample;
        }
    }
    values.iter().take(num_values).fold(0.0, |peak, value| peak.max(value.abs()))
}

/// A tap of the windowed sinc.
#[allow(clippy::cast_possible_truncation)] // to single precision
fn tap(index: usize, factor: usize) -> f32 {
    let centre = (NUM_TAPS - 1) as f64 / 2.0;
    let x = (index as f64 - centre) * PI / factor as f64;
    let sinc = if x == 0.0 { 1.0 } else { x.sin() / x };
    let window = 0.5 - 0.5 * (2.0 * PI * index as f64 / (NUM_TAPS - 1) as f64).cos();
    (sinc * window) as f32
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::cast_possible_truncation)]
mod tests {
    use super::*;

    fn peaks_of(samples: &[f32], sample_rate: u32, known: f32) -> Peaks {
        let padded: Vec<f32> =
            [&[0.0; HISTORY], samples, &[0.0; HISTORY]].into_iter().flatten().copied().collect();
        Interpolator::new(sample_rate).peaks(&padded, known)
    }

    #[test]
    fn a_sine_that_is_sampled_beside_its_crests_has_a_higher_true_peak() {
        // A quarter of the rate with 45 degrees of phase: every sample is 3 dB below the crest.
        let sine = |index: usize| (PI * (index as f64 / 2.0 + 0.25)).sin() as f32;
        let samples: Vec<f32> = (0..4800).map(sine).collect();
        let peaks = peaks_of(&samples, 48_000, 0.0);
        assert!((peaks.sample - std::f32::consts::FRAC_1_SQRT_2).abs() < 1e-6);
        let decibels = 20.0 * peaks.largest().log10();
        assert!((-0.4..=0.2).contains(&decibels), "{decibels}");
        assert_eq!(peaks_of(&samples, 192_000, 0.0).between, 0.0, "nothing lies between such dense samples");
    }

    #[test]
    fn skipped_stretches_do_not_change_the_result() {
        let noise = |index: u32| {
            let loudness = if (index / 500).is_multiple_of(3) { 1.0 } else { 0.4 };
            loudness * ((index.wrapping_mul(2_654_435_761) >> 8) as f32 / 8_388_608.0 - 1.0)
        };
        let samples: Vec<f32> = (0..20_000).map(noise).collect();
        let interpolator = Interpolator::new(44_100);
        let padded: Vec<f32> = [&[0.0; HISTORY], &samples[..]].into_iter().flatten().copied().collect();
        let mut largest = 0.0_f32;
        for place in HISTORY..padded.len() {
            for taps in &interpolator.phases {
                let value: f32 =
                    taps.iter().enumerate().map(|(delay, tap)| tap * padded[place - delay]).sum();
                largest = largest.max(value.abs());
            }
        }
        let found = interpolator.peaks(&padded, 0.0);
        assert!((found.between - largest).abs() < 1e-5, "{} {largest}", found.between);
        assert_eq!(interpolator.peaks(&padded, 10.0).sample, found.sample);
    }
}
