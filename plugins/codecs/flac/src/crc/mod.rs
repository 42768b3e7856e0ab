//! The checksums of a FLAC frame (RFC 9639, sections 9.1.8 and 9.3), for encoders and decoders.
//!
//! A CRC takes the bits of a message for the coefficients of a polynomial over {0, 1} and is the remainder when that
//! polynomial, shifted up by the width of the checksum, is divided by a fixed one.
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
mod tables;

/// The CRC-8 of a FLAC frame's header; 0 for a header including its checksum.
pub fn crc8(bytes: &[u8]) -> u8 {
    tables::crc8(bytes)
}

/// Continues the CRC-16 of a FLAC frame, which starts at 0, over `bytes`; 0 for a frame including its checksum.
pub fn crc16(crc: u16, bytes: &[u8]) -> u16 {
    clmul::crc16(crc, bytes).unwrap_or_else(|| tables::crc16(crc, bytes))
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
            let expected = bytes.iter().fold(crc, |crc, byte| tables::crc16(crc, &[*byte]));
            assert_eq!(tables::crc16(crc, bytes), expected, "{num_bytes}");
            assert_eq!(crc16(crc, bytes), expected, "{num_bytes}");
        }
    }

    #[test]
    fn checksums_have_their_published_check_values() {
        assert_eq!((crc8(b"123456789"), crc16(0, b"123456789")), (0xF4, 0xFEE8)); // CRC-8/SMBUS, CRC-16/UMTS
    }
}
