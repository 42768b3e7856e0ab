//! The checksums of a FLAC frame (RFC 9639, sections 9.1.8 and 9.3), for encoders and decoders.
//!
//! A CRC takes the bits of a message for the coefficients of a polynomial over {0, 1} and is the remainder when that
//! polynomial, shifted up by the width of the checksum, is divided by a fixed one. The remainder of a sum is the sum (XOR)
//! of the remainders, so each byte can be looked up on its own: table n has the remainder of a byte with n zero bytes after
//! it. The checksum so far is added to the first bytes of the next slice. Thus 16 look-ups, of which only two wait for the
//! slice before, replace 16 steps that each wait for the last.
//!
//! ```
//! use mapwave_flac::crc::{crc8, crc16};
//!
//! // The check values of CRC-8/SMBUS and CRC-16/UMTS in the catalogue of CRC algorithms.
//! assert_eq!((crc8(b"123456789"), crc16(0, b"123456789")), (0xF4, 0xFEE8));
//! assert_eq!(crc16(crc16(0, b"1234"), b"56789"), 0xFEE8);
//! ```

#[allow(unsafe_code, reason = "instructions that not every processor has")]
mod clmul;

/// x^8 + x^2 + x + 1.
const POLYNOMIAL_8: u8 = 0x07;

/// x^16 + x^15 + x^2 + 1.
const POLYNOMIAL_16: u16 = 0x8005;

/// The bytes that are processed at a time.
const SLICE: usize = 16;

static TABLE_8: [u8; 256] = table_8();
static TABLES_16: [[u16; 256]; SLICE] = tables_16();

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
#[expect(clippy::cast_possible_truncation, reason = "the index is below 256")]
const fn table_8() -> [u8; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut crc = index as u8;
        let mut bit = 0;
        while bit < 8 {
            crc = crc << 1 ^ if crc & 0x80 != 0 { POLYNOMIAL_8 } else { 0 };
            bit += 1;
        }
        table[index] = crc;
        index += 1;
    }
    table
}

/// The checksums of each byte followed by 0, 1, .. zero bytes.
#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
#[expect(clippy::cast_possible_truncation, reason = "the index is below 256")]
const fn tables_16() -> [[u16; 256]; SLICE] {
    let mut tables = [[0; 256]; SLICE];
    let mut index = 0;
    while index < 256 {
        let mut crc = (index as u16) << 8;
        let mut num_zeros = 0;
        while num_zeros < SLICE {
            let mut bit = 0;
            while bit < 8 {
                crc = crc << 1 ^ if crc & 0x8000 != 0 { POLYNOMIAL_16 } else { 0 };
                bit += 1;
            }
            tables[num_zeros][index] = crc;
            num_zeros += 1;
        }
        index += 1;
    }
    tables
}

/// The CRC-8 of a FLAC frame's header; 0 for a header including its checksum.
#[expect(clippy::indexing_slicing, reason = "a byte is below 256")]
pub fn crc8(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |crc, byte| TABLE_8[usize::from(crc ^ byte)])
}

/// Continues the CRC-16 of a FLAC frame, which starts at 0, over `bytes`; 0 for a frame including its checksum.
pub fn crc16(crc: u16, bytes: &[u8]) -> u16 {
    clmul::crc16(crc, bytes).unwrap_or_else(|| crc16_by_tables(crc, bytes))
}

#[expect(clippy::indexing_slicing, reason = "a byte is below 256, and a place in a slice below its size")]
fn crc16_by_tables(mut crc: u16, bytes: &[u8]) -> u16 {
    let (slices, rest) = bytes.as_chunks::<SLICE>();
    for slice in slices {
        let [high, low] = crc.to_be_bytes();
        crc = TABLES_16[SLICE - 1][usize::from(slice[0] ^ high)]
            ^ TABLES_16[SLICE - 2][usize::from(slice[1] ^ low)];
        for place in 2..SLICE {
            crc ^= TABLES_16[SLICE - 1 - place][usize::from(slice[place])];
        }
    }
    rest.iter().fold(crc, |crc, byte| crc << 8 ^ TABLES_16[0][usize::from((crc >> 8) as u8 ^ byte)])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The remainder of a division of polynomials, bit by bit.
    fn remainder(bytes: &[u8], polynomial: u32, degree: u32) -> u32 {
        let bits = bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| u32::from(byte >> bit & 1)));
        bits.chain((0..degree).map(|_| 0)).fold(0, |remainder, bit| {
            let next = remainder << 1 | bit;
            if next >> degree == 1 { next ^ polynomial } else { next }
        })
    }

    #[test]
    fn checksums_are_remainders() {
        let bytes: Vec<u8> = (0..100_u32).flat_map(|n| (n * n * 7 + n).to_le_bytes()).collect();
        for num_bytes in 0..bytes.len() {
            let bytes = bytes.get(..num_bytes).unwrap_or_default();
            assert_eq!(u32::from(crc8(bytes)), remainder(bytes, 0x107, 8));
            let (first, second) = bytes.split_at(num_bytes / 3);
            assert_eq!(u32::from(crc16(crc16(0, first), second)), remainder(bytes, 0x1_8005, 16));
            assert_eq!(crc16(0, bytes), crc16(crc16(0, first), second));
        }
    }

    #[test]
    fn every_way_gives_the_same_checksum() {
        let bytes: Vec<u8> =
            (0..1000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        for (num_bytes, first) in (0..=bytes.len()).zip((0..5).cycle()) {
            let bytes = bytes.get(first.min(num_bytes)..num_bytes).unwrap_or_default();
            let crc = u16::try_from(num_bytes * 13 % 65_536).unwrap_or_default();
            let expected = bytes.iter().fold(crc, |crc, byte| crc16_by_tables(crc, &[*byte]));
            assert_eq!(crc16_by_tables(crc, bytes), expected, "{num_bytes}");
            assert_eq!(crc16(crc, bytes), expected, "{num_bytes}");
        }
    }

    #[test]
    fn checksums_have_their_published_check_values() {
        assert_eq!((crc8(b"123456789"), crc16(0, b"123456789")), (0xF4, 0xFEE8)); // CRC-8/SMBUS, CRC-16/UMTS
    }
}
