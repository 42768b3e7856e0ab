//! The transform of the filter bank (ISO/IEC 14496-3, 4.6.11): lines to a discrete cosine transform of type IV, of which windows make
//! samples.
//!
//! The inverse MDCT of M lines is 2M numbers, of which M are different: those of u(n) = Σ x(k) cos(π/M (n + ½)(k + ½)). That is a
//! Fourier transform of M/2 complex points, with a factor for each point before and after it:
//!
//! - z(k) = (x(2k) + i x(M - 1 - 2k)) exp(-πi (4k + 1) / 4M)
//! - c = the Fourier transform of z
//! - u(2j) = Re(c(j) exp(-πi j / M)), u(M - 1 - 2j) = -Im(c(j) exp(-πi j / M))
//!
//! One long window of 1024 lines is transformed by itself, as 8 x 8 x 8 points. Otherwise eight windows lie side by side in the lanes
//! of vectors: the eight short ones of a channel, or long ones of several.

#![deny(unsafe_code)]

#[cfg(target_arch = "x86_64")]
mod avx2;
mod factors;
mod lanes;
mod long;
mod side_by_side;

#[cfg(target_arch = "x86_64")]
pub(crate) use avx2::{Avx2, Register};
pub(crate) use lanes::{Complex, Lanes, NUM_LANES, Stored, Vector};
pub(crate) use long::{Workspace, transform as transform_1024};
pub(crate) use side_by_side::{
    fourier_32, fourier_64, from_rows, to_rows, transform_60, transform_64, transform_480,
};

#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::math;

    fn noise(num_lines: usize, mut state: u64) -> Vec<f32> {
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 40) as f32 / 256.0 - 32768.0
        };
        (0..num_lines).map(|_| next()).collect()
    }

    fn by_definition(lines: &[f32]) -> Vec<f64> {
        let count = lines.len();
        let cosine = |n: usize, k: usize| math::cos_pi(((2 * n + 1) * (2 * k + 1)) as i64, 4 * count as i64);
        let sum = |n| lines.iter().enumerate().map(|(k, line)| f64::from(*line) * cosine(n, k)).sum::<f64>();
        (0..count).map(|n| sum(n) / count as f64 / 32768.0).collect()
    }

    /// The distance of errors below what is expected, in decibels.
    fn precision(found: &[f32], expected: &[f64]) -> f64 {
        let (mut error, mut power) = (0.0, 0.0);
        for (found, expected) in found.iter().zip(expected) {
            error += (f64::from(*found) - expected).powi(2);
            power += expected.powi(2);
        }
        10.0 * (power / error).log10()
    }

    #[test]
    fn transforms_are_those_of_the_definition() {
        let lines: [f32; 1024] = noise(1024, 1).try_into().unwrap_or([0.0; 1024]);
        let mut samples = [0.0; 1024];
        let mut workspace = [[([0.0; 8], [0.0; 8]); 64]; 2];
        transform_1024::<Lanes>((), &mut workspace, &lines, &mut samples);
        let found = precision(&samples, &by_definition(&lines));
        assert!(found > 135.0, "{found} dB");
        let eight: Vec<Vec<f32>> = (1..9).map(|seed| noise(960, seed)).collect();
        for count in [128, 120, 960] {
            let inputs: [&[f32]; NUM_LANES] = std::array::from_fn(|lane| &eight[lane][..count]);
            let mut rows = vec![[0.0; 8]; count];
            to_rows::<Lanes>((), &inputs, &mut rows);
            match count {
                128 => transform_64::<Lanes>((), &mut rows),
                120 => transform_60::<Lanes>((), &mut rows),
                _ => transform_480::<Lanes>((), &mut rows),
            }
            let mut outputs = vec![vec![0.0; count]; NUM_LANES];
            let mut lanes = outputs.iter_mut();
            let mut refs: [&mut [f32]; NUM_LANES] =
                std::array::from_fn(|_| lanes.next().map_or(&mut [][..], |lane| lane));
            from_rows::<Lanes>((), &rows, &mut refs);
            for (input, output) in inputs.iter().zip(&outputs) {
                let found = precision(output, &by_definition(input));
                assert!(found > 135.0, "{count} lines: {found} dB");
            }
        }
    }
}
