//! Pictures and chapters of a file.

use std::ffi::CString;

/// A picture in a file, such as a cover.
///
/// ```
/// use mapwave_plugin::Picture;
///
/// let cover = Picture::new("image/png", b"\x89PNG...".to_vec());
/// assert_eq!((cover.kind, cover.description), (3, None));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Picture {
    /// What it shows, as ID3v2 numbers it: 3 is the front cover, 0 anything else.
    pub kind: u32,
    /// The type of the data, such as `image/jpeg`.
    pub mime: CString,
    /// A description.
    pub description: Option<CString>,
    /// The width in pixels; 0 if it is not known.
    pub width: u32,
    /// The height in pixels; 0 if it is not known.
    pub height: u32,
    /// The image file, at least a byte.
    pub data: Vec<u8>,
}

impl Picture {
    /// A front cover. A zero byte ends the type.
    pub fn new(mime: &str, data: Vec<u8>) -> Self {
        Self { kind: 3, mime: text(mime), data, ..Self::default() }
    }
}

/// A chapter or a marker, in frames that decoding returns.
///
/// ```
/// use mapwave_plugin::Chapter;
///
/// let chapter = Chapter { end: Some(48_000), ..Chapter::new("Intro", 0) };
/// assert_eq!(chapter.label.as_deref(), Some(c"Intro"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chapter {
    /// The name.
    pub label: Option<CString>,
    /// The first frame.
    pub start: u64,
    /// The frame behind the last one, at least `start`.
    pub end: Option<u64>,
}

impl Chapter {
    /// A chapter without an end. A zero byte ends the name; one that is empty counts as none.
    pub fn new(label: &str, start: u64) -> Self {
        Self { label: Some(text(label)).filter(|label| !label.is_empty()), start, end: None }
    }
}

fn text(text: &str) -> CString {
    CString::new(text.split('\0').next().unwrap_or_default()).unwrap_or_default()
}
