//! The plugin library: its entry function, its description of itself and its tables.

#![allow(unsafe_code)] // a foreign library

use std::ffi::{CStr, CString, c_char, c_void};
use std::mem::MaybeUninit;
use std::path::Path;
use std::ptr::null_mut;

use libloading::os::unix::{Library as Loaded, RTLD_LOCAL, RTLD_NOW};
use mapwave_plugin_abi::{
    MW_ABI_MAJOR, MW_ABI_MINOR, MW_DECODER_INTERFACE, MW_ENCODER_INTERFACE, MW_ENTRY_SYMBOL,
    MW_RESAMPLER_INTERFACE, mw_decoder_table, mw_encoder_table, mw_host, mw_plugin, mw_plugin_entry,
    mw_resampler_table,
};
use serde::{Deserialize, Serialize};

use super::refusal::{ErrorBox, ErrorSpace, Fault, Refusal, judge_error, status_name};
use super::struct_bytes::struct_bytes;
use super::text::{line, text};
use super::{DecoderTable, EncoderTable, ResamplerTable};
use crate::verdict::{Finding, Outcome};

/// The maximum number of tables of one kind.
const MAX_TABLES: u32 = 64;

/// A library that stays loaded until the process ends, or a linked plugin.
#[derive(Clone, Copy)]
pub struct Library {
    entry: mw_plugin_entry,
}

/// A plugin's description of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// Its identifier.
    pub id: String,
    /// Its version.
    pub version: String,
    /// Its vendor.
    pub vendor: String,
    /// Its licence.
    pub license: String,
    /// The libraries that it uses.
    pub dependencies: String,
}

unsafe extern "C" fn ignore_log(_context: *mut c_void, _level: u32, message: *const c_char) {
    if !message.is_null() {
        // SAFETY: the message is a string of the plugin's, by R3; reading it all is the point.
        let message = unsafe { CStr::from_ptr(message) };
        std::hint::black_box(message.to_bytes().len());
    }
}

unsafe extern "C" fn no_extension(_context: *mut c_void, _name: *const c_char) -> *const c_void {
    std::ptr::null()
}

/// The host struct that every plugin gets; it lives as long as the process.
fn host() -> &'static mw_host {
    Box::leak(Box::new(mw_host {
        size: struct_bytes::<mw_host>(),
        abi_minor: MW_ABI_MINOR,
        name: c"mapwave plugins check".as_ptr(),
        version: c"0.1.0".as_ptr(),
        context: null_mut(),
        log: Some(ignore_log),
        get_extension: Some(no_extension),
        is_cancelled: None,
    }))
}

impl Library {
    /// Loads a library with all its symbols bound (R7) and finds the entry function.
    pub fn load(path: &Path) -> Outcome<Self> {
        // SAFETY: its constructors do no work, by R7; what they do all the same happens to this process alone.
        let library = unsafe { Loaded::open(Some(path), RTLD_NOW | RTLD_LOCAL) };
        let library = library.map_err(|error| {
            Finding::broken("R7", format!("the library cannot be loaded: {}", with_cause(&error)))
        })?;
        // SAFETY: the symbol is a function of this type, by the interface.
        let entry = unsafe { library.get::<mw_plugin_entry>(MW_ENTRY_SYMBOL) };
        let entry = entry.map(|symbol| *symbol).map_err(|error| {
            let reason = format!("no function {MW_ENTRY_SYMBOL} is exported: {}", with_cause(&error));
            Finding::broken("entry", reason)
        })?;
        std::mem::forget(library);
        Ok(Self { entry })
    }

    /// A plugin that is linked into this program, by its entry function.
    pub fn linked(entry: mw_plugin_entry) -> Self {
        Self { entry }
    }

    /// The entry function itself.
    pub fn entry(self) -> mw_plugin_entry {
        self.entry
    }

    /// Calls the entry function.
    pub fn enter(self) -> Result<Plugin, Fault> {
        self.enter_with(ErrorSpace::FULL)
    }

    /// As [`Library::enter`], with another error struct.
    pub(crate) fn enter_with(self, space: ErrorSpace) -> Result<Plugin, Fault> {
        let mut error = ErrorBox::new(space);
        // SAFETY: by the interface, the symbol takes these two: the host, which lives until the process ends, and an error, which
        // outlives the call, or null.
        let plugin = unsafe { (self.entry)(host(), error.pointer()) };
        if !plugin.is_null() {
            judge_error("entry", 0, &error)?;
            return Ok(Plugin { plugin });
        }
        // A failing entry function reports its status in the error struct only.
        let named = if space == ErrorSpace::Null {
            -1
        } else {
            // SAFETY: not null, since there is space for an error, which has its status in the first bytes, initialised by
            // `ErrorBox::new` and aligned.
            unsafe { (*error.pointer()).status }
        };
        let message = judge_error("entry", named, &error)?;
        match message {
            Some(message) => Err(Fault::Refused(Refusal::new("entry", named, message, &error))),
            None => Err(Fault::broken(
                "entry",
                format!(
                    "entry returned null and set the status {}, which does not stand for an error",
                    status_name(named)
                ),
            )),
        }
    }
}

fn with_cause(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => cause.to_string(),
        None => error.to_string(),
    }
}

/// The plugin struct that the entry function returned.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Plugin {
    plugin: *const mw_plugin,
}

// SAFETY: it points to what is constant until the process exits, by R2.
unsafe impl Send for Plugin {}
// SAFETY: as above.
unsafe impl Sync for Plugin {}

impl Plugin {
    /// The struct itself, for calls that this host does not make.
    pub fn fields(self) -> Outcome<&'static mw_plugin> {
        // SAFETY: what the entry function returns points to an `mw_plugin`, valid until the process exits.
        unsafe { sized(self.plugin.cast(), "mw_plugin") }
    }

    /// Its description of itself, if valid.
    pub fn describe(self) -> Outcome<Description> {
        let fields = self.fields()?;
        if fields.abi_major != MW_ABI_MAJOR {
            let reason = format!("abi_major is {}, expected {MW_ABI_MAJOR}", fields.abi_major);
            return Err(Finding::broken("R1", reason));
        }
        if fields.reserved != 0 {
            return Err(Finding::broken("R1", format!("a reserved field is {}, not 0", fields.reserved)));
        }
        if fields.get.is_none() {
            return Err(Finding::broken("get", "mw_plugin has no function get"));
        }
        let id = text(fields.id, "the plugin's id")?;
        let may =
            |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "-_".contains(letter);
        if id.is_empty() || !id.chars().all(may) {
            let reason =
                format!("the plugin's id is \"{id}\"; it may have a-z, 0-9, - and _, and not be empty");
            return Err(Finding::broken("R3", reason));
        }
        Ok(Description {
            id,
            version: line(fields.version, "the plugin's version")?,
            vendor: line(fields.vendor, "the plugin's vendor")?,
            license: line(fields.license, "the plugin's license")?,
            dependencies: line(fields.dependencies, "the plugin's dependencies")?,
        })
    }

    /// The address of a table; 0 if there is none.
    pub fn table(self, interface: &str, index: u32) -> Outcome<usize> {
        let Some(get) = self.fields()?.get else {
            return Err(Finding::broken("get", "mw_plugin has no function get"));
        };
        let interface = CString::new(interface).unwrap_or_default();
        // SAFETY: the name is a string that outlives the call, and any index is legal.
        Ok(unsafe { get(interface.as_ptr(), index) } as usize)
    }

    fn tables<T: Filled>(self, interface: &str) -> Outcome<Vec<Outcome<&'static T>>> {
        let mut tables = Vec::new();
        for index in 0..MAX_TABLES {
            let table = self.table(interface, index)? as *const c_void;
            if table.is_null() {
                return Ok(tables);
            }
            // SAFETY: what `get` returns points to the table of that interface, valid until the process exits.
            tables.push(unsafe { sized(table, interface) });
        }
        Err(Finding::broken("get", format!("get still returns tables of {interface} at index {MAX_TABLES}")))
    }

    /// Its decoders.
    pub fn decoders(self) -> Outcome<Vec<DecoderTable>> {
        self.each_decoder()?.into_iter().collect()
    }

    /// Its encoders.
    pub fn encoders(self) -> Outcome<Vec<EncoderTable>> {
        self.each_encoder()?.into_iter().collect()
    }

    /// Its resamplers.
    pub fn resamplers(self) -> Outcome<Vec<ResamplerTable>> {
        self.each_resampler()?.into_iter().collect()
    }

    /// Its decoders, those included that are not whole.
    pub(crate) fn each_decoder(self) -> Outcome<Vec<Outcome<DecoderTable>>> {
        let tables = self.tables(MW_DECODER_INTERFACE)?.into_iter();
        Ok(tables.map(|table| DecoderTable::new(table?)).collect())
    }

    /// Its encoders, those included that are not whole.
    pub(crate) fn each_encoder(self) -> Outcome<Vec<Outcome<EncoderTable>>> {
        let tables = self.tables(MW_ENCODER_INTERFACE)?.into_iter();
        Ok(tables.map(|table| EncoderTable::new(table?)).collect())
    }

    /// Its resamplers, those included that are not whole.
    pub(crate) fn each_resampler(self) -> Outcome<Vec<Outcome<ResamplerTable>>> {
        let tables = self.tables(MW_RESAMPLER_INTERFACE)?.into_iter();
        Ok(tables.map(|table| ResamplerTable::new(table?)).collect())
    }
}

/// A struct of the interface that a plugin fills.
///
/// # Safety
/// The type is `repr(C)`, begins with its size as a `u32`, and all bits zero are a value of it.
unsafe trait Filled: Copy + 'static {
    /// The size in version 1.0, which no later one goes below.
    const FIRST_BYTES: usize;
}

// SAFETY: laid out like that by the interface, of numbers, pointers and nullable functions.
unsafe impl Filled for mw_plugin {
    const FIRST_BYTES: usize = 64;
}
// SAFETY: as above.
unsafe impl Filled for mw_decoder_table {
    const FIRST_BYTES: usize = 96;
}
// SAFETY: as above.
unsafe impl Filled for mw_encoder_table {
    const FIRST_BYTES: usize = 64;
}
// SAFETY: as above.
unsafe impl Filled for mw_resampler_table {
    const FIRST_BYTES: usize = 48;
}

/// The struct behind a pointer, if its size covers what version 1.0 has. Fields that it does not cover are zero.
///
/// # Safety
/// `pointer` is null or points to a struct of the interface, a `T` of the size that it states, valid until the process exits.
unsafe fn sized<T: Filled>(pointer: *const c_void, what: &str) -> Outcome<&'static T> {
    if pointer.is_null() || !pointer.cast::<T>().is_aligned() {
        return Err(Finding::broken("R1", format!("{what} is null or not aligned")));
    }
    // SAFETY: every struct of the interface begins with its size, by R1.
    let size = unsafe { pointer.cast::<u32>().read() } as usize;
    if size < T::FIRST_BYTES {
        let reason = format!("the size of {what} is {size}, expected at least {}", T::FIRST_BYTES);
        return Err(Finding::broken("R1", reason));
    }
    if size >= size_of::<T>() {
        // SAFETY: by the caller's promise it is a T, the size of which covers all of it.
        return Ok(unsafe { &*pointer.cast() });
    }
    let mut whole = MaybeUninit::<T>::zeroed();
    // SAFETY: as many bytes are in the plugin's struct, by its size, and in the other, by its type.
    unsafe { whole.as_mut_ptr().cast::<u8>().copy_from_nonoverlapping(pointer.cast(), size) };
    // SAFETY: zeros are a value by the trait's contract, and so is what such a struct has in their place.
    let whole = unsafe { whole.assume_init() };
    // A plugin's tables stay until the process exits, and so does the copy of one.
    Ok(Box::leak(Box::new(whole)))
}
