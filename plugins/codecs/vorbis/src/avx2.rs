//! Vectors of AVX2.
//!
//! Unsafe code is allowed in this file to use instructions that not every processor has.

#![allow(unsafe_code, reason = "instructions that not every processor has")]

use std::arch::x86_64::{
    __m256, _mm256_add_ps, _mm256_castpd_ps, _mm256_castps_pd, _mm256_loadu_ps, _mm256_mul_ps,
    _mm256_permute2f128_ps, _mm256_permute4x64_pd, _mm256_permutevar8x32_ps, _mm256_set1_ps,
    _mm256_setr_epi32, _mm256_shuffle_ps, _mm256_storeu_ps, _mm256_sub_ps, _mm256_unpackhi_pd,
    _mm256_unpackhi_ps, _mm256_unpacklo_pd, _mm256_unpacklo_ps, _mm256_xor_ps,
};

use crate::simd::{Block, NUM_LANES, Simd};

/// The proof that this processor has AVX2, BMI1, BMI2 and LZCNT: only [`detect`](Self::detect) makes one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx2(());

impl Avx2 {
    /// The proof, if the processor has the instructions.
    pub(crate) fn detect() -> Option<Self> {
        let has_all = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("lzcnt");
        has_all.then_some(Self(()))
    }
}

#[target_feature(enable = "avx2")]
#[inline]
fn load(from: &Block) -> __m256 {
    // SAFETY: the reference is to 32 bytes, and the load needs no alignment.
    unsafe { _mm256_loadu_ps(from.as_ptr()) }
}

#[target_feature(enable = "avx2")]
#[inline]
fn store(lanes: __m256, to: &mut Block) {
    // SAFETY: the reference is to 32 bytes, and the store needs no alignment.
    unsafe { _mm256_storeu_ps(to.as_mut_ptr(), lanes) };
}

#[target_feature(enable = "avx2")]
#[inline]
fn negate(lanes: __m256) -> __m256 {
    _mm256_xor_ps(lanes, _mm256_set1_ps(-0.0))
}

#[target_feature(enable = "avx2")]
#[inline]
fn reverse(lanes: __m256) -> __m256 {
    _mm256_permutevar8x32_ps(lanes, _mm256_setr_epi32(7, 6, 5, 4, 3, 2, 1, 0))
}

#[target_feature(enable = "avx2")]
#[inline]
fn interleave(one: __m256, other: __m256) -> (__m256, __m256) {
    let (low, high) = (_mm256_unpacklo_ps(one, other), _mm256_unpackhi_ps(one, other));
    (_mm256_permute2f128_ps::<0x20>(low, high), _mm256_permute2f128_ps::<0x31>(low, high))
}

#[target_feature(enable = "avx2")]
#[inline]
fn deinterleave(one: __m256, other: __m256) -> (__m256, __m256) {
    let evens = _mm256_shuffle_ps::<0b10_00_10_00>(one, other);
    let odds = _mm256_shuffle_ps::<0b11_01_11_01>(one, other);
    let ordered = |lanes| _mm256_castpd_ps(_mm256_permute4x64_pd::<0b11_01_10_00>(_mm256_castps_pd(lanes)));
    (ordered(evens), ordered(odds))
}

#[target_feature(enable = "avx2")]
#[inline]
fn transpose(rows: [__m256; NUM_LANES]) -> [__m256; NUM_LANES] {
    let [a, b, c, d, e, f, g, h] = rows;
    let pairs = |one, other| (_mm256_unpacklo_ps(one, other), _mm256_unpackhi_ps(one, other));
    let ((ab, ab_far), (cd, cd_far), (ef, ef_far), (gh, gh_far)) =
        (pairs(a, b), pairs(c, d), pairs(e, f), pairs(g, h));
    let fours = |one, other| {
        let (one, other) = (_mm256_castps_pd(one), _mm256_castps_pd(other));
        (_mm256_castpd_ps(_mm256_unpacklo_pd(one, other)), _mm256_castpd_ps(_mm256_unpackhi_pd(one, other)))
    };
    let ((first, second), (third, fourth)) = (fours(ab, cd), fours(ab_far, cd_far));
    let ((first_end, second_end), (third_end, fourth_end)) = (fours(ef, gh), fours(ef_far, gh_far));
    let low = |one, other| _mm256_permute2f128_ps::<0x20>(one, other);
    let high = |one, other| _mm256_permute2f128_ps::<0x31>(one, other);
    [
        low(first, first_end),
        low(second, second_end),
        low(third, third_end),
        low(fourth, fourth_end),
        high(first, first_end),
        high(second, second_end),
        high(third, third_end),
        high(fourth, fourth_end),
    ]
}

impl Simd for Avx2 {
    type Lanes = __m256;

    #[inline(always)]
    fn load(self, from: &Block) -> __m256 {
        // SAFETY: `self` proves that the processor has AVX2.
        unsafe { load(from) }
    }

    #[inline(always)]
    fn store(self, lanes: __m256, to: &mut Block) {
        // SAFETY: `self` proves that the processor has AVX2.
        unsafe { store(lanes, to) };
    }

    #[inline(always)]
    fn splat(self, number: f32) -> __m256 {
        // SAFETY: `self` proves that the processor has AVX2.
        unsafe { _mm256_set1_ps(number) }
    }

    #[inline(always)]
    fn add(self, one: __m256, other: __m256) -> __m256 {
        // SAFETY: `self` proves that the processor has AVX2.
        unsafe { _mm256_add_ps(one, other) }
    }

    #[inline(always)]
    fn sub(self, one: __m256, other: __m256) -> __m256 {
        // SAFETY: `self` proves that the processor has AVX2.
        unsafe { _mm256_sub_ps(one, other) }
    }

    #[inline(always)]
    fn mul(self, one: __m256, other: __m256) -> __m256 {
        // SAFETY: `self` proves that the processor has AVX2.
        unsafe { _mm256_mul_ps(one, other) }
    }

    #[inline(always)]
    fn negate(self, lanes: __m256) -> __m256 {
        // SAFETY: `self` proves that the processor has AVX2.
        unsafe { negate(lanes) }
    }

    #[inline(always)]
    fn reverse(self, lanes: __m256) -> __m256 {
        // SAFETY: `self` proves that the processor has AVX2.
        unsafe { reverse(lanes) }
    }

    #[inline(always)]
    fn interleave(self, one: __m256, other: __m256) -> (__m256, __m256) {
        // SAFETY: `self` proves that the processor has AVX2.
        unsafe { interleave(one, other) }
    }

    #[inline(always)]
    fn deinterleave(self, one: __m256, other: __m256) -> (__m256, __m256) {
        // SAFETY: `self` proves that the processor has AVX2.
        unsafe { deinterleave(one, other) }
    }

    #[inline(always)]
    fn transpose(self, rows: [__m256; NUM_LANES]) -> [__m256; NUM_LANES] {
        // SAFETY: `self` proves that the processor has AVX2.
        unsafe { transpose(rows) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::tests::check;

    #[target_feature(enable = "avx2")]
    fn check_all(simd: Avx2) {
        check(simd);
    }

    #[test]
    fn operations_are_those_of_plain_lanes() {
        if let Some(simd) = Avx2::detect() {
            // SAFETY: the value proves that the processor has AVX2.
            unsafe { check_all(simd) };
        }
    }
}
