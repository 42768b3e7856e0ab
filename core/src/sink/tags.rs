//! Metadata in the headers of uncompressed files.

#![forbid(unsafe_code)]

use crate::error::{Error, Parameter, Result, a_file};
use crate::metadata::{CAF_NAMES, IFF_NAMES, INFO_NAMES};

/// A key and its value.
pub(super) type Tag = (String, String);

/// The keys that a format can store.
#[derive(Clone, Copy, Debug)]
pub(super) enum TagKeys {
    /// Any.
    Any,
    /// These, each with its name in the file.
    Only(&'static [(&'static str, &'static [u8; 4])]),
}

/// The keys of RIFF's `INFO`.
pub(super) const INFO_KEYS: TagKeys = TagKeys::Only(&INFO_NAMES);

/// The keys of AIFF's text chunks.
pub(super) const IFF_KEYS: TagKeys = TagKeys::Only(&IFF_NAMES);

/// Rejects tags that a file of the format `name` cannot store.
pub(super) fn check(name: &str, known: TagKeys, tags: &[Tag]) -> Result<()> {
    for (key, value) in tags {
        let is_name = !key.is_empty() && key.bytes().all(|byte| (0x20..0x7e).contains(&byte) && byte != b'=');
        if !is_name || value.contains('\0') {
            let expected =
                "names of printable ASCII characters other than '=', and values without zero bytes";
            return Err(Error::argument(Parameter::Tags, expected, format!("{key:?}: {value:?}")));
        }
        let TagKeys::Only(known) = known else { continue };
        if !known.iter().any(|(known, _)| known == key) {
            let mut keys: Vec<&str> = known.iter().map(|(key, _)| *key).collect();
            keys.dedup();
            let expected = match keys.as_slice() {
                [] => format!("left out: {} cannot store tags", a_file(name)),
                keys => format!("among those that {} can store: {}", a_file(name), keys.join(", ")),
            };
            return Err(Error::argument(Parameter::Tags, expected, format!("{key:?}")));
        }
    }
    Ok(())
}

/// A `LIST` chunk of the type `INFO`; empty without tags. Zeros after the last value pad it to a multiple of 8 bytes, so
/// that the chunks that follow keep their alignment.
pub(super) fn info_list(tags: &[Tag]) -> Vec<u8> {
    let named = |(key, value): &Tag| {
        INFO_NAMES.iter().find(|(name, _)| name == key).map(|(_, id)| (*id, value.as_bytes().to_vec()))
    };
    let mut items: Vec<(&[u8; 4], Vec<u8>)> = tags.iter().filter_map(named).collect();
    for (_, text) in &mut items {
        text.resize((text.len() + 1).next_multiple_of(2), 0);
    }
    let num_bytes = 12 + items.iter().map(|(_, text)| 8 + text.len()).sum::<usize>();
    let Some((_, last)) = items.last_mut() else { return Vec::new() };
    last.resize(last.len() + num_bytes.next_multiple_of(8) - num_bytes, 0);
    let mut list = b"LIST".to_vec();
    append_u32_le(&mut list, num_bytes.next_multiple_of(8) - 8);
    list.extend_from_slice(b"INFO");
    for (id, text) in items {
        list.extend_from_slice(id);
        append_u32_le(&mut list, text.len());
        list.extend_from_slice(&text);
    }
    list
}

/// AIFF's text chunks.
pub(super) fn iff_texts(tags: &[Tag]) -> Vec<u8> {
    let mut chunks = Vec::new();
    for (key, value) in tags {
        let Some((_, id)) = IFF_NAMES.iter().find(|(name, _)| name == key) else { continue };
        chunks.extend_from_slice(*id);
        chunks.extend_from_slice(&u32::try_from(value.len()).unwrap_or(u32::MAX).to_be_bytes());
        chunks.extend_from_slice(value.as_bytes());
        chunks.resize(chunks.len().next_multiple_of(2), 0);
    }
    chunks
}

/// The payload of CAF's `info` chunk; empty without tags.
pub(super) fn caf_strings(tags: &[Tag]) -> Vec<u8> {
    if tags.is_empty() {
        return Vec::new();
    }
    let mut strings = u32::try_from(tags.len()).unwrap_or(u32::MAX).to_be_bytes().to_vec();
    for (key, value) in tags {
        let key = CAF_NAMES.iter().find(|(name, _)| name == key).map_or(key.as_str(), |(_, name)| name);
        for text in [key, value] {
            strings.extend_from_slice(text.as_bytes());
            strings.push(0);
        }
    }
    strings
}

fn append_u32_le(bytes: &mut Vec<u8>, size: usize) {
    bytes.extend_from_slice(&u32::try_from(size).unwrap_or(u32::MAX).to_le_bytes());
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn tag(key: &str, value: &str) -> Vec<Tag> {
        vec![(key.to_owned(), value.to_owned())]
    }

    #[test]
    fn chunks_are_as_the_specifications_have_them() {
        assert_eq!(info_list(&tag("title", "abc")), b"LIST\x10\0\0\0INFOINAM\x04\0\0\0abc\0");
        assert_eq!(info_list(&tag("artist", "ab")), b"LIST\x10\0\0\0INFOIART\x04\0\0\0ab\0\0");
        assert_eq!(iff_texts(&tag("comment", "abc")), b"ANNO\0\0\0\x03abc\0");
        assert_eq!(caf_strings(&tag("tracknumber", "7")), b"\0\0\0\x01track number\x007\0");
        assert_eq!((info_list(&[]), iff_texts(&[]), caf_strings(&[])), (vec![], vec![], vec![]));
    }

    #[test]
    fn what_has_no_place_is_refused_by_name() {
        let refuse = |keys, tags: &[Tag]| check("xyz", keys, tags).unwrap_err().to_string();
        assert!(refuse(INFO_KEYS, &tag("mood", "x")).contains("a xyz file can store: title, artist"));
        assert!(refuse(TagKeys::Only(&[]), &tag("title", "x")).contains("cannot store tags"));
        assert!(refuse(TagKeys::Any, &tag("a=b", "x")).contains("a=b"));
        assert!(refuse(TagKeys::Any, &tag("title", "x\0y")).contains("zero bytes"));
        check("xyz", TagKeys::Any, &tag("mood", "fine")).unwrap();
    }
}
