//! The resampling qualities and the figures for each.

#![forbid(unsafe_code)]

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Parameter, Result};

/// The number type that a resampler computes with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// 32-bit floats: rounding noise is about 140 dB below the signal.
    Single,
    /// 64-bit floats.
    Double,
}

/// The pass band of a resampler, and how far it attenuates frequencies that the output cannot represent.
///
/// The figures are design values of the filter. They depend on the rates only, not on the signal.
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
    /// 120 dB, to 0.90: more than the range of 16 bits and less than that of 24.
    Medium,
    /// 145 dB, to 0.913: the full range of 24 bits.
    High,
    /// 170 dB, to 0.913.
    Best,
}

impl FilterQuality {
    /// Every quality, from the fastest to the best.
    pub const ALL: [Self; 5] = [Self::Fastest, Self::Low, Self::Medium, Self::High, Self::Best];

    /// The name that [`FromStr`] accepts.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fastest => "fastest",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Best => "best",
        }
    }

    /// The attenuation, in decibels, of everything above the lower of the two Nyquist frequencies. Its reciprocal is also the
    /// pass band's ripple.
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

    /// The precision that achieves this quality's figures. A plan with the other precision works, but single precision reaches
    /// no more than about 140 dB.
    pub fn precision(self) -> Precision {
        match self {
            Self::Fastest | Self::Low | Self::Medium => Precision::Single,
            Self::High | Self::Best => Precision::Double,
        }
    }
}

/// The length of the interpolation filter. At twice the rate, the images of the pass band are a whole Nyquist frequency away.
/// Filters this short miss Kaiser's figures by 6 dB, and the images of several bands add up.
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
            "resample quality must be 'best', 'high', 'medium', 'low' or 'fastest', got 'Best'"
        );
    }
}
