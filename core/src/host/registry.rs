//! The plugins of this process: which were found, loaded or rejected, and why.

#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use mapwave_fork::{LongLock, Shared, has_lost_calls, hold_off};
use mapwave_plugin_abi as abi;

use crate::error::{Error, Fault, Result};
use crate::host::ffi::fault::Failure;
use crate::host::listing::{Plugin, State};
use crate::host::loading::directories;
use crate::host::loading::directories::{Candidate, Directory, Origin};
use crate::host::loading::hints;
use crate::host::loading::library;
use crate::host::loading::library::Interface;
use crate::host::loading::probation;
use crate::host::loading::probation::Verdict;
use crate::host::session::supervisor::{self, Silence};
use crate::host::table::decoder::DecoderKind;
use crate::host::table::encoder::EncoderKind;
use crate::host::table::resampler::ResamplerKind;
use crate::source::Identity;

/// The plugins known so far. It is published after every step, so that a child that is forked during the search continues it.
#[derive(Clone, Default)]
struct Registry {
    /// The entry functions built into this program, and how many of them have been called.
    embedded: Vec<abi::mw_plugin_entry>,
    num_entered: usize,
    /// The directory of the libraries bundled with this program.
    bundled: Option<PathBuf>,
    found: Vec<Arc<Found>>,
    /// The state that readers use, once everything has been searched; replaced if another plugin is found.
    snapshot: Option<&'static Snapshot>,
    /// The same with only so many of the bundled libraries, which need not be loaded for what others do.
    partial: Vec<(usize, &'static Snapshot)>,
}

/// A library and what it offers, or why it was rejected.
struct Found {
    origin: Origin,
    path: Option<PathBuf>,
    /// The file that was loaded, which another may have replaced since.
    identity: Option<Identity>,
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

static REGISTRY: Shared<Registry> = Shared::new();

/// Held by the thread that searches and loads, for which the others wait. It protects no data.
static LOADING: LongLock<()> = LongLock::new();

/// Publishes a changed registry.
fn change(change: impl Fn(&mut Registry)) -> &'static Registry {
    REGISTRY.update(|registry| {
        let mut registry = registry.cloned().unwrap_or_default();
        change(&mut registry);
        registry
    })
}

/// Registers a plugin that is built into this program. Nothing runs before a file needs a plugin. Registering it again has no
/// effect.
pub fn embed(entry: abi::mw_plugin_entry) {
    change(|registry| {
        if !registry.embedded.iter().any(|other| std::ptr::fn_addr_eq(*other, entry)) {
            registry.embedded.push(entry);
            registry.snapshot = None;
            registry.partial.clear();
        }
    });
}

/// Sets the directory, without its `abi1`, of the libraries bundled with this program.
pub fn set_bundled(directory: PathBuf) {
    change(|registry| registry.bundled = Some(directory.clone()));
}

/// The directories that are searched, in order of precedence.
pub fn directories() -> Vec<Directory> {
    directories::directories(REGISTRY.get().and_then(|registry| registry.bundled.as_deref()))
}

/// All plugins: first the loaded ones in order of precedence, then the rejected ones with the reason.
pub fn plugins() -> Vec<Plugin> {
    let snapshot = snapshot();
    let mut plugins = snapshot.plugins.clone();
    // A plugin can be set aside at any time, which changes no snapshot.
    let decoders = snapshot.decoders.iter().map(DecoderKind::standing);
    let encoders = snapshot.encoders.iter().map(EncoderKind::standing);
    let standings = decoders.chain(encoders).chain(snapshot.resamplers.iter().map(ResamplerKind::standing));
    for standing in standings {
        let Some(why) = standing.why_set_aside() else { continue };
        let is_it = |plugin: &&mut Plugin| plugin.id == standing.plugin() && plugin.state == State::Loaded;
        if let Some(plugin) = plugins.iter_mut().find(is_it) {
            plugin.state = State::Refused(format!("it is set aside until this process exits: {why}"));
        }
    }
    plugins
}

/// Loads the library at a path. It takes precedence over all others.
///
/// # Errors
/// [`Error::Io`] if the file does not exist, [`Error::Plugin`] with the reason if the library is rejected.
pub fn register(path: &Path) -> Result<Plugin> {
    let metadata = std::fs::metadata(path).map_err(|cause| Error::io("opening", cause).in_file(path))?;
    let identity = Identity::new(&metadata);
    let _loading = LOADING.lock();
    let registry = search(Extent::All);
    let candidate = directories::candidate(Origin::Registered, path);
    let path = candidate.path.clone();
    let is_it = |found: &Found| found.path.as_ref() == Some(&path);
    let put_first = |found: Found| {
        let found = Arc::new(found);
        change(|registry| {
            registry.found.retain(|other| !is_it(other));
            registry.found.insert(0, Arc::clone(&found));
            registry.settle(Extent::All);
        })
    };
    let registry = match registry.found.iter().find(|found| is_it(found)) {
        // The entry function is called once; only the order changes.
        Some(known) if known.interface.is_ok() => {
            if known.identity.zip(identity).is_some_and(|(known, found)| !known.has_contents_of(&found)) {
                let what = REPLACED.to_owned();
                let id = known.interface.as_ref().map_or("", |interface| interface.id);
                let failure = Failure { fault: Fault::Broken, offset: None, what };
                return Err(failure.into_error(id, "loading", None).in_file(&path));
            }
            let (path, interface) = (known.path.clone(), known.interface.clone());
            put_first(Found { origin: Origin::Registered, path, identity: known.identity, interface })
        }
        // None if the caller has interrupted it.
        _ => load(candidate, put_first).unwrap_or(registry),
    };
    match registry.arranged().plugins.into_iter().find(|plugin| plugin.path.as_ref() == Some(&path)) {
        Some(plugin) if plugin.state == State::Loaded => Ok(plugin),
        plugin => {
            let what = match plugin.as_ref().map(|plugin| &plugin.state) {
                Some(State::Refused(why)) => why.clone(),
                _ => "it is not known".to_owned(),
            };
            let failure = Failure { fault: Fault::Broken, offset: None, what };
            // The plugin has no id yet. Like all loaded plugins, its file name stays until the process exits.
            let id = plugin.map_or_else(String::new, |plugin| plugin.id.clone()).leak();
            Err(failure.into_error(id, "loading", None).in_file(&path))
        }
    }
}

/// All plugins; the first call searches and loads them.
pub(super) fn snapshot() -> &'static Snapshot {
    let known = || REGISTRY.get().and_then(|registry| registry.snapshot);
    if let Some(snapshot) = known() {
        return snapshot;
    }
    let _loading = LOADING.lock();
    loop {
        // None if another plugin is embedded meanwhile.
        if let Some(snapshot) = search(Extent::All).snapshot {
            return snapshot;
        }
    }
}

/// All plugins but the bundled libraries, as long as not all of those are loaded; the first call searches and loads them.
pub(super) fn near_snapshot() -> Option<&'static Snapshot> {
    partial_snapshot(0)
}

/// The plugins with ever more of the bundled libraries, and at last all plugins. The encoders and the resamplers of each begin with
/// those of the one before. Libraries that need others of the system take time to load, and memory: they come last.
pub(super) fn stages() -> impl Iterator<Item = &'static Snapshot> {
    let partial = (0..).map_while(partial_snapshot);
    partial.chain(std::iter::once_with(snapshot))
}

/// The plugins with only so many of the bundled libraries; `None` if all are loaded, or if there are no more.
fn partial_snapshot(num_bundled: usize) -> Option<&'static Snapshot> {
    let known = |registry: &'static Registry| match registry.snapshot {
        Some(_) => Some(None),
        None => registry.partial(num_bundled).map(Some),
    };
    if let Some(known) = REGISTRY.get().and_then(known) {
        return known;
    }
    let _loading = LOADING.lock();
    loop {
        if let Some(known) = known(search(Extent::Bundled(num_bundled))) {
            return known;
        }
    }
}

/// Which plugins read files, as a number that changes with them. Loads none.
pub(crate) fn loaded_plugins() -> usize {
    let snapshot = REGISTRY.get().and_then(|registry| registry.snapshot.or(registry.partial(0)));
    snapshot.map_or(0, |snapshot| std::ptr::from_ref(snapshot).addr())
}

/// What a search loads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    All,
    /// All but the bundled libraries, and the first so many of those.
    Bundled(usize),
}

/// Finds and loads the plugins that are not known yet, unless all are. Only for a thread that holds [`LOADING`]. If its caller
/// interrupts the search, the result has what was found so far, and the next search goes on.
fn search(extent: Extent) -> &'static Registry {
    let registry = REGISTRY.get().unwrap_or_else(|| change(|_| {}));
    let is_known = |number| registry.partial(number).is_some();
    if registry.snapshot.is_some() || matches!(extent, Extent::Bundled(number) if is_known(number)) {
        return registry;
    }
    let directories = directories::directories(registry.bundled.as_deref());
    let is_known = |candidate: &Candidate| {
        registry.found.iter().any(|found| found.path.as_ref() == Some(&candidate.path))
    };
    let candidates = directories::candidates(&directories).into_iter();
    let (mut bundled, near): (Vec<Candidate>, Vec<Candidate>) =
        candidates.partition(|candidate| candidate.origin == Origin::Bundled);
    bundled.sort_by_key(|candidate| hints::needs_system_libraries(&candidate.path));
    let extent = match extent {
        Extent::Bundled(number) if bundled.iter().skip(number).any(|candidate| !is_known(candidate)) => {
            extent
        }
        _ => Extent::All,
    };
    if let Extent::Bundled(number) = extent {
        bundled.truncate(number);
    }
    for candidate in near.into_iter().chain(bundled).filter(|candidate| !is_known(candidate)) {
        if load(candidate, |found| add(found, 0)).is_none() {
            // Never freed, as any other; a user presses Ctrl-C a few times.
            let mut partial = REGISTRY.get().cloned().unwrap_or_default();
            partial.publish(extent);
            return Box::leak(Box::new(partial));
        }
    }
    for entry in registry.embedded.iter().skip(registry.num_entered) {
        hold_off(|| {
            let interface = library::enter(*entry, "embedded", true).map_err(|failure| failure.what);
            add(Found { origin: Origin::Embedded, path: None, identity: None, interface }, 1);
        });
    }
    change(|registry| registry.settle(extent))
}

/// Adds a plugin, by one of the functions that are built in or by none.
fn add(found: Found, num_entered: usize) -> &'static Registry {
    let found = Arc::new(found);
    change(|registry| {
        registry.found.push(Arc::clone(&found));
        registry.num_entered += num_entered;
    })
}

/// Loads a library and publishes the result. A child process that is forked meanwhile has the library and knows that it has, or
/// has neither: the system's loader cannot be used in a child in which it stopped halfway. `None` if the caller interrupts it.
fn load(candidate: Candidate, publish: impl FnOnce(Found) -> &'static Registry) -> Option<&'static Registry> {
    let Candidate { origin, path, mut refused, pinned } = candidate;
    let mut place = path.clone();
    // A third-party library is tried in a process of its own, for which no fork waits. The same file is loaded here.
    if let (None, false, Some(pinned)) = (&refused, origin.is_ours(), &pinned) {
        match probation::trial(pinned, &path) {
            Verdict::Crashed(words) => refused = Some(words),
            Verdict::Safe => match pinned.place().filter(|_| pinned.is_unchanged()) {
                Some(found) => place = found,
                None => refused = Some(CHANGED.to_owned()),
            },
            Verdict::Interrupted => return None,
        }
    }
    let identity = std::fs::metadata(&path).ok().and_then(|metadata| Identity::new(&metadata));
    hold_off(|| {
        let interface = match refused {
            Some(why) => Err(why),
            None if has_lost_calls() => Err(LOST.to_owned()),
            None => {
                let (is_ours, path) = (origin.is_ours(), path.clone());
                let enter = move || {
                    let entry = library::load(&place, &path)?;
                    library::enter(entry, &path.to_string_lossy(), is_ours)
                };
                match supervisor::run(is_ours, &|| Duration::ZERO, enter) {
                    Ok(interface) => interface.map_err(|failure| failure.what),
                    Err(Silence::GivenUp) => return None,
                    Err(silence) => Err(silence.into_failure("loading").what),
                }
            }
        };
        Some(publish(Found { origin, path: Some(path), identity, interface }))
    })
}

/// Why a library that was rebuilt is not loaded.
const REPLACED: &str = "the file has been replaced or rebuilt since this process loaded it, and what is loaded stays until the \
                        process exits: start a new process, or register the new library under another path";

/// Why a library is not loaded that was tried.
const CHANGED: &str =
    "the file was replaced or changed while it was checked; start again when it stays as it is";

/// Why a child process cannot load a library.
const LOST: &str = "this process was forked while its parent was loading a library, which took too long to wait for; load the \
                    plugins before the fork";

impl Registry {
    /// Publishes the plugins for readers, unless some that are built in have not been asked yet.
    fn settle(&mut self, extent: Extent) {
        self.found.sort_by_key(|found| found.origin);
        if self.num_entered == self.embedded.len() {
            self.publish(extent);
        } else if extent == Extent::All {
            self.snapshot = None;
        }
    }

    /// Makes what is known the state that readers use.
    fn publish(&mut self, extent: Extent) {
        // Never freed: there are as many as libraries are bundled, and plugins embedded and registered by programs, which are few.
        let mut arranged = self.arranged();
        match extent {
            Extent::All => self.snapshot = Some(Box::leak(Box::new(arranged))),
            Extent::Bundled(number) => {
                // Bundled libraries that are not loaded yet come before those of the system, and have names that are reserved.
                let has_more = |interface: &Interface| {
                    !interface.encoders.is_empty() || !interface.resamplers.is_empty()
                };
                let decides = self.found.iter().all(|found| {
                    found.origin.is_ours()
                        || found.origin == Origin::System
                        || !found.interface.as_ref().is_ok_and(has_more)
                });
                arranged.encoders.retain(|kind| decides && kind.is_trusted());
                arranged.resamplers.retain(|kind| decides && kind.standing().is_trusted());
                self.partial.retain(|(other, _)| *other != number);
                self.partial.push((number, Box::leak(Box::new(arranged))));
            }
        }
    }

    /// The state with only so many of the bundled libraries.
    fn partial(&self, num_bundled: usize) -> Option<&'static Snapshot> {
        self.partial.iter().find(|(number, _)| *number == num_bundled).map(|(_, snapshot)| *snapshot)
    }

    /// The plugins in the order of `found`; the first of two plugins with the same name wins, but for names that are reserved.
    fn arranged(&self) -> Snapshot {
        let mut snapshot = Snapshot::default();
        for found in &self.found {
            let mut plugin = found.describe();
            if let Ok(interface) = &found.interface {
                let is_same = |other: &&Plugin| other.id == plugin.id && other.state == State::Loaded;
                if self.is_reserved(found, interface) {
                    plugin.state = State::Refused(format!(
                        "the name '{0}' is reserved for the plugin '{0}' that comes with this program; give it another id",
                        plugin.id
                    ));
                } else if let Some(other) = snapshot.plugins.iter().find(is_same) {
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
        snapshot.plugins = hints::without_variants(snapshot.plugins);
        snapshot
    }

    /// Whether a plugin has the name of one that comes with this program: another's files would become unreadable, or be read by
    /// something else. A library of the same vendor may stand in for a bundled one, as for another version of what it uses.
    fn is_reserved(&self, found: &Found, interface: &Interface) -> bool {
        !found.origin.is_ours()
            && self.found.iter().any(|other| {
                let is_ours = |ours: &Interface| {
                    ours.id == interface.id && (other.path.is_none() || ours.vendor != interface.vendor)
                };
                other.origin.is_ours() && other.interface.as_ref().is_ok_and(is_ours)
            })
    }
}

impl Found {
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
