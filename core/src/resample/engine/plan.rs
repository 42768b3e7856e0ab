//! Converts from one rate to another, block by block.

#![forbid(unsafe_code)]

use std::fmt;

use rustfft::num_complex::Complex;

use super::interpolation::Interpolation;
use super::quality::FilterQuality;
use super::rates::Rates;
use super::sample::Sample;
use super::scratch::Scratch;
use super::shape::{self, Shape};
use super::transforms::Transforms;
use crate::error::Result;

/// The conversion of frames from one rate to another with a given quality.
///
/// The output is divided into blocks of [`block_frames`](Self::block_frames) output frames, starting at frame 0. Block b depends
/// only on the [`input_frames`](Self::input_frames) input frames from [`first_input(b)`](Self::first_input). Output frame k is
/// the signal at k / output rate seconds: there is no delay.
///
/// Any number of threads can share a plan, each with its own [`Scratch`].
///
/// ```
/// use mapwave_core::resample::{Plan, FilterQuality, Rates, Scratch};
///
/// let rates = Rates::new(44_100, 16_000)?;
/// let plan = Plan::<f32>::shared(rates, FilterQuality::Medium)?;
/// let ones = |frame: i64| if (0..44_100).contains(&frame) { 1.0 } else { 0.0 };
/// let first = plan.first_input(1);
/// let input: Vec<f32> = (first..).take(plan.input_frames()).map(ones).collect();
/// let mut output = vec![0.0; plan.block_frames()];
/// plan.block(1, &input, &mut output, &mut Scratch::new());
/// assert!(output.iter().all(|sample| (sample - 1.0).abs() < 1e-5));
/// # Ok::<(), mapwave_core::Error>(())
/// ```
pub struct Plan<T> {
    rates: Rates,
    quality: FilterQuality,
    shape: Shape,
    input_frames: usize,
    method: Method<T>,
}

enum Method<T> {
    /// The rates are equal.
    Copy,
    Transforms(Transforms<T>),
    Interpolated(Transforms<T>, Interpolation<T>),
}

impl<T: Sample> Plan<T> {
    /// A new plan.
    pub(crate) fn new(rates: Rates, quality: FilterQuality) -> Result<Self> {
        if rates.input() == rates.output() {
            let shape = Shape::copy();
            return Ok(Self {
                rates,
                quality,
                shape,
                input_frames: length(2 * shape.hop),
                method: Method::Copy,
            });
        }
        let shape = Shape::new(rates, quality)?;
        let transforms = Transforms::new(
            length(shape.num_points_in),
            length(shape.num_points_out),
            length(shape.num_bins),
            shape::low_pass(rates, quality, shape.up, shape.down),
        );
        let method = match shape.num_taps {
            0 => Method::Transforms(transforms),
            _ => Method::Interpolated(transforms, Interpolation::new(quality, shape.step())),
        };
        let input_frames = length(shape.num_points_in + shape.advance());
        Ok(Self { rates, quality, shape, input_frames, method })
    }

    /// The plan's rates.
    pub fn rates(&self) -> Rates {
        self.rates
    }

    /// The plan's quality.
    pub fn quality(&self) -> FilterQuality {
        self.quality
    }

    /// The number of output frames per block: a few thousand for common rates.
    pub fn block_frames(&self) -> usize {
        length(2 * self.shape.hop)
    }

    /// The number of input frames for a block, including those before and after it that the filter needs.
    pub fn input_frames(&self) -> usize {
        self.input_frames
    }

    /// The first input frame of a block, which is negative for the first blocks. Frames before the start and after the end of
    /// the input are zero.
    ///
    /// The result saturates.
    pub fn first_input(&self, block: u64) -> i64 {
        let first = i128::try_from(self.base(2 * u128::from(block))).unwrap_or(i128::MAX);
        i64::try_from(first - i128::from(self.shape.lead)).unwrap_or(i64::MAX)
    }

    /// The number of input frames between the first input frames of two consecutive blocks. For rates without a small ratio, it
    /// is sometimes one more: see [`first_input`](Self::first_input).
    pub fn hop_input_frames(&self) -> usize {
        length(2 * self.shape.hop * self.shape.input / self.shape.output)
    }

    /// The approximate memory of the plan. A [`Scratch`] used with it takes about as much.
    pub fn num_bytes(&self) -> usize {
        match &self.method {
            Method::Copy => 0,
            Method::Transforms(transforms) => transforms.num_bytes(),
            Method::Interpolated(transforms, interpolation) => {
                transforms.num_bytes() + interpolation.num_bytes()
            }
        }
    }

    pub(crate) fn is_for(&self, rates: Rates, quality: FilterQuality) -> bool {
        self.rates == rates && self.quality == quality
    }

    /// Computes a block of one channel from the [`input_frames`](Self::input_frames) samples that start at
    /// [`first_input(block)`](Self::first_input). `output` receives the [`block_frames`](Self::block_frames) of the block, or as
    /// many of them as it holds.
    ///
    /// The same input gives the same bits for any contents of `scratch`, on every thread and for any length of the output, but
    /// not on every machine, since the transforms use the available SIMD instructions. Silence, and anything 400 dB below full
    /// scale, gives zeros. A NaN or an infinity affects only the blocks whose input contains it.
    ///
    /// # Panics
    /// If `input` does not have this length, or if `output` is longer than a block.
    pub fn block(&self, block: u64, input: &[T], output: &mut [T], scratch: &mut Scratch<T>) {
        assert_eq!(input.len(), self.input_frames, "the length of a block's input");
        assert!(output.len() <= self.block_frames(), "{} frames are more than a block", output.len());
        let (transforms, interpolation) = match &self.method {
            Method::Copy => return output.iter_mut().zip(input).for_each(|(to, from)| *to = *from),
            Method::Transforms(transforms) => (transforms, None),
            Method::Interpolated(transforms, interpolation) => (transforms, Some(interpolation)),
        };
        let halves = self.halves(block, input).map(|half| half.filter(|half| !is_silent(half)));
        if halves == [None, None] {
            return output.fill(T::zero());
        }
        self.pack(halves, scratch);
        scratch.output.resize(length(self.shape.num_points_out), Complex::new(T::zero(), T::zero()));
        scratch.spare.resize(transforms.num_spare(), Complex::new(T::zero(), T::zero()));
        transforms.run(scratch);
        let parts: [fn(&Complex<T>) -> T; 2] = [|pair| pair.re, |pair| pair.im];
        let output_halves = output.chunks_mut(length(self.shape.hop));
        for ((output, part), (half, index)) in output_halves.zip(parts).zip(halves.iter().zip(0..)) {
            match interpolation {
                _ if half.is_none() => output.fill(T::zero()),
                None => {
                    let skip = length(self.shape.lead / self.shape.down * self.shape.up);
                    let made = scratch.output.iter().skip(skip);
                    output.iter_mut().zip(made).for_each(|(to, from)| *to = part(from));
                }
                Some(interpolation) => {
                    scratch.half.clear();
                    scratch.half.extend(scratch.output.iter().map(part));
                    let place = interpolation.place(self.distance(2 * u128::from(block) + index));
                    interpolation.run(&scratch.half, place, output);
                }
            }
        }
    }

    /// The two overlapping pieces of a block's input, each as long as a transform.
    fn halves<'a>(&self, block: u64, input: &'a [T]) -> [Option<&'a [T]>; 2] {
        let num_points = length(self.shape.num_points_in);
        let first = self.base(2 * u128::from(block));
        let second = self.base(2 * u128::from(block) + 1);
        let ahead = usize::try_from(second - first).unwrap_or(usize::MAX);
        [0, ahead].map(|start| input.get(start..start.checked_add(num_points)?))
    }

    fn pack(&self, halves: [Option<&[T]>; 2], scratch: &mut Scratch<T>) {
        let zero = T::zero();
        let Scratch { input, .. } = scratch;
        input.clear();
        match halves {
            [Some(first), Some(second)] => {
                input.extend(first.iter().zip(second).map(|(first, second)| Complex::new(*first, *second)));
            }
            [Some(first), None] => input.extend(first.iter().map(|first| Complex::new(*first, zero))),
            [None, second] => {
                input.extend(second.unwrap_or_default().iter().map(|second| Complex::new(zero, *second)));
            }
        }
    }

    /// The last input frame at or before the start of a half block, counted from the first half of the first block.
    fn base(&self, half: u128) -> u128 {
        half * u128::from(self.shape.hop) * u128::from(self.shape.input) / u128::from(self.shape.output)
    }

    /// Where a half block starts in the output of the transforms, over the denominator of their step.
    fn distance(&self, half: u128) -> u64 {
        let output = u128::from(self.shape.output);
        let beyond = half * u128::from(self.shape.hop) * u128::from(self.shape.input) % output;
        let distance = (beyond + u128::from(self.shape.lead) * output) * u128::from(self.shape.up);
        u64::try_from(distance).unwrap_or(u64::MAX)
    }
}

impl<T> fmt::Debug for Plan<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rates, quality, shape, .. } = self;
        f.debug_struct("Plan").field("rates", rates).field("quality", quality).field("shape", shape).finish()
    }
}

/// A length from a shape; all are below 2^24.
fn length(frames: u64) -> usize {
    usize::try_from(frames).unwrap_or(usize::MAX)
}

fn is_silent<T: Sample>(samples: &[T]) -> bool {
    samples.iter().all(|sample| sample.abs() < T::SILENCE)
}
