//! Eight numbers side by side.
//!
//! Sums and products are rounded one by one, never fused, so that all CPUs give the same bits.

#![forbid(unsafe_code)]

use std::array::from_fn;
use std::ops::{Add, Mul, Sub};

pub(crate) const NUM_LANES: usize = 8;

/// Eight numbers, and what is done with them. All implementations give the same bits.
pub(crate) trait Vector: Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> {
    /// What says that the CPU has the instructions.
    type Proof: Copy;

    fn load(proof: Self::Proof, from: &[f32; NUM_LANES]) -> Self;

    fn store(self, to: &mut [f32; NUM_LANES]);

    /// One number in all lanes.
    fn splat(proof: Self::Proof, number: f32) -> Self;

    fn negated(self) -> Self;

    fn reversed(self) -> Self;

    /// Of sixteen numbers, those at even places and those at odd ones.
    fn unzipped(self, next: Self) -> (Self, Self);

    /// The reverse.
    fn zipped(self, odd: Self) -> (Self, Self);

    /// Rows to columns.
    fn transposed(rows: [Self; NUM_LANES]) -> [Self; NUM_LANES];
}

/// Eight numbers, which the compiler puts into as few registers as there are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Lanes([f32; NUM_LANES]);

impl Add for Lanes {
    type Output = Self;

    #[inline(always)]
    #[expect(clippy::indexing_slicing, reason = "eight lanes")]
    fn add(self, other: Self) -> Self {
        Self(from_fn(|lane| self.0[lane] + other.0[lane]))
    }
}

impl Sub for Lanes {
    type Output = Self;

    #[inline(always)]
    #[expect(clippy::indexing_slicing, reason = "eight lanes")]
    fn sub(self, other: Self) -> Self {
        Self(from_fn(|lane| self.0[lane] - other.0[lane]))
    }
}

impl Mul for Lanes {
    type Output = Self;

    #[inline(always)]
    #[expect(clippy::indexing_slicing, reason = "eight lanes")]
    fn mul(self, other: Self) -> Self {
        Self(from_fn(|lane| self.0[lane] * other.0[lane]))
    }
}

impl Vector for Lanes {
    type Proof = ();

    #[inline(always)]
    fn load((): (), from: &[f32; NUM_LANES]) -> Self {
        Self(*from)
    }

    #[inline(always)]
    fn store(self, to: &mut [f32; NUM_LANES]) {
        *to = self.0;
    }

    #[inline(always)]
    fn splat((): (), number: f32) -> Self {
        Self([number; NUM_LANES])
    }

    #[inline(always)]
    fn negated(self) -> Self {
        Self(self.0.map(|number| -number))
    }

    #[inline(always)]
    fn reversed(self) -> Self {
        let [a, b, c, d, e, f, g, h] = self.0;
        Self([h, g, f, e, d, c, b, a])
    }

    #[inline(always)]
    fn unzipped(self, next: Self) -> (Self, Self) {
        let ([a, b, c, d, e, f, g, h], [i, j, k, l, m, n, o, p]) = (self.0, next.0);
        (Self([a, c, e, g, i, k, m, o]), Self([b, d, f, h, j, l, n, p]))
    }

    #[inline(always)]
    fn zipped(self, odd: Self) -> (Self, Self) {
        let ([a, c, e, g, i, k, m, o], [b, d, f, h, j, l, n, p]) = (self.0, odd.0);
        (Self([a, b, c, d, e, f, g, h]), Self([i, j, k, l, m, n, o, p]))
    }

    #[inline(always)]
    #[expect(clippy::indexing_slicing, reason = "eight lanes")]
    fn transposed(rows: [Self; NUM_LANES]) -> [Self; NUM_LANES] {
        from_fn(|column| Self(from_fn(|row| rows[row].0[column])))
    }
}

/// Complex numbers, the real parts and the imaginary parts apart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Complex<V> {
    pub(crate) re: V,
    pub(crate) im: V,
}

/// Complex numbers in memory.
pub(crate) type Stored = ([f32; NUM_LANES], [f32; NUM_LANES]);

impl<V: Vector> Complex<V> {
    #[inline(always)]
    pub(crate) fn load(proof: V::Proof, (re, im): &Stored) -> Self {
        Self { re: V::load(proof, re), im: V::load(proof, im) }
    }

    #[inline(always)]
    pub(crate) fn store(self, (re, im): &mut Stored) {
        self.re.store(re);
        self.im.store(im);
    }

    /// One number in all lanes.
    #[inline(always)]
    pub(crate) fn splat(proof: V::Proof, [re, im]: [f32; 2]) -> Self {
        Self { re: V::splat(proof, re), im: V::splat(proof, im) }
    }

    /// Times -i.
    #[inline(always)]
    fn turned(self) -> Self {
        Self { re: self.im, im: self.re.negated() }
    }

    /// Rows to columns.
    #[inline(always)]
    pub(crate) fn transposed(rows: [Self; NUM_LANES]) -> [Self; NUM_LANES] {
        let [a, b, c, d, e, f, g, h] = rows;
        let re = V::transposed([a.re, b.re, c.re, d.re, e.re, f.re, g.re, h.re]);
        let im = V::transposed([a.im, b.im, c.im, d.im, e.im, f.im, g.im, h.im]);
        let mut columns = rows;
        for ((column, re), im) in columns.iter_mut().zip(re).zip(im) {
            *column = Self { re, im };
        }
        columns
    }
}

/// Eight complex vectors, `step` apart. A loop, because what closures do is not compiled for the instructions of their callers.
#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "places that the caller knows to be there")]
pub(crate) fn load_all<V: Vector>(
    proof: V::Proof,
    stored: &[Stored],
    first: usize,
    step: usize,
) -> [Complex<V>; NUM_LANES] {
    let mut all = [Complex::load(proof, &stored[first]); NUM_LANES];
    for row in 1..NUM_LANES {
        all[row] = Complex::load(proof, &stored[first + row * step]);
    }
    all
}

impl<V: Vector> Add for Complex<V> {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self { re: self.re + other.re, im: self.im + other.im }
    }
}

impl<V: Vector> Sub for Complex<V> {
    type Output = Self;

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self { re: self.re - other.re, im: self.im - other.im }
    }
}

impl<V: Vector> Mul for Complex<V> {
    type Output = Self;

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self { re: self.re * other.re - self.im * other.im, im: self.re * other.im + self.im * other.re }
    }
}

/// The discrete Fourier transform of four points, in each lane.
#[inline(always)]
fn fourier_4<V: Vector>(a: Complex<V>, b: Complex<V>, c: Complex<V>, d: Complex<V>) -> [Complex<V>; 4] {
    let (even, odd) = (a + c, b + d);
    let (difference, other) = (a - c, b - d);
    // difference - i other, and difference + i other
    let second = Complex { re: difference.re + other.im, im: difference.im - other.re };
    let fourth = Complex { re: difference.re - other.im, im: difference.im + other.re };
    [even + odd, second, even - odd, fourth]
}

/// The discrete Fourier transform of eight points, in each lane.
#[inline(always)]
pub(crate) fn fourier_8<V: Vector>(proof: V::Proof, x: [Complex<V>; 8]) -> [Complex<V>; 8] {
    let half = V::splat(proof, std::f32::consts::FRAC_1_SQRT_2);
    let [e0, e1, e2, e3] = fourier_4(x[0], x[2], x[4], x[6]);
    let [o0, o1, o2, o3] = fourier_4(x[1], x[3], x[5], x[7]);
    // times exp(-πi/4), exp(-πi/2) and exp(-3πi/4)
    let o1 = Complex { re: (o1.re + o1.im) * half, im: (o1.im - o1.re) * half };
    let o2 = o2.turned();
    let o3 = Complex { re: (o3.im - o3.re) * half, im: ((o3.re + o3.im) * half).negated() };
    [e0 + o0, e1 + o1, e2 + o2, e3 + o3, e0 - o0, e1 - o1, e2 - o2, e3 - o3]
}
