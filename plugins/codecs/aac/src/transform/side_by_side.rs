//! Transforms of eight windows at a time, one in each lane.
//!
//! The Fourier transform goes by factors of the number of points, from one array to another (Stockham's order), so that points come
//! out in order.

#![forbid(unsafe_code)]

use std::array::from_fn;

use super::lanes::{Complex, Lanes, NUM_LANES, fourier_8};
use super::{after, before, turn};

/// What a transform of a number of points needs.
struct Plan<const POINTS: usize> {
    before: [[f32; 2]; POINTS],
    after: [[f32; 2]; POINTS],
    /// exp(-2πi n / points)
    roots: [[f32; 2]; POINTS],
    /// Whose product is the number of points; each is 3, 4, 5 or 8.
    factors: &'static [usize],
}

impl<const POINTS: usize> Plan<POINTS> {
    const fn new(factors: &'static [usize]) -> Self {
        let mut roots = [[0.0; 2]; POINTS];
        let mut n = 0;
        while n < POINTS {
            roots[n] = turn(2 * n, POINTS, 1.0);
            n += 1;
        }
        Self { before: before(), after: after(), roots, factors }
    }

    #[inline(always)]
    fn root(&self, n: usize) -> [f32; 2] {
        self.roots.get(n % POINTS).copied().unwrap_or_default()
    }
}

static PLAN_64: Plan<64> = Plan::new(&[8, 8]);
static PLAN_60: Plan<60> = Plan::new(&[4, 5, 3]);
static PLAN_480: Plan<480> = Plan::new(&[8, 4, 5, 3]);

/// 128 lines of each of eight windows to u.
#[inline(always)]
pub(crate) fn transform_64(lines: [&[f32]; NUM_LANES], samples: [&mut [f32]; NUM_LANES]) {
    transform(&PLAN_64, lines, samples);
}

/// 120 lines of each of eight windows to u.
#[inline(always)]
pub(crate) fn transform_60(lines: [&[f32]; NUM_LANES], samples: [&mut [f32]; NUM_LANES]) {
    transform(&PLAN_60, lines, samples);
}

/// 960 lines of each of eight windows to u.
#[inline(always)]
pub(crate) fn transform_480(lines: [&[f32]; NUM_LANES], samples: [&mut [f32]; NUM_LANES]) {
    transform(&PLAN_480, lines, samples);
}

#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "arrays of known lengths; windows are as long as the plan says")]
fn transform<const POINTS: usize>(
    plan: &Plan<POINTS>,
    lines: [&[f32]; NUM_LANES],
    mut samples: [&mut [f32]; NUM_LANES],
) {
    let (mut points, mut others) = ([Complex::ZERO; POINTS], [Complex::ZERO; POINTS]);
    let lines = lines.map(|lines| &lines[..2 * POINTS]);
    for (k, point) in points.iter_mut().enumerate() {
        let even = Lanes(from_fn(|lane| lines[lane][2 * k]));
        let odd = Lanes(from_fn(|lane| lines[lane][2 * POINTS - 1 - 2 * k]));
        *point = Complex { re: even, im: odd }.times(plan.before[k]);
    }
    let (mut from, mut to) = (&mut points, &mut others);
    let (mut length, mut stride) = (POINTS, 1);
    for factor in plan.factors {
        match factor {
            8 => pass::<8, POINTS>(plan, from, to, length, stride, fourier_8),
            5 => pass::<5, POINTS>(plan, from, to, length, stride, |x| fourier(plan, x)),
            4 => pass::<4, POINTS>(plan, from, to, length, stride, |x| fourier(plan, x)),
            _ => pass::<3, POINTS>(plan, from, to, length, stride, |x| fourier(plan, x)),
        }
        (from, to) = (to, from);
        length /= factor;
        stride *= factor;
    }
    for (j, (point, factor)) in from.iter().zip(&plan.after).enumerate() {
        let turned = point.times(*factor);
        for (lane, samples) in samples.iter_mut().enumerate() {
            samples[2 * j] = turned.re.0[lane];
            samples[2 * POINTS - 1 - 2 * j] = -turned.im.0[lane];
        }
    }
}

/// Splits transforms of `length` points, of which there are `stride`, into `FACTOR` times as many.
#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "places are below the number of points")]
fn pass<const FACTOR: usize, const POINTS: usize>(
    plan: &Plan<POINTS>,
    from: &[Complex; POINTS],
    to: &mut [Complex; POINTS],
    length: usize,
    stride: usize,
    fourier: impl Fn([Complex; FACTOR]) -> [Complex; FACTOR],
) {
    let part = length / FACTOR;
    for place in 0..part {
        for which in 0..stride {
            let found = fourier(from_fn(|n| from[which + stride * (place + n * part)]));
            for (n, value) in found.into_iter().enumerate() {
                let turned = if n == 0 { value } else { value.times(plan.root(stride * place * n)) };
                to[which + stride * (FACTOR * place + n)] = turned;
            }
        }
    }
}

/// The Fourier transform of a few points, by its definition.
#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "places are below the number of points")]
fn fourier<const FACTOR: usize, const POINTS: usize>(
    plan: &Plan<POINTS>,
    x: [Complex; FACTOR],
) -> [Complex; FACTOR] {
    from_fn(|n| {
        let mut sum = x[0];
        for (k, value) in x.iter().enumerate().skip(1) {
            sum = sum + value.times(plan.root(POINTS / FACTOR * (n * k % FACTOR)));
        }
        sum
    })
}
