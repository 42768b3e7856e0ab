//! What calls return, and the details of a failure.

use core::ffi::c_char;

/// The result of a call: [`MW_OK`], [`MW_END`], or an error, which is negative.
pub type mw_status = i32;

/// The call succeeded.
pub const MW_OK: mw_status = 0;
/// There are no more frames or items.
pub const MW_END: mw_status = 1;
/// This plugin does not support the format or this variant of it. Another plugin may.
pub const MW_UNSUPPORTED: mw_status = -1;
/// An argument breaks the contract of the call.
pub const MW_BAD_ARGUMENT: mw_status = -2;
/// The bytes violate the format's specification.
pub const MW_BAD_DATA: mw_status = -3;
/// The host's `read_at` or `write_at` failed.
pub const MW_IO: mw_status = -4;
/// Not enough memory.
pub const MW_NO_MEMORY: mw_status = -5;
/// The state of the handle does not allow the call, such as pushing to a finished encoder.
pub const MW_BAD_STATE: mw_status = -6;
/// A library or device that the plugin needs is missing.
pub const MW_MISSING_DEPENDENCY: mw_status = -7;
/// The host asked to stop.
pub const MW_CANCELLED: mw_status = -8;
/// The call needs more than `max_alloc`, or more than the format allows.
pub const MW_LIMIT: mw_status = -9;
/// The plugin panicked; the handle is poisoned.
pub const MW_PANIC: mw_status = -10;
/// An internal error of the plugin.
pub const MW_INTERNAL: mw_status = -11;

/// Stands for an unknown number.
pub const MW_UNKNOWN: u64 = u64::MAX;

/// The room for a message in [`mw_error`], in bytes.
pub const MW_MESSAGE_BYTES: usize = 512;

/// Why a call failed. The caller sets `size` and zeroes the rest; the callee fills it only when it fails.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mw_error {
    /// The size of this struct.
    pub size: u32,
    /// What the call returned.
    pub status: mw_status,
    /// The code of a library below the plugin, or 0.
    pub native_code: i64,
    /// The offset in the input in bytes, or [`MW_UNKNOWN`].
    pub offset: u64,
    /// What was found and what was expected: UTF-8, NUL-terminated, truncated between characters if it is too long.
    pub message: [c_char; MW_MESSAGE_BYTES],
}
