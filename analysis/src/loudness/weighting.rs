//! The frequency weighting of ITU-R BS.1770, "K": the energy of a signal as the ear hears it.
//!
//! A filter's next state needs the one before, so that a single signal leaves most of a processor idle. Four stretches of it are
//! therefore filtered side by side, each with a run-up of [`RUN_UP_HOPS`] before it: the slower of the two filters, a high-pass
//! at 38 Hz, forgets what was before to a part in 10^9 in that time.

use std::array;
use std::f64::consts::PI;

/// How many stretches are filtered side by side.
pub(super) const LANES: usize = 4;

/// The hops before a stretch that settle the filters.
pub(super) const RUN_UP_HOPS: usize = 1;

/// What is left of a filter's state below this is inaudible, and would become a denormal number, which takes a hundred times as
/// long.
const SETTLED: f64 = 1e-30;

/// The pair of filters: a shelf that raises high frequencies by 4 dB, and a high-pass (ITU-R BS.1770-5, annex 1).
///
/// The recommendation has the coefficients for 48 kHz. For other rates they follow from the analogue prototypes that the bilinear
/// transform turns into these.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weighting {
    shelf_b: [f64; 3],
    shelf_a: [f64; 2],
    /// The denominator of the high-pass, whose numerator is 1, -2, 1.
    pass_a: [f64; 2],
}

impl Weighting {
    pub(super) fn new(sample_rate: u32) -> Self {
        let (frequency, gain, q) = (1_681.974_450_955_533, 3.999_843_853_973_347, 0.707_175_236_955_419_6);
        let k = (PI * frequency / f64::from(sample_rate)).tan();
        let high = 10_f64.powf(gain / 20.0);
        let band = high.powf(0.499_666_774_154_541_6);
        let a0 = 1.0 + k / q + k * k;
        let shelf_b = [high + band * k / q + k * k, 2.0 * (k * k - high), high - band * k / q + k * k];
        let shelf_a = [2.0 * (k * k - 1.0), 1.0 - k / q + k * k];
        let (frequency, q) = (38.135_470_876_024_44, 0.500_327_037_323_877_3);
        let k = (PI * frequency / f64::from(sample_rate)).tan();
        let pass_a0 = 1.0 + k / q + k * k;
        let pass_a = [2.0 * (k * k - 1.0), 1.0 - k / q + k * k];
        Self {
            shelf_b: shelf_b.map(|b| b / a0),
            shelf_a: shelf_a.map(|a| a / a0),
            pass_a: pass_a.map(|a| a / pass_a0),
        }
    }

    /// Adds to `hops` the weighted energy, times `weight`, of each hop of `hop_frames` samples. `samples` begins with the run-up,
    /// and then has a whole number of hops for each lane.
    pub(super) fn add_energies(&self, samples: &[f32], hop_frames: usize, weight: f64, hops: &mut [f64]) {
        let hops_per_lane = hops.len().div_ceil(LANES);
        let lane_frames = hops_per_lane * hop_frames;
        let lanes: [&[f32]; LANES] = array::from_fn(|lane| {
            let start = lane * lane_frames;
            samples.get(start..start + RUN_UP_HOPS * hop_frames + lane_frames).unwrap_or_default()
        });
        let [first, second, third, fourth] = lanes.map(|lane| lane.chunks_exact(hop_frames));
        let mut state = [Lanes::ZERO; 4];
        let steps = first.zip(second).zip(third.zip(fourth)).enumerate();
        for (step, ((first, second), (third, fourth))) in steps {
            let energy = self.filter([first, second, third, fourth], &mut state);
            let Some(hop) = step.checked_sub(RUN_UP_HOPS) else { continue };
            for (lane, energy) in energy.0.into_iter().enumerate() {
                if let Some(sum) = hops.get_mut(lane * hops_per_lane + hop) {
                    *sum += weight * energy;
                }
            }
        }
    }

    /// Filters a hop of every lane; returns their energies.
    fn filter(&self, hops: [&[f32]; LANES], state: &mut [Lanes; 4]) -> Lanes {
        let [b0, b1, b2] = self.shelf_b.map(Lanes::all);
        let [a1, a2] = self.shelf_a.map(Lanes::all);
        let [c1, c2] = self.pass_a.map(Lanes::all);
        let [mut s1, mut s2, mut t1, mut t2] = *state;
        let mut energy = Lanes::ZERO;
        let [first, second, third, fourth] = hops.map(<[f32]>::iter);
        for ((w, x), (y, z)) in first.zip(second).zip(third.zip(fourth)) {
            let input = Lanes([f64::from(*w), f64::from(*x), f64::from(*y), f64::from(*z)]);
            // Both are transposed direct forms II.
            let shelf = b0 * input + s1;
            s1 = b1 * input + s2 - a1 * shelf;
            s2 = b2 * input - a2 * shelf;
            let pass = shelf + t1;
            t1 = t2 - (shelf + shelf) - c1 * pass;
            t2 = shelf - c2 * pass;
            energy = energy + pass * pass;
        }
        *state = [s1, s2, t1, t2].map(Lanes::settled);
        energy
    }
}

/// A number for each lane.
#[derive(Clone, Copy, Debug)]
struct Lanes([f64; LANES]);

impl Lanes {
    const ZERO: Self = Self([0.0; LANES]);

    fn all(value: f64) -> Self {
        Self([value; LANES])
    }

    fn settled(self) -> Self {
        Self(self.0.map(|value| if value.abs() < SETTLED { 0.0 } else { value }))
    }
}

/// Implements an operator lane by lane.
macro_rules! operator {
    ($name:ident, $method:ident, $operator:tt) => {
        impl std::ops::$name for Lanes {
            type Output = Self;

            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
                Self([a $operator e, b $operator f, c $operator g, d $operator h])
            }
        }
    };
}

operator!(Add, add, +);
operator!(Sub, sub, -);
operator!(Mul, mul, *);

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn the_coefficients_are_those_of_the_recommendation() {
        // ITU-R BS.1770-5, tables 1 and 2.
        let weighting = Weighting::new(48_000);
        let expected = [1.535_124_859_586_97, -2.691_696_189_406_38, 1.198_392_810_852_85];
        for (found, expected) in weighting.shelf_b.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-11, "{found} {expected}");
        }
        for (found, expected) in weighting.shelf_a.iter().zip([-1.690_659_293_182_41, 0.732_480_774_215_85]) {
            assert!((found - expected).abs() < 1e-11, "{found} {expected}");
        }
        for (found, expected) in weighting.pass_a.iter().zip([-1.990_047_454_833_98, 0.990_072_250_366_21]) {
            assert!((found - expected).abs() < 1e-11, "{found} {expected}");
        }
    }

    #[test]
    fn four_lanes_have_the_energies_of_one_filter_over_everything() {
        let (sample_rate, hop_frames, num_hops) = (48_000, 4800, 10);
        let samples: Vec<f32> = (0_u32..)
            .take((1 + 12) * hop_frames)
            .map(
                |index| {
                    if index < 4800 { 0.0 } else { (index.wrapping_mul(2_654_435_761) >> 8) as f32 / 2e7 }
                },
            )
            .collect();
        let weighting = Weighting::new(sample_rate);
        let mut found = vec![0.0; num_hops];
        weighting.add_energies(&samples, hop_frames, 2.0, &mut found);
        // The textbook's direct form I, without lanes.
        let (mut x, mut y, mut z) = ([0.0; 3], [0.0; 3], [0.0; 3]);
        let mut expected = vec![0.0; num_hops + 3];
        for (index, &sample) in samples[hop_frames..].iter().enumerate() {
            x = [f64::from(sample), x[0], x[1]];
            let shelf: f64 = (0..3).map(|tap| weighting.shelf_b[tap] * x[tap]).sum::<f64>()
                - weighting.shelf_a[0] * y[0]
                - weighting.shelf_a[1] * y[1];
            y = [shelf, y[0], y[1]];
            let pass = y[0] - 2.0 * y[1] + y[2] - weighting.pass_a[0] * z[0] - weighting.pass_a[1] * z[1];
            z = [pass, z[0], z[1]];
            expected[index / hop_frames] += 2.0 * pass * pass;
        }
        for (found, expected) in found.iter().zip(&expected) {
            assert!((found / expected - 1.0).abs() < 1e-8, "{found} {expected}");
        }
    }
}
