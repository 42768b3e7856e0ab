//! Vectors of NEON, two for eight numbers.
//!
//! Unsafe code is allowed in this file to use instructions that not every processor has.

#![allow(unsafe_code, reason = "instructions that not every processor has")]

use std::arch::aarch64::{
    float32x4_t, vaddq_f32, vdupq_n_f32, vextq_f32, vld1q_f32, vmulq_f32, vnegq_f32, vreinterpretq_f32_f64,
    vreinterpretq_f64_f32, vrev64q_f32, vst1q_f32, vsubq_f32, vtrn1q_f32, vtrn1q_f64, vtrn2q_f32, vtrn2q_f64,
    vuzp1q_f32, vuzp2q_f32, vzip1q_f32, vzip2q_f32,
};

use crate::simd::{Block, NUM_LANES, Simd};

/// The proof that every processor this is compiled for has NEON: only [`detect`](Self::detect) makes one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Neon(());

impl Neon {
    /// The proof, if the processors have the instructions.
    pub(crate) fn detect() -> Option<Self> {
        cfg!(target_feature = "neon").then_some(Self(()))
    }
}

/// The first four numbers, and the others.
type Lanes = [float32x4_t; 2];

#[target_feature(enable = "neon")]
#[inline]
fn load(from: &Block) -> Lanes {
    let (low, high) = from.split_at(NUM_LANES / 2);
    // SAFETY: the slice has four numbers, and the load needs no alignment but theirs.
    let low = unsafe { vld1q_f32(low.as_ptr()) };
    // SAFETY: as above.
    let high = unsafe { vld1q_f32(high.as_ptr()) };
    [low, high]
}

#[target_feature(enable = "neon")]
#[inline]
fn store([low, high]: Lanes, to: &mut Block) {
    let (to_low, to_high) = to.split_at_mut(NUM_LANES / 2);
    // SAFETY: the slice has four numbers, and the store needs no alignment but theirs.
    unsafe { vst1q_f32(to_low.as_mut_ptr(), low) };
    // SAFETY: as above.
    unsafe { vst1q_f32(to_high.as_mut_ptr(), high) };
}

#[target_feature(enable = "neon")]
#[inline]
fn splat(number: f32) -> Lanes {
    [vdupq_n_f32(number); 2]
}

#[target_feature(enable = "neon")]
#[inline]
fn add([a, b]: Lanes, [c, d]: Lanes) -> Lanes {
    [vaddq_f32(a, c), vaddq_f32(b, d)]
}

#[target_feature(enable = "neon")]
#[inline]
fn sub([a, b]: Lanes, [c, d]: Lanes) -> Lanes {
    [vsubq_f32(a, c), vsubq_f32(b, d)]
}

#[target_feature(enable = "neon")]
#[inline]
fn mul([a, b]: Lanes, [c, d]: Lanes) -> Lanes {
    [vmulq_f32(a, c), vmulq_f32(b, d)]
}

#[target_feature(enable = "neon")]
#[inline]
fn negate([low, high]: Lanes) -> Lanes {
    [vnegq_f32(low), vnegq_f32(high)]
}

#[target_feature(enable = "neon")]
#[inline]
fn reverse([low, high]: Lanes) -> Lanes {
    let reversed = |four| {
        let pairs = vrev64q_f32(four);
        vextq_f32::<2>(pairs, pairs)
    };
    [reversed(high), reversed(low)]
}

#[target_feature(enable = "neon")]
#[inline]
fn interleave([a, b]: Lanes, [c, d]: Lanes) -> (Lanes, Lanes) {
    ([vzip1q_f32(a, c), vzip2q_f32(a, c)], [vzip1q_f32(b, d), vzip2q_f32(b, d)])
}

#[target_feature(enable = "neon")]
#[inline]
fn deinterleave([a, b]: Lanes, [c, d]: Lanes) -> (Lanes, Lanes) {
    ([vuzp1q_f32(a, b), vuzp1q_f32(c, d)], [vuzp2q_f32(a, b), vuzp2q_f32(c, d)])
}

/// Four rows of four numbers as columns.
#[target_feature(enable = "neon")]
#[inline]
fn transpose_four([a, b, c, d]: [float32x4_t; 4]) -> [float32x4_t; 4] {
    let even = |one, other| vreinterpretq_f64_f32(vtrn1q_f32(one, other));
    let odd = |one, other| vreinterpretq_f64_f32(vtrn2q_f32(one, other));
    let front = |one, other| vreinterpretq_f32_f64(vtrn1q_f64(one, other));
    let back = |one, other| vreinterpretq_f32_f64(vtrn2q_f64(one, other));
    let (ab, ab_odd, cd, cd_odd) = (even(a, b), odd(a, b), even(c, d), odd(c, d));
    [front(ab, cd), front(ab_odd, cd_odd), back(ab, cd), back(ab_odd, cd_odd)]
}

#[target_feature(enable = "neon")]
#[inline]
fn transpose(rows: [Lanes; NUM_LANES]) -> [Lanes; NUM_LANES] {
    let [a, b, c, d, e, f, g, h] = rows;
    let quarter = |half: usize, [one, two, three, four]: [Lanes; 4]| {
        let of = |lanes: Lanes| if half == 0 { lanes[0] } else { lanes[1] };
        transpose_four([of(one), of(two), of(three), of(four)])
    };
    let (front, back) = ([a, b, c, d], [e, f, g, h]);
    let [a, b, c, d] = quarter(0, front);
    let [a_end, b_end, c_end, d_end] = quarter(0, back);
    let [e, f, g, h] = quarter(1, front);
    let [e_end, f_end, g_end, h_end] = quarter(1, back);
    [[a, a_end], [b, b_end], [c, c_end], [d, d_end], [e, e_end], [f, f_end], [g, g_end], [h, h_end]]
}

impl Simd for Neon {
    type Lanes = Lanes;

    #[inline(always)]
    fn load(self, from: &Block) -> Lanes {
        // SAFETY: `self` proves that the processor has NEON.
        unsafe { load(from) }
    }

    #[inline(always)]
    fn store(self, lanes: Lanes, to: &mut Block) {
        // SAFETY: `self` proves that the processor has NEON.
        unsafe { store(lanes, to) };
    }

    #[inline(always)]
    fn splat(self, number: f32) -> Lanes {
        // SAFETY: `self` proves that the processor has NEON.
        unsafe { splat(number) }
    }

    #[inline(always)]
    fn add(self, one: Lanes, other: Lanes) -> Lanes {
        // SAFETY: `self` proves that the processor has NEON.
        unsafe { add(one, other) }
    }

    #[inline(always)]
    fn sub(self, one: Lanes, other: Lanes) -> Lanes {
        // SAFETY: `self` proves that the processor has NEON.
        unsafe { sub(one, other) }
    }

    #[inline(always)]
    fn mul(self, one: Lanes, other: Lanes) -> Lanes {
        // SAFETY: `self` proves that the processor has NEON.
        unsafe { mul(one, other) }
    }

    #[inline(always)]
    fn negate(self, lanes: Lanes) -> Lanes {
        // SAFETY: `self` proves that the processor has NEON.
        unsafe { negate(lanes) }
    }

    #[inline(always)]
    fn reverse(self, lanes: Lanes) -> Lanes {
        // SAFETY: `self` proves that the processor has NEON.
        unsafe { reverse(lanes) }
    }

    #[inline(always)]
    fn interleave(self, one: Lanes, other: Lanes) -> (Lanes, Lanes) {
        // SAFETY: `self` proves that the processor has NEON.
        unsafe { interleave(one, other) }
    }

    #[inline(always)]
    fn deinterleave(self, one: Lanes, other: Lanes) -> (Lanes, Lanes) {
        // SAFETY: `self` proves that the processor has NEON.
        unsafe { deinterleave(one, other) }
    }

    #[inline(always)]
    fn transpose(self, rows: [Lanes; NUM_LANES]) -> [Lanes; NUM_LANES] {
        // SAFETY: `self` proves that the processor has NEON.
        unsafe { transpose(rows) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::tests::check;

    #[test]
    fn operations_are_those_of_plain_lanes() {
        if let Some(simd) = Neon::detect() {
            check(simd);
        }
    }
}
