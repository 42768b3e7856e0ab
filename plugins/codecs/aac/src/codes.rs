//! Huffman codes of a few hundred symbols at most, which are listed in the order of the codes: the value and the length of each.

#![forbid(unsafe_code)]

use mapwave_codec_base::BitReader;

/// The value of a code, and its length in bits.
pub(crate) type Code = (i8, u8);

/// The most codes of a codebook.
const MAX_CODES: usize = 121;

/// The codes of a codebook, and where each begins among numbers of 32 bits.
pub(crate) struct Codebook {
    codes: &'static [Code],
    starts: [u32; MAX_CODES],
}

impl Codebook {
    /// Of codes that leave no gap.
    #[expect(
        clippy::indexing_slicing,
        clippy::cast_possible_truncation,
        reason = "the compiler computes it, and checks"
    )]
    pub(crate) const fn new(codes: &'static [Code]) -> Self {
        let mut starts = [u32::MAX; MAX_CODES];
        let (mut place, mut start) = (0, 0_u64);
        while place < codes.len() {
            starts[place] = start as u32;
            start += 1 << (32 - codes[place].1);
            place += 1;
        }
        assert!(start == 1 << 32, "the codes are whole");
        Self { codes, starts }
    }

    #[cfg(test)]
    pub(crate) fn codes(&self) -> &'static [Code] {
        self.codes
    }

    /// The value of the next code.
    pub(crate) fn read(&self, bits: &mut BitReader<'_>) -> i32 {
        bits.refill();
        let next = (bits.buffer >> 32) as u32;
        let starts = self.starts.get(..self.codes.len()).unwrap_or_default();
        let place = starts.partition_point(|start| *start <= next).saturating_sub(1);
        let (value, length) = self.codes.get(place).copied().unwrap_or((0, 1));
        bits.buffer <<= length;
        bits.count -= u32::from(length);
        value.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_in_their_order() {
        static BOOK: Codebook = Codebook::new(&[(0, 1), (1, 3), (-1, 3), (5, 2)]);
        assert_eq!(BOOK.codes().len(), 4);
        // 0, 100, 101, 11, 0
        let mut bits = BitReader::at(&[0b0100_1011, 0b1000_0000], 0);
        let read: Vec<i32> = (0..5).map(|_| BOOK.read(&mut bits)).collect();
        assert_eq!((read, bits.position()), (vec![0, 1, -1, 5, 0], 10));
    }
}
