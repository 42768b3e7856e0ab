//! STREAMINFO, the first metadata block of every file (RFC 9639, section 8.2).

#![forbid(unsafe_code)]

use crate::encode::bit_writer::BitWriter;
use crate::encode::frame::Format;

/// What is known about a file. Zero stands for an unknown value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct StreamInfo {
    /// The sizes of the smallest and the largest FLAC frame in bytes.
    pub(crate) frame_bytes: Option<(u32, u32)>,
    pub(crate) num_frames: u64,
    /// The MD5 of the samples.
    pub(crate) digest: [u8; 16],
}

impl StreamInfo {
    pub(crate) const NUM_BYTES: usize = 34;

    /// Includes the size of one more FLAC frame.
    pub(crate) fn add_frame_bytes(&mut self, num_bytes: usize) {
        let num_bytes = u32::try_from(num_bytes).unwrap_or(u32::MAX);
        let (least, most) = self.frame_bytes.unwrap_or((num_bytes, num_bytes));
        self.frame_bytes = Some((least.min(num_bytes), most.max(num_bytes)));
    }

    pub(crate) fn to_bytes(self, format: &Format) -> Vec<u8> {
        let (least, most) = self.frame_bytes.unwrap_or((0, 0));
        let block_size = format.level.block_size as u64;
        let mut writer = BitWriter::default();
        writer.write(block_size, 16); // the last block may be smaller and does not count
        writer.write(block_size, 16);
        writer.write(least.into(), 24);
        writer.write(most.into(), 24);
        writer.write(format.sample_rate.into(), 20);
        writer.write(format.num_channels as u64 - 1, 3);
        writer.write(u64::from(format.bits_per_sample) - 1, 5);
        writer.write(self.num_frames, 36);
        self.digest.iter().for_each(|byte| writer.write((*byte).into(), 8));
        writer.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::level::Level;

    #[test]
    fn the_example_of_the_specification_comes_out() {
        // RFC 9639, appendix D.2.2.
        let format = Format {
            sample_rate: 44_100,
            num_channels: 2,
            bits_per_sample: 16,
            level: Level { block_size: 16, ..Level::default() },
        };
        let digest =
            [0xd5, 0xb0, 0x56, 0x49, 0x75, 0xe9, 0x8b, 0x8d, 0x8b, 0x93, 0x04, 0x22, 0x75, 0x7b, 0x81, 0x03];
        let mut info = StreamInfo { num_frames: 19, digest, frame_bytes: None };
        info.add_frame_bytes(0x44);
        info.add_frame_bytes(0x17);
        let mut expected = vec![0, 16, 0, 16, 0, 0, 0x17, 0, 0, 0x44, 0x0a, 0xc4, 0x42, 0xf0, 0, 0, 0, 0x13];
        expected.extend(digest);
        assert_eq!(info.to_bytes(&format), expected);
        assert_eq!(expected.len(), StreamInfo::NUM_BYTES);
    }
}
