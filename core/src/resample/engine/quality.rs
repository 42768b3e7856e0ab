//! What a resampler can be asked for, and the figures behind each name.

#![forbid(unsafe_code)]

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Parameter, Result};

/// The numbers that a resampler calculates with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// 32-bit floats: about 140 dB between the sound and the noise of rounding.
    Single,
    /// 64-bit floats.
    Double,
}

/// How much a resampler lets through, and how well it keeps out what the output cannot hold.
///
/// The figures are those of the filter's design, from the rates alone: none of them depends on the sound.
///
/// ```
/// use mapwave_core::resample::{Precision, FilterQuality};
///
/// let best: FilterQuality = "best".parse()?;
/// assert!(best.rejection() >= 160.0 && best.precision() == Precision::Double);
/// assert!("linear".parse::<FilterQuality>().is_err());
/// # Ok::<(), mapwave_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FilterQuality {
    /// 80 dB, to 0.80 of the lower Nyquist frequency.
    Fastest,
    /// 100 dB, to 0.85.
    Low,
    /// 120 dB, to 0.90: more than 16 bits and less than 24 hold.
    Medium,
    /// 145 dB, to 0.913: all that 24 bits hold.
    High,
    /// 170 dB, to 0.913.
    Best,
}

impl FilterQuality {
    /// Every quality, from the fastest to the best.
    pub const ALL: [Self; 5] = [Self::Fastest, Self::Low, Self::Medium, Self::High, Self::Best];

    /// The name that [`FromStr`] takes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fastest => "fastest",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Best => "best",
        }
    }

    /// By how many decibels everything from the lower of the two Nyquist frequencies on is attenuated. One over that
    /// ratio is also the pass band's ripple.
    pub fn rejection(self) -> f64 {
        match self {
            Self::Fastest => 80.0,
            Self::Low => 100.0,
            Self::Medium => 120.0,
            Self::High => 145.0,
            Self::Best => 170.0,
        }
    }

    /// Where the pass band ends, as a fraction of the lower Nyquist frequency.
    pub fn pass_band(self) -> f64 {
        match self {
            Self::Fastest => 0.80,
            Self::Low => 0.85,
            Self::Medium => 0.90,
            Self::High | Self::Best => 0.913,
        }
    }

    /// The precision that keeps this quality's figures. A plan of the other one works, but single precision cannot hold
    /// more than about 140 dB.
    pub fn precision(self) -> Precision {
        match self {
            Self::Fastest | Self::Low | Self::Medium => Precision::Single,
            Self::High | Self::Best => Precision::Double,
        }
    }
}

/// The length of the filter. At twice the rate, the images of what passed are a whole Nyquist frequency away; filters this
/// short fall 6 dB short of Kaiser's figures, and the images of several bands add up.
pub(crate) fn num_taps(quality: FilterQuality) -> u32 {
    match quality {
        FilterQuality::Fastest | FilterQuality::Low => 16,
        FilterQuality::Medium => 20,
        FilterQuality::High | FilterQuality::Best => 24,
    }
}

impl fmt::Display for FilterQuality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for FilterQuality {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let known = Self::ALL.into_iter().find(|quality| quality.name() == name);
        known.ok_or_else(|| {
            let expected = "'best', 'high', 'medium', 'low' or 'fastest'";
            Error::argument(Parameter::ResampleQuality, expected, format!("'{name}'"))
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for quality in FilterQuality::ALL {
            assert_eq!(quality.to_string().parse::<FilterQuality>().unwrap(), quality);
        }
        let message = "Best".parse::<FilterQuality>().unwrap_err().to_string();
        assert_eq!(
            message,
            "resample_quality must be 'best', 'high', 'medium', 'low' or 'fastest', got 'Best'"
        );
    }
}
