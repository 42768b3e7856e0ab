//! The name of a container and its variant, from libavformat's description.

#![forbid(unsafe_code)]

use std::ffi::{CStr, CString};

use mapwave_plugin::{Input, Result};

use super::demuxer::Demuxer;

/// Audio-only brands, whose video tracks are chapter pictures.
const SOUND_BRANDS: [&[u8]; 3] = [b"M4A ", b"M4B ", b"M4P "];

/// The number of bytes in which a Matroska file states its document type.
const HEAD_BYTES: usize = 64;

/// A container as people call it, and its variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Container {
    pub(super) name: &'static CStr,
    pub(super) variant: Option<String>,
}

impl Container {
    /// The container of an open file.
    ///
    /// # Errors
    /// When the host cannot read.
    pub(super) fn of(demuxer: &Demuxer, input: &Input) -> Result<Self> {
        let mut head = [0; HEAD_BYTES];
        input.read_at(0, &mut head)?;
        let tags = demuxer.tags();
        let brand = tags.iter().find(|(key, _)| key.as_c_str() == c"major_brand");
        Ok(Self::known(demuxer.format(), brand.map(|(_, brand)| brand), demuxer.has_video(), &head))
    }

    fn known(format: &'static CStr, brand: Option<&CString>, has_video: bool, head: &[u8]) -> Self {
        let brand = brand.map(|brand| brand.to_bytes());
        let name = match format.to_bytes() {
            b"matroska,webm" => return Self::matroska(has_video, head),
            formats if formats.starts_with(b"mov,mp4,") => match brand {
                Some(b"qt  ") => c"mov",
                Some(brand) if SOUND_BRANDS.contains(&brand) => c"m4a",
                _ if has_video => c"mp4",
                _ => c"m4a",
            },
            // libav's names that differ from the file extension.
            b"asf" if has_video => c"wmv",
            b"asf" => c"wma",
            b"mpegts" => c"ts",
            b"mpeg" => c"mpg",
            b"truehd" => c"thd",
            b"w64" => return Self { name: c"wav", variant: Some("w64".to_owned()) },
            formats if formats.contains(&b',') => c"libav",
            _ => format,
        };
        let variant = brand.and_then(|brand| String::from_utf8(brand.to_vec()).ok());
        Self { name, variant }
    }

    /// The document type is in the file's header (RFC 9559, section 4.1); libav does not report it.
    fn matroska(has_video: bool, head: &[u8]) -> Self {
        let doc_type = |name: &[u8]| {
            let size = u8::try_from(name.len()).unwrap_or(0) | 0x80;
            let element = [&[0x42, 0x82, size], name].concat();
            head.windows(element.len()).any(|bytes| bytes == element)
        };
        if doc_type(b"webm") {
            return Self { name: c"webm", variant: Some("webm".to_owned()) };
        }
        let variant = doc_type(b"matroska").then(|| "matroska".to_owned());
        Self { name: if has_video { c"mkv" } else { c"mka" }, variant }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(
        format: &'static CStr,
        brand: Option<&CStr>,
        has_video: bool,
        head: &[u8],
    ) -> (&'static CStr, String) {
        let container = Container::known(format, brand.map(CStr::to_owned).as_ref(), has_video, head);
        (container.name, container.variant.unwrap_or_default())
    }

    #[test]
    fn mp4_is_named_by_its_brand_and_its_tracks() {
        const MP4: &CStr = c"mov,mp4,m4a,3gp,3g2,mj2";
        assert_eq!(known(MP4, Some(c"isom"), false, b""), (c"m4a", "isom".to_owned()));
        assert_eq!(known(MP4, Some(c"isom"), true, b""), (c"mp4", "isom".to_owned()));
        assert_eq!(known(MP4, Some(c"M4A "), true, b""), (c"m4a", "M4A ".to_owned()));
        assert_eq!(known(MP4, Some(c"qt  "), false, b""), (c"mov", "qt  ".to_owned()));
        assert_eq!(known(MP4, None, false, b""), (c"m4a", String::new()));
    }

    #[test]
    fn matroska_is_named_by_its_document_type_and_its_tracks() {
        const MATROSKA: &CStr = c"matroska,webm";
        assert_eq!(known(MATROSKA, None, true, b"\x42\x82\x84webm"), (c"webm", "webm".to_owned()));
        assert_eq!(known(MATROSKA, None, true, b"\x42\x82\x88matroska"), (c"mkv", "matroska".to_owned()));
        assert_eq!(known(MATROSKA, None, false, b"\x42\x82\x88matroska"), (c"mka", "matroska".to_owned()));
        assert_eq!(known(MATROSKA, None, false, b""), (c"mka", String::new()));
    }

    #[test]
    fn other_names_are_extensions() {
        assert_eq!(known(c"asf", None, false, b""), (c"wma", String::new()));
        assert_eq!(known(c"mpegts", None, true, b""), (c"ts", String::new()));
        assert_eq!(known(c"w64", None, false, b""), (c"wav", "w64".to_owned()));
        assert_eq!(known(c"wv", None, false, b""), (c"wv", String::new()));
    }
}
