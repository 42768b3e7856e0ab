//! The checksums of pages (RFC 3533, section 6): the polynomial 0x04c11db7 from the highest bit on, without inversions.
//!
//! What looks like a page may be as long as 65,307 bytes, and a damaged or hostile file may have such a place every 27 bytes.
//! [`Checksums`] reads each byte once, however many of those places there are: the checksum of a range follows from the
//! checksums of what ends where the range begins and where it ends. For the checksum is the remainder of a polynomial, so
//! `crc(ab) = crc(a) * x^(8 * len(b)) + crc(b)`, and addition is its own opposite.

#![forbid(unsafe_code)]
#![allow(clippy::indexing_slicing)] // a byte is always an index into 256 entries

use std::ops::Range;

const POLYNOMIAL: u32 = 0x04C1_1DB7;

/// The bytes of a checksum that are processed at a time.
const STRIDE: usize = 16;

/// Table `n` holds the contribution of a byte that `n` bytes follow.
static CRC32: [[u32; 256]; STRIDE] = crc32_tables();

/// `x^(8 * n)` and `x^(8 * 256 * n)` for every byte `n`.
static POWERS: [[u32; 256]; 2] = [powers(1 << 8), powers(product(1 << 8, powers(1 << 8)[255]))];

const fn crc32_tables() -> [[u32; 256]; STRIDE] {
    let mut tables = [[0; 256]; STRIDE];
    let mut byte = 0;
    while byte < 256 {
        #[allow(clippy::cast_possible_truncation)] // below 256
        let mut crc = (byte as u32) << 24;
        let mut table = 0;
        while table < STRIDE {
            let mut bit = 0;
            while bit < 8 {
                crc = times_x(crc);
                bit += 1;
            }
            tables[table][byte] = crc;
            table += 1;
        }
        byte += 1;
    }
    tables
}

const fn times_x(value: u32) -> u32 {
    (value << 1) ^ if value & (1 << 31) != 0 { POLYNOMIAL } else { 0 }
}

/// The product of two remainders.
const fn product(left: u32, right: u32) -> u32 {
    let (mut product, mut bit) = (0, 32);
    while bit > 0 {
        bit -= 1;
        product = times_x(product) ^ if right & (1 << bit) != 0 { left } else { 0 };
    }
    product
}

const fn powers(base: u32) -> [u32; 256] {
    let mut powers = [1; 256];
    let mut exponent = 1;
    while exponent < 256 {
        powers[exponent] = product(powers[exponent - 1], base);
        exponent += 1;
    }
    powers
}

/// A checksum after so many zeros, fewer than 65,536.
pub(super) fn followed_by(crc: u32, num_zeros: usize) -> u32 {
    product(crc, product(POWERS[0][num_zeros & 0xFF], POWERS[1][num_zeros >> 8 & 0xFF]))
}

/// Continues a checksum over more bytes.
pub(super) fn crc32(mut crc: u32, bytes: &[u8]) -> u32 {
    let (blocks, rest) = bytes.as_chunks::<STRIDE>();
    for block in blocks {
        let mut next = 0;
        for (place, byte) in crc.to_be_bytes().into_iter().enumerate() {
            next ^= CRC32[STRIDE - 1 - place][usize::from(block[place] ^ byte)];
        }
        let mut place = 4;
        while place < STRIDE {
            next ^= CRC32[STRIDE - 1 - place][usize::from(block[place])];
            place += 1;
        }
        crc = next;
    }
    rest.iter().fold(crc, |crc, byte| (crc << 8) ^ CRC32[0][usize::from(crc.to_be_bytes()[0] ^ byte)])
}

/// Checksums of many ranges of a file, which may overlap.
#[derive(Clone, Debug, Default)]
pub(crate) struct Checksums {
    /// Where the marks begin.
    base: usize,
    /// The checksums of the bytes from `base` to every [`MARK_BYTES`]th one after it.
    marks: Vec<u32>,
    /// The bytes that were read, for tests.
    #[cfg(test)]
    pub(crate) num_read: usize,
}

/// The distance of marks.
const MARK_BYTES: usize = 128;
/// How many bytes behind a range are kept, for one that begins before it.
const BACK_BYTES: usize = 256 << 10;
/// The most bytes that marks cover.
const MOST_BYTES: usize = 2 << 20;

impl Checksums {
    /// The checksum of a range of fewer than 65,536 bytes; 0 if the file ends before it does.
    pub(crate) fn of(&mut self, bytes: &[u8], range: Range<usize>) -> u32 {
        if range.end > bytes.len() || range.start > range.end {
            return 0;
        }
        let end = self.base.saturating_add(self.marks.len() * MARK_BYTES);
        let is_before = range.start < self.base;
        if is_before && self.base - range.start <= BACK_BYTES {
            // One after the other from the end, as it seems.
            (self.base, self.marks) = (range.start.saturating_sub(BACK_BYTES), Vec::new());
        } else if is_before || range.start >= end || range.end - self.base > MOST_BYTES {
            (self.base, self.marks) = (range.start, Vec::new());
        }
        let start = self.up_to(bytes, range.start);
        self.up_to(bytes, range.end) ^ followed_by(start, range.len())
    }

    /// The checksum of the bytes from `base` to a position.
    fn up_to(&mut self, bytes: &[u8], position: usize) -> u32 {
        let number = (position - self.base) / MARK_BYTES;
        if self.marks.is_empty() {
            self.marks.push(0);
        }
        while self.marks.len() <= number {
            let from = self.base + (self.marks.len() - 1) * MARK_BYTES;
            let last = self.marks.last().copied().unwrap_or(0);
            let mark = self.read(last, bytes, from..from + MARK_BYTES);
            self.marks.push(mark);
        }
        let from = self.base + number * MARK_BYTES;
        let mark = self.marks.get(number).copied().unwrap_or(0);
        crc32(mark, bytes.get(from..position).unwrap_or_default())
    }

    fn read(&mut self, crc: u32, bytes: &[u8], range: Range<usize>) -> u32 {
        #[cfg(test)]
        {
            self.num_read += range.len();
        }
        crc32(crc, bytes.get(range).unwrap_or_default())
    }
}

#[cfg(test)]
#[allow(clippy::cast_possible_truncation)]
mod tests {
    use super::*;

    fn by_bits(bytes: &[u8]) -> u32 {
        bytes.iter().fold(0_u32, |crc, byte| {
            (0..8).fold(crc ^ (u32::from(*byte) << 24), |crc, _| {
                (crc << 1) ^ if crc >> 31 == 0 { 0 } else { 0x04C1_1DB7 }
            })
        })
    }

    fn noise(num_bytes: usize) -> Vec<u8> {
        let next = |state: &u32| Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
        std::iter::successors(Some(7), next).map(|state| (state >> 24) as u8).take(num_bytes).collect()
    }

    #[test]
    fn the_checksum_is_that_of_the_polynomial() {
        let bytes = noise(100);
        for end in 0..bytes.len() {
            let (first, second) = bytes[..end].split_at(end / 3);
            assert_eq!(crc32(crc32(0, first), second), by_bits(&bytes[..end]));
        }
    }

    #[test]
    fn ranges_in_any_order_have_the_checksums_of_their_bytes() {
        let bytes = noise(700_000);
        let mut sums = Checksums::default();
        let mut places = noise(4 * 300).into_iter();
        let mut place = |below: usize| {
            let high =
                usize::from(places.next().unwrap_or(0)) << 16 | usize::from(places.next().unwrap_or(0)) << 8;
            (high + 77) % below
        };
        for _ in 0..300 {
            let start = place(bytes.len());
            let end = (start + place(65_535)).min(bytes.len());
            assert_eq!(sums.of(&bytes, start..end), by_bits(&bytes[start..end]), "{start}..{end}");
        }
        assert_eq!(sums.of(&bytes, 5..bytes.len() + 1), 0);
    }

    #[test]
    fn each_byte_is_read_once_in_either_direction() {
        let bytes = noise(1 << 20);
        let starts = || (0..bytes.len() - 65_307).step_by(27);
        let mut sums = Checksums::default();
        starts().for_each(|start| assert_ne!(sums.of(&bytes, start..start + 65_307), 1));
        assert!(sums.num_read <= bytes.len() + MARK_BYTES, "{}", sums.num_read);
        let mut sums = Checksums::default();
        starts().rev().for_each(|start| assert_ne!(sums.of(&bytes, start..start + 65_307), 1));
        assert!(sums.num_read <= 2 * bytes.len(), "{}", sums.num_read);
    }

    #[test]
    fn a_search_by_halves_reads_little() {
        let bytes = noise(8 << 20);
        let mut sums = Checksums::default();
        let mut high = bytes.len() - 5000;
        while high > 1 << 20 {
            high /= 2;
            sums.of(&bytes, high..high + 4500);
        }
        assert!(sums.num_read < 100_000, "{}", sums.num_read);
    }
}
