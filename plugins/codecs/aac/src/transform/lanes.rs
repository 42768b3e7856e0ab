//! Eight numbers side by side, which the compiler puts into as few registers as there are.
//!
//! Sums and products are rounded one by one, never fused, so that all CPUs give the same bits.

#![forbid(unsafe_code)]

use std::array::from_fn;
use std::ops::{Add, Mul, Neg, Sub};

pub(crate) const NUM_LANES: usize = 8;

/// Eight numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(align(32))]
pub(crate) struct Lanes(pub(crate) [f32; NUM_LANES]);

impl Lanes {
    pub(crate) const ZERO: Self = Self([0.0; NUM_LANES]);

    #[inline(always)]
    pub(crate) fn splat(number: f32) -> Self {
        Self([number; NUM_LANES])
    }

    #[inline(always)]
    pub(crate) fn reversed(self) -> Self {
        let [a, b, c, d, e, f, g, h] = self.0;
        Self([h, g, f, e, d, c, b, a])
    }
}

impl Add for Lanes {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(from_fn(|lane| self.0[lane] + other.0[lane]))
    }
}

impl Sub for Lanes {
    type Output = Self;

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(from_fn(|lane| self.0[lane] - other.0[lane]))
    }
}

impl Mul for Lanes {
    type Output = Self;

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self(from_fn(|lane| self.0[lane] * other.0[lane]))
    }
}

impl Neg for Lanes {
    type Output = Self;

    #[inline(always)]
    fn neg(self) -> Self {
        Self(self.0.map(|number| -number))
    }
}

/// Complex numbers, the real parts and the imaginary parts apart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Complex {
    pub(crate) re: Lanes,
    pub(crate) im: Lanes,
}

impl Complex {
    pub(crate) const ZERO: Self = Self { re: Lanes::ZERO, im: Lanes::ZERO };

    /// Times one number in all lanes.
    #[inline(always)]
    pub(crate) fn times(self, [re, im]: [f32; 2]) -> Self {
        self * Self { re: Lanes::splat(re), im: Lanes::splat(im) }
    }
}

impl Add for Complex {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self { re: self.re + other.re, im: self.im + other.im }
    }
}

impl Sub for Complex {
    type Output = Self;

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self { re: self.re - other.re, im: self.im - other.im }
    }
}

impl Mul for Complex {
    type Output = Self;

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self {
            re: self.re * other.re - self.im * other.im,
            im: self.re * other.im + self.im * other.re,
        }
    }
}

/// Rows to columns.
#[inline(always)]
pub(crate) fn transposed(rows: [Lanes; 8]) -> [Lanes; 8] {
    from_fn(|column| Lanes(from_fn(|row| rows[row].0[column])))
}

/// The discrete Fourier transform of eight points, in each lane.
#[inline(always)]
pub(crate) fn fourier_8(x: [Complex; 8]) -> [Complex; 8] {
    let half = Lanes::splat(std::f32::consts::FRAC_1_SQRT_2);
    let by_minus_i = |z: Complex| Complex { re: z.im, im: -z.re };
    let four = |a: Complex, b: Complex, c: Complex, d: Complex| {
        let (sum, difference, other_sum, other) = (a + c, a - c, b + d, b - d);
        let turned = by_minus_i(other);
        [sum + other_sum, difference + turned, sum - other_sum, difference - turned]
    };
    let [e0, e1, e2, e3] = four(x[0], x[2], x[4], x[6]);
    let [o0, o1, o2, o3] = four(x[1], x[3], x[5], x[7]);
    // times exp(-πi/4), exp(-πi/2) and exp(-3πi/4)
    let o1 = Complex { re: (o1.re + o1.im) * half, im: (o1.im - o1.re) * half };
    let o2 = by_minus_i(o2);
    let o3 = Complex { re: (o3.im - o3.re) * half, im: -((o3.re + o3.im) * half) };
    [e0 + o0, e1 + o1, e2 + o2, e3 + o3, e0 - o0, e1 - o1, e2 - o2, e3 - o3]
}
