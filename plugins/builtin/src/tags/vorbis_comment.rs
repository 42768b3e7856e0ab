//! Vorbis comments, the metadata of FLAC and Ogg (Vorbis I specification, section 5).

#![forbid(unsafe_code)]

use std::ffi::CString;

use mapwave_plugin::{Error, Result, Status};

use crate::bytes::Bytes;

/// The most comments that are kept.
const MAX_COMMENTS: usize = 1024;
/// The longest value that is kept in bytes: lyrics fit, pictures do not.
const MAX_VALUE_BYTES: usize = 64 << 10;
/// The most bytes that are kept of all values.
const MAX_BYTES: usize = 1 << 20;

/// The program that writes files.
const VENDOR: &str = concat!("mapwave ", env!("CARGO_PKG_VERSION"));

/// Lower-case names and values.
pub(crate) type Comments = Vec<(CString, CString)>;

/// The comments in a block that begins with the vendor string, up to the first malformed one.
pub(crate) fn parse(block: &[u8]) -> Comments {
    let mut comments = Comments::new();
    read(&mut Bytes::new(block), &mut comments);
    comments
}

/// The value of a comment.
pub(crate) fn value<'a>(comments: &'a Comments, name: &str) -> Option<&'a str> {
    let comment = comments.iter().find(|(key, _)| key.to_bytes() == name.as_bytes());
    comment.and_then(|(_, value)| value.to_str().ok())
}

fn read(block: &mut Bytes<'_>, comments: &mut Comments) -> Option<()> {
    read_string(block)?; // the vendor string
    let num_comments = block.u32_le().ok()?;
    let mut num_bytes = 0;
    for _ in 0..num_comments {
        let comment = read_string(block)?;
        let Some(equals) = comment.iter().position(|byte| *byte == b'=') else { continue };
        let (name, value) = (comment.get(..equals)?, comment.get(equals + 1..)?);
        if name.is_empty() || name.len() > 256 || !name.iter().all(|byte| (0x20..=0x7D).contains(byte)) {
            continue;
        }
        num_bytes += value.len();
        if value.len() > MAX_VALUE_BYTES || num_bytes > MAX_BYTES {
            num_bytes -= value.len();
            continue;
        }
        let name = CString::new(name.to_ascii_lowercase());
        // A NUL would end the string in the plugin interface.
        let value = value.split(|byte| *byte == 0).next().unwrap_or_default();
        let value = CString::new(String::from_utf8_lossy(value).into_owned());
        if let (Ok(name), Ok(value)) = (name, value) {
            comments.push((name, value));
        }
        if comments.len() == MAX_COMMENTS {
            break;
        }
    }
    Some(())
}

fn read_string<'a>(block: &mut Bytes<'a>) -> Option<&'a [u8]> {
    let num_bytes = usize::try_from(block.u32_le().ok()?).ok()?;
    Some(block.take(num_bytes).ok()?.rest())
}

/// A block of comments, with the vendor string in front.
///
/// # Errors
/// [`Status::Limit`] when one of them, or their number, is too large for its field.
pub(crate) fn block(comments: &[(&str, &str)]) -> Result<Vec<u8>> {
    let length = |num: usize| {
        let fits = u32::try_from(num).map(u32::to_le_bytes);
        fits.map_err(|_| Error::new(Status::Limit, "a tag is longer than 4 GiB"))
    };
    let mut block = Vec::new();
    block.extend(length(VENDOR.len())?);
    block.extend(VENDOR.as_bytes());
    block.extend(length(comments.len())?);
    for (name, value) in comments {
        block.extend(length(name.len() + 1 + value.len())?);
        block.extend([name.to_ascii_uppercase().as_bytes(), b"=", value.as_bytes()].concat());
    }
    Ok(block)
}

/// The speaker positions of FLAC's and Vorbis' default channel order, as a WAVE channel mask (RFC 9639, section 9.1.3;
/// Vorbis I specification, section 4.3.9); 0 without a default.
pub(crate) fn default_channel_mask(num_channels: u32) -> u64 {
    match num_channels {
        1 => 0x4,
        2 => 0x3,
        3 => 0x7,
        4 => 0x33,
        5 => 0x37,
        6 => 0x3F,
        7 => 0x70F,
        8 => 0x63F,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(comments: &[&[u8]]) -> Vec<u8> {
        let mut block = b"\x06\0\0\0vendor".to_vec();
        block.extend(u32::try_from(comments.len()).unwrap_or(0).to_le_bytes());
        for comment in comments {
            block.extend(u32::try_from(comment.len()).unwrap_or(0).to_le_bytes());
            block.extend(*comment);
        }
        block
    }

    #[test]
    fn names_come_in_lower_case_and_values_as_they_are() {
        let comments = parse(&block(&[b"TITLE=A=b", b"Artist=\xC3\xA4", b"no separator", b"=nameless"]));
        assert_eq!(value(&comments, "title"), Some("A=b"));
        assert_eq!(value(&comments, "artist"), Some("\u{e4}"));
        assert_eq!(comments.len(), 2);
    }

    #[test]
    fn a_block_is_read_as_it_was_written() {
        let written = super::block(&[("title", "A=b"), ("artist", "\u{e4}")]).expect("a block");
        let comments = parse(&written);
        assert_eq!((value(&comments, "title"), value(&comments, "artist")), (Some("A=b"), Some("\u{e4}")));
        assert_eq!(comments.len(), 2);
    }

    #[test]
    fn what_is_cut_off_costs_only_the_rest() {
        let whole = block(&[b"A=1", b"B=2"]);
        for num_bytes in 0..whole.len() {
            assert!(parse(whole.get(..num_bytes).unwrap_or_default()).len() <= 1);
        }
        assert_eq!(parse(&block(&[b"A=1\0hidden"])).len(), 1);
        assert!(parse(&[0xFF; 64]).is_empty());
    }
}
