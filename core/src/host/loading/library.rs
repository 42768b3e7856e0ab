//! Loads a plugin library into this process, calls its entry function, and reads its tables.

#![allow(unsafe_code)] // the entry function of a plugin

use std::ffi::CString;
use std::path::Path;

use mapwave_plugin_abi as abi;

use crate::host::ffi::fault::{Answer, Failure, required_name};
use crate::host::ffi::log;
use crate::host::ffi::raw;
use crate::host::ffi::raw::Sized32;
use crate::host::loading::hints;
use crate::host::loading::system::Library;
use crate::host::table::decoder::{DecoderKind, DecoderSummary};
use crate::host::table::encoder::EncoderKind;
use crate::host::table::resampler::ResamplerKind;
use crate::host::table::standing::Standing;

/// The maximum number of tables per interface.
const MAX_TABLES: u32 = 256;

/// What a library offers.
#[derive(Clone, Debug)]
pub(crate) struct Interface {
    pub(crate) id: &'static str,
    pub(crate) version: String,
    pub(crate) vendor: String,
    pub(crate) license: String,
    pub(crate) dependencies: String,
    pub(crate) decoders: Vec<(DecoderKind, DecoderSummary)>,
    pub(crate) encoders: Vec<EncoderKind>,
    pub(crate) resamplers: Vec<ResamplerKind>,
}

/// Loads the library at `place` with all its symbols bound, until the process exits, and finds its entry function. Errors call it by
/// `path`.
///
/// # Errors
/// The dynamic loader's message.
pub(crate) fn load(place: &Path, path: &Path) -> Result<abi::mw_plugin_entry, Failure> {
    let library = Library::open(place).map_err(|words| {
        Failure::broken(hints::explained(words.replace(&*place.to_string_lossy(), &path.to_string_lossy())))
    })?;
    library.entry().ok_or_else(|| {
        let symbol = abi::MW_ENTRY_SYMBOL;
        let hint = match has_other_version(&library) {
            Some(other) => format!("it exports {other}, which is for another version of mapwave"),
            None => "it is not a mapwave plugin".to_owned(),
        };
        Failure::broken(format!("it does not export {symbol}: {hint}"))
    })
}

/// The entry symbol of another major version, if the library has one.
fn has_other_version(library: &Library) -> Option<String> {
    let names = (0..=9).filter(|major| *major != abi::MW_ABI_MAJOR);
    names.map(|major| format!("mapwave_plugin_entry_v{major}")).find(|name| library.exports(name))
}

/// Calls the entry function of a library and reads all its tables.
///
/// # Errors
/// If the library reports that it cannot work here, or if its result breaks the rules.
pub(crate) fn enter(
    entry: abi::mw_plugin_entry,
    source: &str,
    is_trusted: bool,
) -> Result<Interface, Failure> {
    let mut answer = Answer::new();
    // SAFETY: the host's struct lives until the process exits, and the error is sized.
    let plugin = unsafe { entry(log::host_of(source), answer.as_mut_ptr()) };
    if plugin.is_null() {
        return Err(answer.refusal());
    }
    // SAFETY: not null, valid until the process exits, and it begins with its size.
    let plugin = unsafe { Sized32::copied(plugin) };
    if (plugin.size as usize) < size_of::<abi::mw_plugin>() {
        let (got, expected) = (plugin.size, size_of::<abi::mw_plugin>());
        return Err(Failure::broken(format!("its description is {got} bytes long, expected {expected}")));
    }
    if plugin.abi_major != abi::MW_ABI_MAJOR {
        let kind = if plugin.abi_major > abi::MW_ABI_MAJOR { "new" } else { "old" };
        let (got, ours) = (plugin.abi_major, abi::MW_ABI_MAJOR);
        return Err(Failure::broken(format!(
            "it is too {kind}: made for version {got} of the interface, not {ours}"
        )));
    }
    // SAFETY: strings of a plugin are valid until the process exits.
    let id = unsafe { required_name(plugin.id, "id") }?;
    if !id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte)) {
        return Err(Failure::broken(format!(
            "its id {id:?} is not of lower-case letters, digits, '-' and '_'"
        )));
    }
    // SAFETY: as above.
    let text = |text| unsafe { raw::text(text) }.unwrap_or_default();
    let version = text(plugin.version);
    // A library is read once per process.
    let standing = Standing::new(id, version.clone().leak(), is_trusted);
    let mut interface = Interface {
        id,
        version,
        vendor: text(plugin.vendor),
        license: text(plugin.license),
        dependencies: text(plugin.dependencies),
        decoders: Vec::new(),
        encoders: Vec::new(),
        resamplers: Vec::new(),
    };
    for table in tables(&plugin, abi::MW_DECODER_INTERFACE)? {
        // SAFETY: what the plugin returned for this interface.
        interface.decoders.push(unsafe { DecoderKind::new(table.cast(), standing) }?);
    }
    for table in tables(&plugin, abi::MW_ENCODER_INTERFACE)? {
        // SAFETY: what the plugin returned for this interface.
        interface.encoders.push(unsafe { EncoderKind::new(table.cast(), standing) }?);
    }
    for table in tables(&plugin, abi::MW_RESAMPLER_INTERFACE)? {
        // SAFETY: what the plugin returned for this interface.
        interface.resamplers.push(unsafe { ResamplerKind::new(table.cast(), standing) }?);
    }
    Ok(interface)
}

/// All tables of an interface.
fn tables(plugin: &abi::mw_plugin, interface: &str) -> Result<Vec<*const std::ffi::c_void>, Failure> {
    let get = plugin.get.ok_or_else(|| Failure::broken("its description has no function 'get'"))?;
    let name: CString = raw::c_string(interface);
    let mut tables = Vec::new();
    for index in 0..MAX_TABLES {
        // SAFETY: the name ends in a zero and lives through the call.
        let table = unsafe { get(name.as_ptr(), index) };
        if table.is_null() {
            return Ok(tables);
        }
        tables.push(table);
    }
    Err(Failure::broken(format!("it has more than {MAX_TABLES} tables of {interface}")))
}
