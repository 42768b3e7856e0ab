//! Structs that begin with their size (R1).

#![allow(unsafe_code)] // structs whose size is known only at run time

use std::mem::{MaybeUninit, size_of};

use mapwave_plugin_abi as abi;

use crate::error::{Error, Result};

/// A struct of the ABI that begins with its size, a `u32`.
///
/// # Safety
/// The type is `repr(C)`, its first field is `size: u32`, and all of its bytes may be zero.
pub(crate) unsafe trait Tagged: Copy {
    const NAME: &'static str;
    /// The size in version 1.0, the minimum.
    const MIN_BYTES: usize;
}

macro_rules! tagged {
    ($($name:ident $bytes:literal),*) => { $(
        // SAFETY: the ABI crate lays them all out like that, of numbers, pointers and nullable functions.
        unsafe impl Tagged for abi::$name {
            const NAME: &'static str = stringify!($name);
            const MIN_BYTES: usize = $bytes;
        }
        const _: () = assert!($bytes <= size_of::<abi::$name>());
    )* };
}

tagged!(
    mw_host 48,
    mw_track 128,
    mw_input 56,
    mw_stream_info 88,
    mw_stream_entry 32,
    mw_picture 48,
    mw_chapter 32,
    mw_option 56,
    mw_decoder_options 24,
    mw_buffer 32,
    mw_sink 24,
    mw_encoder_options 88,
    mw_resampler_options 40
);

/// A copy of a struct as far as its size covers it; the rest is zero.
///
/// # Safety
/// `from` points to a `T` of the size that it states.
pub(crate) unsafe fn covered<T: Tagged>(from: *const T) -> T {
    let mut to = MaybeUninit::<T>::zeroed();
    // SAFETY: `from` has a size, which is its first field.
    let size = unsafe { from.cast::<u32>().read_unaligned() };
    let num_bytes = (size as usize).min(size_of::<T>());
    // SAFETY: as many bytes are in `from`, by its own size, and in `to`, by its type.
    unsafe { to.as_mut_ptr().cast::<u8>().copy_from_nonoverlapping(from.cast(), num_bytes) };
    // SAFETY: all bytes are initialised, and what was copied came from such a struct; zeros are legal.
    unsafe { to.assume_init() }
}

/// A copy of a struct from the host; an error if it is null or lacks fields of version 1.0.
///
/// # Safety
/// `from` is null or points to a `T` of the size that it states.
pub(crate) unsafe fn read<T: Tagged>(from: *const T) -> Result<T> {
    // SAFETY: the caller promised it.
    unsafe { check(from) }?;
    // SAFETY: the caller promised it, and it is not null.
    Ok(unsafe { covered(from) })
}

/// Fills a struct of the host as far as its size goes; the size does not change.
///
/// # Safety
/// `to` is null or points to a `T` of the size that it states, which the host lets be written.
pub(crate) unsafe fn fill<T: Tagged>(to: *mut T, value: &T) -> Result<()> {
    // SAFETY: the caller promised it.
    let size = unsafe { check(to) }?;
    let skip = size_of::<u32>();
    let num_bytes = size.min(size_of::<T>()) - skip;
    // SAFETY: `T` is larger than a `u32`.
    let from = unsafe { std::ptr::from_ref(value).cast::<u8>().add(skip) };
    // SAFETY: `check` found that `to` is larger than a `u32`.
    let to = unsafe { to.cast::<u8>().add(skip) };
    // SAFETY: as many bytes follow the size in both, by the type and by the size that the host states.
    unsafe { to.copy_from_nonoverlapping(from, num_bytes) };
    Ok(())
}

/// The size that a struct states; an error if it is null or lacks fields of version 1.0.
///
/// # Safety
/// `from` is null or points to a struct that begins with its size.
unsafe fn check<T: Tagged>(from: *const T) -> Result<usize> {
    if from.is_null() {
        return Err(Error::bad_argument(format!("{} is null", T::NAME)));
    }
    // SAFETY: it is not null and begins with its size.
    let size = unsafe { from.cast::<u32>().read_unaligned() } as usize;
    if size < T::MIN_BYTES {
        let message = format!("{} has {size} bytes, expected at least {}", T::NAME, T::MIN_BYTES);
        return Err(Error::bad_argument(message));
    }
    Ok(size)
}

/// The size of a type, as a struct states it.
#[allow(clippy::cast_possible_truncation)] // structs of a few hundred bytes
pub(crate) const fn code<T>() -> u32 {
    size_of::<T>() as u32
}
