//! Strings and errors of the C interface.

use std::ffi::{CStr, c_char};
use std::mem::{offset_of, size_of};

use mapwave_plugin_abi as abi;

use crate::error::{Error, Result};

/// A string of the host as a hint: `None` if it is null or not UTF-8.
///
/// # Safety
/// `text` is null or ends in a zero byte, and stays as it is for `'a`.
pub(super) unsafe fn hint<'a>(text: *const c_char) -> Option<&'a str> {
    if text.is_null() {
        return None;
    }
    // SAFETY: it is not null and ends in a zero byte.
    unsafe { CStr::from_ptr(text) }.to_str().ok()
}

/// A string of the host: `None` if it is null, an error if it is not UTF-8.
///
/// # Safety
/// As for [`hint`].
pub(super) unsafe fn choice<'a>(text: *const c_char, what: &str) -> Result<Option<&'a str>> {
    if text.is_null() {
        return Ok(None);
    }
    // SAFETY: it is not null and ends in a zero byte.
    let bytes = unsafe { CStr::from_ptr(text) };
    bytes.to_str().map(Some).map_err(|_| Error::bad_argument(format!("{what} is not UTF-8: {bytes:?}")))
}

/// Whether `name` is one of those that `names` lists, separated by commas.
pub(super) fn is_among(name: &str, names: &CStr) -> bool {
    names.to_bytes().split(|byte| *byte == b',').any(|one| one.trim_ascii() == name.as_bytes())
}

/// Fills the host's error as far as its size goes; the size does not change. A null error is ignored.
///
/// # Safety
/// `to` is null or points to an [`abi::mw_error`] of the size that it states.
pub(super) unsafe fn write_error(to: *mut abi::mw_error, error: &Error) {
    if to.is_null() {
        return;
    }
    // SAFETY: it is not null and begins with its size.
    let size = unsafe { to.cast::<u32>().read_unaligned() };
    let num_bytes = (size as usize).min(size_of::<abi::mw_error>());
    let message_offset = offset_of!(abi::mw_error, message);
    let mut filled = abi::mw_error {
        size,
        status: error.status().code(),
        native_code: error.native_code(),
        offset: error.offset().unwrap_or(abi::MW_UNKNOWN),
        message: [0; abi::MW_MESSAGE_BYTES],
    };
    let room = num_bytes.saturating_sub(message_offset).saturating_sub(1);
    let message = error.message();
    let message = message.get(..message.floor_char_boundary(room)).unwrap_or_default();
    for (to, from) in filled.message.iter_mut().zip(message.bytes()) {
        // A NUL would end the message early.
        *to = c_char::from_ne_bytes([if from == 0 { b' ' } else { from }]);
    }
    // SAFETY: as many bytes are in both, by the type and by the size that the host states.
    unsafe { to.cast::<u8>().copy_from_nonoverlapping(std::ptr::from_ref(&filled).cast(), num_bytes) };
}
