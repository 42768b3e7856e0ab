//! Frames that describe the file instead of holding sound: Xing and Info with LAME's extension, and Fraunhofer's VBRI.

use super::header::Header;
use crate::bytes::Bytes;

/// The offset of a VBRI header in its frame, for every version and number of channels.
const VBRI_START: usize = Header::NUM_BYTES + 32;
/// The tag has a number of frames.
const HAS_FRAMES: u32 = 1;
/// The tag has a number of bytes.
const HAS_BYTES: u32 = 2;
/// The tag has a table of contents of 100 bytes.
const HAS_TOC: u32 = 4;
/// The tag has a quality.
const HAS_QUALITY: u32 = 8;

/// The contents of such a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Description {
    /// The number of frames of sound; not 0.
    pub(crate) num_frames: Option<u32>,
    /// The number of bytes from the beginning of this frame to the end of the sound; not 0.
    pub(crate) num_bytes: Option<u32>,
    /// The frames that the encoder added before and after the sound.
    pub(crate) gapless: Option<Gapless>,
    /// Whether the encoder says that all frames have one bitrate.
    pub(crate) is_constant: bool,
}

/// The frames that an encoder added before and after the sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gapless {
    /// The encoder's delay, without the decoder's.
    pub(crate) delay: u16,
    /// The frames that fill up the last frame. Because of the decoder's delay, the first of them hold sound.
    pub(crate) padding: u16,
}

impl Description {
    /// The description in `frame`, a complete frame; `None` if it holds sound.
    pub(crate) fn parse(header: Header, frame: &[u8]) -> Option<Self> {
        if header.layer() != 3 {
            return None;
        }
        let side_end = Header::NUM_BYTES + header.side_bytes();
        // Some writers leave room for a CRC, others do not.
        for at in [side_end, side_end + header.crc_bytes()] {
            let tag = frame.get(at..).unwrap_or_default();
            if tag.starts_with(b"Xing") || tag.starts_with(b"Info") {
                let is_constant = tag.starts_with(b"Info");
                return Some(Self { is_constant, ..Self::parse_xing(tag.get(4..).unwrap_or_default()) });
            }
        }
        let tag = frame.get(VBRI_START..).unwrap_or_default();
        // Version, delay and quality come before the numbers.
        tag.starts_with(b"VBRI").then(|| Self {
            num_bytes: number(tag, 10).filter(|count| *count > 0),
            num_frames: number(tag, 14).filter(|count| *count > 0),
            gapless: None,
            is_constant: false,
        })
    }

    /// The bytes after the four letters: flags, the fields that they announce, and LAME's extension.
    fn parse_xing(tag: &[u8]) -> Self {
        let flags = number(tag, 0).unwrap_or(0);
        let mut at = 4;
        let mut field = |flag: u32, num_bytes: usize| {
            let place = at;
            let is_there = flags & flag != 0;
            at += if is_there { num_bytes } else { 0 };
            is_there.then(|| number(tag, place)).flatten().filter(|count| *count > 0)
        };
        let num_frames = field(HAS_FRAMES, 4);
        let num_bytes = field(HAS_BYTES, 4);
        let _toc = field(HAS_TOC, 100);
        let _quality = field(HAS_QUALITY, 4);
        Self { num_frames, num_bytes, gapless: tag.get(at..).and_then(Gapless::parse), is_constant: false }
    }
}

impl Gapless {
    /// The delays in LAME's extension, which begins with the encoder's name. Other encoders write it too.
    fn parse(extension: &[u8]) -> Option<Self> {
        let name = extension.get(..4)?;
        let [a, b, c] = *extension.get(21..)?.first_chunk()?;
        let delay = u16::from(a) << 4 | u16::from(b >> 4);
        let padding = u16::from(b & 15) << 8 | u16::from(c);
        // These encoders write all of LAME's extension; others may leave zeros in it.
        let is_known = matches!(name, b"LAME" | b"Lavf" | b"Lavc");
        let is_named = name.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ');
        (is_known || is_named && (delay, padding) != (0, 0)).then_some(Self { delay, padding })
    }
}

/// A big-endian number of 32 bits.
fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Bytes::new(bytes.get(at..)?).u32().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]
mod tests {
    use super::*;

    const STEREO: [u8; 4] = [0xFF, 0xFB, 0x90, 0x64];

    fn frame(header: [u8; 4], at: usize, tag: &[u8]) -> (Header, Vec<u8>) {
        let mut frame = vec![0; 417];
        frame[..4].copy_from_slice(&header);
        frame[at..at + tag.len()].copy_from_slice(tag);
        (Header::parse(&header).unwrap(), frame)
    }

    fn lame(flags: u8, fields: &[u8]) -> Vec<u8> {
        let name = b"LAME3.100".as_slice();
        [b"Info\0\0\0".as_slice(), &[flags], fields, name, &[0; 12], &[0x24, 0x05, 0x67]].concat()
    }

    #[test]
    fn lame_tells_frames_bytes_and_gaps() {
        let fields = [[0, 0, 1, 0].as_slice(), &[0, 0, 2, 0], &[9; 100], &[0, 0, 0, 5]].concat();
        let (header, frame) = frame(STEREO, 36, &lame(15, &fields));
        let expected = Description {
            num_frames: Some(256),
            num_bytes: Some(512),
            gapless: Some(Gapless { delay: 0x240, padding: 0x567 }),
            is_constant: true,
        };
        assert_eq!(Description::parse(header, &frame), Some(expected));
    }

    #[test]
    fn fields_that_are_not_there_are_not_read() {
        let (header, frame) = frame(STEREO, 36, &lame(0, &[]));
        let gapless = Some(Gapless { delay: 0x240, padding: 0x567 });
        assert_eq!(
            Description::parse(header, &frame),
            Some(Description { gapless, is_constant: true, ..Description::default() })
        );
        let cut = &frame[..40];
        assert_eq!(
            Description::parse(header, cut),
            Some(Description { is_constant: true, ..Description::default() })
        );
    }

    #[test]
    fn vbri_stands_at_its_own_place() {
        let tag = [b"VBRI\0\x01\x04\x90\0\x32".as_slice(), &[0, 0, 4, 0], &[0, 0, 0, 3]].concat();
        let (header, frame) = frame([0xFF, 0xFB, 0x90, 0xC4], 36, &tag);
        let expected = Description { num_frames: Some(3), num_bytes: Some(1024), ..Description::default() };
        assert_eq!(Description::parse(header, &frame), Some(expected));
    }

    #[test]
    fn sound_is_no_description() {
        let (header, bytes) = frame(STEREO, 36, b"Xinh");
        assert_eq!(Description::parse(header, &bytes), None);
        let (header, bytes) = frame([0xFF, 0xFD, 0x90, 0x64], 36, b"Xing"); // layer II
        assert_eq!(Description::parse(header, &bytes), None);
    }
}
