//! Chooses the plugin that reads a file, and makes the error if none does.

#![forbid(unsafe_code)]

use std::sync::Arc;

use crate::error::{Error, Fault, Result};
use crate::host::ffi::fault::Failure;
use crate::host::ffi::input::PluginInput;
use crate::host::listing::State;
use crate::host::registry::{self, Snapshot};
use crate::host::selection::absence::{no_reader, not_among, not_loaded};
use crate::host::session::decoder::{self, Decoder};
use crate::host::table::decoder::DecoderKind;
use crate::source::{Scratch, Source};
use crate::track::Track;

/// Why no plugin opened a file.
#[derive(Debug)]
pub(crate) enum NotOpened {
    /// None of the plugins reads such a file; their names, for the user.
    Unread(String),
    /// Some plugins tried and failed.
    Failed(Box<Error>),
}

/// Opens a file with the requested plugin, or with the plugin that reports the highest score; if that fails, with the next.
pub(crate) fn open(
    source: &Arc<Source>,
    track: Option<&Track>,
    wanted: Option<&str>,
) -> Result<Decoder, NotOpened> {
    let snapshot = registry::snapshot();
    if let Some(wanted) = wanted
        && !snapshot.decoders.iter().any(|kind| kind.plugin() == wanted)
    {
        return Err(NotOpened::Failed(Box::new(unknown_plugin(snapshot, wanted))));
    }
    let asked = snapshot.decoders.iter().filter(|kind| wanted.is_none_or(|wanted| kind.plugin() == wanted));
    let asked: Vec<&DecoderKind> = asked.collect();
    let num_bytes =
        asked.iter().map(|kind| u64::from(kind.probe_bytes())).max().unwrap_or(0).min(source.len());
    let mut scratch = Scratch::new();
    let head = source.read(0..num_bytes, &mut scratch).map_err(|error| NotOpened::Failed(Box::new(error)))?;
    let input = PluginInput::new(Arc::clone(source), track);
    let mut failures = Vec::new();
    let mut sure = Vec::new();
    for kind in asked {
        match decoder::probe(kind, head, &input) {
            Ok(0) if wanted.is_none() => {}
            Ok(score) => sure.push((score, kind)),
            Err(failure) => failures.push((kind, failure)),
        }
    }
    // A stable sort: equal scores keep the order of precedence.
    sure.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    for (score, kind) in sure {
        match decoder::open(kind, &input) {
            Ok(decoder) => return Ok(decoder),
            // A requested plugin that did not recognise the file cannot tell that it is damaged.
            Err(failure) if score == 0 && failure.fault == Fault::BadData => {
                failures.push((kind, Failure { fault: Fault::Unsupported, offset: None, ..failure }));
            }
            Err(failure) => failures.push((kind, failure)),
        }
    }
    Err(not_opened(snapshot, failures, &input, track))
}

fn not_opened(
    snapshot: &Snapshot,
    failures: Vec<(&DecoderKind, Failure)>,
    input: &PluginInput,
    track: Option<&Track>,
) -> NotOpened {
    let container =
        |kind: &DecoderKind| track.map_or_else(|| kind.container_of(input), |track| track.container);
    // The most informative failure comes first: damage before an unknown format.
    let tell = |failure: &Failure| match failure.fault {
        Fault::BadData => 0,
        Fault::Io | Fault::Memory => 1,
        Fault::Unsupported | Fault::Refused => 2,
        Fault::MissingDependency => 3,
        Fault::Broken => 4,
    };
    let Some((kind, first)) = failures.iter().min_by_key(|(_, failure)| tell(failure)) else {
        return NotOpened::Unread(asked(snapshot));
    };
    let mut failure = first.clone();
    for (other, answer) in failures.iter().filter(|(other, _)| !std::ptr::eq(*other, *kind)) {
        failure.what.push_str(&format!(
            "; plugin '{}' ({}) says: {}",
            other.plugin(),
            other.name(),
            answer.what
        ));
    }
    failure.what.push_str(&match failure.fault {
        Fault::Unsupported => no_reader(snapshot),
        _ => not_loaded(snapshot),
    });
    NotOpened::Failed(Box::new(failure.into_error(kind.plugin(), "opening", Some(container(kind)))))
}

/// The plugins that do not read a file, and those that were not loaded, for the end of a message.
fn asked(snapshot: &Snapshot) -> String {
    let loaded =
        snapshot.plugins.iter().filter(|plugin| plugin.state == State::Loaded && !plugin.decoders.is_empty());
    let names: Vec<String> = loaded.map(|plugin| format!("'{}'", plugin.id)).collect();
    let asked = match names.as_slice() {
        [] => "no codec plugin is loaded".to_owned(),
        [one] => format!("codec plugin {one} does not read it"),
        many => format!("none of the codec plugins {} reads it", many.join(", ")),
    };
    asked + &no_reader(snapshot)
}

fn unknown_plugin(snapshot: &Snapshot, wanted: &str) -> Error {
    not_among(snapshot, snapshot.decoders.iter().map(DecoderKind::plugin), wanted)
}
