//! Chooses the plugin for a resampling quality, and makes the error if there is none.

#![forbid(unsafe_code)]

use crate::error::{Error, Fault};
use crate::host::ffi::fault::Failure;
use crate::host::ffi::raw;
use crate::host::loading::hints;
use crate::host::registry;
use crate::host::selection::absence::not_loaded;
use crate::host::table::resampler::ResamplerKind;

/// The first resampler with a quality, in order of precedence.
pub(crate) fn resampler(quality: &str) -> Option<ResamplerKind> {
    registry::stages().find_map(|stage| stage.resamplers.iter().find(|kind| kind.has(quality)).cloned())
}

/// The first resampler with a default quality, in order of precedence, and that quality.
pub(crate) fn default_resampler() -> Option<(ResamplerKind, String)> {
    registry::stages().find_map(|stage| default_among(&stage.resamplers))
}

fn default_among(kinds: &[ResamplerKind]) -> Option<(ResamplerKind, String)> {
    kinds.iter().find_map(|kind| Some((kind.clone(), kind.summary().default_quality.clone()?)))
}

/// The qualities of all plugins, in order of precedence, then those of hints, each once.
pub(crate) fn qualities() -> Vec<String> {
    let snapshot = registry::snapshot();
    let loaded = snapshot.resamplers.iter().flat_map(|kind| kind.summary().qualities.clone());
    let hinted = hints::qualities().into_iter().map(str::to_owned);
    let mut qualities: Vec<String> = Vec::new();
    for quality in loaded.chain(hinted) {
        if !qualities.contains(&quality) {
            qualities.push(quality);
        }
    }
    qualities
}

/// The name of a quality that a plugin has, or that a missing plugin with a hint would have.
pub(crate) fn quality(name: &str) -> Option<&'static str> {
    match resampler(name) {
        Some(_) => raw::name(name),
        None => hints::with_quality(name).map(|(_, quality)| quality),
    }
}

/// The error for a quality that no plugin has.
pub(crate) fn no_resampler(quality: &str) -> Error {
    let snapshot = registry::snapshot();
    let what = format!(
        "no loaded plugin resamples with '{quality}'{}{}; 'best' needs no plugin",
        hints::for_quality(quality, &snapshot.plugins),
        not_loaded(snapshot)
    );
    let failure = Failure { fault: Fault::MissingDependency, offset: None, what };
    let plugin = hints::with_quality(quality).map_or("?", |(hint, _)| hint.plugin);
    failure.into_error(plugin, "resampling", None)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::host::tests::fake_resampler;

    #[test]
    fn the_first_that_offers_a_default_decides() {
        let (plain, offering) = (fake_resampler::kind(true), fake_resampler::offering(c"honest", 256));
        assert!(default_among(std::slice::from_ref(&plain)).is_none());
        let kinds = [plain, offering, fake_resampler::offering(c"short", 0)];
        assert_eq!(default_among(&kinds).unwrap().1, "honest");
        assert!(default_among(&[fake_resampler::offering(c"nothing of its own", 0)]).is_none());
    }

    #[test]
    fn rates_may_be_less_far_apart_than_the_limit() {
        let near = fake_resampler::offering(c"honest", 256);
        assert!(near.bridges(255_999, 1000) && near.bridges(1000, 255_999));
        assert!(!near.bridges(256_000, 1000) && !near.bridges(1000, 256_000));
        assert!(fake_resampler::kind(true).bridges(768_000, 1));
    }
}
