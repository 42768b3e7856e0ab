//! Writes bits, the most significant first.

#![forbid(unsafe_code)]

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
    /// Forgets all bits, and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        (self.pending, self.num_pending) = (0, 0);
    }

    pub(crate) fn num_bits(&self) -> usize {
        self.bytes.len() * 8 + self.num_pending as usize
    }

    /// Adds the lowest `num_bits` bits of `value`, up to 32.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "a byte at a time")]
    pub(crate) fn write(&mut self, value: u32, num_bits: u32) {
        debug_assert!(num_bits <= 32);
        self.pending = self.pending << num_bits | u64::from(value) & ((1 << num_bits) - 1);
        self.num_pending += num_bits;
        while self.num_pending >= 8 {
            self.num_pending -= 8;
            self.bytes.push((self.pending >> self.num_pending) as u8);
        }
        self.pending &= (1 << self.num_pending) - 1;
    }

    /// Adds the lowest `num_bits` bits of a number in two's complement.
    #[inline(always)]
    pub(crate) fn write_signed(&mut self, value: i32, num_bits: u32) {
        self.write(value.cast_unsigned(), num_bits);
    }

    /// Adds all bits of another.
    pub(crate) fn append(&mut self, other: &Self) {
        other.bytes.iter().for_each(|byte| self.write((*byte).into(), 8));
        #[expect(clippy::cast_possible_truncation, reason = "at most seven bits")]
        self.write(other.pending as u32, other.num_pending);
    }

    /// The bytes, the last of which is filled with zeros.
    pub(crate) fn finish(&mut self) -> &[u8] {
        if self.num_pending > 0 {
            self.write(0, 8 - self.num_pending);
        }
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_joined() {
        let (mut bits, mut other) = (BitWriter::default(), BitWriter::default());
        bits.write(0b101, 3);
        bits.write_signed(-2, 4);
        other.write(0xfedc_ba98, 32);
        other.write(1, 1);
        bits.append(&other);
        assert_eq!(bits.num_bits(), 40);
        assert_eq!(bits.finish(), [0b1011_1101, 0xfd, 0xb9, 0x75, 0x31]);
    }
}
