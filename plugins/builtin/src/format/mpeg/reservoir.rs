//! The fields of layer III's side information that locate the main data (ISO/IEC 11172-3 section 2.4.1.7), and the rule
//! by which main data is kept for later frames.
//!
//! The main data of a frame may begin in earlier frames: `main_data_begin` counts the bytes of the *bit reservoir* before
//! the frame's own main data. So a decoder must keep the last 511 bytes of main data, and a frame can be decoded if its
//! main data begins within the bytes that are kept.

use super::header::Header;
use crate::bits::{BitOrder, MsbFirst};

/// The most bytes of main data that are kept: a `main_data_begin` of 9 bits reaches no further back.
pub(crate) const MAX_RESERVOIR_BYTES: usize = 511;

/// Room for the longest side information, and for words that begin in it.
const BLOCK_BYTES: usize = 48;

/// Where the main data of a frame begins and how much of it there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SideInfo {
    /// The distance of the first byte before the frame's own main data.
    pub(crate) main_data_begin: usize,
    /// The bits of all granules and channels.
    pub(crate) num_bits: usize,
    /// Whether every granule can be decoded.
    is_valid: bool,
}

impl SideInfo {
    /// The side information of the frame at the beginning of `frame`; missing bytes are taken as zeros.
    #[inline]
    pub(crate) fn parse(header: Header, frame: &[u8]) -> Self {
        let mut block = [0; BLOCK_BYTES];
        let start = Header::NUM_BYTES + header.crc_bytes();
        let side = frame.get(start..).unwrap_or_default();
        match side.first_chunk::<32>() {
            // A copy of one constant size is faster than one of four sizes.
            Some(side) => block.iter_mut().zip(side).for_each(|(to, from)| *to = *from),
            None => block.iter_mut().take(header.side_bytes()).zip(side).for_each(|(to, from)| *to = *from),
        }
        let num_channels = usize::from(header.num_channels());
        let (begin_bits, shared_bits, num_blocks, block_bits, switch_at) =
            match (header.is_mpeg1(), num_channels) {
                (true, 1) => (9, 18, 2, 59, 33),
                (true, _) => (9, 20, 4, 59, 33),
                (false, 1) => (8, 9, 1, 63, 38),
                (false, _) => (8, 10, 2, 63, 38),
            };
        let mut info = Self { main_data_begin: bits(&block, 0, begin_bits), num_bits: 0, is_valid: true };
        for number in 0..num_blocks {
            let at = shared_bits + number * block_bits;
            info.num_bits += bits(&block, at, 12);
            let big_values = bits(&block, at + 12, 9);
            // A window switch to block type 0 is forbidden, and a granule has at most 288 pairs.
            info.is_valid &= big_values <= 288 && bits(&block, at + switch_at, 3) != 0b100;
        }
        info
    }

    /// How many bytes are kept after a frame with `own_bytes` of main data when `kept_bytes` were before it; in an
    /// `Err` if the frame cannot be decoded, because its side information is invalid or its main data is missing.
    #[inline]
    pub(crate) fn advance(self, kept_bytes: usize, own_bytes: Option<usize>) -> Result<usize, usize> {
        let all_bytes = kept_bytes + own_bytes.unwrap_or(0);
        let used_bytes = self.num_bits.div_ceil(8);
        let has_all = own_bytes.is_some_and(|own| self.num_bits <= (self.main_data_begin + own) * 8);
        if self.is_valid && has_all && self.main_data_begin <= kept_bytes {
            let left = self.main_data_begin + own_bytes.unwrap_or(0) - used_bytes;
            Ok(left.min(MAX_RESERVOIR_BYTES))
        } else {
            Err(all_bytes.min(MAX_RESERVOIR_BYTES))
        }
    }
}

/// `num_bits` bits, at most 32, from bit `at` on.
#[inline]
fn bits(block: &[u8; BLOCK_BYTES], at: usize, num_bits: u32) -> usize {
    let value = MsbFirst::field(MsbFirst::word(block, at as u64), num_bits);
    usize::try_from(value).unwrap_or(usize::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]
mod tests {
    use super::*;

    /// A frame whose side information has these fields, the granules all alike.
    fn frame(header: Header, main_data_begin: u32, part2_3_length: u32, big_values: u32) -> Vec<u8> {
        let mut string = String::new();
        let mut put = |value: u32, width: usize| string.push_str(&format!("{value:0width$b}"));
        let num_channels = usize::from(header.num_channels());
        let num_granules = if header.is_mpeg1() { 2 } else { 1 };
        put(main_data_begin, if header.is_mpeg1() { 9 } else { 8 });
        put(0, if header.is_mpeg1() { 7 + 2 * num_channels } else { num_channels });
        for _ in 0..num_granules * num_channels {
            put(part2_3_length, 12);
            put(big_values, 9);
            put(0, if header.is_mpeg1() { 38 } else { 42 });
        }
        let mut bytes = header.to_bytes().to_vec();
        for byte in string.as_bytes().chunks(8) {
            bytes.push(byte.iter().fold(0, |value, bit| value << 1 | (bit - b'0')));
        }
        bytes
    }

    #[test]
    fn fields_are_found_in_every_layout() {
        for bytes in [
            [0xFF, 0xFB, 0x90, 0x00],
            [0xFF, 0xFB, 0x90, 0xC0],
            [0xFF, 0xF3, 0x90, 0x00],
            [0xFF, 0xF3, 0x90, 0xC0],
        ] {
            let header = Header::parse(&bytes).unwrap();
            let num_blocks = usize::from(header.num_channels()) * if header.is_mpeg1() { 2 } else { 1 };
            let found = SideInfo::parse(header, &frame(header, 200, 1234, 288));
            let expected = SideInfo { main_data_begin: 200, num_bits: num_blocks * 1234, is_valid: true };
            assert_eq!(found, expected, "{bytes:x?}");
            assert!(!SideInfo::parse(header, &frame(header, 200, 1234, 289)).is_valid);
        }
    }

    #[test]
    fn what_a_frame_leaves_is_kept() {
        let info = SideInfo { main_data_begin: 100, num_bits: 801, is_valid: true };
        assert_eq!(info.advance(100, Some(50)), Ok(49));
        assert_eq!(info.advance(511, Some(1000)), Ok(511));
        assert_eq!(info.advance(99, Some(50)), Err(149), "the reservoir lacks a byte");
        assert_eq!(info.advance(100, Some(0)), Err(100), "the main data lacks a bit");
        assert_eq!(info.advance(100, None), Err(100));
        assert_eq!(SideInfo { is_valid: false, ..info }.advance(500, Some(50)), Err(511));
    }
}
