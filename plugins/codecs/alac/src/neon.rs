//! Residuals of four channels to samples, side by side in the lanes of a vector (as `predictor`, which see).
//!
//! Four values of each plane are transposed to four rows, which have one value of each plane. All lanes have as many
//! coefficients as the longest predictor, of which a mask says which count.

#![allow(unsafe_code, reason = "loads and stores of vectors")]

use std::arch::aarch64::{
    int32x4_t, vabdq_s32, vabsq_s32, vaddq_s32, vandq_s32, vbslq_s32, vceqq_s32, vcgtzq_s32, vdupq_n_s32,
    veorq_s32, vld1q_s32, vmaxq_s32, vminq_s32, vmlaq_s32, vmlsq_s32, vnegq_s32, vreinterpretq_s32_s64,
    vreinterpretq_s32_u32, vreinterpretq_s64_s32, vreinterpretq_u32_s32, vshlq_s32, vshrq_n_s32, vshrq_n_u32,
    vst1q_s32, vsubq_s32, vtrn1q_s32, vtrn1q_s64, vtrn2q_s32, vtrn2q_s64, vtstq_s32,
};

use crate::predictor::{self, MAX_VECTOR_ORDER, NUM_FIRST, Predictor};

/// The channels that are restored at a time.
pub(crate) const NUM_LANES: usize = 4;

/// The values of a plane that are loaded at a time.
const GROUP: usize = 4;

/// Restores the values of each plane, rounded up to a multiple of four as far as all planes reach. Predictors are
/// [suitable](Predictor::suits_vectors), or of order 0, whose planes are left to no purpose. Each has its own first values, of
/// which there are `num_values` at most.
#[target_feature(enable = "neon")]
pub(crate) fn restore(
    planes: [&mut [i32]; NUM_LANES],
    predictors: &mut [Predictor; NUM_LANES],
    num_values: usize,
) {
    let greatest = predictors.iter().map(|predictor| predictor.order).max().unwrap_or(0);
    let is_even = predictors.iter().all(|predictor| predictor.order == greatest);
    match (greatest, is_even) {
        (0, _) => {}
        (4, true) => restore_up_to::<4, true>(planes, predictors, num_values),
        (1..=4, _) => restore_up_to::<4, false>(planes, predictors, num_values),
        (5, true) => restore_up_to::<5, true>(planes, predictors, num_values),
        (6, true) => restore_up_to::<6, true>(planes, predictors, num_values),
        (5 | 6, _) => restore_up_to::<6, false>(planes, predictors, num_values),
        (8, true) => restore_up_to::<8, true>(planes, predictors, num_values),
        _ => restore_up_to::<8, false>(planes, predictors, num_values),
    }
}

/// One number for each lane.
#[inline]
#[target_feature(enable = "neon")]
fn lanes(number: impl Fn(usize) -> i32) -> int32x4_t {
    load(&std::array::from_fn(number))
}

/// What rows are predicted by.
struct Lanes<const ORDER: usize> {
    /// The weight of the sample before, of that before it, and so on.
    coefficients: [int32x4_t; ORDER],
    /// The age of the sample that a coefficient belongs to, from the oldest on, which has 1; 0 where there is none.
    ages: [int32x4_t; ORDER],
    /// Of one bit for each bit: the coefficients that there are.
    counts: [int32x4_t; ORDER],
    /// The bits by which a sum is shifted to the left: less than nothing.
    shift: int32x4_t,
    half: int32x4_t,
    rounding: int32x4_t,
    unused: int32x4_t,
    order: int32x4_t,
}

/// `IS_EVEN`: all predictors have `ORDER` coefficients.
#[target_feature(enable = "neon")]
#[expect(
    clippy::indexing_slicing,
    reason = "lanes and rows are below the lengths; the compiler keeps them in registers"
)]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "orders and shifts are below 32"
)]
fn restore_up_to<const ORDER: usize, const IS_EVEN: bool>(
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
    let zero = vdupq_n_s32(0);
    let mut state = Lanes {
        coefficients: [zero; ORDER],
        ages: [zero; ORDER],
        counts: [zero; ORDER],
        shift: lanes(|lane| -(predictors[lane].shift as i32)),
        half: lanes(|lane| 1 << predictors[lane].shift >> 1),
        rounding: lanes(|lane| (1 << predictors[lane].shift) - 1),
        unused: lanes(|lane| 32 - predictors[lane].num_bits as i32),
        order: lanes(|lane| predictors[lane].order as i32),
    };
    for back in 0..ORDER {
        state.coefficients[back] = lanes(|lane| predictors[lane].coefficients[back]);
        state.ages[back] = lanes(|lane| (predictors[lane].order as i32 - back as i32).max(0));
        state.counts[back] = lanes(|lane| -i32::from(back < predictors[lane].order));
    }
    // The last rows, the newest last.
    let mut before = [zero; MAX_VECTOR_ORDER + 1];
    for (place, row) in before.iter_mut().take(ORDER + 1).enumerate() {
        let place = NUM_FIRST - ORDER - 1 + place;
        *row = lanes(|lane| planes[lane].get(place).copied().unwrap_or(0));
    }
    let num_groups = num_values.div_ceil(GROUP);
    let [a, b, c, d] = planes.map(|plane| {
        let groups = plane.as_chunks_mut::<GROUP>().0;
        let (groups, _) = groups.split_at_mut(num_groups.min(groups.len()));
        groups.iter_mut().skip(NUM_FIRST / GROUP)
    });
    for (((a, b), c), d) in a.zip(b).zip(c).zip(d) {
        let [first, second, third, fourth] =
            transposed([unfolded(load(a)), unfolded(load(b)), unfolded(load(c)), unfolded(load(d))]);
        // Four new ones stand behind.
        let mut rows = [zero; MAX_VECTOR_ORDER + 1 + GROUP];
        rows[..=ORDER].copy_from_slice(&before[..=ORDER]);
        rows[ORDER + 1] = restored::<ORDER, IS_EVEN>(&mut state, first, &rows[..=ORDER]);
        rows[ORDER + 2] = restored::<ORDER, IS_EVEN>(&mut state, second, &rows[1..ORDER + 2]);
        rows[ORDER + 3] = restored::<ORDER, IS_EVEN>(&mut state, third, &rows[2..ORDER + 3]);
        rows[ORDER + 4] = restored::<ORDER, IS_EVEN>(&mut state, fourth, &rows[3..ORDER + 4]);
        before[..=ORDER].copy_from_slice(&rows[GROUP..=ORDER + GROUP]);
        // Transposing is its own inverse.
        let [of_a, of_b, of_c, of_d] =
            transposed([rows[ORDER + 1], rows[ORDER + 2], rows[ORDER + 3], rows[ORDER + 4]]);
        store(of_a, a);
        store(of_b, b);
        store(of_c, c);
        store(of_d, d);
    }
}

/// The row of a row of residuals and of the `ORDER + 1` rows before it. The coefficients learn from it.
#[inline]
#[target_feature(enable = "neon")]
#[expect(
    clippy::indexing_slicing,
    reason = "rows are below the length; the compiler keeps them in registers"
)]
#[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "orders are below 9")]
fn restored<const ORDER: usize, const IS_EVEN: bool>(
    state: &mut Lanes<ORDER>,
    residual: int32x4_t,
    rows: &[int32x4_t],
) -> int32x4_t {
    let mut oldest = rows[0];
    if !IS_EVEN {
        for shorter in 1..ORDER {
            let is_such = vceqq_s32(state.order, vdupq_n_s32(shorter as i32));
            oldest = vbslq_s32(is_such, rows[ORDER - shorter], oldest);
        }
    }
    let mut sum = state.half;
    let mut left = vabsq_s32(residual);
    let bias = vandq_s32(vshrq_n_s32::<31>(residual), state.rounding);
    let way = signs(residual);
    for back in (0..ORDER).rev() {
        let before = rows[ORDER - back];
        let difference = vsubq_s32(before, oldest);
        sum = vmlaq_s32(sum, state.coefficients[back], difference);
        let learns = vreinterpretq_s32_u32(vcgtzq_s32(left));
        let mut step = vandq_s32(way, learns);
        if !IS_EVEN {
            step = vandq_s32(step, state.counts[back]);
        }
        state.coefficients[back] = vmlaq_s32(state.coefficients[back], signs(difference), step);
        let taken = vshlq_s32(vaddq_s32(vabdq_s32(before, oldest), bias), state.shift);
        let age = if IS_EVEN { vdupq_n_s32((ORDER - back) as i32) } else { state.ages[back] };
        left = vmlsq_s32(left, taken, age);
    }
    let sample = vaddq_s32(vaddq_s32(residual, oldest), vshlq_s32(sum, state.shift));
    vshlq_s32(vshlq_s32(sample, state.unused), vnegq_s32(state.unused))
}

/// -1, 0 or 1.
#[inline]
#[target_feature(enable = "neon")]
fn signs(values: int32x4_t) -> int32x4_t {
    vmaxq_s32(vminq_s32(values, vdupq_n_s32(1)), vdupq_n_s32(-1))
}

/// The values of one plane.
#[inline]
#[target_feature(enable = "neon")]
fn load(values: &[i32; GROUP]) -> int32x4_t {
    // SAFETY: the reference is to 16 bytes, and the load needs no alignment but that of a number.
    unsafe { vld1q_s32(values.as_ptr()) }
}

#[inline]
#[target_feature(enable = "neon")]
fn store(values: int32x4_t, to: &mut [i32; GROUP]) {
    // SAFETY: the reference is to 16 bytes, and the store needs no alignment but that of a number.
    unsafe { vst1q_s32(to.as_mut_ptr(), values) };
}

#[inline]
#[target_feature(enable = "neon")]
fn unfolded(values: int32x4_t) -> int32x4_t {
    let sign = vreinterpretq_s32_u32(vtstq_s32(values, vdupq_n_s32(1)));
    veorq_s32(vreinterpretq_s32_u32(vshrq_n_u32::<1>(vreinterpretq_u32_s32(values))), sign)
}

/// Four vectors of four planes as four rows, or the reverse.
#[inline]
#[target_feature(enable = "neon")]
fn transposed([a, b, c, d]: [int32x4_t; GROUP]) -> [int32x4_t; GROUP] {
    let even = |one, two| vreinterpretq_s64_s32(vtrn1q_s32(one, two));
    let odd = |one, two| vreinterpretq_s64_s32(vtrn2q_s32(one, two));
    let front = |one, two| vreinterpretq_s32_s64(vtrn1q_s64(one, two));
    let back = |one, two| vreinterpretq_s32_s64(vtrn2q_s64(one, two));
    let (ab, ab_odd, cd, cd_odd) = (even(a, b), odd(a, b), even(c, d), odd(c, d));
    [front(ab, cd), front(ab_odd, cd_odd), back(ab, cd), back(ab_odd, cd_odd)]
}
