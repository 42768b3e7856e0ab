//! Overlapping blocks (sections 4.3.7 and 4.3.8), from what [`transform`](crate::transform) makes of their spectra.
//!
//! Between the middles of two blocks, the second half of one and the first half of the other overlap where the smaller one
//! rises. Of both only half is different, so every two samples are two values turned: with the value u of the earlier
//! block, v of the later one and the window's slope w, which is the sine of an angle and has its cosine mirrored,
//!
//! v w - u w' is a sample, and -(v w' + u w) is the mirrored one.

#![forbid(unsafe_code)]

use crate::simd::{NUM_LANES, Simd};

/// Writes the samples between the middles of two blocks, half as many as both have values.
///
/// `previous` is the first half of the values of the earlier block, `current` the second half of the later one's. `slope` is that
/// of the smaller block.
#[inline(always)]
pub(crate) fn overlap<S: Simd>(
    simd: S,
    previous: &[f32],
    current: &[f32],
    slope: &[f32],
    samples: &mut [f32],
) {
    let half = previous.len().min(current.len());
    let (turned, flat) = previous.split_at_checked(half).unwrap_or_default();
    let (flat_before, samples) = samples.split_at_mut_checked(flat.len()).unwrap_or_default();
    mirror(simd, flat, flat_before);
    let (flat, current) = current.split_at_checked(current.len() - half).unwrap_or_default();
    let (samples, flat_after) = samples.split_at_mut_checked(2 * half).unwrap_or_default();
    rotate(simd, turned, current, slope, samples);
    mirror(simd, flat, flat_after);
}

/// Values backwards, with the other sign.
#[inline(always)]
fn mirror<S: Simd>(simd: S, values: &[f32], samples: &mut [f32]) {
    let (values, _) = values.as_chunks::<NUM_LANES>();
    let (samples, _) = samples.as_chunks_mut::<NUM_LANES>();
    for (sample, value) in samples.iter_mut().zip(values.iter().rev()) {
        simd.store(simd.negate(simd.reverse(simd.load(value))), sample);
    }
}

/// Turns values of two blocks to samples, from both ends to the middle.
#[inline(always)]
fn rotate<S: Simd>(simd: S, previous: &[f32], current: &[f32], slope: &[f32], samples: &mut [f32]) {
    let (previous, _) = previous.as_chunks::<NUM_LANES>();
    let (current, _) = current.as_chunks::<NUM_LANES>();
    let (rising, falling) = slope.split_at_checked(slope.len() / 2).unwrap_or_default();
    let (rising, _) = rising.as_chunks::<NUM_LANES>();
    let (falling, _) = falling.as_chunks::<NUM_LANES>();
    let (first, second) = samples.split_at_mut_checked(samples.len() / 2).unwrap_or_default();
    let (first, _) = first.as_chunks_mut::<NUM_LANES>();
    let (second, _) = second.as_chunks_mut::<NUM_LANES>();
    let values = previous.iter().rev().zip(current);
    let slopes = rising.iter().zip(falling.iter().rev());
    let samples = first.iter_mut().zip(second.iter_mut().rev());
    for (((previous, current), (sine, cosine)), (sample, mirrored)) in values.zip(slopes).zip(samples) {
        let (previous, current) = (simd.reverse(simd.load(previous)), simd.load(current));
        let (sine, cosine) = (simd.load(sine), simd.reverse(simd.load(cosine)));
        simd.store(simd.sub(simd.mul(current, sine), simd.mul(previous, cosine)), sample);
        let other = simd.add(simd.mul(current, cosine), simd.mul(previous, sine));
        simd.store(simd.reverse(simd.negate(other)), mirrored);
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::cast_possible_truncation)]
mod tests {
    use std::f64::consts::PI;

    use super::*;
    use crate::simd::Plain;
    use crate::transform::{Transform, Work};

    fn noise(num_values: usize, seed: u32) -> Vec<f32> {
        let mut state = seed;
        (0..num_values)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state.cast_signed() >> 8) as f32 / 8_388_608.0
            })
            .collect()
    }

    /// The inverse MDCT by its formula.
    fn block(lines: &[f32]) -> Vec<f64> {
        let num_lines = lines.len();
        let sample = |place: usize| {
            let phase = |line: usize| (2 * place + 1 + num_lines) * (2 * line + 1) % (8 * num_lines);
            let value = |(line, value): (usize, &f32)| {
                f64::from(*value) * (PI * phase(line) as f64 / (4 * num_lines) as f64).cos()
            };
            lines.iter().enumerate().map(value).sum()
        };
        (0..2 * num_lines).map(sample).collect()
    }

    /// The window of section 4.3.1, as long as both blocks are from the middle of one to the middle of the other.
    fn slope(place: f64, length: f64) -> f64 {
        let place = place.clamp(0.0, length);
        let inner = (PI / 2.0 * place / length).sin();
        (PI / 2.0 * inner * inner).sin()
    }

    #[test]
    fn blocks_of_all_sizes_overlap_as_by_the_formulas() {
        for (one, other) in [(6, 6), (6, 7), (7, 6), (8, 8), (8, 11), (11, 8), (11, 11), (6, 11)] {
            let transforms = [one, other].map(Transform::new);
            let lines = [noise(transforms[0].num_lines, 1), noise(transforms[1].num_lines, 2)];
            let values = [0, 1].map(|number| {
                let num_lines = transforms[number].num_lines;
                let mut values = vec![0.0; num_lines];
                transforms[number].transform(Plain, &lines[number], &mut values, &mut Work::new(num_lines));
                values
            });
            let [first, second] = [0, 1].map(|number| transforms[number].num_lines);
            let smaller = &transforms[usize::from(second < first)];
            let mut samples = vec![0.0; first / 2 + second / 2];
            overlap(Plain, &values[0][..first / 2], &values[1][second / 2..], &smaller.slope, &mut samples);
            let blocks = [block(&lines[0]), block(&lines[1])];
            let width = first.min(second) as f64;
            for (place, sample) in samples.iter().enumerate() {
                // The middle of the overlap is three quarters into the first block and one into the second.
                let from_middle = place as f64 + 0.5 - (first / 2) as f64;
                let earlier = blocks[0]
                    .get(first + place)
                    .map_or(0.0, |value| value * slope(width / 2.0 - from_middle, width));
                let later = (second / 2 + place)
                    .checked_sub(first / 2)
                    .map_or(0.0, |place| blocks[1][place] * slope(width / 2.0 + from_middle, width));
                let exact = earlier + later;
                assert!((f64::from(*sample) - exact).abs() < 2e-5, "{one} {other} {place}: {sample} {exact}");
            }
        }
    }
}
