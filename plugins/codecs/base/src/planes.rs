//! Planes of integers, one for each channel, written as the caller's samples.
//!
//! Unsafe code is allowed in this file to call memory initialised that was written by a loop over all of it.

use std::mem::MaybeUninit;

use crate::sample::DecodedSample;

/// Writes frames, one sample of each channel after the other, to all of `output`.
///
/// ```
/// use std::mem::MaybeUninit;
///
/// use mapwave_codec_base::{DecodedSample, write_interleaved};
///
/// let mut output = [MaybeUninit::uninit(); 6];
/// let written = write_interleaved::<i16>(&[&[1, 2], &[3, 4], &[5, 6]], i16::scale(16), &mut output);
/// assert_eq!(written, [1, 3, 5, 2, 4, 6]);
/// ```
///
/// # Panics
/// When there is no plane, or one has another number of samples than `output` has frames.
#[inline(always)]
pub fn write_interleaved<'o, S: DecodedSample>(
    planes: &[&[i32]],
    scale: S::Scale,
    output: &'o mut [MaybeUninit<S>],
) -> &'o mut [S] {
    assert!(!planes.is_empty(), "at least one channel");
    assert!(planes.iter().all(|plane| plane.len() * planes.len() == output.len()), "as many samples as room");
    match planes {
        [plane] => return write_plane(plane, scale, output),
        [first, second] => return write_pairs(first, second, |first, second| (first, second), scale, output),
        _ => {
            for (channel, plane) in planes.iter().enumerate() {
                for (to, sample) in output.iter_mut().skip(channel).step_by(planes.len()).zip(*plane) {
                    to.write(S::convert(*sample, scale));
                }
            }
        }
    }
    // SAFETY: each channel has written every so many samples from its own on, as many as there are frames: by the
    // assertions those are all.
    unsafe { output.assume_init_mut() }
}

/// Writes frames of one or two channels that are samples already to all of `output`.
///
/// ```
/// use std::mem::MaybeUninit;
///
/// use mapwave_codec_base::interleave;
///
/// let mut output = [MaybeUninit::uninit(); 4];
/// assert_eq!(interleave(&[&[1.0, 2.0], &[3.0, 4.0]], &mut output), [1.0, 3.0, 2.0, 4.0]);
/// ```
///
/// # Panics
/// When there are other channels than one or two, or one has another number of samples than `output` has frames.
#[inline(always)]
pub fn interleave<'o, T: Copy>(planes: &[&[T]], output: &'o mut [MaybeUninit<T>]) -> &'o mut [T] {
    let [first, second] = match planes {
        [plane] => {
            assert_eq!(plane.len(), output.len(), "as many samples as room");
            return output.write_copy_of_slice(plane);
        }
        [first, second] => [first, second],
        _ => panic!("one or two channels"),
    };
    assert!([first, second].iter().all(|plane| plane.len() * 2 == output.len()), "as many samples as room");
    let (pairs, _) = output.as_chunks_mut::<2>();
    for ((pair, first), second) in pairs.iter_mut().zip(*first).zip(*second) {
        *pair = [MaybeUninit::new(*first), MaybeUninit::new(*second)];
    }
    // SAFETY: by the assertion, there are as many pairs as samples of each plane, and nothing is left over.
    unsafe { output.assume_init_mut() }
}

/// Writes frames of two channels, which `channels` makes of a value of each plane, to all of `output`.
///
/// # Panics
/// When a plane has another number of values than `output` has frames.
#[inline(always)]
pub fn write_pairs<'o, S: DecodedSample>(
    first: &[i32],
    second: &[i32],
    channels: impl Fn(i32, i32) -> (i32, i32),
    scale: S::Scale,
    output: &'o mut [MaybeUninit<S>],
) -> &'o mut [S] {
    assert!([first, second].iter().all(|plane| plane.len() * 2 == output.len()), "as many samples as room");
    let (pairs, _) = output.as_chunks_mut::<2>();
    for ((pair, first), second) in pairs.iter_mut().zip(first).zip(second) {
        let (left, right) = channels(*first, *second);
        *pair = [MaybeUninit::new(S::convert(left, scale)), MaybeUninit::new(S::convert(right, scale))];
    }
    // SAFETY: by the assertion, there are as many pairs as values of each plane, and nothing is left over.
    unsafe { output.assume_init_mut() }
}

/// Writes the samples of one channel to all of `output`.
///
/// # Panics
/// When the plane has another number of samples.
#[inline(always)]
pub fn write_plane<'o, S: DecodedSample>(
    plane: &[i32],
    scale: S::Scale,
    output: &'o mut [MaybeUninit<S>],
) -> &'o mut [S] {
    assert_eq!(plane.len(), output.len(), "as many samples as room");
    for (to, sample) in output.iter_mut().zip(plane) {
        to.write(S::convert(*sample, scale));
    }
    // SAFETY: by the assertion, the loop has written all.
    unsafe { output.assume_init_mut() }
}
