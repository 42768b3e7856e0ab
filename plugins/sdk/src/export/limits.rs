//! The limits that a host sets, as it states them.

use crate::decoder::DecoderOptions;

/// The number of threads that the host allows: 0 and 1 are the caller's alone.
pub(super) fn max_threads(code: u32) -> u32 {
    code.max(1)
}

/// The most bytes that may be allocated: 0 is a host that does not care.
pub(super) fn max_alloc(code: u64) -> u64 {
    if code == 0 { DecoderOptions::default().max_alloc } else { code }
}
