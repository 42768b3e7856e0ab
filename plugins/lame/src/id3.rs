//! Tags at the beginning of the file: ID3v2.4.0 in UTF-8.

#![forbid(unsafe_code)]

use mapwave_plugin::{Error, Result, Status};

/// Vorbis comments and the frames that hold them ("ID3 tag version 2.4.0 - Native Frames", section 4).
const TEXT_FRAMES: [(&str, &[u8; 4]); 17] = [
    ("title", b"TIT2"),
    ("artist", b"TPE1"),
    ("album", b"TALB"),
    ("albumartist", b"TPE2"),
    ("composer", b"TCOM"),
    ("date", b"TDRC"),
    ("tracknumber", b"TRCK"),
    ("discnumber", b"TPOS"),
    ("genre", b"TCON"),
    ("isrc", b"TSRC"),
    ("copyright", b"TCOP"),
    ("organization", b"TPUB"),
    ("lyricist", b"TEXT"),
    ("conductor", b"TPE3"),
    ("bpm", b"TBPM"),
    ("language", b"TLAN"),
    ("encoder", b"TSSE"),
];

const UTF_8: u8 = 3;

/// The largest size, which has 28 bits.
const MAX_BYTES: usize = (1 << 28) - 1;

/// The tag of a file; empty without tags.
pub(crate) fn tag(tags: &[(&str, &str)]) -> Result<Vec<u8>> {
    let mut keys: Vec<&str> = Vec::new();
    for (key, value) in tags {
        // A NUL would end the text.
        if key.is_empty() || key.contains('\0') || value.contains('\0') {
            return Err(Error::new(
                Status::BadArgument,
                format!("the tag {key:?} has an empty name or contains a NUL character"),
            ));
        }
        if !keys.contains(key) {
            keys.push(key);
        }
    }
    let mut frames = Vec::new();
    for key in keys {
        let values: Vec<&str> =
            tags.iter().filter(|(other, _)| *other == key).map(|(_, value)| *value).collect();
        append_frames(key, &values, &mut frames)?;
    }
    if frames.is_empty() {
        return Ok(frames);
    }
    let mut bytes = b"ID3\x04\0\0".to_vec();
    bytes.extend(syncsafe(frames.len())?);
    bytes.extend(frames);
    Ok(bytes)
}

/// Appends the frames of one key. A text frame holds several values, a comment only one.
fn append_frames(key: &str, values: &[&str], frames: &mut Vec<u8>) -> Result<()> {
    let known = TEXT_FRAMES.iter().find(|(name, _)| *name == key);
    match (key, known) {
        (_, Some((_, id))) => append_frame(id, &[&[UTF_8], values.join("\0").as_bytes()].concat(), frames),
        ("comment" | "description", _) => values.iter().try_for_each(|value| {
            // An unknown language and no description.
            append_frame(b"COMM", &[&[UTF_8], b"XXX\0".as_slice(), value.as_bytes()].concat(), frames)
        }),
        _ => {
            let payload = [&[UTF_8], key.as_bytes(), &[0], values.join("\0").as_bytes()].concat();
            append_frame(b"TXXX", &payload, frames)
        }
    }
}

fn append_frame(id: &[u8; 4], payload: &[u8], frames: &mut Vec<u8>) -> Result<()> {
    frames.extend(id);
    frames.extend(syncsafe(payload.len())?);
    frames.extend([0, 0]);
    frames.extend(payload);
    Ok(())
}

/// A size in the low seven bits of each of four bytes.
fn syncsafe(size: usize) -> Result<[u8; 4]> {
    if size > MAX_BYTES {
        let what = format!("the tags take {size} bytes, but ID3 has room for {MAX_BYTES}");
        return Err(Error::new(Status::Limit, what));
    }
    Ok([21, 14, 7, 0].map(|shift| u8::try_from(size >> shift & 0x7F).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_frames() {
        let tags = [("title", "é"), ("artist", "a"), ("artist", "b"), ("comment", "c"), ("mood", "d")];
        let mut expected = b"ID3\x04\0\0\0\0\0\x3c".to_vec();
        expected.extend(b"TIT2\0\0\0\x03\0\0\x03\xc3\xa9");
        expected.extend(b"TPE1\0\0\0\x04\0\0\x03a\0b");
        expected.extend(b"COMM\0\0\0\x06\0\0\x03XXX\0c");
        expected.extend(b"TXXX\0\0\0\x07\0\0\x03mood\0d");
        assert_eq!(tag(&tags).unwrap_or_default(), expected);
    }

    #[test]
    fn sizes_have_seven_bits_a_byte() {
        assert_eq!(syncsafe(0x7F).ok(), Some([0, 0, 0, 0x7F]));
        assert_eq!(syncsafe(0x80).ok(), Some([0, 0, 1, 0]));
        assert_eq!(syncsafe(MAX_BYTES).ok(), Some([0x7F; 4]));
        assert!(syncsafe(MAX_BYTES + 1).is_err());
    }

    #[test]
    fn no_tags_make_no_bytes_and_nul_is_rejected() {
        assert_eq!(tag(&[]).ok(), Some(Vec::new()));
        assert!(tag(&[("title", "a\0b")]).is_err() && tag(&[("", "a")]).is_err());
    }
}
