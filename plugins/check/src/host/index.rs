//! The index that a decoder saves, and the sink that takes it.

#![allow(unsafe_code)] // a callback from C

use std::ffi::c_void;
use std::sync::{Mutex, PoisonError};

use mapwave_plugin_abi::{
    MW_BAD_ARGUMENT, MW_LIMIT, MW_OK, MW_SINK_APPEND_ONLY, mw_decoder, mw_error, mw_sink, mw_status,
};

use super::refusal::{ErrorBox, ErrorSpace, Fault, judge};
use super::struct_bytes::struct_bytes;

/// The most bytes that are taken.
const MAX_BYTES: usize = 64 << 20;

pub(super) type SaveIndex =
    unsafe extern "C" fn(*const mw_decoder, *const mw_sink, *mut mw_error) -> mw_status;

/// What was written, and the first broken rule.
#[derive(Default)]
struct Written {
    bytes: Vec<u8>,
    misuse: Option<String>,
}

/// Asks a handle for its index; `None` if it has none.
///
/// # Safety
/// The function is of the table that the handle is of, and the handle is open.
pub(super) unsafe fn save(
    function: SaveIndex,
    handle: *const mw_decoder,
    errors: ErrorSpace,
) -> Result<Option<Vec<u8>>, Fault> {
    let written: Mutex<Written> = Mutex::default();
    let sink = mw_sink {
        size: struct_bytes::<mw_sink>(),
        flags: MW_SINK_APPEND_ONLY,
        context: (&raw const written).cast_mut().cast(),
        write_at: Some(write_at),
    };
    let mut error = ErrorBox::new(errors);
    // SAFETY: by the caller's promise; the sink and what it points to live through the call.
    let status = unsafe { function(handle, &raw const sink, error.pointer()) };
    let Written { bytes, misuse } = written.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(reason) = misuse {
        return Err(Fault::broken("save_index", reason));
    }
    let is_end = judge("save_index", status, &error, true)?;
    match (is_end, bytes.is_empty()) {
        (true, true) => Ok(None),
        (true, false) => {
            let reason = format!("save_index returned MW_END after it wrote {} bytes", bytes.len());
            Err(Fault::broken("save_index", reason))
        }
        (false, true) => Err(Fault::broken("save_index", "save_index returned MW_OK and wrote nothing")),
        (false, false) => Ok(Some(bytes)),
    }
}

/// Takes bytes at the end.
unsafe extern "C" fn write_at(
    context: *mut c_void,
    offset: u64,
    data: *const c_void,
    num_bytes: u64,
) -> mw_status {
    // SAFETY: the context is that of `save`, whose call this is made in.
    let Some(written) = (unsafe { context.cast::<Mutex<Written>>().as_ref() }) else {
        return MW_BAD_ARGUMENT;
    };
    let mut written = written.lock().unwrap_or_else(PoisonError::into_inner);
    let end = written.bytes.len();
    if offset != end as u64 || data.is_null() && num_bytes > 0 {
        let what = format!("it wrote {num_bytes} bytes at byte {offset}, expected at the end, byte {end}");
        written.misuse.get_or_insert(what);
        return MW_BAD_ARGUMENT;
    }
    match usize::try_from(num_bytes) {
        Ok(0) => MW_OK,
        Ok(num_bytes) if num_bytes <= MAX_BYTES - end.min(MAX_BYTES) => {
            // SAFETY: not null, and the plugin passes as many bytes.
            written.bytes.extend_from_slice(unsafe { std::slice::from_raw_parts(data.cast(), num_bytes) });
            MW_OK
        }
        _ => MW_LIMIT,
    }
}
