//! CRC-16 by carry-less multiplication, on processors that have it.
//!
//! 128 bits of the message are a polynomial H x^64 + L. With n zero bits after them they have the same remainder as
//! H (x^(n+64) mod P) + L (x^n mod P), which again has less than 128 bits and is added to the 128 bits n bits further on.
//! So a message is folded onto its last 16 bytes. Four such sums, 512 bits apart, do not wait for each other.

use super::tables::{self, SLICE};

/// The least number of bytes for which folding pays.
const MIN_BYTES: usize = 4 * SLICE;

/// What 64 bits are multiplied by to move them by `num_bits`, and by 64 bits more.
#[derive(Clone, Copy)]
struct Shift {
    high: u64,
    low: u64,
}

impl Shift {
    const fn by(num_bits: u32) -> Self {
        Self { high: power(num_bits + 64), low: power(num_bits) }
    }
}

/// x^`exponent` modulo the polynomial of CRC-16.
const fn power(exponent: u32) -> u64 {
    let mut remainder = 1_u64;
    let mut num_done = 0;
    while num_done < exponent {
        remainder <<= 1;
        if remainder >> 16 == 1 {
            remainder ^= 1 << 16 | tables::POLYNOMIAL_16 as u64;
        }
        num_done += 1;
    }
    remainder
}

/// Continues a CRC-16 over `bytes`; `None` if they are few or the processor cannot multiply so.
pub(super) fn crc16(crc: u16, bytes: &[u8]) -> Option<u16> {
    if bytes.len() < MIN_BYTES || !kernel::is_available() {
        return None;
    }
    // SAFETY: the processor has the instructions that the function is compiled for, as checked above.
    Some(unsafe { kernel::crc16(crc, bytes) })
}

#[cfg(target_arch = "x86_64")]
mod kernel {
    use std::arch::x86_64::{
        __m128i, _mm_clmulepi64_si128, _mm_loadu_si128, _mm_set_epi8, _mm_set_epi64x, _mm_setzero_si128,
        _mm_shuffle_epi8, _mm_storeu_si128, _mm_xor_si128,
    };

    use super::{SLICE, Shift, tables};

    pub(super) fn is_available() -> bool {
        is_x86_feature_detected!("pclmulqdq") && is_x86_feature_detected!("ssse3")
    }

    /// The bytes with the first of them as the most significant.
    #[inline]
    #[target_feature(enable = "ssse3")]
    fn load(bytes: &[u8; SLICE]) -> __m128i {
        // SAFETY: the reference is to 16 bytes, and the load needs no alignment.
        let value = unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) };
        reversed(value)
    }

    #[inline]
    #[target_feature(enable = "ssse3")]
    fn reversed(value: __m128i) -> __m128i {
        _mm_shuffle_epi8(value, _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15))
    }

    /// `sum` moved by the bits of `shift` and added to `next`.
    #[inline]
    #[target_feature(enable = "pclmulqdq")]
    fn fold(sum: __m128i, shift: __m128i, next: __m128i) -> __m128i {
        let high = _mm_clmulepi64_si128::<0x11>(sum, shift);
        let low = _mm_clmulepi64_si128::<0x00>(sum, shift);
        _mm_xor_si128(_mm_xor_si128(high, low), next)
    }

    #[target_feature(enable = "pclmulqdq,ssse3")]
    pub(super) fn crc16(crc: u16, bytes: &[u8]) -> u16 {
        #[expect(clippy::cast_possible_wrap, reason = "bits")]
        let register = |shift: Shift| _mm_set_epi64x(shift.high as i64, shift.low as i64);
        let (slices, rest) = bytes.as_chunks::<SLICE>();
        let (blocks, slices) = slices.as_chunks::<4>();
        let [far, near] = [const { Shift::by(512) }, const { Shift::by(128) }].map(register);
        let start = _mm_set_epi64x(i64::from(crc) << 48, 0);
        let zero = _mm_setzero_si128();
        let mut sums = [start, zero, zero, zero];
        if let Some((first, blocks)) = blocks.split_first() {
            for (sum, slice) in sums.iter_mut().zip(first) {
                *sum = _mm_xor_si128(*sum, load(slice));
            }
            for block in blocks {
                for (sum, slice) in sums.iter_mut().zip(block) {
                    *sum = fold(*sum, far, load(slice));
                }
            }
        }
        let [first, others @ ..] = sums;
        let sum = others.into_iter().fold(first, |sum, next| fold(sum, near, next));
        let sum = slices.iter().fold(sum, |sum, slice| fold(sum, near, load(slice)));
        let (sum, mut folded) = (reversed(sum), [0; SLICE]);
        // SAFETY: the reference is to 16 bytes, and the store needs no alignment.
        unsafe { _mm_storeu_si128(folded.as_mut_ptr().cast(), sum) };
        tables::crc16(tables::crc16(0, &folded), rest)
    }
}

#[cfg(target_arch = "aarch64")]
mod kernel {
    use std::arch::aarch64::vmull_p64;
    use std::arch::is_aarch64_feature_detected;

    use super::{SLICE, Shift, tables};

    pub(super) fn is_available() -> bool {
        is_aarch64_feature_detected!("neon") && is_aarch64_feature_detected!("aes")
    }

    /// `sum` moved by the bits of `shift` and added to `next`.
    #[inline]
    #[target_feature(enable = "neon,aes")]
    #[expect(clippy::cast_possible_truncation, reason = "the low half")]
    fn fold(sum: u128, shift: Shift, next: u128) -> u128 {
        vmull_p64((sum >> 64) as u64, shift.high) ^ vmull_p64(sum as u64, shift.low) ^ next
    }

    #[target_feature(enable = "neon,aes")]
    pub(super) fn crc16(crc: u16, bytes: &[u8]) -> u16 {
        let (slices, rest) = bytes.as_chunks::<SLICE>();
        let (blocks, slices) = slices.as_chunks::<4>();
        let (far, near) = (const { Shift::by(512) }, const { Shift::by(128) });
        let mut sums = [u128::from(crc) << 112, 0, 0, 0];
        if let Some((first, blocks)) = blocks.split_first() {
            for (sum, slice) in sums.iter_mut().zip(first) {
                *sum ^= u128::from_be_bytes(*slice);
            }
            for block in blocks {
                for (sum, slice) in sums.iter_mut().zip(block) {
                    *sum = fold(*sum, far, u128::from_be_bytes(*slice));
                }
            }
        }
        let [first, others @ ..] = sums;
        let sum = others.into_iter().fold(first, |sum, next| fold(sum, near, next));
        let sum = slices.iter().fold(sum, |sum, slice| fold(sum, near, u128::from_be_bytes(*slice)));
        tables::crc16(tables::crc16(0, &sum.to_be_bytes()), rest)
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod kernel {
    pub(super) fn is_available() -> bool {
        false
    }

    /// # Safety
    /// None is needed; the other kernels' functions are unsafe to call.
    pub(super) unsafe fn crc16(crc: u16, bytes: &[u8]) -> u16 {
        super::tables::crc16(crc, bytes)
    }
}
