//! Eight numbers in a register of AVX2.
//!
//! Unsafe code is allowed in this file to call the processor's instructions, of which each value is the proof, and to load and
//! store vectors.

#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m256, _mm256_add_ps, _mm256_loadu_ps, _mm256_mul_ps, _mm256_permute2f128_ps, _mm256_permutevar8x32_ps,
    _mm256_set1_ps, _mm256_setr_epi32, _mm256_shuffle_ps, _mm256_storeu_ps, _mm256_sub_ps,
    _mm256_unpackhi_ps, _mm256_unpacklo_ps,
};
use std::ops::{Add, Mul, Sub};

use crate::lanes::{Lanes, NUM_LANES};

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

/// Eight numbers. There is such a value only where the processor has AVX2: it is made by [`Lanes::load`] and
/// [`Lanes::splat`], which take the proof, and from others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx2Lanes(__m256);

impl Add for Avx2Lanes {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: the values are proof of the instructions.
        Self(unsafe { _mm256_add_ps(self.0, other.0) })
    }
}

impl Sub for Avx2Lanes {
    type Output = Self;

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        // SAFETY: the values are proof of the instructions.
        Self(unsafe { _mm256_sub_ps(self.0, other.0) })
    }
}

impl Mul for Avx2Lanes {
    type Output = Self;

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        // SAFETY: the values are proof of the instructions.
        Self(unsafe { _mm256_mul_ps(self.0, other.0) })
    }
}

impl Lanes for Avx2Lanes {
    type Proof = Avx2;

    #[inline(always)]
    fn load(_: Avx2, from: &[f32; NUM_LANES]) -> Self {
        // SAFETY: the reference is to 32 bytes, the load needs no alignment, and there is proof of the instruction.
        Self(unsafe { _mm256_loadu_ps(from.as_ptr()) })
    }

    #[inline(always)]
    fn store(self, to: &mut [f32; NUM_LANES]) {
        // SAFETY: the reference is to 32 bytes, the store needs no alignment, and the value is proof of the instruction.
        unsafe { _mm256_storeu_ps(to.as_mut_ptr(), self.0) };
    }

    #[inline(always)]
    fn splat(_: Avx2, number: f32) -> Self {
        // SAFETY: there is proof of the instruction.
        Self(unsafe { _mm256_set1_ps(number) })
    }

    #[inline(always)]
    fn reversed(self) -> Self {
        // SAFETY: the value is proof of the instruction.
        let order = unsafe { _mm256_setr_epi32(7, 6, 5, 4, 3, 2, 1, 0) };
        // SAFETY: as above.
        Self(unsafe { _mm256_permutevar8x32_ps(self.0, order) })
    }

    #[inline(always)]
    fn transposed([a, b, c, d, e, f, g, h]: [Self; NUM_LANES]) -> [Self; NUM_LANES] {
        let ((ab, ab_high), (cd, cd_high)) = (a.interleaved(b), c.interleaved(d));
        let ((ef, ef_high), (gh, gh_high)) = (e.interleaved(f), g.interleaved(h));
        let ((first, second), (third, fourth)) = (ab.halves(cd), ab_high.halves(cd_high));
        let ((fifth, sixth), (seventh, eighth)) = (ef.halves(gh), ef_high.halves(gh_high));
        let ((one, five), (two, six)) = (first.joined(fifth), second.joined(sixth));
        let ((three, seven), (four, eight)) = (third.joined(seventh), fourth.joined(eighth));
        [one, two, three, four, five, six, seven, eight]
    }
}

impl Avx2Lanes {
    /// In each half of the register, the numbers of both by turns: the low ones, the high ones.
    #[inline(always)]
    fn interleaved(self, other: Self) -> (Self, Self) {
        // SAFETY: the values are proof of the instructions.
        let low = unsafe { _mm256_unpacklo_ps(self.0, other.0) };
        // SAFETY: as above.
        let high = unsafe { _mm256_unpackhi_ps(self.0, other.0) };
        (Self(low), Self(high))
    }

    /// In each half of the register, pairs of both: the low ones, the high ones.
    #[inline(always)]
    fn halves(self, other: Self) -> (Self, Self) {
        // SAFETY: the values are proof of the instructions.
        let low = unsafe { _mm256_shuffle_ps::<0b01_00_01_00>(self.0, other.0) };
        // SAFETY: as above.
        let high = unsafe { _mm256_shuffle_ps::<0b11_10_11_10>(self.0, other.0) };
        (Self(low), Self(high))
    }

    /// The low halves of both, the high halves.
    #[inline(always)]
    fn joined(self, other: Self) -> (Self, Self) {
        // SAFETY: the values are proof of the instructions.
        let low = unsafe { _mm256_permute2f128_ps::<0x20>(self.0, other.0) };
        // SAFETY: as above.
        let high = unsafe { _mm256_permute2f128_ps::<0x31>(self.0, other.0) };
        (Self(low), Self(high))
    }
}
