//! Chooses the plugin that reads a file, and makes the error if none does.

#![forbid(unsafe_code)]

use std::fmt;
use std::sync::Arc;

use crate::error::{Error, Fault, Result};
use crate::host::ffi::fault::Failure;
use crate::host::ffi::input::PluginInput;
use crate::host::ffi::log::{self, Level};
use crate::host::ffi::raw::Pairs;
use crate::host::listing::State;
use crate::host::registry::{self, Snapshot};
use crate::host::selection::absence::{no_reader, not_among, not_loaded};
use crate::host::selection::recent::{self, Known};
use crate::host::selection::seek_table::{self, SeekTable};
use crate::host::session::decoder::{self, Decoder};
use crate::host::session::probing::{self, Question};
use crate::host::table::decoder::{DecoderKind, Hint};
use crate::host::table::option;
use crate::limits::Limits;
use crate::source::{Identity, Scratch, Source};
use crate::track::Track;

/// The probe score of a plugin that knows the format; if it finds a file damaged, the file is damaged.
const CERTAIN: u8 = 100;

/// The probe score of a plugin that has seen a mark of the format, or several frames of it.
const SURE: u8 = 95;

/// How many bytes are looked at first where they must be fetched: those that were fetched to look for a header.
const COSTLY_BYTES: u32 = 4 << 10;

/// What of a file is read, and by what.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Choice<'a> {
    /// The codec plugin of this name, instead of the one that recognises the file best.
    pub plugin: Option<&'a str>,
    /// The sound track of this number, counted from 0, instead of the default one.
    pub track: Option<u32>,
    /// Values of options of that plugin's own.
    pub options: &'a [(String, String)],
    /// What [`Reader::seek_table`](crate::Reader::seek_table) returned for the same track of the same file.
    pub seek_table: Option<&'a [u8]>,
    /// How much a read may return.
    pub limits: Limits,
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

/// An open file.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) decoder: Decoder,
    /// The failures of decoders with a higher score.
    pub(crate) failures: Vec<PluginFailure>,
}

/// The failure of a decoder that reported a higher score for a file than the one that reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginFailure {
    /// The name of the plugin.
    pub plugin: &'static str,
    /// The name of its decoder.
    pub decoder: &'static str,
    /// What it said.
    pub what: String,
}

impl PluginFailure {
    fn new(kind: &DecoderKind, failure: &Failure) -> Self {
        let at = failure.offset.map_or_else(String::new, |offset| format!(" at byte {offset}"));
        Self { plugin: kind.plugin(), decoder: kind.name(), what: failure.what.clone() + &at }
    }
}

impl fmt::Display for PluginFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "plugin '{}' ({}) says: {}", self.plugin, self.decoder, self.what)
    }
}

/// Opens a track of a file with the requested plugin, or with the plugin that reports the highest score; if that fails, with the
/// next.
///
/// The bytes decide, not the name of the file. Where no decoder finds a plausible structure in the first bytes, those that can
/// look further are given more. Where none reads the file after that, those that recognise files only while they open them try.
///
/// A decoder that says that it does not support the file gives way to the next without a word. Any other failure gives way too,
/// but is kept with the decoder and logged as a warning. A decoder with a score of [`CERTAIN`] that finds the file damaged ends
/// the search, as one that comes with mapwave does if the file asks for more memory than it may take.
pub(crate) fn open(
    source: &Arc<Source>,
    track: Option<&Track>,
    choice: Choice<'_>,
) -> Result<Opened, NotOpened> {
    let wanted = choice.plugin;
    let input = PluginInput::new(Arc::clone(source), track).with_stream(choice.track);
    let input = input.with_settings(Pairs::new(choice.options));
    let identity = source.identity().filter(|_| wanted.is_none());
    let search = |snapshot| Search { snapshot, source, input: &input, track, choice, failures: Vec::new() };
    if wanted.is_none()
        && let Some(near) = registry::near_snapshot()
    {
        if let Some(decoder) = remembered(near, identity.as_ref(), &input, choice) {
            return Ok(Opened { decoder, failures: Vec::new() });
        }
        if let Some(decoder) = search(near).by_built_in() {
            if let Some(identity) = identity {
                recent::note(identity, choice.track, near, *decoder.kind());
            }
            return Ok(Opened { decoder, failures: Vec::new() });
        }
    }
    let snapshot = registry::snapshot();
    if let Some(wanted) = wanted
        && !snapshot.decoders.iter().any(|kind| kind.plugin() == wanted)
    {
        return Err(NotOpened::Failed(Box::new(unknown_plugin(snapshot, wanted))));
    }
    if let Some(decoder) = remembered(snapshot, identity.as_ref(), &input, choice) {
        return Ok(Opened { decoder, failures: Vec::new() });
    }
    let mut search = search(snapshot);
    let decoder = search.run()?;
    let failures = search.reported();
    if let Some(identity) = identity.filter(|_| failures.is_empty()) {
        recent::note(identity, choice.track, snapshot, *decoder.kind());
    }
    Ok(Opened { decoder, failures })
}

/// Opens a file with the decoder that has read it before, if it is remembered.
fn remembered(
    snapshot: &'static Snapshot,
    identity: Option<&Identity>,
    input: &PluginInput,
    choice: Choice<'_>,
) -> Option<Decoder> {
    let identity = identity?;
    let Known { kind, index } = recent::recall(identity, choice.track, snapshot)?;
    let mut decoder = match &index {
        Some(index) => decoder::open(&kind, &input.with_index(index.clone())).ok()?,
        None => open_with_table(&kind, input, choice).ok()?,
    };
    // It is opened again and again.
    if index.is_none() {
        let saved = seek_table::worth_saving(input.source()).and_then(|most| decoder.save_index(most));
        recent::note_index(identity, choice.track, saved.map(Arc::from));
    }
    Some(decoder)
}

/// Opens a file, with the caller's seek table if it is of that file and that decoder has made it.
fn open_with_table(kind: &DecoderKind, input: &PluginInput, choice: Choice<'_>) -> Result<Decoder, Failure> {
    let table = choice.seek_table.and_then(|table| SeekTable::parse(table, input.source()));
    match table.filter(|table| table.is_of(kind, choice.track)) {
        Some(table) => decoder::open(kind, &input.with_index(Some(Arc::from(table.index)))),
        None => decoder::open(kind, input),
    }
}

/// A search for the decoder of a file.
struct Search<'a> {
    snapshot: &'static Snapshot,
    source: &'a Source,
    input: &'a PluginInput,
    track: Option<&'a Track>,
    choice: Choice<'a>,
    /// Those that were asked to open the file, or how sure they are, and failed.
    failures: Vec<(&'static DecoderKind, Failure)>,
}

impl Search<'_> {
    fn run(&mut self) -> Result<Decoder, NotOpened> {
        let wanted = self.choice.plugin;
        let decoders = self.snapshot.decoders.iter();
        let kinds = decoders.filter(|kind| wanted.is_none_or(|wanted| kind.plugin() == wanted));
        let mut scores = kinds.map(|kind| (0, kind)).collect();
        self.ask_first(&mut scores)?;
        if scores.iter().all(|(score, _)| *score < PLAUSIBLE) {
            let num_bytes = self.source.len();
            let sees_more = |kind: &DecoderKind| {
                kind.probe_bytes() > kind.first_bytes() && num_bytes > u64::from(kind.first_bytes())
            };
            self.ask(&mut scores, sees_more, DecoderKind::probe_bytes, Hint::Nothing)?;
        }
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
            let options = self.choice.options;
            option::check(kind.options(), options, &format!("the decoder '{}'", kind.name()))
                .map_err(|error| NotOpened::Failed(Box::new(error)))?;
            let failure = match open_with_table(kind, self.input, self.choice) {
                Ok(decoder) => return Ok(decoder),
                Err(failure) => failure,
            };
            match failure.fault {
                Fault::Refused => return Err(no_such_track(self.choice, &failure)),
                // A requested plugin that did not recognise the file cannot tell that it is damaged.
                Fault::BadData if score == 0 => {
                    self.failures
                        .push((kind, Failure { fault: Fault::Unsupported, offset: None, ..failure }));
                }
                // Another plugin might read what is damaged and not notice, or take what this one may not: a file that asks for too
                // much is not safer with others.
                Fault::BadData if score == CERTAIN => {
                    self.failures.push((kind, failure));
                    return Err(self.not_opened());
                }
                Fault::Memory if score >= PLAUSIBLE && kind.is_trusted() => {
                    self.failures.push((kind, failure));
                    return Err(self.not_opened());
                }
                _ => self.failures.push((kind, failure)),
            }
        }
        if wanted.is_some() {
            left.clear();
        }
        self.ask(&mut left, |_| true, DecoderKind::first_bytes, Hint::Name)?;
        for (_, kind) in left.into_iter().filter(|(score, _)| *score > 0) {
            match open_with_table(kind, self.input, self.choice) {
                Ok(decoder) => return Ok(decoder),
                Err(failure) if failure.fault == Fault::Refused => {
                    return Err(no_such_track(self.choice, &failure));
                }
                // It is not a file of theirs.
                Err(Failure {
                    fault: Fault::BadData | Fault::Unsupported | Fault::MissingDependency,
                    ..
                }) => {}
                Err(failure) => self.failures.push((kind, failure)),
            }
        }
        Err(self.not_opened())
    }

    /// The decoder of a plugin that is built in, if it has seen a mark of the format and no other reports a higher score. Bundled
    /// libraries report the same score at most, and come after those that are built in.
    fn by_built_in(&mut self) -> Option<Decoder> {
        let mut scores = self.snapshot.decoders.iter().map(|kind| (0, kind)).collect();
        self.ask_first(&mut scores).ok()?;
        // The first of those that are equally sure.
        let (score, kind) = scores.into_iter().min_by_key(|(score, _)| std::cmp::Reverse(*score))?;
        let is_simple = self.failures.is_empty() && self.choice.options.is_empty();
        if score < SURE || !kind.is_trusted() || !is_simple {
            return None;
        }
        open_with_table(kind, self.input, self.choice).ok()
    }

    /// Asks all with the first bytes, where they are costly with fewer if those do.
    fn ask_first(&mut self, scores: &mut Vec<(u8, &'static DecoderKind)>) -> Result<(), NotOpened> {
        if self.source.is_costly() {
            self.ask(scores, |_| true, |kind| kind.first_bytes().min(COSTLY_BYTES), Hint::Nothing)?;
            if scores.iter().any(|(score, kind)| *score >= SURE && kind.is_trusted()) {
                return Ok(());
            }
        }
        self.ask(scores, |_| true, DecoderKind::first_bytes, Hint::Nothing)
    }

    /// Asks those that are `wanted` with a number of bytes each, and keeps the highest score of each. One that fails is asked no
    /// more.
    fn ask(
        &mut self,
        scores: &mut Vec<(u8, &'static DecoderKind)>,
        wanted: impl Fn(&DecoderKind) -> bool,
        num_bytes: impl Fn(&DecoderKind) -> u32,
        hint: Hint,
    ) -> Result<(), NotOpened> {
        let asked = scores.iter().filter(|(_, kind)| wanted(kind));
        let question = |(_, kind): &(u8, &'static DecoderKind)| Question {
            kind: **kind,
            num_bytes: num_bytes(kind) as usize,
        };
        let questions: Vec<Question> = asked.map(question).collect();
        let most = questions.iter().map(|question| question.num_bytes as u64).max().unwrap_or(0);
        let mut scratch = Scratch::new();
        let head = self.source.read(0..most.min(self.source.len()), &mut scratch);
        let head = head.map_err(|error| NotOpened::Failed(Box::new(error)))?;
        let mut answers = probing::probe(&questions, head, self.input, hint).into_iter();
        let failures = &mut self.failures;
        scores.retain_mut(|(score, kind)| {
            if !wanted(kind) {
                return true;
            }
            match answers.next() {
                Some(Ok(found)) => *score = found.max(*score),
                Some(Err(failure)) => {
                    failures.push((kind, failure));
                    return false;
                }
                None => {}
            }
            true
        });
        Ok(())
    }

    /// The failures of decoders that another one has replaced, which are logged: not of those that do not support the file, nor
    /// of those that are set aside, about which there was a warning then.
    fn reported(&self) -> Vec<PluginFailure> {
        let is_silent = |kind: &DecoderKind, failure: &Failure| {
            failure.fault == Fault::Unsupported || kind.standing().why_set_aside().is_some()
        };
        let failures = self.failures.iter().filter(|(kind, failure)| !is_silent(kind, failure));
        let reported: Vec<_> = failures.map(|(kind, failure)| PluginFailure::new(kind, failure)).collect();
        let file = self.source.path().map_or("bytes in memory".into(), std::path::Path::to_string_lossy);
        for failure in &reported {
            log::report(
                Level::Warning,
                failure.plugin,
                format!("{file}: {failure}; another decoder reads it"),
            );
        }
        reported
    }

    fn not_opened(&mut self) -> NotOpened {
        not_opened(self.snapshot, &self.failures, self.input, self.track)
    }
}

/// The error of a plugin that knows the file and does not find the track.
fn no_such_track(choice: Choice<'_>, failure: &Failure) -> NotOpened {
    let number = choice.track.unwrap_or_default();
    NotOpened::Failed(Box::new(Error::no_such_track(number, &failure.what)))
}

fn not_opened(
    snapshot: &Snapshot,
    failures: &[(&DecoderKind, Failure)],
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
