//! Which plugin resamples with a quality, and the error when none does.

#![forbid(unsafe_code)]

use crate::error::{Error, Fault};
use crate::host::ffi::fault::Failure;
use crate::host::registry;
use crate::host::selection::absence::not_loaded;
use crate::host::table::resampler::ResamplerKind;

/// The resampler that has a quality: the first in order of precedence.
pub(crate) fn resampler(quality: &str) -> Option<ResamplerKind> {
    registry::snapshot().resamplers.iter().find(|kind| kind.has(quality)).cloned()
}

/// The error of a quality that no plugin has.
pub(crate) fn no_resampler(quality: &str) -> Error {
    let what = format!(
        "no loaded plugin resamples with '{quality}': it is libsoxr's, whose plugin comes with mapwave's wheel (pip install \
         --force-reinstall mapwave; mapwave plugins list tells what is loaded); 'best' needs nothing and is as good{}",
        not_loaded(&registry::snapshot())
    );
    let failure = Failure { fault: Fault::MissingDependency, offset: None, what };
    failure.into_error("soxr", "resampling", None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quality_that_nobody_has_is_told_with_how_to_get_it() {
        assert!(resampler("soxr_ultra").is_none());
        let message = no_resampler("soxr_vhq").to_string();
        assert!(
            message.contains("'soxr_vhq'") && message.contains("pip install --force-reinstall mapwave"),
            "{message}"
        );
    }
}
