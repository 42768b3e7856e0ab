//! Where plugin libraries are looked for, and which files there are fit to be loaded.

#![forbid(unsafe_code)]

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Names directories to search before all others, separated by colons.
pub(crate) const VARIABLE: &str = "MAPWAVE_PLUGIN_PATH";

/// The directory of the plugins of this major version of the interface.
const ABI_DIRECTORY: &str = "abi1";

/// The ending of a shared library's name.
const SUFFIX: &str = if cfg!(target_os = "macos") { "dylib" } else { "so" };

/// Where the plugins of the whole machine are.
const SYSTEM: [&str; 2] = match cfg!(target_os = "macos") {
    true => ["/Library/Application Support/mapwave/plugins", "/usr/local/lib/mapwave/plugins"],
    false => ["/usr/local/lib/mapwave/plugins", "/usr/lib/mapwave/plugins"],
};

/// Why a plugin is known; the order is that of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// It was named by a call.
    Registered,
    /// It lies in a directory of `MAPWAVE_PLUGIN_PATH`.
    Environment,
    /// It lies in the user's data directory.
    User,
    /// It is part of this program.
    Embedded,
    /// It lies beside this program: in the wheel.
    Bundled,
    /// It lies in a directory of the system.
    System,
}

impl Origin {
    /// A word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::Environment => "environment",
            Self::User => "user",
            Self::Embedded => "embedded",
            Self::Bundled => "bundled",
            Self::System => "system",
        }
    }

    /// Whether it comes with mapwave itself.
    pub(crate) fn is_ours(self) -> bool {
        matches!(self, Self::Embedded | Self::Bundled)
    }
}

/// A directory that is searched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directory {
    /// Why it is.
    pub origin: Origin,
    /// Its path.
    pub path: PathBuf,
    /// Why nothing in it is loaded, when it is there but not to be trusted.
    pub refused: Option<String>,
}

/// The directories that are searched, in order of precedence; `bundled` is the program's own.
pub fn directories(bundled: Option<&Path>) -> Vec<Directory> {
    let mut found = Vec::new();
    let mut add = |origin, path: PathBuf| {
        let refused = std::fs::metadata(&path).ok().and_then(|metadata| distrust(&metadata, "directory"));
        found.push(Directory { origin, path, refused });
    };
    // Whoever runs a set-uid program must not choose what it loads.
    if !is_privileged() {
        let variable = std::env::var_os(VARIABLE).unwrap_or_default();
        for path in std::env::split_paths(&variable).filter(|path| !path.as_os_str().is_empty()) {
            let path = std::path::absolute(&path).unwrap_or(path);
            add(Origin::Environment, path.clone());
            add(Origin::Environment, path.join(ABI_DIRECTORY));
        }
        if let Some(data) = user_data() {
            add(Origin::User, data.join("mapwave/plugins").join(ABI_DIRECTORY));
        }
    }
    if let Some(bundled) = bundled {
        add(Origin::Bundled, bundled.join(ABI_DIRECTORY));
    }
    for system in SYSTEM {
        add(Origin::System, Path::new(system).join(ABI_DIRECTORY));
    }
    found
}

/// Whether the program runs with more rights than the user who started it.
fn is_privileged() -> bool {
    rustix::process::getuid() != rustix::process::geteuid()
        || rustix::process::getgid() != rustix::process::getegid()
}

fn home() -> Option<PathBuf> {
    std::env::home_dir().filter(|home| home.is_absolute())
}

/// A directory of the XDG base directory specification, or macOS's counterpart.
fn base_directory(variable: &str, linux: &str, macos: &str) -> Option<PathBuf> {
    let chosen = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    chosen.or_else(|| home().map(|home| home.join(if cfg!(target_os = "macos") { macos } else { linux })))
}

fn user_data() -> Option<PathBuf> {
    base_directory("XDG_DATA_HOME", ".local/share", "Library/Application Support")
}

/// Where the user's caches are.
pub(crate) fn user_cache() -> Option<PathBuf> {
    base_directory("XDG_CACHE_HOME", ".cache", "Library/Caches")
}

/// A library that was found.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) origin: Origin,
    /// Absolute, all links resolved.
    pub(crate) path: PathBuf,
    /// Why it must not be loaded.
    pub(crate) refused: Option<String>,
}

/// The libraries in the directories, each file once; in a directory by name.
pub(crate) fn candidates(directories: &[Directory]) -> Vec<Candidate> {
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    for directory in directories {
        let Ok(entries) = std::fs::read_dir(&directory.path) else { continue };
        let paths = entries.filter_map(Result::ok).map(|entry| entry.path());
        let mut paths: Vec<PathBuf> =
            paths.filter(|path| path.extension() == Some(OsStr::new(SUFFIX))).collect();
        paths.sort();
        for path in paths {
            let mut candidate = candidate(directory.origin, &path);
            if let (None, Some(why)) = (&candidate.refused, &directory.refused) {
                candidate.refused = Some(why.clone());
            }
            let identity =
                std::fs::metadata(&candidate.path).map(|metadata| (metadata.dev(), metadata.ino()));
            if identity.is_ok_and(|identity| !seen.insert(identity)) {
                continue;
            }
            found.push(candidate);
        }
    }
    found
}

/// A file that is to be loaded, by any name.
pub(crate) fn candidate(origin: Origin, path: &Path) -> Candidate {
    let refuse = |why: String| Candidate { origin, path: path.to_path_buf(), refused: Some(why) };
    let resolved = match path.canonicalize() {
        Ok(resolved) => resolved,
        Err(error) => return refuse(format!("it cannot be opened: {error}")),
    };
    let metadata = match std::fs::metadata(&resolved) {
        Ok(metadata) => metadata,
        Err(error) => return refuse(format!("it cannot be opened: {error}")),
    };
    let refused = match metadata.is_file() {
        true => distrust(&metadata, "file").or_else(|| {
            // The directory that the file is really in: who can write there can put another in its place.
            let parent = std::fs::metadata(resolved.parent()?).ok()?;
            distrust(&parent, "directory")
        }),
        false => Some("it is no regular file".to_owned()),
    };
    Candidate { origin, path: resolved, refused }
}

/// Why something is not to be trusted: others than root and this user can write to it or own it.
fn distrust(metadata: &Metadata, kind: &str) -> Option<String> {
    let user = rustix::process::geteuid().as_raw();
    if metadata.uid() != 0 && metadata.uid() != user {
        return Some(format!(
            "the {kind} belongs to user {}, and only root's and your own are loaded (chown it)",
            metadata.uid()
        ));
    }
    (metadata.mode() & 0o002 != 0).then(|| {
        format!("everybody may write to the {kind} (mode {:o}); chmod o-w it", metadata.mode() & 0o7777)
    })
}
