//! The positions of tags before, between and after the frames: ID3v2, APEv2, ID3v1 and Lyrics3.
//!
//! Nothing here recurses, and every step advances by the size of a tag, so the size of the file bounds the work.

use crate::bytes::Bytes;
use crate::tags::id3v2::{HEADER_BYTES as ID3V2_BYTES, Id3v2};

/// The size of an APEv2 header, and of its footer.
const APE_BYTES: usize = 32;
/// The size of an ID3v1 tag.
const ID3V1_BYTES: usize = 128;
/// The largest Lyrics3 1.0 block that its specification allows, with its two markers.
const LYRICS3V1_BYTES: usize = 5100 + 11 + 9;
/// The size of the number and the marker that end a Lyrics3 2.00 block.
const LYRICS3V2_END_BYTES: usize = 6 + 9;

/// The size of the tag at the beginning of `bytes`; `None` if there is no tag or it extends beyond them.
pub(crate) fn leading_tag_bytes(bytes: &[u8]) -> Option<usize> {
    let num_bytes = match *bytes.first_chunk::<4>()? {
        [b'I', b'D', b'3', _] => Id3v2::parse(bytes)?.num_bytes(),
        [b'T', b'A', b'G', _] => ID3V1_BYTES,
        [b'A', b'P', b'E', b'T'] => {
            let header = bytes.first_chunk::<APE_BYTES>()?;
            let is_header = header.starts_with(b"APETAGEX") && ape_flags(header) & 1 << 29 != 0;
            is_header.then(|| APE_BYTES.checked_add(ape_size(header)))??
        }
        _ => return None,
    };
    (num_bytes <= bytes.len()).then_some(num_bytes)
}

/// The end of all consecutive tags from `start` on.
pub(crate) fn skip_leading(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    while let Some(num_bytes) = bytes.get(at..).and_then(leading_tag_bytes) {
        at += num_bytes;
    }
    at
}

/// The beginning of all consecutive tags at the end of `bytes`, no further back than `start`.
pub(crate) fn skip_trailing(bytes: &[u8], start: usize) -> usize {
    let mut end = bytes.len();
    while let Some(num_bytes) = bytes.get(start..end).and_then(trailing_tag_bytes) {
        end -= num_bytes;
    }
    end
}

/// The size of the tag at the end of `bytes`; never 0.
fn trailing_tag_bytes(bytes: &[u8]) -> Option<usize> {
    let ends_with = |count: usize, magic: &[u8]| {
        bytes.len().checked_sub(count).and_then(|at| bytes.get(at..)).filter(|tag| tag.starts_with(magic))
    };
    if ends_with(ID3V1_BYTES, b"TAG").is_some() {
        return Some(ID3V1_BYTES);
    }
    if let Some(footer) = ends_with(APE_BYTES, b"APETAGEX") {
        let footer = footer.first_chunk::<APE_BYTES>()?;
        // The size includes the footer but not the header, which bit 31 announces (APEv2, "APE Tags Header").
        let header = if ape_flags(footer) & 1 << 31 != 0 { APE_BYTES } else { 0 };
        let num_bytes = ape_size(footer).checked_add(header)?;
        return (APE_BYTES..=bytes.len()).contains(&num_bytes).then_some(num_bytes);
    }
    if let Some(footer) = ends_with(ID3V2_BYTES, b"3DI") {
        let mut header = footer.first_chunk::<ID3V2_BYTES>().copied()?;
        header.iter_mut().zip(b"ID3").for_each(|(to, from)| *to = *from);
        let num_bytes = Id3v2::parse(&header)?.num_bytes();
        return (2 * ID3V2_BYTES..=bytes.len()).contains(&num_bytes).then_some(num_bytes);
    }
    if let Some(end) = ends_with(LYRICS3V2_END_BYTES, b"").filter(|end| end.ends_with(b"LYRICS200")) {
        let digits = end.first_chunk::<6>()?;
        let size = digits.iter().try_fold(0, |value, digit| {
            digit.is_ascii_digit().then(|| value * 10 + usize::from(*digit - b'0'))
        })?;
        let num_bytes = size + LYRICS3V2_END_BYTES;
        return ends_with(num_bytes, b"LYRICSBEGIN").map(|_| num_bytes);
    }
    if bytes.ends_with(b"LYRICSEND") {
        let first = bytes.len().saturating_sub(LYRICS3V1_BYTES);
        let block = bytes.get(first..)?;
        let at = block.windows(11).rposition(|window| window == b"LYRICSBEGIN")?;
        return Some(block.len() - at);
    }
    None
}

/// The size in an APEv2 header or footer: the items and the footer.
fn ape_size(tag: &[u8; APE_BYTES]) -> usize {
    ape_field(tag, 12) as usize
}

/// The flags in an APEv2 header or footer.
fn ape_flags(tag: &[u8; APE_BYTES]) -> u32 {
    ape_field(tag, 20)
}

fn ape_field(tag: &[u8; APE_BYTES], at: usize) -> u32 {
    tag.get(at..).and_then(|rest| Bytes::new(rest).u32_le().ok()).unwrap_or(0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]
mod tests {
    use super::*;

    fn id3v2(version: u8, flags: u8, body: usize) -> Vec<u8> {
        let size = [21, 14, 7, 0].map(|shift| (body >> shift) as u8 & 0x7F);
        let mut tag = [b"ID3".as_slice(), &[version, 0, flags], &size, &vec![0xFF; body]].concat();
        if flags & 0x10 != 0 {
            tag.extend([b"3DI".as_slice(), &[version, 0, flags], &size].concat());
        }
        tag
    }

    fn ape(has_header: bool, items: usize) -> Vec<u8> {
        let block = |flags: u32| {
            let size = u32::try_from(items + APE_BYTES).unwrap().to_le_bytes();
            let parts = [&2000_u32.to_le_bytes(), &size, &[0; 4], &flags.to_le_bytes()];
            [b"APETAGEX".as_slice(), &parts.map(|part| part.to_vec()).concat(), &[0; 8]].concat()
        };
        let has = if has_header { 1 << 31 } else { 0 };
        let header = if has_header { block(has | 1 << 29) } else { Vec::new() };
        [header, vec![1; items], block(has)].concat()
    }

    #[test]
    fn leading_tags_are_skipped_however_many() {
        let mut bytes = Vec::new();
        for _ in 0..20_000 {
            bytes.extend(id3v2(3, 0, 0)); // a stack that recursion would not survive
        }
        bytes.extend(id3v2(4, 0x10, 300));
        bytes.extend(ape(true, 40));
        let end = bytes.len();
        bytes.extend([0xFF, 0xFB, 0x90, 0x64]);
        assert_eq!(skip_leading(&bytes, 0), end);
    }

    #[test]
    fn trailing_tags_are_skipped_in_any_order() {
        let id3v1 = [b"TAG".as_slice(), &[b' '; 125]].concat();
        let lyrics1 = b"LYRICSBEGIN words LYRICSEND".to_vec();
        let lyrics2 = b"LYRICSBEGININD0000200000021LYRICS200".to_vec();
        let sound = vec![7; 100];
        for tags in [
            vec![&id3v1],
            vec![&lyrics2, &id3v1],
            vec![&lyrics1, &id3v1],
            vec![&ape(true, 50), &id3v1],
            vec![&ape(false, 50), &lyrics2, &id3v1],
            vec![&id3v2(4, 0x10, 30), &ape(false, 0), &id3v1],
        ] {
            let mut bytes = sound.clone();
            tags.iter().for_each(|tag| bytes.extend(tag.iter()));
            assert_eq!(skip_trailing(&bytes, 0), sound.len());
        }
    }

    #[test]
    fn sizes_that_cannot_be_are_no_tags() {
        assert_eq!(leading_tag_bytes(&id3v2(3, 0, 20)[..29]), None, "longer than the file");
        assert_eq!(leading_tag_bytes(b"ID3\x03\0\0\x80\0\0\0"), None, "no syncsafe number");
        let mut tag = ape(false, 50);
        let at = tag.len() - 20;
        tag[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(trailing_tag_bytes(&tag), None);
        tag[at..at + 4].copy_from_slice(&[0; 4]);
        assert_eq!(trailing_tag_bytes(&tag), None, "a tag is no smaller than its footer");
        assert_eq!(trailing_tag_bytes(b"999999LYRICS200"), None);
        assert_eq!(trailing_tag_bytes(b"no begin LYRICSEND"), None);
    }
}
