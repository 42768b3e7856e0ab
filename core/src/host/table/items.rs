//! Pictures and chapters that a decoder of a plugin lists.

#![allow(unsafe_code)] // memory that a plugin passes by pointer

use mapwave_plugin_abi as abi;

use crate::host::ffi::raw;
use crate::metadata::{Marker, Picture};

/// The maximum number of pictures read from a file, and of chapters read from a stream.
pub(super) const MAX_PICTURES: u32 = 256;
pub(super) const MAX_CHAPTERS: u32 = 1 << 16;

/// The most bytes of a picture.
const MAX_PICTURE_BYTES: u64 = 64 << 20;

/// The highest number of what a picture shows (ID3v2.4.0 native frames, section 4.14).
const LAST_KIND: u8 = 20;

/// A picture, with a copy of its data if they are asked for; `None` if it has none, or more than a picture may have.
///
/// # Safety
/// The strings and the data are valid, as their struct says.
pub(super) unsafe fn picture(found: &abi::mw_picture, with_data: bool) -> Option<Picture> {
    if found.data.is_null() || !(1..=MAX_PICTURE_BYTES).contains(&found.num_bytes) {
        return None;
    }
    let num_bytes = usize::try_from(found.num_bytes).ok().filter(|_| with_data).unwrap_or(0);
    // SAFETY: the caller's promise.
    let mime = unsafe { raw::text(found.mime) };
    // SAFETY: as above.
    let description = unsafe { raw::text(found.description) };
    // SAFETY: there are `num_bytes` bytes or more, by the caller's promise.
    let data = unsafe { std::slice::from_raw_parts(found.data, num_bytes) };
    let size = |pixels: u32| Some(pixels).filter(|&pixels| pixels > 0);
    Some(Picture {
        kind: u8::try_from(found.kind).ok().filter(|&kind| kind <= LAST_KIND).unwrap_or(0),
        mime: mime.unwrap_or_default(),
        description: description.unwrap_or_default(),
        width: size(found.width),
        height: size(found.height),
        num_bytes: found.num_bytes,
        data: data.to_vec(),
    })
}

/// A chapter; `None` if it ends before it begins.
///
/// # Safety
/// The label is valid, as its struct says.
pub(super) unsafe fn chapter(found: &abi::mw_chapter) -> Option<Marker> {
    let end = Some(found.end).filter(|&end| end != abi::MW_UNKNOWN);
    if found.start == abi::MW_UNKNOWN || end.is_some_and(|end| end < found.start) {
        return None;
    }
    // SAFETY: the caller's promise.
    let label = unsafe { raw::text(found.label) };
    Some(Marker { label: label.unwrap_or_default(), start: found.start, end })
}
