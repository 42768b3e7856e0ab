//! Chooses among the encoders of all plugins, and makes the error if there is none.

#![forbid(unsafe_code)]

use crate::error::{Error, Fault, Parameter, Result};
use crate::host::ffi::fault::{Failure, Trouble};
use crate::host::ffi::output::ByteSink;
use crate::host::ffi::raw;
use crate::host::registry::{self, Snapshot};
use crate::host::selection::absence;
use crate::host::session::encoder::{Encoder, Unopened, Why};
use crate::host::table::encoder::{EncoderKind, EncoderRequest, EncoderSummary};
use crate::host::table::option;
use crate::track::Container;

/// The encoders that can be used and the plugins they belong to, in order of precedence.
pub fn encoders() -> Vec<(&'static str, EncoderSummary)> {
    let snapshot = registry::snapshot();
    snapshot.encoders.iter().map(|kind| (kind.plugin(), kind.summary().clone())).collect()
}

/// The missing plugins that could write files with these names, and why they are missing, for the end of a message.
pub(crate) fn no_writer(names: &[&str]) -> String {
    absence::no_writer(registry::snapshot(), names)
}

/// Opens an encoder of the requested plugin, or of the first in order of precedence; if that does not write such a stream, of the
/// next.
///
/// # Errors
/// [`Error::Unsupported`] if no plugin writes that codec into that container; [`Error::Argument`] if the requested plugin does not
/// exist or the request is invalid; [`Error::Plugin`] if the plugins reject the request or fail, with the message of each;
/// [`Error::Io`] if the output cannot be written.
pub fn open_encoder(
    request: &EncoderRequest,
    wanted: Option<&str>,
    output: Box<dyn ByteSink>,
) -> Result<Encoder> {
    choose(registry::stages(), request, wanted, output)
}

/// As [`open_encoder`], among the plugins of the first snapshot that has one for it; the last has all.
pub(crate) fn choose<'a>(
    stages: impl IntoIterator<Item = &'a Snapshot>,
    request: &EncoderRequest,
    wanted: Option<&str>,
    output: Box<dyn ByteSink>,
) -> Result<Encoder> {
    request.check()?;
    if wanted.is_none() && !request.settings.is_empty() {
        let expected = "given with the plugin that they are for";
        return Err(Error::argument(Parameter::PluginOptions, expected, "none"));
    }
    let (codec, container) = (&request.codec, &request.container);
    let name = raw::name(container).map(Container::new);
    let mut output = output;
    let mut refusals: Vec<(&EncoderKind, Failure)> = Vec::new();
    let mut last = None;
    for snapshot in stages {
        last = Some(snapshot);
        let able = asked(snapshot, wanted).filter(|kind| kind.writes(codec, container));
        // The encoders of a stage begin with those of the one before.
        for kind in able.skip(refusals.len()) {
            let owner = format!("the encoder '{}'", kind.name());
            option::check(&kind.summary().options, &request.settings, &owner)?;
            match Encoder::open(kind, request, output, &|| false) {
                Ok(encoder) => return Ok(encoder),
                Err(Unopened { why: Why::Interrupted, .. }) => return Err(Error::Interrupted),
                Err(Unopened { why: Why::Trouble(Trouble::Plugin(failure)), output: Some(unused) })
                    if matches!(failure.fault, Fault::Unsupported | Fault::MissingDependency) =>
                {
                    refusals.push((kind, failure));
                    output = unused;
                }
                Err(Unopened { why: Why::Trouble(trouble), .. }) => {
                    return Err(trouble.into_error(kind.plugin(), "opening", name));
                }
            }
        }
    }
    let nothing = Snapshot::default();
    let snapshot = last.unwrap_or(&nothing);
    if let Some(wanted) = wanted
        && asked(snapshot, Some(wanted)).next().is_none()
    {
        let plugins = snapshot.encoders.iter().map(EncoderKind::plugin);
        return Err(absence::not_among(snapshot, plugins, wanted));
    }
    Err(refused(snapshot, refusals, request).unwrap_or_else(|| unwritten(snapshot, request, wanted)))
}

/// The encoders of the requested plugin, or all.
fn asked<'a>(snapshot: &'a Snapshot, wanted: Option<&str>) -> impl Iterator<Item = &'a EncoderKind> {
    snapshot.encoders.iter().filter(move |kind| wanted.is_none_or(|wanted| kind.plugin() == wanted))
}

/// The error for a stream that all plugins rejected; `None` if there were none.
fn refused(
    snapshot: &Snapshot,
    refusals: Vec<(&EncoderKind, Failure)>,
    request: &EncoderRequest,
) -> Option<Error> {
    // The most informative failure comes first: a rejection of the stream before a missing library.
    let first = refusals.iter().position(|(_, failure)| failure.fault == Fault::Unsupported).unwrap_or(0);
    let mut others = refusals;
    let (kind, mut failure) = (first < others.len()).then(|| others.remove(first))?;
    for (other, refusal) in others {
        let (plugin, name) = (other.plugin(), other.name());
        failure.what.push_str(&format!("; plugin '{plugin}' ({name}) says: {}", refusal.what));
    }
    failure.what.push_str(&absence::no_writer(snapshot, &[&request.codec, &request.container]));
    let container = raw::name(&request.container).map(Container::new);
    Some(failure.into_error(kind.plugin(), "opening", container))
}

/// The error for a codec that no encoder writes into a container: the supported combinations, and the missing plugins.
fn unwritten(snapshot: &Snapshot, request: &EncoderRequest, wanted: Option<&str>) -> Error {
    let EncoderRequest { codec, container, .. } = request;
    let kinds = || asked(snapshot, wanted);
    let mut what = match wanted {
        Some(plugin) => {
            format!("plugin '{plugin}' does not write codec '{codec}' into container '{container}'")
        }
        None if snapshot.encoders.is_empty() => {
            format!(
                "codec '{codec}' in container '{container}' needs a codec plugin that encodes, and none is loaded"
            )
        }
        None => format!("no codec plugin writes codec '{codec}' into container '{container}'"),
    };
    let (codecs, containers) = (codecs_into(kinds(), container), containers_for(kinds(), codec));
    if !codecs.is_empty() {
        what.push_str(&format!("; codecs for '{container}': {}", codecs.join(", ")));
    }
    if !containers.is_empty() {
        what.push_str(&format!("; containers for '{codec}': {}", containers.join(", ")));
    }
    what.push_str(&absence::no_writer(snapshot, &[codec, container]));
    let container = raw::name(container).map(Container::new);
    Error::Unsupported { path: None, container, codec: Some(codec.clone()), what }
}

fn codecs_into<'a>(kinds: impl IntoIterator<Item = &'a EncoderKind>, container: &str) -> Vec<String> {
    let is_able = |kind: &&EncoderKind| kind.summary().containers.iter().any(|other| other == container);
    distinct(kinds.into_iter().filter(is_able).flat_map(|kind| &kind.summary().codecs))
}

fn containers_for<'a>(kinds: impl IntoIterator<Item = &'a EncoderKind>, codec: &str) -> Vec<String> {
    let is_able = |kind: &&EncoderKind| kind.summary().codecs.iter().any(|other| other == codec);
    distinct(kinds.into_iter().filter(is_able).flat_map(|kind| &kind.summary().containers))
}

/// The names in their order, each once.
pub(super) fn distinct<'a>(names: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut distinct: Vec<String> = Vec::new();
    for name in names {
        if !distinct.contains(name) {
            distinct.push(name.clone());
        }
    }
    distinct
}
