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
use crate::host::table::decoder::{DecoderKind, Hint};
use crate::source::{Scratch, Source};
use crate::track::Track;

/// The probe score of a plugin that knows the format; if it finds a file damaged, the file is damaged.
const CERTAIN: u8 = 100;

/// What of a file is read, and by what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Choice<'a> {
    /// The codec plugin of this name, instead of the one that recognises the file best.
    pub plugin: Option<&'a str>,
    /// The sound track of this number, counted from 0, instead of the default one.
    pub track: Option<u32>,
}

/// Why no plugin opened a file.
#[derive(Debug)]
pub(crate) enum NotOpened {
    /// None of the plugins reads such a file; their names, for the user.
    Unread(String),
    /// Some plugins tried and failed.
    Failed(Box<Error>),
}

/// The score from which on a decoder has found a plausible structure (`mw_decoder_table::probe`).
const PLAUSIBLE: u8 = 50;

/// Opens a track of a file with the requested plugin, or with the plugin that reports the highest score; if that fails, with the
/// next.
///
/// The bytes decide, not the name of the file. Where no decoder finds a plausible structure in the first bytes, those that can
/// look further are given more. Where none reads the file after that, those that recognise files only while they open them try.
/// A decoder with a score of [`CERTAIN`] that finds the file damaged ends the search.
pub(crate) fn open(
    source: &Arc<Source>,
    track: Option<&Track>,
    choice: Choice<'_>,
) -> Result<Decoder, NotOpened> {
    let wanted = choice.plugin;
    let snapshot = registry::snapshot();
    if let Some(wanted) = wanted
        && !snapshot.decoders.iter().any(|kind| kind.plugin() == wanted)
    {
        return Err(NotOpened::Failed(Box::new(unknown_plugin(snapshot, wanted))));
    }
    let kinds = snapshot.decoders.iter().filter(|kind| wanted.is_none_or(|wanted| kind.plugin() == wanted));
    let input = PluginInput::new(Arc::clone(source), track).with_stream(choice.track);
    let mut probing = Probing { source, input: &input, scores: Vec::new(), failures: Vec::new() };
    probing.scores.extend(kinds.map(|kind| (0, kind)));
    probing.ask(|_| true, DecoderKind::first_bytes, Hint::Nothing)?;
    if probing.scores.iter().all(|(score, _)| *score < PLAUSIBLE) {
        let sees_more = |kind: &DecoderKind| {
            kind.probe_bytes() > kind.first_bytes() && source.len() > u64::from(kind.first_bytes())
        };
        probing.ask(sees_more, DecoderKind::probe_bytes, Hint::Nothing)?;
    }
    let Probing { mut scores, mut failures, .. } = probing;
    // A stable sort: equal scores keep the order of precedence.
    scores.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    // A requested plugin is tried in any case, its other decoders only if none of them recognised the file.
    let is_known = scores.first().is_some_and(|(score, _)| *score > 0);
    let mut left = Vec::new();
    for (score, kind) in scores {
        if score == 0 && (wanted.is_none() || is_known) {
            left.push((score, kind));
            continue;
        }
        match decoder::open(kind, &input) {
            Ok(decoder) => return Ok(decoder),
            Err(failure) if failure.fault == Fault::Refused => return Err(no_such_track(choice, &failure)),
            // A requested plugin that did not recognise the file cannot tell that it is damaged.
            Err(failure) if score == 0 && failure.fault == Fault::BadData => {
                failures.push((kind, Failure { fault: Fault::Unsupported, offset: None, ..failure }));
            }
            // Another plugin might read what is damaged and not notice.
            Err(failure) if score == CERTAIN && failure.fault == Fault::BadData => {
                failures.push((kind, failure));
                return Err(not_opened(snapshot, failures, &input, track));
            }
            Err(failure) => failures.push((kind, failure)),
        }
    }
    if wanted.is_some() {
        left.clear();
    }
    let mut probing = Probing { source, input: &input, scores: left, failures };
    probing.ask(|_| true, DecoderKind::first_bytes, Hint::Name)?;
    let Probing { scores, mut failures, .. } = probing;
    for (_, kind) in scores.into_iter().filter(|(score, _)| *score > 0) {
        match decoder::open(kind, &input) {
            Ok(decoder) => return Ok(decoder),
            Err(failure) if failure.fault == Fault::Refused => return Err(no_such_track(choice, &failure)),
            // It is not a file of theirs.
            Err(Failure {
                fault: Fault::BadData | Fault::Unsupported | Fault::MissingDependency, ..
            }) => {}
            Err(failure) => failures.push((kind, failure)),
        }
    }
    Err(not_opened(snapshot, failures, &input, track))
}

/// The error of a plugin that knows the file and does not find the track.
fn no_such_track(choice: Choice<'_>, failure: &Failure) -> NotOpened {
    let number = choice.track.unwrap_or_default();
    NotOpened::Failed(Box::new(Error::no_such_track(number, &failure.what)))
}

/// The decoders that are asked for a file, with their highest scores so far.
struct Probing<'a> {
    source: &'a Source,
    input: &'a PluginInput,
    scores: Vec<(u8, &'a DecoderKind)>,
    failures: Vec<(&'a DecoderKind, Failure)>,
}

impl Probing<'_> {
    /// Asks those that are `wanted` with a number of bytes each. One that fails is asked no more.
    fn ask(
        &mut self,
        wanted: impl Fn(&DecoderKind) -> bool,
        num_bytes: impl Fn(&DecoderKind) -> u32,
        hint: Hint,
    ) -> Result<(), NotOpened> {
        let asked = self.scores.iter().filter(|(_, kind)| wanted(kind));
        let most = asked.map(|(_, kind)| u64::from(num_bytes(kind))).max().unwrap_or(0);
        let mut scratch = Scratch::new();
        let head = self.source.read(0..most.min(self.source.len()), &mut scratch);
        let head = head.map_err(|error| NotOpened::Failed(Box::new(error)))?;
        let (input, failures) = (self.input, &mut self.failures);
        self.scores.retain_mut(|(score, kind)| {
            if !wanted(kind) {
                return true;
            }
            let head = head.get(..num_bytes(kind) as usize).unwrap_or(head);
            let answer = decoder::probe(kind, head, input, hint);
            match answer {
                Ok(found) => *score = found.max(*score),
                Err(failure) => {
                    failures.push((*kind, failure));
                    return false;
                }
            }
            true
        });
        Ok(())
    }
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
