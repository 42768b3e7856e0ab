//! A system for which nobody has written down whose libraries may be loaded: none are.

#![forbid(unsafe_code)]

use std::fs::{File, Metadata};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use mapwave_plugin_abi as abi;

/// There are none for libraries that are not loaded.
pub(super) const SYSTEM: [&str; 0] = [];

/// As for the whole machine.
pub(super) fn user_data() -> Option<PathBuf> {
    None
}

/// What is kept there is known of libraries.
pub(super) fn user_cache() -> Option<PathBuf> {
    None
}

/// A program runs with the rights of the user who started it, whoever owns its file.
pub(super) fn is_privileged() -> bool {
    false
}

pub(super) fn refuse_all() -> Option<String> {
    Some(
        "no plugin library is loaded on this system, where mapwave cannot tell who may write to it; the codecs that are built in \
         need none"
            .to_owned(),
    )
}

pub(super) fn distrust_around(_: &Path) -> Option<String> {
    refuse_all()
}

pub(super) fn distrust(_: &Metadata, _kind: &str) -> Option<String> {
    refuse_all()
}

/// None is opened.
pub(super) enum Library {}

impl Library {
    pub(super) fn open(_: &Path) -> Result<Self, String> {
        Err(refuse_all().unwrap_or_default())
    }

    pub(super) fn entry(&self) -> Option<abi::mw_plugin_entry> {
        match *self {}
    }

    pub(super) fn exports(&self, _name: &str) -> bool {
        match *self {}
    }
}

pub(super) fn by_descriptor(_: &File, _process: &str, _: impl FnOnce() -> Option<String>) -> Option<PathBuf> {
    None
}

/// There are no signals: a process that crashes has an exit status.
pub(super) fn fatal_signal(_: ExitStatus) -> Option<(i32, bool)> {
    None
}
