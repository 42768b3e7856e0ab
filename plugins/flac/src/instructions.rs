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
