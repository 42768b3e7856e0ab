//! Pictures and chapters, as a decoder lists them.

#![allow(unsafe_code)] // structs that a callee fills, and bytes of a plugin

use std::ffi::c_char;
use std::marker::PhantomData;
use std::ptr::null;

use mapwave_plugin_abi::{MW_UNKNOWN, mw_chapter, mw_decoder, mw_error, mw_picture, mw_status};

use super::refusal::{ErrorBox, ErrorSpace, Fault, judge};
use super::sized_box::SizedBox;
use super::struct_bytes::struct_bytes;
use super::text::{line, optional_text};
use crate::verdict::{Finding, Outcome};

/// The last number of what a picture shows (ID3v2.4.0 native frames, section 4.14).
const LAST_KIND: u32 = 20;

pub(super) type List<T> = unsafe extern "C" fn(*const mw_decoder, u32, *mut T, *mut mw_error) -> mw_status;

/// A picture in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// What it shows, by its number.
    pub kind: u32,
    /// The type of the data.
    pub mime: String,
    /// The description; empty without.
    pub description: String,
    /// The width and the height in pixels, or 0.
    pub pixels: (u32, u32),
    /// The image file.
    pub data: Vec<u8>,
}

/// A chapter of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chapter {
    /// The name; empty without.
    pub label: String,
    /// The first frame.
    pub start: u64,
    /// The frame behind the last one, if it has an end.
    pub end: Option<u64>,
}

/// A picture where the plugin has it, valid until its handle is closed.
pub(crate) struct KeptPicture<'a>(mw_picture, PhantomData<&'a ()>);

/// A chapter where the plugin has it, valid until its handle is closed.
pub(crate) struct KeptChapter<'a>(mw_chapter, PhantomData<&'a ()>);

/// The picture at an index; `None` past the last.
///
/// # Safety
/// The function is of the table that the handle is of, and the handle is open for `'a`.
pub(super) unsafe fn picture<'a>(
    function: List<mw_picture>,
    handle: *const mw_decoder,
    errors: ErrorSpace,
    index: u32,
) -> Result<Option<KeptPicture<'a>>, Fault> {
    let fields = mw_picture {
        size: struct_bytes::<mw_picture>(),
        kind: 0,
        mime: null(),
        description: null(),
        width: 0,
        height: 0,
        data: null(),
        num_bytes: 0,
    };
    let mut filled = SizedBox::new(fields);
    let mut error = ErrorBox::new(errors);
    // SAFETY: the caller's promise; both structs are as large as they say, or null.
    let status = unsafe { function(handle, index, filled.pointer(), error.pointer()) };
    let is_end = judge("picture", status, &error, true)?;
    let fields = filled.fields("picture", "mw_picture")?;
    let is_written = fields.num_bytes > 0 || !fields.data.is_null() || !fields.mime.is_null();
    match (is_end, is_written) {
        (true, true) => Err(Fault::broken("picture", "picture returned MW_END and filled the mw_picture")),
        _ => Ok((!is_end).then_some(KeptPicture(*fields, PhantomData))),
    }
}

/// The chapter at an index; `None` past the last.
///
/// # Safety
/// As for [`picture`].
pub(super) unsafe fn chapter<'a>(
    function: List<mw_chapter>,
    handle: *const mw_decoder,
    errors: ErrorSpace,
    index: u32,
) -> Result<Option<KeptChapter<'a>>, Fault> {
    let fields =
        mw_chapter { size: struct_bytes::<mw_chapter>(), reserved: 0, label: null(), start: 0, end: 0 };
    let mut filled = SizedBox::new(fields);
    let mut error = ErrorBox::new(errors);
    // SAFETY: the caller's promise; both structs are as large as they say, or null.
    let status = unsafe { function(handle, index, filled.pointer(), error.pointer()) };
    let is_end = judge("chapter", status, &error, true)?;
    let fields = filled.fields("chapter", "mw_chapter")?;
    let is_written = fields.start > 0 || fields.end > 0 || !fields.label.is_null();
    match (is_end, is_written) {
        (true, true) => Err(Fault::broken("chapter", "chapter returned MW_END and filled the mw_chapter")),
        _ => Ok((!is_end).then_some(KeptChapter(*fields, PhantomData))),
    }
}

impl KeptPicture<'_> {
    /// What it holds now.
    pub(crate) fn read(&self) -> Outcome<Picture> {
        let Self(fields, _) = self;
        if fields.kind > LAST_KIND {
            let reason = format!("a picture has the kind {}, expected 0 to {LAST_KIND}", fields.kind);
            return Err(Finding::broken("picture", reason));
        }
        let mime = line(fields.mime, "the type of a picture")?;
        if !mime.split_once('/').is_some_and(|(kind, name)| !kind.is_empty() && !name.is_empty()) {
            let reason = format!("a picture has the type {mime:?}, expected one such as \"image/png\"");
            return Err(Finding::broken("picture", reason));
        }
        let num_bytes = usize::try_from(fields.num_bytes).unwrap_or(usize::MAX);
        if fields.data.is_null() || num_bytes == 0 {
            let what = if fields.data.is_null() { "null as its data" } else { "0 bytes of data" };
            return Err(Finding::broken("picture", format!("a picture has {what}")));
        }
        // SAFETY: a plugin's bytes, as many as it says, valid until its handle is closed.
        let data = unsafe { std::slice::from_raw_parts(fields.data, num_bytes) }.to_vec();
        let description = optional(fields.description, "the description of a picture")?;
        Ok(Picture { kind: fields.kind, mime, description, pixels: (fields.width, fields.height), data })
    }
}

impl KeptChapter<'_> {
    /// What it holds now, of a stream of `num_frames` frames.
    pub(crate) fn read(&self, num_frames: u64) -> Outcome<Chapter> {
        let Self(fields, _) = self;
        let broken = |reason: String| Err(Finding::broken("chapter", reason));
        if fields.reserved != 0 {
            return broken(format!("reserved of a chapter is {:#x}, expected 0", fields.reserved));
        }
        let (start, end) = (fields.start, fields.end);
        if start > num_frames {
            return broken(format!("a chapter begins at frame {start} of {num_frames}"));
        }
        if end != MW_UNKNOWN && !(start..=num_frames).contains(&end) {
            return broken(format!("a chapter is from frame {start} to {end} of {num_frames}"));
        }
        let end = Some(end).filter(|&end| end != MW_UNKNOWN);
        Ok(Chapter { label: optional(fields.label, "the name of a chapter")?, start, end })
    }
}

/// A string that is null or has a character: one that is empty would be none.
fn optional(pointer: *const c_char, what: &str) -> Outcome<String> {
    match (pointer.is_null(), optional_text(pointer, what)?) {
        (false, found) if found.is_empty() => {
            Err(Finding::broken("R3", format!("{what} is an empty text, expected null")))
        }
        (_, found) => Ok(found),
    }
}
