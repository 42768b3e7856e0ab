//! The frame encoder, compiled a second time for CPUs with wider registers.
//!
//! Both versions are the same source, and the compiler never fuses floating-point operations, so the bytes are the same.
//! Everything that the encoder calls is inlined, so that it is compiled for these registers as well. Unsafe code is allowed in
//! this file to call a function compiled for instructions that not every CPU has.

#![allow(unsafe_code)]

use crate::encode::frame::FrameEncoder;

/// Encodes a block with the best instructions of this CPU.
pub(crate) fn encode(encoder: &mut FrameEncoder, channels: &[&[i32]], number: u64) -> Vec<u8> {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("lzcnt")
    {
        // SAFETY: the four lines above have checked that this CPU has each of these instructions.
        return unsafe { encode_avx2(encoder, channels, number) };
    }
    encoder.encode(channels, number)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt")]
fn encode_avx2(encoder: &mut FrameEncoder, channels: &[&[i32]], number: u64) -> Vec<u8> {
    encoder.encode(channels, number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::frame::Format;
    use crate::encode::level::Level;
    use crate::noise::Noise;

    #[test]
    fn the_bytes_are_the_same_with_all_instructions() {
        for (bits_per_sample, level) in [(16, 5), (24, 5), (16, 0), (24, 8)] {
            let level = Level::numbered(level).unwrap_or_default();
            let format = Format { sample_rate: 44_100, num_channels: 2, bits_per_sample, level };
            let mut noise = Noise(1);
            let mut before = [0; 2];
            let mut next = || {
                let [one, two] = before;
                // A resonance excited by noise, so that predictors have something to find.
                let sample = (one * 15 / 8 - two * 15 / 16 + noise.sample(bits_per_sample - 6)) / 64 * 64;
                before = [sample, one];
                sample
            };
            let channels: [Vec<i32>; 2] = std::array::from_fn(|_| (0..4000).map(|_| next() / 64).collect());
            let [left, right] = &channels;
            let channels = [left.as_slice(), right.as_slice()];
            let plain = FrameEncoder::new(format).encode(&channels, 7);
            assert!(encode(&mut FrameEncoder::new(format), &channels, 7) == plain, "{format:?}");
        }
    }
}
