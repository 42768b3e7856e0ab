//! The length of a frame, found by parsing its subframes without decoding samples (RFC 9639, section 9.2).
//!
//! A frame does not contain its length. Usually the next frame shows where it ends; this is for frames without a next
//! one.

#![forbid(unsafe_code)]

use mapwave_flac::FrameHeader;

use crate::bits::{Bits, EndOfBits, MsbFirst};

/// Where a frame ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FrameLength {
    /// After this many bytes, including its checksum.
    Bytes(usize),
    /// Beyond the bytes that are available.
    Cut,
    /// Unknown: the bytes are not a valid frame.
    Malformed,
}

impl From<EndOfBits> for FrameLength {
    fn from(_: EndOfBits) -> Self {
        Self::Cut
    }
}

/// Finds the length of the frame at the beginning of `bytes`, given its header and the depth of the stream; returns also how
/// many bytes were read.
pub(crate) fn frame_length(bytes: &[u8], header: &FrameHeader, bits_per_sample: u32) -> (FrameLength, usize) {
    let mut bits = Bits::at(bytes, header.num_bytes as u64 * 8);
    for channel in 0..header.num_channels {
        let is_side = header.side_channel() == Some(channel);
        match skip_subframe(&mut bits, header.block_size, bits_per_sample + u32::from(is_side)) {
            Ok(()) => {}
            // A cut frame was read to the end of the bytes.
            Err(FrameLength::Cut) => return (FrameLength::Cut, bytes.len()),
            Err(length) => return (length, bytes_before(&bits)),
        }
    }
    let num_read = bytes_before(&bits);
    let num_bytes = usize::try_from(bits.position().div_ceil(8).saturating_add(2)).unwrap_or(usize::MAX);
    let length = if num_bytes <= bytes.len() { FrameLength::Bytes(num_bytes) } else { FrameLength::Cut };
    (length, num_read)
}

/// The bytes in front of a position.
fn bytes_before(bits: &Bits<'_, MsbFirst>) -> usize {
    usize::try_from(bits.position().div_ceil(8)).unwrap_or(usize::MAX)
}

fn skip_subframe(
    bits: &mut Bits<'_, MsbFirst>,
    block_size: u32,
    bits_per_sample: u32,
) -> Result<(), FrameLength> {
    let header = bits.read(8)?;
    let wasted = if header & 1 != 0 { bits.read_unary()?.saturating_add(1) } else { 0 };
    let depth = bits_per_sample.checked_sub(wasted).filter(|depth| *depth > 0);
    let depth = depth.ok_or(FrameLength::Malformed)?;
    let order = match header >> 1 {
        0 => return Ok(bits.skip(depth.into())?),
        1 => return Ok(bits.skip(u64::from(depth) * u64::from(block_size))?),
        kind @ 8..=12 => kind - 8,
        kind @ 32..=63 => kind - 31,
        _ => return Err(FrameLength::Malformed),
    };
    bits.skip(u64::from(depth) * u64::from(order))?;
    if header >> 1 >= 32 {
        let precision = bits.read(4)? + 1;
        bits.read(5)?;
        bits.skip(u64::from(precision) * u64::from(order))?;
    }
    skip_residual(bits, block_size, order)
}

fn skip_residual(bits: &mut Bits<'_, MsbFirst>, block_size: u32, order: u32) -> Result<(), FrameLength> {
    let parameter_bits = match bits.read(2)? {
        0 => 4,
        1 => 5,
        _ => return Err(FrameLength::Malformed),
    };
    let partition_order = bits.read(4)?;
    let partition_size = block_size >> partition_order;
    if partition_size << partition_order != block_size || partition_size < order {
        return Err(FrameLength::Malformed);
    }
    for partition in 0..1_u32 << partition_order {
        let num_residuals = partition_size - if partition == 0 { order } else { 0 };
        let parameter = bits.read(parameter_bits)?;
        if parameter + 1 == 1 << parameter_bits {
            let depth = bits.read(5)?;
            bits.skip(u64::from(depth) * u64::from(num_residuals))?;
        } else {
            for _ in 0..num_residuals {
                bits.read_unary()?;
                bits.skip(parameter.into())?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::cast_possible_truncation)]
mod tests {
    use super::*;

    /// The frame of the example in RFC 9639, appendix D.1: two verbatim subframes with wasted bits.
    const EXAMPLE: [u8; 15] =
        [0xFF, 0xF8, 0x69, 0x18, 0x00, 0x00, 0xBF, 0x03, 0x58, 0xFD, 0x03, 0x12, 0x8B, 0xAA, 0x9A];

    #[test]
    fn a_frame_ends_where_the_specification_says_and_a_cut_one_nowhere() {
        let header = FrameHeader::parse(&EXAMPLE).expect("a header");
        for num_bytes in header.num_bytes..EXAMPLE.len() + 1 {
            let expected = if num_bytes < 15 { FrameLength::Cut } else { FrameLength::Bytes(15) };
            assert_eq!(frame_length(&EXAMPLE[..num_bytes], &header, 16).0, expected);
        }
        assert_eq!(mapwave_flac::crc::crc16(0, &EXAMPLE), 0);
    }
}
