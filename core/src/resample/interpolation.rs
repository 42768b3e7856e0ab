//! The second step where the rates have no small ratio: values between the frames of a signal of twice the bandwidth.

#![forbid(unsafe_code)]

use super::kaiser::Kaiser;
use super::sample::Sample;

/// The places between two frames at which the filter is tabulated. A cubic through four of them errs by less than
/// 3/128 * (pi / 128)^4 of full scale at the highest frequency, 4e-9 * 2^-1..: 175 dB down where the signal has half the bandwidth.
const NUM_PHASES: u32 = 128;

/// The lanes in which products are summed.
const LANES: usize = 8;

/// A windowed sinc of a few taps, at any place between two frames.
pub(super) struct Interpolation<T> {
    /// A row of taps for each phase, from one before 0 to two past the last.
    rows: Vec<T>,
    num_taps: usize,
    /// The distance of two output frames: whole frames, and the numerator of the rest.
    whole: usize,
    rest: u64,
    denominator: u64,
}

/// A place in the signal: a frame, and how far it is to the next one, over the interpolation's denominator.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) frame: usize,
    pub(super) rest: u64,
}

impl<T: Sample> Interpolation<T> {
    /// `num_taps` is a multiple of 8; the step between output frames is `numerator / denominator`.
    pub(super) fn new(num_taps: usize, (numerator, denominator): (u64, u64)) -> Self {
        let half = num_taps / 2;
        #[expect(clippy::cast_precision_loss, reason = "a few taps")]
        let filter = Kaiser::with_reach(half as f64, 0.5, 1.5);
        let mut rows = Vec::new();
        for row in 0..NUM_PHASES + 3 {
            let phase = (f64::from(row) - 1.0) / f64::from(NUM_PHASES);
            #[expect(clippy::cast_precision_loss, reason = "a few taps")]
            let taps = (0..num_taps).map(|tap| filter.at(tap as f64 - (half - 1) as f64 - phase));
            let taps: Vec<f64> = taps.collect();
            // Each row passes 0 Hz as it is.
            let sum: f64 = taps.iter().sum();
            rows.extend(taps.iter().map(|tap| T::nearest(tap / sum)));
        }
        let whole = usize::try_from(numerator / denominator).unwrap_or(usize::MAX);
        Self { rows, num_taps, whole, rest: numerator % denominator, denominator }
    }

    pub(super) fn num_bytes(&self) -> usize {
        self.rows.len() * size_of::<T>()
    }

    /// The place that is `numerator` over the denominator behind the first frame.
    pub(super) fn place(&self, numerator: u64) -> Place {
        let frame = usize::try_from(numerator / self.denominator).unwrap_or(usize::MAX);
        Place { frame, rest: numerator % self.denominator }
    }

    /// Fills `output` from the place on. Where `signal` is too short, the output is left as it is.
    pub(super) fn run(&self, signal: &[T], mut place: Place, output: &mut [T]) {
        #[expect(clippy::cast_precision_loss, reason = "below 2^53")]
        let scale = f64::from(NUM_PHASES) / self.denominator as f64;
        for sample in output {
            #[expect(clippy::cast_precision_loss, reason = "below 2^53")]
            let phase = place.rest as f64 * scale;
            #[expect(clippy::cast_possible_truncation, reason = "the whole part of a phase")]
            let row = (phase as usize).min(NUM_PHASES as usize - 1);
            #[expect(clippy::cast_precision_loss, reason = "a row of 128")]
            let weights = cubic(phase - row as f64).map(T::nearest);
            let start = row * self.num_taps;
            let rows = self.rows.get(start..start + 4 * self.num_taps);
            let first = place.frame.saturating_sub(self.num_taps / 2 - 1);
            let frames = signal.get(first..first.saturating_add(self.num_taps));
            if let (Some(rows), Some(frames)) = (rows, frames) {
                *sample = weighted(rows, weights, frames);
            }
            place.frame = place.frame.saturating_add(self.whole);
            place.rest += self.rest;
            if place.rest >= self.denominator {
                place.rest -= self.denominator;
                place.frame = place.frame.saturating_add(1);
            }
        }
    }
}

/// The weights of the values at -1, 0, 1 and 2 in the cubic through them, at a place between 0 and 1 (Lagrange).
fn cubic(at: f64) -> [f64; 4] {
    let (before, after, last) = (at + 1.0, at - 1.0, at - 2.0);
    [
        -at * after * last / 6.0,
        before * after * last / 2.0,
        -before * at * last / 2.0,
        before * at * after / 6.0,
    ]
}

/// The sum of the frames under the filter that lies between four rows.
fn weighted<T: Sample>(rows: &[T], weights: [T; 4], frames: &[T]) -> T {
    let mut sums = [[T::zero(); LANES]; 4];
    for (row, sums) in rows.chunks_exact(frames.len()).zip(&mut sums) {
        for (taps, frames) in lanes(row).zip(lanes(frames)) {
            add_products(sums, taps, frames);
        }
    }
    let mut total = [T::zero(); LANES];
    for (sums, weight) in sums.iter().zip(weights) {
        add_products(&mut total, sums, &[weight; LANES]);
    }
    let [a, b, c, d, e, f, g, h] = total;
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}

/// What the compiler turns into vector instructions.
#[inline(always)]
fn add_products<T: Sample>(sums: &mut [T; LANES], left: &[T; LANES], right: &[T; LANES]) {
    for ((sum, left), right) in sums.iter_mut().zip(left).zip(right) {
        *sum = *sum + *left * *right;
    }
}

fn lanes<T>(row: &[T]) -> std::slice::Iter<'_, [T; LANES]> {
    row.as_chunks().0.iter()
}
