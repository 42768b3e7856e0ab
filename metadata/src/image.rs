//! What the bytes of an image say: its type and its size; and pictures in FLAC's form.

use crate::bytes::{Bytes, saturated};
use crate::model::Picture;

/// The most bytes of a JPEG that are searched for its size.
const MAX_SEGMENTS: usize = 1000;

impl Picture {
    /// A front cover from the bytes of an image file, whose type and size they say; `None` if they are not PNG, JPEG, GIF, WebP or
    /// BMP.
    pub fn new(data: Vec<u8>) -> Option<Self> {
        let (mime, size) = look(&data)?;
        let (width, height) = size.unzip();
        let num_bytes = data.len() as u64;
        Some(Self {
            kind: 3,
            mime: mime.to_owned(),
            description: String::new(),
            width,
            height,
            num_bytes,
            data,
        })
    }

    /// Drops the data unless it is wanted, after its size was taken from it.
    pub(crate) fn settled(mut self, keeps_data: bool) -> Self {
        let (mime, size) = look(&self.data).unwrap_or(("", None));
        if let Some((width, height)) = size {
            (self.width, self.height) = (Some(width), Some(height));
        }
        if !self.mime.contains('/') && !mime.is_empty() {
            mime.clone_into(&mut self.mime);
        }
        self.num_bytes = self.data.len() as u64;
        if !keeps_data {
            self.data = Vec::new();
        }
        self
    }
}

/// The type of an image, and its width and height.
pub(crate) fn look(data: &[u8]) -> Option<(&'static str, Option<(u32, u32)>)> {
    let mut bytes = Bytes(data);
    match data {
        [0x89, b'P', b'N', b'G', ..] => {
            // PNG, section 11.2.2: the header is the first chunk.
            bytes.take(16);
            Some(("image/png", bytes.u32_be().zip(bytes.u32_be())))
        }
        [0xff, 0xd8, 0xff, ..] => Some(("image/jpeg", jpeg_size(data))),
        [b'G', b'I', b'F', b'8', ..] => {
            bytes.take(6);
            let size = bytes.u16_le().zip(bytes.u16_le());
            Some(("image/gif", size.map(|(width, height)| (width.into(), height.into()))))
        }
        [b'B', b'M', ..] => {
            bytes.take(18);
            Some(("image/bmp", bytes.u32_le().zip(bytes.u32_le())))
        }
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(("image/webp", None)),
        _ => None,
    }
}

/// The bits of a pixel of an image without a palette.
fn depth(data: &[u8]) -> Option<u32> {
    match data {
        [0x89, b'P', b'N', b'G', ..] => {
            let (bits, colour) = (data.get(24)?, data.get(25)?);
            // PNG, section 11.2.2: grey, colours, a palette, grey with opacity, colours with opacity.
            let samples = match colour {
                0 => 1,
                2 => 3,
                4 => 2,
                6 => 4,
                _ => return None,
            };
            Some(u32::from(*bits) * samples)
        }
        [0xff, 0xd8, ..] => jpeg(data).map(|(_, _, depth)| depth),
        _ => None,
    }
    .filter(|&depth| depth > 0)
}

fn jpeg_size(data: &[u8]) -> Option<(u32, u32)> {
    jpeg(data).map(|(width, height, _)| (width, height))
}

/// The width, the height and the depth in the first frame header (ITU-T T.81, annex B.2.2).
fn jpeg(data: &[u8]) -> Option<(u32, u32, u32)> {
    let mut bytes = Bytes(data);
    bytes.take(2)?;
    for _ in 0..MAX_SEGMENTS {
        let [0xff, marker] = bytes.array()? else { return None };
        let length = usize::from(bytes.u16_be()?);
        if matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc) {
            let (precision, height, width) = (bytes.u8()?, bytes.u16_be()?, bytes.u16_be()?);
            let components = bytes.u8()?;
            return Some((width.into(), height.into(), u32::from(precision) * u32::from(components)));
        }
        bytes.take(length.checked_sub(2)?)?;
    }
    None
}

/// A picture block (FLAC format, RFC 9639, section 8.8).
pub(crate) fn from_flac(block: &[u8]) -> Option<Picture> {
    let mut bytes = Bytes(block);
    let kind = u8::try_from(bytes.u32_be()?).unwrap_or(0);
    let length = bytes.u32_be()? as usize;
    let mime = String::from_utf8_lossy(bytes.take(length)?).into_owned();
    let length = bytes.u32_be()? as usize;
    let description = String::from_utf8_lossy(bytes.take(length)?).into_owned();
    let size = |value: u32| Some(value).filter(|&value| value > 0);
    let (width, height) = (size(bytes.u32_be()?), size(bytes.u32_be()?));
    bytes.take(8)?;
    let length = bytes.u32_be()? as usize;
    let data = bytes.take(length)?.to_vec();
    let num_bytes = data.len() as u64;
    Some(Picture { kind, mime, description, width, height, num_bytes, data })
}

/// As [`from_flac`] reads it.
pub(crate) fn to_flac(picture: &Picture) -> Vec<u8> {
    let mut block = u32::from(picture.kind).to_be_bytes().to_vec();
    for text in [&picture.mime, &picture.description] {
        block.extend(saturated(text.len()).to_be_bytes());
        block.extend(text.as_bytes());
    }
    // Either all of these are known or none; the number of colours is 0 where there is no palette.
    let size = look(&picture.data).and_then(|(_, size)| size).zip(depth(&picture.data));
    let ((width, height), depth) = size.unwrap_or_default();
    block.extend([width, height, depth, 0].map(u32::to_be_bytes).concat());
    block.extend(saturated(picture.data.len()).to_be_bytes());
    block.extend(&picture.data);
    block
}
