//! The host's tags under libav's names, which its muxers translate into those of each container.

#![forbid(unsafe_code)]

use std::ffi::{CStr, CString};

use mapwave_plugin::{Error, Result, Status};

use super::dictionary::Dictionary;

/// Vorbis comment names that libav has others for.
const NAMES: [(&str, &CStr); 3] =
    [("albumartist", c"album_artist"), ("tracknumber", c"track"), ("discnumber", c"disc")];

/// Tags as the muxers take them, in the host's order.
#[derive(Debug, Default)]
pub(super) struct Tags(Vec<(CString, CString)>);

impl Tags {
    /// Takes the host's tags. Of one name there is one: several values become one text.
    ///
    /// # Errors
    /// A name must be one of a Vorbis comment.
    pub(super) fn new(tags: &[(&str, &str)]) -> Result<Self> {
        let mut list: Vec<(CString, String)> = Vec::new();
        for (key, value) in tags {
            let key = name(key)?;
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

    pub(super) fn dictionary(&self) -> Result<Dictionary> {
        let mut dictionary = Dictionary::new();
        self.0.iter().try_for_each(|(key, value)| dictionary.set(key, value))?;
        Ok(dictionary)
    }
}

fn name(key: &str) -> Result<CString> {
    if let Some((_, name)) = NAMES.iter().find(|(own, _)| key.eq_ignore_ascii_case(own)) {
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
