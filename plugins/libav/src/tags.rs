//! Tags under Vorbis comment names, which the host uses, and under libav's names, which its muxers translate into those of each
//! container.

#![forbid(unsafe_code)]

use std::ffi::{CStr, CString};

use mapwave_plugin::{Error, Result, Status};

use crate::dictionary::Dictionary;

/// The maximum number of tags to report.
const MAX_TAGS: usize = 256;

/// The maximum size of a value in bytes.
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

/// Tags that describe the container, not the audio.
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

/// Tags for the host: the file's, then those that only the stream has.
pub(crate) fn tags(
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

/// A value in UTF-8, with the replacement character for invalid bytes.
fn text(value: &CString) -> CString {
    let value = value.to_string_lossy();
    let mut end = value.len().min(MAX_VALUE_BYTES);
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    CString::new(value.get(..end).unwrap_or_default()).unwrap_or_default()
}

/// Vorbis comment names for which libav uses others.
const WRITTEN_NAMES: [(&str, &CStr); 3] =
    [("albumartist", c"album_artist"), ("tracknumber", c"track"), ("discnumber", c"disc")];

/// Tags for the muxers, in the host's order.
#[derive(Debug, Default)]
pub(crate) struct Tags(Vec<(CString, CString)>);

impl Tags {
    /// Converts the host's tags. Several values of one name are joined.
    ///
    /// # Errors
    /// A key must be a valid Vorbis comment name.
    pub(crate) fn new(tags: &[(&str, &str)]) -> Result<Self> {
        let mut list: Vec<(CString, String)> = Vec::new();
        for (key, value) in tags {
            let key = written_name(key)?;
            match list.iter_mut().find(|(other, _)| *other == key) {
                Some((_, all)) => all.extend(["; ", *value]),
                None => list.push((key, (*value).to_owned())),
            }
        }
        let text = |(key, value): (CString, String)| {
            let value = CString::new(value).map_err(|_| bad("a tag's value has a zero byte"))?;
            Ok((key, value))
        };
        list.into_iter().map(text).collect::<Result<_>>().map(Self)
    }

    pub(crate) fn dictionary(&self) -> Result<Dictionary> {
        let mut dictionary = Dictionary::new();
        self.0.iter().try_for_each(|(key, value)| dictionary.set(key, value))?;
        Ok(dictionary)
    }
}

fn written_name(key: &str) -> Result<CString> {
    if let Some((_, name)) = WRITTEN_NAMES.iter().find(|(own, _)| key.eq_ignore_ascii_case(own)) {
        return Ok((*name).to_owned());
    }
    let is_legal = !key.is_empty() && key.bytes().all(|byte| (0x20..=0x7d).contains(&byte) && byte != b'=');
    let text = CString::new(key).ok().filter(|_| is_legal);
    text.ok_or_else(|| bad(format!("the tag name {key:?}: expected printable ASCII without '='")))
}

fn bad(message: impl Into<String>) -> Error {
    Error::new(Status::BadArgument, message)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
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

    #[test]
    fn values_of_one_name_are_joined() {
        let tags = [("artist", "a"), ("title", "t"), ("artist", "b"), ("tracknumber", "3")];
        let tags = Tags::new(&tags).unwrap();
        let expected = [(c"artist", c"a; b"), (c"title", c"t"), (c"track", c"3")];
        assert!(tags.0.iter().map(|(key, value)| (key.as_c_str(), value.as_c_str())).eq(expected));
    }

    #[test]
    fn names_that_no_comment_has_are_refused() {
        for key in ["", "a=b", "t\u{ef}tle", "a\0"] {
            let error = Tags::new(&[(key, "x")]).unwrap_err();
            assert_eq!(error.status(), Status::BadArgument, "{key:?}");
        }
    }
}
