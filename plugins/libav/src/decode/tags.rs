//! libav's metadata under the names of Vorbis comments.

#![forbid(unsafe_code)]

use std::ffi::CString;

/// The most pieces of metadata that are told.
const MAX_TAGS: usize = 256;

/// The most bytes of a value.
const MAX_VALUE_BYTES: usize = 1 << 16;

/// Names that differ between the two.
const NAMES: [(&str, &str); 12] = [
    ("album_artist", "albumartist"),
    ("album-sort", "albumsort"),
    ("artist-sort", "artistsort"),
    ("title-sort", "titlesort"),
    ("track", "tracknumber"),
    ("disc", "discnumber"),
    ("encoded_by", "encoded-by"),
    ("publisher", "organization"),
    ("creation_time", "creation-time"),
    ("wm/year", "date"),
    ("wm/genre", "genre"),
    ("lyrics-xxx", "lyrics"),
];

/// What containers say of themselves, which is nothing about the sound.
const LEFT_OUT: [&str; 8] = [
    "major_brand",
    "minor_version",
    "compatible_brands",
    "handler_name",
    "vendor_id",
    "duration",
    "deviceconformancetemplate",
    "wmfsdkversion",
];

/// Tags as the host wants them: a file's own, then those of the stream that it does not have.
pub(super) fn tags(
    file: Vec<(CString, CString)>,
    stream: Vec<(CString, CString)>,
) -> Vec<(CString, CString)> {
    let mut tags: Vec<(CString, CString)> = Vec::new();
    for (key, value) in file.into_iter().chain(stream) {
        let Some(key) = name(&key.to_string_lossy()) else { continue };
        let value = text(&value);
        let is_known = tags.iter().any(|(known, _)| *known == key);
        if is_known || value.is_empty() || tags.len() >= MAX_TAGS {
            continue;
        }
        tags.push((key, value));
    }
    tags
}

/// The name of a Vorbis comment: printable ASCII without '=', in lower case.
fn name(key: &str) -> Option<CString> {
    let key = key.to_ascii_lowercase();
    let known = NAMES.iter().find(|(libav, _)| *libav == key);
    let key = known.map_or(key.as_str(), |(_, vorbis)| vorbis);
    let is_legal = !key.is_empty() && key.bytes().all(|byte| (b' '..=b'}').contains(&byte) && byte != b'=');
    let is_wanted = is_legal && !LEFT_OUT.contains(&key);
    is_wanted.then(|| CString::new(key).ok()).flatten()
}

/// A value in UTF-8, with what is not taken for the replacement character.
fn text(value: &CString) -> CString {
    let value = value.to_string_lossy();
    let mut end = value.len().min(MAX_VALUE_BYTES);
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    CString::new(value.get(..end).unwrap_or_default()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&str, &[u8])]) -> Vec<(CString, CString)> {
        let c = |bytes: &[u8]| CString::new(bytes).unwrap_or_default();
        pairs.iter().map(|(key, value)| (c(key.as_bytes()), c(value))).collect()
    }

    #[test]
    fn names_are_those_of_vorbis_comments() {
        let file = pairs(&[
            ("TITLE", b"One"),
            ("track", b"3/9"),
            ("major_brand", b"M4A "),
            ("a=b", b"x"),
            ("", b"y"),
        ]);
        let stream = pairs(&[("title", b"Two"), ("language", b"eng"), ("comment", b"")]);
        let expected = pairs(&[("title", b"One"), ("tracknumber", b"3/9"), ("language", b"eng")]);
        assert_eq!(tags(file, stream), expected);
    }

    #[test]
    fn values_become_text_of_bounded_length() {
        let long = "\u{e9}".repeat(40_000);
        let found = tags(pairs(&[("title", b"\xff1"), ("comment", long.as_bytes())]), Vec::new());
        let values: Vec<_> = found.iter().map(|(_, value)| value.to_bytes()).collect();
        assert_eq!(values, ["\u{fffd}1".as_bytes(), "\u{e9}".repeat(32_768).as_bytes()]);
    }
}
