//! The C side of the wall: tables and functions made of the traits.

#![allow(unsafe_code)] // pointers that cross the wall

mod buffer;
mod decoder;
mod encoder;
mod guard;
mod handle;
mod library;
mod macros;
mod resampler;
mod sized;
mod text;

pub use decoder::DecoderTable;
pub use encoder::EncoderTable;
pub use library::{Define, Library, c_str, enter};
pub use resampler::ResamplerTable;

pub(crate) use guard::outside;
pub(crate) use sized::covered;

use mapwave_plugin_abi as abi;

use crate::error::{Error, Result, Status};

/// Turns what a call came to into what crosses the wall.
///
/// # Safety
/// `error` is null or points to an [`abi::mw_error`] of the size that it states.
unsafe fn answer(result: Result<abi::mw_status>, error: *mut abi::mw_error) -> abi::mw_status {
    result.unwrap_or_else(|failure| {
        // SAFETY: the caller promised it.
        unsafe { text::write_error(error, &failure) };
        failure.status().code()
    })
}

fn bad_argument(message: impl Into<String>) -> Error {
    Error::new(Status::BadArgument, message)
}

/// The number of threads that the host allows: 0 and 1 are the caller's alone.
fn max_threads(code: u32) -> u32 {
    code.max(1)
}

/// The most bytes that may be allocated: 0 is a host that does not care.
fn max_alloc(code: u64) -> u64 {
    if code == 0 { crate::decoder::DecoderOptions::default().max_alloc } else { code }
}
