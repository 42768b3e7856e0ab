//! Eight numbers in two registers of four, which every CPU of x86-64 and aarch64 has.
//!
//! Unsafe code is allowed in this file to call instructions that are part of these architectures, and to load and store
//! registers.

#![allow(unsafe_code)]

use std::ops::{Add, Mul, Sub};

use crate::lanes::{Lanes, NUM_LANES};

#[cfg(target_arch = "aarch64")]
use std::arch::aarch64::{
    float32x4_t as Register, vaddq_f32 as add, vcombine_f32, vdupq_n_f32 as splat, vget_high_f32,
    vget_low_f32, vld1q_f32 as load, vmulq_f32 as multiply, vrev64q_f32, vst1q_f32 as store,
    vsubq_f32 as subtract, vtrn1q_f32, vtrn2q_f32,
};
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    __m128 as Register, _mm_add_ps as add, _mm_loadu_ps as load, _mm_movehl_ps, _mm_movelh_ps,
    _mm_mul_ps as multiply, _mm_set1_ps as splat, _mm_shuffle_ps, _mm_storeu_ps as store,
    _mm_sub_ps as subtract, _mm_unpackhi_ps, _mm_unpacklo_ps,
};

/// Eight numbers, the first four and the last four.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fours([Register; 2]);

impl Add for Fours {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        let ([a, b], [c, d]) = (self.0, other.0);
        // SAFETY: the architecture has the instruction.
        let low = unsafe { add(a, c) };
        // SAFETY: as above.
        Self([low, unsafe { add(b, d) }])
    }
}

impl Sub for Fours {
    type Output = Self;

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        let ([a, b], [c, d]) = (self.0, other.0);
        // SAFETY: the architecture has the instruction.
        let low = unsafe { subtract(a, c) };
        // SAFETY: as above.
        Self([low, unsafe { subtract(b, d) }])
    }
}

impl Mul for Fours {
    type Output = Self;

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        let ([a, b], [c, d]) = (self.0, other.0);
        // SAFETY: the architecture has the instruction.
        let low = unsafe { multiply(a, c) };
        // SAFETY: as above.
        Self([low, unsafe { multiply(b, d) }])
    }
}

impl Lanes for Fours {
    type Proof = ();

    #[inline(always)]
    fn load((): (), from: &[f32; NUM_LANES]) -> Self {
        let (low, high) = from.split_at(4);
        // SAFETY: each half is four numbers, and the load needs no alignment.
        let low = unsafe { load(low.as_ptr()) };
        // SAFETY: as above.
        Self([low, unsafe { load(high.as_ptr()) }])
    }

    #[inline(always)]
    fn store(self, to: &mut [f32; NUM_LANES]) {
        let [low, high] = self.0;
        let (first, last) = to.split_at_mut(4);
        // SAFETY: each half is four numbers, and the store needs no alignment.
        unsafe { store(first.as_mut_ptr(), low) };
        // SAFETY: as above.
        unsafe { store(last.as_mut_ptr(), high) };
    }

    #[inline(always)]
    fn splat((): (), number: f32) -> Self {
        // SAFETY: the architecture has the instruction.
        Self([unsafe { splat(number) }; 2])
    }

    #[inline(always)]
    fn reversed(self) -> Self {
        let [low, high] = self.0;
        Self([reversed(high), reversed(low)])
    }

    #[inline(always)]
    fn transposed([a, b, c, d, e, f, g, h]: [Self; NUM_LANES]) -> [Self; NUM_LANES] {
        let ([a, a2], [b, b2], [c, c2], [d, d2]) = (a.0, b.0, c.0, d.0);
        let ([e, e2], [f, f2], [g, g2], [h, h2]) = (e.0, f.0, g.0, h.0);
        let [first, second, third, fourth] = transposed([a, b, c, d]);
        let [first_end, second_end, third_end, fourth_end] = transposed([e, f, g, h]);
        let [fifth, sixth, seventh, eighth] = transposed([a2, b2, c2, d2]);
        let [fifth_end, sixth_end, seventh_end, eighth_end] = transposed([e2, f2, g2, h2]);
        [
            Self([first, first_end]),
            Self([second, second_end]),
            Self([third, third_end]),
            Self([fourth, fourth_end]),
            Self([fifth, fifth_end]),
            Self([sixth, sixth_end]),
            Self([seventh, seventh_end]),
            Self([eighth, eighth_end]),
        ]
    }
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn reversed(register: Register) -> Register {
    // SAFETY: the architecture has the instruction.
    unsafe { _mm_shuffle_ps::<0b00_01_10_11>(register, register) }
}

#[cfg(target_arch = "aarch64")]
#[inline(always)]
fn reversed(register: Register) -> Register {
    // SAFETY: the architecture has the instruction.
    let pairs = unsafe { vrev64q_f32(register) };
    // SAFETY: as above.
    let (low, high) = (unsafe { vget_low_f32(pairs) }, unsafe { vget_high_f32(pairs) });
    // SAFETY: as above.
    unsafe { vcombine_f32(high, low) }
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn transposed([a, b, c, d]: [Register; 4]) -> [Register; 4] {
    // SAFETY: the architecture has the instruction.
    let (ab, ab_high) = (unsafe { _mm_unpacklo_ps(a, b) }, unsafe { _mm_unpackhi_ps(a, b) });
    // SAFETY: as above.
    let (cd, cd_high) = (unsafe { _mm_unpacklo_ps(c, d) }, unsafe { _mm_unpackhi_ps(c, d) });
    // SAFETY: as above.
    let (first, second) = (unsafe { _mm_movelh_ps(ab, cd) }, unsafe { _mm_movehl_ps(cd, ab) });
    // SAFETY: as above.
    let (third, fourth) =
        (unsafe { _mm_movelh_ps(ab_high, cd_high) }, unsafe { _mm_movehl_ps(cd_high, ab_high) });
    [first, second, third, fourth]
}

#[cfg(target_arch = "aarch64")]
#[inline(always)]
fn transposed([a, b, c, d]: [Register; 4]) -> [Register; 4] {
    // SAFETY: the architecture has the instruction.
    let (ab, ab_odd) = (unsafe { vtrn1q_f32(a, b) }, unsafe { vtrn2q_f32(a, b) });
    // SAFETY: as above.
    let (cd, cd_odd) = (unsafe { vtrn1q_f32(c, d) }, unsafe { vtrn2q_f32(c, d) });
    [low(ab, cd), low(ab_odd, cd_odd), high(ab, cd), high(ab_odd, cd_odd)]
}

#[cfg(target_arch = "aarch64")]
#[inline(always)]
fn low(one: Register, other: Register) -> Register {
    // SAFETY: the architecture has the instruction.
    let (one, other) = (unsafe { vget_low_f32(one) }, unsafe { vget_low_f32(other) });
    // SAFETY: as above.
    unsafe { vcombine_f32(one, other) }
}

#[cfg(target_arch = "aarch64")]
#[inline(always)]
fn high(one: Register, other: Register) -> Register {
    // SAFETY: the architecture has the instruction.
    let (one, other) = (unsafe { vget_high_f32(one) }, unsafe { vget_high_f32(other) });
    // SAFETY: as above.
    unsafe { vcombine_f32(one, other) }
}
