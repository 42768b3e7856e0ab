//! Writes bits, the most significant first.
//!
//! # Rice codes, many at a time
//!
//! A Rice code with parameter k writes a number as its quotient by 2^k in unary (that many zeros and a one), then the
//! remainder in k bits. Taken as one number of `quotient + 1 + k` bits, the code is `1 << k | remainder`, since the zeros in
//! front have no value. Widths and codes of a whole run are therefore plain arithmetic without branches, which compilers turn
//! into vector instructions. Only joining them is serial: two codes of at most 28 bits and up to 7 bits of an unfinished byte
//! fit a word of 64 bits, whose complete bytes are stored at once.

#![forbid(unsafe_code)]

/// The codes that are joined before they are added to the bytes.
const CODES: usize = 64;

/// The longest code that is joined: two of them fit 64 bits together with the bits of an unfinished byte.
const MAX_CODE_BITS: u32 = 28;

/// Bytes that bits are added to.
#[derive(Debug, Default)]
pub(crate) struct BitWriter {
    bytes: Vec<u8>,
    /// The bits of an unfinished byte, the last one lowest.
    pending: u64,
    /// Their number, below 8.
    num_pending: u32,
}

impl BitWriter {
    /// Continues after complete bytes.
    pub(crate) fn after(bytes: Vec<u8>) -> Self {
        Self { bytes, pending: 0, num_pending: 0 }
    }

    /// The complete bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Adds the lowest `num_bits` bits of `value`, up to 56.
    #[inline(always)]
    pub(crate) fn write(&mut self, value: u64, num_bits: u32) {
        debug_assert!(num_bits <= 56);
        let value = value & ((1 << num_bits) - 1);
        self.pending = self.pending << num_bits | value;
        self.num_pending += num_bits;
        let num_whole = self.num_pending / 8;
        self.num_pending %= 8;
        let whole = (self.pending >> self.num_pending) << (64 - 8 * num_whole).min(63);
        let whole = if num_whole == 0 { 0 } else { whole };
        self.bytes.extend(whole.to_be_bytes().iter().take(num_whole as usize));
        self.pending &= (1 << self.num_pending) - 1;
    }

    /// Adds the lowest `num_bits` bits of a number in two's complement.
    #[inline(always)]
    pub(crate) fn write_signed(&mut self, value: i32, num_bits: u32) {
        self.write(i64::from(value).cast_unsigned(), num_bits);
    }

    /// Adds `num_zeros` zeros and a one.
    pub(crate) fn write_unary(&mut self, mut num_zeros: u32) {
        while num_zeros >= 32 {
            self.write(0, 32);
            num_zeros -= 32;
        }
        self.write(1, num_zeros + 1);
    }

    /// Adds residuals, with their signs folded into the lowest bit, as Rice codes.
    #[inline(always)]
    pub(crate) fn write_rice(&mut self, residuals: &[i32], parameter: u32) {
        for residuals in residuals.chunks(CODES) {
            if !self.write_short(residuals, parameter) {
                residuals.iter().for_each(|residual| self.write_long(*residual, parameter));
            }
        }
    }

    /// Adds up to `CODES` codes if all of them are short; otherwise adds none and returns false.
    #[inline(always)]
    fn write_short(&mut self, residuals: &[i32], parameter: u32) -> bool {
        // The rest of the arrays are codes of 0 bits.
        let mut codes = [0_u64; CODES];
        let mut widths = [0_u64; CODES];
        let mut most = 0;
        for ((code, width), residual) in codes.iter_mut().zip(&mut widths).zip(residuals) {
            let folded = fold(*residual);
            let num_bits = (folded >> parameter).saturating_add(1 + parameter);
            *code = u64::from(1 << parameter | folded & ((1 << parameter) - 1));
            *width = num_bits.into();
            most = most.max(num_bits);
        }
        if most > MAX_CODE_BITS {
            return false;
        }
        let mut gathered = [0_u8; CODES * MAX_CODE_BITS as usize / 8 + 8];
        let mut num_bytes = 0_usize;
        // Bits are aligned to the top of the word from here on.
        let mut num_pending = u64::from(self.num_pending);
        let mut pending = (self.pending << 1) << (63 - num_pending);
        for ([first, second], [first_bits, second_bits]) in
            codes.as_chunks::<2>().0.iter().zip(widths.as_chunks::<2>().0).take(residuals.len().div_ceil(2))
        {
            num_pending += first_bits + second_bits;
            pending |= (first << (second_bits & 0x3F) | second) << (64_u64.wrapping_sub(num_pending) & 0x3F);
            // All eight bytes are stored; only the complete ones count, and the next store overwrites the others.
            let Some(place) = gathered.get_mut(num_bytes..num_bytes + 8) else { break };
            place.copy_from_slice(&pending.to_be_bytes());
            num_bytes += (num_pending / 8) as usize;
            pending <<= num_pending & 0x38; // below 64, since fewer than 64 bits are pending
            num_pending &= 7;
        }
        self.bytes.extend_from_slice(gathered.get(..num_bytes).unwrap_or_default());
        self.num_pending = u32::try_from(num_pending).unwrap_or(0);
        self.pending = pending >> 1 >> (63 - num_pending);
        true
    }

    /// Adds a code of any length.
    fn write_long(&mut self, residual: i32, parameter: u32) {
        let folded = fold(residual);
        self.write_unary(folded >> parameter);
        self.write(folded.into(), parameter);
    }

    /// Fills the last byte with zeros.
    pub(crate) fn align(&mut self) {
        self.write(0, (8 - self.num_pending) % 8);
    }

    /// The bytes; the last one must be complete.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        debug_assert_eq!(self.num_pending, 0);
        self.bytes
    }
}

/// A residual as an unsigned number (RFC 9639, section 9.2.7): 0, -1, 1, -2, 2 become 0, 1, 2, 3, 4.
#[inline(always)]
pub(crate) fn fold(residual: i32) -> u32 {
    (residual << 1 ^ residual >> 31).cast_unsigned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::Noise;

    /// Bits as the digits of a string.
    #[derive(Default)]
    struct Digits(String);

    impl Digits {
        fn write(&mut self, value: u64, num_bits: u32) {
            (0..num_bits).rev().for_each(|bit| self.0.push(if value >> bit & 1 == 1 { '1' } else { '0' }));
        }

        fn bytes(mut self) -> Vec<u8> {
            while !self.0.len().is_multiple_of(8) {
                self.0.push('0');
            }
            let byte = |digits: &[u8]| digits.iter().fold(0, |byte, digit| byte << 1 | (digit - b'0'));
            self.0.as_bytes().chunks(8).map(byte).collect()
        }
    }

    #[test]
    fn numbers_of_every_width_follow_each_other() {
        let (mut writer, mut digits, mut noise) = (BitWriter::default(), Digits::default(), Noise(1));
        for _ in 0..5000 {
            let (value, num_bits) = (noise.bits(), u32::try_from(noise.bits() % 57).unwrap_or(0));
            writer.write(value, num_bits);
            digits.write(value, num_bits);
        }
        writer.write_signed(-3, 7);
        digits.write(125, 7);
        writer.align();
        assert_eq!(writer.into_bytes(), digits.bytes());
    }

    #[test]
    fn rice_codes_are_those_of_the_definition() {
        let mut noise = Noise(7);
        for parameter in 0..31 {
            for range in [1, 4, parameter + 1, parameter + 3, 20, 31] {
                let (mut writer, mut digits) = (BitWriter::default(), Digits::default());
                writer.write(5, 3);
                digits.write(5, 3);
                let num_codes = noise.bits() % 200;
                let num_bits = range.min(parameter + 12).min(31) + 1;
                let residuals: Vec<i32> = (0..num_codes).map(|_| noise.sample(num_bits)).collect();
                writer.write_rice(&residuals, parameter);
                for residual in residuals {
                    let number = i64::from(residual);
                    let folded = (if number < 0 { -2 * number - 1 } else { 2 * number }).cast_unsigned();
                    (0..folded >> parameter).for_each(|_| digits.write(0, 1));
                    digits.write(1, 1);
                    digits.write(folded, parameter);
                }
                writer.align();
                assert_eq!(writer.into_bytes(), digits.bytes(), "parameter {parameter}, 2^{range}");
            }
        }
    }

    #[test]
    fn the_largest_residuals_are_folded() {
        assert_eq!([0, -1, 1, -2, 2].map(fold), [0, 1, 2, 3, 4]);
        assert_eq!([i32::MAX, -i32::MAX].map(fold), [u32::MAX - 1, u32::MAX - 2]);
    }
}
