//! Two channels from one and the difference, and all channels in the caller's order (section 4.2).
//!
//! With side = left - right and mid = (left + right) >> 1, of which side has the lost bit: right = mid - (side >> 1) and
//! left = right + side. That needs no bit more than the side has.

#![forbid(unsafe_code)]

use std::mem::MaybeUninit;

use super::frame_header::Decorrelation;
use super::sample::DecodedSample;

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

/// Writes frames, one sample of each channel after the other. All of `output` is written.
///
/// # Panics
/// When there is no plane, or a plane has another number of samples than `output` has frames.
#[inline(always)]
pub(super) fn write_interleaved<S: DecodedSample>(
    planes: &[&[i32]],
    decorrelation: Decorrelation,
    scale: S::Scale,
    output: &mut [MaybeUninit<S>],
) {
    assert!(!planes.is_empty(), "at least one channel");
    assert!(planes.iter().all(|plane| plane.len() * planes.len() == output.len()), "as many samples as room");
    match planes {
        [plane] => write_plane(plane, scale, output),
        [first, second] => {
            // The choice stands outside the loop, so that each loop is one of vectors.
            match decorrelation {
                Decorrelation::Independent => {
                    write_pairs(first, second, Decorrelation::Independent, scale, output)
                }
                Decorrelation::LeftSide => write_pairs(first, second, Decorrelation::LeftSide, scale, output),
                Decorrelation::SideRight => {
                    write_pairs(first, second, Decorrelation::SideRight, scale, output)
                }
                Decorrelation::MidSide => write_pairs(first, second, Decorrelation::MidSide, scale, output),
            }
        }
        _ => {
            for (channel, plane) in planes.iter().enumerate() {
                for (to, sample) in output.iter_mut().skip(channel).step_by(planes.len()).zip(*plane) {
                    to.write(S::convert(*sample, scale));
                }
            }
        }
    }
}

#[inline(always)]
fn write_pairs<S: DecodedSample>(
    first: &[i32],
    second: &[i32],
    decorrelation: Decorrelation,
    scale: S::Scale,
    output: &mut [MaybeUninit<S>],
) {
    let (pairs, _) = output.as_chunks_mut::<2>();
    for ((pair, first), second) in pairs.iter_mut().zip(first).zip(second) {
        let (left, right) = left_right(*first, *second, decorrelation);
        *pair = [MaybeUninit::new(S::convert(left, scale)), MaybeUninit::new(S::convert(right, scale))];
    }
}

#[inline(always)]
fn write_plane<S: DecodedSample>(plane: &[i32], scale: S::Scale, output: &mut [MaybeUninit<S>]) {
    for (to, sample) in output.iter_mut().zip(plane) {
        to.write(S::convert(*sample, scale));
    }
}

/// Writes the samples of one channel. All of `output` is written.
///
/// # Panics
/// When there is no such channel, or a plane has another number of samples than `output`.
pub(super) fn write_channel<S: DecodedSample>(
    planes: &[&[i32]],
    channel: usize,
    decorrelation: Decorrelation,
    scale: S::Scale,
    output: &mut [MaybeUninit<S>],
) {
    assert!(planes.iter().all(|plane| plane.len() == output.len()), "as many samples as room");
    match (planes, decorrelation) {
        ([first, second], decorrelation) => {
            for ((to, first), second) in output.iter_mut().zip(*first).zip(*second) {
                let (left, right) = left_right(*first, *second, decorrelation);
                to.write(S::convert(if channel == 0 { left } else { right }, scale));
            }
        }
        _ => {
            let plane = planes.get(channel).copied();
            assert!(plane.is_some(), "there is channel {channel}");
            write_plane(plane.unwrap_or_default(), scale, output);
        }
    }
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
