//! The destination of what a plugin writes.

use core::ffi::c_void;

use crate::status::mw_status;

/// The sink takes bytes only at its end.
pub const MW_SINK_APPEND_ONLY: u32 = 1;

/// Bytes go on to a listener as they come: an encoder should make short packets, pages and blocks, and write each at once. It may
/// ignore this. Since version 1.2.
pub const MW_SINK_LIVE: u32 = 2;

/// The destination of an encoder's bytes, valid until the encoder is closed, or of a decoder's index.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mw_sink {
    /// The size of this struct.
    pub size: u32,
    /// `MW_SINK_*`.
    pub flags: u32,
    /// Passed to `write_at`.
    pub context: *mut c_void,
    /// Writes all bytes at `offset`, or fails with a negative status. Called only from within the plugin's own calls.
    pub write_at: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            offset: u64,
            data: *const c_void,
            num_bytes: u64,
        ) -> mw_status,
    >,
}
