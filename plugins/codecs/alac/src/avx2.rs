//! Residuals of eight channels to samples, side by side in the lanes of a vector (as `predictor`, which see).
//!
//! Eight values of each plane are transposed to eight rows, which have one value of each plane. All lanes have as many
//! coefficients as the longest predictor, of which a mask says which count.

#![allow(unsafe_code, reason = "loads and stores of vectors")]

use std::arch::x86_64::{
    __m256i, _mm256_abs_epi32, _mm256_add_epi32, _mm256_and_si256, _mm256_blendv_epi8, _mm256_cmpeq_epi32,
    _mm256_cmpgt_epi32, _mm256_loadu_si256, _mm256_madd_epi16, _mm256_mullo_epi32, _mm256_permute2x128_si256,
    _mm256_set1_epi32, _mm256_setr_epi32, _mm256_setzero_si256, _mm256_sign_epi32, _mm256_sllv_epi32,
    _mm256_srai_epi32, _mm256_srav_epi32, _mm256_srli_epi32, _mm256_srlv_epi32, _mm256_storeu_si256,
    _mm256_sub_epi32, _mm256_unpackhi_epi32, _mm256_unpackhi_epi64, _mm256_unpacklo_epi32,
    _mm256_unpacklo_epi64, _mm256_xor_si256,
};

use crate::predictor::{self, MAX_VECTOR_ORDER, NUM_FIRST, NUM_LANES, Predictor};

/// The values of a plane that are loaded at a time.
const GROUP: usize = 8;

/// Restores the values of each plane, rounded up to a multiple of eight as far as all planes reach. Predictors are
/// [suitable](Predictor::suits_vectors), or of order 0, whose planes are left to no purpose. Each has its own first values, of which there are
/// `num_values` at most.
#[target_feature(enable = "avx2")]
pub(crate) fn restore(
    planes: [&mut [i32]; NUM_LANES],
    predictors: &mut [Predictor; NUM_LANES],
    num_values: usize,
) {
    let greatest = predictors.iter().map(|predictor| predictor.order).max().unwrap_or(0);
    let is_even = predictors.iter().all(|predictor| predictor.order == greatest);
    // What the coefficients learn from is below 2^15, where a cheaper multiplication does.
    let is_narrow =
        predictors.iter().all(|predictor| predictor.order == 0 || predictor.num_bits < 14 + predictor.shift);
    match (greatest, is_even, is_narrow) {
        (0, ..) => {}
        (4, true, true) => restore_up_to::<4, true, true>(planes, predictors, num_values),
        (1..=4, ..) => restore_up_to::<4, false, false>(planes, predictors, num_values),
        (5, true, true) => restore_up_to::<5, true, true>(planes, predictors, num_values),
        (6, true, true) => restore_up_to::<6, true, true>(planes, predictors, num_values),
        (6, true, false) => restore_up_to::<6, true, false>(planes, predictors, num_values),
        (5 | 6, _, true) => restore_up_to::<6, false, true>(planes, predictors, num_values),
        (5 | 6, ..) => restore_up_to::<6, false, false>(planes, predictors, num_values),
        (8, true, true) => restore_up_to::<8, true, true>(planes, predictors, num_values),
        (8, true, false) => restore_up_to::<8, true, false>(planes, predictors, num_values),
        (_, _, true) => restore_up_to::<8, false, true>(planes, predictors, num_values),
        (_, _, false) => restore_up_to::<8, false, false>(planes, predictors, num_values),
    }
}

/// One number for each lane.
#[inline]
#[target_feature(enable = "avx2")]
fn lanes(number: impl Fn(usize) -> i32) -> __m256i {
    let [a, b, c, d, e, f, g, h] = std::array::from_fn(number);
    _mm256_setr_epi32(a, b, c, d, e, f, g, h)
}

/// `IS_EVEN`: all predictors have `ORDER` coefficients. `IS_NARROW`: what they learn from is below 2^15.
#[target_feature(enable = "avx2")]
#[expect(
    clippy::indexing_slicing,
    reason = "lanes and rows are below the lengths; the compiler keeps them in registers"
)]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "orders and shifts are below 32"
)]
fn restore_up_to<const ORDER: usize, const IS_EVEN: bool, const IS_NARROW: bool>(
    mut planes: [&mut [i32]; NUM_LANES],
    predictors: &mut [Predictor; NUM_LANES],
    num_values: usize,
) {
    for (plane, predictor) in planes.iter_mut().zip(&mut *predictors) {
        let first = plane.get_mut(..NUM_FIRST.min(num_values)).unwrap_or_default();
        if predictor.order > 0 {
            predictor::restore(first, predictor);
        }
    }
    let zero = _mm256_setzero_si256();
    let mut coefficients = [zero; ORDER];
    let mut weights = [zero; ORDER];
    let mut counts = [zero; ORDER];
    for back in 0..ORDER {
        coefficients[back] = lanes(|lane| predictors[lane].coefficients[back]);
        weights[back] = lanes(|lane| (predictors[lane].order as i32 - back as i32).max(0));
        counts[back] = lanes(|lane| -i32::from(back < predictors[lane].order));
    }
    let shift = lanes(|lane| predictors[lane].shift as i32);
    let half = lanes(|lane| 1 << predictors[lane].shift >> 1);
    let rounding = lanes(|lane| (1 << predictors[lane].shift) - 1);
    let unused = lanes(|lane| 32 - predictors[lane].num_bits as i32);
    let order = lanes(|lane| predictors[lane].order as i32);
    // The last rows, the newest last, then eight new ones.
    let mut rows = [zero; MAX_VECTOR_ORDER + 1 + GROUP];
    for (place, row) in rows.iter_mut().take(ORDER + 1).enumerate() {
        let place = NUM_FIRST - ORDER - 1 + place;
        *row = lanes(|lane| planes[lane].get(place).copied().unwrap_or(0));
    }
    let num_groups = num_values.div_ceil(GROUP);
    let mut groups = planes.map(|plane| plane.as_chunks_mut::<GROUP>().0);
    let num_groups = groups.iter().fold(num_groups, |num_groups, plane| num_groups.min(plane.len()));
    for group in NUM_FIRST / GROUP..num_groups {
        let mut new = [zero; GROUP];
        for (to, plane) in new.iter_mut().zip(&groups) {
            *to = load(&plane[group]);
        }
        let residuals = transposed(new).map(|folded| unfolded(folded));
        for (place, residual) in residuals.into_iter().enumerate() {
            let before = |back: usize| rows[place + ORDER - back];
            let mut oldest = rows[place];
            if !IS_EVEN {
                for shorter in 1..ORDER {
                    let is_such = _mm256_cmpeq_epi32(order, _mm256_set1_epi32(shorter as i32));
                    oldest = _mm256_blendv_epi8(oldest, rows[place + ORDER - shorter], is_such);
                }
            }
            let mut sum = half;
            let mut left = _mm256_abs_epi32(residual);
            let bias = _mm256_and_si256(_mm256_srai_epi32::<31>(residual), rounding);
            let way = _mm256_sign_epi32(_mm256_set1_epi32(1), residual);
            for back in (0..ORDER).rev() {
                let difference = _mm256_sub_epi32(before(back), oldest);
                sum = _mm256_add_epi32(sum, _mm256_mullo_epi32(coefficients[back], difference));
                let taken = _mm256_srlv_epi32(_mm256_add_epi32(_mm256_abs_epi32(difference), bias), shift);
                let taken = if IS_NARROW {
                    _mm256_madd_epi16(taken, weights[back])
                } else {
                    _mm256_mullo_epi32(taken, weights[back])
                };
                let mut learns = _mm256_cmpgt_epi32(left, zero);
                if !IS_EVEN {
                    learns = _mm256_and_si256(learns, counts[back]);
                }
                let step = _mm256_and_si256(_mm256_sign_epi32(way, difference), learns);
                coefficients[back] = _mm256_add_epi32(coefficients[back], step);
                left = _mm256_sub_epi32(left, taken);
            }
            let sample = _mm256_add_epi32(_mm256_add_epi32(residual, oldest), _mm256_srav_epi32(sum, shift));
            rows[place + ORDER + 1] = _mm256_srav_epi32(_mm256_sllv_epi32(sample, unused), unused);
        }
        let mut done = [zero; GROUP];
        done.copy_from_slice(&rows[ORDER + 1..ORDER + 1 + GROUP]);
        // Transposing is its own inverse.
        for (values, plane) in transposed(done).into_iter().zip(&mut groups) {
            store(values, &mut plane[group]);
        }
        for place in 0..=ORDER {
            rows[place] = rows[place + GROUP];
        }
    }
}

/// The values of one plane.
#[inline]
#[target_feature(enable = "avx2")]
fn load(values: &[i32; GROUP]) -> __m256i {
    // SAFETY: the reference is to 32 bytes, and the load needs no alignment.
    unsafe { _mm256_loadu_si256(values.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn store(values: __m256i, to: &mut [i32; GROUP]) {
    // SAFETY: the reference is to 32 bytes, and the store needs no alignment.
    unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), values) };
}

#[inline]
#[target_feature(enable = "avx2")]
fn unfolded(values: __m256i) -> __m256i {
    let sign = _mm256_sub_epi32(_mm256_setzero_si256(), _mm256_and_si256(values, _mm256_set1_epi32(1)));
    _mm256_xor_si256(_mm256_srli_epi32::<1>(values), sign)
}

/// Eight vectors of eight planes as eight rows, or the reverse.
#[inline]
#[target_feature(enable = "avx2")]
fn transposed(vectors: [__m256i; GROUP]) -> [__m256i; GROUP] {
    let [a, b, c, d, e, f, g, h] = vectors;
    let pairs = |one, two| (_mm256_unpacklo_epi32(one, two), _mm256_unpackhi_epi32(one, two));
    let ((ab, ab_far), (cd, cd_far), (ef, ef_far), (gh, gh_far)) =
        (pairs(a, b), pairs(c, d), pairs(e, f), pairs(g, h));
    let fours = |one, two| (_mm256_unpacklo_epi64(one, two), _mm256_unpackhi_epi64(one, two));
    let ((first, second), (third, fourth)) = (fours(ab, cd), fours(ab_far, cd_far));
    let ((first_end, second_end), (third_end, fourth_end)) = (fours(ef, gh), fours(ef_far, gh_far));
    let low = |one, two| _mm256_permute2x128_si256::<0x20>(one, two);
    let high = |one, two| _mm256_permute2x128_si256::<0x31>(one, two);
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
