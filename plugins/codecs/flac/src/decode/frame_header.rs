//! The header of a FLAC frame (RFC 9639, section 9.1).

#![forbid(unsafe_code)]

use crate::crc::crc8;

/// How the two channels of a FLAC frame are stored (section 9.1.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Decorrelation {
    /// Each channel as it is, of which there may be any number.
    #[default]
    Independent,
    /// The left channel, then left minus right.
    LeftSide,
    /// Left minus right, then the right channel.
    SideRight,
    /// The mean of both, then left minus right.
    MidSide,
}

impl Decorrelation {
    /// The channel that is the difference, which has one bit more than the others.
    pub fn side_channel(self) -> Option<u32> {
        match self {
            Self::Independent => None,
            Self::LeftSide | Self::MidSide => Some(1),
            Self::SideRight => Some(0),
        }
    }
}

/// A header of a FLAC frame with a valid checksum.
///
/// ```
/// use mapwave_flac::{Decorrelation, FrameHeader};
///
/// // The first frame of the example in RFC 9639, appendix D.2.
/// let header = FrameHeader::parse(&[0xFF, 0xF8, 0x69, 0x98, 0x00, 0x0F, 0x99]).unwrap();
/// assert_eq!((header.block_size, header.sample_rate, header.bits_per_sample), (16, Some(44_100), Some(16)));
/// assert_eq!(header.decorrelation, Decorrelation::SideRight);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    /// Whether `number` counts frames of sound rather than FLAC frames.
    pub is_variable: bool,
    /// The number of the first frame of sound or of the FLAC frame.
    pub number: u64,
    /// The frames of sound in the FLAC frame.
    pub block_size: u32,
    /// Frames of sound per second; `None` if only STREAMINFO has it.
    pub sample_rate: Option<u32>,
    /// Samples in a frame of sound.
    pub num_channels: u32,
    /// How two channels are stored.
    pub decorrelation: Decorrelation,
    /// The depth in bits; `None` if only STREAMINFO has it.
    pub bits_per_sample: Option<u32>,
    /// The size of the header with its checksum.
    pub num_bytes: usize,
}

impl FrameHeader {
    /// The longest header.
    pub const MAX_BYTES: usize = 16;

    /// Reads the header at the beginning of `bytes`; `None` if it is not valid.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let &[0xFF, sync, sizes, layout, ..] = bytes else { return None };
        if sync & 0xFE != 0xF8 || layout & 1 != 0 {
            return None;
        }
        let is_variable = sync & 1 != 0;
        let mut rest = Fields { bytes, position: 4 };
        let number = rest.number()?;
        let number = (is_variable || number < 1 << 31).then_some(number)?;
        let block_size = match sizes >> 4 {
            0 => return None,
            1 => 192,
            code @ 2..=5 => 144 << code,
            6 => u32::from(rest.byte()?) + 1,
            7 => rest.two_bytes()? + 1,
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
            12 => Some(u32::from(rest.byte()?) * 1000),
            13 => Some(rest.two_bytes()?),
            14 => Some(rest.two_bytes()? * 10),
            _ => return None,
        };
        let (num_channels, decorrelation) = match layout >> 4 {
            code @ 0..=7 => (u32::from(code) + 1, Decorrelation::Independent),
            8 => (2, Decorrelation::LeftSide),
            9 => (2, Decorrelation::SideRight),
            10 => (2, Decorrelation::MidSide),
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
        rest.byte()?; // the checksum
        let num_bytes = rest.position;
        // A block size of 65536 can be written but is forbidden.
        let is_sound = block_size < 1 << 16 && sample_rate != Some(0);
        (is_sound && crc8(bytes.get(..num_bytes)?) == 0).then_some(Self {
            is_variable,
            number,
            block_size,
            sample_rate,
            num_channels,
            decorrelation,
            bits_per_sample,
            num_bytes,
        })
    }

    /// The channel that is the difference of two, with one bit more.
    pub fn side_channel(&self) -> Option<u32> {
        self.decorrelation.side_channel()
    }
}

/// The fields after the first four bytes.
struct Fields<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl Fields<'_> {
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.position)?;
        self.position += 1;
        Some(byte)
    }

    fn two_bytes(&mut self) -> Option<u32> {
        Some(u32::from(self.byte()?) << 8 | u32::from(self.byte()?))
    }

    /// A number of up to 36 bits, encoded like a code point in UTF-8 (section 9.1.5).
    fn number(&mut self) -> Option<u64> {
        let first = self.byte()?;
        let num_more = match first.leading_ones() {
            0 => return Some(first.into()),
            ones @ 2..=7 => ones - 1,
            _ => return None,
        };
        let mut number = u64::from(first) & (0x3F >> num_more);
        for _ in 0..num_more {
            let byte = self.byte()?;
            if byte & 0xC0 != 0x80 {
                return None;
            }
            number = (number << 6) | u64::from(byte & 0x3F);
        }
        Some(number)
    }
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
                decorrelation: Decorrelation::SideRight,
                bits_per_sample: Some(16),
                num_bytes: 7,
            })
        );
        assert_eq!(header.and_then(|header| header.side_channel()), Some(0));
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
            let bytes = character.encode_utf8(&mut buffer).as_bytes();
            let mut fields = Fields { bytes, position: 0 };
            assert_eq!(fields.number(), Some(u64::from(u32::from(character))));
            assert_eq!(fields.position, bytes.len());
        }
        let number = |bytes: &[u8]| Fields { bytes, position: 0 }.number();
        let largest = [0xFE, 0xBF, 0xBF, 0xBF, 0xBF, 0xBF, 0xBF];
        assert_eq!(number(&largest), Some((1 << 36) - 1));
        for wrong in [&[0x80][..], &[0xFF, 0x80], &[0xC2, 0x00], &[0xE0, 0x80]] {
            assert_eq!(number(wrong), None);
        }
    }
}
