//! The checked reader of bits: numbers of any width, at any place.

#![forbid(unsafe_code)]

use std::marker::PhantomData;

/// The bytes end before the bits that were asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EndOfBits;

/// Which bit of a byte comes first.
pub(crate) trait BitOrder {
    /// The next 57 bits or more from `position` on, in a word that [`field`](Self::field) takes numbers from; zeros
    /// stand for bits beyond the end.
    fn word(bytes: &[u8], position: u64) -> u64;

    /// The first `num_bits` bits of a word, 1 to 57 of them.
    fn field(word: u64, num_bits: u32) -> u64;
}

/// The most significant bit of a byte comes first, and so does that of a number: FLAC, MPEG.
#[derive(Clone, Copy, Debug)]
pub(crate) enum MsbFirst {}

/// The bytes from the one that `position` lies in, up to eight of them, and the bit in the first one.
fn at(bytes: &[u8], position: u64) -> (&[u8], u64) {
    let rest = usize::try_from(position / 8).ok().and_then(|start| bytes.get(start..)).unwrap_or_default();
    (rest, position % 8)
}

impl BitOrder for MsbFirst {
    #[inline]
    fn word(bytes: &[u8], position: u64) -> u64 {
        let (rest, bit) = at(bytes, position);
        let word = match rest.first_chunk::<8>() {
            Some(bytes) => u64::from_be_bytes(*bytes),
            None => rest
                .iter()
                .zip(1..)
                .fold(0, |word, (byte, place)| word | u64::from(*byte) << (64 - 8 * place)),
        };
        word << bit
    }

    #[inline]
    fn field(word: u64, num_bits: u32) -> u64 {
        word >> (64 - num_bits)
    }
}

/// Bits that are read from the front. Every method checks the end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bits<'a, Order> {
    bytes: &'a [u8],
    position: u64,
    order: PhantomData<Order>,
}

impl<'a, Order: BitOrder> Bits<'a, Order> {
    /// All bits of `bytes`.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self::at(bytes, 0)
    }

    /// The bits from `position` on.
    pub(crate) fn at(bytes: &'a [u8], position: u64) -> Self {
        Self { bytes, position, order: PhantomData }
    }

    /// The number of bits before the next one.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// The next number, of up to 32 bits; 0 for none.
    #[inline]
    pub(crate) fn read(&mut self, num_bits: u32) -> Result<u32, EndOfBits> {
        debug_assert!(num_bits <= 32);
        if num_bits == 0 {
            return Ok(0);
        }
        let value = Order::field(Order::word(self.bytes, self.position), num_bits);
        self.skip(num_bits.into())?;
        u32::try_from(value).map_err(|_| EndOfBits)
    }

    /// Skips bits.
    #[inline]
    pub(crate) fn skip(&mut self, num_bits: u64) -> Result<(), EndOfBits> {
        self.position = self.position.saturating_add(num_bits);
        if self.position <= self.bytes.len() as u64 * 8 { Ok(()) } else { Err(EndOfBits) }
    }
}

impl Bits<'_, MsbFirst> {
    /// The number of zeros before the next one; skips that one as well.
    pub(crate) fn read_unary(&mut self) -> Result<u32, EndOfBits> {
        let mut num_zeros = 0_u32;
        loop {
            let zeros = MsbFirst::word(self.bytes, self.position).leading_zeros();
            let known = 64 - u32::try_from(self.position % 8).unwrap_or(0);
            if zeros < known {
                self.skip(u64::from(zeros) + 1)?;
                return Ok(num_zeros.saturating_add(zeros));
            }
            num_zeros = num_zeros.saturating_add(known);
            self.skip(known.into())?;
        }
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn bits_come_from_the_top() {
        let mut bits = Bits::<MsbFirst>::new(&[0b1010_0110, 0xFF, 0x01]);
        assert_eq!(bits.read(3), Ok(0b101));
        assert_eq!(bits.read(6), Ok(0b001101));
        assert_eq!(bits.read(0), Ok(0));
        assert_eq!(bits.read(8), Ok(0xFE));
        assert_eq!(bits.read(8), Err(EndOfBits));
    }

    /// A number bit by bit.
    fn naive(bytes: &[u8], position: usize, num_bits: usize) -> Option<u32> {
        let bit = |at: usize| Some(bytes.get(at / 8)? >> (7 - at % 8) & 1);
        (0..num_bits).try_fold(0, |value, place| Some(value << 1 | u32::from(bit(position + place)?)))
    }

    #[test]
    fn every_place_and_width_is_read_as_bit_by_bit() {
        let bytes: Vec<u8> = (1..=14_u8).map(|number| number.wrapping_mul(151)).collect();
        for length in 0..=bytes.len() {
            let bytes = &bytes[..length];
            for position in 0..=8 * length + 3 {
                for num_bits in 1..=32 {
                    let expected = naive(bytes, position, num_bits as usize).ok_or(EndOfBits);
                    let found = Bits::<MsbFirst>::at(bytes, position as u64).read(num_bits);
                    assert_eq!(found, expected, "{num_bits} bits at {position} of {length} bytes");
                }
            }
        }
    }

    #[test]
    fn unary_numbers_cross_words() {
        let mut bytes = [0; 40];
        bytes[33] = 0x10;
        let mut bits = Bits::<MsbFirst>::at(&bytes, 3);
        assert_eq!(bits.read_unary(), Ok(33 * 8 + 3 - 3));
        assert_eq!(bits.position(), 33 * 8 + 4);
        assert_eq!(bits.read_unary(), Err(EndOfBits));
    }

    #[test]
    fn no_number_of_bits_overflows() {
        let mut bits = Bits::<MsbFirst>::at(&[1], 4);
        assert_eq!(bits.skip(u64::MAX), Err(EndOfBits));
        assert_eq!((bits.skip(u64::MAX), bits.read(32)), (Err(EndOfBits), Err(EndOfBits)));
    }
}
