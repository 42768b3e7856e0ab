//! From spectra to samples: the inverse MDCT (section 4.3.6).
//!
//! The inverse MDCT of M lines has 2 M values, of which one half repeats the other. What is different in them is a DCT of type
//! IV, also of M values: u(n) = sum of X(k) cos(π/M (n + 1/2)(k + 1/2)). The second half of u, and the same backwards with the
//! other sign, is the first half of the block; the first half of u, backwards and forwards with the other sign, is its second.
//! [`window`](crate::window) makes samples of u.
//!
//! The DCT is a Fourier transform of M/2 complex numbers, of which lines from both ends are the parts, turned before and after:
//! with z(k) = (X(2k) + i X(M - 1 - 2k)) exp(-iπ (4k + 1) / 4M) and Z its transform, times exp(-iπ k / M), the real part of Z(k)
//! is u(2k), and the negative imaginary part is u(M - 1 - 2k).
//!
//! The Fourier transform is Stockham's, whose passes put their results in order as they go, in steps of 8 and 4, real and imaginary
//! parts apart. The numbers of a vector are neighbours in every pass: in the first, which is transposed, those that are
//! transformed by different steps, later those that are transformed alike.

#![forbid(unsafe_code)]
#![expect(clippy::indexing_slicing, reason = "lanes, radices and parts, whose numbers are below the lengths")]

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use crate::simd::{Block, NUM_LANES, Simd};

/// The radix of the first pass.
const FIRST: usize = 8;

/// The transform for one size of blocks.
#[derive(Debug)]
pub(crate) struct Transform {
    /// The lines of a spectrum, half of the block's size.
    pub(crate) num_lines: usize,
    /// The rising half of the window (section 4.3.1), which has the size of a spectrum.
    pub(crate) slope: Vec<f32>,
    kernel: Kernel,
}

#[derive(Debug)]
enum Kernel {
    /// For small blocks: the cosines by lines.
    Matrix(Vec<f32>),
    Fourier(Fourier),
}

/// Turns and passes.
#[derive(Debug, Default)]
struct Fourier {
    /// Before the first pass: real and imaginary parts.
    before: [Vec<Block>; 2],
    /// After it, for each block of eight positions, by the numbers of the results; the first of them is not turned.
    after_first: Vec<[[Block; 2]; FIRST]>,
    middle: Vec<Middle>,
    last_radix: usize,
    /// After the last pass.
    after: [Vec<Block>; 2],
}

/// A pass between the first and the last.
#[derive(Debug)]
struct Middle {
    radix: usize,
    /// For each position, by the numbers of the results.
    turns: Vec<[[f32; 2]; 8]>,
}

/// Memory for what passes between passes.
#[derive(Debug, Default)]
pub(crate) struct Work {
    parts: [[Vec<Block>; 2]; 2],
}

impl Work {
    /// Memory for spectra of so many lines.
    pub(crate) fn new(num_lines: usize) -> Self {
        let part = || vec![[0.0; NUM_LANES]; num_lines / 2 / NUM_LANES];
        Self { parts: [[part(), part()], [part(), part()]] }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "single precision")]
fn turn(angle: f64) -> [f32; 2] {
    [angle.cos() as f32, angle.sin() as f32]
}

impl Transform {
    /// The transform for blocks of two to the power of `block_exponent`.
    #[expect(clippy::cast_possible_truncation, reason = "single precision")]
    pub(crate) fn new(block_exponent: u32) -> Self {
        let num_lines = 1_usize << (block_exponent - 1);
        let slope = (0..num_lines).map(|place| {
            let inner = (PI * (place as f64 + 0.5) / (2 * num_lines) as f64).sin();
            (PI / 2.0 * inner * inner).sin() as f32
        });
        let kernel = if num_lines < 128 {
            let cosine = |line: usize, place: usize| {
                let phase = (2 * line + 1) * (2 * place + 1) % (8 * num_lines);
                (PI * phase as f64 / (4 * num_lines) as f64).cos() as f32
            };
            let rows = (0..num_lines).flat_map(|line| (0..num_lines).map(move |place| cosine(line, place)));
            Kernel::Matrix(rows.collect())
        } else {
            Kernel::Fourier(Fourier::new(num_lines))
        };
        Self { num_lines, slope: slope.collect(), kernel }
    }

    /// The DCT of type IV of as many lines.
    #[inline(always)]
    pub(crate) fn transform<S: Simd>(&self, simd: S, lines: &[f32], values: &mut [f32], work: &mut Work) {
        let lines = &lines[..self.num_lines];
        let values = &mut values[..self.num_lines];
        match &self.kernel {
            Kernel::Matrix(rows) => multiply(simd, rows, lines, values),
            Kernel::Fourier(fourier) => fourier.transform(simd, lines, values, work),
        }
    }
}

/// The sum of rows, each multiplied by its line.
#[inline(always)]
fn multiply<S: Simd>(simd: S, rows: &[f32], lines: &[f32], values: &mut [f32]) {
    let num_values = values.len();
    for (number, to) in values.as_chunks_mut::<NUM_LANES>().0.iter_mut().enumerate() {
        let mut sum = simd.splat(0.0);
        for (row, line) in rows.chunks_exact(num_values).zip(lines) {
            let row = simd.load(&row.as_chunks().0[number]);
            sum = simd.add(sum, simd.mul(row, simd.splat(*line)));
        }
        simd.store(sum, to);
    }
}

/// The blocks of turns, real and imaginary parts apart.
fn turns(num_points: usize, angle: impl Fn(usize) -> f64) -> [Vec<Block>; 2] {
    [0, 1].map(|part| {
        let block = |first: usize| std::array::from_fn(|lane| turn(angle(first + lane))[part]);
        (0..num_points).step_by(NUM_LANES).map(block).collect()
    })
}

impl Fourier {
    /// For so many lines, 128 or more.
    fn new(num_lines: usize) -> Self {
        let num_points = num_lines / 2;
        let rest = num_points / FIRST;
        let after_first = (0..rest).step_by(NUM_LANES).map(|first| {
            std::array::from_fn(|number| {
                let angle = |lane: usize| -2.0 * PI * (number * (first + lane)) as f64 / num_points as f64;
                [0, 1].map(|part| std::array::from_fn(|lane| turn(angle(lane))[part]))
            })
        });
        let (radices, last_radix) = match rest {
            8 => (vec![], 8),
            16 => (vec![4], 4),
            32 => (vec![8], 4),
            64 => (vec![8], 8),
            128 => (vec![8, 4], 4),
            _ => (vec![8, 8], 4),
        };
        let mut left = rest;
        let middle = radices.into_iter().map(|radix| {
            let angle = -2.0 * PI / left as f64;
            left /= radix;
            let turns =
                (0..left).map(|place| std::array::from_fn(|number| turn(angle * (number * place) as f64)));
            Middle { radix, turns: turns.collect() }
        });
        Self {
            before: turns(num_points, |point| -PI * (4 * point + 1) as f64 / (4 * num_lines) as f64),
            after_first: after_first.collect(),
            middle: middle.collect(),
            last_radix,
            after: turns(num_points, |point| -PI * point as f64 / num_lines as f64),
        }
    }

    #[inline(always)]
    fn transform<S: Simd>(&self, simd: S, lines: &[f32], values: &mut [f32], work: &mut Work) {
        let num_blocks = lines.len() / 2 / NUM_LANES;
        let [first, second] = &mut work.parts;
        let [first, second] =
            [first, second].map(|parts| parts.each_mut().map(|part| &mut part[..num_blocks]));
        let (mut from, mut to) = (first, second);
        self.first(simd, lines, &mut from);
        for (number, middle) in self.middle.iter().enumerate() {
            let input = [&*from[0], &*from[1]];
            let output = to.each_mut().map(|part| &mut **part);
            match (middle.radix, number) {
                (4, 0) => pass::<S, 4, 1>(simd, input, output, &middle.turns),
                (8, 0) => pass::<S, 8, 1>(simd, input, output, &middle.turns),
                (4, _) => pass::<S, 4, 8>(simd, input, output, &middle.turns),
                _ => pass::<S, 8, 8>(simd, input, output, &middle.turns),
            }
            std::mem::swap(&mut from, &mut to);
        }
        let [real, imaginary] = &mut from;
        match self.last_radix {
            4 => self.last::<S, 4>(simd, real, imaginary),
            _ => self.last::<S, 8>(simd, real, imaginary),
        }
        // The imaginary parts go on from the other end.
        let (pairs, _) = values.as_chunks_mut::<{ 2 * NUM_LANES }>();
        for ((pair, real), imaginary) in pairs.iter_mut().zip(&**real).zip(imaginary.iter().rev()) {
            let odd = simd.negate(simd.reverse(simd.load(imaginary)));
            let (low, high) = simd.interleave(simd.load(real), odd);
            store_pair(simd, [low, high], pair);
        }
    }

    /// The turn before, and the first pass.
    #[inline(always)]
    fn first<S: Simd>(&self, simd: S, lines: &[f32], output: &mut [&mut [Block]; 2]) {
        let (pairs, _) = lines.as_chunks::<{ 2 * NUM_LANES }>();
        let num_columns = pairs.len() / FIRST;
        let parts: [&[[f32; 2 * NUM_LANES]]; FIRST] =
            std::array::from_fn(|part| &pairs[part * num_columns..][..num_columns]);
        let before = self.before.each_ref().map(|turns| -> [&[Block]; FIRST] {
            std::array::from_fn(|part| &turns[part * num_columns..][..num_columns])
        });
        let [real, imaginary] = output;
        let (real, _) = real.as_chunks_mut::<FIRST>();
        let (imaginary, _) = imaginary.as_chunks_mut::<FIRST>();
        let outputs = real.iter_mut().zip(imaginary).zip(&self.after_first);
        for (column, ((to_real, to_imaginary), turns)) in outputs.enumerate().take(num_columns) {
            let mirrored = num_columns - 1 - column;
            let mut re = [simd.splat(0.0); FIRST];
            let mut im = re;
            for part in 0..FIRST {
                let [low, high] = load_pair(simd, &parts[part][column]);
                let (even, _) = simd.deinterleave(low, high);
                let [low, high] = load_pair(simd, &parts[FIRST - 1 - part][mirrored]);
                let (_, odd) = simd.deinterleave(low, high);
                let turn = [simd.load(&before[0][part][column]), simd.load(&before[1][part][column])];
                [re[part], im[part]] = turned(simd, [even, simd.reverse(odd)], turn);
            }
            eight(simd, &mut re, &mut im);
            for part in 1..FIRST {
                let [cosine, sine] = &turns[part];
                [re[part], im[part]] =
                    turned(simd, [re[part], im[part]], [simd.load(cosine), simd.load(sine)]);
            }
            let (re, im) = (simd.transpose(re), simd.transpose(im));
            for part in 0..FIRST {
                simd.store(re[part], &mut to_real[part]);
                simd.store(im[part], &mut to_imaginary[part]);
            }
        }
    }

    /// The last pass, in place, and the turn after it.
    #[inline(always)]
    fn last<S: Simd, const RADIX: usize>(&self, simd: S, real: &mut [Block], imaginary: &mut [Block]) {
        let num_columns = real.len() / RADIX;
        let after = self.after.each_ref().map(|turns| -> [&[Block]; RADIX] {
            std::array::from_fn(|part| &turns[part * num_columns..][..num_columns])
        });
        let real = parts_mut::<RADIX>(real, num_columns);
        let imaginary = parts_mut::<RADIX>(imaginary, num_columns);
        for column in 0..num_columns {
            let mut re: [S::Lanes; RADIX] = std::array::from_fn(|part| simd.load(&real[part][column]));
            let mut im: [S::Lanes; RADIX] = std::array::from_fn(|part| simd.load(&imaginary[part][column]));
            butterfly(simd, &mut re, &mut im);
            for part in 0..RADIX {
                let turn = [simd.load(&after[0][part][column]), simd.load(&after[1][part][column])];
                let [re, im] = turned(simd, [re[part], im[part]], turn);
                simd.store(re, &mut real[part][column]);
                simd.store(im, &mut imaginary[part][column]);
            }
        }
    }
}

/// As many parts of a list.
#[inline(always)]
fn parts_mut<const RADIX: usize>(list: &mut [Block], num_columns: usize) -> [&mut [Block]; RADIX] {
    let mut parts = list.chunks_exact_mut(num_columns);
    std::array::from_fn(|_| &mut parts.next().unwrap_or_default()[..num_columns])
}

/// A pass between the first and the last: `WIDTH` vectors are transformed alike.
#[inline(always)]
fn pass<S: Simd, const RADIX: usize, const WIDTH: usize>(
    simd: S,
    input: [&[Block]; 2],
    output: [&mut [Block]; 2],
    turns: &[[[f32; 2]; 8]],
) {
    let num_places = turns.len();
    let parts = input.map(|part| -> [&[[Block; WIDTH]]; RADIX] {
        let (rows, _) = part.as_chunks::<WIDTH>();
        std::array::from_fn(|part| &rows[part * num_places..][..num_places])
    });
    let [real, imaginary] = output.map(|part| part.as_chunks_mut::<WIDTH>().0.as_chunks_mut::<RADIX>().0);
    for (place, ((to_real, to_imaginary), turns)) in real.iter_mut().zip(imaginary).zip(turns).enumerate() {
        for column in 0..WIDTH {
            let mut re: [S::Lanes; RADIX] =
                std::array::from_fn(|part| simd.load(&parts[0][part][place][column]));
            let mut im: [S::Lanes; RADIX] =
                std::array::from_fn(|part| simd.load(&parts[1][part][place][column]));
            butterfly(simd, &mut re, &mut im);
            simd.store(re[0], &mut to_real[0][column]);
            simd.store(im[0], &mut to_imaginary[0][column]);
            for part in 1..RADIX {
                let turn = turns[part].map(|number| simd.splat(number));
                let [re, im] = turned(simd, [re[part], im[part]], turn);
                simd.store(re, &mut to_real[part][column]);
                simd.store(im, &mut to_imaginary[part][column]);
            }
        }
    }
}

#[inline(always)]
fn load_pair<S: Simd>(simd: S, pair: &[f32; 2 * NUM_LANES]) -> [S::Lanes; 2] {
    let (blocks, _) = pair.as_chunks::<NUM_LANES>();
    [simd.load(&blocks[0]), simd.load(&blocks[1])]
}

#[inline(always)]
fn store_pair<S: Simd>(simd: S, lanes: [S::Lanes; 2], pair: &mut [f32; 2 * NUM_LANES]) {
    let (blocks, _) = pair.as_chunks_mut::<NUM_LANES>();
    simd.store(lanes[0], &mut blocks[0]);
    simd.store(lanes[1], &mut blocks[1]);
}

/// Complex products.
#[inline(always)]
fn turned<S: Simd>(simd: S, [re, im]: [S::Lanes; 2], [cosine, sine]: [S::Lanes; 2]) -> [S::Lanes; 2] {
    [simd.sub(simd.mul(re, cosine), simd.mul(im, sine)), simd.add(simd.mul(re, sine), simd.mul(im, cosine))]
}

/// A Fourier transform of four or eight points.
#[inline(always)]
fn butterfly<S: Simd, const RADIX: usize>(simd: S, re: &mut [S::Lanes; RADIX], im: &mut [S::Lanes; RADIX]) {
    let (re, im) = (re.as_mut_slice(), im.as_mut_slice());
    if RADIX == 8 {
        if let (Some(re), Some(im)) = (re.first_chunk_mut(), im.first_chunk_mut()) {
            eight(simd, re, im);
        }
    } else if let (Some(re), Some(im)) = (re.first_chunk_mut::<4>(), im.first_chunk_mut::<4>()) {
        (*re, *im) = four(simd, *re, *im);
    }
}

type Four<S> = [<S as Simd>::Lanes; 4];

/// A Fourier transform of four points.
#[inline(always)]
fn four<S: Simd>(simd: S, re: Four<S>, im: Four<S>) -> (Four<S>, Four<S>) {
    let ([r0, r1, r2, r3], [i0, i1, i2, i3]) = (re, im);
    let add = |one, other| simd.add(one, other);
    let sub = |one, other| simd.sub(one, other);
    let (sum02, dif02) = ((add(r0, r2), add(i0, i2)), (sub(r0, r2), sub(i0, i2)));
    let (sum13, dif13) = ((add(r1, r3), add(i1, i3)), (sub(r1, r3), sub(i1, i3)));
    // The difference of the odd points is turned by -i.
    (
        [add(sum02.0, sum13.0), add(dif02.0, dif13.1), sub(sum02.0, sum13.0), sub(dif02.0, dif13.1)],
        [add(sum02.1, sum13.1), sub(dif02.1, dif13.0), sub(sum02.1, sum13.1), add(dif02.1, dif13.0)],
    )
}

/// A Fourier transform of eight points: of the even ones and of the odd ones, which are turned by eighths of a circle.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "single precision")]
fn eight<S: Simd>(simd: S, re: &mut [S::Lanes; 8], im: &mut [S::Lanes; 8]) {
    let add = |one, other| simd.add(one, other);
    let sub = |one, other| simd.sub(one, other);
    let half = simd.splat(FRAC_1_SQRT_2 as f32);
    let (even_re, even_im) = four(simd, [re[0], re[2], re[4], re[6]], [im[0], im[2], im[4], im[6]]);
    let (odd_re, odd_im) = four(simd, [re[1], re[3], re[5], re[7]], [im[1], im[3], im[5], im[7]]);
    let turned_re = [
        odd_re[0],
        simd.mul(half, add(odd_re[1], odd_im[1])),
        odd_im[2],
        simd.mul(half, sub(odd_im[3], odd_re[3])),
    ];
    // The imaginary parts of the last two are negative.
    let turned_im = [
        odd_im[0],
        simd.mul(half, sub(odd_im[1], odd_re[1])),
        odd_re[2],
        simd.mul(half, add(odd_re[3], odd_im[3])),
    ];
    for number in 0..4 {
        re[number] = add(even_re[number], turned_re[number]);
        re[number + 4] = sub(even_re[number], turned_re[number]);
    }
    for number in 0..2 {
        im[number] = add(even_im[number], turned_im[number]);
        im[number + 4] = sub(even_im[number], turned_im[number]);
    }
    for number in 2..4 {
        im[number] = sub(even_im[number], turned_im[number]);
        im[number + 4] = add(even_im[number], turned_im[number]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::Plain;

    #[test]
    fn the_transform_is_a_dct() {
        for exponent in 6..=13 {
            let transform = Transform::new(exponent);
            let num_lines = transform.num_lines;
            let mut state = 7_u32;
            let lines: Vec<f32> = (0..num_lines)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (state.cast_signed() >> 8) as f32
                })
                .collect();
            let mut values = vec![0.0; num_lines];
            transform.transform(Plain, &lines, &mut values, &mut Work::new(num_lines));
            let (mut signal, mut noise) = (0.0, 0.0);
            for (place, value) in values.iter().enumerate() {
                let exact: f64 = (0..num_lines)
                    .map(|line| {
                        let phase = (2 * line + 1) * (2 * place + 1) % (8 * num_lines);
                        f64::from(lines[line]) * (PI * phase as f64 / (4 * num_lines) as f64).cos()
                    })
                    .sum();
                signal += exact * exact;
                noise += (exact - f64::from(*value)).powi(2);
            }
            let ratio = 10.0 * (signal / noise).log10();
            assert!(ratio > 130.0, "2^{exponent}: {ratio} dB");
        }
    }
}
