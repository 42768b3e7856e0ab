//! FLAC frames: a header and one compressed block of every channel (RFC 9639, section 9).

#![forbid(unsafe_code)]

use crate::crc::{crc8, crc16};
use crate::encode::bit_writer::BitWriter;
use crate::encode::level::{Level, StereoSearch};
use crate::encode::stereo::{Assignment, Signal, mid_side};
use crate::encode::subframe::{Search, Subframe};

/// The most bytes of a FLAC frame besides its samples: its header, its checksums and the headers of subframes.
const MAX_OVERHEAD: usize = 64;

/// What all FLAC frames of a file have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Format {
    pub(crate) sample_rate: u32,
    pub(crate) num_channels: usize,
    pub(crate) bits_per_sample: u32,
    pub(crate) level: Level,
}

impl Format {
    /// The most bytes that a FLAC frame takes.
    pub(crate) fn max_frame_bytes(&self) -> usize {
        self.num_channels * (self.level.block_size * (self.bits_per_sample as usize + 1)).div_ceil(8)
            + MAX_OVERHEAD
    }
}

/// Encodes FLAC frames. Each is a function of its samples and its number alone.
#[derive(Debug)]
pub(crate) struct FrameEncoder {
    format: Format,
    mid: Vec<i32>,
    side: Vec<i32>,
    /// One for each channel, or for each signal of two channels.
    subframes: Vec<Subframe>,
    search: Search,
}

impl FrameEncoder {
    pub(crate) fn new(format: Format) -> Self {
        let mut subframes = Vec::new();
        subframes.resize_with(format.num_channels.max(Signal::ALL.len()), Subframe::default);
        Self { format, mid: Vec::new(), side: Vec::new(), subframes, search: Search::new(format.level) }
    }

    /// The most bytes that an encoder of this format allocates.
    pub(crate) fn num_bytes(format: &Format) -> u64 {
        let sides = 2 * format.level.block_size * size_of::<i32>();
        sides as u64 + Search::num_bytes(format.level, format.num_channels.max(Signal::ALL.len()))
    }

    /// The bytes of the FLAC frame of a block. All channels have the same number of samples.
    #[inline(always)]
    pub(crate) fn encode(&mut self, channels: &[&[i32]], number: u64) -> Vec<u8> {
        let bits = self.format.bits_per_sample;
        let block_size = channels.first().map_or(0, |channel| channel.len());
        let mut writer = BitWriter::after(Vec::with_capacity(self.format.max_frame_bytes()));
        if let [left, right] = *channels {
            let assignment = self.plan_pair(left, right);
            self.write_header(assignment, block_size, number, &mut writer);
            for signal in assignment.signals() {
                let (samples, bits) = match signal {
                    Signal::Left => (left, bits),
                    Signal::Right => (right, bits),
                    Signal::Mid => (self.mid.as_slice(), bits),
                    Signal::Side => (self.side.as_slice(), bits + 1),
                };
                if let Some(subframe) = self.subframes.get(signal as usize) {
                    subframe.write(samples, bits, &mut writer);
                }
            }
        } else {
            self.write_header(Assignment::Independent, block_size, number, &mut writer);
            for (samples, subframe) in channels.iter().zip(&mut self.subframes) {
                subframe.plan(samples, bits, &mut self.search);
                subframe.write(samples, bits, &mut writer);
            }
        }
        writer.align();
        let checksum = crc16(0, writer.bytes());
        writer.write(checksum.into(), 16);
        writer.into_bytes()
    }

    /// Plans the subframes that may be written, and returns which ones take the fewest bits.
    #[inline(always)]
    fn plan_pair(&mut self, left: &[i32], right: &[i32]) -> Assignment {
        let bits = self.format.bits_per_sample;
        let chosen = match self.format.level.stereo {
            StereoSearch::None => Some(Assignment::Independent),
            StereoSearch::Estimate => {
                mid_side(left, right, &mut self.mid, &mut self.side);
                Some(Assignment::estimate([left, right, &self.mid, &self.side], bits))
            }
            StereoSearch::Full => {
                mid_side(left, right, &mut self.mid, &mut self.side);
                None
            }
        };
        for (signal, subframe) in Signal::ALL.into_iter().zip(&mut self.subframes) {
            if chosen.is_none_or(|chosen| chosen.signals().contains(&signal)) {
                let (samples, bits) = match signal {
                    Signal::Left => (left, bits),
                    Signal::Right => (right, bits),
                    Signal::Mid => (self.mid.as_slice(), bits),
                    Signal::Side => (self.side.as_slice(), bits + 1),
                };
                subframe.plan(samples, bits, &mut self.search);
            }
        }
        let bits = |signal| self.subframes.get(signal as usize).map_or(u64::MAX / 2, Subframe::num_bits);
        chosen.unwrap_or_else(|| Assignment::cheapest(bits))
    }

    /// Section 9.1.
    fn write_header(&self, assignment: Assignment, block_size: usize, number: u64, writer: &mut BitWriter) {
        let size = SizeCode::of_block(block_size);
        let rate = SizeCode::of_rate(self.format.sample_rate);
        writer.write(0xFFF8, 16); // sync code; all blocks but the last have the same size
        writer.write(size.code, 4);
        writer.write(rate.code, 4);
        writer.write(assignment.code(self.format.num_channels), 4);
        writer.write(depth_code(self.format.bits_per_sample), 3);
        writer.write(0, 1);
        write_number(number, writer);
        writer.write(size.value, size.num_bits);
        writer.write(rate.value, rate.num_bits);
        let checksum = crc8(writer.bytes());
        writer.write(checksum.into(), 8);
    }
}

/// A size in a header: a code, followed by the size itself if the code stands for that.
struct SizeCode {
    code: u64,
    value: u64,
    num_bits: u32,
}

impl SizeCode {
    /// Section 9.1.1.
    fn of_block(block_size: usize) -> Self {
        let alone = |code| Self { code, value: 0, num_bits: 0 };
        match block_size {
            192 => alone(1),
            576 => alone(2),
            1152 => alone(3),
            2304 => alone(4),
            4608 => alone(5),
            256 | 512 | 1024 | 2048 | 4096 | 8192 | 16384 | 32768 => alone(block_size.ilog2().into()),
            ..=256 => Self { code: 6, value: block_size as u64 - 1, num_bits: 8 },
            _ => Self { code: 7, value: block_size as u64 - 1, num_bits: 16 },
        }
    }

    /// Section 9.1.2.
    fn of_rate(sample_rate: u32) -> Self {
        let alone = |code| Self { code, value: 0, num_bits: 0 };
        let rate = u64::from(sample_rate);
        match rate {
            88_200 => alone(1),
            176_400 => alone(2),
            192_000 => alone(3),
            8_000 => alone(4),
            16_000 => alone(5),
            22_050 => alone(6),
            24_000 => alone(7),
            32_000 => alone(8),
            44_100 => alone(9),
            48_000 => alone(10),
            96_000 => alone(11),
            _ if rate.is_multiple_of(1000) && rate <= 255_000 => {
                Self { code: 12, value: rate / 1000, num_bits: 8 }
            }
            ..=65_535 => Self { code: 13, value: rate, num_bits: 16 },
            _ if rate.is_multiple_of(10) && rate <= 655_350 => {
                Self { code: 14, value: rate / 10, num_bits: 16 }
            }
            _ => alone(0), // STREAMINFO has it
        }
    }
}

/// Section 9.1.4.
fn depth_code(bits_per_sample: u32) -> u64 {
    match bits_per_sample {
        8 => 1,
        12 => 2,
        16 => 4,
        20 => 5,
        24 => 6,
        _ => 0, // STREAMINFO has it
    }
}

/// A number of up to 36 bits, encoded like a code point in UTF-8 (section 9.1.5).
fn write_number(number: u64, writer: &mut BitWriter) {
    if number < 0x80 {
        writer.write(number, 8);
        return;
    }
    // n bytes after the first hold 6n bits of the number, and the first one 6 - n.
    let num_after = (1..6).find(|n| number >> (6 * n + 6 - n) == 0).unwrap_or(6);
    let marker = (0xFF00_u64 >> (num_after + 1)) & 0xFF;
    writer.write(marker | number >> (6 * num_after), 8);
    for place in (0..num_after).rev() {
        writer.write(0x80 | (number >> (6 * place) & 0x3F), 8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_encoded_like_characters() {
        for number in [0, 1, 0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xFFFF, 0x10000, 0x10FFFF] {
            let mut writer = BitWriter::default();
            write_number(number.into(), &mut writer);
            let character = char::from_u32(number).unwrap_or_default();
            assert_eq!(writer.bytes(), character.encode_utf8(&mut [0; 4]).as_bytes());
        }
        for (number, bytes) in [
            ((1 << 26) - 1, &[0xFB, 0xBF, 0xBF, 0xBF, 0xBF][..]),
            (1 << 26, &[0xFC, 0x84, 0x80, 0x80, 0x80, 0x80]),
            ((1 << 31) - 1, &[0xFD, 0xBF, 0xBF, 0xBF, 0xBF, 0xBF]),
            (1 << 31, &[0xFE, 0x82, 0x80, 0x80, 0x80, 0x80, 0x80]),
            ((1 << 36) - 1, &[0xFE, 0xBF, 0xBF, 0xBF, 0xBF, 0xBF, 0xBF]),
        ] {
            let mut writer = BitWriter::default();
            write_number(number, &mut writer);
            assert_eq!(writer.bytes(), bytes);
        }
    }

    #[test]
    fn sizes_that_have_no_code_follow() {
        let block = |size| (SizeCode::of_block(size).code, SizeCode::of_block(size).value);
        assert_eq!(
            [1, 256, 257, 192, 4096, 4095, 65_535].map(block),
            [(6, 0), (8, 0), (7, 256), (1, 0), (12, 0), (7, 4094), (7, 65_534)]
        );
        let rate = |rate| (SizeCode::of_rate(rate).code, SizeCode::of_rate(rate).value);
        let rates = [1, 11_025, 44_100, 64_000, 65_535, 65_537, 255_000, 256_000, 655_350].map(rate);
        let expected = [
            (13, 1),
            (13, 11_025),
            (9, 0),
            (12, 64),
            (13, 65_535),
            (0, 0),
            (12, 255),
            (14, 25_600),
            (14, 65_535),
        ];
        assert_eq!(rates, expected);
    }
}
