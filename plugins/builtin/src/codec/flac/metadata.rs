//! Everything before the first frame: tags of other formats, and metadata blocks (RFC 9639, section 8).

#![forbid(unsafe_code)]

use mapwave_plugin::{Error, Result};

use super::stream_info::StreamInfoBlock;
use crate::bytes::Bytes;
use crate::tags::id3v2;
use crate::tags::vorbis_comment;
use crate::tags::vorbis_comment::Comments;

/// The marker that a stream begins with.
pub(crate) const MARKER: &[u8; 4] = b"fLaC";

const STREAMINFO: u8 = 0;
const VORBIS_COMMENT: u8 = 4;

/// Everything before the first frame.
#[derive(Debug)]
pub(crate) struct Metadata {
    /// The first block.
    pub(crate) stream_info: StreamInfoBlock,
    /// The comments that can be read.
    pub(crate) comments: Comments,
    /// Where the frames begin.
    pub(crate) frames_offset: usize,
    /// Whether the bytes end after a block that is not marked as the last.
    is_last_missing: bool,
}

impl Metadata {
    /// Reads the beginning of a file.
    ///
    /// # Errors
    /// When the stream is not FLAC, its first block is not STREAMINFO, or a block extends beyond the file.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self> {
        let offset = id3v2::leading_bytes(bytes);
        let marker = bytes.get(offset..).and_then(|rest| rest.first_chunk());
        if marker != Some(MARKER) {
            return Err(Error::bad_data(
                offset as u64,
                "expected 'fLaC' at the beginning of the FLAC stream",
            ));
        }
        let metadata = Self::parse_blocks(bytes, offset + MARKER.len())?;
        if metadata.is_last_missing {
            let place = metadata.frames_offset as u64;
            return Err(Error::bad_data(place, "the file ends within its metadata blocks"));
        }
        Ok(metadata)
    }

    /// The metadata of frames at `frames_offset` whose STREAMINFO is elsewhere.
    pub(crate) fn without_comments(stream_info: StreamInfoBlock, frames_offset: usize) -> Self {
        Self { stream_info, comments: Comments::new(), frames_offset, is_last_missing: false }
    }

    /// Reads blocks from `offset` on.
    ///
    /// # Errors
    /// When the first is not STREAMINFO, or one extends beyond the bytes.
    pub(crate) fn parse_blocks(bytes: &[u8], offset: usize) -> Result<Self> {
        let mut blocks = Bytes::at(bytes.get(offset..).unwrap_or_default(), offset as u64);
        let mut stream_info = None;
        let mut comments = Comments::new();
        loop {
            let place = blocks.offset();
            let (Ok(kind), Ok(num_bytes)) = (blocks.u8(), blocks.u24()) else {
                return Err(Error::bad_data(place, "the file ends within its metadata blocks"));
            };
            let block = blocks.take(usize::try_from(num_bytes).unwrap_or(usize::MAX)).map_err(|_| {
                let message = format!("a metadata block of {num_bytes} bytes extends beyond the file");
                Error::bad_data(place, message)
            })?;
            let block = block.rest();
            match (kind & 0x7F, &stream_info) {
                (STREAMINFO, None) => {
                    let info = StreamInfoBlock::parse(block).ok_or_else(|| {
                        let message = format!("STREAMINFO has {num_bytes} bytes, expected 34");
                        Error::bad_data(place, message)
                    })?;
                    stream_info = Some(info);
                }
                (_, None) => {
                    let message =
                        format!("the first metadata block is of type {}, expected STREAMINFO", kind & 0x7F);
                    return Err(Error::bad_data(place, message));
                }
                (VORBIS_COMMENT, _) if comments.is_empty() => comments = vorbis_comment::parse(block),
                _ => {}
            }
            let is_last = kind & 0x80 != 0;
            let is_at_end = blocks.rest().is_empty();
            if let Some(stream_info) = stream_info.take_if(|_| is_last || is_at_end) {
                let frames_offset = usize::try_from(blocks.offset()).unwrap_or(usize::MAX);
                return Ok(Self { stream_info, comments, frames_offset, is_last_missing: !is_last });
            }
        }
    }
}

/// Speaker positions: from a comment, or else FLAC's default order (section 8.6.2).
pub(crate) fn channel_mask(comments: &Comments, num_channels: u32) -> u64 {
    let stated = vorbis_comment::value(comments, "waveformatextensible_channel_mask");
    let digits = stated.and_then(|mask| mask.trim().strip_prefix("0x").or(mask.trim().strip_prefix("0X")));
    let mask = digits.and_then(|digits| u64::from_str_radix(digits, 16).ok());
    match mask {
        Some(mask) if mask.count_ones() == num_channels => mask,
        Some(0) => 0,
        _ => vorbis_comment::default_channel_mask(num_channels),
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::cast_possible_truncation)]
mod tests {
    use super::*;

    fn stream(blocks: &[(u8, &[u8])]) -> Vec<u8> {
        let mut bytes = MARKER.to_vec();
        for (kind, block) in blocks {
            bytes.push(*kind);
            bytes.extend(u32::try_from(block.len()).unwrap_or(0).to_be_bytes().iter().skip(1));
            bytes.extend(*block);
        }
        bytes
    }

    #[test]
    fn blocks_are_passed_and_tags_of_other_formats_too() {
        let info = [0x10; 34];
        let bytes = stream(&[(0, &info), (1, &[0; 300]), (0x84, b"\x01\0\0\0x\x01\0\0\0\x03\0\0\0A=b")]);
        let metadata = Metadata::parse(&bytes).expect("metadata");
        assert_eq!(metadata.frames_offset, bytes.len());
        assert_eq!(vorbis_comment::value(&metadata.comments, "a"), Some("b"));
        let tagged = [b"ID3\x04\0\0\0\0\x01\x02".as_slice(), &[0; 130], &bytes].concat();
        assert_eq!(Metadata::parse(&tagged).expect("metadata").frames_offset, tagged.len());
        for num_bytes in 0..bytes.len() {
            assert!(Metadata::parse(&bytes[..num_bytes]).is_err());
        }
    }

    #[test]
    fn streaminfo_comes_first() {
        assert!(Metadata::parse(&stream(&[(1, &[0; 4]), (0x80, &[0x10; 34])])).is_err());
        assert!(Metadata::parse(&stream(&[(0x80, &[0x10; 33])])).is_err());
    }

    #[test]
    fn a_mask_counts_when_it_fits_the_channels() {
        let comments = |mask: &str| {
            let key = "waveformatextensible_channel_mask";
            vec![(key.to_owned(), mask.to_owned())]
                .into_iter()
                .filter_map(|(key, mask)| {
                    Some((std::ffi::CString::new(key).ok()?, std::ffi::CString::new(mask).ok()?))
                })
                .collect::<Comments>()
        };
        assert_eq!(channel_mask(&comments("0x60F"), 6), 0x60F);
        assert_eq!(channel_mask(&comments("0x60F"), 5), 0x37);
        assert_eq!(channel_mask(&comments("nothing"), 2), 3);
        assert_eq!(channel_mask(&Comments::new(), 8), 0x63F);
    }
}
