//! Arguments that are numbers.

use pyo3::prelude::*;

use super::value::{Argument, Mismatch, number, whole};

/// The highest sample rate that can be asked for, in Hz.
const MAX_SAMPLE_RATE: u32 = mapwave_core::resample::MAX_RATE;

/// Any whole number.
pub(crate) struct Whole(pub(crate) i64);

impl<'py> Argument<'py> for Whole {
    fn parse(value: &Bound<'py, PyAny>) -> Result<Self, Mismatch> {
        whole(value).map(Self)
    }
}

/// A number of things, at least 1.
pub(crate) struct Count(pub(crate) u64);

impl<'py> Argument<'py> for Count {
    fn parse(value: &Bound<'py, PyAny>) -> Result<Self, Mismatch> {
        in_range(value, "> 0", |count| count > 0).map(Self)
    }
}

/// The sample rate of an array, in Hz, as far as it can be resampled from or to.
pub(crate) struct ArrayRate(pub(crate) u32);

impl<'py> Argument<'py> for ArrayRate {
    fn parse(value: &Bound<'py, PyAny>) -> Result<Self, Mismatch> {
        let range = 1..=i64::from(MAX_SAMPLE_RATE);
        in_range(value, &format!("1 to {MAX_SAMPLE_RATE} Hz"), |rate| range.contains(&rate)).map(Self)
    }
}

/// The sample rate of a file to be written, in Hz.
pub(super) struct FileRate(pub(super) u32);

impl<'py> Argument<'py> for FileRate {
    fn parse(value: &Bound<'py, PyAny>) -> Result<Self, Mismatch> {
        let expected = "> 0 Hz, a whole number below 2**32";
        match in_range(value, expected, |rate| rate > 0) {
            Err(Mismatch::Type(_)) if number(value).is_some() => Err(Mismatch::value(expected)),
            rate => rate.map(Self),
        }
    }
}

/// How many threads may work.
pub(crate) struct Threads(usize);

impl<'py> Argument<'py> for Threads {
    fn parse(value: &Bound<'py, PyAny>) -> Result<Self, Mismatch> {
        in_range(value, "> 0", |threads| threads > 0).map(Self)
    }
}

impl Threads {
    /// The number of threads a caller allows: all processors for None.
    pub(crate) fn max(threads: Option<Self>) -> usize {
        threads.map_or_else(mapwave_core::num_processors, |threads| threads.0)
    }
}

/// The number of a sound track.
pub(super) struct TrackNumber(pub(super) u32);

impl<'py> Argument<'py> for TrackNumber {
    fn parse(value: &Bound<'py, PyAny>) -> Result<Self, Mismatch> {
        in_range(value, ">= 0", |_| true).map(Self)
    }
}

/// The number of channels that a file is mixed to.
pub(super) struct MixedChannels(pub(super) u16);

impl<'py> Argument<'py> for MixedChannels {
    fn parse(value: &Bound<'py, PyAny>) -> Result<Self, Mismatch> {
        in_range(value, "1 to 8", |number| (1..=8).contains(&number)).map(Self)
    }
}

/// A percentage of an encoder's range.
pub(super) struct Percent(pub(super) u8);

impl<'py> Argument<'py> for Percent {
    fn parse(value: &Bound<'py, PyAny>) -> Result<Self, Mismatch> {
        in_range(value, "from 1 to 100", |percent| (1..=100).contains(&percent)).map(Self)
    }
}

/// The bits of a sample in a lossless codec.
pub(super) struct BitDepth(pub(super) u16);

impl<'py> Argument<'py> for BitDepth {
    fn parse(value: &Bound<'py, PyAny>) -> Result<Self, Mismatch> {
        in_range(value, "from 8 to 32", |bits| (8..=32).contains(&bits)).map(Self)
    }
}

/// Speaker positions.
pub(super) struct ChannelMask(pub(super) u32);

impl<'py> Argument<'py> for ChannelMask {
    fn parse(value: &Bound<'py, PyAny>) -> Result<Self, Mismatch> {
        in_range(value, "a WAVE channel mask of 32 bits", |_| true).map(Self)
    }
}

/// Which noise.
pub(super) struct Seed(pub(super) u64);

impl<'py> Argument<'py> for Seed {
    fn parse(value: &Bound<'py, PyAny>) -> Result<Self, Mismatch> {
        in_range(value, "at least 0", |_| true).map(Self)
    }
}

/// Bits a second of a lossy codec.
pub(super) struct Bitrate(pub(super) Option<u32>);

impl<'py> Argument<'py> for Bitrate {
    /// Takes "auto", a number, or text such as "192k".
    fn parse(value: &Bound<'py, PyAny>) -> Result<Self, Mismatch> {
        let refuse = || Mismatch::value("'auto' or bits a second such as '192k' or 192000");
        let rate = match value.extract::<&str>() {
            Ok(word) if word.eq_ignore_ascii_case("auto") => return Ok(Self(None)),
            Ok(word) => {
                let word = word.trim().to_ascii_lowercase();
                let (digits, factor) = match word.strip_suffix('k') {
                    Some(digits) => (digits, 1000),
                    None => match word.strip_suffix('m') {
                        Some(digits) => (digits, 1_000_000),
                        None => (word.as_str(), 1),
                    },
                };
                digits.parse::<i64>().ok().and_then(|count| count.checked_mul(factor))
            }
            Err(_) => whole(value).ok(),
        };
        let rate = rate.and_then(|rate| u32::try_from(rate).ok()).filter(|&rate| rate > 0);
        rate.map(|rate| Self(Some(rate))).ok_or_else(refuse)
    }
}

/// A level of FLAC compression, as an encoder's effort; None for the default.
pub(super) struct FlacLevel(pub(super) Option<u8>);

impl FlacLevel {
    /// The highest level.
    const MAX: i64 = 8;

    /// Levels are ninths of the range of efforts.
    const EFFORT_PER_LEVEL: i64 = 12;
}

impl<'py> Argument<'py> for FlacLevel {
    fn parse(value: &Bound<'py, PyAny>) -> Result<Self, Mismatch> {
        let word = value.extract::<String>().ok().map(|word| word.to_ascii_lowercase());
        let level = match word.as_deref() {
            Some("default") => return Ok(Self(None)),
            Some("fast") => Some(0),
            Some(word) => word.parse().ok(),
            None => whole(value).ok(),
        };
        match level {
            Some(level @ 0..=Self::MAX) => Ok(Self(u8::try_from(1 + Self::EFFORT_PER_LEVEL * level).ok())),
            _ => Err(Mismatch::value("'default', 'fast' or a level from 0 to 8")),
        }
    }
}

/// A whole number of a range, for which `expected` stands in the message.
pub(super) fn in_range<T: TryFrom<i64>>(
    value: &Bound<'_, PyAny>,
    expected: &str,
    is_legal: impl Fn(i64) -> bool,
) -> Result<T, Mismatch> {
    let number = whole(value)?;
    let legal = Some(number).filter(|&number| is_legal(number)).and_then(|number| T::try_from(number).ok());
    legal.ok_or_else(|| Mismatch::value(expected))
}
