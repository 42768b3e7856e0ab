//! Arguments that are one of several words, in upper or lower case.

use std::fmt::Display;

use mapwave_core::sink::{Dither as CoreDither, Overflow};
use mapwave_core::{Layout, MonoMode, OutputFormat, ResampleQuality};
use pyo3::prelude::*;
use pyo3::types::PyBool;

use super::spelling::{dtype_name, lower, word};
use super::value::{Argument, Mismatch};

/// Finds a word's meaning; `expected` lists the words.
fn meaning<T>(
    value: &Bound<'_, PyAny>,
    expected: &str,
    find: impl FnOnce(&str) -> Option<T>,
) -> Result<T, Mismatch> {
    let word = word(value).ok_or_else(|| Mismatch::kind(expected))?;
    find(&word).ok_or_else(|| Mismatch::value(expected))
}

/// Words in quotes, as a message lists them.
fn one_of(words: &[impl Display]) -> String {
    let words: Vec<_> = words.iter().map(|word| format!("'{word}'")).collect();
    format!("one of {}", words.join(", "))
}

/// The type of samples in an array.
pub(crate) struct Dtype(pub(crate) OutputFormat);

impl<'py> Argument<'py> for Dtype {
    fn parse(value: &Bound<'py, PyAny>) -> Result<Self, Mismatch> {
        let expected = || one_of(&OutputFormat::ALL);
        let name =
            dtype_name(value).ok_or_else(|| Mismatch::kind(expected() + " or a library's own dtype"))?;
        name.parse().map(Self).map_err(|_| Mismatch::value(expected()))
    }
}

impl<'py> Argument<'py> for Layout {
    fn parse(value: &Bound<'py, PyAny>) -> Result<Self, Mismatch> {
        meaning(value, "'channels_last' or 'channels_first'", |word| word.parse().ok())
    }
}

/// A layout, or None for "auto".
pub(crate) struct AnyLayout(pub(crate) Option<Layout>);

impl<'py> Argument<'py> for AnyLayout {
    fn parse(value: &Bound<'py, PyAny>) -> Result<Self, Mismatch> {
        meaning(value, "'auto', 'channels_last' or 'channels_first'", |word| match word {
            "auto" => Some(Self(None)),
            word => word.parse().ok().map(|layout| Self(Some(layout))),
        })
    }
}

impl<'py> Argument<'py> for MonoMode {
    fn parse(value: &Bound<'py, PyAny>) -> Result<Self, Mismatch> {
        meaning(value, "'mean' or 'equal_power'", |word| word.parse().ok())
    }
}

/// Names of other libraries for qualities.
const ALIASES: [(&str, &str); 2] = [("soxr_style", "soxr_hq"), ("soxr_compat", "soxr_hq")];

/// How samples are brought to another rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResampleMethod {
    Core(ResampleQuality),
    /// `torchaudio.functional.resample`.
    Torchaudio,
}

impl ResampleMethod {
    /// The name of torchaudio's own.
    pub(crate) const TORCHAUDIO: &str = "torchaudio_compat";

    /// The name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Core(quality) => quality.name(),
            Self::Torchaudio => Self::TORCHAUDIO,
        }
    }

    /// Every name, for a message.
    fn names(py: Python<'_>) -> Vec<String> {
        let mut names = py.detach(ResampleQuality::names);
        let others = ALIASES.iter().filter(|(_, name)| names.iter().any(|known| known == name));
        let others: Vec<String> = others.map(|(alias, _)| (*alias).to_owned()).collect();
        names.extend(others);
        names.push(Self::TORCHAUDIO.to_owned());
        names
    }
}

impl<'py> Argument<'py> for ResampleMethod {
    fn parse(value: &Bound<'py, PyAny>) -> Result<Self, Mismatch> {
        let py = value.py();
        let Ok(name) = value.extract::<&str>() else {
            return Err(Mismatch::kind("the name of a quality such as 'default' or 'best'"));
        };
        let name = name.trim();
        let lower = lower(name);
        let lower =
            ALIASES.iter().find(|(alias, _)| *alias == lower).map_or(lower.as_ref(), |(_, name)| name);
        if lower == Self::TORCHAUDIO {
            return Ok(Self::Torchaudio);
        }
        if let Some(quality) = ResampleQuality::own(lower) {
            return Ok(Self::Core(quality));
        }
        // Other names load the plugins. A plugin's name for a quality may have upper case.
        let parsed = py.detach(|| lower.parse().or_else(|_| name.parse()));
        parsed.map(Self::Core).map_err(|_| Mismatch::value(one_of(&Self::names(py))))
    }
}

/// Whether `open` reads or writes.
pub(crate) enum Mode {
    Read,
    Write,
}

impl<'py> Argument<'py> for Mode {
    fn parse(value: &Bound<'py, PyAny>) -> Result<Self, Mismatch> {
        let expected = "'r' or 'w'";
        match value.extract::<&str>() {
            Ok("r") => Ok(Self::Read),
            Ok("w") => Ok(Self::Write),
            Ok(_) => Err(Mismatch::value(expected)),
            Err(_) => Err(Mismatch::kind(expected)),
        }
    }
}

/// What becomes of samples beyond full scale.
pub(super) struct Clip(pub(super) Overflow);

impl<'py> Argument<'py> for Clip {
    fn parse(value: &Bound<'py, PyAny>) -> Result<Self, Mismatch> {
        if let Ok(clips) = value.cast::<PyBool>() {
            return Ok(Self(if clips.is_true() { Overflow::Clip } else { Overflow::Refuse }));
        }
        match word(value).as_deref() {
            Some("rescale") => Ok(Self(Overflow::Rescale)),
            _ => Err(Mismatch::value("True, False or 'rescale'")),
        }
    }
}

/// The noise that is added before samples are rounded to integers.
pub(super) enum Dither {
    None,
    Tpdf,
}

impl Dither {
    pub(super) fn with_seed(self, seed: u64) -> CoreDither {
        match self {
            Self::None => CoreDither::None,
            Self::Tpdf => CoreDither::Tpdf { seed },
        }
    }
}

impl<'py> Argument<'py> for Dither {
    fn parse(value: &Bound<'py, PyAny>) -> Result<Self, Mismatch> {
        meaning(value, "'none' or 'tpdf'", |word| match word {
            "none" => Some(Self::None),
            "tpdf" => Some(Self::Tpdf),
            _ => None,
        })
    }
}
