//! The C ABI between mapwave and its codec plugins, version 1.
//!
//! A plugin is a shared library that exports one function, [`mapwave_plugin_entry_v1`](mw_plugin_entry). The C header
//! `mapwave_plugin.h` is generated from the Rust crate `mapwave-plugin-abi`. Names follow C's style, so that both read
//! alike.
//!
//! # Rules
//!
//! - **R1, sizes.** Every struct begins with its size in bytes, as known to the side that fills it. A reader uses a
//!   field only if the size covers it; otherwise the field has its default, zero. Later minor versions only append
//!   fields. The caller sizes and zeroes structs that the callee fills; the callee writes no byte past that size and
//!   does not change the size. A size that does not cover version 1.0 is an error, [`MW_BAD_ARGUMENT`]; only an
//!   [`mw_error`] of such a size is filled as far as it goes, or left as it is. No field is a bool, a bitfield or an
//!   enumeration; reserved fields are zero.
//! - **R2, memory.** Neither side frees the other's memory. A plugin's tables and strings are valid until the process
//!   exits. Only `close` frees a handle. Pointers from the host are valid during the call, unless their comment says
//!   longer.
//! - **R3, strings.** Strings are UTF-8 and end with a NUL. Paths never cross the interface: a plugin sees bytes.
//! - **R4, threads.** Functions without a handle may be called from any thread at any time. A handle takes one call at
//!   a time, each from any thread. Different handles work fully in parallel, even over the same bytes: no state is tied
//!   to a thread, and no lock is held across calls. A plugin starts no threads unless `max_threads` allows it. Every call
//!   has a stack of at least [`MW_MIN_STACK_BYTES`], 8 MiB.
//! - **R5, unwinding.** No panic, exception or `longjmp` crosses the interface. A plugin returns [`MW_PANIC`] instead,
//!   after which the handle is poisoned: every call but `close` returns `MW_PANIC`. A plugin does not call `abort` or
//!   `exit`, install signal handlers, change the locale, the floating-point mode, the working directory, the
//!   environment or a signal mask, or write to standard output or error.
//! - **R6, errors.** Malformed input gives an error, never undefined behaviour. A handle allocates at most `max_alloc`
//!   bytes. Every function that can fail takes an [`mw_error`] to fill, which may be null.
//! - **R7, life.** Libraries are loaded with all symbols bound and by absolute path, and never unloaded. Constructors
//!   do no work.
//! - **R8, bytes.** Input is read-only. A file may be truncated while it is mapped: the missing bytes read as zeros,
//!   and the host reports it. Output is written directly into the caller's buffer.
//!
//! Little-endian 64-bit machines only.

#![no_std]
#![allow(non_camel_case_types, missing_debug_implementations)] // C's names; plain data behind pointers

pub mod headers;
#[doc(hidden)]
pub mod layout;

mod buffer;
mod decoder;
mod encoder;
mod format;
mod host;
mod input;
mod metadata;
mod option;
mod plugin;
mod resampler;
mod sink;
mod status;
mod stream;
mod version;

pub use buffer::*;
pub use decoder::*;
pub use encoder::*;
pub use format::*;
pub use host::*;
pub use input::*;
pub use metadata::*;
pub use option::*;
pub use plugin::*;
pub use resampler::*;
pub use sink::*;
pub use status::*;
pub use stream::*;
pub use version::*;

#[cfg(not(all(target_pointer_width = "64", target_endian = "little")))]
compile_error!("mapwave's plugin ABI is defined for little-endian 64-bit machines");
