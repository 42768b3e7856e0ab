//! Eight numbers side by side.
//!
//! Kernels are written once, for [`Lanes`]. Every implementation rounds each product and each sum on its own, so that the
//! samples are the same on every processor.

#![forbid(unsafe_code)]

use std::ops::{Add, Mul, Sub};

/// The number of lanes.
pub(crate) const NUM_LANES: usize = 8;

/// Eight numbers of single precision.
pub(crate) trait Lanes: Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> {
    /// The proof that the processor has the instructions.
    type Proof: Copy;

    fn load(proof: Self::Proof, from: &[f32; NUM_LANES]) -> Self;

    fn store(self, to: &mut [f32; NUM_LANES]);

    /// The same number in all lanes.
    fn splat(proof: Self::Proof, number: f32) -> Self;

    /// The lanes from the last to the first.
    fn reversed(self) -> Self;

    /// The n-th lanes of all as the n-th vector.
    fn transposed(vectors: [Self; NUM_LANES]) -> [Self; NUM_LANES];
}

/// Lanes for every processor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scalar([f32; NUM_LANES]);

impl Scalar {
    #[inline(always)]
    fn zip(self, other: Self, function: impl Fn(f32, f32) -> f32) -> Self {
        let [a, b, c, d, e, f, g, h] = self.0;
        let [i, j, k, l, m, n, o, p] = other.0;
        let of = |one, two| function(one, two);
        Self([of(a, i), of(b, j), of(c, k), of(d, l), of(e, m), of(f, n), of(g, o), of(h, p)])
    }
}

impl Add for Scalar {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.zip(other, |one, two| one + two)
    }
}

impl Sub for Scalar {
    type Output = Self;

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.zip(other, |one, two| one - two)
    }
}

impl Mul for Scalar {
    type Output = Self;

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.zip(other, |one, two| one * two)
    }
}

impl Lanes for Scalar {
    type Proof = ();

    #[inline(always)]
    fn load(_: (), from: &[f32; NUM_LANES]) -> Self {
        Self(*from)
    }

    #[inline(always)]
    fn store(self, to: &mut [f32; NUM_LANES]) {
        *to = self.0;
    }

    #[inline(always)]
    fn splat(_: (), number: f32) -> Self {
        Self([number; NUM_LANES])
    }

    #[inline(always)]
    fn reversed(self) -> Self {
        let [a, b, c, d, e, f, g, h] = self.0;
        Self([h, g, f, e, d, c, b, a])
    }

    #[inline(always)]
    #[expect(clippy::indexing_slicing, reason = "both are below eight")]
    fn transposed(vectors: [Self; NUM_LANES]) -> [Self; NUM_LANES] {
        std::array::from_fn(|row| Self(std::array::from_fn(|column| vectors[column].0[row])))
    }
}
