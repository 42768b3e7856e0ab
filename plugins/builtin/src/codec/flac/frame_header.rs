//! The header of a FLAC frame (RFC 9639, section 9.1).

#![forbid(unsafe_code)]

use mapwave_flac::crc::crc8;

use crate::bytes::Bytes;

/// A header of a FLAC frame with a valid checksum. In the comments of this crate's FLAC modules, a *frame* is one of
/// FLAC, and a *frame of sound* is one sample of every channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FrameHeader {
    /// Whether `number` counts frames of sound rather than FLAC frames.
    pub(crate) is_variable: bool,
    /// The number of the first frame of sound or of the FLAC frame.
    pub(crate) number: u64,
    /// The frames of sound in the FLAC frame.
    pub(crate) block_size: u32,
    /// Frames of sound per second; `None` if only STREAMINFO has it.
    pub(crate) sample_rate: Option<u32>,
    /// Samples in a frame of sound.
    pub(crate) num_channels: u32,
    /// The channel that is the difference of two, with one bit more.
    pub(crate) side_channel: Option<u32>,
    /// The depth in bits; `None` if only STREAMINFO has it.
    pub(crate) bits_per_sample: Option<u32>,
    /// The size of the header with its checksum.
    pub(crate) num_bytes: usize,
}

impl FrameHeader {
    /// The longest header.
    pub(crate) const MAX_BYTES: usize = 16;

    /// Reads the header at the beginning of `bytes`; `None` if it is not valid.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let &[0xFF, sync, sizes, layout, ..] = bytes else { return None };
        if sync & 0xFE != 0xF8 || layout & 1 != 0 {
            return None;
        }
        let is_variable = sync & 1 != 0;
        let mut rest = Bytes::at(bytes.get(4..)?, 4);
        let number = read_number(&mut rest)?;
        let number = (is_variable || number < 1 << 31).then_some(number)?;
        let block_size = match sizes >> 4 {
            0 => return None,
            1 => 192,
            code @ 2..=5 => 144 << code,
            6 => u32::from(rest.u8().ok()?) + 1,
            7 => u32::from(rest.u16().ok()?) + 1,
            code => 1 << code,
        };
        let sample_rate = match sizes & 0xF {
            0 => None,
            1 => Some(88_200),
            2 => Some(176_400),
            3 => Some(192_000),
            4 => Some(8_000),
            5 => Some(16_000),
            6 => Some(22_050),
            7 => Some(24_000),
            8 => Some(32_000),
            9 => Some(44_100),
            10 => Some(48_000),
            11 => Some(96_000),
            12 => Some(u32::from(rest.u8().ok()?) * 1000),
            13 => Some(u32::from(rest.u16().ok()?)),
            14 => Some(u32::from(rest.u16().ok()?) * 10),
            _ => return None,
        };
        let (num_channels, side_channel) = match layout >> 4 {
            code @ 0..=7 => (u32::from(code) + 1, None),
            8 | 10 => (2, Some(1)),
            9 => (2, Some(0)),
            _ => return None,
        };
        let bits_per_sample = match (layout >> 1) & 7 {
            0 => None,
            1 => Some(8),
            2 => Some(12),
            4 => Some(16),
            5 => Some(20),
            6 => Some(24),
            7 => Some(32),
            _ => return None,
        };
        rest.u8().ok()?; // the checksum
        let num_bytes = usize::try_from(rest.offset()).ok()?;
        // A block size of 65536 can be written but is forbidden.
        let is_sound = block_size < 1 << 16 && sample_rate != Some(0);
        (is_sound && crc8(bytes.get(..num_bytes)?) == 0).then_some(Self {
            is_variable,
            number,
            block_size,
            sample_rate,
            num_channels,
            side_channel,
            bits_per_sample,
            num_bytes,
        })
    }
}

/// A number of up to 36 bits, encoded like a code point in UTF-8 (section 9.1.5).
fn read_number(bytes: &mut Bytes<'_>) -> Option<u64> {
    let first = bytes.u8().ok()?;
    let num_more = match first.leading_ones() {
        0 => return Some(first.into()),
        ones @ 2..=7 => ones - 1,
        _ => return None,
    };
    let mut number = u64::from(first) & (0x3F >> num_more);
    for _ in 0..num_more {
        let byte = bytes.u8().ok()?;
        if byte & 0xC0 != 0x80 {
            return None;
        }
        number = (number << 6) | u64::from(byte & 0x3F);
    }
    Some(number)
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::cast_possible_truncation)]
mod tests {
    use super::*;

    /// The first frame of the example in RFC 9639, appendix D.2.
    const EXAMPLE: [u8; 7] = [0xFF, 0xF8, 0x69, 0x98, 0x00, 0x0F, 0x99];

    #[test]
    fn the_example_of_the_specification_is_read() {
        let header = FrameHeader::parse(&EXAMPLE);
        assert_eq!(
            header,
            Some(FrameHeader {
                is_variable: false,
                number: 0,
                block_size: 16,
                sample_rate: Some(44_100),
                num_channels: 2,
                side_channel: Some(0),
                bits_per_sample: Some(16),
                num_bytes: 7,
            })
        );
    }

    #[test]
    fn no_flipped_bit_and_no_cut_passes() {
        for bit in 0..EXAMPLE.len() * 8 {
            let mut bytes = EXAMPLE;
            bytes[bit / 8] ^= 0x80 >> (bit % 8);
            assert_eq!(FrameHeader::parse(&bytes), None, "bit {bit}");
        }
        for num_bytes in 0..EXAMPLE.len() {
            assert_eq!(FrameHeader::parse(&EXAMPLE[..num_bytes]), None);
        }
    }

    #[test]
    fn numbers_are_read_as_utf_8_and_beyond() {
        for character in ['\u{0}', '\u{7F}', '\u{80}', '\u{7FF}', '\u{800}', '\u{FFFF}', '\u{10FFFF}'] {
            let mut buffer = [0; 4];
            let mut bytes = Bytes::new(character.encode_utf8(&mut buffer).as_bytes());
            assert_eq!(read_number(&mut bytes), Some(u64::from(u32::from(character))));
            assert!(bytes.rest().is_empty());
        }
        let largest = [0xFE, 0xBF, 0xBF, 0xBF, 0xBF, 0xBF, 0xBF];
        assert_eq!(read_number(&mut Bytes::new(&largest)), Some((1 << 36) - 1));
        for wrong in [&[0x80][..], &[0xFF, 0x80], &[0xC2, 0x00], &[0xE0, 0x80]] {
            assert_eq!(read_number(&mut Bytes::new(wrong)), None);
        }
    }
}
