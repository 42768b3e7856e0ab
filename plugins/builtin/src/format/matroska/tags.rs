//! The tags of a file (RFC 9559, section 5.1.8), and its title (section 5.1.2.12).

#![forbid(unsafe_code)]

use std::ffi::CString;

use super::ebml::{Child, Elements};
use super::id::{SIMPLE_TAG, TAG, TAG_NAME, TAG_STRING, TITLE};
use crate::tags::vorbis_comment::Comments;

/// The most tags that are kept, and the longest value in bytes.
const MAX_TAGS: usize = 1024;
const MAX_VALUE_BYTES: usize = 64 << 10;

/// Matroska's names of tags (Matroska Tags, section 5) that have another in Vorbis comments.
const NAMES: [(&str, &str); 5] = [
    ("date_released", "date"),
    ("part_number", "tracknumber"),
    ("track", "tracknumber"),
    ("total_parts", "tracktotal"),
    ("album_artist", "albumartist"),
];

/// What programs state of the packets as tags.
const STATISTICS: [&str; 6] =
    ["bps", "duration", "encoder", "number_of_bytes", "number_of_frames", "language"];

/// The tags read so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tags {
    tags: Comments,
    title: Option<String>,
}

impl Tags {
    /// Reads the title in a segment's information.
    pub(crate) fn read_info(&mut self, info: &Child<'_>) {
        let title = Elements::new(info.data, 0..info.data.len()).find(|field| field.id == TITLE);
        self.title = title.map(|title| text(title.data)).or(self.title.take());
    }

    /// Reads the tags of everything in the file.
    pub(crate) fn read(&mut self, tags: &Child<'_>) {
        let groups = Elements::new(tags.data, 0..tags.data.len()).filter(|group| group.id == TAG);
        for group in groups {
            let fields = Elements::new(group.data, 0..group.data.len());
            for simple in fields.filter(|field| field.id == SIMPLE_TAG) {
                self.add(simple.data);
            }
        }
    }

    fn add(&mut self, simple: &[u8]) {
        let field = |id| Elements::new(simple, 0..simple.len()).find(|field| field.id == id);
        let (Some(name), Some(value)) = (field(TAG_NAME), field(TAG_STRING)) else { return };
        if self.tags.len() >= MAX_TAGS || value.data.len() > MAX_VALUE_BYTES {
            return;
        }
        let name = text(name.data).to_ascii_lowercase();
        let name = NAMES.iter().find(|(own, _)| *own == name).map_or(name.as_str(), |(_, common)| common);
        let is_plain =
            !name.is_empty() && name.bytes().all(|byte| (0x20..=0x7D).contains(&byte) && byte != b'=');
        if !is_plain || name.starts_with('_') || STATISTICS.contains(&name) {
            return;
        }
        let is_new = !self.tags.iter().any(|(known, _)| known.to_bytes() == name.as_bytes());
        if let (true, Ok(name), Ok(value)) = (is_new, CString::new(name), CString::new(text(value.data))) {
            self.tags.push((name, value));
        }
    }

    /// All of them; the title of the segment unless a tag states one.
    pub(crate) fn into_comments(mut self) -> Comments {
        let has_title = self.tags.iter().any(|(name, _)| name.to_bytes() == b"title");
        if let (false, Some(Ok(title))) = (has_title, self.title.map(CString::new)) {
            self.tags.push((c"title".into(), title));
        }
        self.tags
    }
}

/// A string up to its first NUL.
fn text(data: &[u8]) -> String {
    let data = data.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(data).into_owned()
}
