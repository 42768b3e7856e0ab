//! Conversion of the host's samples to an encoder's format.

#![forbid(unsafe_code)]

use std::ops::Range;

use mapwave_plugin::{Block, Error, Layout, Result, Sample, SampleFormat, Status, depth};

use crate::frame::FrameBuffer;
use crate::sample_formats::Convert;

/// The highest accepted float, 24 dB above full scale. FFmpeg's AAC encoder loops forever on far higher ones.
const MAX_LEVEL: f32 = 16.0;

/// Rejects floats that are not finite or far too large. `first_frame` is the number of the block's
/// first frame in the stream.
///
/// # Errors
/// The first such sample.
pub(super) fn check(block: &Block<'_>, first_frame: u64) -> Result<()> {
    let expected = "a number of at most 16 (full scale is 1)";
    block.check_floats(first_frame, expected, |sample| sample.abs() <= MAX_LEVEL)
}

/// Copies the frames `range` of a block to position `first` of a prepared frame. Integers have `bits` bits, left-
/// aligned.
///
/// # Errors
/// [`Status::Internal`] when the frame has samples of another type.
pub(super) fn copy(
    block: &Block<'_>,
    range: Range<usize>,
    frame: &mut FrameBuffer,
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
            copy_as(block, range, frame, first, |sample| depth::round_f32(sample, bits))
        }
        (SampleFormat::I32, SampleFormat::I32) => {
            copy_as(block, range, frame, first, |sample| depth::round_i32(sample, bits))
        }
    };
    is_copied.ok_or_else(|| Error::new(Status::Internal, "the frame has another sample type"))
}

fn copy_as<S: Sample, T: Sample>(
    block: &Block<'_>,
    range: Range<usize>,
    frame: &mut FrameBuffer,
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

#[cfg(test)]
mod tests {
    use super::*;

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
