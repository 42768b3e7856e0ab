//! The names by which a caller chooses how sound is resampled.

#![forbid(unsafe_code)]

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::host;
use crate::resample::engine::Quality;

/// How sound is brought to another rate.
///
/// ```
/// use mapwave_core::ResampleQuality;
///
/// assert_eq!("soxr_style".parse::<ResampleQuality>()?, ResampleQuality::SoxrHq);
/// assert!("linear".parse::<ResampleQuality>().is_err());
/// # Ok::<(), mapwave_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResampleQuality {
    /// [`SoxrVhq`](Self::SoxrVhq) where its plugin is loaded, else the best of this crate's own.
    #[default]
    Default,
    /// This crate's own engine.
    Own(Quality),
    /// libsoxr's "high quality", 20 bits.
    SoxrHq,
    /// libsoxr's "very high quality", 28 bits.
    SoxrVhq,
}

impl ResampleQuality {
    /// The names that [`FromStr`] takes; the last two are others for `soxr_hq`.
    pub const NAMES: [&'static str; 10] = [
        "default",
        "fastest",
        "low",
        "medium",
        "high",
        "best",
        "soxr_hq",
        "soxr_vhq",
        "soxr_style",
        "soxr_compat",
    ];

    /// Whether what it needs is loaded.
    pub fn is_available(self) -> bool {
        matches!(self, Self::Default) || self.soxr().is_none_or(|name| host::resampler(name).is_some())
    }

    /// The quality that a plugin over libsoxr is asked for.
    pub(crate) fn soxr(self) -> Option<&'static str> {
        match self {
            Self::Own(_) => None,
            Self::SoxrHq => Some("soxr_hq"),
            Self::SoxrVhq | Self::Default => Some("soxr_vhq"),
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Own(quality) => quality.name(),
            Self::SoxrHq => "soxr_hq",
            Self::SoxrVhq => "soxr_vhq",
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

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "default" => Ok(Self::Default),
            "soxr_hq" | "soxr_style" | "soxr_compat" => Ok(Self::SoxrHq),
            "soxr_vhq" => Ok(Self::SoxrVhq),
            _ => Quality::ALL.into_iter().find(|quality| quality.name() == name).map(Self::Own).ok_or_else(
                || {
                    let names = Self::NAMES.map(|name| format!("'{name}'")).join(", ");
                    Error::argument("resample_quality", format!("one of {names}"), format!("'{name}'"))
                },
            ),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read() {
        for name in ResampleQuality::NAMES {
            let quality: ResampleQuality = name.parse().unwrap();
            assert!(quality.name() == name || quality == ResampleQuality::SoxrHq, "{name}");
        }
        let message = "linear".parse::<ResampleQuality>().unwrap_err().to_string();
        assert!(message.contains("'soxr_vhq'") && message.ends_with("got 'linear'"), "{message}");
    }
}
