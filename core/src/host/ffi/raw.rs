//! Plain data that crosses the plugin boundary: size-tagged structs and C strings, read without trust.

#![allow(unsafe_code)] // memory that a plugin passes by pointer

use std::collections::HashSet;
use std::ffi::{CString, c_char};
use std::mem::MaybeUninit;

use mapwave_fork::Lock;
use mapwave_plugin_abi as abi;

/// A struct of the ABI: it starts with its size, and all zero bits are a valid value.
///
/// # Safety
/// The type must be `repr(C)`, start with a `u32`, and be valid if zeroed.
pub(crate) unsafe trait Sized32: Copy {
    /// A value of zeros, except for its size.
    fn zeroed() -> Self {
        let mut value = MaybeUninit::<Self>::zeroed();
        let size = u32::try_from(size_of::<Self>()).unwrap_or(u32::MAX);
        // SAFETY: by the trait's contract the struct begins with a u32.
        unsafe { value.as_mut_ptr().cast::<u32>().write(size) };
        // SAFETY: by the trait's contract zeros are a value, whatever its first field is.
        unsafe { value.assume_init() }
    }

    /// Copies the part of a struct that its writer knows; the rest is zero.
    ///
    /// # Safety
    /// `source` must point to such a struct, of the size in its first field, that does not change meanwhile.
    unsafe fn copied(source: *const Self) -> Self {
        let mut value = MaybeUninit::<Self>::zeroed();
        // SAFETY: the first field is a u32, by the trait's contract.
        let size = unsafe { source.cast::<u32>().read() } as usize;
        let num_bytes = size.min(size_of::<Self>());
        // SAFETY: `source` has at least `num_bytes` bytes by the caller's promise, `value` by its type.
        unsafe { std::ptr::copy_nonoverlapping(source.cast::<u8>(), value.as_mut_ptr().cast(), num_bytes) };
        // SAFETY: zeros are a value, and so is what a plugin of this ABI has written over some of them.
        unsafe { value.assume_init() }
    }
}

// SAFETY: repr(C), the size comes first, and integers, pointers and optional functions may be zero.
unsafe impl Sized32 for abi::mw_error {}
// SAFETY: as above.
unsafe impl Sized32 for abi::mw_host {}
// SAFETY: as above.
unsafe impl Sized32 for abi::mw_plugin {}
// SAFETY: as above.
unsafe impl Sized32 for abi::mw_stream_info {}
// SAFETY: as above.
unsafe impl Sized32 for abi::mw_stream_entry {}
// SAFETY: as above.
unsafe impl Sized32 for abi::mw_picture {}
// SAFETY: as above.
unsafe impl Sized32 for abi::mw_chapter {}
// SAFETY: as above.
unsafe impl Sized32 for abi::mw_option {}
// SAFETY: as above.
unsafe impl Sized32 for abi::mw_decoder_table {}
// SAFETY: as above.
unsafe impl Sized32 for abi::mw_encoder_table {}
// SAFETY: as above.
unsafe impl Sized32 for abi::mw_resampler_table {}
// SAFETY: as above.
unsafe impl Sized32 for abi::mw_decoder_options {}
// SAFETY: as above.
unsafe impl Sized32 for abi::mw_encoder_options {}
// SAFETY: as above.
unsafe impl Sized32 for abi::mw_resampler_options {}
// SAFETY: as above.
unsafe impl Sized32 for abi::mw_sink {}
// SAFETY: as above.
unsafe impl Sized32 for abi::mw_input {}
// SAFETY: as above.
unsafe impl Sized32 for abi::mw_track {}
// SAFETY: as above.
unsafe impl Sized32 for abi::mw_buffer {}

/// The maximum length of a string from a plugin.
const MAX_STRING_BYTES: usize = 64 << 10;

/// A copy of a plugin's string; `None` if it is null, not UTF-8 or not terminated.
///
/// # Safety
/// `text` must be null or point to bytes of which one is zero.
pub(crate) unsafe fn text(text: *const c_char) -> Option<String> {
    if text.is_null() {
        return None;
    }
    let mut bytes = Vec::new();
    while bytes.len() < MAX_STRING_BYTES {
        // SAFETY: no zero byte has come yet, so the string goes on.
        let place = unsafe { text.add(bytes.len()) };
        // SAFETY: as above.
        let byte = unsafe { place.cast::<u8>().read() };
        if byte == 0 {
            return String::from_utf8(bytes).ok();
        }
        bytes.push(byte);
    }
    None
}

/// Splits a comma-separated list from a plugin.
pub(crate) fn split(list: Option<String>) -> Vec<String> {
    let list = list.unwrap_or_default();
    list.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

/// A C string; anything after a zero byte is dropped.
pub(crate) fn c_string(text: &str) -> CString {
    let text = text.split('\0').next().unwrap_or_default();
    CString::new(text).unwrap_or_default()
}

/// Names and values, as tags are and options with their values, in the form for a plugin.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pairs(Vec<(CString, CString)>);

impl Pairs {
    pub(crate) fn new(pairs: &[(String, String)]) -> Self {
        Self(pairs.iter().map(|(name, value)| (c_string(name), c_string(value))).collect())
    }

    /// The structs for a plugin, which point into this value.
    pub(crate) fn to_abi(&self) -> Vec<abi::mw_tag> {
        let pair =
            |(key, value): &(CString, CString)| abi::mw_tag { key: key.as_ptr(), value: value.as_ptr() };
        self.0.iter().map(pair).collect()
    }
}

/// The address of a list; null if it is empty.
pub(crate) fn address<T>(list: &[T]) -> *const T {
    if list.is_empty() { std::ptr::null() } else { list.as_ptr() }
}

/// The maximum length and number of the names that are kept until the process exits.
const MAX_NAME_BYTES: usize = 64;
const MAX_NAMES: usize = 4096;

/// Whether a text is a short name of printable ASCII.
pub(crate) fn is_plain(text: &str) -> bool {
    let is_printable = text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    (1..=MAX_NAME_BYTES).contains(&text.len()) && is_printable
}

/// A name that lives until the process exits: there are few of them, and errors and tracks refer to them.
pub(crate) fn name(text: &str) -> Option<&'static str> {
    static NAMES: Lock<HashSet<&'static str>> = Lock::new();
    let mut names = NAMES.lock();
    if let Some(known) = names.get(text) {
        return Some(known);
    }
    if !is_plain(text) || names.len() >= MAX_NAMES {
        return None;
    }
    let kept: &'static str = String::leak(text.to_owned());
    names.insert(kept);
    Some(kept)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::ffi::CStr;

    use super::*;

    #[test]
    fn a_smaller_struct_is_read_as_far_as_it_goes() {
        let mut options = abi::mw_decoder_options::zeroed();
        assert_eq!(options.size as usize, size_of::<abi::mw_decoder_options>());
        (options.size, options.stream, options.max_alloc) = (8, 7, 9);
        // SAFETY: the struct is as large as it says, and larger.
        let copied = unsafe { Sized32::copied(&raw const options) };
        let abi::mw_decoder_options { size, stream, max_alloc, .. } = copied;
        assert_eq!((size, stream, max_alloc), (8, 7, 0));
    }

    #[test]
    fn strings_are_copied_when_they_are_text() {
        // SAFETY: literals end in a zero byte.
        let copied = |literal: &CStr| unsafe { text(literal.as_ptr()) };
        assert_eq!(copied(c"h\u{e9}").as_deref(), Some("h\u{e9}"));
        assert_eq!(copied(c"\xff"), None);
        // SAFETY: null is legal.
        assert_eq!(unsafe { text(std::ptr::null()) }, None);
        assert_eq!(c_string("a\0b").as_c_str(), c"a");
    }

    #[test]
    fn names_are_kept_once_and_must_be_plain() {
        let first = name("a codec").unwrap();
        assert!(std::ptr::eq(first, name("a codec").unwrap()));
        assert_eq!(name(""), None);
        assert_eq!(name("tab\t"), None);
        assert_eq!(name(&"x".repeat(65)), None);
    }
}
