//! Peaks, those of the samples and those between them.
//!
//! The true peak is that of the signal at four times the rate, as ITU-R BS.1770-5, annex 2 has it, or twice the rate from 96 kHz
//! on. The samples themselves are one of the phases. The others come from an interpolator of 49 taps: a sinc in a window of Hann.
//!
//! An interpolated value cannot exceed the largest sample near it times the sum of the taps' magnitudes. Stretches whose largest
//! sample is too small to change the result are skipped, which is most of any music.

use std::array;
use std::f64::consts::PI;

/// The samples that are looked at together.
const STRETCH: usize = 64;

/// The taps of the interpolator, over all phases.
const NUM_TAPS: usize = 49;

/// The values that are computed side by side.
const WIDTH: usize = 8;

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
///
/// The taps of a phase read backwards are those of the phase as far from the other sample. Of two such phases, half the sum needs
/// the sums of samples that lie alike on both sides, and half the difference their differences. The larger magnitude of the two
/// phases is that of the one plus that of the other.
#[derive(Clone, Debug)]
pub(super) struct Interpolator {
    taps: Vec<Taps>,
    /// The most that an interpolated value is of the largest sample.
    largest_gain: f32,
}

/// What a pair of samples is multiplied by.
#[derive(Clone, Copy, Debug)]
struct Taps {
    /// For the phase in the middle.
    middle: f32,
    /// For half the sum and half the difference of the two others; 0 where there are none.
    sum: f32,
    difference: f32,
}

impl Interpolator {
    pub(super) fn new(sample_rate: u32) -> Self {
        let factor = match sample_rate {
            0..96_000 => 4,
            96_000..192_000 => 2,
            _ => 1,
        };
        let phases = phases(factor);
        let gain = |taps: &Vec<f32>| taps.iter().map(|tap| tap.abs()).sum::<f32>();
        // A little more, for what rounding may add.
        let largest_gain = phases.iter().map(gain).fold(0.0, f32::max) * 1.0001;
        let middle = phases.get(factor / 2 - usize::from(factor > 1)).map_or(&[][..], Vec::as_slice);
        let side = phases.first().filter(|_| factor == 4).map_or(&[][..], Vec::as_slice);
        let pair = |taps: &[f32], index: usize| {
            let tap = |index: usize| taps.get(index).copied().unwrap_or(0.0);
            (tap(index), taps.len().checked_sub(1 + index).map_or(0.0, tap))
        };
        let taps = |index| {
            let (near, far) = pair(side, index);
            Taps { middle: pair(middle, index).0, sum: (near + far) / 2.0, difference: (near - far) / 2.0 }
        };
        Self { taps: (0..middle.len() / 2).map(taps).collect(), largest_gain }
    }

    /// The peaks of `samples` after the first [`HISTORY`] of them, which are only needed for what lies between. Values between
    /// samples that do not exceed `known` may be left out.
    pub(super) fn peaks(&self, samples: &[f32], known: f32) -> Peaks {
        let (history, new) = samples.split_at(samples.len().min(HISTORY));
        let mut peaks = Peaks::default();
        let mut before = largest(history);
        for (number, stretch) in new.chunks(STRETCH).enumerate() {
            let here = largest(stretch);
            peaks.sample = peaks.sample.max(here);
            let may_exceed = here.max(before) * self.largest_gain > known.max(peaks.largest());
            if may_exceed && let Some(near) = samples.get(number * STRETCH..) {
                let near = near.get(..HISTORY + stretch.len()).unwrap_or_default();
                peaks.between = peaks.between.max(self.largest_between(near));
            }
            before = here;
        }
        peaks
    }

    /// The largest magnitude between the samples after the first [`HISTORY`].
    fn largest_between(&self, near: &[f32]) -> f32 {
        let num_values = near.len().saturating_sub(HISTORY);
        let (mut peaks, mut last) = ([0.0; WIDTH], 0.0);
        for start in (0..num_values).step_by(WIDTH) {
            let rest = near.get(start..).unwrap_or_default();
            match rest.first_chunk() {
                Some(window) => {
                    for (peak, value) in peaks.iter_mut().zip(self.between(window)) {
                        *peak = larger(*peak, value);
                    }
                }
                None => {
                    let mut window = [0.0; HISTORY + WIDTH];
                    window.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
                    let values = self.between(&window).into_iter().take(num_values - start);
                    last = values.fold(last, larger);
                }
            }
        }
        peaks.into_iter().fold(last, larger)
    }

    /// The largest magnitudes after each of the samples behind the first [`HISTORY`].
    #[allow(clippy::indexing_slicing)] // below WIDTH
    fn between(&self, window: &[f32; HISTORY + WIDTH]) -> [f32; WIDTH] {
        let (mut middle, mut sum, mut difference) = ([0.0; WIDTH], [0.0; WIDTH], [0.0; WIDTH]);
        let last = 2 * self.taps.len();
        for (delay, taps) in self.taps.iter().enumerate() {
            let at = |delay: usize| window.get(HISTORY - delay..)?.first_chunk::<WIDTH>();
            let (Some(near), Some(far)) = (at(delay), at(last - 1 - delay)) else { break };
            for index in 0..WIDTH {
                let (both, apart) = (near[index] + far[index], near[index] - far[index]);
                middle[index] += taps.middle * both;
                sum[index] += taps.sum * both;
                difference[index] += taps.difference * apart;
            }
        }
        array::from_fn(|index| larger(middle[index].abs(), sum[index].abs() + difference[index].abs()))
    }
}

/// The taps of each phase between two samples.
fn phases(factor: usize) -> Vec<Vec<f32>> {
    let taps = |phase: usize| (phase..NUM_TAPS).step_by(factor).map(|index| tap(index, factor)).collect();
    (1..factor).map(taps).collect()
}

/// The largest magnitude.
fn largest(samples: &[f32]) -> f32 {
    let mut lanes = [0.0; 16];
    let (blocks, rest) = samples.as_chunks::<16>();
    for block in blocks {
        for (lane, sample) in lanes.iter_mut().zip(block) {
            *lane = larger(*lane, sample.abs());
        }
    }
    lanes.into_iter().chain(rest.iter().map(|sample| sample.abs())).fold(0.0, larger)
}

/// The larger of two numbers, as one instruction has it.
fn larger(one: f32, other: f32) -> f32 {
    if other > one { other } else { one }
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
            for taps in phases(4) {
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
