//! The results of calls.

use mapwave_plugin_abi as abi;

use super::text;
use crate::error::Result;

/// Converts the result of a call to that of the C interface.
///
/// # Safety
/// `error` is null or points to an [`abi::mw_error`] of the size that it states.
pub(super) unsafe fn answer(result: Result<abi::mw_status>, error: *mut abi::mw_error) -> abi::mw_status {
    result.unwrap_or_else(|failure| {
        // SAFETY: the caller promised it.
        unsafe { text::write_error(error, &failure) };
        failure.status().code()
    })
}
