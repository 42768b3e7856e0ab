//! Two channels from one and the difference, and all channels in the caller's order (section 4.2).
//!
//! With side = left - right and mid = (left + right) >> 1, of which side has the lost bit: right = mid - (side >> 1) and
//! left = right + side. That needs no bit more than the side has.

#![forbid(unsafe_code)]

use std::mem::MaybeUninit;

use mapwave_codec_base::{DecodedSample, write_pairs, write_plane};

use super::frame_header::Decorrelation;

/// The left and the right sample of the two that a FLAC frame holds.
#[inline(always)]
fn left_right(first: i32, second: i32, decorrelation: Decorrelation) -> (i32, i32) {
    match decorrelation {
        Decorrelation::Independent => (first, second),
        Decorrelation::LeftSide => (first, first.wrapping_sub(second)),
        Decorrelation::SideRight => (first.wrapping_add(second), second),
        Decorrelation::MidSide => {
            let right = first.wrapping_sub(second >> 1);
            (right.wrapping_add(second), right)
        }
    }
}

/// Writes frames, one sample of each channel after the other, to all of `output`.
///
/// # Panics
/// When there is no plane, or one has another number of samples than `output` has frames.
#[inline(always)]
pub(super) fn write_interleaved<'o, S: DecodedSample>(
    planes: &[&[i32]],
    decorrelation: Decorrelation,
    scale: S::Scale,
    output: &'o mut [MaybeUninit<S>],
) -> &'o mut [S] {
    let [first, second] = planes else { return mapwave_codec_base::write_interleaved(planes, scale, output) };
    // The choice stands outside the loops, so that each is one of vectors.
    macro_rules! write_pairs {
        ($decorrelation:expr) => {
            write_pairs(
                first,
                second,
                |first, second| left_right(first, second, $decorrelation),
                scale,
                output,
            )
        };
    }
    match decorrelation {
        Decorrelation::Independent => write_pairs!(Decorrelation::Independent),
        Decorrelation::LeftSide => write_pairs!(Decorrelation::LeftSide),
        Decorrelation::SideRight => write_pairs!(Decorrelation::SideRight),
        Decorrelation::MidSide => write_pairs!(Decorrelation::MidSide),
    }
}

/// Writes the samples of one channel to all of `output`; `None` if there is no such channel.
///
/// # Panics
/// When a plane has another number of samples than `output`.
pub(super) fn write_channel<'o, S: DecodedSample>(
    planes: &[&[i32]],
    channel: usize,
    decorrelation: Decorrelation,
    scale: S::Scale,
    output: &'o mut [MaybeUninit<S>],
) -> Option<&'o mut [S]> {
    let plane = planes.get(channel)?;
    let ([first, second], false) = (planes, decorrelation == Decorrelation::Independent) else {
        return Some(write_plane(plane, scale, output));
    };
    let samples = first.iter().zip(*second).map(|(first, second)| {
        let (left, right) = left_right(*first, *second, decorrelation);
        if channel == 0 { left } else { right }
    });
    Some(write_plane(&samples.collect::<Vec<_>>(), scale, output))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_channels_come_back_from_one_and_the_difference() {
        let extremes = [-(1 << 30), -(1 << 30) + 1, -7, -2, -1, 0, 1, 2, 8, (1 << 30) - 2, (1 << 30) - 1];
        for left in extremes {
            for right in extremes {
                let (mid, side) = ((left + right) >> 1, left - right); // of 31 and 32 bits
                assert_eq!(left_right(left, right, Decorrelation::Independent), (left, right));
                assert_eq!(left_right(left, side, Decorrelation::LeftSide), (left, right));
                assert_eq!(left_right(side, right, Decorrelation::SideRight), (left, right));
                assert_eq!(left_right(mid, side, Decorrelation::MidSide), (left, right));
            }
        }
    }
}
