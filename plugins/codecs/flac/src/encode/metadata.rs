//! The blocks before the first FLAC frame: STREAMINFO, seek table, comments, padding (RFC 9639, section 8).

#![forbid(unsafe_code)]

use crate::encode::frame::Format;
use crate::encode::limits::MAX_BLOCK_BYTES;
use crate::encode::stream_info::StreamInfo;
use crate::error::Error;

const MARKER: &[u8] = b"fLaC";
const VENDOR: &str = concat!("mapwave ", env!("CARGO_PKG_VERSION"));

/// The name of the comment that holds an unusual channel mask (section 8.6.2).
const CHANNEL_MASK: &str = "WAVEFORMATEXTENSIBLE_CHANNEL_MASK";

/// The channel masks of 1 to 8 channels that need no comment (section 9.1.3).
const USUAL_MASKS: [u64; 8] = [0x4, 0x3, 0x7, 0x33, 0x37, 0x3f, 0x70f, 0x63f];

/// Room to edit a few tags later without moving the audio.
const PADDING_BYTES: usize = 1024;

/// Seconds between the points of a seek table.
const SEEK_SECONDS: u64 = 10;

const SEEK_POINT_BYTES: usize = 18;

/// The most points of a seek table. In longer files, points are further apart.
const MAX_SEEK_POINTS: u64 = 4096;

const STREAM_INFO: u8 = 0;
const PADDING: u8 = 1;
const SEEK_TABLE: u8 = 3;
const VORBIS_COMMENT: u8 = 4;
const LAST: u8 = 0x80;

/// The offset of STREAMINFO's payload.
pub(crate) const STREAM_INFO_OFFSET: u64 = 8;

/// The offset of the seek table's payload; the seek table is the next block.
pub(crate) const SEEK_TABLE_OFFSET: u64 = STREAM_INFO_OFFSET + StreamInfo::NUM_BYTES as u64 + 4;

/// Everything before the first FLAC frame.
pub(crate) fn header(format: &Format, info: StreamInfo, seek_table: &SeekTable, comments: &[u8]) -> Vec<u8> {
    let mut bytes = MARKER.to_vec();
    let mut block = |kind: u8, payload: &[u8]| {
        let [_, size @ ..] = u32::try_from(payload.len()).unwrap_or(0).to_be_bytes();
        bytes.push(kind);
        bytes.extend(size);
        bytes.extend(payload);
    };
    block(STREAM_INFO, &info.to_bytes(format));
    if !seek_table.is_empty() {
        block(SEEK_TABLE, &seek_table.to_bytes());
    }
    block(VORBIS_COMMENT, comments);
    block(LAST | PADDING, &[0; PADDING_BYTES]);
    bytes
}

/// The comments of a file (section 8.6): the name of the encoder, the tags, and the channel mask if it is unusual.
pub(crate) fn comments(
    tags: &[(String, String)],
    channel_mask: u64,
    num_channels: usize,
) -> Result<Vec<u8>, Error> {
    let mask = (channel_mask != 0 && USUAL_MASKS.get(num_channels - 1) != Some(&channel_mask))
        .then(|| (CHANNEL_MASK, format!("0x{channel_mask:04X}")));
    let mask = mask.iter().map(|(key, value)| (*key, value.as_str()));
    let mut payload = Vec::new();
    let mut num_comments = 0_u32;
    let mut fields = Vec::new();
    let tags = tags.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    for (key, value) in tags.chain(mask) {
        if key.is_empty() || !key.bytes().all(|byte| (0x20..=0x7D).contains(&byte) && byte != b'=') {
            return Err(Error::TagName(key.to_owned()));
        }
        append_text(&mut fields, &format!("{}={value}", key.to_ascii_uppercase()));
        num_comments = num_comments.saturating_add(1);
    }
    append_text(&mut payload, VENDOR);
    payload.extend(num_comments.to_le_bytes());
    payload.extend(fields);
    if payload.len() > MAX_BLOCK_BYTES {
        return Err(Error::TagsTooLarge(payload.len()));
    }
    Ok(payload)
}

/// Appends the size of a text and the text. A text whose size does not fit 32 bits does not fit a block either.
fn append_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend(u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
    bytes.extend(text.as_bytes());
}

/// Where FLAC frames begin, at even distances (section 8.5).
#[derive(Clone, Debug, Default)]
pub(crate) struct SeekTable {
    points: Vec<SeekPoint>,
    num_points: usize,
    /// Frames between points.
    distance: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct SeekPoint {
    frame: u64,
    /// Bytes from the first FLAC frame.
    offset: u64,
    block_size: u16,
}

impl SeekTable {
    /// An empty table with room for a file of `num_frames` frames.
    pub(crate) fn with_room(num_frames: u64, format: &Format) -> Self {
        let seconds = SEEK_SECONDS * u64::from(format.sample_rate);
        // No two points fall into one block, whatever the rate.
        let distance = seconds.max(num_frames.div_ceil(MAX_SEEK_POINTS)).max(format.level.block_size as u64);
        let num_points = num_frames.div_ceil(distance).min(MAX_SEEK_POINTS);
        Self { points: Vec::new(), num_points: usize::try_from(num_points).unwrap_or(0), distance }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.num_points == 0
    }

    /// Adds a point for a block of `block_size` frames from `frame` on, `offset` bytes after the first, if one is due.
    pub(crate) fn add(&mut self, frame: u64, offset: u64, block_size: usize) {
        let next = self.points.len();
        let target = (next as u64).saturating_mul(self.distance);
        if next < self.num_points && (frame..frame + block_size as u64).contains(&target) {
            let block_size = u16::try_from(block_size).unwrap_or(u16::MAX);
            self.points.push(SeekPoint { frame, offset, block_size });
        }
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.num_points * SEEK_POINT_BYTES);
        for point in &self.points {
            bytes.extend(point.frame.to_be_bytes());
            bytes.extend(point.offset.to_be_bytes());
            bytes.extend(point.block_size.to_be_bytes());
        }
        let free = SeekPoint { frame: u64::MAX, offset: 0, block_size: 0 };
        for _ in self.points.len()..self.num_points {
            bytes.extend(free.frame.to_be_bytes());
            bytes.extend(free.offset.to_be_bytes());
            bytes.extend(free.block_size.to_be_bytes());
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::level::Level;

    fn format(sample_rate: u32) -> Format {
        Format { sample_rate, num_channels: 2, bits_per_sample: 16, level: Level::default() }
    }

    fn tags(tags: &[(&str, &str)]) -> Vec<(String, String)> {
        tags.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn comments_are_those_of_vorbis() {
        let payload =
            comments(&tags(&[("title", "\u{e9}t\u{e9}"), ("artist", "a=b")]), 0x3, 2).unwrap_or_default();
        let mut expected = vec![u8::try_from(VENDOR.len()).unwrap_or(0), 0, 0, 0];
        expected.extend(VENDOR.as_bytes());
        expected.extend(*b"\x02\0\0\0\x0b\0\0\0TITLE=\xc3\xa9t\xc3\xa9\x0a\0\0\0ARTIST=a=b");
        assert_eq!(payload, expected);
    }

    #[test]
    fn an_unusual_mask_is_a_comment() {
        let has_mask = |mask, num_channels| {
            let payload = comments(&[], mask, num_channels).unwrap_or_default();
            payload.ends_with(format!("{CHANNEL_MASK}=0x{mask:04X}").as_bytes())
        };
        assert!(has_mask(0x60f, 6) && has_mask(0x1, 1) && has_mask(0xc, 2));
        assert!(!has_mask(0x3f, 6) && !has_mask(0, 6) && !has_mask(0x4, 1));
    }

    #[test]
    fn invalid_names_are_rejected() {
        for name in ["", "a=b", "\u{e9}", "a\n", "~"] {
            let error = comments(&tags(&[(name, "value")]), 0, 1).err();
            assert!(error.is_some_and(|error| error.to_string().contains(&format!("{name:?}"))), "{name}");
        }
    }

    #[test]
    fn points_are_the_blocks_that_hold_every_tenth_second() {
        let mut table = SeekTable::with_room(200_000, &format(8000));
        for block in 0..48_u64 {
            table.add(block * 4096, block * 1000, 4096);
        }
        let bytes = table.to_bytes();
        let points: Vec<u64> = bytes
            .chunks(SEEK_POINT_BYTES)
            .map(|point| point.iter().take(8).fold(0, |frame, byte| frame << 8 | u64::from(*byte)))
            .collect();
        // The frames 0, 80000 and 160000 are in the blocks 0, 19 and 39.
        assert_eq!(points, [0, 19 * 4096, 39 * 4096]);
    }

    #[test]
    fn tables_stay_small_and_free_places_are_marked() {
        assert!(SeekTable::with_room(0, &format(44_100)).is_empty());
        for (num_frames, rate) in [(1 << 36, 1), (u64::MAX, 655_350), (1, 1), (441_001, 44_100)] {
            let table = SeekTable::with_room(num_frames, &format(rate));
            let bytes = table.to_bytes();
            assert!((1..=4096 * SEEK_POINT_BYTES).contains(&bytes.len()));
            assert!(bytes.starts_with(&[0xFF; 8]));
        }
    }
}
