//! The name of a file of MP4's family: by its major brand (ISO/IEC 14496-12, 4.3) and by what else is in it.

#![forbid(unsafe_code)]

use std::ffi::CStr;

use super::atoms::Kind;
use crate::bytes::Bytes;

/// The brand of a QuickTime movie (QuickTime File Format, "The File Type Compatibility Atom").
const QUICKTIME: Kind = *b"qt  ";

/// Brands of sound alone, whose video tracks are pictures of chapters.
const SOUND: [Kind; 3] = [*b"M4A ", *b"M4B ", *b"M4P "];

/// The major brand; `None` for a file from before there were brands, which begins without `ftyp`.
pub(super) fn major_brand(file: Bytes<'_>) -> Option<Kind> {
    let first = file.boxes().next().filter(|first| &first.kind == b"ftyp")?;
    first.payload.rest().first_chunk().copied()
}

/// The extension that people know such a file by: "mov" for QuickTime's brand, "m4a" where there is sound alone, else "mp4".
pub(super) fn container(brand: Option<Kind>, moov: Bytes<'_>) -> &'static CStr {
    let has_video = moov.boxes().filter(|found| &found.kind == b"trak").any(|trak| {
        let handler = trak.payload.find_path(&[*b"mdia", *b"hdlr"]);
        handler.and_then(|handler| handler.rest().get(8..12)) == Some(b"vide")
    });
    match brand {
        Some(QUICKTIME) => c"mov",
        Some(brand) if SOUND.contains(&brand) => c"m4a",
        _ if has_video => c"mp4",
        _ => c"m4a",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn atom(kind: &[u8; 4], payload: &[u8]) -> Vec<u8> {
        let size = u32::try_from(8 + payload.len()).unwrap();
        [&size.to_be_bytes(), kind.as_slice(), payload].concat()
    }

    /// The tracks of a movie with these handlers.
    fn tracks(handlers: &[&[u8; 4]]) -> Vec<u8> {
        let track = |handler: &&[u8; 4]| {
            let payload = [&[0; 8], handler.as_slice()].concat();
            atom(b"trak", &atom(b"mdia", &atom(b"hdlr", &payload)))
        };
        handlers.iter().flat_map(track).collect()
    }

    #[test]
    fn the_brand_is_the_first_of_a_leading_ftyp() {
        let file = [atom(b"ftyp", b"isom\0\0\x02\0isommp41"), atom(b"moov", b"")].concat();
        assert_eq!(major_brand(Bytes::new(&file)), Some(*b"isom"));
        assert_eq!(major_brand(Bytes::new(&atom(b"moov", b""))), None);
        assert_eq!(major_brand(Bytes::new(&atom(b"ftyp", b"M4"))), None);
    }

    #[test]
    fn sound_alone_is_m4a_and_video_is_mp4() {
        let name = |brand: Option<&Kind>, handlers: &[&[u8; 4]]| {
            container(brand.copied(), Bytes::new(&tracks(handlers)))
        };
        assert_eq!(name(Some(b"isom"), &[b"soun", b"text"]), c"m4a");
        assert_eq!(name(Some(b"isom"), &[b"vide", b"soun"]), c"mp4");
        assert_eq!(name(None, &[b"soun"]), c"m4a");
        assert_eq!(name(Some(b"qt  "), &[b"soun"]), c"mov");
        assert_eq!(name(Some(b"M4B "), &[b"soun", b"vide"]), c"m4a");
    }
}
