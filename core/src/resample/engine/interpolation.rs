//! The second step for rates without a small ratio: values between the frames of a signal with twice the bandwidth.

#![forbid(unsafe_code)]

use super::kaiser::Kaiser;
use super::quality::{FilterQuality, Precision, num_taps};
use super::sample::Sample;

/// The number of positions between two frames for which the filter is tabulated.
const NUM_PHASES: u32 = 1024;

/// The number of lanes in which products are summed.
const LANES: usize = 4;

/// A windowed sinc with a few taps, evaluated at any position between two frames.
///
/// Between the tabulated positions, a polynomial through the nearest of them is used. The filter contains frequencies up to pi
/// radians per frame, so its derivatives of order n stay below pi^n / (n + 1). The error of a straight line is therefore at
/// most pi^2 / 3 / 8 / 1024^2 = 4e-7 (128 dB down), and that of a parabola pi^3 / 4 / 15.6 / 1024^3 = 5e-10 (187 dB down). For
/// single precision the line suffices.
pub(crate) struct Interpolation<T> {
    /// A row of taps for each phase, from one before phase 0 to one past the last phase.
    rows: Vec<T>,
    num_taps: usize,
    is_curved: bool,
    /// The distance between two output frames: whole frames, and the numerator of the remainder.
    whole: usize,
    rest: u64,
    denominator: u64,
}

/// A position in the signal: a frame, and the fraction towards the next frame over the interpolation's denominator.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    frame: usize,
    rest: u64,
}

impl<T: Sample> Interpolation<T> {
    /// For a signal that uses half of its bandwidth. The step between output frames is `numerator / denominator`.
    pub(crate) fn new(quality: FilterQuality, (numerator, denominator): (u64, u64)) -> Self {
        let num_taps = num_taps(quality);
        let half = f64::from(num_taps / 2);
        let filter = Kaiser::with_reach(half, 0.5, 1.5);
        let mut rows = Vec::new();
        for row in 0..NUM_PHASES + 3 {
            let phase = (f64::from(row) - 1.0) / f64::from(NUM_PHASES);
            let taps = (0..num_taps).map(|tap| filter.at(f64::from(tap) + 1.0 - half - phase));
            let taps: Vec<f64> = taps.collect();
            // Each row leaves 0 Hz unchanged.
            let sum: f64 = taps.iter().sum();
            rows.extend(taps.iter().map(|tap| T::nearest(tap / sum)));
        }
        Self {
            rows,
            num_taps: num_taps as usize,
            is_curved: quality.precision() == Precision::Double,
            whole: usize::try_from(numerator / denominator).unwrap_or(usize::MAX),
            rest: numerator % denominator,
            denominator,
        }
    }

    pub(crate) fn num_bytes(&self) -> usize {
        self.rows.len() * size_of::<T>()
    }

    /// The position that is `numerator` / denominator after the first frame.
    pub(crate) fn place(&self, numerator: u64) -> Place {
        let frame = usize::try_from(numerator / self.denominator).unwrap_or(usize::MAX);
        Place { frame, rest: numerator % self.denominator }
    }

    /// Fills `output` from this position on. If `signal` is too short, the rest of `output` stays unchanged.
    pub(crate) fn run(&self, signal: &[T], place: Place, output: &mut [T]) {
        match (self.num_taps, self.is_curved) {
            (16, false) => self.run_with::<16, 2>(signal, place, output, line),
            (20, false) => self.run_with::<20, 2>(signal, place, output, line),
            _ => self.run_with::<24, 3>(signal, place, output, parabola),
        }
    }

    fn run_with<const TAPS: usize, const ROWS: usize>(
        &self,
        signal: &[T],
        mut place: Place,
        output: &mut [T],
        weights: fn(f64) -> [f64; ROWS],
    ) {
        let rows = self.rows.as_chunks::<TAPS>().0;
        #[expect(clippy::cast_precision_loss, reason = "below 2^53")]
        let scale = f64::from(NUM_PHASES) / self.denominator as f64;
        for sample in output {
            #[expect(clippy::cast_precision_loss, reason = "below 2^53")]
            let phase = place.rest as f64 * scale;
            // The row before the nearest phase; the first row is one before phase 0.
            #[expect(clippy::cast_possible_truncation, reason = "a phase is at most 1024")]
            let nearest = if ROWS == 2 { phase as u32 } else { (phase + 0.5) as u32 };
            let weights = weights(phase - f64::from(nearest)).map(T::nearest);
            let row = nearest as usize + usize::from(ROWS == 2);
            let first = place.frame.saturating_sub(TAPS / 2 - 1);
            let rows = rows.get(row..).and_then(<[_]>::first_chunk::<ROWS>);
            let frames = signal.get(first..).and_then(<[_]>::first_chunk::<TAPS>);
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

/// The weights of the values at 0 and 1.
fn line(at: f64) -> [f64; 2] {
    [1.0 - at, at]
}

/// The weights of the values at -1, 0 and 1 in the parabola through them (Lagrange).
fn parabola(at: f64) -> [f64; 3] {
    [at * (at - 1.0) / 2.0, 1.0 - at * at, at * (at + 1.0) / 2.0]
}

/// The sum of the frames weighted by a filter between adjacent rows.
#[inline(always)]
fn weighted<T: Sample, const TAPS: usize, const ROWS: usize>(
    rows: &[[T; TAPS]; ROWS],
    weights: [T; ROWS],
    frames: &[T; TAPS],
) -> T {
    let mut total = [T::zero(); LANES];
    for (row, weight) in rows.iter().zip(weights) {
        let mut sums = [T::zero(); LANES];
        for (taps, frames) in row.as_chunks().0.iter().zip(frames.as_chunks().0) {
            add_products(&mut sums, taps, frames);
        }
        add_products(&mut total, &sums, &[weight; LANES]);
    }
    let [a, b, c, d] = total;
    (a + c) + (b + d)
}

/// A loop that the compiler turns into vector instructions.
#[inline(always)]
fn add_products<T: Sample>(sums: &mut [T; LANES], left: &[T; LANES], right: &[T; LANES]) {
    for ((sum, left), right) in sums.iter_mut().zip(left).zip(right) {
        *sum = *sum + *left * *right;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polynomials_go_through_their_values() {
        assert_eq!([line(0.0), line(1.0)], [[1.0, 0.0], [0.0, 1.0]]);
        assert_eq!(
            [parabola(-1.0), parabola(0.0), parabola(1.0)],
            [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
        );
    }
}
