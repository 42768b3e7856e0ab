//! The outline of a waveform: the extremes and the root mean square of each column of a picture.

use std::ops::Range;

use mapwave_core::{ReadControl, Result};

use crate::input::{Input, Sample, Scratch};
use crate::threads;

/// What the samples of one channel are in a column; full scale is 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Column {
    pub(crate) low: f32,
    pub(crate) high: f32,
    /// The root mean square.
    pub(crate) rms: f32,
}

/// The samples that are added up in single precision before they go into a sum in double precision.
const RUN: usize = 1 << 10;

/// The columns of each channel: column k has the frames from k / `num_columns` to (k + 1) / `num_columns` of the input, one at least.
pub(crate) fn columns(
    input: &Input<'_>,
    num_columns: usize,
    control: &ReadControl<'_>,
) -> Result<Vec<Vec<Column>>> {
    let max_threads = control.max_threads.min(input.max_threads());
    let control = ReadControl { max_threads, ..*control };
    let spans = threads::spans(num_columns as u64, max_threads);
    let of_span = |span: &Range<u64>, stopped: &dyn Fn() -> bool| match input.is_16_bit() {
        true => of_columns::<i16>(input, num_columns, span, stopped),
        false => of_columns::<f32>(input, num_columns, span, stopped),
    };
    let parts = threads::each(&spans, &control, of_span)?;
    let mut columns = vec![Vec::with_capacity(num_columns); input.num_channels().into()];
    for part in parts {
        for (channel, part) in columns.iter_mut().zip(part) {
            channel.extend(part);
        }
    }
    Ok(columns)
}

/// The first frame of a column, and of the end.
#[allow(clippy::cast_possible_truncation)] // at most the number of frames
fn first_frame(column: u64, num_columns: usize, num_frames: u64) -> u64 {
    (u128::from(column) * u128::from(num_frames) / num_columns.max(1) as u128) as u64
}

/// The columns of `span` for each channel.
fn of_columns<T: Sample>(
    input: &Input<'_>,
    num_columns: usize,
    span: &Range<u64>,
    stopped: &dyn Fn() -> bool,
) -> Result<Vec<Vec<Column>>> {
    let (num_frames, num_channels) = (input.num_frames(), usize::from(input.num_channels()));
    let first = |column| first_frame(column, num_columns, num_frames);
    let mut scratch = Scratch::default();
    let mut columns = vec![Vec::new(); num_channels];
    let mut sums = vec![Sums::default(); num_channels];
    let mut column = span.start;
    let mut next = first(column);
    let mut finish = |sums: &mut Vec<Sums>| {
        for (channel, sums) in columns.iter_mut().zip(sums) {
            channel.push(std::mem::take(sums).column(T::FULL_SCALE));
        }
    };
    input.each_block(first(span.start)..first(span.end), &mut scratch, stopped, |mut samples: &[T]| {
        while !samples.is_empty() {
            let left = usize::try_from(first(column + 1) - next).unwrap_or(usize::MAX);
            let (now, later) = samples.split_at(left.saturating_mul(num_channels).min(samples.len()));
            samples = later;
            next += (now.len() / num_channels) as u64;
            match &mut sums[..] {
                [only] => only.add(now),
                [left, right] => {
                    let mut planes = [Vec::with_capacity(RUN), Vec::with_capacity(RUN)];
                    for run in now.chunks(2 * RUN) {
                        let pairs = run.as_chunks::<2>().0;
                        planes.iter_mut().for_each(Vec::clear);
                        let [first, second] = &mut planes;
                        first.extend(pairs.iter().map(|[sample, _]| *sample));
                        second.extend(pairs.iter().map(|[_, sample]| *sample));
                        left.add(first);
                        right.add(second);
                    }
                }
                many => {
                    let mut plane: Vec<T> = Vec::with_capacity(RUN);
                    for (channel, sums) in many.iter_mut().enumerate() {
                        for run in now.chunks(num_channels * RUN) {
                            plane.clear();
                            plane.extend(run.iter().skip(channel).step_by(num_channels));
                            sums.add(&plane);
                        }
                    }
                }
            }
            if next == first(column + 1) {
                finish(&mut sums);
                column += 1;
            }
        }
    })?;
    Ok(columns)
}

/// What a column is made of so far, in units of the samples.
#[derive(Clone, Copy, Debug)]
struct Sums {
    low: f32,
    high: f32,
    squares: f64,
    count: u64,
}

impl Default for Sums {
    fn default() -> Self {
        Self { low: f32::INFINITY, high: f32::NEG_INFINITY, squares: 0.0, count: 0 }
    }
}

impl Sums {
    fn add<T: Sample>(&mut self, samples: &[T]) {
        /// As many samples side by side as fill the vectors of most processors.
        const LANES: usize = 16;
        for run in samples.chunks(RUN) {
            let Some(&first) = run.first() else { continue };
            let (mut low, mut high, mut squares) = ([first; LANES], [first; LANES], [0.0_f32; LANES]);
            let (whole, rest) = run.as_chunks::<LANES>();
            for samples in whole {
                let lanes = low.iter_mut().zip(&mut high).zip(&mut squares);
                for (sample, ((low, high), squares)) in samples.iter().zip(lanes) {
                    *low = if *sample < *low { *sample } else { *low };
                    *high = if *sample > *high { *sample } else { *high };
                    *squares += sample.to_f32() * sample.to_f32();
                }
            }
            let (mut low, mut high) = (low.map(T::to_f32), high.map(T::to_f32));
            for (sample, ((low, high), squares)) in
                rest.iter().zip(low.iter_mut().zip(&mut high).zip(&mut squares))
            {
                *low = low.min(sample.to_f32());
                *high = high.max(sample.to_f32());
                *squares += sample.to_f32() * sample.to_f32();
            }
            self.low = low.into_iter().fold(self.low, f32::min);
            self.high = high.into_iter().fold(self.high, f32::max);
            self.squares += squares.into_iter().map(f64::from).sum::<f64>();
            self.count += run.len() as u64;
        }
    }

    #[allow(clippy::cast_possible_truncation)] // to single precision
    fn column(self, full_scale: f32) -> Column {
        let finite = |value: f32| if value.is_finite() { value / full_scale } else { 0.0 };
        let rms = (self.squares / self.count.max(1) as f64).sqrt() as f32;
        Column { low: finite(self.low), high: finite(self.high), rms: finite(rms) }
    }
}

/// The samples of each channel, for inputs of few frames.
pub(crate) fn samples(input: &Input<'_>, control: &ReadControl<'_>) -> Result<Vec<Vec<f32>>> {
    let num_channels = usize::from(input.num_channels());
    let mut planes = vec![Vec::new(); num_channels];
    let all = 0..input.num_frames();
    input.each_block(all, &mut Scratch::default(), control.interrupted, |block: &[f32]| {
        for (channel, plane) in planes.iter_mut().enumerate() {
            let finite = |sample: &f32| if sample.is_finite() { *sample } else { 0.0 };
            plane.extend(block.iter().skip(channel).step_by(num_channels).map(finite));
        }
    })?;
    Ok(planes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]
mod tests {
    use mapwave_core::{Audio, Layout, OutputFormat};

    use super::*;

    #[test]
    fn columns_are_those_of_a_loop_over_their_frames() {
        for (num_frames, num_channels, num_columns) in
            [(100_003, 1, 7), (300_001, 2, 100), (5000, 3, 4999), (40, 2, 40), (1_000_000, 1, 3)]
        {
            let samples: Vec<i16> = (0..(num_frames * num_channels) as u32)
                .map(|index| (index.wrapping_mul(2_654_435_761) >> 16) as i16 / (1 + (index >> 14) as i16))
                .collect();
            let axes = [num_frames, num_channels];
            let audio = Audio::new(&samples, OutputFormat::I16, &axes, Some(Layout::ChannelsLast)).unwrap();
            let floats: Vec<f32> = samples.iter().map(|sample| f32::from(*sample) / 32_768.0).collect();
            let as_floats =
                Audio::new(&floats, OutputFormat::F32, &axes, Some(Layout::ChannelsLast)).unwrap();
            for audio in [audio, as_floats] {
                let input = Input::Array { audio, sample_rate: 8000 };
                let control = ReadControl { max_threads: 3, interrupted: &|| false };
                let found = columns(&input, num_columns, &control).unwrap();
                assert_eq!(found.len(), num_channels);
                for (channel, found) in found.iter().enumerate() {
                    assert_eq!(found.len(), num_columns);
                    for (column, found) in found.iter().enumerate() {
                        let frames =
                            column * num_frames / num_columns..(column + 1) * num_frames / num_columns;
                        let of = frames.clone().map(|frame| floats[frame * num_channels + channel]);
                        assert_eq!(found.low, of.clone().fold(f32::MAX, f32::min));
                        assert_eq!(found.high, of.clone().fold(f32::MIN, f32::max));
                        let rms =
                            (of.map(|s| f64::from(s).powi(2)).sum::<f64>() / frames.len() as f64).sqrt();
                        assert!((f64::from(found.rms) - rms).abs() < 1e-5, "{} {rms}", found.rms);
                    }
                }
            }
        }
    }
}
