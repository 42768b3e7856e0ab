//! The host's samples in the format that an encoder takes.

#![forbid(unsafe_code)]

use std::ops::Range;

use mapwave_plugin::{Block, Error, Layout, Result, Sample, SampleFormat, Status};

use super::frame::Frame;
use crate::sample_formats::Convert;

/// The loudest float that is taken, 24 dB above full scale. FFmpeg's encoder of AAC never ends with ones that are far louder.
const MAX_LEVEL: f32 = 16.0;

/// Refuses what no encoder takes: floats that are no numbers, or far too large. `first_frame` is the number of the block's
/// first frame in the stream.
///
/// # Errors
/// With the first sample of that kind.
pub(super) fn check(block: &Block<'_>, first_frame: u64) -> Result<()> {
    if block.format() != SampleFormat::F32 {
        return Ok(());
    }
    let num_channels = block.num_channels().max(1);
    let is_bad = |sample: &f32| sample.is_nan() || sample.abs() > MAX_LEVEL;
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
    let message = format!(
        "the sample of frame {frame}, channel {channel}, is {sample}; expected a number of at most 16, and full scale is 1"
    );
    Err(Error::new(Status::BadData, message))
}

/// Copies the frames `range` of a block to where `first` is in a frame that was prepared. Integers have `bits` bits, from
/// above.
///
/// # Errors
/// [`Status::Internal`] when the frame has samples of another type.
pub(super) fn copy(
    block: &Block<'_>,
    range: Range<usize>,
    frame: &mut Frame,
    first: usize,
    bits: u32,
) -> Result<()> {
    let is_copied = match (block.format(), frame.sample_format()) {
        (SampleFormat::F32, SampleFormat::F32) => {
            copy_as::<f32, f32>(block, range, frame, first, Convert::convert)
        }
        (SampleFormat::I16, SampleFormat::F32) => {
            copy_as::<i16, f32>(block, range, frame, first, Convert::convert)
        }
        (SampleFormat::I32, SampleFormat::F32) => {
            copy_as::<i32, f32>(block, range, frame, first, Convert::convert)
        }
        (SampleFormat::F32, SampleFormat::I16) => {
            copy_as::<f32, i16>(block, range, frame, first, Convert::convert)
        }
        (SampleFormat::I16, SampleFormat::I16) => {
            copy_as::<i16, i16>(block, range, frame, first, Convert::convert)
        }
        (SampleFormat::I32, SampleFormat::I16) => {
            copy_as::<i32, i16>(block, range, frame, first, Convert::convert)
        }
        (SampleFormat::I16, SampleFormat::I32) => {
            copy_as::<i16, i32>(block, range, frame, first, Convert::convert)
        }
        (SampleFormat::F32, SampleFormat::I32) => {
            copy_as(block, range, frame, first, |sample| from_float(sample, bits))
        }
        (SampleFormat::I32, SampleFormat::I32) => {
            copy_as(block, range, frame, first, |sample| from_integer(sample, bits))
        }
    };
    is_copied.ok_or_else(|| Error::new(Status::Internal, "the frame has samples of another type"))
}

fn copy_as<S: Sample, T: Sample>(
    block: &Block<'_>,
    range: Range<usize>,
    frame: &mut Frame,
    first: usize,
    convert: impl Fn(S) -> T,
) -> Option<()> {
    let num_channels = block.num_channels();
    for channel in 0..num_channels {
        let (plane, start, step) = frame.place(channel);
        let places = frame.plane::<T>(plane)?.get_mut(first * step + start..)?.iter_mut().step_by(step);
        match block.layout() {
            Layout::Planar => {
                let samples = block.channel::<S>(channel)?.get(range.clone())?;
                places.zip(samples).for_each(|(to, from)| *to = convert(*from));
            }
            Layout::Interleaved => {
                let samples = block.interleaved::<S>()?;
                let samples = samples.get(range.start * num_channels..range.end * num_channels)?;
                let samples = samples.iter().skip(channel).step_by(num_channels);
                places.zip(samples).for_each(|(to, from)| *to = convert(*from));
            }
        }
    }
    Some(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_rounded_to_a_depth() {
        let step = 1.0 / 8_388_608.0;
        let samples = [0.0, 1.0, -1.0, 2.0, -2.0, step, 0.5 * step, 1.5 * step, -0.5 * step, -1.5 * step];
        let expected = [0, 0x7fff_ff00, i32::MIN, 0x7fff_ff00, i32::MIN, 256, 0, 512, 0, -512];
        assert_eq!(samples.map(|sample| from_float(sample, 24)), expected);
        assert_eq!([1.0, -1.0, 0.5].map(|sample| from_float(sample, 32)), [i32::MAX, i32::MIN, 1 << 30]);
    }

    #[test]
    fn integers_are_rounded_to_a_depth() {
        let samples = [0, 0x7f, 0x80, 0x81, 0x180, -0x80, -0x81, -0x180, i32::MAX, i32::MIN];
        let expected = [0, 0, 0, 0x100, 0x200, 0, -0x100, -0x200, 0x7fff_ff00, i32::MIN];
        assert_eq!(samples.map(|sample| from_integer(sample, 24)), expected);
        assert_eq!([i32::MAX, -5].map(|sample| from_integer(sample, 32)), [i32::MAX, -5]);
    }

    #[test]
    fn what_is_no_number_is_named_by_its_place() {
        let samples = [0.0, 0.5, 1.5, f32::NAN];
        let error = Block::with_slice(&samples, 2, |block| check(block, 100)).err();
        let message = error.map(|error| error.message().to_owned()).unwrap_or_default();
        assert!(message.starts_with("the sample of frame 101, channel 1, is NaN"), "{message}");
        assert!(Block::with_planes(&[&[0.0, f32::NEG_INFINITY]], |block| check(block, 0)).is_err());
        assert!(Block::with_slice(&[1.5f32, -2.0], 2, |block| check(block, 0)).is_ok());
        assert!(Block::with_slice(&[i16::MIN], 1, |block| check(block, 0)).is_ok());
    }
}
