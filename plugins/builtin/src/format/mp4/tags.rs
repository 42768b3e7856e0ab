//! Metadata in iTunes' form: a list of items ("ilst") named by four letters or by words.

#![forbid(unsafe_code)]

use std::ffi::CString;

use super::atoms::Kind;
use crate::bytes::Bytes;

/// The most items that are returned.
const MAX_TAGS: usize = 256;

/// The most bytes of a value.
const MAX_VALUE_BYTES: usize = 1 << 16;

/// The Vorbis comment names of items.
pub(super) const NAMES: [(Kind, &str); 25] = [
    (*b"\xa9nam", "title"),
    (*b"\xa9ART", "artist"),
    (*b"aART", "albumartist"),
    (*b"\xa9alb", "album"),
    (*b"\xa9day", "date"),
    (*b"\xa9gen", "genre"),
    (*b"\xa9cmt", "comment"),
    (*b"\xa9wrt", "composer"),
    (*b"\xa9too", "encoder"),
    (*b"\xa9enc", "encoded-by"),
    (*b"\xa9grp", "grouping"),
    (*b"\xa9lyr", "lyrics"),
    (*b"\xa9wrk", "work"),
    (*b"\xa9mvn", "movementname"),
    (*b"\xa9con", "conductor"),
    (*b"\xa9prf", "performer"),
    (*b"\xa9pub", "organization"),
    (*b"cprt", "copyright"),
    (*b"desc", "description"),
    (*b"ldes", "synopsis"),
    (*b"tvsh", "show"),
    (*b"soal", "albumsort"),
    (*b"soar", "artistsort"),
    (*b"sonm", "titlesort"),
    (*b"soco", "composersort"),
];

/// The metadata of a movie.
#[derive(Debug, Default)]
pub(crate) struct Metadata {
    /// Vorbis comment names and values.
    pub(crate) tags: Vec<(CString, CString)>,
    /// The item "iTunSMPB".
    pub(crate) itunes_timing: Option<String>,
}

/// Reads the metadata of a movie ("moov"); invalid items are skipped.
pub(crate) fn read(moov: Bytes<'_>) -> Metadata {
    let mut metadata = Metadata::default();
    let inside_user_data = moov.find(*b"udta").and_then(|udta| udta.find(*b"meta"));
    let Some(meta) = inside_user_data.or_else(|| moov.find(*b"meta")) else { return metadata };
    // A full box in ISO files, a plain one in QuickTime files.
    let behind_version = || {
        let mut meta = meta;
        meta.version_and_flags().ok()?;
        meta.find(*b"ilst")
    };
    let Some(items) = behind_version().or_else(|| meta.find(*b"ilst")) else { return metadata };
    for item in items.boxes() {
        if metadata.tags.len() >= MAX_TAGS {
            break;
        }
        metadata.add(item.kind, item.payload);
    }
    metadata
}

impl Metadata {
    fn add(&mut self, kind: Kind, item: Bytes<'_>) {
        let Some((type_code, value)) = value(item) else { return };
        match &kind {
            b"----" => {
                let Some(name) = item.find(*b"name").and_then(|name| name.rest().get(4..)) else { return };
                let (Ok(name), Some(text)) = (str::from_utf8(name), text(value)) else { return };
                if name == "iTunSMPB" {
                    self.itunes_timing = Some(text);
                } else if type_code == 1 && name.len() <= 256 && !name.starts_with("iTun") {
                    self.push(&name.to_ascii_lowercase(), text);
                }
            }
            b"trkn" | b"disk" => {
                // Two unused bytes, the number, the total.
                let [_, _, a, b, c, d, ..] = value else { return };
                let (number, total) = (u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c, *d]));
                let names = if kind == *b"trkn" {
                    ["tracknumber", "tracktotal"]
                } else {
                    ["discnumber", "disctotal"]
                };
                for (name, count) in names.into_iter().zip([number, total]).filter(|(_, count)| *count > 0) {
                    self.push(name, count.to_string());
                }
            }
            b"tmpo" => {
                if let Some(bpm) = value.first_chunk() {
                    self.push("bpm", u16::from_be_bytes(*bpm).to_string());
                }
            }
            _ => {
                let known = NAMES.iter().find(|(known, _)| *known == kind);
                if let (Some((_, name)), Some(text)) = (known, text(value)) {
                    self.push(name, text);
                }
            }
        }
    }

    fn push(&mut self, name: &str, value: String) {
        let is_name =
            !name.is_empty() && name.bytes().all(|byte| (b' '..=b'}').contains(&byte) && byte != b'=');
        if let (true, Ok(name), Ok(value)) = (is_name, CString::new(name), CString::new(value)) {
            self.tags.push((name, value));
        }
    }
}

/// The first value of an item and its type.
fn value(item: Bytes<'_>) -> Option<(u32, &[u8])> {
    let mut data = item.find(*b"data")?;
    let type_code = data.u32().ok()?;
    data.u32().ok()?; // the locale
    Some((type_code, data.rest())).filter(|(_, value)| value.len() <= MAX_VALUE_BYTES)
}

/// A value as text, without trailing zero bytes.
fn text(value: &[u8]) -> Option<String> {
    str::from_utf8(value).ok().map(|text| text.trim_end_matches('\0').to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::cast_possible_truncation)]
mod tests {
    use super::*;

    fn atom(kind: &[u8; 4], payload: &[u8]) -> Vec<u8> {
        let mut bytes = (payload.len() as u32 + 8).to_be_bytes().to_vec();
        bytes.extend(kind);
        bytes.extend(payload);
        bytes
    }

    fn item(kind: &[u8; 4], type_code: u8, value: &[u8]) -> Vec<u8> {
        let mut data = vec![0, 0, 0, type_code, 0, 0, 0, 0];
        data.extend(value);
        atom(kind, &atom(b"data", &data))
    }

    fn tags(items: &[Vec<u8>], is_quicktime: bool) -> Metadata {
        let mut meta = if is_quicktime { vec![] } else { vec![0; 4] };
        meta.extend(atom(b"hdlr", &[0; 25]));
        meta.extend(atom(b"ilst", &items.concat()));
        read(Bytes::new(&atom(b"udta", &atom(b"meta", &meta))))
    }

    fn strings(metadata: &Metadata) -> Vec<(&str, &str)> {
        metadata.tags.iter().map(|(name, value)| (name.to_str().unwrap(), value.to_str().unwrap())).collect()
    }

    #[test]
    fn items_have_the_names_of_vorbis_comments() {
        let mut free = atom(b"mean", b"\0\0\0\0com.apple.iTunes");
        free.extend(atom(b"name", b"\0\0\0\0MusicBrainz Track Id"));
        free.extend(atom(b"data", b"\0\0\0\x01\0\0\0\0abc"));
        let mut timing = atom(b"name", b"\0\0\0\0iTunSMPB");
        timing.extend(atom(b"data", b"\0\0\0\x01\0\0\0\0 00000000 00000840"));
        let items = [
            item(b"\xa9nam", 1, "Für Elise".as_bytes()),
            item(b"\xa9day", 1, b"1810\0"),
            item(b"trkn", 0, &[0, 0, 0, 3, 0, 12, 0, 0]),
            item(b"disk", 0, &[0, 0, 0, 1, 0, 0]),
            item(b"tmpo", 21, &[0, 120]),
            item(b"covr", 13, &[0xff; 100]),
            item(b"\xa9ART", 1, &[0xff, 0xfe]),
            atom(b"----", &free),
            atom(b"----", &timing),
        ];
        for is_quicktime in [false, true] {
            let metadata = tags(&items, is_quicktime);
            assert_eq!(metadata.itunes_timing.as_deref(), Some(" 00000000 00000840"));
            let expected = [
                ("title", "Für Elise"),
                ("date", "1810"),
                ("tracknumber", "3"),
                ("tracktotal", "12"),
                ("discnumber", "1"),
                ("bpm", "120"),
                ("musicbrainz track id", "abc"),
            ];
            assert_eq!(strings(&metadata), expected);
        }
    }

    #[test]
    fn their_number_and_size_are_bounded() {
        let many = vec![item(b"\xa9cmt", 1, b"x"); 1000];
        assert_eq!(tags(&many, false).tags.len(), MAX_TAGS);
        let long = item(b"\xa9lyr", 1, &vec![b'x'; MAX_VALUE_BYTES + 1]);
        assert_eq!(tags(&[long], false).tags.len(), 0);
    }
}
