//! The host's samples in a codec's format: interleaved, and of its type.

#![forbid(unsafe_code)]

use std::ops::Range;

use mapwave_plugin::{Block, Layout, Sample, SampleFormat, depth};

/// Converted samples, of the type that was set in the framework.
#[derive(Debug)]
pub(super) enum Samples {
    F32(Vec<f32>),
    I16(Vec<i16>),
    I32(Vec<i32>),
}

impl Samples {
    pub(super) fn new(format: SampleFormat) -> Self {
        match format {
            SampleFormat::F32 => Self::F32(Vec::new()),
            SampleFormat::I16 => Self::I16(Vec::new()),
            SampleFormat::I32 => Self::I32(Vec::new()),
        }
    }

    /// Replaces the contents by the frames `range` of a block. Integers have `bits` bits, left-aligned.
    pub(super) fn fill(&mut self, block: &Block<'_>, range: Range<usize>, bits: u32) {
        use SampleFormat::{F32, I16, I32};
        match (self, block.format()) {
            (Self::F32(to), F32) => copy::<f32, f32>(block, range, to, |sample| sample),
            (Self::F32(to), I16) => copy::<i16, f32>(block, range, to, |sample| f32::from(sample) / 32_768.0),
            (Self::F32(to), I32) => {
                copy::<i32, f32>(block, range, to, |sample| sample as f32 / 2_147_483_648.0)
            }
            (Self::I16(to), F32) => {
                copy::<f32, i16>(block, range, to, |sample| upper(depth::round_f32(sample, 16)))
            }
            (Self::I16(to), I16) => copy::<i16, i16>(block, range, to, |sample| sample),
            (Self::I16(to), I32) => {
                copy::<i32, i16>(block, range, to, |sample| upper(depth::round_i32(sample, 16)))
            }
            (Self::I32(to), F32) => {
                copy::<f32, i32>(block, range, to, |sample| depth::round_f32(sample, bits))
            }
            (Self::I32(to), I16) => copy::<i16, i32>(block, range, to, |sample| i32::from(sample) << 16),
            (Self::I32(to), I32) => {
                copy::<i32, i32>(block, range, to, |sample| depth::round_i32(sample, bits))
            }
        }
    }
}

fn copy<S: Sample, T: Sample>(
    block: &Block<'_>,
    range: Range<usize>,
    to: &mut Vec<T>,
    convert: impl Fn(S) -> T,
) {
    let num_channels = block.num_channels();
    to.clear();
    match block.layout() {
        Layout::Interleaved => {
            let samples = block.interleaved::<S>().unwrap_or_default();
            let samples = samples.get(range.start * num_channels..range.end * num_channels);
            to.extend(samples.unwrap_or_default().iter().map(|sample| convert(*sample)));
        }
        Layout::Planar => {
            to.resize((range.end - range.start) * num_channels, T::default());
            for channel in 0..num_channels {
                let samples = block.channel::<S>(channel).and_then(|all| all.get(range.clone()));
                let places = to.iter_mut().skip(channel).step_by(num_channels);
                places.zip(samples.unwrap_or_default()).for_each(|(to, from)| *to = convert(*from));
            }
        }
    }
}

/// The upper half.
#[allow(clippy::cast_possible_truncation)] // the lower half is zero
fn upper(sample: i32) -> i16 {
    (sample >> 16) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_bits_are_the_upper_half() {
        let samples = [0.5, 1.0, -1.0].map(|sample| upper(depth::round_f32(sample, 16)));
        assert_eq!(samples, [16_384, i16::MAX, i16::MIN]);
    }

    #[test]
    fn planes_are_put_side_by_side() {
        let mut samples = Samples::new(SampleFormat::F32);
        Block::with_planes(&[&[0i16, 16_384, 3], &[0, -16_384, 4]], |block| samples.fill(block, 1..2, 0));
        assert!(matches!(&samples, Samples::F32(samples) if *samples == [0.5, -0.5]), "{samples:?}");
        Block::with_slice(&[0i16, 0, -16_384, 3], 2, |block| samples.fill(block, 1..2, 0));
        assert!(
            matches!(&samples, Samples::F32(samples) if *samples == [-0.5, 3.0 / 32_768.0]),
            "{samples:?}"
        );
    }
}
