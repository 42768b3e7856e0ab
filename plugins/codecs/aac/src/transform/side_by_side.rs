//! Transforms of eight windows at a time, one in each lane.
//!
//! The Fourier transform goes by factors of the number of points, from one array to another (Stockham's order), so that points come
//! out in order.

#![forbid(unsafe_code)]

use super::factors::{after, before, turn};
use super::lanes::{Complex, NUM_LANES, Stored, Vector, fourier_8, load_all};

/// What a transform of a number of points needs.
struct Plan<const POINTS: usize> {
    before: [[f32; 2]; POINTS],
    after: [[f32; 2]; POINTS],
    /// exp(-2πi n / points)
    roots: [[f32; 2]; POINTS],
}

impl<const POINTS: usize> Plan<POINTS> {
    #[expect(clippy::indexing_slicing, reason = "the compiler computes it, and checks")]
    const fn new() -> Self {
        let mut roots = [[0.0; 2]; POINTS];
        let mut n = 0;
        while n < POINTS {
            roots[n] = turn(2 * n, POINTS, 1.0);
            n += 1;
        }
        Self { before: before(), after: after(), roots }
    }

    #[inline(always)]
    fn root<V: Vector>(&self, proof: V::Proof, n: usize) -> Complex<V> {
        Complex::splat(proof, self.roots.get(n % POINTS).copied().unwrap_or_default())
    }
}

static PLAN_32: Plan<32> = Plan::new();
static PLAN_64: Plan<64> = Plan::new();
static PLAN_60: Plan<60> = Plan::new();
static PLAN_480: Plan<480> = Plan::new();

/// Eight windows, each in a lane: first row by row of lines, then of samples.
pub(crate) type Rows = [[f32; NUM_LANES]];

/// The Fourier transforms of 32 points.
#[inline(always)]
pub(crate) fn fourier_32<V: Vector>(proof: V::Proof, points: &mut [Stored; 32]) {
    let mut others = *points;
    pass_8::<V, 32>(proof, &PLAN_32, points, &mut others, 32);
    pass::<V, 4, 32>(proof, &PLAN_32, &others, points, 4);
}

/// The Fourier transforms of 64 points.
#[inline(always)]
pub(crate) fn fourier_64<V: Vector>(proof: V::Proof, points: &mut [Stored; 64]) {
    let mut others = *points;
    pass_8::<V, 64>(proof, &PLAN_64, points, &mut others, 64);
    pass_8::<V, 64>(proof, &PLAN_64, &others, points, 8);
}

/// 128 lines of each of eight windows to u.
#[inline(always)]
pub(crate) fn transform_64<V: Vector>(proof: V::Proof, rows: &mut Rows) {
    let mut points = [([0.0; NUM_LANES], [0.0; NUM_LANES]); 64];
    let mut others = points;
    enter::<V, 64>(proof, &PLAN_64, rows, &mut points);
    pass_8::<V, 64>(proof, &PLAN_64, &points, &mut others, 64);
    pass_8::<V, 64>(proof, &PLAN_64, &others, &mut points, 8);
    leave::<V, 64>(proof, &PLAN_64, &points, rows);
}

/// 120 lines of each of eight windows to u.
#[inline(always)]
pub(crate) fn transform_60<V: Vector>(proof: V::Proof, rows: &mut Rows) {
    let mut points = [([0.0; NUM_LANES], [0.0; NUM_LANES]); 60];
    let mut others = points;
    enter::<V, 60>(proof, &PLAN_60, rows, &mut points);
    pass::<V, 4, 60>(proof, &PLAN_60, &points, &mut others, 60);
    pass::<V, 5, 60>(proof, &PLAN_60, &others, &mut points, 15);
    pass::<V, 3, 60>(proof, &PLAN_60, &points, &mut others, 3);
    leave::<V, 60>(proof, &PLAN_60, &others, rows);
}

/// 960 lines of each of eight windows to u.
#[inline(always)]
pub(crate) fn transform_480<V: Vector>(proof: V::Proof, rows: &mut Rows) {
    let mut points = [([0.0; NUM_LANES], [0.0; NUM_LANES]); 480];
    let mut others = points;
    enter::<V, 480>(proof, &PLAN_480, rows, &mut points);
    pass_8::<V, 480>(proof, &PLAN_480, &points, &mut others, 480);
    pass::<V, 4, 480>(proof, &PLAN_480, &others, &mut points, 60);
    pass::<V, 5, 480>(proof, &PLAN_480, &points, &mut others, 15);
    pass::<V, 3, 480>(proof, &PLAN_480, &others, &mut points, 3);
    leave::<V, 480>(proof, &PLAN_480, &points, rows);
}

/// Windows to rows, eight columns at a time; or the reverse, as `lanes` are rows.
#[inline(always)]
pub(crate) fn to_rows<V: Vector>(proof: V::Proof, lanes: &[&[f32]; NUM_LANES], rows: &mut Rows) {
    let (blocks, _) = rows.as_chunks_mut::<NUM_LANES>();
    for (number, block) in blocks.iter_mut().enumerate() {
        let mut columns = [V::splat(proof, 0.0); NUM_LANES];
        for (column, lane) in columns.iter_mut().zip(lanes) {
            if let Some(part) = lane.as_chunks().0.get(number) {
                *column = V::load(proof, part);
            }
        }
        for (to, row) in block.iter_mut().zip(V::transposed(columns)) {
            row.store(to);
        }
    }
}

/// Rows to windows.
#[inline(always)]
pub(crate) fn from_rows<V: Vector>(proof: V::Proof, rows: &Rows, lanes: &mut [&mut [f32]; NUM_LANES]) {
    let (blocks, _) = rows.as_chunks::<NUM_LANES>();
    for (number, block) in blocks.iter().enumerate() {
        let mut rows = [V::splat(proof, 0.0); NUM_LANES];
        for (to, row) in rows.iter_mut().zip(block) {
            *to = V::load(proof, row);
        }
        for (lane, column) in lanes.iter_mut().zip(V::transposed(rows)) {
            if let Some(to) = lane.as_chunks_mut().0.get_mut(number) {
                column.store(to);
            }
        }
    }
}

#[inline(always)]
fn enter<V: Vector, const POINTS: usize>(
    proof: V::Proof,
    plan: &Plan<POINTS>,
    rows: &Rows,
    points: &mut [Stored; POINTS],
) {
    let (pairs, _) = rows.as_chunks::<2>();
    let both = pairs.iter().zip(pairs.iter().rev());
    for (([even, _], [_, odd]), (point, factor)) in both.zip(points.iter_mut().zip(&plan.before)) {
        let value = Complex { re: V::load(proof, even), im: V::load(proof, odd) };
        (value * Complex::splat(proof, *factor)).store(point);
    }
}

#[inline(always)]
fn leave<V: Vector, const POINTS: usize>(
    proof: V::Proof,
    plan: &Plan<POINTS>,
    points: &[Stored; POINTS],
    rows: &mut Rows,
) {
    for (j, (point, factor)) in points.iter().zip(&plan.after).enumerate() {
        let turned = Complex::<V>::load(proof, point) * Complex::splat(proof, *factor);
        if let Some(to) = rows.get_mut(2 * j) {
            turned.re.store(to);
        }
        if let Some(to) = rows.get_mut(2 * POINTS - 1 - 2 * j) {
            turned.im.negated().store(to);
        }
    }
}

/// Splits transforms of `length` points into `FACTOR` times as many.
#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "places are below the number of points")]
fn pass<V: Vector, const FACTOR: usize, const POINTS: usize>(
    proof: V::Proof,
    plan: &Plan<POINTS>,
    from: &[Stored; POINTS],
    to: &mut [Stored; POINTS],
    length: usize,
) {
    let (part, stride) = (length / FACTOR, POINTS / length);
    let mut roots = [plan.root::<V>(proof, 0); FACTOR];
    for (n, root) in roots.iter_mut().enumerate() {
        *root = plan.root(proof, POINTS / FACTOR * n);
    }
    for place in 0..part {
        let mut factors = [plan.root::<V>(proof, 0); FACTOR];
        for (n, factor) in factors.iter_mut().enumerate().skip(1) {
            *factor = plan.root(proof, stride * place * n);
        }
        for which in 0..stride {
            let mut points = [Complex::<V>::load(proof, &from[which + stride * place]); FACTOR];
            for (n, point) in points.iter_mut().enumerate().skip(1) {
                *point = Complex::load(proof, &from[which + stride * (place + n * part)]);
            }
            for (n, sum) in fourier(&points, &roots).into_iter().enumerate() {
                let turned = if n == 0 { sum } else { sum * factors[n] };
                turned.store(&mut to[which + stride * (FACTOR * place + n)]);
            }
        }
    }
}

/// As [`pass`], of eight.
#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "places are below the number of points")]
fn pass_8<V: Vector, const POINTS: usize>(
    proof: V::Proof,
    plan: &Plan<POINTS>,
    from: &[Stored; POINTS],
    to: &mut [Stored; POINTS],
    length: usize,
) {
    let (part, stride) = (length / 8, POINTS / length);
    for place in 0..part {
        for which in 0..stride {
            let points = load_all::<V>(proof, from, which + stride * place, stride * part);
            for (n, sum) in fourier_8(proof, points).into_iter().enumerate() {
                let turned = if n == 0 { sum } else { sum * plan.root(proof, stride * place * n) };
                turned.store(&mut to[which + stride * (8 * place + n)]);
            }
        }
    }
}

/// The Fourier transform of a few points, by its definition.
#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "places are below the number of points")]
fn fourier<V: Vector, const FACTOR: usize>(
    points: &[Complex<V>; FACTOR],
    roots: &[Complex<V>; FACTOR],
) -> [Complex<V>; FACTOR] {
    let mut sums = [points[0]; FACTOR];
    for (n, sum) in sums.iter_mut().enumerate() {
        for k in 1..FACTOR {
            *sum = *sum + points[k] * roots[n * k % FACTOR];
        }
    }
    sums
}
