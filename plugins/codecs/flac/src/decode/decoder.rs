//! The public decoder: batches of FLAC frames in, samples out.

#![forbid(unsafe_code)]

use std::mem::MaybeUninit;
use std::ops::Range;

use mapwave_codec_base::{BatchDecoder, DecodedSample, Part, Room};

use super::cursor::{Block, Cursor, Subframe};
use super::error::{BatchError, DecodeError};
use super::frame_header::{Decorrelation, FrameHeader};
use super::instructions::Instructions;
use super::predictor::{NUM_LANES, Predictor};
use super::{stereo, wide};
use crate::crc::crc16;

/// The most FLAC frames that are kept at a time.
const MAX_KEPT: usize = 4;

/// The values between a plane and the next begin a multiple of this apart, a cache line, and not a power of two.
const PLANE_STEP: usize = 16;

/// Decodes FLAC frames of one stream. They do not depend on each other.
///
/// A batch of FLAC frames is decoded in about half the time of one after the other, so pass as many as there are, but not
/// more than fit into the cache: 8 are as fast as 100. The samples depend neither on the batches nor on the CPU.
///
/// ```
/// use mapwave_flac::{Decoder, FrameHeader, Part};
///
/// // The frame of the example in RFC 9639, appendix D.1: one frame of sound of two channels.
/// let frame = [0xFF, 0xF8, 0x69, 0x18, 0x00, 0x00, 0xBF, 0x03, 0x58, 0xFD, 0x03, 0x12, 0x8B, 0xAA, 0x9A];
/// let header = FrameHeader::parse(&frame).unwrap();
/// let mut decoder = Decoder::new(header.num_channels, header.bits_per_sample.unwrap())?;
/// let mut samples = Vec::<i16>::with_capacity(2);
/// let room = samples.spare_capacity_mut();
/// let decoded = decoder.decode(&[Part { bytes: &frame, frames: 0..1 }], room).unwrap();
/// assert_eq!(decoded, [25588, 10416]);
/// # Ok::<(), mapwave_flac::DecodeError>(())
/// ```
#[derive(Debug)]
pub struct Decoder {
    num_channels: usize,
    bits_per_sample: u32,
    is_verifying: bool,
    instructions: Instructions,
    /// The planes of all channels of the first kept FLAC frame, then those of the next.
    planes: Vec<i32>,
    /// The values between the beginnings of two planes.
    stride: usize,
    subframes: Vec<Subframe>,
    wide: [Vec<i64>; MAX_KEPT],
    kept: Vec<Kept>,
}

/// A decoded FLAC frame in the planes.
#[derive(Clone, Copy, Debug)]
struct Kept {
    num_frames: usize,
    decorrelation: Decorrelation,
}

impl Decoder {
    /// A decoder for the FLAC frames of a stream.
    ///
    /// # Errors
    /// [`DecodeError::Format`] when there is no such stream.
    pub fn new(num_channels: u32, bits_per_sample: u32) -> Result<Self, DecodeError> {
        if !(1..=8).contains(&num_channels) || !(4..=32).contains(&bits_per_sample) {
            return Err(DecodeError::Format { num_channels, bits_per_sample });
        }
        let num_channels = num_channels as usize;
        Ok(Self {
            num_channels,
            bits_per_sample,
            is_verifying: true,
            instructions: Instructions::best(),
            planes: Vec::new(),
            stride: 0,
            subframes: vec![Subframe::NONE; num_planes(num_channels)],
            wide: Default::default(),
            kept: Vec::with_capacity(MAX_KEPT),
        })
    }

    /// The bytes that the decoder of a stream with blocks of up to `block_size` frames allocates at most.
    ///
    /// ```
    /// use mapwave_flac::Decoder;
    ///
    /// assert_eq!(Decoder::num_bytes_for(2, 16, 4096), 4 * 4112 * 4); // two blocks at a time, and a little to align them
    /// ```
    pub fn num_bytes_for(num_channels: u32, bits_per_sample: u32, block_size: u32) -> u64 {
        let num_channels = num_channels as usize;
        let num_values = num_planes(num_channels) * stride(block_size as usize);
        // Differences of 33 bits stand apart.
        let num_wide =
            if bits_per_sample == 32 && num_channels == 2 { group_size(2) * block_size as usize } else { 0 };
        num_values as u64 * 4 + num_wide as u64 * 8
    }

    /// Leaves out the checksum at the end of each FLAC frame, for callers who have checked it.
    #[must_use]
    pub fn without_checksums(mut self) -> Self {
        self.is_verifying = false;
        self
    }

    /// Uses none but the instructions that every CPU has, for tests.
    #[must_use]
    #[doc(hidden)]
    pub fn with_plain_instructions(mut self) -> Self {
        self.instructions = Instructions::Plain;
        self
    }

    /// Samples in a frame.
    pub fn num_channels(&self) -> usize {
        self.num_channels
    }

    /// The depth of the stream.
    pub fn bits_per_sample(&self) -> u32 {
        self.bits_per_sample
    }

    /// Writes the wanted frames of sound of all parts, one after the other and interleaved, to the beginning of `output`,
    /// and returns them. Afterwards the last FLAC frames are [kept](Self::num_kept).
    ///
    /// # Errors
    /// Which FLAC frame cannot be decoded, and why. `output` may be written to, and nothing is kept.
    pub fn decode<'o, S: DecodedSample>(
        &mut self,
        parts: &[Part<'_>],
        output: &'o mut [MaybeUninit<S>],
    ) -> Result<&'o mut [S], BatchError> {
        let first = |reason| BatchError { index: 0, reason };
        let scale = self.scale::<S>().map_err(first)?;
        self.kept.clear();
        let mut room = Room::new(output);
        let mut frames: [&[u8]; MAX_KEPT] = [&[]; MAX_KEPT];
        let group_size = group_size(self.num_channels);
        for (group, parts) in parts.chunks(group_size).enumerate() {
            let at = |index, reason| BatchError { index: group * group_size + index, reason };
            frames.iter_mut().zip(parts).for_each(|(frame, part)| *frame = part.bytes);
            let num_read = self.read(frames.get(..parts.len()).unwrap_or_default());
            num_read.map_err(|error| at(error.index, error.reason))?;
            for (index, part) in parts.iter().enumerate() {
                let written = room.write(|rest| self.write_scaled(index, part.frames.clone(), scale, rest));
                written.map_err(|reason| at(index, reason))?;
            }
        }
        Ok(room.finish())
    }

    /// Decodes the first FLAC frames of a batch, keeps their samples in place of those that were kept before, and returns
    /// their number: 1 to 4, or 0 if there are none. The bytes of each may be followed by others, which are ignored.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    pub fn read(&mut self, frames: &[&[u8]]) -> Result<usize, BatchError> {
        let num_frames = frames.len().min(group_size(self.num_channels));
        let frames = frames.get(..num_frames).unwrap_or_default();
        let result = self.read_all(frames);
        if let Err(error) = result {
            // Of two that are read together, the second may fail first.
            let alone = frames.iter().enumerate().find_map(|(index, frame)| {
                let error = self.read_all(&[frame]).err()?;
                Some(BatchError { index, reason: error.reason })
            });
            self.kept.clear();
            return Err(alone.unwrap_or(error));
        }
        Ok(num_frames)
    }

    /// The number of FLAC frames that are kept.
    pub fn num_kept(&self) -> usize {
        self.kept.len()
    }

    /// The frames of sound in a FLAC frame that is kept; 0 if there is no such.
    pub fn kept_frames(&self, index: usize) -> usize {
        self.kept.get(index).map_or(0, |kept| kept.num_frames)
    }

    /// Writes frames of sound of a FLAC frame that is kept, interleaved, to the beginning of `output`, and returns them.
    ///
    /// # Errors
    /// When there are no such frames, or no room.
    pub fn write<'o, S: DecodedSample>(
        &self,
        index: usize,
        frames: Range<usize>,
        output: &'o mut [MaybeUninit<S>],
    ) -> Result<&'o mut [S], DecodeError> {
        self.write_scaled(index, frames, self.scale::<S>()?, output)
    }

    fn write_scaled<'o, S: DecodedSample>(
        &self,
        index: usize,
        frames: Range<usize>,
        scale: S::Scale,
        output: &'o mut [MaybeUninit<S>],
    ) -> Result<&'o mut [S], DecodeError> {
        let num_samples = frames.len().checked_mul(self.num_channels);
        let room =
            num_samples.and_then(|num_samples| output.get_mut(..num_samples)).ok_or(DecodeError::Room)?;
        let (planes, decorrelation) = self.kept_planes(index, frames)?;
        let planes = planes.get(..self.num_channels).unwrap_or_default();
        Ok(self.instructions.write(planes, decorrelation, scale, room))
    }

    /// As [`write`](Self::write), of one channel.
    ///
    /// # Errors
    /// When there are no such frames, no such channel, or no room.
    pub fn write_channel<'o, S: DecodedSample>(
        &self,
        index: usize,
        channel: usize,
        frames: Range<usize>,
        output: &'o mut [MaybeUninit<S>],
    ) -> Result<&'o mut [S], DecodeError> {
        let scale = self.scale::<S>()?;
        let room = output.get_mut(..frames.len()).ok_or(DecodeError::Room)?;
        let (planes, decorrelation) = self.kept_planes(index, frames)?;
        let planes = planes.get(..self.num_channels).unwrap_or_default();
        stereo::write_channel(planes, channel, decorrelation, scale, room).ok_or(DecodeError::Room)
    }

    fn scale<S: DecodedSample>(&self) -> Result<S::Scale, DecodeError> {
        if self.bits_per_sample > S::MAX_BITS {
            let (held, bits_per_sample) = (S::MAX_BITS, self.bits_per_sample);
            return Err(DecodeError::SampleType { held, bits_per_sample });
        }
        Ok(S::scale(self.bits_per_sample))
    }

    /// Frames of sound of a kept FLAC frame: a plane for each channel, and how they are stored.
    fn kept_planes(
        &self,
        index: usize,
        frames: Range<usize>,
    ) -> Result<([&[i32]; 8], Decorrelation), DecodeError> {
        let kept = self.kept.get(index);
        let num_frames = kept.map_or(0, |kept| kept.num_frames);
        let too_short = DecodeError::TooShort { num_frames, wanted: frames.end };
        let kept = kept.filter(|kept| frames.end <= kept.num_frames).ok_or(too_short)?;
        let mut planes: [&[i32]; 8] = [&[]; 8];
        let all = self.planes.chunks(self.stride.max(1)).skip(index * self.num_channels);
        for (to, plane) in planes.iter_mut().zip(all.take(self.num_channels)) {
            *to = plane.get(frames.clone()).ok_or(too_short)?;
        }
        Ok((planes, kept.decorrelation))
    }

    /// Decodes FLAC frames, at most as many as are kept.
    fn read_all(&mut self, frames: &[&[u8]]) -> Result<(), BatchError> {
        self.kept.clear();
        let mut headers = [const { None }; MAX_KEPT];
        for (index, (header, frame)) in headers.iter_mut().zip(frames).enumerate() {
            let parsed = self.header(frame).map_err(|reason| BatchError { index, reason })?;
            self.kept
                .push(Kept { num_frames: parsed.block_size as usize, decorrelation: parsed.decorrelation });
            *header = Some(parsed);
        }
        self.make_room().map_err(|reason| BatchError { index: 0, reason })?;
        self.subframes.fill(Subframe::NONE);
        let result = self.read_subframes(frames, &headers);
        if result.is_err() {
            self.kept.clear();
        }
        result?;
        self.restore();
        Ok(())
    }

    fn header(&self, frame: &[u8]) -> Result<FrameHeader, DecodeError> {
        let header = FrameHeader::parse(frame).ok_or(DecodeError::Header)?;
        let bits_per_sample = header.bits_per_sample.unwrap_or(self.bits_per_sample);
        if header.num_channels as usize != self.num_channels || bits_per_sample != self.bits_per_sample {
            return Err(DecodeError::OtherFormat { num_channels: header.num_channels, bits_per_sample });
        }
        Ok(header)
    }

    /// Makes the planes long enough for the longest block.
    fn make_room(&mut self) -> Result<(), DecodeError> {
        let num_values = self.kept.iter().map(|kept| kept.num_frames).max().unwrap_or(0);
        let stride = stride(num_values);
        if stride > self.stride {
            let num_values = stride * self.subframes.len();
            let missing = num_values.saturating_sub(self.planes.len());
            self.planes.try_reserve_exact(missing).map_err(|_| DecodeError::Memory)?;
            self.planes.resize(num_values, 0);
            self.stride = stride;
        }
        Ok(())
    }

    /// Reads the subframes, two FLAC frames at a time.
    fn read_subframes(
        &mut self,
        frames: &[&[u8]],
        headers: &[Option<FrameHeader>; MAX_KEPT],
    ) -> Result<(), BatchError> {
        let (instructions, stride) = (self.instructions, self.stride);
        let (bits_per_sample, num_channels) = (self.bits_per_sample, self.num_channels);
        let all_planes = self.planes.chunks_mut(stride * num_channels);
        let blocks = all_planes.zip(self.subframes.chunks_mut(num_channels)).zip(&mut self.wide);
        let mut cursors = blocks.zip(frames.iter().zip(headers)).filter_map(|(block, (frame, header))| {
            let ((planes, subframes), wide) = block;
            let block = Block { planes, stride, subframes, wide };
            Some((frame, Cursor::new(frame, header.as_ref()?, bits_per_sample, block)))
        });
        let is_verifying = self.is_verifying;
        let check = |frame: &[u8], cursor: &Cursor<'_>| {
            let whole = frame.get(..cursor.end()).ok_or(DecodeError::Truncated)?;
            if is_verifying && crc16(0, whole) != 0 { Err(DecodeError::Checksum) } else { Ok(()) }
        };
        let mut index = 0;
        while let Some((first_frame, mut first)) = cursors.next() {
            let mut second = cursors.next();
            let read = instructions.read(&mut first, second.as_mut().map(|(_, cursor)| cursor));
            let read = read.and_then(|()| check(first_frame, &first));
            read.map_err(|reason| BatchError { index, reason })?;
            if let Some((frame, second)) = &second {
                check(frame, second).map_err(|reason| BatchError { index: index + 1, reason })?;
            }
            index += 2;
        }
        Ok(())
    }

    /// Turns what the subframes hold into samples, four subframes at a time.
    fn restore(&mut self) {
        let (stride, num_channels) = (self.stride, self.num_channels);
        let is_any_wide = self.subframes.iter().any(|subframe| subframe.is_wide);
        if is_any_wide {
            // The differences first, while their planes hold residuals.
            let planes = self.planes.chunks(stride);
            for (number, (subframe, plane)) in self.subframes.iter_mut().zip(planes).enumerate() {
                if let (true, Some(wide)) = (subframe.is_wide, self.wide.get_mut(number / num_channels)) {
                    let predictor = subframe.is_predicted.then_some(&subframe.predictor);
                    wide::restore(wide, plane, predictor, subframe.wasted);
                    *subframe = Subframe { is_wide: true, ..Subframe::NONE };
                }
            }
        }
        let lengths = |number: usize| self.kept.get(number / num_channels).map_or(0, |kept| kept.num_frames);
        let groups = self.planes.chunks_mut(stride * NUM_LANES).zip(self.subframes.chunks(NUM_LANES));
        for (group, (planes, subframes)) in groups.enumerate() {
            let num_values = (0..NUM_LANES).map(|lane| lengths(group * NUM_LANES + lane)).max().unwrap_or(0);
            let mut predictors = [&Predictor::NONE; NUM_LANES];
            for (predictor, subframe) in predictors.iter_mut().zip(subframes) {
                *predictor = &subframe.predictor;
            }
            self.instructions.restore(planes, stride, &predictors, num_values);
        }
        for (number, (subframe, plane)) in
            self.subframes.iter().zip(self.planes.chunks_mut(stride)).enumerate()
        {
            if subframe.wasted > 0 {
                let plane = plane.get_mut(..lengths(number)).unwrap_or_default();
                plane.iter_mut().for_each(|sample| *sample <<= subframe.wasted);
            }
        }
        if is_any_wide {
            let blocks =
                self.planes.chunks_mut(stride * num_channels).zip(self.subframes.chunks(num_channels));
            for ((kept, wide), (planes, subframes)) in self.kept.iter_mut().zip(&self.wide).zip(blocks) {
                if subframes.iter().any(|subframe| subframe.is_wide)
                    && let Some((first, second)) = planes.split_at_mut_checked(stride)
                {
                    wide::decorrelate(first, second, wide, kept.decorrelation);
                    kept.decorrelation = Decorrelation::Independent;
                }
            }
        }
    }
}

impl BatchDecoder for Decoder {
    type Error = DecodeError;

    const MAX_KEPT: usize = MAX_KEPT;

    fn decode<'o, S: DecodedSample>(
        &mut self,
        parts: &[Part<'_>],
        output: &'o mut [MaybeUninit<S>],
    ) -> Result<&'o mut [S], BatchError> {
        self.decode(parts, output)
    }

    fn read(&mut self, packets: &[&[u8]]) -> Result<usize, BatchError> {
        self.read(packets)
    }

    fn num_kept(&self) -> usize {
        self.num_kept()
    }

    fn kept_frames(&self, index: usize) -> usize {
        self.kept_frames(index)
    }

    fn write<'o, S: DecodedSample>(
        &self,
        index: usize,
        frames: Range<usize>,
        output: &'o mut [MaybeUninit<S>],
    ) -> Result<&'o mut [S], DecodeError> {
        self.write(index, frames, output)
    }

    fn write_channel<'o, S: DecodedSample>(
        &self,
        index: usize,
        channel: usize,
        frames: Range<usize>,
        output: &'o mut [MaybeUninit<S>],
    ) -> Result<&'o mut [S], DecodeError> {
        self.write_channel(index, channel, frames, output)
    }
}

/// How many FLAC frames are kept at a time: as many as fill the lanes, and two at least.
fn group_size(num_channels: usize) -> usize {
    if num_channels == 1 { MAX_KEPT } else { 2 }
}

/// The planes of a group, and those that fill the last lanes.
fn num_planes(num_channels: usize) -> usize {
    (group_size(num_channels) * num_channels).next_multiple_of(NUM_LANES)
}

/// The values from one plane to the next for blocks of a size.
fn stride(block_size: usize) -> usize {
    block_size.next_multiple_of(PLANE_STEP) + PLANE_STEP
}
