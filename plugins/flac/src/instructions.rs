//! The frame encoder compiled for wider registers, where the CPU has them.
//!
//! It is the same code, and no two operations are fused, so the bytes are the same. Everything that it calls is inlined
//! into it. Unsafe code is allowed here to call what is compiled for instructions that not every CPU has.

#![allow(unsafe_code)]

use crate::frame::FrameEncoder;

/// The frame of a block, with the best instructions that there are.
pub(crate) fn encode(encoder: &mut FrameEncoder, channels: &[&[i32]], number: u64) -> Vec<u8> {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("lzcnt")
    {
        // SAFETY: this CPU has these instructions.
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
    use crate::frame::Format;
    use crate::noise::Noise;
    use crate::settings::Settings;

    #[test]
    fn the_bytes_are_the_same_with_all_instructions() {
        for (bits_per_sample, effort) in [(16, None), (24, None), (16, Some(1)), (24, Some(100))] {
            let settings = Settings::of_effort(effort);
            let format = Format { sample_rate: 44_100, num_channels: 2, bits_per_sample, settings };
            let mut noise = Noise(1);
            let mut before = [0; 2];
            let mut next = || {
                let [one, two] = before;
                // A resonance that noise keeps up, so that predictors have something to find.
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
