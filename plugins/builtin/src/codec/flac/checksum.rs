//! The checksums of a FLAC frame (RFC 9639, sections 9.1.8 and 9.3). `mapwave-flac` explains the tables.

#![forbid(unsafe_code)]
#![allow(clippy::indexing_slicing)] // a byte is always an index into 256 entries

/// The bytes of a CRC-16 that are processed at a time.
const STRIDE: usize = 16;

static CRC8: [u8; 256] = crc8_table();
/// Table `n` holds the contribution of a byte that `n` bytes follow.
static CRC16: [[u16; 256]; STRIDE] = crc16_tables();

const fn crc8_table() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        #[allow(clippy::cast_possible_truncation)] // below 256
        let mut crc = byte as u8;
        let mut bit = 0;
        while bit < 8 {
            crc = (crc << 1) ^ if crc & 0x80 != 0 { 0x07 } else { 0 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
}

const fn crc16_tables() -> [[u16; 256]; STRIDE] {
    let mut tables = [[0; 256]; STRIDE];
    let mut byte = 0;
    while byte < 256 {
        #[allow(clippy::cast_possible_truncation)] // below 256
        let mut crc = (byte as u16) << 8;
        let mut table = 0;
        while table < STRIDE {
            let mut bit = 0;
            while bit < 8 {
                crc = (crc << 1) ^ if crc & 0x8000 != 0 { 0x8005 } else { 0 };
                bit += 1;
            }
            tables[table][byte] = crc;
            table += 1;
        }
        byte += 1;
    }
    tables
}

/// The checksum of a frame's header; 0 for a header including its checksum.
pub(crate) fn crc8(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |crc, byte| CRC8[usize::from(crc ^ byte)])
}

/// Continues the checksum of a frame over `bytes`; 0 for a frame including its checksum.
pub(crate) fn crc16(mut crc: u16, bytes: &[u8]) -> u16 {
    let (blocks, rest) = bytes.as_chunks::<STRIDE>();
    for block in blocks {
        let [high, low] = crc.to_be_bytes();
        // The checksum so far is combined with the first two bytes only, so the other look-ups need not wait for it.
        let mut next =
            CRC16[STRIDE - 1][usize::from(block[0] ^ high)] ^ CRC16[STRIDE - 2][usize::from(block[1] ^ low)];
        let mut place = 2;
        while place < STRIDE {
            next ^= CRC16[STRIDE - 1 - place][usize::from(block[place])];
            place += 1;
        }
        crc = next;
    }
    rest.iter().fold(crc, |crc, byte| {
        let [high, low] = crc.to_be_bytes();
        CRC16[0][usize::from(high ^ byte)] ^ u16::from_be_bytes([low, 0])
    })
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::cast_possible_truncation)]
mod tests {
    use super::*;

    /// Bit by bit, as the specification says.
    fn crc16_by_bits(bytes: &[u8]) -> u16 {
        bytes.iter().fold(0, |crc, byte| {
            (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
                (crc << 1) ^ if crc & 0x8000 == 0 { 0 } else { 0x8005 }
            })
        })
    }

    #[test]
    fn the_tables_do_what_the_polynomials_say() {
        // The check values of CRC-8/SMBUS and CRC-16/UMTS in the catalogue of CRC algorithms.
        assert_eq!(crc8(b"123456789"), 0xF4);
        assert_eq!(crc16(0, b"123456789"), 0xFEE8);
        let bytes: Vec<u8> = (0..100_u8).map(|number| number.wrapping_mul(151)).collect();
        for end in 0..bytes.len() {
            for middle in [0, end / 3, end] {
                let (first, second) = bytes[..end].split_at(middle);
                assert_eq!(crc16(crc16(0, first), second), crc16_by_bits(&bytes[..end]));
            }
        }
    }
}
