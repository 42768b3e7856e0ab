//! Eight numbers in one register of AVX2.
//!
//! Unsafe code is allowed in this file for instructions that not every CPU has. A vector is made only of a proof that this CPU has them,
//! or of another vector.

#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m256, _mm256_add_ps, _mm256_castpd_ps, _mm256_castps_pd, _mm256_loadu_ps, _mm256_mul_ps,
    _mm256_permute2f128_ps, _mm256_permute4x64_pd, _mm256_permutevar8x32_ps, _mm256_set1_ps,
    _mm256_setr_epi32, _mm256_shuffle_ps, _mm256_storeu_ps, _mm256_sub_ps, _mm256_unpackhi_ps,
    _mm256_unpacklo_ps, _mm256_xor_ps,
};
use std::ops::{Add, Mul, Sub};

use super::lanes::{NUM_LANES, Vector};

/// The proof that this CPU has AVX2, BMI1, BMI2 and LZCNT: only [`detect`](Self::detect) makes one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx2(());

impl Avx2 {
    /// The proof, if this CPU has all of them.
    pub(crate) fn detect() -> Option<Self> {
        let has_all = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("lzcnt");
        has_all.then_some(Self(()))
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Register(__m256);

/// An operation of this CPU, by the proof of which its operands were made.
macro_rules! on_avx2 {
    ($operation:expr) => {
        // SAFETY: vectors and proofs exist only where this CPU has AVX2.
        unsafe { $operation }
    };
}

impl Add for Register {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(on_avx2!(_mm256_add_ps(self.0, other.0)))
    }
}

impl Sub for Register {
    type Output = Self;

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(on_avx2!(_mm256_sub_ps(self.0, other.0)))
    }
}

impl Mul for Register {
    type Output = Self;

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self(on_avx2!(_mm256_mul_ps(self.0, other.0)))
    }
}

/// The lower halves of two registers, and the upper ones.
#[inline(always)]
fn halves(one: __m256, two: __m256) -> (Register, Register) {
    let low = on_avx2!(_mm256_permute2f128_ps::<0x20>(one, two));
    let high = on_avx2!(_mm256_permute2f128_ps::<0x31>(one, two));
    (Register(low), Register(high))
}

/// Numbers of two registers by turns: those of the lower quarters, and of the upper ones.
#[inline(always)]
fn pairs(one: __m256, two: __m256) -> (__m256, __m256) {
    (on_avx2!(_mm256_unpacklo_ps(one, two)), on_avx2!(_mm256_unpackhi_ps(one, two)))
}

/// The lower quarters of two registers, and the upper ones.
#[inline(always)]
fn fours(one: __m256, two: __m256) -> (__m256, __m256) {
    let low = on_avx2!(_mm256_shuffle_ps::<0b01_00_01_00>(one, two));
    (low, on_avx2!(_mm256_shuffle_ps::<0b11_10_11_10>(one, two)))
}

/// The first and third quarters before the second and fourth.
#[inline(always)]
fn quarters(register: __m256) -> Register {
    let doubles = on_avx2!(_mm256_castps_pd(register));
    let ordered = on_avx2!(_mm256_permute4x64_pd::<0b11_01_10_00>(doubles));
    Register(on_avx2!(_mm256_castpd_ps(ordered)))
}

impl Vector for Register {
    type Proof = Avx2;

    #[inline(always)]
    fn load(_: Avx2, from: &[f32; NUM_LANES]) -> Self {
        // SAFETY: the proof says that this CPU has AVX2; the reference is to 32 bytes, and the load needs no alignment.
        Self(unsafe { _mm256_loadu_ps(from.as_ptr()) })
    }

    #[inline(always)]
    fn store(self, to: &mut [f32; NUM_LANES]) {
        // SAFETY: the vector exists, so this CPU has AVX2; the reference is to 32 bytes, and the store needs no alignment.
        unsafe { _mm256_storeu_ps(to.as_mut_ptr(), self.0) };
    }

    #[inline(always)]
    fn splat(_: Avx2, number: f32) -> Self {
        Self(on_avx2!(_mm256_set1_ps(number)))
    }

    #[inline(always)]
    fn negated(self) -> Self {
        let sign = on_avx2!(_mm256_set1_ps(-0.0));
        Self(on_avx2!(_mm256_xor_ps(self.0, sign)))
    }

    #[inline(always)]
    fn reversed(self) -> Self {
        let order = on_avx2!(_mm256_setr_epi32(7, 6, 5, 4, 3, 2, 1, 0));
        Self(on_avx2!(_mm256_permutevar8x32_ps(self.0, order)))
    }

    #[inline(always)]
    fn unzipped(self, next: Self) -> (Self, Self) {
        let even = on_avx2!(_mm256_shuffle_ps::<0b10_00_10_00>(self.0, next.0));
        let odd = on_avx2!(_mm256_shuffle_ps::<0b11_01_11_01>(self.0, next.0));
        (quarters(even), quarters(odd))
    }

    #[inline(always)]
    fn zipped(self, odd: Self) -> (Self, Self) {
        let (low, high) = pairs(self.0, odd.0);
        halves(low, high)
    }

    #[inline(always)]
    fn transposed(rows: [Self; NUM_LANES]) -> [Self; NUM_LANES] {
        let [a, b, c, d, e, f, g, h] = rows;
        let ((ab, ab_high), (cd, cd_high)) = (pairs(a.0, b.0), pairs(c.0, d.0));
        let ((ef, ef_high), (gh, gh_high)) = (pairs(e.0, f.0), pairs(g.0, h.0));
        let ((first, second), (third, fourth)) = (fours(ab, cd), fours(ab_high, cd_high));
        let ((first_end, second_end), (third_end, fourth_end)) = (fours(ef, gh), fours(ef_high, gh_high));
        let (a, e) = halves(first, first_end);
        let (b, f) = halves(second, second_end);
        let (c, g) = halves(third, third_end);
        let (d, h) = halves(fourth, fourth_end);
        [a, b, c, d, e, f, g, h]
    }
}
