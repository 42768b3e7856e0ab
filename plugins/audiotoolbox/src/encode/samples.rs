//! The host's samples as a codec takes them: side by side, and of its type.

#![forbid(unsafe_code)]

use std::ops::Range;

use mapwave_plugin::{Block, Error, Layout, Result, Sample, SampleFormat, Status};

/// Samples on their way, of the type that the framework was told.
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

    /// Takes the frames `range` of a block in place of what was there. Integers have `bits` bits, from above.
    pub(super) fn fill(&mut self, block: &Block<'_>, range: Range<usize>, bits: u32) {
        use SampleFormat::{F32, I16, I32};
        match (self, block.format()) {
            (Self::F32(to), F32) => copy::<f32, f32>(block, range, to, |sample| sample),
            (Self::F32(to), I16) => copy::<i16, f32>(block, range, to, |sample| f32::from(sample) / 32_768.0),
            (Self::F32(to), I32) => {
                copy::<i32, f32>(block, range, to, |sample| sample as f32 / 2_147_483_648.0)
            }
            (Self::I16(to), F32) => {
                copy::<f32, i16>(block, range, to, |sample| upper(from_float(sample, 16)))
            }
            (Self::I16(to), I16) => copy::<i16, i16>(block, range, to, |sample| sample),
            (Self::I16(to), I32) => {
                copy::<i32, i16>(block, range, to, |sample| upper(from_integer(sample, 16)))
            }
            (Self::I32(to), F32) => copy::<f32, i32>(block, range, to, |sample| from_float(sample, bits)),
            (Self::I32(to), I16) => copy::<i16, i32>(block, range, to, |sample| i32::from(sample) << 16),
            (Self::I32(to), I32) => copy::<i32, i32>(block, range, to, |sample| from_integer(sample, bits)),
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

/// Refuses what no codec takes: floats that are no numbers. `first_frame` is the number of the block's first frame.
///
/// # Errors
/// With the first sample of that kind.
pub(super) fn check(block: &Block<'_>, first_frame: u64) -> Result<()> {
    if block.format() != SampleFormat::F32 {
        return Ok(());
    }
    let num_channels = block.num_channels().max(1);
    let is_bad = |sample: &f32| !sample.is_finite();
    let found = match block.layout() {
        Layout::Interleaved => {
            let samples = block.interleaved::<f32>().unwrap_or_default();
            let place = samples.iter().position(is_bad);
            place.map(|place| (place / num_channels, place % num_channels, samples.get(place)))
        }
        Layout::Planar => (0..num_channels).find_map(|channel| {
            let samples = block.channel::<f32>(channel)?;
            samples.iter().position(is_bad).map(|frame| (frame, channel, samples.get(frame)))
        }),
    };
    let Some((frame, channel, Some(sample))) = found else { return Ok(()) };
    let frame = first_frame.saturating_add(frame as u64);
    let message = format!("the sample of frame {frame}, channel {channel}, is {sample}; expected a number");
    Err(Error::new(Status::BadData, message))
}

/// Multiplies by 2^(bits-1), rounds half to even, saturates and shifts up.
#[allow(clippy::cast_possible_truncation)] // what it is for
fn from_float(sample: f32, bits: u32) -> i32 {
    let bits = bits.clamp(1, 32);
    let steps = f64::from(1u32 << (bits - 1));
    let rounded = (f64::from(sample) * steps).round_ties_even().clamp(-steps, steps - 1.0);
    (rounded as i32) << (32 - bits)
}

/// Rounds half to even to a depth, and saturates.
fn from_integer(sample: i32, bits: u32) -> i32 {
    let shift = 32 - bits.clamp(1, 32);
    if shift == 0 {
        return sample;
    }
    let is_odd = sample >> shift & 1;
    sample.saturating_add((1 << (shift - 1)) - 1 + is_odd) >> shift << shift
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
    fn floats_and_integers_are_rounded_to_a_depth() {
        let step = 1.0 / 8_388_608.0;
        let samples = [0.0, 1.0, -1.0, 2.0, 0.5 * step, 1.5 * step, -0.5 * step, -1.5 * step];
        let expected = [0, 0x7fff_ff00, i32::MIN, 0x7fff_ff00, 0, 512, 0, -512];
        assert_eq!(samples.map(|sample| from_float(sample, 24)), expected);
        let samples = [0x7f, 0x80, 0x180, -0x80, -0x180, i32::MAX, i32::MIN];
        let expected = [0, 0, 0x200, 0, -0x200, 0x7fff_ff00, i32::MIN];
        assert_eq!(samples.map(|sample| from_integer(sample, 24)), expected);
        assert_eq!(
            [0.5, 1.0, -1.0].map(|sample| upper(from_float(sample, 16))),
            [16_384, i16::MAX, i16::MIN]
        );
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

    #[test]
    fn what_is_no_number_is_named_by_its_place() {
        let error = Block::with_slice(&[0.0, 0.5, 1.5, f32::NAN], 2, |block| check(block, 100)).err();
        let message = error.map(|error| error.message().to_owned()).unwrap_or_default();
        assert!(message.starts_with("the sample of frame 101, channel 1, is NaN"), "{message}");
        assert!(Block::with_planes(&[&[0.0, f32::NEG_INFINITY]], |block| check(block, 0)).is_err());
        assert!(Block::with_slice(&[1.5f32, -2.0], 2, |block| check(block, 0)).is_ok());
    }
}
