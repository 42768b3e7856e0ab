//! Perceptual noise substitution: bands of noise of a given energy (ISO/IEC 14496-3, 4.6.13).
//!
//! The standard leaves the generator to the decoder. This one is the linear congruential generator that FFmpeg and others draw from, one
//! for all channels of a stream, in the order of the packet: channel by channel, group by group, band by band, window by window, line by
//! line. So the noise is theirs as well, as long as decoding began where theirs did.

#![forbid(unsafe_code)]

/// A state `x` is followed by `FACTOR * x + INCREMENT`.
const FACTOR: u32 = 1_664_525;
const INCREMENT: u32 = 1_013_904_223;

/// The generators that draw side by side, each every fourth number.
const NUM_LANES: usize = 4;

/// The factor and the increment of that many steps at once, found by doubling.
const fn steps(mut count: u64) -> (u32, u32) {
    let (mut factor, mut increment) = (1_u32, 0_u32);
    let (mut step_factor, mut step_increment) = (FACTOR, INCREMENT);
    while count > 0 {
        if count & 1 == 1 {
            factor = factor.wrapping_mul(step_factor);
            increment = increment.wrapping_mul(step_factor).wrapping_add(step_increment);
        }
        step_increment = step_increment.wrapping_mul(step_factor.wrapping_add(1));
        step_factor = step_factor.wrapping_mul(step_factor);
        count >>= 1;
    }
    (factor, increment)
}

/// The state of the generator of noise. It depends on the number of lines of noise since the beginning of a stream, and on nothing else.
///
/// ```
/// use mapwave_aac::Noise;
///
/// let start = Noise::default();
/// assert_eq!(start.after(12).after(1000), start.after(1012));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Noise(u32);

impl Default for Noise {
    /// At the beginning of a stream.
    fn default() -> Self {
        Self(0x1f2e_3d4c)
    }
}

impl Noise {
    /// The state behind as many lines of noise.
    #[must_use]
    pub const fn after(self, num_lines: u64) -> Self {
        let (factor, increment) = steps(num_lines);
        Self(self.0.wrapping_mul(factor).wrapping_add(increment))
    }

    /// Fills a band, whose number of lines is a multiple of four, with noise of the energy of which `amplitude` is the square root.
    #[inline(always)]
    pub(crate) fn fill(&mut self, lines: &mut [f32], amplitude: f32) {
        let (factor, increment) = const { steps(NUM_LANES as u64) };
        let mut state = *self;
        let mut states = [0; NUM_LANES].map(|_: u32| {
            state = state.after(1);
            state.0
        });
        let mut energies = [0.0_f32; NUM_LANES];
        let (quads, _) = lines.as_chunks_mut::<NUM_LANES>();
        for quad in &mut *quads {
            [.., self.0] = states;
            for ((line, state), energy) in quad.iter_mut().zip(&mut states).zip(&mut energies) {
                *line = state.cast_signed() as f32 * (1.0 / (1_u32 << 31) as f32);
                *state = state.wrapping_mul(factor).wrapping_add(increment);
                *energy += *line * *line;
            }
        }
        let [a, b, c, d] = energies;
        let energy = (a + b) + (c + d);
        let factor = if energy > 0.0 { amplitude / energy.sqrt() } else { 0.0 };
        quads.as_flattened_mut().iter_mut().for_each(|line| *line *= factor);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_drawn_one_after_the_other() {
        let (mut noise, mut state) = (Noise::default(), 0x1f2e_3d4c_u32);
        for num_lines in [4, 8, 32, 0, 12] {
            let mut lines = vec![0.0; num_lines];
            noise.fill(&mut lines, 3.0);
            let drawn = lines.iter().map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                f64::from(state.cast_signed())
            });
            let drawn: Vec<f64> = drawn.collect();
            let norm = drawn.iter().map(|number| number * number).sum::<f64>().sqrt();
            for (line, number) in lines.iter().zip(&drawn) {
                assert!((f64::from(*line) - 3.0 * number / norm).abs() < 1e-6, "{line}");
            }
        }
        assert_eq!(noise, Noise(state));
        assert_eq!(noise, Noise::default().after(4 + 8 + 32 + 12));
    }

    #[test]
    fn noise_has_its_energy_and_no_bias_and_differs_from_band_to_band() {
        let (mut noise, mut sums) = (Noise::default(), Vec::new());
        for _ in 0..1000 {
            let mut lines = [0.0; 32];
            noise.fill(&mut lines, 5.0);
            let energy: f32 = lines.iter().map(|line| line * line).sum();
            assert!((energy - 25.0).abs() < 1e-4, "{energy}");
            sums.push(lines.iter().sum::<f32>());
        }
        // Each sum has a variance of 25.
        let mean = sums.iter().sum::<f32>() / 1000.0;
        let variance = sums.iter().map(|sum| sum * sum).sum::<f32>() / 1000.0;
        assert!(mean.abs() < 0.8 && (20.0..30.0).contains(&variance), "{mean} {variance}");
        sums.sort_by(f32::total_cmp);
        sums.dedup();
        assert!(sums.len() > 990);
    }
}
