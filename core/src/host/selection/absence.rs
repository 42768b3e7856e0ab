//! Additions to messages if no plugin is suitable: plugins that were not loaded, and plugins that could be installed.

#![forbid(unsafe_code)]

use crate::error::{Error, Parameter};
use crate::host::listing::State;
use crate::host::loading::hints;
use crate::host::registry::Snapshot;

/// As [`not_loaded`], with the missing plugins that read more formats, for a file that no plugin reads.
pub(super) fn no_reader(snapshot: &Snapshot) -> String {
    not_loaded(snapshot) + &hints::for_reading(&snapshot.plugins)
}

/// As [`not_loaded`], with the missing plugins that write files with these names.
pub(super) fn no_writer(snapshot: &Snapshot, names: &[&str]) -> String {
    not_loaded(snapshot) + &hints::for_writing(names, &snapshot.plugins)
}

/// The plugins that were not loaded, with the loader's messages, for the end of a message.
pub(super) fn not_loaded(snapshot: &Snapshot) -> String {
    let refused = snapshot.plugins.iter().filter_map(|plugin| match &plugin.state {
        State::Refused(why) => Some(format!("; {} was not loaded: {why}", plugin.id)),
        State::Loaded => None,
    });
    refused.collect()
}

/// The error if the requested plugin is not among the suitable ones, which are listed in order of precedence.
pub(super) fn not_among(
    snapshot: &Snapshot,
    plugins: impl Iterator<Item = &'static str>,
    wanted: &str,
) -> Error {
    let mut names: Vec<String> = plugins.map(|plugin| format!("'{plugin}'")).collect();
    names.dedup();
    let expected = match names.as_slice() {
        [] => "the name of a codec plugin, of which none is loaded".to_owned(),
        names => format!("the name of a codec plugin ({})", names.join(", ")),
    };
    Error::argument(Parameter::Plugin, expected + &not_loaded(snapshot), format!("'{wanted}'"))
}
