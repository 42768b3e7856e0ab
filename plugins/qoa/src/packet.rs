//! The header of a packet, and the sizes that follow from it. The specification calls a packet a frame.

#![forbid(unsafe_code)]

use mapwave_plugin::{Error, Result};

use crate::lms::STATE_BYTES;
use crate::slice::{SLICE_BYTES, SLICE_FRAMES};

/// The first bytes of a file.
pub(crate) const MAGIC: [u8; 4] = *b"qoaf";
/// The size of the file's header: the magic bytes and `uint32_t samples`.
pub(crate) const FILE_HEADER_BYTES: usize = 8;
/// The size of a packet's header.
pub(crate) const HEADER_BYTES: usize = 8;
/// The slices of each channel in every packet but the last.
const PACKET_SLICES: usize = 256;
/// The frames in every packet but the last.
pub(crate) const PACKET_FRAMES: usize = PACKET_SLICES * SLICE_FRAMES;
/// The highest sample rate: the field has 24 bits.
pub(crate) const MAX_SAMPLE_RATE: u32 = (1 << 24) - 1;

/// The size of one slice of every channel.
pub(crate) fn row_bytes(num_channels: u8) -> usize {
    usize::from(num_channels) * SLICE_BYTES
}

/// The size of everything before the first slice.
pub(crate) fn head_bytes(num_channels: u8) -> usize {
    HEADER_BYTES + usize::from(num_channels) * STATE_BYTES
}

/// The size of a packet of up to 5120 frames.
pub(crate) fn packet_bytes(num_channels: u8, num_frames: usize) -> usize {
    head_bytes(num_channels) + num_frames.div_ceil(SLICE_FRAMES) * row_bytes(num_channels)
}

/// The frames in the first `num_bytes` bytes of a packet: those of complete rows.
pub(crate) fn frames_within(num_channels: u8, num_bytes: usize) -> usize {
    let num_rows = num_bytes.saturating_sub(head_bytes(num_channels)) / row_bytes(num_channels).max(1);
    num_rows.min(PACKET_SLICES) * SLICE_FRAMES
}

/// Speaker positions as a WAVE channel mask; 0 where the specification names none.
pub(crate) fn channel_mask(num_channels: u8) -> u64 {
    match num_channels {
        1 => 0x4,   // mono
        2 => 0x3,   // L, R
        3 => 0x7,   // L, R, C
        4 => 0x33,  // FL, FR, B/SL, B/SR
        5 => 0x37,  // FL, FR, C, B/SL, B/SR
        6 => 0x3f,  // FL, FR, C, LFE, B/SL, B/SR
        7 => 0x70f, // FL, FR, C, LFE, B, SL, SR
        8 => 0x63f, // FL, FR, C, LFE, BL, BR, SL, SR
        _ => 0,
    }
}

/// The header of a packet: `uint8_t num_channels`, `uint24_t samplerate`, `uint16_t fsamples`, `uint16_t fsize`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PacketHeader {
    pub(crate) num_channels: u8,
    pub(crate) sample_rate: u32,
    pub(crate) num_frames: u16,
    /// The size of the packet, this header included.
    pub(crate) num_bytes: u16,
}

impl PacketHeader {
    /// Reads the header without checking it.
    pub(crate) fn from_bytes(bytes: &[u8; HEADER_BYTES]) -> Self {
        let [num_channels, r2, r1, r0, f1, f0, b1, b0] = *bytes;
        Self {
            num_channels,
            sample_rate: u32::from_be_bytes([0, r2, r1, r0]),
            num_frames: u16::from_be_bytes([f1, f0]),
            num_bytes: u16::from_be_bytes([b1, b0]),
        }
    }

    pub(crate) fn to_bytes(self) -> [u8; HEADER_BYTES] {
        let [_, r2, r1, r0] = self.sample_rate.to_be_bytes();
        let ([f1, f0], [b1, b0]) = (self.num_frames.to_be_bytes(), self.num_bytes.to_be_bytes());
        [self.num_channels, r2, r1, r0, f1, f0, b1, b0]
    }

    /// Checks that the numbers agree; the header is at `offset`.
    ///
    /// # Errors
    /// When they do not.
    pub(crate) fn check(&self, offset: u64) -> Result<()> {
        let fault = |what: String| Err(Error::bad_data(offset, what));
        if self.num_channels == 0 {
            return fault("the packet has 0 channels, expected 1 to 255".to_owned());
        }
        if self.sample_rate == 0 {
            return fault("the packet's sample rate is 0".to_owned());
        }
        let num_frames = usize::from(self.num_frames);
        if !(1..=PACKET_FRAMES).contains(&num_frames) {
            return fault(format!("the packet has {num_frames} frames, expected 1 to {PACKET_FRAMES}"));
        }
        let needed = packet_bytes(self.num_channels, num_frames);
        if usize::from(self.num_bytes) < needed {
            let (channels, bytes) = (self.num_channels, self.num_bytes);
            return fault(format!(
                "{num_frames} frames of {channels} channels take {needed} bytes, not {bytes}"
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_header_survives_its_bytes() {
        let header = PacketHeader { num_channels: 2, sample_rate: 44_100, num_frames: 5120, num_bytes: 4136 };
        assert_eq!(header.to_bytes(), [2, 0, 0xac, 0x44, 0x14, 0, 0x10, 0x28]);
        assert_eq!(PacketHeader::from_bytes(&header.to_bytes()), header);
        assert_eq!(packet_bytes(2, 5120), 4136);
        header.check(8).unwrap();
    }

    #[test]
    fn whole_rows_count() {
        assert_eq!(frames_within(2, 0), 0);
        assert_eq!(frames_within(2, 40 + 15), 0);
        assert_eq!(frames_within(2, 40 + 16), 20);
        assert_eq!(frames_within(2, 1 << 40), 5120);
    }

    #[test]
    fn every_layout_has_as_many_speakers_as_channels() {
        for num_channels in 1..=8 {
            assert_eq!(channel_mask(num_channels).count_ones(), num_channels.into());
        }
        assert_eq!(channel_mask(9), 0);
    }

    #[test]
    fn numbers_that_do_not_go_together_are_refused() {
        let good = PacketHeader { num_channels: 1, sample_rate: 8000, num_frames: 20, num_bytes: 32 };
        good.check(8).unwrap();
        for bad in [
            PacketHeader { num_channels: 0, ..good },
            PacketHeader { sample_rate: 0, ..good },
            PacketHeader { num_frames: 0, ..good },
            PacketHeader { num_frames: 5121, num_bytes: u16::MAX, ..good },
            PacketHeader { num_frames: 21, ..good },
            PacketHeader { num_channels: 255, ..good },
        ] {
            assert_eq!(bad.check(8).unwrap_err().offset(), Some(8));
        }
    }
}
