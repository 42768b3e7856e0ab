//! The transform of 1024 lines: 512 complex points as 8 x 8 x 8, eight columns at a time.

#![forbid(unsafe_code)]

use std::array::from_fn;

use super::lanes::{Complex, Lanes, NUM_LANES, fourier_8, transposed};
use super::{after, before, turn};

const POINTS: usize = 512;
/// Vectors of points.
const VECTORS: usize = POINTS / NUM_LANES;

/// A factor of each point, as vectors of points.
type Factors<const N: usize> = [([f32; NUM_LANES], [f32; NUM_LANES]); N];

const fn vectors<const N: usize>(points: &[[f32; 2]]) -> Factors<N> {
    let mut factors = [([0.0; NUM_LANES], [0.0; NUM_LANES]); N];
    let mut place = 0;
    while place < N * NUM_LANES {
        factors[place / NUM_LANES].0[place % NUM_LANES] = points[place][0];
        factors[place / NUM_LANES].1[place % NUM_LANES] = points[place][1];
        place += 1;
    }
    factors
}

static BEFORE: Factors<VECTORS> = vectors(&before::<POINTS>());
static AFTER: Factors<VECTORS> = vectors(&after::<POINTS>());

/// Between the first pass and the second: row by row, exp(-2πi row column / 512).
static FIRST: Factors<VECTORS> = vectors(&{
    let mut factors = [[0.0; 2]; POINTS];
    let mut place = 0;
    while place < POINTS {
        factors[place] = turn(2 * (place / 64) * (place % 64), POINTS, 1.0);
        place += 1;
    }
    factors
});

/// Between the second pass and the third: row by row, exp(-2πi row column / 64).
static SECOND: Factors<8> = vectors(&{
    let mut factors = [[0.0; 2]; 64];
    let mut place = 0;
    while place < 64 {
        factors[place] = turn(2 * (place / 8) * (place % 8), 64, 1.0);
        place += 1;
    }
    factors
});

#[inline(always)]
fn factor((re, im): &([f32; NUM_LANES], [f32; NUM_LANES])) -> Complex {
    Complex { re: Lanes(*re), im: Lanes(*im) }
}

/// Lines to u.
#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "arrays of known lengths, which the compiler checks")]
pub(crate) fn transform(lines: &[f32; 2 * POINTS], samples: &mut [f32; 2 * POINTS]) {
    let mut points = [Complex::ZERO; VECTORS];
    let (blocks, _) = lines.as_chunks::<{ 2 * NUM_LANES }>();
    for (number, point) in points.iter_mut().enumerate() {
        let (near, far) = (&blocks[number], &blocks[VECTORS - 1 - number]);
        let even = Lanes(from_fn(|lane| near[2 * lane]));
        let odd = Lanes(from_fn(|lane| far[2 * NUM_LANES - 1 - 2 * lane]));
        *point = Complex { re: even, im: odd } * factor(&BEFORE[number]);
    }
    for column in 0..8 {
        let rows = fourier_8(from_fn(|row| points[8 * row + column]));
        points[column] = rows[0];
        for row in 1..8 {
            points[8 * row + column] = rows[row] * factor(&FIRST[8 * row + column]);
        }
    }
    for block in points.as_chunks_mut::<8>().0 {
        let rows = fourier_8(*block);
        block[0] = rows[0];
        for row in 1..8 {
            block[row] = rows[row] * factor(&SECOND[row]);
        }
    }
    let mut last = [Complex::ZERO; VECTORS];
    for group in 0..8 {
        // Vector d of the group is row d, whose columns become points: the result is one of points d + 8 group + 64 k.
        let re = transposed(from_fn(|row| points[8 * row + group].re));
        let im = transposed(from_fn(|row| points[8 * row + group].im));
        let rows = fourier_8(from_fn(|row| Complex { re: re[row], im: im[row] }));
        for row in 0..8 {
            last[8 * row + group] = rows[row] * factor(&AFTER[8 * row + group]);
        }
    }
    let (blocks, _) = samples.as_chunks_mut::<{ 2 * NUM_LANES }>();
    for (number, block) in blocks.iter_mut().enumerate() {
        let even = last[number].re;
        let odd = (-last[VECTORS - 1 - number].im).reversed();
        for lane in 0..NUM_LANES {
            block[2 * lane] = even.0[lane];
            block[2 * lane + 1] = odd.0[lane];
        }
    }
}
