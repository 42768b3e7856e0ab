//! Samples as the caller wants them.

#![forbid(unsafe_code)]

/// The types of samples that a decoder returns: `i16`, `i32` and `f32`.
///
/// A sample fills its type: the loudest are `MIN` and `MAX` of integers, whatever the depth of the stream, and -1 to just
/// below 1 of floats. An `i32` of a stream of n bits is shifted right by 32 - n to get the integer of the stream. `i16` is for
/// streams of at most 16 bits. A float has 24 bits, to which deeper samples are rounded, half to even.
pub trait DecodedSample: Copy + sealed::Sealed {
    /// The most bits of a stream that the type may be used for.
    const MAX_BITS: u32;

    /// What [`convert`](Self::convert) needs.
    type Scale: Copy;

    /// The scale of samples of `bits_per_sample` bits, 1 to [`MAX_BITS`](Self::MAX_BITS).
    fn scale(bits_per_sample: u32) -> Self::Scale;

    /// An integer of the stream as a sample.
    fn convert(sample: i32, scale: Self::Scale) -> Self;
}

mod sealed {
    pub trait Sealed {}

    impl Sealed for i16 {}

    impl Sealed for i32 {}

    impl Sealed for f32 {}
}

impl DecodedSample for i16 {
    const MAX_BITS: u32 = 16;

    type Scale = u32;

    fn scale(bits_per_sample: u32) -> u32 {
        16_u32.saturating_sub(bits_per_sample)
    }

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "samples have at most 16 bits")]
    fn convert(sample: i32, scale: u32) -> i16 {
        (sample << scale) as i16
    }
}

impl DecodedSample for i32 {
    const MAX_BITS: u32 = 32;

    type Scale = u32;

    fn scale(bits_per_sample: u32) -> u32 {
        32_u32.saturating_sub(bits_per_sample)
    }

    #[inline(always)]
    fn convert(sample: i32, scale: u32) -> i32 {
        sample << scale
    }
}

impl DecodedSample for f32 {
    const MAX_BITS: u32 = 32;

    type Scale = f32;

    fn scale(bits_per_sample: u32) -> f32 {
        1.0 / (1_u64 << bits_per_sample.saturating_sub(1).min(31)) as f32
    }

    #[inline(always)]
    fn convert(sample: i32, scale: f32) -> f32 {
        sample as f32 * scale // the scale is a power of two: exact but for the integer's own rounding
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp)]
mod tests {
    use super::*;

    #[test]
    fn samples_fill_their_type() {
        assert_eq!(i16::convert(-8, i16::scale(4)), i16::MIN);
        assert_eq!(i16::convert(32_767, i16::scale(16)), i16::MAX);
        assert_eq!(i32::convert(-8, i32::scale(4)), i32::MIN);
        assert_eq!(i32::convert(i32::MAX, i32::scale(32)), i32::MAX);
        assert_eq!(f32::convert(-8, f32::scale(4)), -1.0);
        assert_eq!(f32::convert(1, f32::scale(24)), 2.0_f32.powi(-23));
        assert_eq!(f32::convert(i32::MIN, f32::scale(32)), -1.0);
    }
}
