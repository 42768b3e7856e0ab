//! The host's services.

use core::ffi::{c_char, c_void};

#[cfg(doc)]
use crate::status::MW_CANCELLED;
#[cfg(doc)]
use crate::version::MW_ABI_MINOR;

/// Details for debugging.
pub const MW_LOG_DEBUG: u32 = 0;
/// Something worth knowing.
pub const MW_LOG_INFO: u32 = 1;
/// Something was corrected or skipped, such as a damaged packet that became silence.
pub const MW_LOG_WARNING: u32 = 2;
/// Something failed.
pub const MW_LOG_ERROR: u32 = 3;

/// The host's services. Passed once, at entry; valid until the process exits.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mw_host {
    /// The size of this struct.
    pub size: u32,
    /// The host's [`MW_ABI_MINOR`].
    pub abi_minor: u32,
    /// The host's name, such as "mapwave".
    pub name: *const c_char,
    /// The host's version.
    pub version: *const c_char,
    /// Passed to the functions below.
    pub context: *mut c_void,
    /// Logs a message of a level `MW_LOG_*`. Any thread; null if the host does not log.
    pub log: Option<unsafe extern "C" fn(context: *mut c_void, level: u32, message: *const c_char)>,
    /// Returns an extension of this ABI by its name, such as "vendor.name/1", or null if the host does not have it. Any
    /// thread; the result is valid until the process exits. The function itself may be null.
    pub get_extension:
        Option<unsafe extern "C" fn(context: *mut c_void, name: *const c_char) -> *const c_void>,
    /// Returns 1 if the caller of the current call no longer waits for it, or else 0. A call that takes long asks now and
    /// then, on the thread on which it was made, and returns [`MW_CANCELLED`]; a decoder can then be used after a seek. Null
    /// if the host cannot say; since version 1.2.
    pub is_cancelled: Option<unsafe extern "C" fn(context: *mut c_void) -> i32>,
}
