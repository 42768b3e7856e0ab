//! The frames of an ID3v2 tag, versions 2.2, 2.3 and 2.4, and their texts.

use crate::bytes::Bytes;
use crate::id3_names::{NAMES, RENAMED};

/// The size of a tag's header.
pub(crate) const HEADER_BYTES: usize = 10;

/// The flag of unsynchronisation, for a whole tag: a zero follows every byte of ones.
const UNSYNCHRONISED: u8 = 0x80;

/// The most frames of a tag.
const MAX_FRAMES: usize = 65_536;

/// A tag's header.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header {
    /// 2, 3 or 4.
    pub(crate) version: u8,
    flags: u8,
    /// The bytes behind the header, without a footer.
    pub(crate) body_bytes: usize,
}

impl Header {
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut bytes = Bytes(bytes);
        let [b'I', b'D', b'3', version, _, flags] = bytes.array()? else { return None };
        let size: [u8; 4] = bytes.array()?;
        if size.iter().any(|byte| *byte > 0x7f) || version == 0xff {
            return None;
        }
        Some(Self { version, flags, body_bytes: syncsafe(size) })
    }

    /// The whole tag with its header and footer.
    pub(crate) fn num_bytes(self) -> u64 {
        let footer = if self.version >= 4 && self.flags & 0x10 != 0 { HEADER_BYTES } else { 0 };
        (HEADER_BYTES + self.body_bytes + footer) as u64
    }
}

fn syncsafe(size: [u8; 4]) -> usize {
    size.iter().fold(0, |value, byte| value << 7 | usize::from(*byte & 0x7f))
}

/// A frame by its name in 2.4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) id: [u8; 4],
    /// Whether the body is compressed or encrypted.
    pub(crate) is_opaque: bool,
    pub(crate) body: Vec<u8>,
}

impl Frame {
    pub(crate) fn new(id: &[u8; 4], body: Vec<u8>) -> Self {
        Self { id: *id, is_opaque: false, body }
    }

    /// The frame in 2.4; `None` if it is too large.
    pub(crate) fn compose(&self) -> Option<Vec<u8>> {
        let size = to_syncsafe(self.body.len())?;
        Some([self.id.as_slice(), &size, &[0, 0], &self.body].concat())
    }
}

/// A size in the low seven bits of each of four bytes.
#[allow(clippy::cast_possible_truncation)] // seven bits fit
pub(crate) fn to_syncsafe(size: usize) -> Option<[u8; 4]> {
    (size < 1 << 28).then(|| [21, 14, 7, 0].map(|shift| (size >> shift) as u8 & 0x7f))
}

/// The frames of a tag with its header, and whether others follow that cannot be read: too many of them, or one that goes beyond the
/// tag.
pub(crate) fn parse(tag: &[u8]) -> (Vec<Frame>, bool) {
    let Some(header) = Header::parse(tag) else { return (Vec::new(), false) };
    let body = tag.get(HEADER_BYTES..).unwrap_or_default();
    let body = body.get(..header.body_bytes).unwrap_or(body);
    let owned;
    let mut rest = Bytes(body);
    if header.version < 4 && header.flags & UNSYNCHRONISED != 0 {
        owned = resynchronised(body);
        rest = Bytes(&owned);
    }
    if header.version >= 3 && header.flags & 0x40 != 0 {
        // ID3v2.3.0 and 2.4.0, section 3.2: in 2.3 the size does not include itself.
        let size = rest.array::<4>().unwrap_or_default();
        let num_bytes = match header.version {
            3 => u32::from_be_bytes(size) as usize,
            _ => syncsafe(size).saturating_sub(4),
        };
        rest.take(num_bytes);
    }
    let frames = subframes(header.version, header.flags & UNSYNCHRONISED != 0, &mut rest);
    // Padding follows the last frame.
    let num_letters = if header.version <= 2 { 3 } else { 4 };
    (frames, rest.0.get(..num_letters).is_some_and(is_name))
}

/// The frames at the front of a part of a tag of a version, up to what is none.
pub(crate) fn subframes(version: u8, is_unsynchronised: bool, bytes: &mut Bytes<'_>) -> Vec<Frame> {
    let mut frames = Vec::new();
    while frames.len() < MAX_FRAMES {
        let mut rest = *bytes;
        let frame = match version {
            0..=2 => short(&mut rest),
            _ => long(version, is_unsynchronised, &mut rest).map(Some),
        };
        let Some(frame) = frame else { break };
        *bytes = rest;
        frames.extend(frame);
    }
    frames
}

fn is_name(id: &[u8]) -> bool {
    id.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// A frame of 2.2; the inner option is none if nobody knows it later.
fn short(bytes: &mut Bytes<'_>) -> Option<Option<Frame>> {
    let id: [u8; 3] = bytes.array().filter(|id| is_name(id))?;
    let [a, b, c] = bytes.array()?;
    let body = bytes.take(u32::from_be_bytes([0, a, b, c]) as usize)?.to_vec();
    if &id == b"PIC" {
        return Some(long_picture(&body).map(|body| Frame::new(b"APIC", body)));
    }
    let text = NAMES.iter().find(|(.., known)| **known == id).map(|(_, id, _)| *id);
    let renamed = RENAMED.iter().find(|(known, _)| **known == id).map(|(_, id)| *id);
    Some(text.or(renamed).map(|id| Frame::new(id, body)))
}

/// A picture of 2.2 in the form of 2.3: its type has three letters.
fn long_picture(body: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Bytes(body);
    let encoding = bytes.u8()?;
    let mime: &[u8] = match bytes.array::<3>()? {
        [b'P', b'N', b'G'] => b"image/png",
        [b'J', b'P', b'G'] => b"image/jpeg",
        _ => b"image/",
    };
    Some([&[encoding], mime, &[0], bytes.0].concat())
}

/// A frame of 2.3 or 2.4.
fn long(version: u8, is_unsynchronised: bool, bytes: &mut Bytes<'_>) -> Option<Frame> {
    let id: [u8; 4] = bytes.array().filter(|id| is_name(id))?;
    let size: [u8; 4] = bytes.array()?;
    let [_, format] = bytes.array()?;
    let (plain, safe) = (u32::from_be_bytes(size) as usize, syncsafe(size));
    // Sizes in 2.4 are syncsafe, but some writers use plain ones: then another frame follows at the plain size.
    let is_frame = |at: usize| bytes.0.get(at).is_none_or(|byte| *byte == 0 || byte.is_ascii_uppercase());
    let num_bytes = match version {
        3 => plain,
        _ if !is_frame(safe) && plain <= bytes.0.len() && is_frame(plain) => plain,
        _ => safe,
    };
    let body = bytes.take(num_bytes)?;
    let (is_opaque, extra_bytes, is_unsynchronised) = match version {
        3 => (format & 0xc0 != 0, usize::from(format & 0x20 != 0), false),
        _ => {
            let extra_bytes = usize::from(format & 0x40 != 0) + if format & 1 != 0 { 4 } else { 0 };
            (format & 0x0c != 0, extra_bytes, format & 2 != 0 || is_unsynchronised)
        }
    };
    let body = body.get(extra_bytes..).unwrap_or_default();
    let body = if is_unsynchronised { resynchronised(body) } else { body.to_vec() };
    Some(Frame { id, is_opaque, body })
}

/// The bytes without the zeros that prevent false sync words.
fn resynchronised(bytes: &[u8]) -> Vec<u8> {
    let mut before = 0;
    let mut kept = Vec::with_capacity(bytes.len());
    for byte in bytes {
        if !(std::mem::replace(&mut before, *byte) == 0xff && *byte == 0) {
            kept.push(*byte);
        }
    }
    kept
}

/// The text up to its end in an encoding, and what follows it.
pub(crate) fn terminated(encoding: u8, bytes: &[u8]) -> Option<(String, &[u8])> {
    let (end, behind) = match encoding {
        1 | 2 => {
            let at = bytes.as_chunks::<2>().0.iter().position(|unit| *unit == [0, 0])?;
            (2 * at, 2 * at + 2)
        }
        _ => {
            let at = bytes.iter().position(|byte| *byte == 0)?;
            (at, at + 1)
        }
    };
    Some((decoded(encoding, bytes.get(..end)?), bytes.get(behind..)?))
}

/// Text in an encoding of ID3v2: Latin-1, UTF-16 with and without a byte order mark, UTF-8.
pub(crate) fn decoded(encoding: u8, text: &[u8]) -> String {
    let wide = |text: &[u8], read: fn([u8; 2]) -> u16| {
        let units = text.as_chunks::<2>().0.iter().map(|unit| read(*unit));
        let characters = char::decode_utf16(units).map(|found| found.unwrap_or(char::REPLACEMENT_CHARACTER));
        characters.filter(|character| *character != '\u{feff}').collect()
    };
    match (encoding, text) {
        (1, [0xfe, 0xff, ..]) | (2, _) => wide(text, u16::from_be_bytes),
        (1, _) => wide(text, u16::from_le_bytes),
        (3, _) => String::from_utf8_lossy(text).into_owned(),
        _ => latin1(text),
    }
}

pub(crate) fn latin1(text: &[u8]) -> String {
    text.iter().map(|byte| char::from(*byte)).collect()
}
