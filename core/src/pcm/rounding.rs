//! Rounds to integers and to the short floating-point formats, exactly once.
//!
//! A value that is rounded to nearest twice can end on the wrong side of a tie. Rounding *to odd* first avoids this: an inexact
//! value becomes the neighbour whose last bit is 1, which the second rounding, to at least two bits fewer, never mistakes for
//! a tie or an exact value. See S. Boldo and G. Melquiond, "Emulation of a FMA and Correctly
//! Rounded Sums: Proved Algorithms Using Rounding to Odd", IEEE Transactions on Computers 57(4), 2008.
//!
//! These functions contain no branches, so that loops over them become vector code.

#![forbid(unsafe_code)]
#![expect(
    clippy::cast_possible_truncation,
    reason = "taking the low half of a word is what these casts are for"
)]

use half::{bf16, f16};

/// Between 2^23 and 2^24, or 2^52 and 2^53, neighbouring numbers differ by 1: adding a smaller number to one in the middle of that
/// range rounds it to an integer, which appears in the low bits of the sum.
const SHIFTER_32: f32 = (3_u64 << 22) as f32;
const SHIFTER_64: f64 = (3_u64 << 51) as f64;

/// Rounds to half precision, half to even. Numbers beyond its range become infinite. A NaN keeps its sign and the top of its
/// payload and becomes quiet, as with x86's VCVTPS2PH and Arm's FCVT.
#[inline(always)]
pub(super) fn f16_from_f32(value: f32) -> f16 {
    /// The bits of 2^16; from there on, results are infinite.
    const OVERFLOW: u32 = (127 + 16) << 23;
    /// The bits of 2^-14, the smallest normal number.
    const NORMAL: u32 = (127 - 14) << 23;
    const INFINITY: u32 = 0x7f80_0000;

    let sign = value.to_bits() & 0x8000_0000;
    let magnitude = value.to_bits() ^ sign;

    // A carry out of the mantissa increments the exponent, and turns the largest number into infinity, as it should.
    let is_odd = (magnitude >> 13) & 1;
    let normal = magnitude.wrapping_sub((127 - 15) << 23).wrapping_add(0x0fff + is_odd) >> 13;
    // Around 1/2, single-precision numbers differ by 2^-24, the step of the subnormal numbers: the addition rounds to it.
    let subnormal = (f32::from_bits(magnitude) + 0.5).to_bits().wrapping_sub(0.5_f32.to_bits());
    let nan = 0x7e00 | (magnitude >> 13 & 0x03ff);

    let finite = if magnitude < NORMAL { subnormal } else { normal };
    let special = if magnitude > INFINITY { nan } else { 0x7c00 };
    let rounded = if magnitude < OVERFLOW { finite } else { special };
    f16::from_bits((sign >> 16 | rounded) as u16)
}

/// Rounds to bfloat16, half to even. A NaN keeps its sign and the top of its payload and becomes quiet.
#[inline(always)]
pub(super) fn bf16_from_f32(value: f32) -> bf16 {
    let bits = value.to_bits();
    let is_odd = bits >> 16 & 1;
    let rounded = bits.wrapping_add(0x7fff + is_odd) >> 16;
    let quiet = bits >> 16 | 0x0040;
    bf16::from_bits(if value.is_nan() { quiet } else { rounded } as u16)
}

/// Rounds to single precision, to odd. A NaN stays a NaN.
#[inline(always)]
pub(super) fn odd_f32_from_f64(value: f64) -> f32 {
    let nearest = value as f32;
    let back = f64::from(nearest);
    let is_even = nearest.to_bits() & 1 == 0;
    // One step of the bits is one step of the magnitude, also up from 0 and down from infinity.
    let outwards = u32::from(is_even & (back.abs() < value.abs()));
    let inwards = u32::from(is_even & (back.abs() > value.abs()));
    f32::from_bits(nearest.to_bits().wrapping_add(outwards).wrapping_sub(inwards))
}

/// Converts to single precision, rounding to odd.
#[inline(always)]
pub(super) fn odd_f32_from_i32(value: i32) -> f32 {
    // Up to 2^24 a number is exact. Beyond that, 23 bits and a sign are kept, and the last bit is sticky.
    let sticky = i32::from(value & 0xff != 0) << 8;
    (if value.unsigned_abs() > 1 << 24 { value & !0xff | sticky } else { value }) as f32
}

/// Converts to double precision, rounding to odd.
#[inline(always)]
pub(super) fn odd_f64_from_i64(value: i64) -> f64 {
    // Up to 2^53 a number is exact. Beyond that, 52 bits and a sign are kept, and the last bit is sticky.
    let sticky = i64::from(value & 0x7ff != 0) << 11;
    (if value.unsigned_abs() > 1 << 53 { value & !0x7ff | sticky } else { value }) as f64
}

/// Rounds to an integer, half to even; saturates, and turns a NaN into 0.
#[inline(always)]
pub(super) fn i16_from_f32(value: f32) -> i16 {
    let number = if value.is_nan() { 0.0 } else { value };
    (number.clamp(f32::from(i16::MIN), f32::from(i16::MAX)) + SHIFTER_32).to_bits() as i16
}

/// Rounds to an integer, half to even; saturates, and turns a NaN into 0.
#[inline(always)]
pub(super) fn i8_from_f32(value: f32) -> i8 {
    let number = if value.is_nan() { 0.0 } else { value };
    (number.clamp(f32::from(i8::MIN), f32::from(i8::MAX)) + SHIFTER_32).to_bits() as i8
}

/// Rounds to an integer, half to even; saturates, and turns a NaN into 0.
#[inline(always)]
pub(super) fn i8_from_f64(value: f64) -> i8 {
    let number = if value.is_nan() { 0.0 } else { value };
    (number.clamp(f64::from(i8::MIN), f64::from(i8::MAX)) + SHIFTER_64).to_bits() as i8
}

/// Rounds to a 24-bit integer, half to even; saturates, and turns a NaN into 0.
#[inline(always)]
pub(super) fn i24_from_f64(value: f64) -> i32 {
    const MAX: f64 = ((1 << 23) - 1) as f64;
    let number = if value.is_nan() { 0.0 } else { value };
    (number.clamp(-MAX - 1.0, MAX) + SHIFTER_64).to_bits() as i32
}

/// Rounds to an integer, half to even; saturates, and turns a NaN into 0.
#[inline(always)]
pub(super) fn i16_from_f64(value: f64) -> i16 {
    let number = if value.is_nan() { 0.0 } else { value };
    (number.clamp(f64::from(i16::MIN), f64::from(i16::MAX)) + SHIFTER_64).to_bits() as i16
}

/// Rounds to an integer, half to even; saturates, and turns a NaN into 0.
#[inline(always)]
pub(super) fn i32_from_f64(value: f64) -> i32 {
    let number = if value.is_nan() { 0.0 } else { value };
    (number.clamp(f64::from(i32::MIN), f64::from(i32::MAX)) + SHIFTER_64).to_bits() as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers around everything that matters to a float: each exponent, each bit pattern's ends, both signs.
    fn interesting_f32() -> impl Iterator<Item = f32> {
        let step = if cfg!(miri) { 0x0003_fd01 } else { 0x0000_0601 };
        (0..=u32::MAX)
            .step_by(step)
            .flat_map(|bits| [bits, bits & 0xffff_e000, bits & 0xffff_f000, bits & 0xffff_8000])
            .map(f32::from_bits)
    }

    #[test]
    fn half_precision_agrees_with_the_half_crate() {
        for value in interesting_f32() {
            let expected = f16::from_f32_const(value).to_bits();
            assert_eq!(f16_from_f32(value).to_bits(), expected, "{value:e} {:#x}", value.to_bits());
        }
    }

    #[test]
    fn bfloat16_agrees_with_the_half_crate() {
        for value in interesting_f32() {
            let expected = bf16::from_f32_const(value).to_bits();
            assert_eq!(bf16_from_f32(value).to_bits(), expected, "{value:e} {:#x}", value.to_bits());
        }
    }

    #[test]
    fn rounding_to_odd_keeps_what_is_exact_and_marks_what_is_not() {
        assert_eq!(odd_f32_from_f64(0.5), 0.5);
        assert_eq!(odd_f32_from_f64(1.0 + f64::EPSILON), 1.0 + f32::EPSILON);
        assert_eq!(odd_f32_from_f64(1.0 - f64::EPSILON), 1.0 - f32::EPSILON / 2.0);
        assert_eq!(odd_f32_from_f64(-1e300), f32::MIN);
        assert_eq!(odd_f32_from_f64(1e-300).to_bits(), 1);
        assert_eq!(odd_f32_from_f64(f64::NEG_INFINITY), f32::NEG_INFINITY);
        assert!(odd_f32_from_f64(f64::NAN).is_nan());

        assert_eq!(odd_f32_from_i32(1 << 24), 16_777_216.0);
        assert_eq!(odd_f32_from_i32((1 << 24) + 1), 16_777_472.0);
        assert_eq!(odd_f32_from_i32(i32::MIN), -2_147_483_648.0);
        assert_eq!(odd_f32_from_i32(i32::MIN + 1), -2_147_483_392.0);
        assert_eq!(odd_f64_from_i64((1 << 53) + 1), 9_007_199_254_743_040.0);
        assert_eq!(odd_f64_from_i64(i64::MIN), -(2_f64.powi(63)));
        assert_eq!(odd_f64_from_i64(-1), -1.0);
    }
}
