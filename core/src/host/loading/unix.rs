//! A POSIX system: owners, modes, privileges and the dynamic loader.

#![allow(unsafe_code)] // dlopen, and questions to the system

use std::fs::{File, Metadata};
use std::mem::ManuallyDrop;
#[cfg(target_os = "linux")]
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use libloading::os::unix::{self, RTLD_LOCAL, RTLD_NOW};
use mapwave_plugin_abi as abi;

pub(super) const SYSTEM: [&str; 2] = match cfg!(target_os = "macos") {
    true => ["/Library/Application Support/mapwave/plugins", "/usr/local/lib/mapwave/plugins"],
    false => ["/usr/local/lib/mapwave/plugins", "/usr/lib/mapwave/plugins"],
};

fn home() -> Option<PathBuf> {
    std::env::home_dir().filter(|home| home.is_absolute())
}

/// A directory of the XDG base directory specification, or its macOS counterpart.
fn base_directory(variable: &str, linux: &str, macos: &str) -> Option<PathBuf> {
    let chosen = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    chosen.or_else(|| home().map(|home| home.join(if cfg!(target_os = "macos") { macos } else { linux })))
}

pub(super) fn user_data() -> Option<PathBuf> {
    base_directory("XDG_DATA_HOME", ".local/share", "Library/Application Support")
}

pub(super) fn user_cache() -> Option<PathBuf> {
    base_directory("XDG_CACHE_HOME", ".cache", "Library/Caches")
}

pub(super) fn is_privileged() -> bool {
    rustix::process::getuid() != rustix::process::geteuid()
        || rustix::process::getgid() != rustix::process::getegid()
        || is_secure_execution()
}

/// Whether the system started this program in its secure mode, as it does where the file has a set-user-ID or set-group-ID bit or
/// capabilities (`AT_SECURE`, getauxval(3)).
fn is_secure_execution() -> bool {
    #[cfg(target_os = "linux")]
    // SAFETY: the function takes a number and returns one.
    return unsafe { libc::getauxval(libc::AT_SECURE) } != 0;
    #[cfg(not(target_os = "linux"))]
    // SAFETY: the function takes nothing and returns a number.
    return unsafe { libc::issetugid() } != 0;
}

/// Owners and modes tell which may be loaded.
pub(super) fn refuse_all() -> Option<String> {
    None
}

/// In a directory with the sticky bit, such as `/tmp`, only owners can rename what they own.
pub(super) fn distrust_around(directory: &Path) -> Option<String> {
    directory.ancestors().skip(1).find_map(|around| {
        let Ok(metadata) = std::fs::metadata(around) else {
            return Some(format!("{} around it cannot be looked at", around.display()));
        };
        let is_sticky = metadata.mode() & 0o1000 != 0;
        let refused = distrust(&metadata, "directory").filter(|_| !is_sticky || !is_owner_trusted(&metadata));
        refused.map(|why| format!("of the directories around it, {}: {why}", around.display()))
    })
}

fn is_owner_trusted(metadata: &Metadata) -> bool {
    [0, rustix::process::geteuid().as_raw()].contains(&metadata.uid())
}

pub(super) fn distrust(metadata: &Metadata, kind: &str) -> Option<String> {
    if !is_owner_trusted(metadata) {
        return Some(format!(
            "the {kind} belongs to user {}, and only root's and your own are loaded (chown it)",
            metadata.uid()
        ));
    }
    (metadata.mode() & 0o002 != 0).then(|| {
        format!("everybody may write to the {kind} (mode {:o}); chmod o-w it", metadata.mode() & 0o7777)
    })
}

/// Never unloaded: the tables and strings are used until the process exits (R7).
pub(super) struct Library(ManuallyDrop<unix::Library>);

impl Library {
    pub(super) fn open(place: &Path) -> Result<Self, String> {
        // SAFETY: loading runs the library's constructors, which is what its user asked for by putting it into a directory of
        // plugins that nobody else can write to; third-party libraries were loaded in a child process before.
        let library = unsafe { unix::Library::open(Some(place), RTLD_NOW | RTLD_LOCAL) };
        library.map(|library| Self(ManuallyDrop::new(library))).map_err(|error| {
            match std::error::Error::source(&error) {
                Some(source) => format!("{error}: {source}"),
                None => error.to_string(),
            }
        })
    }

    /// The entry function of a plugin.
    pub(super) fn entry(&self) -> Option<abi::mw_plugin_entry> {
        // SAFETY: the name is the plugin interface's own, and the type is the one that it has there.
        let entry = unsafe { self.0.get::<abi::mw_plugin_entry>(abi::MW_ENTRY_SYMBOL.as_bytes()) };
        entry.ok().map(|symbol| *symbol)
    }

    /// Whether it exports a symbol.
    pub(super) fn exports(&self, name: &str) -> bool {
        // SAFETY: only whether the symbol is there is looked at.
        unsafe { self.0.get::<*const ()>(name.as_bytes()) }.is_ok()
    }
}

/// `process` is its number or `self`. `slashes` come before the last part, any number; none if there must be no such path.
#[cfg(target_os = "linux")]
pub(super) fn by_descriptor(
    file: &File,
    process: &str,
    slashes: impl FnOnce() -> Option<String>,
) -> Option<PathBuf> {
    Some(PathBuf::from(format!("/proc/{process}/fd{}{}", slashes()?, file.as_raw_fd())))
}

#[cfg(not(target_os = "linux"))]
pub(super) fn by_descriptor(_: &File, _process: &str, _: impl FnOnce() -> Option<String>) -> Option<PathBuf> {
    None
}

/// The signals of a process that crashed by itself. Others come from outside: a user who presses Ctrl-C, a system without memory.
const CRASHES: [i32; 7] =
    [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGABRT, libc::SIGTRAP, libc::SIGSYS];

pub(super) fn fatal_signal(status: ExitStatus) -> Option<(i32, bool)> {
    let signal = status.signal()?;
    Some((signal, CRASHES.contains(&signal)))
}
