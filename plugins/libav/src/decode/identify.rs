//! What a file is, as far as this plugin tells it before libav: formats that consist of frames alone, of which libav wants more
//! than a short file has, and where the tags in front of a format end.

#![forbid(unsafe_code)]

use std::ffi::CStr;

use mapwave_plugin::{Input, Result};

/// The number of frames after which a file is left to libav.
const MAX_FRAMES: u32 = 8;

/// The maximum size of a frame.
const MAX_BYTES: usize = 1 << 14;

/// The size of what says how long a frame is; fewer bytes may be its start.
const MIN_BYTES: usize = 8;

/// A frame at the start of some bytes.
struct Found {
    format: &'static CStr,
    num_bytes: usize,
    /// Whether a checksum or the like leaves no doubt.
    is_proven: bool,
}

/// libav's name of the format of a short file that consists of whole frames; the last may be truncated if one before it is
/// proven.
///
/// # Errors
/// When the host cannot read.
pub(super) fn by_frames(input: &Input) -> Result<Option<&'static CStr>> {
    let mut buffer = vec![0; MAX_BYTES];
    let (mut place, mut format, mut is_proven) = (0u64, None, false);
    for _ in 0..MAX_FRAMES {
        let count = input.read_at(place, &mut buffer)?;
        let bytes = buffer.get(..count).unwrap_or_default();
        if bytes.is_empty() {
            break;
        }
        let Some(found) = ac3(bytes).or_else(|| dts(bytes)).or_else(|| loas(bytes)) else {
            return Ok(format.filter(|_| is_proven && bytes.len() < MIN_BYTES));
        };
        if format.is_some_and(|format| format != found.format) {
            return Ok(None);
        }
        if found.num_bytes > bytes.len() {
            // The rest of a truncated frame.
            return Ok(format.filter(|_| is_proven));
        }
        format = Some(found.format);
        is_proven |= found.is_proven;
        place += found.num_bytes as u64;
    }
    // Without a checksum, the frames must fill the file.
    Ok(format.filter(|_| is_proven || place == input.num_bytes()))
}

/// Where ID3v2 tags at the beginning of a file end (ID3v2.4.0 structure, sections 3.1 and 3.4).
pub(super) fn after_tags(input: &Input) -> Result<u64> {
    let mut place = 0;
    loop {
        let mut head = [0; 10];
        if input.read_at(place, &mut head)? < head.len() {
            return Ok(place);
        }
        let [b'I', b'D', b'3', major, revision, flags, size @ ..] = head else { return Ok(place) };
        if major == 0xff || revision == 0xff || size.iter().any(|byte| *byte >= 0x80) {
            return Ok(place);
        }
        let size = size.iter().fold(0, |size, byte| size << 7 | u64::from(*byte));
        let footer = if flags & 0x10 == 0 { 0 } else { 10 };
        place = place.saturating_add(10 + size + footer).min(input.num_bytes());
    }
}

/// Whether the last frame of a codec's packet is truncated.
pub(super) fn is_cut(codec: &CStr, packet: &[u8]) -> bool {
    let mut rest = packet;
    while !rest.is_empty() {
        let num_bytes = match codec.to_bytes() {
            b"ac3" | b"eac3" => ac3_bytes(rest).map(|(_, num_bytes)| num_bytes),
            b"dts" => dts(rest).map(|found| found.num_bytes),
            _ => None,
        };
        let Some(num_bytes) = num_bytes else { return false };
        if num_bytes > rest.len() {
            return true;
        }
        rest = rest.get(num_bytes..).unwrap_or_default();
    }
    false
}

/// The format and the size of a frame of AC-3 or E-AC-3.
fn ac3_bytes(bytes: &[u8]) -> Option<(&'static CStr, usize)> {
    let [0x0b, 0x77, b2, b3, b4, b5, ..] = *bytes else { return None };
    let (format, num_bytes) = match b5 >> 3 {
        0..=10 => (c"ac3", super::probe::ac3_frame_bytes(usize::from(b4))?),
        11..=16 => (c"eac3", (usize::from(b2 & 7) << 8 | usize::from(b3)) * 2 + 2),
        _ => return None,
    };
    (num_bytes >= MIN_BYTES).then_some((format, num_bytes))
}

/// AC-3 and E-AC-3: ETSI TS 102 366, sections 4.3, 6.1.7 and E.1.2. The checksum covers all but the synchronisation word.
fn ac3(bytes: &[u8]) -> Option<Found> {
    let (format, num_bytes) = ac3_bytes(bytes)?;
    let is_proven = bytes.get(2..num_bytes).is_some_and(|checked| crc16(checked) == 0);
    // A frame that is wholly there has a checksum that is right.
    (is_proven || num_bytes > bytes.len()).then_some(Found { format, num_bytes, is_proven })
}

/// DTS: ETSI TS 102 114, section 5.3.1, in words of 16 bits.
fn dts(bytes: &[u8]) -> Option<Found> {
    let (b5, b6, b7) = match *bytes {
        [0x7f, 0xfe, 0x80, 0x01, _, b5, b6, b7, ..] => (b5, b6, b7),
        [0xfe, 0x7f, 0x01, 0x80, b5, _, b7, b6, ..] => (b5, b6, b7),
        _ => return None,
    };
    let num_bytes = (usize::from(b5 & 3) << 12 | usize::from(b6) << 4 | usize::from(b7 >> 4)) + 1;
    (num_bytes >= 96).then_some(Found { format: c"dts", num_bytes, is_proven: false })
}

/// AAC in LOAS: ISO/IEC 14496-3, section 1.7.2.
fn loas(bytes: &[u8]) -> Option<Found> {
    let [0x56, high, low, ..] = *bytes else { return None };
    let num_bytes = (usize::from(high & 0x1f) << 8 | usize::from(low)) + 3;
    (high & 0xe0 == 0xe0).then_some(Found { format: c"loas", num_bytes, is_proven: false })
}

/// The CRC of x^16 + x^15 + x^2 + 1.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(
            crc ^ u16::from(*byte) << 8,
            |crc, _| if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x8005 },
        )
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    /// A frame of E-AC-3 of 64 bytes that only its checksum makes one.
    fn eac3() -> Vec<u8> {
        let mut frame = vec![0x0b, 0x77, 0, 31, 0x34, 16 << 3];
        frame.resize(62, 0x5a);
        let crc = crc16(&frame[2..]);
        frame.extend(crc.to_be_bytes());
        frame
    }

    fn format(bytes: &[u8]) -> Option<&'static CStr> {
        by_frames(&bytes.to_vec().into()).unwrap()
    }

    #[test]
    fn one_frame_is_enough_where_its_checksum_is_right() {
        let frame = eac3();
        assert_eq!(crc16(b"123456789"), 0xfee8);
        assert_eq!(format(&frame), Some(c"eac3"));
        assert_eq!(format(&[&frame[..], &frame[..40]].concat()), Some(c"eac3"), "the second is truncated");
        assert_eq!(format(&[&frame[..], &frame[..3]].concat()), Some(c"eac3"));
        assert!(is_cut(c"eac3", &frame[..40]) && is_cut(c"ac3", &[&frame[..], &frame[..40]].concat()));
        assert!(!is_cut(c"eac3", &frame) && !is_cut(c"mp3", &frame[..40]) && !is_cut(c"eac3", b"abc"));
        assert_eq!((format(&frame[..40]), format(b"")), (None, None));
        let mut damaged = frame.clone();
        damaged[30] ^= 1;
        assert_eq!((format(&damaged), format(&[&frame[..], &damaged].concat())), (None, None));
        assert_eq!(format(&[&frame[..], b"and something else"].concat()), None);
        assert_eq!(format(&frame.repeat(20)), Some(c"eac3"));
    }

    #[test]
    fn tags_are_passed_over_to_identify_a_file() {
        let tag = |size: u8, flags: u8| [&b"ID3\x04\0"[..], &[flags, 0, 0, size >> 7, size & 0x7f]].concat();
        let end = |bytes: &[u8]| after_tags(&bytes.to_vec().into()).unwrap();
        assert_eq!((end(b""), end(b"ID3"), end(b"fLaC and more than ten bytes")), (0, 0, 0));
        let one = [tag(200, 0), vec![0; 200]].concat();
        assert_eq!(end(&one), 210);
        assert_eq!(end(&[&one[..], b"behind it is more"].concat()), 210);
        let with_footer = [tag(5, 0x10), vec![0; 15]].concat();
        assert_eq!(end(&[&one[..], &with_footer, b"behind it is more"].concat()), 235);
        assert_eq!(end(&one[..100]), 100, "more than there is");
        assert_eq!(end(b"ID3\x04\0\0\x80\0\0\0 no size"), 0);
        assert_eq!(end(b"ID3\xff\0\0\0\0\0\0 no version"), 0);
    }

    #[test]
    fn frames_without_checksums_fill_the_file() {
        // 96 bytes.
        let mut frame = vec![0x7f, 0xfe, 0x80, 0x01, 0xfc, 0x3c, 5, 0xf0];
        frame.resize(96, 1);
        assert_eq!((format(&frame), format(&frame.repeat(3))), (Some(c"dts"), Some(c"dts")));
        assert_eq!((format(&frame[..95]), format(&[&frame[..], b"x"].concat())), (None, None));
        let loas = [0x56, 0xe0, 4, 1, 2, 3, 4];
        assert_eq!((format(&loas), format(&loas[..6])), (Some(c"loas"), None));
    }
}
