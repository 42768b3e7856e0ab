//! Samples as the caller wants them.

#![forbid(unsafe_code)]

/// The types of samples that a decoder returns: `i16`, `i32` and `f32`.
///
/// A sample fills its type: the loudest are `MIN` and `MAX` of integers, whatever the depth of the stream, and -1 to just
/// below 1 of floats. An `i32` of a stream of n bits is shifted right by 32 - n to get the integer of the stream. `i16` is for
/// streams of at most 16 bits. A float has 24 bits, to which deeper samples are rounded, half to even.
pub trait DecodedSample: sealed::Convert {}

impl DecodedSample for i16 {}

impl DecodedSample for i32 {}

impl DecodedSample for f32 {}

pub(super) mod sealed {
    pub trait Convert: Copy {
        /// The most bits of a stream that the type may be used for.
        const MAX_BITS: u32;

        /// What [`convert`](Self::convert) needs.
        type Scale: Copy;

        /// The scale of samples of `bits_per_sample` bits, 4 to [`MAX_BITS`](Self::MAX_BITS).
        fn scale(bits_per_sample: u32) -> Self::Scale;

        fn convert(sample: i32, scale: Self::Scale) -> Self;
    }
}

impl sealed::Convert for i16 {
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

impl sealed::Convert for i32 {
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

impl sealed::Convert for f32 {
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
