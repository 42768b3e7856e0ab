//! Spectrograms: the level of each frequency at each time.

use std::f32::consts::PI;
use std::ops::Range;

use mapwave_core::{ReadControl, Result};
use rustfft::FftPlanner;
use rustfft::num_complex::Complex32;

use crate::input::{Input, Scratch};
use crate::picture::{frequency_of, mel};
use crate::threads;

/// The most windows that a column is the mean of.
const MAX_WINDOWS: u64 = 4;

/// The seconds that a window has, about: short enough for syllables and long enough for voices.
const WINDOW_SECONDS: f32 = 0.045;

/// The level of what has none, in dB.
const NOTHING: f32 = -200.0;

/// The levels of one channel in dBFS, where a sine at full scale has 0: for each column, from low to high frequencies.
pub(crate) type Levels = Vec<Vec<f32>>;

/// The levels of each channel in so many columns and rows. Rows are equally far from each other on the mel scale.
pub(crate) fn levels(
    input: &Input<'_>,
    num_columns: usize,
    num_rows: usize,
    control: &ReadControl<'_>,
) -> Result<Vec<Levels>> {
    let max_threads = control.max_threads.min(input.max_threads());
    let control = ReadControl { max_threads, ..*control };
    let spans = threads::spans(num_columns as u64, max_threads);
    let spectrum = Spectrum::new(input, num_columns, num_rows);
    let parts = threads::each(&spans, &control, |span, stopped| spectrum.columns(span, stopped))?;
    let mut levels = vec![Vec::with_capacity(num_columns); input.num_channels().into()];
    for part in parts {
        for (channel, part) in levels.iter_mut().zip(part) {
            channel.extend(part);
        }
    }
    Ok(levels)
}

struct Spectrum<'a> {
    input: &'a Input<'a>,
    num_columns: usize,
    /// The frequencies of each row as places among the bins.
    rows: Vec<Range<f32>>,
    window: Vec<f32>,
    /// The power of a sine at full scale.
    full_scale: f32,
}

impl<'a> Spectrum<'a> {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn new(input: &'a Input<'a>, num_columns: usize, num_rows: usize) -> Self {
        let sample_rate = input.sample_rate() as f32;
        let wanted = (sample_rate * WINDOW_SECONDS).max(32.0).log2().round() as u32;
        let num_bins = 1_usize << wanted.min(15);
        // Hann's window.
        let weight = |index: usize| 0.5 - 0.5 * (2.0 * PI * (index as f32 + 0.5) / num_bins as f32).cos();
        let window: Vec<f32> = (0..num_bins).map(weight).collect();
        let full_scale = (window.iter().sum::<f32>() / 2.0).powi(2);
        let highest = mel(f64::from(sample_rate) / 2.0);
        let place = |row: usize| {
            let frequency = frequency_of(highest * row as f64 / num_rows.max(1) as f64);
            (frequency * num_bins as f64 / f64::from(sample_rate)) as f32
        };
        let rows = (0..num_rows).map(|row| place(row)..place(row + 1)).collect();
        Self { input, num_columns, rows, window, full_scale }
    }

    /// The levels of the columns of `span`, for each channel.
    fn columns(&self, span: &Range<u64>, stopped: &dyn Fn() -> bool) -> Result<Vec<Levels>> {
        let num_channels = usize::from(self.input.num_channels());
        let num_bins = self.window.len();
        let fft = FftPlanner::new().plan_fft_forward(num_bins);
        let mut work = vec![Complex32::default(); fft.get_inplace_scratch_len()];
        let mut bins = vec![Complex32::default(); num_bins];
        let mut powers = vec![0.0_f32; num_bins / 2 + 1];
        let (mut scratch, mut samples) = (Scratch::default(), Vec::<f32>::new());
        let mut levels = vec![Vec::new(); num_channels];
        for column in span.clone() {
            let (frames, num_before, num_windows) = self.frames_of(column);
            samples.clear();
            samples.resize(num_before * num_channels, 0.0);
            self.input.each_block(frames, &mut scratch, stopped, |block: &[f32]| {
                samples.extend_from_slice(block)
            })?;
            samples.resize(num_windows * num_bins * num_channels, 0.0);
            for (channel, levels) in levels.iter_mut().enumerate() {
                powers.fill(0.0);
                for window in samples.chunks_exact(num_bins * num_channels) {
                    let of_channel = window.iter().skip(channel).step_by(num_channels);
                    for ((bin, sample), weight) in bins.iter_mut().zip(of_channel).zip(&self.window) {
                        let sample = if sample.is_finite() { *sample } else { 0.0 };
                        *bin = Complex32::new(sample * weight, 0.0);
                    }
                    fft.process_with_scratch(&mut bins, &mut work);
                    for (power, bin) in powers.iter_mut().zip(&bins) {
                        *power += bin.norm_sqr() / (self.full_scale * num_windows as f32);
                    }
                }
                levels.push(self.rows.iter().map(|row| decibels(power_of(&powers, row))).collect());
            }
        }
        Ok(levels)
    }

    /// The frames of a column's windows, how many frames before the first frame of the input precede them, and the number of windows:
    /// one in the middle of a column that is no longer than it, and up to four in the middle of a longer one.
    #[allow(clippy::cast_possible_truncation)] // a few windows
    fn frames_of(&self, column: u64) -> (Range<u64>, usize, usize) {
        let (num_frames, num_bins) = (self.input.num_frames(), self.window.len() as u64);
        let num_columns = self.num_columns.max(1) as u64;
        let num_windows = (num_frames / num_columns / num_bins).clamp(1, MAX_WINDOWS);
        let middle = u128::from(2 * column + 1) * u128::from(num_frames) / u128::from(2 * num_columns);
        let (middle, half) = (middle as u64, num_windows * num_bins / 2);
        let frames = middle.saturating_sub(half)..num_frames.min(middle + half);
        (frames, half.saturating_sub(middle) as usize, num_windows as usize)
    }
}

/// The power at the frequencies of a row: the largest of its bins, or what lies between the bins beside it.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // places among the bins
fn power_of(powers: &[f32], row: &Range<f32>) -> f32 {
    let (first, last) = (row.start.ceil() as usize, row.end.ceil() as usize);
    if first < last {
        return powers
            .get(first..last.min(powers.len()))
            .unwrap_or_default()
            .iter()
            .copied()
            .fold(0.0, f32::max);
    }
    let middle = (row.start + row.end) / 2.0;
    let at = |index: usize| powers.get(index).copied().unwrap_or(0.0);
    let (below, part) = (middle as usize, middle.fract());
    at(below) * (1.0 - part) + at(below + 1) * part
}

fn decibels(power: f32) -> f32 {
    (10.0 * power.log10()).max(NOTHING)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]
mod tests {
    use mapwave_core::{Audio, Layout, OutputFormat};

    use super::*;

    #[test]
    fn a_sine_has_its_level_at_its_frequency() {
        let (sample_rate, num_frames) = (16_000, 64_000_usize);
        let sine = |frequency: f64, frame: usize| {
            (std::f64::consts::TAU * frequency * frame as f64 / f64::from(sample_rate)).sin() as f32
        };
        // Full scale at 1 kHz on the left; a tenth of it at 4 kHz on the right, in the second half.
        let samples: Vec<f32> = (0..num_frames)
            .flat_map(|frame| {
                [sine(1000.0, frame), if frame < 32_000 { 0.0 } else { 0.1 * sine(4000.0, frame) }]
            })
            .collect();
        let audio =
            Audio::new(&samples, OutputFormat::F32, &[num_frames, 2], Some(Layout::ChannelsLast)).unwrap();
        let input = Input::Array { audio, sample_rate };
        let control = ReadControl { max_threads: 2, interrupted: &|| false };
        let (num_columns, num_rows) = (10, 100);
        let levels = levels(&input, num_columns, num_rows, &control).unwrap();
        let row = |frequency: f64| (mel(frequency) / mel(8000.0) * num_rows as f64) as usize;
        let loudest =
            |levels: &[f32]| (0..num_rows).max_by(|one, other| levels[*one].total_cmp(&levels[*other]));
        for column in &levels[0][1..9] {
            assert!(loudest(column).unwrap().abs_diff(row(1000.0)) <= 1, "{column:?}");
            assert!(column.iter().copied().fold(NOTHING, f32::max).abs() < 1.5);
            assert!(column[row(4000.0)] < -60.0);
        }
        assert!(levels[1][2].iter().all(|level| *level == NOTHING));
        assert!(loudest(&levels[1][7]).unwrap().abs_diff(row(4000.0)) <= 1);
        assert!((levels[1][7].iter().copied().fold(NOTHING, f32::max) + 20.0).abs() < 1.5);
    }
}
