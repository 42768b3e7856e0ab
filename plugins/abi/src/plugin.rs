//! The description of a library, and its entry function.

use core::ffi::{c_char, c_void};

use crate::host::mw_host;
use crate::status::mw_error;

#[cfg(doc)]
use crate::decoder::mw_decoder_table;
#[cfg(doc)]
use crate::encoder::mw_encoder_table;
#[cfg(doc)]
use crate::resampler::mw_resampler_table;
#[cfg(doc)]
use crate::status::{MW_MISSING_DEPENDENCY, MW_UNSUPPORTED};
#[cfg(doc)]
use crate::version::{MW_ABI_MAJOR, MW_ABI_MINOR};

/// The name of [`mw_decoder_table`] in [`mw_plugin::get`].
pub const MW_DECODER_INTERFACE: &str = "mapwave.decoder/1";
/// The name of [`mw_encoder_table`] in [`mw_plugin::get`].
pub const MW_ENCODER_INTERFACE: &str = "mapwave.encoder/1";
/// The name of [`mw_resampler_table`] in [`mw_plugin::get`].
pub const MW_RESAMPLER_INTERFACE: &str = "mapwave.resampler/1";

/// The description of a library. Valid until the process exits.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mw_plugin {
    /// The size of this struct.
    pub size: u32,
    /// [`MW_ABI_MAJOR`] of the plugin.
    pub abi_major: u32,
    /// [`MW_ABI_MINOR`] of the plugin.
    pub abi_minor: u32,
    /// Reserved.
    pub reserved: u32,
    /// The plugin's name, by which users choose it: lower-case letters, digits, '-' and '_'; not empty.
    pub id: *const c_char,
    /// Its version.
    pub version: *const c_char,
    /// Who made it.
    pub vendor: *const c_char,
    /// Its licence as an SPDX expression, including that of linked libraries.
    pub license: *const c_char,
    /// The libraries that it uses, with their versions, for the user to read; may be empty.
    pub dependencies: *const c_char,
    /// Returns the table of an interface by its name, such as "mapwave.decoder/1", and its number, counted from 0; null
    /// past the last and for unknown names. Any thread; always the same result, valid until the process exits.
    pub get: Option<unsafe extern "C" fn(name: *const c_char, index: u32) -> *const c_void>,
}

/// The entry function of a plugin, exported as `mapwave_plugin_entry_v1`: returns the description of the library, or
/// null with `error` filled if it cannot work here ([`MW_MISSING_DEPENDENCY`], [`MW_UNSUPPORTED`]).
///
/// Any thread, any number of times, also concurrently; within 50 milliseconds; always the same result.
pub type mw_plugin_entry =
    unsafe extern "C" fn(host: *const mw_host, error: *mut mw_error) -> *const mw_plugin;

/// The name of the entry function.
pub const MW_ENTRY_SYMBOL: &str = "mapwave_plugin_entry_v1";
