//! Chooses the method, the length of the transforms, and how much of each transform is discarded.

#![forbid(unsafe_code)]
#![expect(
    clippy::cast_possible_truncation,
    reason = "lengths below 2^23, of filters and transforms, rounded up"
)]

use super::kaiser::Kaiser;
use super::quality::{FilterQuality, num_taps};
use super::rates::Rates;
use crate::error::{Error, Parameter, Result};

/// The longest transform. Its buffers, about 200 MB in double precision, are the maximum that a plan and its scratch take.
/// Plans for common rates take less than 1 MB.
const MAX_POINTS: u64 = 1 << 22;

/// The length up to which a longer transform pays off because a smaller share of it is discarded.
const ENOUGH_POINTS: u64 = 1 << 14;

/// The maximum number of output frames per half block, if the length of the transform does not determine it.
const ENOUGH_FRAMES: u64 = 1 << 12;

/// The block length, in frames, at which the estimated cost doubles: a short read pays for its whole first and last block.
const COSTLY_BLOCK: f64 = 65_536.0;

/// The frames of half a block, and the transforms that make them from the input.
///
/// A transform of `num_points_in` input frames gives `num_points_out` frames of the same duration at `up / down` times the
/// rate. These are output frames or, if `num_taps` is not 0, a signal of at least twice the bandwidth, between whose frames
/// that many taps interpolate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Shape {
    /// The reduced rates.
    pub(crate) input: u64,
    pub(crate) output: u64,
    /// The ratio of the transform lengths.
    pub(crate) up: u64,
    pub(crate) down: u64,
    pub(crate) num_points_in: u64,
    pub(crate) num_points_out: u64,
    /// The number of bins that pass: those below the lower Nyquist frequency of input and output.
    pub(crate) num_bins: u64,
    /// The input frames of context before the start of half a block.
    pub(crate) lead: u64,
    /// The output frames per half block.
    pub(crate) hop: u64,
    /// The length of the interpolation; 0 for none.
    pub(crate) num_taps: u64,
}

impl Shape {
    /// The shape with the lowest cost per output frame.
    ///
    /// # Errors
    /// [`Error::Argument`] if the filter is longer than the longest transform.
    pub(crate) fn new(rates: Rates, quality: FilterQuality) -> Result<Self> {
        let (input, output) = rates.reduced();
        let (input, output) = (u64::from(input), u64::from(output));
        let (up, down) = intermediate(input, output);
        let mut best: Option<(f64, Self)> = None;
        for (up, down, num_taps) in [(output, input, 0), (up, down, u64::from(num_taps(quality)))] {
            let longer = up.max(down);
            let reach = reach(rates, quality, up, down);
            let first = if num_taps == 0 {
                2 * reach.div_ceil(longer) + 1
            } else {
                2 * reach.div_ceil(longer) + num_taps
            };
            let last = (MAX_POINTS / longer).min((4 * first).max(ENOUGH_POINTS / longer));
            for times in (first..=last).filter(|&times| is_smooth(times)) {
                let num_points_in = times * down;
                let num_bins = (num_points_in * input.min(output)).div_ceil(2 * input);
                let mut shape = Self {
                    input,
                    output,
                    up,
                    down,
                    num_points_in,
                    num_points_out: times * up,
                    num_bins,
                    lead: 0,
                    hop: 0,
                    num_taps,
                };
                if shape.fit(reach) {
                    let cost = shape.cost();
                    if best.is_none_or(|(least, _)| cost < least) {
                        best = Some((cost, shape));
                    }
                }
            }
        }
        best.map(|(_, shape)| shape).ok_or_else(|| {
            Error::argument(
                Parameter::OutputRate,
                format!("nearer to the input's {} Hz at this quality (resample in two steps)", rates.input()),
                format!("{} Hz", rates.output()),
            )
        })
    }

    /// The shape for frames that stay unchanged.
    pub(crate) fn copy() -> Self {
        let (num_points_in, num_points_out, hop) = (ENOUGH_FRAMES, ENOUGH_FRAMES, ENOUGH_FRAMES);
        Self {
            input: 1,
            output: 1,
            up: 1,
            down: 1,
            num_points_in,
            num_points_out,
            num_bins: 0,
            lead: 0,
            hop,
            num_taps: 0,
        }
    }

    /// Determines which part of the transform is usable after a filter that extends `reach` frames of the higher rate has
    /// spoilt its ends; false if nothing is.
    fn fit(&mut self, reach: u64) -> bool {
        let longer = self.up.max(self.down);
        if self.num_taps == 0 {
            // Whole periods of both rates only, so that the next half also starts at a whole input frame.
            let spoilt = reach.div_ceil(longer);
            let left = self.num_points_in / self.down - 2 * spoilt;
            self.lead = spoilt * self.down;
            self.hop = left * self.output;
        } else {
            let spoilt = (reach * self.up).div_ceil(longer) + self.num_taps / 2 + 1;
            self.lead = (spoilt * self.down).div_ceil(self.up);
            // The first output frame lies up to one input frame after the lead.
            let first = ((self.lead + 1) * self.up).div_ceil(self.down);
            let left = self.num_points_out.saturating_sub(first + spoilt);
            let (numerator, denominator) = self.step();
            let hop = u128::from(left) * u128::from(denominator) / u128::from(numerator);
            self.hop = u64::try_from(hop).unwrap_or(u64::MAX).min(ENOUGH_FRAMES);
        }
        self.hop > 0
    }

    /// The distance between two output frames in frames of the transform's output, as numerator and denominator.
    pub(crate) fn step(&self) -> (u64, u64) {
        (self.input * self.up, self.output * self.down)
    }

    /// The input frames between two consecutive half blocks, rounded up.
    pub(crate) fn advance(&self) -> u64 {
        (self.hop * self.input).div_ceil(self.output)
    }

    /// The approximate time per output frame in nanoseconds; only ratios matter. Measured with AVX2 in double precision.
    fn cost(&self) -> f64 {
        let transforms = transform_cost(self.num_points_in) + transform_cost(self.num_points_out);
        // A transform processes complex numbers, and thus both halves of a block at once.
        let frame = transforms / (2 * self.hop) as f64 + 1.5 * self.num_taps as f64;
        frame * (1.0 + (2 * self.hop.max(self.advance())) as f64 / COSTLY_BLOCK)
    }
}

/// The reach of the quality's filter, in frames of the higher of the rates before and after the transforms, rounded up.
fn reach(rates: Rates, quality: FilterQuality, up: u64, down: u64) -> u64 {
    low_pass(rates, quality, up, down).reach().ceil() as u64
}

/// The margin, in decibels, of the filter over the quality's attenuation: Kaiser's formulas miss it by some, and the remainder
/// of a tone just inside the stop band, where the spectrum ends, is truncated in some bins but not in others.
const MARGIN: f64 = 8.0;

/// The quality's filter, in frames of the higher of the rates before and after the transforms.
pub(crate) fn low_pass(rates: Rates, quality: FilterQuality, up: u64, down: u64) -> Kaiser {
    let higher = f64::from(rates.input()) * up.max(down) as f64 / down as f64;
    let lower = f64::from(rates.input().min(rates.output()));
    Kaiser::new(quality.rejection() + MARGIN, quality.pass_band() * lower / higher, lower / higher)
}

/// The ratio of the intermediate rate to the input rate: at least twice the lower rate, with small factors.
fn intermediate(input: u64, output: u64) -> (u64, u64) {
    let down = (1..=(input / output).max(1)).rev().find(|&down| is_smooth(down)).unwrap_or(1);
    if down % 2 == 0 { (1, down / 2) } else { (2, down) }
}

fn is_smooth(number: u64) -> bool {
    let (factors, rest) = factorise(number);
    rest == 1 && factors.is_some()
}

/// The total cost of a number's factors up to 7, and the remaining factor; `None` for zero.
fn factorise(mut number: u64) -> (Option<f64>, u64) {
    if number == 0 {
        return (None, 0);
    }
    let mut cost = 0.0;
    for (factor, level) in [(2, 1.0), (3, 1.7), (5, 2.6), (7, 4.0)] {
        while number.is_multiple_of(factor) {
            number /= factor;
            cost += level;
        }
    }
    (Some(cost), number)
}

/// The cost of a transform and of the passes over its points.
fn transform_cost(num_points: u64) -> f64 {
    let (levels, mut rest) = factorise(num_points);
    let mut levels = levels.unwrap_or_default() + 4.0;
    let mut factor = 11;
    while rest > 1 {
        // A larger prime needs a separate transform by Rader's or Bluestein's algorithm, which is slow.
        if factor * factor > rest {
            factor = rest;
        }
        if rest.is_multiple_of(factor) {
            rest /= factor;
            levels += if factor == 11 { 6.0 } else { 10.0 + 3.0 * (factor as f64).log2() };
        } else {
            factor += 2;
        }
    }
    let cache = match num_points {
        0..=16_384 => 1.0,
        16_385..=65_536 => 1.25,
        65_537..=262_144 => 1.6,
        _ => 2.2,
    };
    0.5 * levels * cache * num_points as f64
}
