//! A plugin as a library: its entry function, and the tables it hands out.

use std::ffi::{CStr, CString, c_char, c_void};
use std::sync::OnceLock;

use mapwave_plugin_abi as abi;

use super::text;
use crate::error::{Error, Result, Status};
use crate::guard;
use crate::host;
use crate::sized;

/// What [`plugin!`](crate::plugin) is given.
pub struct Library {
    /// See [`abi::mw_plugin`].
    pub id: &'static CStr,
    /// See [`abi::mw_plugin`].
    pub version: &'static CStr,
    /// See [`abi::mw_plugin`].
    pub vendor: &'static CStr,
    /// See [`abi::mw_plugin`].
    pub license: &'static CStr,
    /// See [`abi::mw_plugin`].
    pub dependencies: &'static CStr,
    /// Says which libraries were found, or why the plugin cannot work here.
    pub start: Option<fn() -> Result<String>>,
    /// The tables of the decoders.
    pub decoders: &'static [&'static abi::mw_decoder_table],
    /// The tables of the encoders.
    pub encoders: &'static [&'static abi::mw_encoder_table],
    /// The tables of the resamplers.
    pub resamplers: &'static [&'static abi::mw_resampler_table],
    /// What the first entry made of it.
    pub entered: OnceLock<Entered>,
}

/// What a library says of itself once it has started.
pub struct Entered(Result<abi::mw_plugin>);

// SAFETY: tables are constants whose pointers lead to constants and functions.
unsafe impl Sync for Library {}
// SAFETY: as above.
unsafe impl Send for Entered {}
// SAFETY: as above.
unsafe impl Sync for Entered {}

/// A type that stands for a library, so that functions without an argument for it can be made for each.
pub trait Define {
    /// The library.
    fn library() -> &'static Library;
}

/// The entry function of a library.
///
/// # Safety
/// As for [`abi::mw_plugin_entry`].
pub unsafe fn enter<L: Define>(
    host: *const abi::mw_host,
    error: *mut abi::mw_error,
) -> *const abi::mw_plugin {
    // SAFETY: the host is valid until the process exits, by the contract of the entry function.
    unsafe { host::keep(host) };
    let enter = || L::library().entered.get_or_init(|| Entered(describe::<L>()));
    // The host holds forks off, so that no child finds it half done.
    let started = guard::catch(|| mapwave_fork::while_held_off(enter));
    let failure = match started {
        Ok(Entered(Ok(plugin))) => return plugin,
        Ok(Entered(Err(failure))) => failure,
        Err(message) => &Error::new(Status::Panic, message),
    };
    // SAFETY: by the contract of the entry function.
    unsafe { text::write_error(error, failure) };
    std::ptr::null()
}

fn describe<L: Define>() -> Result<abi::mw_plugin> {
    let library = L::library();
    let dependencies = match library.start {
        None => library.dependencies,
        Some(start) => {
            let found = CString::new(start()?);
            // Once in the life of the process, as the strings of a library are valid until its end (R2).
            let found = found.map_err(|error| Error::new(Status::Internal, error.to_string()))?;
            Box::leak(found.into_boxed_c_str())
        }
    };
    Ok(abi::mw_plugin {
        size: sized::code::<abi::mw_plugin>(),
        abi_major: abi::MW_ABI_MAJOR,
        abi_minor: abi::MW_ABI_MINOR,
        reserved: 0,
        id: library.id.as_ptr(),
        version: library.version.as_ptr(),
        vendor: library.vendor.as_ptr(),
        license: library.license.as_ptr(),
        dependencies: dependencies.as_ptr(),
        get: Some(get::<L>),
    })
}

unsafe extern "C" fn get<L: Define>(interface: *const c_char, index: u32) -> *const c_void {
    fn nth<T>(tables: &[&'static T], index: u32) -> *const c_void {
        let table = tables.get(index as usize);
        table.map_or(std::ptr::null(), |table| std::ptr::from_ref::<T>(table).cast())
    }
    let library = L::library();
    // SAFETY: by the contract of `get`.
    match unsafe { text::hint(interface) } {
        Some(abi::MW_DECODER_INTERFACE) => nth(library.decoders, index),
        Some(abi::MW_ENCODER_INTERFACE) => nth(library.encoders, index),
        Some(abi::MW_RESAMPLER_INTERFACE) => nth(library.resamplers, index),
        _ => std::ptr::null(),
    }
}

/// A text that ends in a zero byte, as a string of C's.
///
/// # Panics
/// When another zero byte is inside, which stops the build where it is a constant.
pub const fn c_str(text: &'static str) -> &'static CStr {
    match CStr::from_bytes_with_nul(text.as_bytes()) {
        Ok(text) => text,
        Err(_) => panic!("a text of a plugin has no zero byte inside"),
    }
}

impl Library {
    /// The id, when it is one: lower-case letters, digits, '-' and '_', not empty.
    ///
    /// # Panics
    /// When it is not, which stops the build where it is a constant.
    pub const fn check_id(id: &'static CStr) -> &'static CStr {
        assert!(!id.is_empty(), "the id of a plugin is not empty");
        let mut rest = id.to_bytes();
        while let [byte, others @ ..] = rest {
            assert!(
                matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'),
                "the id of a plugin consists of lower-case letters, digits, '-' and '_'"
            );
            rest = others;
        }
        id
    }
}
