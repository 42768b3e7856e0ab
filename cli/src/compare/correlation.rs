//! By how many frames one file is late against another.
//!
//! The cross-correlation of a part of the first file with a longer part of the second is largest where the two are alike. By the
//! convolution theorem it is the inverse Fourier transform of the product of one spectrum and the conjugate of the other. Divided
//! by the energies of the two parts, it is 1 for the same signal and about 0 for unrelated ones.

#![forbid(unsafe_code)]

use std::ops::Range;

use mapwave::{ChannelSelection, FrameSpec, MonoMode, ReadControl, Reader, Result};
use mapwave_core::Buffer;
use rustfft::FftPlanner;
use rustfft::num_complex::Complex;

/// The frames of the first file that are looked for: some seconds, so that speech has words in it.
const PART_FRAMES: u64 = 1 << 18;

/// The largest offset that is found.
const MAX_OFFSET: u64 = 1 << 17;

/// The least correlation of two signals that are alike.
const LEAST: f64 = 0.5;

/// The frames by which `second` is late, or `None` if it is not alike anywhere.
pub(super) fn offset(first: &Reader, second: &Reader, control: &ReadControl<'_>) -> Result<Option<i64>> {
    let common = first.num_frames().min(second.num_frames());
    let start = loudest(first, common, control)?;
    let part = start..first.num_frames().min(start + PART_FRAMES);
    let around = part.start.saturating_sub(MAX_OFFSET)..second.num_frames().min(part.end + MAX_OFFSET);
    if part.is_empty() || around.is_empty() || around.start >= around.end {
        return Ok(None);
    }
    let before = i64::try_from(part.start - around.start).unwrap_or(0);
    let found = best_place(&mono(first, part, control)?, &mono(second, around, control)?);
    Ok(found.map(|place| place - before))
}

/// Where the loudest of a few parts of the file begins: silence fits anywhere.
fn loudest(reader: &Reader, num_frames: u64, control: &ReadControl<'_>) -> Result<u64> {
    let mut best = (0, -1.0);
    let last = num_frames.saturating_sub(PART_FRAMES);
    for quarter in 0..4 {
        let start = last / 4 * quarter;
        let end = num_frames.min(start + PART_FRAMES / 16);
        let energy = energy(&mono(reader, start..end, control)?);
        if energy > best.1 {
            best = (start, energy);
        }
    }
    Ok(best.0)
}

fn mono(reader: &Reader, frames: Range<u64>, control: &ReadControl<'_>) -> Result<Vec<f32>> {
    let channels = ChannelSelection::Mono(MonoMode::Mean);
    let spec = FrameSpec { channels, ..FrameSpec::default() };
    let frames = reader.read_with(frames, &spec, Buffer::new, control)?;
    let samples = frames.samples::<f32>().unwrap_or_default();
    Ok(samples.iter().map(|&sample| if sample.is_finite() { sample } else { 0.0 }).collect())
}

fn energy(samples: &[f32]) -> f64 {
    samples.iter().map(|&sample| f64::from(sample) * f64::from(sample)).sum()
}

/// Where `part` begins in `whole`, which may be before its start; `None` if they are not alike.
fn best_place(part: &[f32], whole: &[f32]) -> Option<i64> {
    let size = (part.len() + whole.len()).next_power_of_two();
    let mut planner = FftPlanner::<f32>::new();
    let (forward, backward) = (planner.plan_fft_forward(size), planner.plan_fft_inverse(size));
    let spectrum = |samples: &[f32]| {
        let mut values: Vec<Complex<f32>> = samples.iter().map(|&sample| Complex::from(sample)).collect();
        values.resize(size, Complex::default());
        forward.process(&mut values);
        values
    };
    let part_spectrum = spectrum(part);
    let mut product: Vec<Complex<f32>> =
        spectrum(whole).iter().zip(&part_spectrum).map(|(whole, part)| whole * part.conj()).collect();
    backward.process(&mut product);
    // The correlation at a lag of `index`, or of `index - size` in the upper half.
    let best = product.iter().enumerate().max_by(|(_, one), (_, two)| one.re.total_cmp(&two.re));
    let (index, peak) = best.map(|(index, value)| (index, f64::from(value.re) / size as f64))?;
    let (index, size) = (i64::try_from(index).ok()?, i64::try_from(size).ok()?);
    let lag = if index < size - i64::try_from(part.len()).ok()? { index } else { index - size };
    let overlap = overlap(part, whole, lag)?;
    let energies = energy(overlap.0) * energy(overlap.1);
    (energies > 0.0 && peak / energies.sqrt() >= LEAST).then_some(lag)
}

/// The samples of both that lie over each other at this lag.
fn overlap<'a>(part: &'a [f32], whole: &'a [f32], lag: i64) -> Option<(&'a [f32], &'a [f32])> {
    let (skipped, start) = match usize::try_from(lag) {
        Ok(start) => (0, start),
        Err(_) => (usize::try_from(-lag).ok()?, 0),
    };
    let length = part.len().saturating_sub(skipped).min(whole.len().saturating_sub(start));
    Some((part.get(skipped..skipped + length)?, whole.get(start..start + length)?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    /// Noise by a linear congruential generator (Numerical Recipes, 2nd edition, section 7.1).
    fn noise(num: usize, seed: u32) -> Vec<f32> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f32::from((state >> 16) as u16) / f32::from(u16::MAX) - 0.5
        };
        (0..num).map(|_| next()).collect()
    }

    #[test]
    fn a_part_is_found_where_it_is() {
        let whole = noise(5000, 1);
        for start in [0, 1, 999, 4000] {
            assert_eq!(best_place(&whole[start..start + 1000], &whole), Some(i64::try_from(start).unwrap()));
        }
        assert_eq!(best_place(&whole[..3000], &whole[400..]), Some(-400));
        assert_eq!(best_place(&noise(1000, 2), &whole), None);
        assert_eq!(best_place(&[0.0; 100], &whole), None);
    }
}
