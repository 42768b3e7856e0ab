//! Perceptual noise substitution: bands of noise of a given energy (ISO/IEC 14496-3, 4.6.13).
//!
//! The standard leaves the generator to the decoder. This one begins again in every band, from the bytes of the packet, so that the noise
//! of a packet is the same wherever decoding began.

#![forbid(unsafe_code)]

/// A number that depends on all bytes of a packet.
pub(crate) fn seed_of(packet: &[u8]) -> u64 {
    let (words, rest) = packet.as_chunks::<8>();
    let mut last = [0; 8];
    last.iter_mut().zip(rest).for_each(|(to, byte)| *to = *byte);
    let words = words.iter().chain(std::iter::once(&last));
    words.fold(packet.len() as u64, |state, word| {
        (state ^ u64::from_le_bytes(*word)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
    })
}

/// Fills a band with noise of the energy of which `amplitude` is the square root.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "half of the bits of a state")]
pub(crate) fn fill(lines: &mut [f32], amplitude: f32, seed: u64) {
    // splitmix64, then four xorshift32 side by side
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    };
    let (first, second) = (next(), next());
    let mut states =
        [first as u32 | 1, (first >> 32) as u32 | 1, second as u32 | 1, (second >> 32) as u32 | 1];
    let mut energies = [0.0_f32; 4];
    let (quads, _) = lines.as_chunks_mut::<4>();
    for quad in &mut *quads {
        for ((line, state), energy) in quad.iter_mut().zip(&mut states).zip(&mut energies) {
            *state ^= *state << 13;
            *state ^= *state >> 17;
            *state ^= *state << 5;
            *line = state.cast_signed() as f32 * (1.0 / (1_u32 << 31) as f32);
            *energy += *line * *line;
        }
    }
    let [a, b, c, d] = energies;
    let energy = (a + b) + (c + d);
    let factor = if energy > 0.0 { amplitude / energy.sqrt() } else { 0.0 };
    quads.as_flattened_mut().iter_mut().for_each(|line| *line *= factor);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_has_its_energy_and_no_bias_and_differs_from_band_to_band() {
        let mut sums = Vec::new();
        for seed in 0..1000 {
            let mut lines = [0.0; 32];
            fill(&mut lines, 5.0, seed);
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
        assert_ne!(seed_of(&[1, 2, 3]), seed_of(&[1, 2, 4]));
        assert_ne!(seed_of(&[0; 8]), seed_of(&[0; 16]));
    }
}
