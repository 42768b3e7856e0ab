//! The host's tags under libav's names, which its muxers translate into those of each container.

#![forbid(unsafe_code)]

use std::ffi::{CStr, CString};

use mapwave_plugin::{Error, Result, Status};

use super::container::Container;
use super::dictionary::Dictionary;

/// Vorbis comment names that libav has others for.
const NAMES: [(&str, &CStr); 3] =
    [("albumartist", c"album_artist"), ("tracknumber", c"track"), ("discnumber", c"disc")];

/// Tags as the muxers take them, in the host's order.
#[derive(Debug, Default)]
pub(super) struct Tags(Vec<(CString, CString)>);

impl Tags {
    /// Takes the host's tags. Of one name there are several in Vorbis comments; elsewhere they become one text.
    ///
    /// # Errors
    /// A name must be one of a Vorbis comment.
    pub(super) fn new(tags: &[(&str, &str)], container: &Container) -> Result<Self> {
        let mut list: Vec<(CString, String)> = Vec::new();
        for (key, value) in tags {
            let key = name(key)?;
            let before = list.iter_mut().find(|(other, _)| *other == key);
            match before.filter(|_| !container.has_vorbis_comments) {
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
        self.0.iter().try_for_each(|(key, value)| dictionary.add(key, value))?;
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
    fn values_of_one_name_are_joined_where_there_can_be_one() {
        let tags = [("artist", "a"), ("title", "t"), ("artist", "b"), ("tracknumber", "3")];
        let in_mp3 = Tags::new(&tags, Container::from_name("mp3").unwrap()).unwrap();
        let expected = [(c"artist", c"a; b"), (c"title", c"t"), (c"track", c"3")];
        assert!(in_mp3.0.iter().map(|(key, value)| (key.as_c_str(), value.as_c_str())).eq(expected));
        let in_ogg = Tags::new(&tags, Container::from_name("ogg").unwrap()).unwrap();
        assert_eq!(in_ogg.0.len(), 4);
    }

    #[test]
    fn names_that_no_comment_has_are_refused() {
        for key in ["", "a=b", "t\u{ef}tle", "a\0"] {
            let error = Tags::new(&[(key, "x")], Container::from_name("ogg").unwrap()).unwrap_err();
            assert_eq!(error.status(), Status::BadArgument, "{key:?}");
        }
    }
}
