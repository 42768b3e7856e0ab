//! Bits, the most significant first.
//!
//! The next bits lie at the top of a 64-bit register. `count` of them are valid; below them lie the bits that follow in the
//! stream, or zeros. So a refill is one unaligned load and an OR, without a branch: a bit that is there already is the same.

#![forbid(unsafe_code)]

/// Reads bits. Beyond the end it reads zeros, which [`is_past_end`](Self::is_past_end) tells.
///
/// ```
/// use mapwave_codec_base::BitReader;
///
/// let mut bits = BitReader::at(&[0b1010_0001, 0xFF], 0);
/// assert_eq!((bits.read(3), bits.read_unary(), bits.read_signed(4)), (5, 4, -1));
/// assert_eq!((bits.byte_position(), bits.is_past_end()), (2, false));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct BitReader<'a> {
    /// What is read.
    pub bytes: &'a [u8],
    /// The byte after the last of which all bits count.
    pub position: usize,
    /// The next bits, at the top.
    pub buffer: u64,
    /// How many of them are valid.
    pub count: u32,
}

/// The eight bytes at a position as a big-endian number, with zeros after the end.
#[inline(always)]
pub fn load(bytes: &[u8], position: usize) -> u64 {
    match bytes.get(position..).and_then(|rest| rest.first_chunk()) {
        Some(next) => u64::from_be_bytes(*next),
        None => load_tail(bytes, position),
    }
}

#[cold]
#[inline(never)]
fn load_tail(bytes: &[u8], position: usize) -> u64 {
    let mut next = [0; 8];
    let rest = bytes.get(position..).unwrap_or_default();
    next.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    u64::from_be_bytes(next)
}

impl<'a> BitReader<'a> {
    /// A reader from a byte on.
    pub fn at(bytes: &'a [u8], position: usize) -> Self {
        Self { bytes, position, buffer: 0, count: 0 }
    }

    /// A reader from a bit on.
    #[expect(clippy::cast_possible_truncation, reason = "below 8")]
    pub fn at_bit(bytes: &'a [u8], position: usize) -> Self {
        let mut reader = Self::at(bytes, position / 8);
        reader.read((position % 8) as u32);
        reader
    }

    /// The position in bits.
    pub fn position(&self) -> usize {
        usize::try_from(self.bit_position()).unwrap_or(usize::MAX)
    }

    /// Makes at least 56 bits valid.
    #[inline(always)]
    pub fn refill(&mut self) {
        self.buffer |= load(self.bytes, self.position) >> self.count;
        self.position += ((63 - self.count) >> 3) as usize;
        self.count |= 56;
    }

    /// A number of 0 to 33 bits.
    #[inline(always)]
    pub fn read_wide(&mut self, num_bits: u32) -> u64 {
        self.refill();
        let value = self.buffer >> 1 >> (63 - num_bits);
        self.buffer <<= num_bits;
        self.count -= num_bits;
        value
    }

    /// A number of 0 to 32 bits.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "32 bits")]
    pub fn read(&mut self, num_bits: u32) -> u32 {
        self.read_wide(num_bits) as u32
    }

    /// A number of 0 to 32 bits in two's complement.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "32 bits")]
    pub fn read_signed(&mut self, num_bits: u32) -> i32 {
        self.read_signed_wide(num_bits) as i32
    }

    /// A number of 0 to 33 bits in two's complement.
    #[inline(always)]
    pub fn read_signed_wide(&mut self, num_bits: u32) -> i64 {
        let unused = 64 - num_bits.max(1);
        (self.read_wide(num_bits) << unused).cast_signed() >> unused
    }

    /// The number of zeros before the next one, which is read as well; beyond the end, some number.
    #[inline(always)]
    pub fn read_unary(&mut self) -> u32 {
        let mut num_zeros = 0;
        loop {
            self.refill();
            let zeros = self.buffer.leading_zeros().min(self.count);
            num_zeros += zeros;
            if zeros < self.count {
                self.buffer = self.buffer << zeros << 1;
                self.count -= zeros + 1;
                return num_zeros;
            }
            (self.buffer, self.count) = (0, 0);
            if self.position >= self.bytes.len().saturating_add(8) {
                return num_zeros;
            }
        }
    }

    /// The position in bits.
    #[inline(always)]
    fn bit_position(&self) -> u64 {
        (self.position as u64 * 8).saturating_sub(self.count.into())
    }

    /// The byte after the last of which a bit has been read.
    pub fn byte_position(&self) -> usize {
        usize::try_from(self.bit_position().div_ceil(8)).unwrap_or(usize::MAX)
    }

    /// Goes on at the next whole byte.
    pub fn align(&mut self) {
        *self = Self::at(self.bytes, self.byte_position());
    }

    /// Leaves out bytes.
    pub fn skip_bytes(&mut self, num_bytes: usize) {
        let num_bits = self.bit_position().saturating_add(num_bytes as u64 * 8);
        *self = Self::at(self.bytes, usize::try_from(num_bits / 8).unwrap_or(usize::MAX));
        self.read((num_bits % 8) as u32);
    }

    /// Whether bits have been read that are not there.
    pub fn is_past_end(&self) -> bool {
        self.bit_position() > self.bytes.len() as u64 * 8
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::cast_possible_truncation)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_runs_of_zeros_are_read_as_bit_by_bit() {
        let mut state = 3_u64;
        let mut noise = || {
            // xorshift64*
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.wrapping_mul(0x2545_f491_4f6c_dd1d)
        };
        for num_bytes in 0..80 {
            // Few ones, so that runs of zeros are long.
            let bytes: Vec<u8> = (0..num_bytes).map(|_| (noise() & noise() & noise()) as u8).collect();
            let bit = |at: usize| bytes.get(at / 8).map_or(0, |byte| u64::from(byte >> (7 - at % 8) & 1));
            let mut reader = BitReader::at(&bytes, 0);
            let mut at = 0;
            while at < bytes.len() * 8 + 100 {
                assert_eq!((reader.bit_position(), reader.is_past_end()), (at as u64, at > bytes.len() * 8));
                let num_bits = (noise() >> 40) as u32 % 34;
                let expected = (0..num_bits as usize).fold(0, |value, n| value << 1 | bit(at + n));
                if noise() >> 63 == 0 {
                    assert_eq!(reader.read_wide(num_bits), expected);
                    at += num_bits as usize;
                } else if num_bits > 0 && noise() >> 63 == 0 {
                    let sign = bit(at) << (num_bits - 1);
                    let expected = (expected ^ sign).cast_signed() - sign.cast_signed();
                    assert_eq!(reader.read_signed_wide(num_bits), expected);
                    at += num_bits as usize;
                } else if let Some(zeros) = (at..bytes.len() * 8).position(|at| bit(at) == 1) {
                    assert_eq!(reader.read_unary(), zeros as u32);
                    at += zeros + 1;
                }
            }
            reader.read_unary(); // it ends
            let mut reader = BitReader::at(&bytes, 0);
            reader.read(5);
            reader.skip_bytes(num_bytes / 2);
            let at = 5 + num_bytes / 2 * 8;
            assert_eq!(reader.read(7), (0..7).fold(0, |value, n| value << 1 | bit(at + n) as u32));
            assert_eq!(reader.position(), at + 7);
            let again = BitReader::at_bit(&bytes, at).read(7);
            assert_eq!(again, (0..7).fold(0, |value, n| value << 1 | bit(at + n) as u32));
            reader.align();
            assert_eq!(reader.bit_position(), (at as u64 + 7).next_multiple_of(8));
        }
    }
}
