//! Where the ticks of an axis are, and what they say.

#![allow(clippy::cast_possible_truncation)] // values on axes are small

/// A tick and its label.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    /// The value on the axis.
    pub(super) value: f64,
    pub(super) label: String,
}

/// The ticks of a time axis, and its unit.
#[derive(Debug)]
pub(super) struct TimeAxis {
    pub(super) ticks: Vec<Tick>,
    pub(super) unit: &'static str,
}

/// Distances of ticks in seconds.
const STEPS: [f64; 33] = [
    1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0,
    10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 10_800.0, 21_600.0, 43_200.0,
    86_400.0,
];

/// The ticks of the seconds from `start` to `end`, at most `most`.
pub(super) fn time(start: f64, end: f64, most: f64) -> TimeAxis {
    let least = (end - start) / most.max(1.0);
    let step = STEPS.into_iter().find(|step| *step >= least);
    let step = step.unwrap_or_else(|| (least / 86_400.0).ceil() * 86_400.0);
    let (label, unit): (fn(f64, f64) -> String, _) = match (end, step) {
        (3600.0.., 1.0..) => (hours, "time (h:min:s)"),
        (60.0.., 1.0..) => (minutes, "time (min:s)"),
        (_, 0.001..) if end >= 1.0 || step >= 0.1 => (seconds, "time (s)"),
        _ if end < 1.0 => (milliseconds, "time (ms)"),
        _ => (seconds, "time (s)"),
    };
    let (first, last) = ((start / step - 1e-9).ceil(), (end / step + 1e-9).floor());
    let count = (last - first).max(-1.0) as usize + 1;
    let ticks = (0..count).map(|index| (first + index as f64) * step);
    TimeAxis { ticks: ticks.map(|value| Tick { value, label: label(value, step) }).collect(), unit }
}

fn hours(time: f64, _step: f64) -> String {
    let whole = time.round() as u64;
    format!("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60)
}

fn minutes(time: f64, _step: f64) -> String {
    let whole = time.round() as u64;
    format!("{}:{:02}", whole / 60, whole % 60)
}

fn seconds(time: f64, step: f64) -> String {
    format!("{time:.*}", decimals(step))
}

fn milliseconds(time: f64, step: f64) -> String {
    format!("{:.*}", decimals(1000.0 * step), 1000.0 * time)
}

/// The decimals that tell ticks apart that are so far from each other.
fn decimals(step: f64) -> usize {
    (-step.log10() - 1e-9).ceil().max(0.0) as usize
}

/// The length of audio for people: "3:21.4", "0.250 s".
pub(crate) fn duration(seconds: f64) -> String {
    if seconds < 60.0 {
        return format!("{seconds:.*} s", if seconds < 10.0 { 3 } else { 1 });
    }
    let tenths = (seconds * 10.0).round() as u64;
    let (hours, minutes, rest) = (tenths / 36_000, tenths / 600 % 60, tenths % 600);
    match hours {
        0 => format!("{minutes}:{:02}.{}", rest / 10, rest % 10),
        _ => format!("{hours}:{minutes:02}:{:02}", rest / 10),
    }
}

/// The ticks of a frequency axis up to `highest` Hz.
pub(super) fn frequency(highest: f64) -> Vec<Tick> {
    let label = |value: f64| if value >= 1000.0 { format!("{}k", value / 1000.0) } else { value.to_string() };
    let all = [100.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0, 16_000.0, 32_000.0, 64_000.0, 128_000.0];
    all.into_iter()
        .filter(|value| *value < 0.98 * highest)
        .map(|value| Tick { value, label: label(value) })
        .collect()
}

/// The place of a frequency between 0 and 1 on the mel scale (O'Shaughnessy, 1987), which is near to how pitch is heard.
pub(crate) fn mel(frequency: f64) -> f64 {
    2595.0 * (1.0 + frequency / 700.0).log10()
}

/// The frequency at a place on the mel scale.
pub(crate) fn frequency_of(mel: f64) -> f64 {
    700.0 * (10_f64.powf(mel / 2595.0) - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(start: f64, end: f64, most: f64) -> (Vec<String>, &'static str) {
        let axis = time(start, end, most);
        (axis.ticks.into_iter().map(|tick| tick.label).collect(), axis.unit)
    }

    #[test]
    fn times_have_the_unit_that_fits() {
        assert_eq!(
            labels(0.0, 10.0, 6.0),
            (["0", "2", "4", "6", "8", "10"].map(str::to_owned).to_vec(), "time (s)")
        );
        assert_eq!(labels(0.0, 1.2, 4.0).0, ["0.0", "0.5", "1.0"]);
        assert_eq!(
            labels(0.0, 90.0, 4.0),
            (["0:00", "0:30", "1:00", "1:30"].map(str::to_owned).to_vec(), "time (min:s)")
        );
        assert_eq!(
            labels(0.0, 7300.0, 3.0),
            (["0:00:00", "1:00:00", "2:00:00"].map(str::to_owned).to_vec(), "time (h:min:s)")
        );
        assert_eq!(
            labels(0.0, 0.02, 5.0),
            (["0", "5", "10", "15", "20"].map(str::to_owned).to_vec(), "time (ms)")
        );
        assert_eq!(labels(100.0, 100.2, 3.0).0, ["100.0", "100.1", "100.2"]);
        assert!(time(0.0, 1e9, 8.0).ticks.len() <= 9);
        assert_eq!(labels(0.0, 0.0, 8.0).0.len(), 1);
    }

    #[test]
    fn durations_are_read_at_a_glance() {
        let found = [0.25, 12.34, 59.99, 201.44, 3600.0, 36_125.0].map(duration);
        assert_eq!(found, ["0.250 s", "12.3 s", "60.0 s", "3:21.4", "1:00:00", "10:02:05"]);
    }

    #[test]
    fn mel_has_an_inverse() {
        for frequency in [0.0, 100.0, 1000.0, 20_000.0] {
            assert!((frequency_of(mel(frequency)) - frequency).abs() < 1e-6);
        }
        assert!((mel(1000.0) - 1000.0).abs() < 1.0);
    }
}
