//! Properties: values whose size is passed to and returned by the framework.

#![allow(unsafe_code)] // memory that the framework writes

use std::ffi::c_void;
use std::ptr;

use mapwave_plugin::{Error, Result, Status};

use crate::status::{check, check_optional};
use crate::sys::*;

/// An upper limit for the size of all properties that are read here.
const MAX_BYTES: u32 = 1 << 20;

/// A type for which any bytes are a valid value.
///
/// # Safety
/// It is `repr(C)` and made of numbers.
pub(crate) unsafe trait Plain: Copy + Default {
    /// Its size, as passed to the framework.
    #[allow(clippy::cast_possible_truncation)] // of a few numbers
    const NUM_BYTES: u32 = size_of::<Self>() as u32;
}

// SAFETY: a number.
unsafe impl Plain for u32 {}
// SAFETY: a number.
unsafe impl Plain for i32 {}
// SAFETY: a number.
unsafe impl Plain for i64 {}
// SAFETY: a struct of numbers.
unsafe impl Plain for AudioStreamBasicDescription {}
// SAFETY: a struct of numbers.
unsafe impl Plain for AudioFilePacketTableInfo {}
// SAFETY: a struct of numbers.
unsafe impl Plain for AudioFormatListItem {}
// SAFETY: a struct of numbers.
unsafe impl Plain for AudioValueRange {}

/// The value of a property, or `None` if there is no such property; `get` receives the size and the destination.
///
/// # Errors
/// What `get` answers, if that is not that there is none; when the value has another size.
///
/// # Safety
/// `get` writes as many bytes as it reports, and no more than the size passed to it, to the destination.
pub(crate) unsafe fn optional<T: Plain>(
    doing: &str,
    get: impl FnOnce(*mut u32, *mut c_void) -> OSStatus,
) -> Result<Option<T>> {
    let (mut num_bytes, mut value) = (T::NUM_BYTES, T::default());
    let status = get(&raw mut num_bytes, (&raw mut value).cast());
    if !check_optional(status, doing)? {
        return Ok(None);
    }
    if num_bytes == T::NUM_BYTES { Ok(Some(value)) } else { Err(wrong_size(doing, num_bytes, T::NUM_BYTES)) }
}

/// As [`optional`], for a property that always exists.
///
/// # Errors
/// What `get` answers; when the value has another size.
///
/// # Safety
/// As of [`optional`].
pub(crate) unsafe fn required<T: Plain>(
    doing: &str,
    get: impl FnOnce(*mut u32, *mut c_void) -> OSStatus,
) -> Result<T> {
    let (mut num_bytes, mut value) = (T::NUM_BYTES, T::default());
    check(get(&raw mut num_bytes, (&raw mut value).cast()), doing)?;
    if num_bytes == T::NUM_BYTES { Ok(value) } else { Err(wrong_size(doing, num_bytes, T::NUM_BYTES)) }
}

/// The values of a property that is a list; none where there is no such property. `size` tells how many bytes there are, and
/// `get` gives them.
///
/// # Errors
/// What either answers, if that is not that there is none; when there are absurdly many.
///
/// # Safety
/// As of [`optional`].
pub(crate) unsafe fn list<T: Plain>(
    doing: &str,
    size: impl FnOnce(*mut u32) -> OSStatus,
    get: impl FnOnce(*mut u32, *mut c_void) -> OSStatus,
) -> Result<Vec<T>> {
    let mut num_bytes = 0;
    if !check_optional(size(&raw mut num_bytes), doing)? {
        return Ok(Vec::new());
    }
    if num_bytes > MAX_BYTES {
        let message = format!("{doing}: a property of {num_bytes} bytes, expected at most {MAX_BYTES}");
        return Err(Error::new(Status::Limit, message));
    }
    let mut values = vec![T::default(); (num_bytes / T::NUM_BYTES) as usize];
    if values.is_empty() {
        return Ok(values);
    }
    // A list whose size is not a multiple of its entries is read up to the last whole entry.
    let mut num_bytes = num_bytes / T::NUM_BYTES * T::NUM_BYTES;
    let status = get(&raw mut num_bytes, values.as_mut_ptr().cast());
    if !check_optional(status, doing)? {
        return Ok(Vec::new());
    }
    values.truncate((num_bytes / T::NUM_BYTES) as usize);
    Ok(values)
}

/// The value of a property of the format that `specifier` describes.
///
/// # Errors
/// What the framework answers, if that is not that there is none.
pub(crate) fn of_format<S: Plain, T: Plain>(property: u32, specifier: &S, doing: &str) -> Result<Option<T>> {
    let specifier = ptr::from_ref(specifier).cast();
    // SAFETY: the specifier is there, of the size it says; the rest is `optional`'s contract, which the framework keeps.
    let get = |size, place| unsafe { AudioFormatGetProperty(property, S::NUM_BYTES, specifier, size, place) };
    // SAFETY: the function writes no more than the size passed to it.
    unsafe { optional(doing, get) }
}

/// A description of which some numbers are known, and the rest filled in.
///
/// # Errors
/// When the framework knows no such format.
pub(crate) fn complete(format: &mut AudioStreamBasicDescription, doing: &str) -> Result<()> {
    let mut num_bytes = AudioStreamBasicDescription::NUM_BYTES;
    let place = ptr::from_mut(format).cast();
    let property = kAudioFormatProperty_FormatInfo;
    // SAFETY: the description is there, of the size it says; this property has no specifier.
    check(unsafe { AudioFormatGetProperty(property, 0, ptr::null(), &raw mut num_bytes, place) }, doing)
}

fn wrong_size(doing: &str, found: u32, expected: u32) -> Error {
    Error::new(Status::Internal, format!("{doing}: a property of {found} bytes, expected {expected}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::multiple_unsafe_ops_per_block)]
mod tests {
    use super::*;

    fn answer(status: OSStatus, value: u32) -> impl FnOnce(*mut u32, *mut c_void) -> OSStatus {
        move |size, place| {
            // SAFETY: there is room for the size, which is that of a number at least.
            unsafe { size.write(4) };
            // SAFETY: as above.
            unsafe { place.cast::<u32>().write_unaligned(value) };
            status
        }
    }

    #[test]
    fn a_value_comes_with_its_size() {
        // SAFETY: `answer` writes four bytes, of which all have room.
        let (found, absent, failed, short) = unsafe {
            (
                optional::<u32>("x", answer(0, 7)),
                optional::<u32>("x", answer(kAudioFileUnsupportedPropertyError, 7)),
                optional::<u32>("x", answer(paramErr, 7)),
                required::<i64>("reading", answer(0, 7)),
            )
        };
        assert_eq!((found.unwrap(), absent.unwrap()), (Some(7), None));
        assert!(failed.is_err());
        assert_eq!(short.unwrap_err().message(), "reading: a property of 4 bytes, expected 8");
    }

    #[test]
    fn a_list_is_as_long_as_its_size() {
        let size_of = |num_bytes: u32| {
            move |size: *mut u32| {
                // SAFETY: there is a number.
                unsafe { size.write(num_bytes) };
                0
            }
        };
        let untouched = |_, _| 0;
        // SAFETY: neither writes more than there is room for.
        let (two, none, huge) = unsafe {
            (
                list::<u32>("x", size_of(11), untouched),
                list::<u32>("x", |_| kAudioFileUnsupportedPropertyError, untouched),
                list::<u32>("x", size_of(u32::MAX), untouched),
            )
        };
        assert_eq!((two.unwrap(), none.unwrap()), (vec![0, 0], vec![]));
        assert_eq!(huge.unwrap_err().status(), Status::Limit);
    }
}
