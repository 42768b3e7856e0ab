//! A way from one rate to another, block by block.

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

/// How the frames of one rate are made from those of another, at one quality.
///
/// The output is cut into blocks of [`block_frames`](Self::block_frames) output frames, the first of which begins at frame 0.
/// Block b is made from [`input_frames`](Self::input_frames) input frames that begin at
/// [`first_input(b)`](Self::first_input), and from nothing else. Output frame k is the sound at k / output rate seconds: there
/// is no delay.
///
/// A plan is shared by any number of threads, each with a [`Scratch`] of its own.
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
    /// The rates are the same.
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

    /// The rates it was made for.
    pub fn rates(&self) -> Rates {
        self.rates
    }

    /// The quality it was made for.
    pub fn quality(&self) -> FilterQuality {
        self.quality
    }

    /// The number of output frames in a block: a few thousand between the rates of real files.
    pub fn block_frames(&self) -> usize {
        length(2 * self.shape.hop)
    }

    /// The number of input frames that a block is made from, with those before and after it that the filter needs.
    pub fn input_frames(&self) -> usize {
        self.input_frames
    }

    /// The input frame at which a block's input begins: before 0 for the first blocks. What is not there, before the
    /// beginning and after the end, is zero.
    ///
    /// Numbers that do not fit are the nearest that do.
    pub fn first_input(&self, block: u64) -> i64 {
        let first = i128::try_from(self.base(2 * u128::from(block))).unwrap_or(i128::MAX);
        i64::try_from(first - i128::from(self.shape.lead)).unwrap_or(i64::MAX)
    }

    /// The number of input frames between the beginnings of one block's input and of the next one's. Between rates whose
    /// ratio is not one of small numbers, some are one more: [`first_input`](Self::first_input) tells.
    pub fn hop_input_frames(&self) -> usize {
        length(2 * self.shape.hop * self.shape.input / self.shape.output)
    }

    /// The memory that it takes, roughly. A [`Scratch`] that serves it takes about as much.
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

    /// Makes a block of one channel: the [`input_frames`](Self::input_frames) samples from
    /// [`first_input(block)`](Self::first_input) on become the block's [`block_frames`](Self::block_frames), or, when `output`
    /// is shorter, as many of them as it holds.
    ///
    /// The same input gives the same bits, whatever was in `scratch`, on every thread, and however short the output is; not
    /// on every machine, since the transforms use the SIMD instructions that there are. Silence, and whatever is 400 dB under
    /// full scale, gives zeros. A NaN or an infinity spreads to the blocks whose input it is in, and no further.
    ///
    /// # Panics
    /// When `input` is not as long as said, or `output` longer than a block.
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

    /// The two pieces of a block's input, each as long as a transform. They overlap.
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

    /// The last input frame at or before the beginning of a half block, counted from the first block's first half.
    fn base(&self, half: u128) -> u128 {
        half * u128::from(self.shape.hop) * u128::from(self.shape.input) / u128::from(self.shape.output)
    }

    /// How far into the transforms' output a half block begins, over the denominator of their step.
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

/// A length of a shape, all of which are below 2^24.
fn length(frames: u64) -> usize {
    usize::try_from(frames).unwrap_or(usize::MAX)
}

fn is_silent<T: Sample>(samples: &[T]) -> bool {
    samples.iter().all(|sample| sample.abs() < T::SILENCE)
}
