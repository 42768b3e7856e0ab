//! CRCs by look-up, on every processor.
//!
//! The remainder of a sum is the sum (XOR) of the remainders, so each byte can be looked up on its own: table n has the
//! remainder of a byte with n zero bytes after it. The checksum so far is added to the first bytes of the next slice. Thus 16
//! look-ups, of which only two wait for the slice before, replace 16 steps that each wait for the last.

#![forbid(unsafe_code)]

/// x^8 + x^2 + x + 1.
const POLYNOMIAL_8: u8 = 0x07;

/// x^16 + x^15 + x^2 + 1.
pub(super) const POLYNOMIAL_16: u16 = 0x8005;

/// The bytes that are processed at a time.
pub(super) const SLICE: usize = 16;

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
pub(super) fn crc8(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |crc, byte| TABLE_8[usize::from(crc ^ byte)])
}

/// Continues a CRC-16 over `bytes`.
#[expect(clippy::indexing_slicing, reason = "a byte is below 256, and a place in a slice below its size")]
pub(super) fn crc16(mut crc: u16, bytes: &[u8]) -> u16 {
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
