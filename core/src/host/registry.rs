//! The plugins of this process: which were found, loaded or rejected, and why.

#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use mapwave_plugin_abi as abi;
use parking_lot::Mutex;

use crate::error::{Error, Fault, Result};
use crate::host::ffi::fault::Failure;
use crate::host::listing::{Plugin, State};
use crate::host::loading::directories;
use crate::host::loading::directories::{Candidate, Directory, Origin};
use crate::host::loading::library;
use crate::host::loading::library::Interface;
use crate::host::loading::probation;
use crate::host::loading::probation::Verdict;
use crate::host::session::supervisor;
use crate::host::table::decoder::DecoderKind;
use crate::host::table::encoder::EncoderKind;
use crate::host::table::resampler::ResamplerKind;

/// The plugins known so far.
#[derive(Default)]
struct Registry {
    /// The entry functions built into this program that have not been called yet.
    embedded: Vec<abi::mw_plugin_entry>,
    /// The directory of the libraries bundled with this program.
    bundled: Option<PathBuf>,
    is_searched: bool,
    found: Vec<Found>,
    /// The state that readers use; replaced if another plugin is found.
    snapshot: Arc<Snapshot>,
}

/// A library and what it offers, or why it was rejected.
#[derive(Clone)]
struct Found {
    origin: Origin,
    path: Option<PathBuf>,
    interface: Result<Interface, String>,
}

/// The plugins in order of precedence.
#[derive(Default)]
pub(super) struct Snapshot {
    pub(super) plugins: Vec<Plugin>,
    pub(super) decoders: Vec<DecoderKind>,
    pub(super) encoders: Vec<EncoderKind>,
    pub(super) resamplers: Vec<ResamplerKind>,
}

static REGISTRY: Mutex<Option<Registry>> = Mutex::new(None);

/// Registers a plugin that is built into this program. Nothing runs before a file needs a plugin.
pub fn embed(entry: abi::mw_plugin_entry) {
    let mut registry = REGISTRY.lock();
    let registry = registry.get_or_insert_default();
    registry.embedded.push(entry);
    registry.is_searched = false;
}

/// Sets the directory, without its `abi1`, of the libraries bundled with this program.
pub fn set_bundled(directory: PathBuf) {
    REGISTRY.lock().get_or_insert_default().bundled = Some(directory);
}

/// The directories that are searched, in order of precedence.
pub fn directories() -> Vec<Directory> {
    let bundled = REGISTRY.lock().as_ref().and_then(|registry| registry.bundled.clone());
    directories::directories(bundled.as_deref())
}

/// All plugins: first the loaded ones in order of precedence, then the rejected ones with the reason.
pub fn plugins() -> Vec<Plugin> {
    snapshot().plugins.clone()
}

/// Loads the library at a path. It takes precedence over all others.
///
/// # Errors
/// [`Error::Io`] if the file does not exist, [`Error::Plugin`] with the reason if the library is rejected.
pub fn register(path: &Path) -> Result<Plugin> {
    if let Err(cause) = std::fs::metadata(path) {
        return Err(Error::io("opening", cause).in_file(path));
    }
    let mut registry = REGISTRY.lock();
    let registry = registry.get_or_insert_default();
    registry.search();
    let candidate = directories::candidate(Origin::Registered, path);
    let known = |found: &Found| found.path.as_ref() == Some(&candidate.path);
    let index = registry.found.iter().position(known);
    let found = match index.map(|index| registry.found.remove(index)) {
        // The entry function is called once; only the order changes.
        Some(found) if found.interface.is_ok() => Found { origin: Origin::Registered, ..found },
        _ => Found::load(candidate),
    };
    let path = found.path.clone();
    registry.found.insert(0, found);
    registry.settle();
    let plugins = &registry.snapshot.plugins;
    match plugins.iter().find(|plugin| plugin.path == path) {
        Some(plugin) if plugin.state == State::Loaded => Ok(plugin.clone()),
        plugin => {
            let what = match plugin.map(|plugin| &plugin.state) {
                Some(State::Refused(why)) => why.clone(),
                _ => "it is not known".to_owned(),
            };
            let failure = Failure { fault: Fault::Broken, offset: None, what };
            // The plugin has no id yet. Like all loaded plugins, its file name stays until the process exits.
            let id = plugin.map_or_else(String::new, |plugin| plugin.id.clone()).leak();
            Err(failure.into_error(id, "loading", None).in_file(path.as_deref().unwrap_or(Path::new("?"))))
        }
    }
}

/// All plugins; the first call searches and loads them.
pub(super) fn snapshot() -> Arc<Snapshot> {
    let mut registry = REGISTRY.lock();
    let registry = registry.get_or_insert_default();
    registry.search();
    Arc::clone(&registry.snapshot)
}

impl Registry {
    /// Finds and loads all plugins, once.
    fn search(&mut self) {
        if self.is_searched {
            return;
        }
        self.is_searched = true;
        let directories = directories::directories(self.bundled.as_deref());
        let known: Vec<PathBuf> = self.found.iter().filter_map(|found| found.path.clone()).collect();
        let candidates = directories::candidates(&directories);
        let new = candidates.into_iter().filter(|candidate| !known.contains(&candidate.path));
        self.found.extend(new.map(Found::load));
        for entry in self.embedded.drain(..) {
            let interface = library::enter(entry, "embedded", true).map_err(|failure| failure.what);
            self.found.push(Found { origin: Origin::Embedded, path: None, interface });
        }
        self.settle();
    }

    /// Sorts the plugins by precedence; the first of two plugins with the same name wins.
    fn settle(&mut self) {
        self.found.sort_by_key(|found| found.origin);
        let mut snapshot = Snapshot::default();
        for found in &self.found {
            let mut plugin = found.describe();
            if let Ok(interface) = &found.interface {
                let is_same = |other: &&Plugin| other.id == plugin.id && other.state == State::Loaded;
                if let Some(other) = snapshot.plugins.iter().find(is_same) {
                    let place = other.path.as_deref().map_or("this program".into(), Path::to_string_lossy);
                    plugin.state = State::Refused(format!("the name '{}' is taken by {place}", plugin.id));
                } else {
                    snapshot.decoders.extend(interface.decoders.iter().map(|(kind, _)| *kind));
                    snapshot.encoders.extend(interface.encoders.iter().cloned());
                    snapshot.resamplers.extend(interface.resamplers.iter().cloned());
                }
            }
            snapshot.plugins.push(plugin);
        }
        self.snapshot = Arc::new(snapshot);
    }
}

impl Found {
    fn load(candidate: Candidate) -> Self {
        let Candidate { origin, path, refused } = candidate;
        let load = || -> Result<Interface, String> {
            if let Some(why) = refused {
                return Err(why);
            }
            if !origin.is_ours()
                && let Verdict::Crashed(words) = probation::trial(&path)
            {
                return Err(words);
            }
            let (is_ours, path) = (origin.is_ours(), path.clone());
            let enter = move || {
                let entry = library::load(&path)?;
                library::enter(entry, &path.to_string_lossy(), is_ours)
            };
            supervisor::call(is_ours, "loading", enter).map_err(|failure| failure.what)
        };
        let interface = load();
        Self { origin, path: Some(path), interface }
    }

    fn describe(&self) -> Plugin {
        let mut plugin = Plugin {
            id: self
                .path
                .as_deref()
                .and_then(Path::file_name)
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            origin: self.origin,
            path: self.path.clone(),
            state: State::Loaded,
            version: String::new(),
            vendor: String::new(),
            license: String::new(),
            dependencies: String::new(),
            decoders: Vec::new(),
            encoders: Vec::new(),
            resamplers: Vec::new(),
        };
        match &self.interface {
            Err(why) => plugin.state = State::Refused(why.clone()),
            Ok(interface) => {
                plugin.id = interface.id.to_owned();
                plugin.version.clone_from(&interface.version);
                plugin.vendor.clone_from(&interface.vendor);
                plugin.license.clone_from(&interface.license);
                plugin.dependencies.clone_from(&interface.dependencies);
                plugin.decoders = interface.decoders.iter().map(|(_, summary)| summary.clone()).collect();
                plugin.encoders = interface.encoders.iter().map(|kind| kind.summary().clone()).collect();
                plugin.resamplers = interface.resamplers.iter().map(|kind| kind.summary().clone()).collect();
            }
        }
        plugin
    }
}
