//! Where audio is silent.

use std::ops::Range;

use mapwave_core::{Error, Parameter, ReadControl, Result};

use crate::input::{Input, Scratch};
use crate::threads;

/// The frames that a thread looks at from a state of its own.
const UNIT_FRAMES: u64 = 1 << 18;

/// The stretches of frames in which no sample of any channel exceeds `threshold_db` dBFS, in their order, of at least
/// `min_duration` seconds each.
///
/// A stretch is as long as it can be: the frames beside it are louder, or the audio ends there.
///
/// ```
/// # fn main() -> mapwave_core::Result<()> {
/// use mapwave_analysis::{Input, silences};
/// use mapwave_core::{Audio, OutputFormat, ReadControl};
///
/// let mut samples = vec![0.5_f32; 3000];
/// samples[1000..2500].fill(0.001);
/// let audio = Audio::new(&samples, OutputFormat::F32, &[3000], None)?;
/// let input = Input::Array { audio, sample_rate: 1000 };
/// assert_eq!(silences(&input, -50.0, 0.3, &ReadControl::ONE_THREAD)?, [1000..2500]);
/// assert_eq!(silences(&input, -70.0, 0.3, &ReadControl::ONE_THREAD)?, []);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Error::Argument`] for a threshold that is not a number or positive, and a duration that is not finite or negative; what
/// reading the file may fail with.
pub fn silences(
    input: &Input<'_>,
    threshold_db: f64,
    min_duration: f64,
    control: &ReadControl<'_>,
) -> Result<Vec<Range<u64>>> {
    let refuse = |parameter, expected: &str, got: f64| {
        let what = format!("must be {expected}, got {got}");
        input.named(Error::Argument { path: None, parameter, what })
    };
    if threshold_db.is_nan() || threshold_db > 0.0 {
        return Err(refuse(Parameter::Threshold, "at most 0 dBFS", threshold_db));
    }
    if !(min_duration >= 0.0 && min_duration.is_finite()) {
        return Err(refuse(Parameter::MinDuration, ">= 0 seconds and finite", min_duration));
    }
    let finder = Finder {
        input,
        threshold: amplitude(threshold_db),
        min_frames: num_frames(min_duration, input.sample_rate()),
    };
    let num_units = input.num_frames().div_ceil(UNIT_FRAMES);
    let max_threads = control.max_threads.min(input.max_threads());
    let spans = threads::spans(num_units, max_threads);
    let control = ReadControl { max_threads, ..*control };
    let parts = threads::each(&spans, &control, |span, stopped| finder.find(span, stopped))?;
    Ok(finder.join(parts.into_iter().flatten()))
}

/// The magnitude of a level in dBFS.
#[allow(clippy::cast_possible_truncation)] // to single precision
fn amplitude(decibels: f64) -> f32 {
    10_f64.powf(decibels / 20.0) as f32
}

/// The frames that last at least so many seconds, and one at least.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // `as` saturates
fn num_frames(seconds: f64, sample_rate: u32) -> u64 {
    ((seconds * f64::from(sample_rate)).ceil() as u64).max(1)
}

struct Finder<'a> {
    input: &'a Input<'a>,
    threshold: f32,
    min_frames: u64,
}

impl Finder<'_> {
    /// The silences of consecutive units, and those shorter ones that reach their first or last frame.
    fn find(&self, units: &Range<u64>, stopped: &dyn Fn() -> bool) -> Result<Vec<Range<u64>>> {
        let span = units.start * UNIT_FRAMES..self.input.num_frames().min(units.end * UNIT_FRAMES);
        let num_channels = usize::from(self.input.num_channels());
        let mut found = Vec::new();
        let mut silent = span.start..span.start;
        let mut end_run = |silent: Range<u64>| {
            if !silent.is_empty()
                && (silent.end - silent.start >= self.min_frames || silent.start == span.start)
            {
                found.push(silent);
            }
        };
        let mut next = span.start;
        let look = |samples: &[f32]| {
            for frame in samples.chunks_exact(num_channels) {
                // A NaN is not silence.
                let is_silent = frame.iter().all(|sample| sample.abs() <= self.threshold);
                next += 1;
                if is_silent {
                    silent.end = next;
                } else {
                    end_run(silent.clone());
                    silent = next..next;
                }
            }
        };
        self.input.each_block(span.clone(), &mut Scratch::default(), stopped, look)?;
        if !silent.is_empty() {
            found.push(silent);
        }
        Ok(found)
    }

    /// Joins what a border has parted, and leaves out what is too short.
    fn join(&self, parts: impl Iterator<Item = Range<u64>>) -> Vec<Range<u64>> {
        let mut joined: Vec<Range<u64>> = Vec::new();
        for part in parts {
            match joined.last_mut() {
                Some(last) if last.end == part.start => last.end = part.end,
                _ => joined.push(part),
            }
        }
        joined.retain(|silence| silence.end - silence.start >= self.min_frames);
        joined
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::single_range_in_vec_init)]
mod tests {
    use mapwave_core::{Audio, OutputFormat};

    use super::*;

    /// The definition, frame by frame.
    fn naive(samples: &[f32], num_channels: usize, threshold: f32, min_frames: usize) -> Vec<Range<u64>> {
        let silent: Vec<bool> =
            samples.chunks(num_channels).map(|frame| frame.iter().all(|s| s.abs() <= threshold)).collect();
        let mut found = Vec::new();
        let mut start = 0;
        while start < silent.len() {
            let length = silent[start..].iter().take_while(|is| **is).count();
            if length >= min_frames {
                found.push(start as u64..(start + length) as u64);
            }
            start += length + 1;
        }
        found
    }

    #[test]
    fn silences_are_found_across_units_and_at_both_ends() {
        let num_frames = 3 * (1 << 18) + 777;
        let mut samples = vec![0.0_f32; 2 * num_frames];
        let mut state = 1_u32;
        let mut place = 12_345;
        while place < samples.len() - 9000 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            samples[place] = if state.is_multiple_of(2) { 0.5 } else { -0.5 };
            place += 1 + (state >> 16) as usize;
        }
        // A silence across the border of two units, and one with a loud frame right at it.
        samples[2 * (1 << 18) - 4000..2 * (1 << 18) + 4000].fill(0.0);
        samples[4 * (1 << 18)] = 0.5;
        let audio = Audio::new(&samples, OutputFormat::F32, &[num_frames, 2], None).unwrap();
        let input = Input::Array { audio, sample_rate: 8000 };
        for (seconds, min_frames) in [(0.5, 4000), (0.0, 1), (1.0, 8000), (3.0, 24_000)] {
            let expected = naive(&samples, 2, 0.01, min_frames);
            for max_threads in [1, 3] {
                let control = ReadControl { max_threads, interrupted: &|| false };
                assert_eq!(silences(&input, -40.0, seconds, &control).unwrap(), expected);
            }
            assert!(!expected.is_empty());
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let audio = Audio::new(&[0.0_f32; 8], OutputFormat::F32, &[8], None).unwrap();
        let input = Input::Array { audio, sample_rate: 8000 };
        let refusal = |threshold, duration| {
            silences(&input, threshold, duration, &ReadControl::ONE_THREAD).unwrap_err().to_string()
        };
        assert_eq!(refusal(1.0, 0.3), "threshold_db must be at most 0 dBFS, got 1");
        assert_eq!(refusal(f64::NAN, 0.3), "threshold_db must be at most 0 dBFS, got NaN");
        assert_eq!(refusal(-50.0, -1.0), "min_duration must be >= 0 seconds and finite, got -1");
        let all = silences(&input, f64::NEG_INFINITY, 0.001, &ReadControl::ONE_THREAD).unwrap();
        assert_eq!(all, vec![0..8]);
    }
}
