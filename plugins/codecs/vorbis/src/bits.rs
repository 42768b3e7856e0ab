//! Bits, the least significant first (section 2.1).
//!
//! The next bits lie at the bottom of a 64-bit register. `count` of them are valid; above them lie the bits that follow in
//! the stream, or zeros. So a refill is one unaligned load and an OR, without a branch: a bit that is there already is the
//! same. Beyond the end of a packet there are zeros, which [`is_past_end`](Bits::is_past_end) tells: the end is not an error, it
//! has a meaning (section 2.1.8).

#![forbid(unsafe_code)]

/// Reads bits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bits<'a> {
    bytes: &'a [u8],
    /// The byte after the last of which all bits count.
    position: usize,
    /// The next bits, at the bottom.
    buffer: u64,
    /// How many of them are valid.
    count: u32,
}

#[cold]
#[inline(never)]
fn load_tail(bytes: &[u8], position: usize) -> u64 {
    let mut next = [0; 8];
    let rest = bytes.get(position..).unwrap_or_default();
    next.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    u64::from_le_bytes(next)
}

impl<'a> Bits<'a> {
    /// All bits of `bytes`.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0, buffer: 0, count: 0 }
    }

    /// Makes at least 56 bits valid, and returns whether all of them are in the stream.
    #[inline(always)]
    pub(crate) fn refill(&mut self) -> bool {
        let loaded = match self.bytes.get(self.position..).and_then(|rest| rest.first_chunk()) {
            Some(next) => (u64::from_le_bytes(*next), true),
            None => (load_tail(self.bytes, self.position), false),
        };
        self.buffer |= loaded.0 << self.count;
        self.position += ((63 - self.count) >> 3) as usize;
        self.count |= 56;
        loaded.1
    }

    /// The bits that follow, after a refill.
    #[inline(always)]
    pub(crate) fn peek(&self) -> u64 {
        self.buffer
    }

    /// Leaves out bits that are valid.
    #[inline(always)]
    pub(crate) fn consume(&mut self, num_bits: u32) {
        self.buffer >>= num_bits;
        self.count -= num_bits;
    }

    /// A number of 0 to 32 bits; zeros beyond the end.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "32 bits")]
    pub(crate) fn read(&mut self, num_bits: u32) -> u32 {
        self.refill();
        let value = self.buffer & ((1_u64 << num_bits) - 1);
        self.consume(num_bits);
        value as u32
    }

    /// One bit.
    #[inline(always)]
    pub(crate) fn read_flag(&mut self) -> bool {
        self.read(1) != 0
    }

    /// How many bits are left.
    pub(crate) fn num_left(&self) -> u64 {
        (self.bytes.len() as u64 * 8).saturating_sub(self.position as u64 * 8 - u64::from(self.count))
    }

    /// Whether bits have been read that are not there.
    #[inline(always)]
    pub(crate) fn is_past_end(&self) -> bool {
        self.position as u64 * 8 - u64::from(self.count) > self.bytes.len() as u64 * 8
    }
}

/// The number of bits of a number (`ilog`, section 9.2.1).
pub(crate) fn num_bits(number: u32) -> u32 {
    32 - number.leading_zeros()
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::cast_possible_truncation)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_bit_by_bit() {
        let mut state = 3_u64;
        let mut noise = || {
            // xorshift64*
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.wrapping_mul(0x2545_f491_4f6c_dd1d)
        };
        for num_bytes in 0..80 {
            let bytes: Vec<u8> = (0..num_bytes).map(|_| noise() as u8).collect();
            let bit = |at: usize| bytes.get(at / 8).map_or(0, |byte| u32::from(byte >> (at % 8) & 1));
            let mut bits = Bits::new(&bytes);
            let mut at = 0;
            while at < bytes.len() * 8 + 100 {
                assert_eq!(bits.num_left(), (bytes.len() * 8).saturating_sub(at) as u64);
                assert_eq!(bits.is_past_end(), at > bytes.len() * 8);
                let num_bits = (noise() >> 40) as u32 % 33;
                let expected = (0..num_bits as usize).fold(0, |value, n| value | bit(at + n) << n);
                let mut ahead = bits;
                if ahead.refill() {
                    assert!(at + 56 <= bytes.len() * 8);
                    assert_eq!(
                        ahead.peek() as u32 & 0xFF,
                        (0..8).fold(0, |value, n| value | bit(at + n) << n)
                    );
                }
                assert_eq!(bits.read(num_bits), expected);
                at += num_bits as usize;
            }
        }
        assert_eq!([0, 1, 2, 3, 4, 255].map(num_bits), [0, 1, 2, 2, 3, 8]);
    }
}
