//! The names of resampling qualities.

#![forbid(unsafe_code)]

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Parameter, Result};
use crate::host;
use crate::resample::engine::FilterQuality;

/// How audio is resampled.
///
/// ```
/// use mapwave_core::ResampleQuality;
/// use mapwave_core::resample::FilterQuality;
///
/// assert_eq!("high".parse::<ResampleQuality>()?, ResampleQuality::Own(FilterQuality::High));
/// assert!("linear".parse::<ResampleQuality>().is_err());
/// # Ok::<(), mapwave_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResampleQuality {
    /// The default quality of a loaded plugin, if the plugin supports the rates; otherwise the best of this crate's own.
    #[default]
    Default,
    /// A quality of this crate's own engine.
    Own(FilterQuality),
    /// A quality of a plugin, by its name.
    Plugin(&'static str),
}

impl ResampleQuality {
    /// The names that [`FromStr`] currently accepts: this crate's own, those of loaded plugins, and those of missing plugins
    /// that have a [`Hint`](crate::host::Hint).
    pub fn names() -> Vec<String> {
        let own =
            std::iter::once("default").chain(FilterQuality::ALL.map(FilterQuality::name)).map(str::to_owned);
        let mut names: Vec<String> = own.collect();
        let others = host::qualities().into_iter().filter(|name| !names.contains(name));
        let others: Vec<String> = others.collect();
        names.extend(others);
        names
    }

    /// The quality of this crate's own that has the name, [`Default`](Self::Default) among them; no plugin is looked for.
    pub fn own(name: &str) -> Option<Self> {
        let own = FilterQuality::ALL.map(Self::Own);
        std::iter::once(Self::Default).chain(own).find(|quality| quality.name() == name)
    }

    /// Whether the plugin that it needs is loaded.
    pub fn is_available(self) -> bool {
        match self {
            Self::Default | Self::Own(_) => true,
            Self::Plugin(name) => host::resampler(name).is_some(),
        }
    }

    /// The name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Own(quality) => quality.name(),
            Self::Plugin(name) => name,
        }
    }
}

impl fmt::Display for ResampleQuality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ResampleQuality {
    type Err = Error;

    /// Accepts one of the [`names`](Self::names). Resampling with the quality of a missing plugin fails with an error that says
    /// how to install the plugin.
    fn from_str(name: &str) -> Result<Self> {
        Self::own(name).or_else(|| host::quality(name).map(Self::Plugin)).ok_or_else(|| {
            let names: Vec<String> = Self::names().into_iter().map(|name| format!("'{name}'")).collect();
            Error::argument(
                Parameter::ResampleQuality,
                format!("one of {}", names.join(", ")),
                format!("'{name}'"),
            )
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read() {
        for name in ResampleQuality::names() {
            assert_eq!(name.parse::<ResampleQuality>().unwrap().name(), name);
        }
        let message = "linear".parse::<ResampleQuality>().unwrap_err().to_string();
        assert!(message.contains("one of 'default', 'fastest', 'low'"), "{message}");
        assert!(message.ends_with("got 'linear'"), "{message}");
    }

    #[test]
    fn a_quality_of_a_missing_plugin_is_known_by_its_hint() {
        let hint = host::Hint {
            plugin: "absentee",
            product: "libabsentee",
            libraries: &[],
            install: "",
            absent: "which nobody has",
            reads: false,
            writes: &[],
            qualities: &["absent_hq"],
        };
        host::register_hint(hint);
        let quality: ResampleQuality = "absent_hq".parse().unwrap();
        assert_eq!(quality, ResampleQuality::Plugin("absent_hq"));
        assert!(!quality.is_available());
        let message = host::no_resampler(quality.name()).to_string();
        let expected = "'absent_hq'; libabsentee not found: looked for a plugin 'absentee', which nobody has";
        assert!(message.contains(expected), "{message}");
    }
}
