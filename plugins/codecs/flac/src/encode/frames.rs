//! The caller's samples at the depth of the file.

#![forbid(unsafe_code)]

use std::ops::Range;

/// Frames to encode, in the caller's memory.
///
/// ```
/// use mapwave_flac::Frames;
///
/// // The same three frames of two channels.
/// let interleaved = Frames::Interleaved(&[1_i16, -1, 2, -2, 3, -3]);
/// let planar = Frames::Planar(&[&[1_i16, 2, 3], &[-1, -2, -3]]);
/// # let file = |frames| mapwave_flac::encode(&mapwave_flac::EncoderSettings::new(8000, 2, 16), frames).unwrap();
/// # assert_eq!(file(interleaved), file(planar));
/// ```
#[derive(Clone, Copy, Debug)]
pub enum Frames<'a, T> {
    /// The samples of one frame after those of another.
    Interleaved(&'a [T]),
    /// One slice for each channel, all of one length.
    Planar(&'a [&'a [T]]),
}

impl<T> Frames<'_, T> {
    /// The number of frames; `None` when the samples are not whole frames of `num_channels` channels.
    pub(crate) fn num_frames(&self, num_channels: usize) -> Option<usize> {
        match self {
            Self::Interleaved(samples) => {
                (samples.len().checked_rem(num_channels) == Some(0)).then(|| samples.len() / num_channels)
            }
            Self::Planar(planes) => {
                let num_frames = planes.first()?.len();
                let fits =
                    planes.len() == num_channels && planes.iter().all(|plane| plane.len() == num_frames);
                fits.then_some(num_frames)
            }
        }
    }
}

/// The types of samples that an encoder takes: `i16` and `i32`.
///
/// A sample fills its type: the loudest are `MIN` and `MAX`, whatever the depth of the file. A sample of n bits that lie in
/// the low bits of an `i32` is shifted left by 32 - n before it is encoded.
///
/// ```
/// use mapwave_flac::{EncoderSettings, Frames, encode};
///
/// let samples_24 = [0x12_3456, -0x12_3456]; // as decoders for 24 bits often return them
/// let samples = samples_24.map(|sample| sample << 8);
/// encode(&EncoderSettings::new(96_000, 1, 24), Frames::Interleaved(&samples))?;
/// # Ok::<(), mapwave_flac::Error>(())
/// ```
pub trait Sample: sealed::Convert {}

impl Sample for i16 {}

impl Sample for i32 {}

mod sealed {
    use std::ops::Range;

    use super::Frames;

    pub trait Convert: Copy {
        /// Adds frames to the samples of each channel, as integers of `bits_per_sample` bits.
        fn append(
            frames: Frames<'_, Self>,
            range: Range<usize>,
            bits_per_sample: u32,
            channels: &mut [Vec<i32>],
        );
    }
}

impl sealed::Convert for i16 {
    fn append(
        frames: Frames<'_, Self>,
        range: Range<usize>,
        bits_per_sample: u32,
        channels: &mut [Vec<i32>],
    ) {
        match bits_per_sample {
            16 => take(frames, range, channels, i32::from),
            17.. => take(frames, range, channels, |sample| i32::from(sample) << (bits_per_sample - 16)),
            _ => take(frames, range, channels, |sample| round(i32::from(sample) << 16, bits_per_sample)),
        }
    }
}

impl sealed::Convert for i32 {
    fn append(
        frames: Frames<'_, Self>,
        range: Range<usize>,
        bits_per_sample: u32,
        channels: &mut [Vec<i32>],
    ) {
        take(frames, range, channels, |sample| round(sample, bits_per_sample));
    }
}

/// The upper `bits_per_sample` bits, rounded half to even and saturated.
///
/// Adding half a step less one, and one more where the lowest bit that stays is odd, carries into that bit exactly when
/// the bits below it are more than half a step, or half a step with an odd bit above.
#[inline]
fn round(sample: i32, bits_per_sample: u32) -> i32 {
    let shift = 32 - bits_per_sample;
    let is_odd = sample >> shift & 1;
    sample.saturating_add((1 << (shift - 1)) - 1 + is_odd) >> shift
}

#[inline]
fn take<T: Copy>(
    frames: Frames<'_, T>,
    range: Range<usize>,
    channels: &mut [Vec<i32>],
    convert: impl Fn(T) -> i32 + Copy,
) {
    let all = match frames {
        Frames::Planar(planes) => {
            for (channel, plane) in channels.iter_mut().zip(planes) {
                let samples = plane.get(range.clone()).unwrap_or_default();
                channel.extend(samples.iter().map(|sample| convert(*sample)));
            }
            return;
        }
        Frames::Interleaved(samples) => samples,
    };
    let num_channels = channels.len();
    let samples = all.get(range.start * num_channels..range.end * num_channels).unwrap_or_default();
    match channels {
        [channel] => channel.extend(samples.iter().map(|sample| convert(*sample))),
        [left, right] => {
            let (pairs, _) = samples.as_chunks::<2>();
            left.extend(pairs.iter().map(|[left, _]| convert(*left)));
            right.extend(pairs.iter().map(|[_, right]| convert(*right)));
        }
        _ => {
            for (number, channel) in channels.iter_mut().enumerate() {
                channel
                    .extend(samples.iter().skip(number).step_by(num_channels).map(|sample| convert(*sample)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::sealed::Convert;
    use super::*;

    #[test]
    fn every_layout_gives_the_same_channels() {
        for num_channels in 1..=8 {
            let samples: Vec<i16> = (0..).take(100 * num_channels).collect();
            let planes: Vec<Vec<i16>> = (0..num_channels)
                .map(|n| samples.iter().skip(n).step_by(num_channels).copied().collect())
                .collect();
            let expected: Vec<Vec<i32>> = planes
                .iter()
                .map(|plane| plane.iter().skip(10).take(70).copied().map(i32::from).collect())
                .collect();
            let mut channels = vec![Vec::new(); num_channels];
            i16::append(Frames::Interleaved(&samples), 10..80, 16, &mut channels);
            assert_eq!(channels, expected);
            let planes: Vec<&[i16]> = planes.iter().map(Vec::as_slice).collect();
            let mut channels = vec![Vec::new(); num_channels];
            i16::append(Frames::Planar(&planes), 10..80, 16, &mut channels);
            assert_eq!(channels, expected);
        }
    }

    #[test]
    fn only_whole_frames_are_counted() {
        let interleaved = |num_samples, num_channels| {
            let samples = [0_i16; 12];
            Frames::Interleaved(samples.get(..num_samples).unwrap_or_default()).num_frames(num_channels)
        };
        assert_eq!(
            [interleaved(12, 3), interleaved(0, 2), interleaved(11, 2), interleaved(4, 0)],
            [Some(4), Some(0), None, None]
        );
        let planar = |planes: &[&[i16]], num_channels| Frames::Planar(planes).num_frames(num_channels);
        assert_eq!(planar(&[&[1, 2], &[3, 4]], 2), Some(2));
        assert_eq!([planar(&[&[1, 2], &[3]], 2), planar(&[&[1, 2]], 2), planar(&[], 0)], [None; 3]);
    }

    #[test]
    fn samples_are_rounded_as_exact_arithmetic_does() {
        for bits in [4_u32, 8, 12, 16, 20, 24] {
            let scale = f64::from(32 - bits).exp2();
            let largest = f64::from((1 << (bits - 1)) - 1);
            for sample in (i32::MIN..=i32::MAX).step_by(1_048_573).chain([i32::MIN, i32::MAX, 0, -1]) {
                let exact = (f64::from(sample) / scale).round_ties_even().min(largest);
                assert_eq!(f64::from(round(sample, bits)), exact, "{sample} to {bits} bits");
            }
            for half in [1, -1, 3, -3, 5].map(|odd| odd << (31 - bits)) {
                assert_eq!(f64::from(round(half, bits)), (f64::from(half) / scale).round_ties_even());
            }
        }
    }

    #[test]
    fn sixteen_bits_are_shifted_to_the_depth() {
        for (bits, expected) in
            [(16, [i32::from(i16::MIN), 256, -3]), (24, [-1 << 23, 65_536, -768]), (8, [-128, 1, 0])]
        {
            let mut channels = [Vec::new()];
            i16::append(Frames::Interleaved(&[i16::MIN, 256, -3]), 0..3, bits, &mut channels);
            assert_eq!(channels, [expected.to_vec()]);
        }
    }
}
