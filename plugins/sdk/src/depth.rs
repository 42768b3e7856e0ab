//! Rounds samples to the depth of a file.
//!
//! A sample of 1 to 32 bits fills an `i32` from the top, as in [`SampleFormat::I32`](crate::SampleFormat::I32): the
//! bits below its depth are 0. Shifted down by `32 - bits`, it is the number that a codec of that depth encodes.

/// A float at a depth of `bits` bits: `round(sample * 2^(bits-1))`, half to even, saturated, and shifted to the top.
///
/// Full scale is 1.0. NaN becomes 0. A depth outside 1 to 32 is clamped.
///
/// ```
/// use mapwave_plugin::depth;
///
/// assert_eq!(depth::round_f32(-0.5, 16), -0x4000 << 16);
/// assert_eq!(depth::round_f32(1.0, 24), 0x7f_ffff << 8, "the largest number of 24 bits");
/// assert_eq!([0.5, 1.5, 2.5].map(|steps| depth::round_f32(steps / 128.0, 8) >> 24), [0, 2, 2]);
/// ```
#[inline]
#[allow(clippy::cast_possible_truncation)] // the clamp bounds it
pub fn round_f32(sample: f32, bits: u32) -> i32 {
    let bits = bits.clamp(1, 32);
    let steps = f64::from(1u32 << (bits - 1));
    let rounded = (f64::from(sample) * steps).round_ties_even().clamp(-steps, steps - 1.0);
    (rounded as i32) << (32 - bits)
}

/// An integer that fills its 32 bits at a depth of `bits` bits: `round(sample / 2^(32-bits))`, half to even, saturated, and
/// shifted back to the top.
///
/// A sample without further bits does not change. A depth outside 1 to 32 is clamped.
///
/// ```
/// use mapwave_plugin::depth;
///
/// assert_eq!(depth::round_i32(0x1234_5678, 16), 0x1234_0000);
/// assert_eq!(depth::round_i32(i32::MAX, 24), 0x7f_ffff << 8, "the largest number of 24 bits");
/// assert_eq!([0x0080_0000, 0x0180_0000].map(|sample| depth::round_i32(sample, 8) >> 24), [0, 2]);
/// ```
#[inline]
pub fn round_i32(sample: i32, bits: u32) -> i32 {
    let shift = 32 - bits.clamp(1, 32);
    if shift == 0 {
        return sample;
    }
    let is_odd = sample >> shift & 1;
    sample.saturating_add((1 << (shift - 1)) - 1 + is_odd) >> shift << shift
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_rounded_to_a_depth() {
        let step = 1.0 / 8_388_608.0;
        let samples = [0.0, 1.0, -1.0, 2.0, -2.0, step, 0.5 * step, 1.5 * step, -0.5 * step, -1.5 * step];
        let expected = [0, 0x7fff_ff00, i32::MIN, 0x7fff_ff00, i32::MIN, 256, 0, 512, 0, -512];
        assert_eq!(samples.map(|sample| round_f32(sample, 24)), expected);
        assert_eq!([1.0, -1.0, 0.5].map(|sample| round_f32(sample, 32)), [i32::MAX, i32::MIN, 1 << 30]);
        let samples = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MIN_POSITIVE, -0.0];
        assert_eq!(samples.map(|sample| round_f32(sample, 16)), [0, 0x7fff_0000, i32::MIN, 0, 0]);
    }

    #[test]
    fn integers_are_rounded_to_a_depth() {
        let samples = [0, 0x7f, 0x80, 0x81, 0x180, -0x80, -0x81, -0x180, i32::MAX, i32::MIN];
        let expected = [0, 0, 0, 0x100, 0x200, 0, -0x100, -0x200, 0x7fff_ff00, i32::MIN];
        assert_eq!(samples.map(|sample| round_i32(sample, 24)), expected);
        assert_eq!([i32::MAX, -5].map(|sample| round_i32(sample, 32)), [i32::MAX, -5]);
    }

    #[test]
    fn every_depth_is_rounded_as_exact_arithmetic_does() {
        for bits in 1..=32_u32 {
            let step = f64::from(32 - bits).exp2();
            let largest = f64::from(bits - 1).exp2() - 1.0;
            let halves = [1, -1, 3, -3, 5].map(|odd| odd << 31_u32.saturating_sub(bits));
            let extremes = [i32::MIN, i32::MAX, 0, -1];
            for sample in (i32::MIN..=i32::MAX).step_by(1_048_573).chain(halves).chain(extremes) {
                let exact = (f64::from(sample) / step).round_ties_even().min(largest) * step;
                assert_eq!(f64::from(round_i32(sample, bits)), exact, "{sample} to {bits} bits");
                let upper = sample & !0xff; // as many bits as a float has
                let float = upper as f32 / 2_147_483_648.0;
                assert_eq!(round_f32(float, bits), round_i32(upper, bits), "{float} to {bits} bits");
            }
        }
    }

    #[test]
    fn an_invalid_depth_is_clamped() {
        for sample in [i32::MIN, -1 << 30, 0x1234_5678, i32::MAX] {
            assert_eq!((round_i32(sample, 0), round_i32(sample, 33)), (round_i32(sample, 1), sample));
        }
        for sample in [-1.0, -0.5, 0.3, 2.0] {
            assert_eq!(round_f32(sample, 0), round_f32(sample, 1));
            assert_eq!(round_f32(sample, u32::MAX), round_f32(sample, 32));
        }
    }
}
