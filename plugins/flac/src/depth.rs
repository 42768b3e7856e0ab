//! Samples of the host's formats at the depth of the file.

#![forbid(unsafe_code)]

use std::ops::Range;

use mapwave_plugin::{Block, Layout, Sample, SampleFormat, depth};

/// Adds frames of a block to the samples of each channel, as integers of `bits_per_sample` bits.
///
/// Samples fill their format from the top. Bits below the depth of the file are rounded away, half to even.
pub(crate) fn append(
    block: &Block<'_>,
    range: Range<usize>,
    bits_per_sample: u32,
    channels: &mut [Vec<i32>],
) {
    match block.format() {
        SampleFormat::I16 if bits_per_sample == 16 => {
            take(block, range, channels, |sample: i16| i32::from(sample))
        }
        SampleFormat::I16 if bits_per_sample > 16 => {
            take(block, range, channels, |sample: i16| i32::from(sample) << (bits_per_sample - 16));
        }
        SampleFormat::I16 => {
            take(block, range, channels, |sample: i16| round(i32::from(sample) << 16, bits_per_sample));
        }
        SampleFormat::I32 => take(block, range, channels, |sample: i32| round(sample, bits_per_sample)),
        SampleFormat::F32 => {} // not among the encoder's formats
    }
}

/// The upper `bits_per_sample` bits, rounded half to even and saturated.
#[inline]
fn round(sample: i32, bits_per_sample: u32) -> i32 {
    depth::round_i32(sample, bits_per_sample) >> (32 - bits_per_sample)
}

#[inline]
fn take<T: Sample>(
    block: &Block<'_>,
    range: Range<usize>,
    channels: &mut [Vec<i32>],
    convert: impl Fn(T) -> i32 + Copy,
) {
    if block.layout() == Layout::Planar {
        for (number, channel) in channels.iter_mut().enumerate() {
            let samples =
                block.channel::<T>(number).and_then(|all| all.get(range.clone())).unwrap_or_default();
            channel.extend(samples.iter().map(|sample| convert(*sample)));
        }
        return;
    }
    let num_channels = block.num_channels();
    let all = block.interleaved::<T>().unwrap_or_default();
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
            Block::with_slice(&samples, num_channels, |block| append(block, 10..80, 16, &mut channels));
            assert_eq!(channels, expected);
            let planes: Vec<&[i16]> = planes.iter().map(Vec::as_slice).collect();
            let mut channels = vec![Vec::new(); num_channels];
            Block::with_planes(&planes, |block| append(block, 10..80, 16, &mut channels));
            assert_eq!(channels, expected);
        }
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
            Block::with_slice(&[i16::MIN, 256, -3], 1, |block| append(block, 0..3, bits, &mut channels));
            assert_eq!(channels, [expected.to_vec()]);
        }
    }
}
