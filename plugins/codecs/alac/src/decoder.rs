//! The public decoder: batches of packets in, samples out.

#![forbid(unsafe_code)]

use std::mem::MaybeUninit;
use std::ops::Range;

use mapwave_codec_base::{BatchDecoder, DecodedSample, Part, Room, write_plane};

use crate::config::Config;
use crate::error::{BatchError, DecodeError};
use crate::instructions::Instructions;
use crate::packet::{Block, Element, Packet};
use crate::predictor::{NUM_LANES, Predictor};

/// The most packets that are kept at a time.
const MAX_KEPT: usize = 8;

/// The values between a plane and the next are a multiple of this, and not a power of two.
const PLANE_STEP: usize = 16;

/// For each number of channels, where the channels of a packet stand in the order of a WAVE channel mask
/// (ALACMagicCookieDescription, "Channel Layout Info").
pub(crate) const PLACES: [&[usize]; 9] = [
    &[],
    &[0],
    &[0, 1],
    &[2, 0, 1],                // C, L, R
    &[2, 0, 1, 3],             // C, L, R, Cs
    &[2, 0, 1, 3, 4],          // C, L, R, Ls, Rs
    &[2, 0, 1, 4, 5, 3],       // C, L, R, Ls, Rs, LFE
    &[2, 0, 1, 4, 5, 6, 3],    // C, L, R, Ls, Rs, Cs, LFE
    &[2, 6, 7, 0, 1, 4, 5, 3], // C, Lc, Rc, L, R, Ls, Rs, LFE
];

/// Decodes packets of one stream. They do not depend on each other.
///
/// Four packets of two channels, or eight of one, take a quarter of the time of one after the other, so pass as many as there
/// are. The samples depend neither on the batches nor on the CPU.
///
/// Channels come in the order of a WAVE channel mask: left before right before centre.
///
/// ```
/// use mapwave_alac::{Config, Decoder, Part};
///
/// let cookie = [0, 0, 0x10, 0, 0, 16, 40, 10, 14, 1, 0, 255, 0, 0, 0x40, 4, 0, 0x15, 0x88, 0x80, 0, 0, 0xac, 0x44];
/// let mut decoder = Decoder::new(&Config::parse(&cookie)?)?;
/// // One channel, two frames, stored as they are: 258 and -2. One bit in each character.
/// let bits = "000 0000 000000000000 1 00 1 00000000000000000000000000000010 0000000100000010 1111111111111110 111";
/// let bits = bits.replace(' ', "");
/// let byte = |bits: &[u8]| (0..8).fold(0, |byte, n| byte << 1 | u8::from(bits.get(n) == Some(&b'1')));
/// let packet: Vec<u8> = bits.as_bytes().chunks(8).map(byte).collect();
/// let mut samples = Vec::<i16>::with_capacity(2);
/// let room = samples.spare_capacity_mut();
/// let decoded = decoder.decode(&[Part { bytes: &packet, frames: 0..2 }], room).unwrap();
/// assert_eq!(decoded, [258, -2]);
/// # Ok::<(), mapwave_alac::DecodeError>(())
/// ```
#[derive(Debug)]
pub struct Decoder {
    config: Config,
    num_channels: usize,
    /// How many packets are kept at a time.
    group_size: usize,
    instructions: Instructions,
    /// The planes of all channels of the first kept packet, then those of the next, `stride` values apart.
    planes: Vec<i32>,
    lows: Vec<u16>,
    stride: usize,
    predictors: Vec<Predictor>,
    elements: [Vec<Element>; MAX_KEPT],
    /// The frames of each kept packet.
    kept: Vec<usize>,
}

impl Decoder {
    /// A decoder for the packets of a stream.
    ///
    /// # Errors
    /// When the setup is not valid.
    pub fn new(config: &Config) -> Result<Self, DecodeError> {
        config.check()?;
        let num_channels = config.num_channels as usize;
        let group_size = group_size(num_channels);
        Ok(Self {
            config: *config,
            num_channels,
            group_size,
            instructions: Instructions::best(),
            planes: Vec::new(),
            lows: Vec::new(),
            stride: 0,
            predictors: vec![Predictor::NONE; group_size * num_channels],
            elements: Default::default(),
            kept: Vec::with_capacity(MAX_KEPT),
        })
    }

    /// The bytes that the decoder of a stream allocates at most.
    pub fn num_bytes_for(config: &Config) -> u64 {
        let num_channels = config.num_channels as usize;
        let num_values = group_size(num_channels) * num_channels * stride(config);
        let num_idle = NUM_LANES * stride(config);
        num_values as u64 * 6 + num_idle as u64 * 4
    }

    /// Uses none but the instructions that every CPU has, for tests.
    #[must_use]
    #[doc(hidden)]
    pub fn with_plain_instructions(mut self) -> Self {
        self.instructions = Instructions::Plain;
        self
    }

    /// The setup.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Writes the wanted frames of all parts, one after the other and interleaved, to the beginning of `output`, and returns
    /// them. Afterwards the last packets are [kept](Self::num_kept).
    ///
    /// # Errors
    /// Which packet cannot be decoded, and why. `output` may be written to, and nothing is kept.
    pub fn decode<'o, S: DecodedSample>(
        &mut self,
        parts: &[Part<'_>],
        output: &'o mut [MaybeUninit<S>],
    ) -> Result<&'o mut [S], BatchError> {
        let scale = self.scale::<S>().map_err(|reason| BatchError { index: 0, reason })?;
        self.kept.clear();
        let mut room = Room::new(output);
        let mut packets: [&[u8]; MAX_KEPT] = [&[]; MAX_KEPT];
        let group_size = self.group_size;
        for (group, parts) in parts.chunks(group_size).enumerate() {
            let at = |index, reason| BatchError { index: group * group_size + index, reason };
            packets.iter_mut().zip(parts).for_each(|(packet, part)| *packet = part.bytes);
            let num_read = self.read(packets.get(..parts.len()).unwrap_or_default());
            num_read.map_err(|error| at(error.index, error.reason))?;
            for (index, part) in parts.iter().enumerate() {
                let written = room.write(|rest| self.write_scaled(index, part.frames.clone(), scale, rest));
                if let Err(reason) = written {
                    self.kept.clear();
                    return Err(at(index, reason));
                }
            }
        }
        Ok(room.finish())
    }

    /// Decodes the first packets of a batch, keeps their samples in place of those that were kept before, and returns their
    /// number: 1 to 8, or 0 if there are none.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    pub fn read(&mut self, packets: &[&[u8]]) -> Result<usize, BatchError> {
        let num_packets = packets.len().min(self.group_size);
        let packets = packets.get(..num_packets).unwrap_or_default();
        if let Err(error) = self.read_all(packets) {
            // Of two that are read together, the second may fail first.
            let alone = packets.iter().enumerate().find_map(|(index, packet)| {
                let error = self.read_all(&[packet]).err()?;
                Some(BatchError { index, reason: error.reason })
            });
            self.kept.clear();
            return Err(alone.unwrap_or(error));
        }
        Ok(num_packets)
    }

    /// The number of packets that are kept.
    pub fn num_kept(&self) -> usize {
        self.kept.len()
    }

    /// The frames of a packet that is kept; 0 if there is no such.
    pub fn kept_frames(&self, index: usize) -> usize {
        self.kept.get(index).copied().unwrap_or(0)
    }

    /// Writes frames of a packet that is kept, interleaved, to the beginning of `output`, and returns them.
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
        let room = output.get_mut(..frames.len()).ok_or(DecodeError::Room)?;
        let planes = self.kept_planes(index, frames)?;
        let plane = planes.get(..self.num_channels).and_then(|planes| planes.get(channel));
        Ok(write_plane(plane.ok_or(DecodeError::Room)?, self.scale::<S>()?, room))
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
        let planes = self.kept_planes(index, frames)?;
        let planes = planes.get(..self.num_channels).unwrap_or_default();
        Ok(self.instructions.write(planes, scale, room))
    }

    fn scale<S: DecodedSample>(&self) -> Result<S::Scale, DecodeError> {
        let bits_per_sample = self.config.bits_per_sample;
        if bits_per_sample > S::MAX_BITS {
            return Err(DecodeError::SampleType { held: S::MAX_BITS, bits_per_sample });
        }
        Ok(S::scale(bits_per_sample))
    }

    /// Frames of a kept packet: a plane for each channel, in the order of the caller.
    fn kept_planes(&self, index: usize, frames: Range<usize>) -> Result<[&[i32]; 8], DecodeError> {
        let num_frames = self.kept_frames(index);
        let too_short = DecodeError::TooShort { num_frames, wanted: frames.end };
        if frames.end > num_frames {
            return Err(too_short);
        }
        let mut planes: [&[i32]; 8] = [&[]; 8];
        let stored = self.planes.chunks(self.stride.max(1)).skip(index * self.num_channels);
        let places = PLACES.get(self.num_channels).copied().unwrap_or_default();
        for (place, plane) in places.iter().zip(stored) {
            if let Some(to) = planes.get_mut(*place) {
                *to = plane.get(frames.clone()).ok_or(too_short)?;
            }
        }
        Ok(planes)
    }

    /// Decodes packets, at most as many as are kept.
    fn read_all(&mut self, packets: &[&[u8]]) -> Result<(), BatchError> {
        self.kept.clear();
        self.make_room().map_err(|reason| BatchError { index: 0, reason })?;
        self.predictors.fill(Predictor::NONE);
        self.elements.iter_mut().for_each(Vec::clear);
        if let Err(error) = self.read_channels(packets) {
            self.kept.clear();
            return Err(error);
        }
        self.restore();
        Ok(())
    }

    /// Makes the planes long enough for the longest packet.
    fn make_room(&mut self) -> Result<(), DecodeError> {
        if self.stride > 0 {
            return Ok(());
        }
        let stride = stride(&self.config);
        let num_values = stride * self.predictors.len();
        self.planes.try_reserve_exact(num_values).map_err(|_| DecodeError::Memory)?;
        self.lows.try_reserve_exact(num_values).map_err(|_| DecodeError::Memory)?;
        self.planes.resize(num_values, 0);
        self.lows.resize(num_values, 0);
        self.stride = stride;
        Ok(())
    }

    /// Reads the packets, two at a time.
    fn read_channels(&mut self, packets: &[&[u8]]) -> Result<(), BatchError> {
        let (config, instructions, stride) = (self.config, self.instructions, self.stride);
        let planes = self.planes.chunks_mut(stride * self.num_channels);
        let lows = self.lows.chunks_mut(stride * self.num_channels);
        let blocks =
            planes.zip(lows).zip(self.predictors.chunks_mut(self.num_channels)).zip(&mut self.elements);
        let mut packets =
            packets.iter().zip(blocks).map(|(bytes, (((planes, lows), predictors), elements))| {
                Packet::new(bytes, &config, Block { planes, lows, stride, predictors, elements })
            });
        let mut index = 0;
        while let Some(mut first) = packets.next() {
            let mut second = packets.next();
            let read = instructions.read(&mut first, second.as_mut());
            read.map_err(|reason| BatchError { index, reason })?;
            self.kept.push(first.num_frames());
            self.kept.extend(second.map(|second| second.num_frames()));
            index += 2;
        }
        Ok(())
    }

    /// Turns what the channels hold into samples.
    fn restore(&mut self) {
        let (stride, num_channels) = (self.stride, self.num_channels);
        let lengths: Vec<usize> =
            self.kept.iter().flat_map(|length| std::iter::repeat_n(*length, num_channels)).collect();
        let predictors = self.predictors.get_mut(..lengths.len()).unwrap_or_default();
        self.instructions.restore(&mut self.planes, stride, predictors, &lengths);
        let blocks =
            self.planes.chunks_mut(stride * num_channels).zip(self.lows.chunks(stride * num_channels));
        for ((elements, length), (planes, lows)) in self.elements.iter().zip(&self.kept).zip(blocks) {
            for element in elements {
                let channels =
                    element.first_channel * stride..(element.first_channel + element.num_channels) * stride;
                let (planes, lows) = (planes.get_mut(channels.clone()), lows.get(channels));
                let (Some(planes), Some(lows)) = (planes, lows) else { continue };
                let (first, second) = planes.split_at_mut(stride);
                let lows = lows.split_at(stride);
                let first = first.get_mut(..*length).unwrap_or_default();
                let second = second.get_mut(..*length).unwrap_or_default();
                self.instructions.finish(element, first, second, [lows.0, lows.1]);
            }
        }
    }
}

/// How many packets are kept at a time: as many as fill the lanes, in pairs.
fn group_size(num_channels: usize) -> usize {
    (NUM_LANES / num_channels.max(1)).next_multiple_of(2).clamp(2, MAX_KEPT)
}

/// The values from one plane to the next.
fn stride(config: &Config) -> usize {
    (config.frames_per_packet as usize).next_multiple_of(PLANE_STEP) + PLANE_STEP
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
