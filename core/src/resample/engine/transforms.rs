//! The first step of both methods: filtering and changing the rate between two Fourier transforms.

#![forbid(unsafe_code)]

use std::sync::Arc;

use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

use super::kaiser::Kaiser;
use super::sample::Sample;
use super::scratch::Scratch;

/// Two transforms of the same duration at two rates, and the filter between them.
///
/// The samples are pairs of pieces, one in the real parts and one in the imaginary parts. The pieces do not affect each other,
/// because the filter is symmetric and its spectrum therefore real.
pub(crate) struct Transforms<T> {
    forward: Arc<dyn Fft<T>>,
    inverse: Arc<dyn Fft<T>>,
    /// The filter's spectrum in the bins that pass, from 0 Hz, divided by the length of the first transform.
    response: Vec<T>,
}

impl<T: Sample> Transforms<T> {
    /// `filter` is in frames of the higher of the two rates.
    pub(crate) fn new(num_points_in: usize, num_points_out: usize, num_bins: usize, filter: Kaiser) -> Self {
        let mut planner = FftPlanner::new();
        let forward = planner.plan_fft_forward(num_points_in);
        let inverse = planner.plan_fft_inverse(num_points_out);
        let response = response(num_points_in, num_points_out, num_bins, filter);
        Self { forward, inverse, response }
    }

    /// The number of complex numbers that the transforms need as working memory.
    pub(crate) fn num_spare(&self) -> usize {
        self.forward.get_inplace_scratch_len().max(self.inverse.get_inplace_scratch_len())
    }

    /// The memory of a plan with these transforms: the filter, and about two complex numbers per point for the roots of unity.
    pub(crate) fn num_bytes(&self) -> usize {
        let num_roots = 2 * (self.forward.len() + self.inverse.len());
        num_roots * size_of::<Complex<T>>() + self.response.len() * size_of::<T>()
    }

    /// Transforms the pairs in `scratch.input` into those in `scratch.output`.
    pub(crate) fn run(&self, scratch: &mut Scratch<T>) {
        let Scratch { input, output, spare, .. } = scratch;
        self.forward.process_with_scratch(input, spare);
        let num_bins = self.response.len();
        let apply = |(to, (from, gain)): (&mut Complex<T>, (&Complex<T>, &T))| *to = from.scale(*gain);
        output.iter_mut().zip(input.iter().zip(&self.response)).for_each(apply);
        // The corresponding negative frequencies, from the end.
        let upper = input.iter().rev().zip(self.response.iter().skip(1));
        output.iter_mut().rev().zip(upper).for_each(apply);
        let end = output.len() + 1 - num_bins;
        if let Some(stopped) = output.get_mut(num_bins..end) {
            stopped.fill(Complex::new(T::zero(), T::zero()));
        }
        self.inverse.process_with_scratch(output, spare);
    }
}

/// The filter's spectrum, divided by the length of the first transform. Its gain at 0 Hz is exactly 1.
fn response<T: Sample>(
    num_points_in: usize,
    num_points_out: usize,
    num_bins: usize,
    filter: Kaiser,
) -> Vec<T> {
    let num_points = num_points_in.max(num_points_out);
    let mut bins = vec![Complex::new(0.0, 0.0); num_points];
    let half = (1_u32..).map(f64::from).take_while(|&distance| distance < filter.reach());
    let half: Vec<f64> = half.map(|distance| filter.at(distance)).collect();
    let centre = filter.at(0.0);
    let sum = centre + 2.0 * half.iter().rev().sum::<f64>();
    if let Some((first, rest)) = bins.split_first_mut() {
        first.re = centre;
        rest.iter_mut().zip(&half).for_each(|(bin, tap)| bin.re = *tap);
        rest.iter_mut().rev().zip(&half).for_each(|(bin, tap)| bin.re = *tap);
    }
    FftPlanner::new().plan_fft_forward(num_points).process(&mut bins);
    #[expect(clippy::cast_precision_loss, reason = "lengths below 2^23")]
    let scale = 1.0 / (sum * num_points_in as f64);
    bins.iter().take(num_bins).map(|bin| T::nearest(bin.re * scale)).collect()
}
