//! Searches directories for plugin libraries and checks which of them may be loaded.

#![forbid(unsafe_code)]

use std::collections::HashSet;
use std::env::consts::DLL_EXTENSION;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::files;
use crate::host::loading::pinned::Pinned;
use crate::host::loading::system::{self, distrust, distrust_around, is_privileged};

/// Directories that are searched before all others, separated by colons.
pub(crate) const VARIABLE: &str = "MAPWAVE_PLUGIN_PATH";

/// The directory of the plugins of this major version of the interface.
const ABI_DIRECTORY: &str = "abi1";

/// Where a plugin was found, in order of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// Registered by a call.
    Registered,
    /// In a directory of `MAPWAVE_PLUGIN_PATH`.
    Environment,
    /// In the user's data directory.
    User,
    /// Built into this program.
    Embedded,
    /// Bundled with this program, in the wheel.
    Bundled,
    /// In a system directory.
    System,
}

impl Origin {
    /// The name of the origin.
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

    /// Whether the plugin comes with mapwave itself.
    pub(crate) fn is_ours(self) -> bool {
        matches!(self, Self::Embedded | Self::Bundled)
    }
}

/// A directory that is searched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directory {
    /// The origin.
    pub origin: Origin,
    /// The path.
    pub path: PathBuf,
    /// Why nothing in it is loaded, if it exists but is not trusted.
    pub refused: Option<String>,
}

/// The directories that are searched, in order of precedence; `bundled` is the directory of this program's libraries.
pub fn directories(bundled: Option<&Path>) -> Vec<Directory> {
    let mut found = Vec::new();
    let mut add = |origin, path: PathBuf| {
        let refused = match std::fs::metadata(&path) {
            Ok(metadata) if !metadata.is_dir() => {
                Some("it is a file, expected a directory: name the one that holds it".to_owned())
            }
            Ok(metadata) => distrust(&metadata, "directory"),
            Err(_) => None,
        };
        found.push(Directory { origin, path, refused });
    };
    // The user who runs a set-uid program must not choose what it loads.
    if !is_privileged() {
        let variable = std::env::var_os(VARIABLE).unwrap_or_default();
        for path in std::env::split_paths(&variable).filter(|path| !path.as_os_str().is_empty()) {
            let path = std::path::absolute(&path).unwrap_or(path);
            add(Origin::Environment, path.clone());
            add(Origin::Environment, path.join(ABI_DIRECTORY));
        }
        if let Some(data) = system::user_data() {
            add(Origin::User, data.join("mapwave/plugins").join(ABI_DIRECTORY));
        }
    }
    if let Some(bundled) = bundled {
        add(Origin::Bundled, bundled.join(ABI_DIRECTORY));
    }
    for directory in system::SYSTEM {
        add(Origin::System, Path::new(directory).join(ABI_DIRECTORY));
    }
    found
}

/// The user's cache directory.
pub(crate) fn user_cache() -> Option<PathBuf> {
    system::user_cache()
}

/// A library that was found.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) origin: Origin,
    /// The absolute path, with all links resolved.
    pub(crate) path: PathBuf,
    /// Why the library must not be loaded.
    pub(crate) refused: Option<String>,
    /// The file that was checked.
    pub(crate) pinned: Option<Pinned>,
}

/// The libraries in the directories, each file once, sorted by name within a directory.
pub(crate) fn candidates(directories: &[Directory]) -> Vec<Candidate> {
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    for directory in directories {
        let Ok(entries) = std::fs::read_dir(&directory.path) else { continue };
        let paths = entries.filter_map(Result::ok).map(|entry| entry.path());
        let mut paths: Vec<PathBuf> =
            paths.filter(|path| path.extension() == Some(OsStr::new(DLL_EXTENSION))).collect();
        paths.sort();
        for path in paths {
            let mut candidate = candidate(directory.origin, &path);
            if let (None, Some(why)) = (&candidate.refused, &directory.refused) {
                candidate.refused = Some(why.clone());
            }
            let state = std::fs::metadata(&candidate.path).ok().and_then(|metadata| files::state(&metadata));
            if state.is_some_and(|state| !seen.insert(state.place)) {
                continue;
            }
            found.push(candidate);
        }
    }
    found
}

/// A library with any file name.
///
/// Whoever can write to the file, to its directory or to one around that can put another file in its place. Those around the
/// libraries that come with this program are those of the program itself, which could be replaced as well.
pub(crate) fn candidate(origin: Origin, path: &Path) -> Candidate {
    let refuse =
        |why: String| Candidate { origin, path: path.to_path_buf(), refused: Some(why), pinned: None };
    let resolved = match path.canonicalize() {
        Ok(resolved) => resolved,
        Err(error) => return refuse(format!("it cannot be opened: {error}")),
    };
    // Not opened unless it is a file: opening a pipe waits for its other end.
    match std::fs::metadata(&resolved) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => return refuse("it is not a regular file".to_owned()),
        Err(error) => return refuse(format!("it cannot be opened: {error}")),
    }
    if let Some(why) = system::refuse_all() {
        return refuse(why);
    }
    let (pinned, metadata) = match Pinned::open(&resolved) {
        Ok(pinned) => pinned,
        Err(error) => return refuse(format!("it cannot be opened: {error}")),
    };
    let refused = match metadata.is_file() {
        true => distrust(&metadata, "file").or_else(|| {
            let parent = resolved.parent()?;
            let refused = distrust(&std::fs::metadata(parent).ok()?, "directory");
            refused.or_else(|| if origin.is_ours() { None } else { distrust_around(parent) })
        }),
        false => Some("it is not a regular file".to_owned()),
    };
    Candidate { origin, path: resolved, refused, pinned: Some(pinned) }
}
