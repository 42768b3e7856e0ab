//! The contents of ID3 tags: versions 2.2, 2.3 and 2.4, and version 1 for names that those lack.

use std::borrow::Cow;
use std::ffi::CString;

use super::tags;
use crate::tags::id3v2::{self, Id3v2};

/// The most values from a file.
const MAX_VALUES: usize = 64;
/// The longest value, in bytes of the file.
const MAX_VALUE_BYTES: usize = 1 << 14;
/// The most bytes of a tag that are read if it must be copied to be parsed.
const MAX_COPIED_BYTES: usize = 1 << 20;
/// The flag of unsynchronisation, for a whole tag or for a frame in 2.4: a zero follows every byte of ones.
const UNSYNCHRONISED: u8 = 0x80;

/// Text frames: their identifiers in 2.3 and 2.4, in 2.2, and the Vorbis comment names.
const NAMES: [(&[u8; 4], &[u8; 3], &str); 11] = [
    (b"TIT2", b"TT2", "title"),
    (b"TPE1", b"TP1", "artist"),
    (b"TALB", b"TAL", "album"),
    (b"TPE2", b"TP2", "albumartist"),
    (b"TCOM", b"TCM", "composer"),
    (b"TDRC", b"TDR", "date"),
    (b"TYER", b"TYE", "date"),
    (b"TRCK", b"TRK", "tracknumber"),
    (b"TPOS", b"TPA", "discnumber"),
    (b"TCON", b"TCO", "genre"),
    (b"TSRC", b"TRC", "isrc"),
];

/// The genres of ID3v1 by number, ID3v2.4.0 section "Genre List from ID3v1".
const GENRES: [&str; 80] = [
    "Blues",
    "Classic Rock",
    "Country",
    "Dance",
    "Disco",
    "Funk",
    "Grunge",
    "Hip-Hop",
    "Jazz",
    "Metal",
    "New Age",
    "Oldies",
    "Other",
    "Pop",
    "R&B",
    "Rap",
    "Reggae",
    "Rock",
    "Techno",
    "Industrial",
    "Alternative",
    "Ska",
    "Death Metal",
    "Pranks",
    "Soundtrack",
    "Euro-Techno",
    "Ambient",
    "Trip-Hop",
    "Vocal",
    "Jazz+Funk",
    "Fusion",
    "Trance",
    "Classical",
    "Instrumental",
    "Acid",
    "House",
    "Game",
    "Sound Clip",
    "Gospel",
    "Noise",
    "AlternRock",
    "Bass",
    "Soul",
    "Punk",
    "Space",
    "Meditative",
    "Instrumental Pop",
    "Instrumental Rock",
    "Ethnic",
    "Gothic",
    "Darkwave",
    "Techno-Industrial",
    "Electronic",
    "Pop-Folk",
    "Eurodance",
    "Dream",
    "Southern Rock",
    "Comedy",
    "Cult",
    "Gangsta",
    "Top 40",
    "Christian Rap",
    "Pop/Funk",
    "Jungle",
    "Native American",
    "Cabaret",
    "New Wave",
    "Psychadelic",
    "Rave",
    "Showtunes",
    "Trailer",
    "Lo-Fi",
    "Tribal",
    "Acid Punk",
    "Acid Jazz",
    "Polka",
    "Retro",
    "Musical",
    "Rock & Roll",
    "Hard Rock",
];

/// iTunes' description of the audio in a comment named `iTunSMPB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ItunesGapless {
    /// The encoder's delay, without the decoder's.
    pub(crate) delay: u32,
    /// The number of frames of sound.
    pub(crate) num_frames: u64,
}

/// The tags read so far.
#[derive(Default)]
struct Tags {
    values: Vec<(&'static str, String)>,
    itunes: Option<ItunesGapless>,
}

/// The tags of a file, as lower-case Vorbis comment names and their values, and iTunes' description.
pub(crate) fn read(bytes: &[u8]) -> (Vec<(CString, CString)>, Option<ItunesGapless>) {
    let mut tags = Tags::default();
    let mut at = 0;
    while let Some(tag) = bytes.get(at..) {
        let Some(num_bytes) = tags::leading_tag_bytes(tag) else { break };
        if let Some(header) = Id3v2::parse(tag) {
            let body = tag.get(id3v2::HEADER_BYTES..).and_then(|rest| rest.get(..header.body_bytes));
            tags.read_v2(header, body.unwrap_or_default());
        }
        at += num_bytes;
    }
    if let Some(tag) = bytes.last_chunk::<128>().filter(|tag| tag.starts_with(b"TAG")) {
        tags.read_v1(tag);
    }
    let pair = |(name, value): (&str, String)| Some((CString::new(name).ok()?, CString::new(value).ok()?));
    (tags.values.into_iter().filter_map(pair).collect(), tags.itunes)
}

impl Tags {
    /// Adds the values of one frame, unless the name has values already.
    fn add(&mut self, name: &'static str, values: impl Iterator<Item = String>) {
        let is_known = self.values.iter().any(|(known, _)| *known == name);
        let values = values.map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        let room = if is_known { 0 } else { MAX_VALUES.saturating_sub(self.values.len()) };
        self.values.extend(values.take(room).map(|value| (name, value)));
    }

    fn read_v2(&mut self, header: Id3v2, body: &[u8]) {
        let mut body = Cow::Borrowed(body);
        if header.version < 4 && header.flags & UNSYNCHRONISED != 0 {
            body = Cow::Owned(resynchronised(body.get(..MAX_COPIED_BYTES).unwrap_or(&body)));
        }
        let mut rest: &[u8] = &body;
        if header.version >= 3 && header.flags & 0x40 != 0 {
            rest = behind_extended_header(header.version, rest).unwrap_or_default();
        }
        while let Some((frame, behind)) = Frame::parse(header, rest) {
            self.read_frame(&frame);
            rest = behind;
        }
    }

    fn read_frame(&mut self, frame: &Frame<'_>) {
        let known = NAMES.iter().find(|(long, short, _)| frame.id == *long || frame.id == *short);
        if let Some((_, _, name)) = known {
            let Some(text) = frame.content().and_then(|content| {
                let (encoding, text) = content.split_first()?;
                Some(decoded(*encoding, text))
            }) else {
                return;
            };
            let values = text.split('\0');
            match *name {
                "genre" => self.add(name, values.map(genre)),
                _ => self.add(name, values.map(str::to_owned)),
            }
        } else if matches!(frame.id, b"COMM" | b"COM") {
            let Some((description, text)) = frame.content().and_then(|content| comment(&content)) else {
                return;
            };
            if description == "iTunSMPB" {
                self.itunes = self.itunes.or_else(|| itunes_gapless(&text));
            } else if !description.starts_with("iTun") {
                self.add("comment", std::iter::once(text));
            }
        }
    }

    /// ID3v1.1: fields of constant size in Latin-1, and the number of a genre.
    fn read_v1(&mut self, tag: &[u8; 128]) {
        let field = |from: usize, to: usize| {
            let text = tag.get(from..to).unwrap_or_default();
            let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
            std::iter::once(latin1(text))
        };
        self.add("title", field(3, 33));
        self.add("artist", field(33, 63));
        self.add("album", field(63, 93));
        self.add("date", field(93, 97));
        let [.., zero, number, genre] = *tag;
        if zero == 0 && number != 0 {
            self.add("comment", field(97, 125));
            self.add("tracknumber", std::iter::once(number.to_string()));
        } else {
            self.add("comment", field(97, 127));
        }
        let genre = GENRES.get(usize::from(genre)).map(|name| (*name).to_owned());
        self.add("genre", genre.into_iter());
    }
}

/// A frame of an ID3v2 tag.
struct Frame<'a> {
    id: &'a [u8],
    /// Whether zeros were inserted.
    is_unsynchronised: bool,
    /// Whether it is compressed or encrypted.
    is_opaque: bool,
    body: &'a [u8],
}

impl<'a> Frame<'a> {
    /// The frame at the beginning of `bytes`, and the bytes after it.
    fn parse(header: Id3v2, bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (id_bytes, header_bytes) = if header.version <= 2 { (3, 6) } else { (4, 10) };
        let id = bytes.get(..id_bytes)?;
        if !id.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()) {
            return None; // padding
        }
        let size = bytes.get(id_bytes..header_bytes)?;
        let rest = bytes.get(header_bytes..)?;
        let plain = size.iter().take(id_bytes).fold(0, |value, byte| value << 8 | usize::from(*byte));
        let [_, _, .., format] = *size else { return None };
        if header.version <= 2 {
            let (body, behind) = rest.split_at_checked(plain)?;
            return Some((Self { id, is_unsynchronised: false, is_opaque: false, body }, behind));
        }
        let syncsafe = size.iter().take(4).fold(0, |value, byte| value << 7 | usize::from(*byte & 0x7F));
        // Sizes in 2.4 are syncsafe, but some writers use plain ones: then another frame follows at the plain size.
        let is_frame = |at: usize| rest.get(at).is_none_or(|byte| *byte == 0 || byte.is_ascii_uppercase());
        let num_bytes = match header.version {
            3 => plain,
            _ if !is_frame(syncsafe) && plain <= rest.len() && is_frame(plain) => plain,
            _ => syncsafe,
        };
        let (mut body, behind) = rest.split_at_checked(num_bytes)?;
        let (is_opaque, extra_bytes, is_unsynchronised) = if header.version == 3 {
            (format & 0xC0 != 0, usize::from(format & 0x20 != 0), false)
        } else {
            let extra_bytes = usize::from(format & 0x40 != 0) + if format & 1 != 0 { 4 } else { 0 };
            (format & 0x0C != 0, extra_bytes, format & 2 != 0 || header.flags & UNSYNCHRONISED != 0)
        };
        body = body.get(extra_bytes..).unwrap_or_default();
        Some((Self { id, is_unsynchronised, is_opaque, body }, behind))
    }

    /// The payload, truncated if it is too long.
    fn content(&self) -> Option<Cow<'a, [u8]>> {
        let body = self.body.get(..MAX_VALUE_BYTES).unwrap_or(self.body);
        match self.is_unsynchronised {
            _ if self.is_opaque => None,
            true => Some(Cow::Owned(resynchronised(body))),
            false => Some(Cow::Borrowed(body)),
        }
    }
}

/// The bytes after the extended header, ID3v2.3.0 and 2.4.0 section 3.2.
fn behind_extended_header(version: u8, body: &[u8]) -> Option<&[u8]> {
    let size = body.first_chunk::<4>()?;
    let num_bytes = match version {
        3 => 4 + u32::from_be_bytes(*size) as usize, // a size that does not include itself
        _ => size.iter().fold(0, |value, byte| value << 7 | usize::from(*byte & 0x7F)),
    };
    body.get(num_bytes..)
}

/// The bytes without the zeros that prevent false sync words.
fn resynchronised(bytes: &[u8]) -> Vec<u8> {
    let mut before = 0;
    let is_kept = |byte: &u8| !(std::mem::replace(&mut before, *byte) == 0xFF && *byte == 0);
    let mut is_kept = is_kept;
    bytes.iter().copied().filter(|byte| is_kept(byte)).collect()
}

/// The description and the text of a comment: encoding, language, description, text.
fn comment(content: &[u8]) -> Option<(String, String)> {
    let (encoding, rest) = content.split_first()?;
    let rest = rest.get(3..)?;
    let is_wide = matches!(encoding, 1 | 2);
    let (end, behind) = if is_wide {
        let at = rest.as_chunks::<2>().0.iter().position(|unit| *unit == [0, 0])?;
        (2 * at, 2 * at + 2)
    } else {
        let at = rest.iter().position(|byte| *byte == 0)?;
        (at, at + 1)
    };
    let description = decoded(*encoding, rest.get(..end)?);
    let text = decoded(*encoding, rest.get(behind..)?);
    Some((description, text.trim_end_matches('\0').replace('\0', " ")))
}

/// Text in an encoding of ID3v2: Latin-1, UTF-16 with and without a byte order mark, UTF-8.
fn decoded(encoding: u8, text: &[u8]) -> String {
    let wide = |text: &[u8], read: fn([u8; 2]) -> u16| {
        let units = text.as_chunks::<2>().0.iter().map(|unit| read(*unit));
        char::decode_utf16(units)
            .map(|char| char.unwrap_or(char::REPLACEMENT_CHARACTER))
            .filter(|char| *char != '\u{FEFF}')
            .collect()
    };
    match (encoding, text) {
        (1, [0xFE, 0xFF, ..]) | (2, _) => wide(text, u16::from_be_bytes),
        (1, _) => wide(text, u16::from_le_bytes),
        (3, _) => String::from_utf8_lossy(text).into_owned(),
        _ => latin1(text),
    }
}

fn latin1(text: &[u8]) -> String {
    text.iter().map(|byte| char::from(*byte)).collect()
}

/// A genre: a name, a number of ID3v1, or "(number)" with or without a name after it.
fn genre(text: &str) -> String {
    let name = |number: &str| number.parse().ok().and_then(|number: usize| GENRES.get(number)).copied();
    let known = match text.trim().strip_prefix('(').and_then(|rest| rest.split_once(')')) {
        Some((_, better)) if !better.is_empty() => return better.to_owned(),
        Some((number, _)) => name(number),
        None => name(text.trim()),
    };
    known.unwrap_or(text).to_owned()
}

/// Hexadecimal numbers: 0, the encoder's delay, the padding, the number of frames of sound, and others.
fn itunes_gapless(text: &str) -> Option<ItunesGapless> {
    let mut fields = text.split_whitespace().skip(1);
    let delay = u32::from_str_radix(fields.next()?, 16).ok()?;
    let _padding = fields.next()?;
    let num_frames = u64::from_str_radix(fields.next()?, 16).ok().filter(|count| *count > 0)?;
    Some(ItunesGapless { delay, num_frames })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]
mod tests {
    use super::*;

    fn tag(version: u8, flags: u8, body: &[u8]) -> Vec<u8> {
        let size = [21, 14, 7, 0].map(|shift| (body.len() >> shift) as u8 & 0x7F);
        [b"ID3".as_slice(), &[version, 0, flags], &size, body].concat()
    }

    fn frame(id: &str, content: &[u8]) -> Vec<u8> {
        let size = u32::try_from(content.len()).unwrap().to_be_bytes();
        match id.len() {
            3 => [id.as_bytes(), &size[1..], content].concat(),
            _ => [id.as_bytes(), &size, &[0, 0], content].concat(),
        }
    }

    fn read_tags(bytes: &[u8]) -> Vec<(String, String)> {
        let text = |text: CString| text.into_string().unwrap();
        read(bytes).0.into_iter().map(|(name, value)| (text(name), text(value))).collect()
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn every_version_and_encoding_is_read() {
        let utf16 = [1, 0xFF, 0xFE].into_iter().chain("Ünï😀".encode_utf16().flat_map(u16::to_le_bytes));
        let body = [
            frame("TIT2", &utf16.collect::<Vec<_>>()),
            frame("TPE1", b"\x00Bj\xF6rk\0"),
            frame("TALB", "\x03Añejo\0Other".as_bytes()),
            frame("TRCK", b"\x003/12"),
            frame("TCON", b"\x00(17)"),
            frame("COMM", b"\x00eng\0so said"),
            vec![0; 100],
        ]
        .concat();
        let expected = pairs(&[
            ("title", "Ünï😀"),
            ("artist", "Björk"),
            ("album", "Añejo"),
            ("album", "Other"),
            ("tracknumber", "3/12"),
            ("genre", "Rock"),
            ("comment", "so said"),
        ]);
        assert_eq!(read_tags(&tag(3, 0, &body)), expected);
        assert_eq!(read_tags(&tag(4, 0, &body)), expected);
        let old = [frame("TT2", b"\x00Old"), frame("TYE", b"\x001999")].concat();
        assert_eq!(read_tags(&tag(2, 0, &old)), pairs(&[("title", "Old"), ("date", "1999")]));
    }

    #[test]
    fn unsynchronised_tags_are_read() {
        let text = frame("TIT2", &[1, 0xFF, 0, 0xFE, b'a', 0]);
        let mut body = text.clone();
        body[7] = 5; // sizes are those before unsynchronisation
        assert_eq!(read_tags(&tag(3, UNSYNCHRONISED, &body)), pairs(&[("title", "a")]));
        assert_eq!(read_tags(&tag(4, UNSYNCHRONISED, &text)), pairs(&[("title", "a")]));
    }

    #[test]
    fn sizes_that_are_not_syncsafe_are_understood() {
        let long = [b"\x00".as_slice(), &[b'x'; 200]].concat();
        let body = [frame("TIT2", &long), frame("TPE1", b"\x00who")].concat();
        assert_eq!(read_tags(&tag(4, 0, &body)).last().unwrap().1, "who");
    }

    #[test]
    fn version_1_fills_what_is_open() {
        let mut old = [b"TAG".as_slice(), &[0; 125]].concat();
        old[3..8].copy_from_slice(b"Title");
        old[33..39].copy_from_slice(b"Artist");
        old[126] = 7;
        old[127] = 8;
        let new = tag(3, 0, &frame("TIT2", b"\x00New"));
        let expected =
            pairs(&[("title", "New"), ("artist", "Artist"), ("tracknumber", "7"), ("genre", "Jazz")]);
        assert_eq!(read_tags(&[new, old].concat()), expected);
    }

    #[test]
    fn itunes_tells_of_gaps_and_is_no_comment() {
        let text = b"\x00eng\x69TunSMPB\0 00000000 00000210 00000A2C 000000000007E9C4 00000000 00000000";
        let found = read(&tag(3, 0, &frame("COMM", text)));
        assert_eq!(found, (Vec::new(), Some(ItunesGapless { delay: 0x210, num_frames: 0x7_E9C4 })));
    }

    #[test]
    fn no_bytes_are_too_bad() {
        let body = [frame("TIT2", b"\x00abc"), frame("COMM", b"\x01eng\xFF\xFE\0\0\xFF\xFEa\0")].concat();
        for version in 2..6 {
            let whole = tag(version, 0xC0, &body);
            for at in 0..whole.len() {
                for bit in 0..8 {
                    let mut bytes = whole.clone();
                    bytes[at] ^= 1 << bit;
                    let _ = read(&bytes);
                    let _ = read(&bytes[..at]);
                }
            }
        }
    }
}
