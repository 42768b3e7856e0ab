//! Residuals of four subframes to samples, side by side in the lanes of a vector (as `predictor`, which see).
//!
//! Four values of each of the four planes are transposed to four *rows*, which have one value of each plane. A row is predicted
//! from the rows before it. The sum begins with the oldest row, so that only its last product waits for the row before. Shorter
//! predictors than the longest have zeros for the other coefficients.
//!
//! Sums take 64 bits, for which two vectors and twice the instructions are needed. But 32 bits hold every sum of samples that
//! are not too loud for their coefficients. So *chunks* are restored with sums of 32 bits first; where a sample turns out to be
//! too loud, the chunk is restored again with sums of 64, and so is the rest of the planes. Each way is a function of its own, which
//! is never inlined, so that its loop has all registers.

#![allow(
    unsafe_code,
    reason = "loads and stores of vectors, and instructions that the compiler does not choose"
)]

use std::arch::aarch64::{
    int32x4_t, int64x2_t, uint32x4_t, vabsq_s32, vaddq_s32, vandq_s32, vcgeq_s32, vcgtq_u32, vdupq_n_s32,
    vdupq_n_s64, vdupq_n_u32, veorq_s32, vget_low_s32, vld1q_s32, vmaxq_u32, vmaxvq_u32, vmlaq_s32,
    vmovl_high_s32, vmovl_s32, vnegq_s32, vreinterpretq_s32_s64, vreinterpretq_s32_u32,
    vreinterpretq_s64_s32, vreinterpretq_u32_s32, vshlq_s32, vshlq_s64, vshrq_n_u32, vst1q_s32, vtrn1q_s32,
    vtrn1q_s64, vtrn2q_s32, vtrn2q_s64, vtstq_s32, vuzp1q_s32,
};
use std::arch::asm;

use super::predictor::{MAX_ORDER, NUM_LANES, Predictor};

/// The values of a plane that are loaded at a time.
const GROUP: usize = 4;
/// The groups of a chunk.
const CHUNK: usize = 16;

/// Restores the first `num_values` values of each plane, rounded up to a multiple of four as far as all planes reach.
#[target_feature(enable = "neon")]
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
#[target_feature(enable = "neon")]
fn lanes(number: impl Fn(usize) -> i32) -> int32x4_t {
    load(&std::array::from_fn(number))
}

/// What lanes are predicted by.
struct Weights<const ORDER: usize> {
    /// Those of the row before, of that before it, and so on.
    weights: [int32x4_t; ORDER],
    /// The bits by which sums are shifted to the left: less than nothing.
    shift: int32x4_t,
    /// The first values of a lane, which are samples.
    order: int32x4_t,
}

/// The greatest magnitude of a sample for which 32 bits hold every sum of products, or as much of it as counts.
fn limit(predictor: &Predictor) -> u32 {
    let total = predictor.coefficients.iter().map(|coefficient| coefficient.unsigned_abs());
    // Sums that are not shifted are needed modulo 2^32.
    let total = if predictor.shift == 0 { 0 } else { total.fold(0, u32::saturating_add) };
    i32::MAX.unsigned_abs().checked_div(total).unwrap_or(u32::MAX)
}

#[target_feature(enable = "neon")]
fn restore_up_to<const ORDER: usize>(
    planes: [&mut [i32]; NUM_LANES],
    predictors: &[&Predictor; NUM_LANES],
    num_values: usize,
) {
    let predictor = |lane: usize| predictors.get(lane).copied().unwrap_or(&Predictor::NONE);
    let zero = vdupq_n_s32(0);
    let mut weights = [zero; ORDER];
    for (back, weight) in weights.iter_mut().enumerate() {
        *weight = lanes(|lane| predictor(lane).coefficients.get(back).copied().unwrap_or(0));
    }
    let weights = Weights {
        weights,
        shift: vnegq_s32(lanes(|lane| predictor(lane).shift.cast_signed())),
        order: lanes(|lane| i32::try_from(predictor(lane).order).unwrap_or(0)),
    };
    let limit = vreinterpretq_u32_s32(lanes(|lane| limit(predictor(lane)).cast_signed()));
    let num_groups = num_values.div_ceil(GROUP);
    let [a, b, c, d] = planes.map(|plane| {
        let groups = plane.as_chunks_mut::<GROUP>().0;
        groups.split_at_mut(num_groups.min(groups.len())).0.chunks_mut(CHUNK)
    });
    let mut before = [zero; ORDER];
    let mut residuals = [[zero; GROUP]; CHUNK];
    let mut magnitude = vdupq_n_u32(0);
    let mut is_quiet = true;
    for (number, (((a, b), c), d)) in a.zip(b).zip(c).zip(d).enumerate() {
        let mut planes = [a, b, c, d];
        read_residuals(&planes, &mut residuals);
        if number == 0 {
            restore_first(&weights, &mut before, &residuals, &mut planes);
            for row in before {
                magnitude = vmaxq_u32(magnitude, magnitudes(row));
            }
            continue;
        }
        let rows = before;
        if is_quiet {
            magnitude = restore_quiet(&weights, &mut before, &residuals, &mut planes, magnitude);
            is_quiet = vmaxvq_u32(vcgtq_u32(magnitude, limit)) == 0;
        }
        if !is_quiet {
            before = rows;
            restore_loud(&weights, &mut before, &residuals, &mut planes);
        }
    }
}

/// The rows of a chunk.
#[inline]
#[target_feature(enable = "neon")]
fn read_residuals(planes: &[&mut [[i32; GROUP]]; NUM_LANES], residuals: &mut [[int32x4_t; GROUP]; CHUNK]) {
    let [a, b, c, d] = planes;
    for (rows, (((a, b), c), d)) in residuals.iter_mut().zip(a.iter().zip(&**b).zip(&**c).zip(&**d)) {
        *rows = transposed([unfolded(load(a)), unfolded(load(b)), unfolded(load(c)), unfolded(load(d))]);
    }
}

/// Restores the first chunk of all, in which some rows are samples.
#[inline(never)]
#[target_feature(enable = "neon")]
fn restore_first<const ORDER: usize>(
    weights: &Weights<ORDER>,
    before: &mut [int32x4_t; ORDER],
    residuals: &[[int32x4_t; GROUP]; CHUNK],
    planes: &mut [&mut [[i32; GROUP]]; NUM_LANES],
) {
    let mut index = vdupq_n_s32(0);
    restore_chunk(before, residuals, planes, |residual, rows| {
        let is_predicted = vreinterpretq_s32_u32(vcgeq_s32(index, weights.order));
        index = vaddq_s32(index, vdupq_n_s32(1));
        vaddq_s32(residual, vandq_s32(wide_prediction(weights, rows), is_predicted))
    });
}

/// Restores a chunk with sums of 64 bits.
#[inline(never)]
#[target_feature(enable = "neon")]
fn restore_loud<const ORDER: usize>(
    weights: &Weights<ORDER>,
    before: &mut [int32x4_t; ORDER],
    residuals: &[[int32x4_t; GROUP]; CHUNK],
    planes: &mut [&mut [[i32; GROUP]]; NUM_LANES],
) {
    restore_chunk(before, residuals, planes, |residual, rows| {
        vaddq_s32(residual, wide_prediction(weights, rows))
    });
}

/// Restores a chunk with sums of 32 bits. `magnitude` is the greatest so far of each lane; the result has those of this chunk
/// as well, and says whether they may be.
#[inline(never)]
#[target_feature(enable = "neon")]
fn restore_quiet<const ORDER: usize>(
    weights: &Weights<ORDER>,
    before: &mut [int32x4_t; ORDER],
    residuals: &[[int32x4_t; GROUP]; CHUNK],
    planes: &mut [&mut [[i32; GROUP]]; NUM_LANES],
    mut magnitude: uint32x4_t,
) -> uint32x4_t {
    restore_chunk(before, residuals, planes, |residual, rows| {
        let row = vaddq_s32(residual, narrow_prediction(weights, rows));
        magnitude = vmaxq_u32(magnitude, magnitudes(row));
        row
    });
    magnitude
}

/// Restores a chunk. `restored` makes a row of its residuals and of the rows before it.
#[inline]
#[target_feature(enable = "neon")]
#[expect(clippy::indexing_slicing, reason = "below the length; the compiler keeps all rows in registers")]
fn restore_chunk<const ORDER: usize>(
    before: &mut [int32x4_t; ORDER],
    residuals: &[[int32x4_t; GROUP]; CHUNK],
    planes: &mut [&mut [[i32; GROUP]]; NUM_LANES],
    mut restored: impl FnMut(int32x4_t, &[int32x4_t]) -> int32x4_t,
) {
    let [a, b, c, d] = planes;
    let planes = a.iter_mut().zip(&mut **b).zip(&mut **c).zip(&mut **d);
    for ([first, second, third, fourth], (((a, b), c), d)) in residuals.iter().zip(planes) {
        // The rows before, the newest last, then four new ones.
        let mut rows = [vdupq_n_s32(0); MAX_ORDER + GROUP];
        rows[..ORDER].copy_from_slice(before);
        rows[ORDER] = restored(*first, &rows[..ORDER]);
        rows[ORDER + 1] = restored(*second, &rows[1..=ORDER]);
        rows[ORDER + 2] = restored(*third, &rows[2..ORDER + 2]);
        rows[ORDER + 3] = restored(*fourth, &rows[3..ORDER + 3]);
        let [of_a, of_b, of_c, of_d] =
            transposed([rows[ORDER], rows[ORDER + 1], rows[ORDER + 2], rows[ORDER + 3]]);
        store(of_a, a);
        store(of_b, b);
        store(of_c, c);
        store(of_d, d);
        before.copy_from_slice(&rows[GROUP..ORDER + GROUP]);
    }
}

/// What the rows before let expect, by sums modulo 2^32.
#[inline]
#[target_feature(enable = "neon")]
fn narrow_prediction<const ORDER: usize>(weights: &Weights<ORDER>, rows: &[int32x4_t]) -> int32x4_t {
    let mut sum = vdupq_n_s32(0);
    for (row, weight) in rows.iter().zip(weights.weights.iter().rev()) {
        sum = vmlaq_s32(sum, *row, *weight);
    }
    vshlq_s32(sum, weights.shift)
}

/// What the rows before let expect, modulo 2^32, by sums of 64 bits.
#[inline]
#[target_feature(enable = "neon")]
fn wide_prediction<const ORDER: usize>(weights: &Weights<ORDER>, rows: &[int32x4_t]) -> int32x4_t {
    let (mut low, mut high) = (vdupq_n_s64(0), vdupq_n_s64(0));
    for (row, weight) in rows.iter().zip(weights.weights.iter().rev()) {
        low = multiply_add_low(low, *row, *weight);
        high = multiply_add_high(high, *row, *weight);
    }
    let low = vshlq_s64(low, vmovl_s32(vget_low_s32(weights.shift)));
    let high = vshlq_s64(high, vmovl_high_s32(weights.shift));
    vuzp1q_s32(vreinterpretq_s32_s64(low), vreinterpretq_s32_s64(high))
}

#[inline]
#[target_feature(enable = "neon")]
fn magnitudes(row: int32x4_t) -> uint32x4_t {
    // Of -2^31 as well.
    vreinterpretq_u32_s32(vabsq_s32(row))
}

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

/// The values of four planes as rows, or the reverse.
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

/// As `vmlal_s32` of the low halves. Left to choose the order of these instructions, the compiler runs out of registers.
#[inline]
#[target_feature(enable = "neon")]
fn multiply_add_low(mut sums: int64x2_t, one: int32x4_t, two: int32x4_t) -> int64x2_t {
    // SAFETY: the instruction, which is one of NEON, reads and writes nothing but these registers.
    unsafe {
        asm!(
            "smlal {0:v}.2d, {1:v}.2s, {2:v}.2s",
            inlateout(vreg) sums, in(vreg) one, in(vreg) two,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    sums
}

/// As `vmlal_high_s32`, for which the compiler would also keep each half of a row and of its weights in a register of its own.
#[inline]
#[target_feature(enable = "neon")]
fn multiply_add_high(mut sums: int64x2_t, one: int32x4_t, two: int32x4_t) -> int64x2_t {
    // SAFETY: the instruction, which is one of NEON, reads and writes nothing but these registers.
    unsafe {
        asm!(
            "smlal2 {0:v}.2d, {1:v}.4s, {2:v}.4s",
            inlateout(vreg) sums, in(vreg) one, in(vreg) two,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    sums
}
