//! The transform of 1024 lines: 512 complex points as 8 x 8 x 8, eight columns at a time.

#![forbid(unsafe_code)]

use super::factors::{after, before, turn};
use super::lanes::{Complex, NUM_LANES, Stored, Vector, fourier_8, load_all};

const POINTS: usize = 512;
/// Vectors of points.
const VECTORS: usize = POINTS / NUM_LANES;

#[expect(clippy::indexing_slicing, reason = "the compiler computes it, and checks")]
const fn vectors<const N: usize>(points: &[[f32; 2]]) -> [Stored; N] {
    let mut factors = [([0.0; NUM_LANES], [0.0; NUM_LANES]); N];
    let mut place = 0;
    while place < N * NUM_LANES {
        factors[place / NUM_LANES].0[place % NUM_LANES] = points[place][0];
        factors[place / NUM_LANES].1[place % NUM_LANES] = points[place][1];
        place += 1;
    }
    factors
}

static BEFORE: [Stored; VECTORS] = vectors(&before::<POINTS>());
static AFTER: [Stored; VECTORS] = vectors(&after::<POINTS>());

/// Between the first pass and the second: row by row, exp(-2πi row column / 512).
#[expect(clippy::indexing_slicing, reason = "the compiler computes it, and checks")]
static FIRST: [Stored; VECTORS] = vectors(&{
    let mut factors = [[0.0; 2]; POINTS];
    let mut place = 0;
    while place < POINTS {
        factors[place] = turn(2 * (place / 64) * (place % 64), POINTS, 1.0);
        place += 1;
    }
    factors
});

/// Between the second pass and the third: row by row, exp(-2πi row column / 64).
#[expect(clippy::indexing_slicing, reason = "the compiler computes it, and checks")]
static SECOND: [Stored; 8] = vectors(&{
    let mut factors = [[0.0; 2]; 64];
    let mut place = 0;
    while place < 64 {
        factors[place] = turn(2 * (place / 8) * (place % 8), 64, 1.0);
        place += 1;
    }
    factors
});

/// The points between the passes.
pub(crate) type Workspace = [[Stored; VECTORS]; 2];

/// Lines to u.
#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "arrays of known lengths, which the compiler checks")]
pub(crate) fn transform<V: Vector>(
    proof: V::Proof,
    [points, last]: &mut Workspace,
    lines: &[f32; 2 * POINTS],
    samples: &mut [f32; 2 * POINTS],
) {
    let (blocks, _) = lines.as_chunks::<NUM_LANES>();
    for number in 0..VECTORS / 2 {
        // The even lines of the one go with the odd lines of the other, backwards.
        let mirror = VECTORS - 1 - number;
        let (low, high) = (V::load(proof, &blocks[2 * number]), V::load(proof, &blocks[2 * number + 1]));
        let (even, odd) = low.unzipped(high);
        let (low, high) = (V::load(proof, &blocks[2 * mirror]), V::load(proof, &blocks[2 * mirror + 1]));
        let (mirror_even, mirror_odd) = low.unzipped(high);
        let near = Complex { re: even, im: mirror_odd.reversed() };
        let far = Complex { re: mirror_even, im: odd.reversed() };
        (near * Complex::load(proof, &BEFORE[number])).store(&mut points[number]);
        (far * Complex::load(proof, &BEFORE[mirror])).store(&mut points[mirror]);
    }
    for column in 0..8 {
        let rows = fourier_8(proof, load_all::<V>(proof, points, column, 8));
        rows[0].store(&mut points[column]);
        for row in 1..8 {
            let factor = Complex::load(proof, &FIRST[8 * row + column]);
            (rows[row] * factor).store(&mut points[8 * row + column]);
        }
    }
    for block in points.as_chunks_mut::<8>().0 {
        let rows = fourier_8(proof, load_all::<V>(proof, block, 0, 1));
        rows[0].store(&mut block[0]);
        for row in 1..8 {
            (rows[row] * Complex::load(proof, &SECOND[row])).store(&mut block[row]);
        }
    }
    for group in 0..8 {
        // Vector d of the group is row d, whose columns become points: the result is one of points d + 8 group + 64 k.
        let rows = fourier_8(proof, Complex::transposed(load_all::<V>(proof, points, group, 8)));
        for row in 0..8 {
            let factor = Complex::load(proof, &AFTER[8 * row + group]);
            (rows[row] * factor).store(&mut last[8 * row + group]);
        }
    }
    let (blocks, _) = samples.as_chunks_mut::<{ 2 * NUM_LANES }>();
    for (number, block) in blocks.iter_mut().enumerate() {
        let even = V::load(proof, &last[number].0);
        let odd = V::load(proof, &last[VECTORS - 1 - number].1).negated().reversed();
        let (low, high) = even.zipped(odd);
        let (halves, _) = block.as_chunks_mut::<NUM_LANES>();
        low.store(&mut halves[0]);
        high.store(&mut halves[1]);
    }
}
