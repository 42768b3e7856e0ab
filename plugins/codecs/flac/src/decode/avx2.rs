//! Residuals of four subframes to samples, side by side in the lanes of a vector (as `predictor`, which see).
//!
//! Four values of each of the four planes A, B, C and D are loaded as two vectors, A with C and B with D. One shuffle makes a
//! *row*, which has one value of each plane in the low halves of four 64-bit lanes; the high halves never count, because
//! products take the low halves alone and sums are needed modulo 2^32. Shorter predictors than the longest have zeros for
//! the other coefficients.

#![allow(unsafe_code, reason = "loads and stores of vectors")]

use std::arch::x86_64::{
    __m256i, _mm_loadu_si128, _mm_storeu_si128, _mm256_add_epi64, _mm256_and_si256, _mm256_castps_si256,
    _mm256_castsi256_ps, _mm256_castsi256_si128, _mm256_cmpgt_epi64, _mm256_extracti128_si256,
    _mm256_mul_epi32, _mm256_set_epi64x, _mm256_set_m128i, _mm256_set1_epi32, _mm256_set1_epi64x,
    _mm256_setzero_si256, _mm256_shuffle_ps, _mm256_srli_epi32, _mm256_srlv_epi64, _mm256_sub_epi32,
    _mm256_xor_si256,
};

use super::predictor::{MAX_ORDER, NUM_LANES, Predictor};

/// The values of a plane that are loaded at a time.
const GROUP: usize = 4;

/// Restores the first `num_values` values of each plane, rounded up to a multiple of four as far as all planes reach.
#[target_feature(enable = "avx2")]
pub(super) fn restore(
    planes: [&mut [i32]; NUM_LANES],
    predictors: &[&Predictor; NUM_LANES],
    num_values: usize,
) {
    match predictors.iter().map(|predictor| predictor.order).max().unwrap_or(0) {
        0 => restore_up_to::<0>(planes, predictors, num_values),
        1 => restore_up_to::<1>(planes, predictors, num_values),
        2 => restore_up_to::<2>(planes, predictors, num_values),
        3 => restore_up_to::<3>(planes, predictors, num_values),
        4 => restore_up_to::<4>(planes, predictors, num_values),
        5 => restore_up_to::<5>(planes, predictors, num_values),
        6 => restore_up_to::<6>(planes, predictors, num_values),
        7 => restore_up_to::<7>(planes, predictors, num_values),
        8 => restore_up_to::<8>(planes, predictors, num_values),
        9 => restore_up_to::<9>(planes, predictors, num_values),
        10 => restore_up_to::<10>(planes, predictors, num_values),
        11 => restore_up_to::<11>(planes, predictors, num_values),
        12 => restore_up_to::<12>(planes, predictors, num_values),
        13..=16 => restore_up_to::<16>(planes, predictors, num_values),
        17..=24 => restore_up_to::<24>(planes, predictors, num_values),
        _ => restore_up_to::<MAX_ORDER>(planes, predictors, num_values),
    }
}

/// Four numbers in the lanes of a row.
#[inline]
#[target_feature(enable = "avx2")]
fn lanes(number: impl Fn(usize) -> i64) -> __m256i {
    // The order of a row: A and B in the low half of the vector, C and D in the high one.
    _mm256_set_epi64x(number(3), number(2), number(1), number(0))
}

#[target_feature(enable = "avx2")]
fn restore_up_to<const ORDER: usize>(
    planes: [&mut [i32]; NUM_LANES],
    predictors: &[&Predictor; NUM_LANES],
    num_values: usize,
) {
    let predictor = |lane: usize| predictors.get(lane).copied().unwrap_or(&Predictor::NONE);
    let mut weights = [_mm256_setzero_si256(); ORDER];
    for (back, weight) in weights.iter_mut().enumerate() {
        *weight = lanes(|lane| predictor(lane).coefficients.get(back).copied().map_or(0, i64::from));
    }
    let shift = lanes(|lane| predictor(lane).shift.into());
    let order = lanes(|lane| i64::try_from(predictor(lane).order).unwrap_or(0));
    let mut sums = [_mm256_setzero_si256(); ORDER];
    let num_groups = num_values.div_ceil(GROUP);
    let num_first = ORDER.div_ceil(GROUP).min(num_groups);
    let groups = planes.map(|plane| plane.as_chunks_mut::<GROUP>().0);
    let [a, b, c, d] = groups.map(|plane| {
        let num_groups = num_groups.min(plane.len());
        plane.split_at_mut(num_groups).0
    });
    for (number, (((a, b), c), d)) in a.iter_mut().zip(b).zip(c).zip(d).enumerate() {
        let (ac, bd) = (unfolded(load(a, c)), unfolded(load(b, d)));
        let mut rows = transposed(ac, bd);
        if number < num_first {
            for (place, row) in rows.iter_mut().enumerate() {
                let index = i64::try_from(number * GROUP + place).unwrap_or(i64::MAX);
                // The first `order` values of a lane are samples.
                let is_predicted = _mm256_cmpgt_epi64(_mm256_set1_epi64x(index.saturating_add(1)), order);
                *row = predicted(*row, &sums, shift, Some(is_predicted));
                advance(&mut sums, &weights, *row);
            }
        } else {
            for row in &mut rows {
                *row = predicted(*row, &sums, shift, None);
                advance(&mut sums, &weights, *row);
            }
        }
        let [ac, bd] = gathered(rows);
        store(ac, a, c);
        store(bd, b, d);
    }
}

/// The values of one plane in the low half of a vector and of another in the high one.
#[inline]
#[target_feature(enable = "avx2")]
fn load(low: &[i32; GROUP], high: &[i32; GROUP]) -> __m256i {
    // SAFETY: the reference is to 16 bytes, and the load needs no alignment.
    let low = unsafe { _mm_loadu_si128(low.as_ptr().cast()) };
    // SAFETY: as above.
    let high = unsafe { _mm_loadu_si128(high.as_ptr().cast()) };
    _mm256_set_m128i(high, low)
}

/// The reverse of [`load`].
#[inline]
#[target_feature(enable = "avx2")]
fn store(values: __m256i, low: &mut [i32; GROUP], high: &mut [i32; GROUP]) {
    let (of_low, of_high) = (_mm256_castsi256_si128(values), _mm256_extracti128_si256::<1>(values));
    // SAFETY: the reference is to 16 bytes, and the store needs no alignment.
    unsafe { _mm_storeu_si128(low.as_mut_ptr().cast(), of_low) };
    // SAFETY: as above.
    unsafe { _mm_storeu_si128(high.as_mut_ptr().cast(), of_high) };
}

#[inline]
#[target_feature(enable = "avx2")]
fn unfolded(values: __m256i) -> __m256i {
    let sign = _mm256_sub_epi32(_mm256_setzero_si256(), _mm256_and_si256(values, _mm256_set1_epi32(1)));
    _mm256_xor_si256(_mm256_srli_epi32::<1>(values), sign)
}

/// The rows of four values of each plane.
#[inline]
#[target_feature(enable = "avx2")]
fn transposed(ac: __m256i, bd: __m256i) -> [__m256i; GROUP] {
    let (ac, bd) = (_mm256_castsi256_ps(ac), _mm256_castsi256_ps(bd));
    [
        _mm256_castps_si256(_mm256_shuffle_ps::<0b00_00_00_00>(ac, bd)),
        _mm256_castps_si256(_mm256_shuffle_ps::<0b01_01_01_01>(ac, bd)),
        _mm256_castps_si256(_mm256_shuffle_ps::<0b10_10_10_10>(ac, bd)),
        _mm256_castps_si256(_mm256_shuffle_ps::<0b11_11_11_11>(ac, bd)),
    ]
}

/// The reverse of [`transposed`].
#[inline]
#[target_feature(enable = "avx2")]
fn gathered(rows: [__m256i; GROUP]) -> [__m256i; 2] {
    let [first, second, third, fourth] = rows.map(|row| _mm256_castsi256_ps(row));
    // Of two rows: A, B, A, B in the low half, C, D, C, D in the high one.
    let (front, back) = (
        _mm256_shuffle_ps::<0b10_00_10_00>(first, second),
        _mm256_shuffle_ps::<0b10_00_10_00>(third, fourth),
    );
    [
        _mm256_castps_si256(_mm256_shuffle_ps::<0b10_00_10_00>(front, back)),
        _mm256_castps_si256(_mm256_shuffle_ps::<0b11_01_11_01>(front, back)),
    ]
}

/// The samples of a row of residuals. `mask` has the lanes that are predicted at all.
#[inline]
#[target_feature(enable = "avx2")]
fn predicted<const ORDER: usize>(
    residuals: __m256i,
    sums: &[__m256i; ORDER],
    shift: __m256i,
    mask: Option<__m256i>,
) -> __m256i {
    let Some(sum) = sums.first() else { return residuals };
    // The low 32 bits of the sum shifted by less than 32 are the same whatever comes in from above.
    let prediction = _mm256_srlv_epi64(*sum, shift);
    let prediction = mask.map_or(prediction, |mask| _mm256_and_si256(prediction, mask));
    _mm256_add_epi64(residuals, prediction)
}

/// As the scalar function: `sums[n]` has what the samples so far count for the row n steps ahead.
#[inline]
#[target_feature(enable = "avx2")]
#[expect(clippy::indexing_slicing, reason = "below the length; the compiler keeps all sums in registers")]
fn advance<const ORDER: usize>(sums: &mut [__m256i; ORDER], weights: &[__m256i; ORDER], row: __m256i) {
    for ahead in 0..ORDER {
        let product = _mm256_mul_epi32(row, weights[ahead]);
        sums[ahead] = if ahead + 1 < ORDER { _mm256_add_epi64(sums[ahead + 1], product) } else { product };
    }
}
