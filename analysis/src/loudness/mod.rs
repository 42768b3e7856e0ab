//! Loudness by EBU R 128: the measurement of ITU-R BS.1770-5 with the range of EBU Tech 3342.
//!
//! All figures of loudness follow from the energies of hops of 100 ms. Those are found for fixed units of the input, on any
//! thread and in any order: every unit has a run-up of its own, so that the bits do not depend on who measured it.

mod channels;
mod gating;
mod true_peak;
mod weighting;

use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};

use mapwave_core::{Error, Parameter, ReadControl, Result};

use crate::input::{Input, Scratch};
use crate::threads;
use channels::weights;
use true_peak::{HISTORY, Interpolator, Peaks};
use weighting::{LANES, RUN_UP_HOPS, Weighting};

/// The lowest rate at which the weighting is defined: its shelf lies at 1.7 kHz.
const MIN_RATE: u32 = 4000;

/// The samples of a unit, about: its planes stay in the last-level cache.
const UNIT_SAMPLES: usize = 1 << 20;

/// The loudness of audio and its peaks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Loudness {
    /// The integrated loudness in LUFS; negative infinity where nothing is above the absolute gate of -70 LUFS, or where there are
    /// less than 400 ms.
    pub integrated: f64,
    /// The loudness range in LU: `range_high` - `range_low`, or 0 where there is none.
    pub range: f64,
    /// The lower end of the range in LUFS, the 10th percentile; negative infinity where there is none, as for less than 3 s.
    pub range_low: f64,
    /// The upper end of the range in LUFS, the 95th percentile; negative infinity where there is none.
    pub range_high: f64,
    /// The relative gate of the integrated loudness in LUFS, 10 LU below the loudness without it.
    pub threshold: f64,
    /// The loudest 400 ms in LUFS.
    pub max_momentary: f64,
    /// The loudest 3 s in LUFS; negative infinity for less.
    pub max_short_term: f64,
    /// The true peak of the loudest channel in dBTP: that of the signal at four times the rate (twice from 96 kHz, once from
    /// 192 kHz).
    pub true_peak: f64,
    /// The largest sample in dBFS.
    pub sample_peak: f64,
}

impl Loudness {
    /// The gain in dB that brings the integrated loudness to `loudness` LUFS, or less if the true peak would exceed `true_peak`
    /// dBTP; 0 for silence.
    ///
    /// ```
    /// # fn main() -> mapwave_core::Result<()> {
    /// use mapwave_analysis::{Input, loudness};
    /// use mapwave_core::{Audio, OutputFormat, ReadControl};
    ///
    /// let sine: Vec<f32> = (0..48_000).map(|n| 0.1 * (n as f32 * 0.13).sin()).collect();
    /// let audio = Audio::new(&sine, OutputFormat::F32, &[48_000], None)?;
    /// let measured = loudness(&Input::Array { audio, sample_rate: 48_000 }, &ReadControl::ONE_THREAD)?;
    /// assert_eq!(measured.gain_to(-23.0, -1.0), -23.0 - measured.integrated);
    /// assert_eq!(measured.gain_to(0.0, -1.0), -1.0 - measured.true_peak, "0 LUFS would clip");
    /// # Ok(())
    /// # }
    /// ```
    pub fn gain_to(&self, loudness: f64, true_peak: f64) -> f64 {
        let (gain, room) = (loudness - self.integrated, true_peak - self.true_peak);
        if gain.is_finite() { gain.min(room) } else { 0.0 }
    }
}

/// Measures the loudness of all frames of the input.
///
/// Channels weigh as ITU-R BS.1770-5 says: surround channels 1.41, the low-frequency channel nothing. Their positions are those
/// that the file states, or the usual ones of so many channels.
///
/// ```
/// # fn main() -> mapwave_core::Result<()> {
/// use mapwave_analysis::{Input, loudness};
/// use mapwave_core::{Audio, OutputFormat, ReadControl};
///
/// // 997 Hz at full scale in one channel is -3.01 LUFS.
/// let sine = |n: usize| (std::f64::consts::TAU * 997.0 * n as f64 / 48_000.0).sin();
/// let sine: Vec<f64> = (0..480_000).map(sine).collect();
/// let audio = Audio::new(&sine, OutputFormat::F64, &[480_000], None)?;
/// let measured = loudness(&Input::Array { audio, sample_rate: 48_000 }, &ReadControl::ONE_THREAD)?;
/// assert!((measured.integrated + 3.01).abs() < 0.01);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Error::Argument`] for a rate below 4000 Hz, and for samples that are not finite; what reading the file may fail with.
pub fn loudness(input: &Input<'_>, control: &ReadControl<'_>) -> Result<Loudness> {
    let sample_rate = input.sample_rate();
    if sample_rate < MIN_RATE {
        let what = format!("must be at least {MIN_RATE} Hz to measure loudness, got {sample_rate}");
        return Err(input.named(Error::Argument { path: None, parameter: Parameter::SampleRate, what }));
    }
    let meter = Meter::new(input);
    let num_units = input.num_frames().div_ceil(meter.unit_frames as u64);
    let max_threads = control.max_threads.min(input.max_threads());
    let spans = threads::spans(num_units, max_threads);
    let control = ReadControl { max_threads, ..*control };
    let parts = threads::each(&spans, &control, |span, stopped| meter.measure(span.clone(), stopped))?;
    let peaks = parts.iter().fold(Peaks::default(), |peaks, part| peaks.or(part.peaks));
    let hops: Vec<f64> = parts.into_iter().flat_map(|part| part.hops).collect();
    let integrated = gating::integrated(&hops, meter.hop_frames);
    let range = gating::range(&hops, meter.hop_frames);
    let decibels = |peak: f32| 20.0 * f64::from(peak).log10();
    Ok(Loudness {
        integrated: integrated.loudness,
        range: range.as_ref().map_or(0.0, |range| range.high - range.low),
        range_low: range.as_ref().map_or(f64::NEG_INFINITY, |range| range.low),
        range_high: range.as_ref().map_or(f64::NEG_INFINITY, |range| range.high),
        threshold: integrated.gate,
        max_momentary: gating::max_momentary(&hops, meter.hop_frames),
        max_short_term: gating::max_short_term(&hops, meter.hop_frames),
        true_peak: decibels(peaks.largest()),
        sample_peak: decibels(peaks.sample),
    })
}

/// Measures parts of an input.
struct Meter<'a> {
    input: &'a Input<'a>,
    weights: Vec<f64>,
    weighting: Weighting,
    interpolator: Interpolator,
    /// The frames of 100 ms.
    hop_frames: usize,
    /// The frames that are filtered from a state of their own.
    unit_frames: usize,
    /// The bits of the largest magnitude that any thread has found, which are in the order of the numbers.
    largest: AtomicU32,
}

/// What was measured of consecutive units.
#[derive(Debug, Default)]
struct Measured {
    /// The weighted energies of whole hops.
    hops: Vec<f64>,
    peaks: Peaks,
}

impl<'a> Meter<'a> {
    fn new(input: &'a Input<'a>) -> Self {
        let (num_channels, sample_rate) = (input.num_channels(), input.sample_rate());
        let hop_frames = usize::try_from(sample_rate.saturating_add(5) / 10).unwrap_or(usize::MAX);
        let hops = UNIT_SAMPLES / usize::from(num_channels) / hop_frames / LANES;
        Self {
            input,
            weights: weights(num_channels, input.channel_mask()),
            weighting: Weighting::new(sample_rate),
            interpolator: Interpolator::new(sample_rate),
            hop_frames,
            unit_frames: hops.clamp(1, 64) * LANES * hop_frames,
            largest: AtomicU32::new(0),
        }
    }

    fn run_up_frames(&self) -> usize {
        RUN_UP_HOPS * self.hop_frames
    }

    /// Measures consecutive units.
    fn measure(&self, units: Range<u64>, stopped: &dyn Fn() -> bool) -> Result<Measured> {
        let (run_up, unit) = (self.run_up_frames(), self.unit_frames as u64);
        let mut planes = vec![vec![0.0_f32; run_up]; self.weights.len()];
        let mut scratch = Scratch::default();
        let mut measured = Measured::default();
        let first = units.start * unit;
        if first > 0 {
            planes.iter_mut().for_each(Vec::clear);
            self.read(first - run_up as u64..first, &mut planes, &mut scratch, stopped)?;
        }
        for index in units {
            let frames = index * unit..self.input.num_frames().min((index + 1) * unit);
            self.read(frames.clone(), &mut planes, &mut scratch, stopped)?;
            self.add(&mut planes, &frames, &mut measured)?;
            for plane in &mut planes {
                let end = run_up + self.unit_frames;
                plane.truncate(end);
                plane.drain(..end.min(plane.len()).saturating_sub(run_up));
            }
        }
        Ok(measured)
    }

    /// Appends the samples of each channel to its plane.
    fn read(
        &self,
        frames: Range<u64>,
        planes: &mut [Vec<f32>],
        scratch: &mut Scratch,
        stopped: &dyn Fn() -> bool,
    ) -> Result<()> {
        self.input.each_block(frames, scratch, stopped, |samples| match &mut *planes {
            [only] => only.extend_from_slice(samples),
            [left, right] => {
                let pairs = samples.as_chunks::<2>().0;
                left.extend(pairs.iter().map(|[left, _]| *left));
                right.extend(pairs.iter().map(|[_, right]| *right));
            }
            many => {
                let step = many.len();
                for (number, plane) in many.iter_mut().enumerate() {
                    plane.extend(samples.iter().skip(number).step_by(step));
                }
            }
        })
    }

    /// Measures `frames`, a unit or the rest of the input, which follow the run-up in the planes.
    fn add(&self, planes: &mut [Vec<f32>], frames: &Range<u64>, measured: &mut Measured) -> Result<()> {
        let run_up = self.run_up_frames();
        let num_frames = usize::try_from(frames.end - frames.start).unwrap_or(usize::MAX);
        let num_hops = num_frames.div_ceil(self.hop_frames);
        let mut hops = vec![0.0; num_hops];
        let is_last = frames.end == self.input.num_frames();
        for (plane, &weight) in planes.iter_mut().zip(&self.weights) {
            // The signal ends in silence, into which its last peak may reach.
            let num_peaked = num_frames + if is_last { HISTORY } else { 0 };
            let num_filtered = num_hops.div_ceil(LANES) * LANES * self.hop_frames;
            plane.resize(run_up + num_peaked.max(num_filtered), 0.0);
            let known = f32::from_bits(self.largest.load(Ordering::Relaxed));
            let near = plane.get(run_up - HISTORY..run_up + num_peaked).unwrap_or_default();
            let peaks = self.interpolator.peaks(near, known);
            self.largest.fetch_max(peaks.largest().to_bits(), Ordering::Relaxed);
            measured.peaks = measured.peaks.or(peaks);
            self.weighting.add_energies(plane, self.hop_frames, weight, &mut hops);
        }
        if let Some(place) = hops.iter().position(|hop| !hop.is_finite()) {
            let first = frames.start + (place * self.hop_frames) as u64;
            let last = frames.end.min(first + self.hop_frames as u64);
            let what = format!(
                "must be of finite samples to be measured, got NaN or infinity in frames {first}..{last}"
            );
            return Err(self.input.named(Error::Argument { path: None, parameter: Parameter::Audio, what }));
        }
        hops.truncate(num_frames / self.hop_frames);
        measured.hops.append(&mut hops);
        Ok(())
    }
}
