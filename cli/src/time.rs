//! Places in a file, as people type them.

#![forbid(unsafe_code)]

use std::ops::Range;
use std::str::FromStr;

use mapwave::{Reader, Result};

/// How a place can be typed, for messages.
const FORMS: &str = "seconds such as 12.5, a clock such as 1:02:03.5, or a frame such as 44100f";

/// A place in a file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Time {
    /// A time from the start, in seconds.
    Seconds(f64),
    /// A frame of the file, counted from 0.
    Frame(u64),
}

impl FromStr for Time {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let parsed = match text.strip_suffix('f') {
            Some(frame) => frame.parse().ok().map(Self::Frame),
            None => seconds(text.strip_suffix('s').unwrap_or(text)).map(Self::Seconds),
        };
        parsed.ok_or_else(|| format!("expected {FORMS}"))
    }
}

/// Seconds from `[[hours:]minutes:]seconds`, each part a decimal number and only the last one with a fraction.
fn seconds(text: &str) -> Option<f64> {
    let parts: Vec<&str> = text.split(':').collect();
    let (last, whole) = parts.split_last()?;
    let is_decimal = |part: &str, has_fraction: bool| {
        part.starts_with(|first: char| first.is_ascii_digit())
            && part.bytes().all(|byte| byte.is_ascii_digit() || (has_fraction && byte == b'.'))
    };
    if whole.len() > 2 || !is_decimal(last, true) {
        return None;
    }
    let mut total = 0.0;
    for part in whole {
        total = (total + f64::from(is_decimal(part, false).then(|| part.parse::<u32>().ok())??)) * 60.0;
    }
    let last: f64 = last.parse().ok()?;
    if !whole.is_empty() && last >= 60.0 {
        return None;
    }
    Some(total + last)
}

impl Time {
    /// The time in seconds in a file of this rate.
    pub(crate) fn seconds(self, file_rate: u32) -> f64 {
        match self {
            Self::Seconds(seconds) => seconds,
            Self::Frame(frame) => frame as f64 / f64::from(file_rate),
        }
    }

    /// The frame of a reader, which may resample: floor(time * rate).
    fn frame(self, reader: &Reader) -> Result<u64> {
        let (file_rate, rate) = (reader.track().sample_rate, reader.sample_rate());
        match self {
            Self::Seconds(seconds) => Ok(reader.window(seconds, None)?.start),
            Self::Frame(frame) if rate == file_rate && frame <= reader.num_frames() => Ok(frame),
            Self::Frame(frame) => {
                let scaled = u128::from(frame) * u128::from(rate) / u128::from(file_rate);
                let scaled = u64::try_from(scaled).unwrap_or(u64::MAX);
                // A frame beyond the end is refused as a time beyond the end is.
                match scaled <= reader.num_frames() {
                    true => Ok(scaled),
                    false => Ok(reader.window(self.seconds(file_rate), None)?.start),
                }
            }
        }
    }
}

/// The frames between two places; an end beyond that of the file is the end of the file.
pub(crate) fn window(reader: &Reader, from: Option<Time>, to: Option<Time>) -> Result<Range<u64>> {
    let start = from.map_or(Ok(0), |from| from.frame(reader))?;
    let seconds_left = |to: Time| to.seconds(reader.track().sample_rate) <= reader.duration();
    let end = match to.filter(|&to| seconds_left(to)) {
        Some(to) => to.frame(reader)?,
        None => reader.num_frames(),
    };
    Ok(start..end.max(start))
}

/// Seconds as a clock, for people: "3:05.2", "1:02:03.0".
pub(crate) fn clock(seconds: f64) -> String {
    let tenths = (seconds * 10.0).round().max(0.0);
    let (minutes, rest) = ((tenths / 600.0).floor(), tenths % 600.0 / 10.0);
    let (hours, minutes) = ((minutes / 60.0).floor(), minutes % 60.0);
    match hours > 0.0 {
        true => format!("{hours}:{minutes:02}:{rest:04.1}"),
        false => format!("{minutes}:{rest:04.1}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_clocks_or_frames() {
        let seconds = |text: &str| text.parse::<Time>();
        assert_eq!(seconds("12.5"), Ok(Time::Seconds(12.5)));
        assert_eq!(seconds("90s"), Ok(Time::Seconds(90.0)));
        assert_eq!(seconds("1:30"), Ok(Time::Seconds(90.0)));
        assert_eq!(seconds("75:00"), Ok(Time::Seconds(4500.0)));
        assert_eq!(seconds("1:02:03.5"), Ok(Time::Seconds(3723.5)));
        assert_eq!(seconds("44100f"), Ok(Time::Frame(44_100)));
        for wrong in
            ["", "-1", "1:60", "1:2:3:4", "1.5:00", ":30", "1:", "nan", "inf", "1e3", "f", "+3", "1..2"]
        {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_clock_carries() {
        assert_eq!(clock(0.0), "0:00.0");
        assert_eq!(clock(59.96), "1:00.0");
        assert_eq!(clock(3599.99), "1:00:00.0");
        assert_eq!(clock(185.24), "3:05.2");
    }
}
