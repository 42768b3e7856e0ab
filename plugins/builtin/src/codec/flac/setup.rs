//! FLAC in other containers: the setup, which they store apart from the frames.

#![forbid(unsafe_code)]

use mapwave_flac::FrameHeader;
use mapwave_plugin::{Error, Result};

use super::metadata::{MARKER, Metadata, channel_mask};
use super::stream_info::StreamInfoBlock;
use crate::bytes::Bytes;
use crate::tags::vorbis_comment::Comments;

/// The parameters for decoding frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FlacSetup {
    pub(crate) stream_info: StreamInfoBlock,
    /// Speaker positions as a WAVE channel mask.
    pub(crate) channel_mask: u64,
}

impl FlacSetup {
    /// Reads metadata blocks, of which STREAMINFO is the first: MP4's "dfLa" box behind its version (*Encapsulation of
    /// FLAC in ISO Base Media File Format*, 3.3.2). CAF's magic cookie is that box, and Matroska's setup has the marker
    /// of a FLAC file before the blocks (RFC 9559, "A_FLAC"). This function accepts both, and STREAMINFO without a
    /// header.
    ///
    /// # Errors
    /// When they violate the specification, or decoding takes more than `max_alloc` bytes.
    pub(crate) fn from_blocks(mut blocks: Bytes<'_>, max_alloc: u64) -> Result<Self> {
        let offset = blocks.offset();
        if let Some(mut boxed) = blocks.boxes().next().filter(|found| found.kind == *b"dfLa") {
            boxed.payload.version_and_flags()?;
            blocks = boxed.payload;
        }
        let bytes = blocks.rest().strip_prefix(MARKER).unwrap_or(blocks.rest());
        let metadata = match StreamInfoBlock::parse(bytes) {
            Some(stream_info) if bytes.len() == StreamInfoBlock::NUM_BYTES => {
                return Self::checked(&stream_info, &Comments::new(), offset, max_alloc);
            }
            _ => Metadata::parse_blocks(bytes, 0).map_err(|error| error.at(offset))?,
        };
        Self::checked(&metadata.stream_info, &metadata.comments, offset, max_alloc)
    }

    /// The setup from a stream's first frame, which is at `offset`.
    ///
    /// # Errors
    /// When it is not a frame, or does not state its rate and depth.
    pub(crate) fn from_frame(frame: &[u8], offset: u64, max_alloc: u64) -> Result<Self> {
        let header = FrameHeader::parse(frame);
        let header = header.ok_or_else(|| Error::bad_data(offset, "the first packet is not a FLAC frame"))?;
        let stream_info = StreamInfoBlock {
            max_block_size: 0,
            sample_rate: header.sample_rate.unwrap_or(0),
            num_channels: header.num_channels,
            bits_per_sample: header.bits_per_sample.unwrap_or(0),
            num_frames: None,
        };
        Self::checked(&stream_info, &Comments::new(), offset, max_alloc)
    }

    fn checked(info: &StreamInfoBlock, comments: &Comments, offset: u64, max_alloc: u64) -> Result<Self> {
        if info.sample_rate == 0 || !(4..=32).contains(&info.bits_per_sample) {
            let message =
                format!("FLAC with {} Hz and {} bits is not valid", info.sample_rate, info.bits_per_sample);
            return Err(Error::bad_data(offset, message));
        }
        let max_block_size = if info.max_block_size == 0 { u16::MAX.into() } else { info.max_block_size };
        let stream_info = StreamInfoBlock { max_block_size, ..info.clone() };
        stream_info.check_room(max_alloc).map_err(|error| error.at(offset))?;
        Ok(Self { channel_mask: channel_mask(comments, info.num_channels), stream_info })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use mapwave_plugin::Status;

    use super::*;

    /// STREAMINFO of 44.1 kHz, stereo, 16 bits, blocks of 4608.
    fn stream_info() -> StreamInfoBlock {
        let (max_block_size, sample_rate) = (4608, 44_100);
        StreamInfoBlock {
            max_block_size,
            sample_rate,
            num_channels: 2,
            bits_per_sample: 16,
            num_frames: None,
        }
    }

    fn read(bytes: &[u8]) -> Result<FlacSetup> {
        FlacSetup::from_blocks(Bytes::new(bytes), 1 << 20)
    }

    #[test]
    fn a_setup_is_read_however_it_is_wrapped() {
        let expected = FlacSetup { stream_info: stream_info(), channel_mask: 3 };
        let plain = stream_info().to_bytes().to_vec();
        let blocks = [&[0x80, 0, 0, 34], plain.as_slice()].concat();
        let file = [MARKER.as_slice(), &blocks].concat();
        let boxed = [b"\0\0\0\x32dfLa\0\0\0\0".as_slice(), &blocks].concat();
        for bytes in [&plain, &blocks, &file, &boxed] {
            assert_eq!(read(bytes).unwrap(), expected);
        }
        // Some writers do not say which block is the last.
        assert_eq!(read(&[&[0, 0, 0, 34], plain.as_slice()].concat()).unwrap(), expected);
    }

    #[test]
    fn what_is_no_setup_is_refused() {
        let blocks = [&[0x80, 0, 0, 34], stream_info().to_bytes().as_slice()].concat();
        for num_bytes in 0..blocks.len() {
            if num_bytes != StreamInfoBlock::NUM_BYTES {
                assert_eq!(read(&blocks[..num_bytes]).unwrap_err().status(), Status::BadData);
            }
        }
        assert_eq!(read(&[0; 34]).unwrap_err().status(), Status::BadData);
        let error = FlacSetup::from_blocks(Bytes::new(&blocks), 1000).unwrap_err();
        assert_eq!(error.status(), Status::Limit);
    }

    #[test]
    fn a_frame_implies_its_setup() {
        // The first frame of the example in RFC 9639, appendix D.2.
        let frame = [0xFF, 0xF8, 0x69, 0x98, 0x00, 0x0F, 0x99];
        let setup = FlacSetup::from_frame(&frame, 9, 1 << 21).unwrap();
        assert_eq!((setup.stream_info.sample_rate, setup.stream_info.bits_per_sample), (44_100, 16));
        assert_eq!(setup.stream_info.frames_of(&frame), Some(16));
        assert_eq!(FlacSetup::from_frame(&frame[1..], 9, 1 << 21).unwrap_err().offset(), Some(9));
    }
}
