//! The public decoder: batches of packets in, samples out.

#![forbid(unsafe_code)]

use std::mem::MaybeUninit;
use std::ops::Range;

use mapwave_codec_base::{Part, Room, interleave};

use crate::error::{BatchError, DecodeError};
use crate::instructions::Instructions;
use crate::packet::State;
use crate::setup::Setup;

/// The most packets that are kept at a time.
const MAX_KEPT: usize = 8;
/// The samples that are kept at a time, unless a single packet has more: they should stay in a cache.
const KEPT_SAMPLES: usize = 1 << 11;

/// The values that are put in order at a time.
const PIECE: usize = 512;

/// For each number of channels, where those of a stream (section 4.3.9) stand in the order of a WAVE channel mask.
const PLACES: [&[usize]; 9] = [
    &[],
    &[0],
    &[0, 1],
    &[0, 2, 1],                // L, C, R
    &[0, 1, 2, 3],             // L, R, Ls, Rs
    &[0, 2, 1, 3, 4],          // L, C, R, Ls, Rs
    &[0, 2, 1, 4, 5, 3],       // L, C, R, Ls, Rs, LFE
    &[0, 2, 1, 5, 6, 4, 3],    // L, C, R, Lss, Rss, Cs, LFE
    &[0, 2, 1, 6, 7, 4, 5, 3], // L, C, R, Lss, Rss, Ls, Rs, LFE
];

/// Decodes packets of one stream, in order.
///
/// The frames of a packet are those between the middle of the block before and the middle of its own: of the first packet
/// there are none. So a decoder that starts at the packet before returns the same frames as one that started at the beginning, to
/// the bit, in whatever batches, and whatever instructions the processor has.
///
/// Samples are floats, nominally from -1 to 1; louder ones are not clipped. One to eight channels come in the order of a WAVE
/// channel mask (left, right, centre, low frequencies, ...), more as they are in the stream.
#[derive(Debug)]
pub struct Decoder {
    setup: Setup,
    instructions: Instructions,
    state: State,
    /// Where the channels of the stream are put.
    places: Vec<usize>,
    /// The planes of all channels of the first kept packet, then those of the next.
    planes: Vec<f32>,
    /// How many packets are kept at a time.
    group_size: usize,
    /// The frames of each kept packet.
    kept: Vec<usize>,
}

impl Decoder {
    /// A decoder for the packets of a stream. It costs little beyond its memory: tables are those of the setup.
    ///
    /// # Errors
    /// When there is not enough memory.
    pub fn new(setup: &Setup) -> Result<Self, DecodeError> {
        let tables = &setup.tables;
        let state = State::new(tables)?;
        let num_channels = tables.num_channels;
        let group_size = group_size(setup);
        let mut planes = Vec::new();
        let num_values = group_size * num_channels * state.stride;
        planes.try_reserve_exact(num_values).map_err(|_| DecodeError::Memory)?;
        planes.resize(num_values, 0.0);
        let places =
            PLACES.get(num_channels).map_or_else(|| (0..num_channels).collect(), |places| places.to_vec());
        Ok(Self {
            setup: setup.clone(),
            instructions: Instructions::best(),
            state,
            places,
            planes,
            group_size,
            kept: Vec::with_capacity(MAX_KEPT),
        })
    }

    /// About how many bytes a decoder of a stream allocates.
    pub fn num_bytes_for(setup: &Setup) -> u64 {
        let num_values =
            group_size(setup) * setup.num_channels() * crate::packet::plane_stride(&setup.tables);
        State::num_bytes_for(&setup.tables) + num_values as u64 * 4
    }

    /// Uses none but the instructions that every processor has, for tests.
    #[must_use]
    #[doc(hidden)]
    pub fn with_plain_instructions(mut self) -> Self {
        self.instructions = Instructions::Plain;
        self
    }

    /// The setup.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// Forgets the last packet: the next one has no frames.
    pub fn reset(&mut self) {
        self.state.reset();
        self.kept.clear();
    }

    /// Writes the wanted frames of all parts, one after the other and interleaved, to the beginning of `output`, and returns
    /// them. Afterwards the last packets are [kept](Self::num_kept).
    ///
    /// # Errors
    /// Which packet cannot be decoded, and why. `output` may be written to, and the decoder is reset.
    pub fn decode<'o>(
        &mut self,
        parts: &[Part<'_>],
        output: &'o mut [MaybeUninit<f32>],
    ) -> Result<&'o mut [f32], BatchError> {
        let mut room = Room::new(output);
        let mut packets: [&[u8]; MAX_KEPT] = [&[]; MAX_KEPT];
        let group_size = self.group_size;
        for (group, parts) in parts.chunks(group_size).enumerate() {
            let at = |index, reason| BatchError { index: group * group_size + index, reason };
            packets.iter_mut().zip(parts).for_each(|(packet, part)| *packet = part.bytes);
            let num_read = self.read(packets.get(..parts.len()).unwrap_or_default());
            num_read.map_err(|error| at(error.index, error.reason))?;
            for (index, part) in parts.iter().enumerate() {
                if let Err(reason) = self.write_to(index, part.frames.clone(), &mut room) {
                    self.reset();
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
    /// Which packet cannot be decoded, and why. Those before it are kept, and the next packet is the first of a new stream.
    pub fn read(&mut self, packets: &[&[u8]]) -> Result<usize, BatchError> {
        self.kept.clear();
        let num_values = self.places.len() * self.state.stride;
        for (index, (packet, planes)) in packets.iter().zip(self.planes.chunks_mut(num_values)).enumerate() {
            let tables = &self.setup.tables;
            let decoded = self.instructions.decode(&mut self.state, tables, packet, planes, &self.places);
            match decoded {
                Ok(num_frames) => self.kept.push(num_frames),
                Err(reason) => {
                    self.state.reset();
                    return Err(BatchError { index, reason });
                }
            }
        }
        Ok(self.kept.len())
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
    pub fn write<'o>(
        &self,
        index: usize,
        frames: Range<usize>,
        output: &'o mut [MaybeUninit<f32>],
    ) -> Result<&'o mut [f32], DecodeError> {
        let mut room = Room::new(output);
        self.write_to(index, frames, &mut room)?;
        Ok(room.finish())
    }

    /// As [`write`](Self::write), of one channel.
    ///
    /// # Errors
    /// When there are no such frames, no such channel, or no room.
    pub fn write_channel<'o>(
        &self,
        index: usize,
        channel: usize,
        frames: Range<usize>,
        output: &'o mut [MaybeUninit<f32>],
    ) -> Result<&'o mut [f32], DecodeError> {
        let plane = self.kept_plane(index, channel, frames)?;
        Ok(output.get_mut(..plane.len()).ok_or(DecodeError::Room)?.write_copy_of_slice(plane))
    }

    /// The frames of one channel of a packet that is kept.
    ///
    /// # Errors
    /// When there are no such frames, or no such channel.
    pub fn kept_plane(
        &self,
        index: usize,
        channel: usize,
        frames: Range<usize>,
    ) -> Result<&[f32], DecodeError> {
        let num_frames = self.kept_frames(index);
        let too_short = DecodeError::TooShort { num_frames, wanted: frames.end };
        if frames.end > num_frames {
            return Err(too_short);
        }
        if channel >= self.places.len() {
            return Err(DecodeError::Room);
        }
        let start = (index * self.places.len() + channel) * self.state.stride;
        let plane = self.planes.get(start..start + num_frames);
        plane.and_then(|plane| plane.get(frames)).ok_or(too_short)
    }

    fn write_to(
        &self,
        index: usize,
        frames: Range<usize>,
        room: &mut Room<'_, f32>,
    ) -> Result<(), DecodeError> {
        let first = self.kept_plane(index, 0, frames.clone())?;
        match self.places.len() {
            1 => copy(first, room),
            2 => {
                let second = self.kept_plane(index, 1, frames)?;
                room.write(|rest| {
                    let rest = rest.get_mut(..first.len() * 2).ok_or(DecodeError::Room)?;
                    Ok(interleave(&[first, second], rest))
                })
            }
            num_channels => {
                let mut piece = [0.0; PIECE];
                let step = PIECE / num_channels;
                for start in frames.clone().step_by(step) {
                    let frames = start..(start + step).min(frames.end);
                    for channel in 0..num_channels {
                        let plane = self.kept_plane(index, channel, frames.clone())?;
                        let to = piece.iter_mut().skip(channel).step_by(num_channels);
                        to.zip(plane).for_each(|(to, sample)| *to = *sample);
                    }
                    copy(piece.get(..frames.len() * num_channels).unwrap_or_default(), room)?;
                }
                Ok(())
            }
        }
    }
}

fn copy(samples: &[f32], room: &mut Room<'_, f32>) -> Result<(), DecodeError> {
    room.write(|rest| {
        let rest = rest.get_mut(..samples.len()).ok_or(DecodeError::Room)?;
        Ok(rest.write_copy_of_slice(samples))
    })
}

/// How many packets are kept at a time.
fn group_size(setup: &Setup) -> usize {
    let [_, long] = setup.block_sizes();
    (KEPT_SAMPLES * 2 / (long as usize * setup.num_channels())).clamp(1, MAX_KEPT)
}
