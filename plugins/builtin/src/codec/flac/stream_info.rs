//! The STREAMINFO block (RFC 9639, section 8.2).

#![forbid(unsafe_code)]

use mapwave_flac::{Decoder, FrameHeader};
use mapwave_plugin::{Error, Result, Status};

use crate::bits::{Bits, MsbFirst};

/// The fields of a STREAMINFO block. None can be trusted without a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StreamInfoBlock {
    /// The largest number of frames in a block; 0 when unknown.
    pub(crate) max_block_size: u32,
    /// Frames per second; 0 if the stream is not audio.
    pub(crate) sample_rate: u32,
    /// Samples in a frame.
    pub(crate) num_channels: u32,
    /// The depth in bits.
    pub(crate) bits_per_sample: u32,
    /// Frames in the stream, when known.
    pub(crate) num_frames: Option<u64>,
}

impl StreamInfoBlock {
    /// The size of the block without its header.
    pub(crate) const NUM_BYTES: usize = 34;

    /// Reads the block; `None` if it is too short.
    pub(crate) fn parse(block: &[u8]) -> Option<Self> {
        let block: &[u8; Self::NUM_BYTES] = block.first_chunk()?;
        let mut bits = Bits::<MsbFirst>::new(block);
        let mut field = |num_bits| bits.read(num_bits).ok();
        let [_min_block_size, max_block_size] = [field(16)?, field(16)?];
        let [_min_frame_bytes, _max_frame_bytes] = [field(24)?, field(24)?];
        let (sample_rate, num_channels, bits_per_sample) = (field(20)?, field(3)? + 1, field(5)? + 1);
        let num_frames = u64::from(field(4)?) << 32 | u64::from(field(32)?);
        Some(Self {
            max_block_size,
            sample_rate,
            num_channels,
            bits_per_sample,
            num_frames: (num_frames > 0).then_some(num_frames),
        })
    }

    /// The number of frames of sound in a packet; `None` if it is not a frame of the stream.
    pub(crate) fn frames_of(&self, packet: &[u8]) -> Option<u32> {
        let header = FrameHeader::parse(packet)?;
        let fits = header.num_channels == self.num_channels
            && header.sample_rate.is_none_or(|rate| rate == self.sample_rate)
            && header.bits_per_sample.is_none_or(|depth| depth == self.bits_per_sample)
            && header.block_size <= self.max_block_size;
        fits.then_some(header.block_size)
    }

    /// Checks that decoding the frames of the stream takes at most `max_alloc` bytes.
    ///
    /// # Errors
    /// [`Status::Limit`] when not.
    pub(crate) fn check_room(&self, max_alloc: u64) -> Result<()> {
        let num_bytes = Decoder::num_bytes_for(self.num_channels, self.bits_per_sample, self.max_block_size);
        if num_bytes > max_alloc {
            let message =
                format!("decoding the FLAC frames takes {num_bytes} bytes; the limit is {max_alloc}");
            return Err(Error::new(Status::Limit, message));
        }
        Ok(())
    }

    /// The block with these fields.
    #[cfg(test)]
    pub(crate) fn to_bytes(&self) -> [u8; Self::NUM_BYTES] {
        let packed = (u64::from(self.sample_rate) << 44)
            | (u64::from(self.num_channels.saturating_sub(1) & 7) << 41)
            | (u64::from(self.bits_per_sample.saturating_sub(1) & 31) << 36);
        let max_block_size = u16::try_from(self.max_block_size).unwrap_or(u16::MAX).max(16);
        let mut block = [0; Self::NUM_BYTES];
        let fields = [0, 16].into_iter().chain(max_block_size.to_be_bytes()).chain([0; 6]);
        let fields = fields.chain(packed.to_be_bytes());
        block.iter_mut().zip(fields).for_each(|(to, from)| *to = from);
        block
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::cast_possible_truncation)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_read_as_it_was_written() {
        let info = StreamInfoBlock {
            max_block_size: 4608,
            sample_rate: 655_350,
            num_channels: 8,
            bits_per_sample: 32,
            num_frames: None,
        };
        let mut block = info.to_bytes();
        assert_eq!(StreamInfoBlock::parse(&block), Some(info.clone()));
        block[13] |= 0x0F;
        block[17] = 7;
        let num_frames = Some((0xF << 32) + 7);
        assert_eq!(StreamInfoBlock::parse(&block), Some(StreamInfoBlock { num_frames, ..info }));
        assert_eq!(StreamInfoBlock::parse(&block[..33]), None);
    }
}
