//! Noise that makes the rounding error independent of the signal.

#![forbid(unsafe_code)]

/// The noise added before samples are rounded to integers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dither {
    /// No noise.
    #[default]
    None,
    /// Noise with a triangular distribution between -1 and 1 output steps (TPDF; S. P. Lipshitz, R. A. Wannamaker and J.
    /// Vanderkooy, "Quantization and Dither: A Theoretical Survey", Journal of the AES 40(5), 1992).
    ///
    /// The noise of a sample depends only on the seed and the sample's number, so the same audio gives the same file.
    Tpdf {
        /// The seed of the noise.
        seed: u64,
    },
}

/// The noise for sample number `index`, in output steps: the difference of two uniform random numbers.
pub(super) fn tpdf(seed: u64, index: u64) -> f64 {
    let bits = scramble(seed ^ scramble(index));
    let uniform = |bits: u64| bits as f64 / (1_u64 << 32) as f64;
    uniform(bits >> 32) - uniform(bits & 0xffff_ffff)
}

/// The output function of SplitMix64 (G. L. Steele, D. Lea and C. H. Flood, "Fast Splittable Pseudorandom Number Generators",
/// OOPSLA 2014), a bijection in which each output bit depends on all input bits.
fn scramble(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ value >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_noise_has_the_moments_of_a_triangle() {
        let noise: Vec<f64> = (0..1_000_000).map(|index| tpdf(7, index)).collect();
        let mean = |power: i32| noise.iter().map(|noise| noise.powi(power)).sum::<f64>() / 1e6;
        // The triangular distribution on [-1, 1]: mean 0, variance 1/6, fourth moment 1/15; six standard errors.
        assert!(mean(1).abs() < 6.0 * (1.0_f64 / 6.0 / 1e6).sqrt());
        assert!((mean(2) - 1.0 / 6.0).abs() < 6.0 * ((1.0_f64 / 15.0 - 1.0 / 36.0) / 1e6).sqrt());
        assert!(noise.iter().all(|noise| noise.abs() < 1.0));
        let neighbours = noise.windows(2).map(|pair| pair.iter().product::<f64>()).sum::<f64>() / 1e6;
        assert!(neighbours.abs() < 1e-3, "neighbours have nothing in common: {neighbours}");
    }

    #[test]
    fn seeds_give_noises_of_their_own() {
        assert_ne!(tpdf(1, 0).to_bits(), tpdf(2, 0).to_bits());
        assert_eq!(tpdf(1, 5).to_bits(), tpdf(1, 5).to_bits());
    }
}
