//! The public decoder: batches of packets in, samples out.

#![forbid(unsafe_code)]

use std::mem::MaybeUninit;
use std::ops::Range;

use mapwave_codec_base::{Part, Room};

use crate::bands;
use crate::config::Config;
use crate::error::{BatchError, DecodeError};
use crate::instructions::{Instructions, Narrow};
use crate::lines::{Lines, MAX_LINES};
use crate::noise::Noise;
use crate::packet::{Block, Packet};
use crate::program::MAX_CHANNELS;
use crate::sbr::{Elements, Replication, Wide};
use crate::synthesis::{State, Stream};

/// The most packets that are kept at a time.
const MAX_KEPT: usize = 2;

/// The frames that are interleaved at a time.
const PIECE: usize = 64;

/// What a [`Decoder`] keeps of the packets before.
#[derive(Clone, Debug)]
pub struct Snapshot {
    state: State,
    knows_noise: bool,
    elements: Option<Elements>,
}

/// Decodes packets of one stream, in order.
///
/// Two packets are read in one loop, so pass as many as there are. The samples depend neither on the batches nor on the CPU.
///
/// Each packet overlaps the one before. Noise depends on how many lines of noise came before it, and on nothing else of the packets
/// before depends what a packet decodes to: after [`reset`](Self::reset) and [`set_noise`](Self::set_noise) the second packet, and all
/// after it, come out as in decoding from the beginning.
///
/// Channels come in the order of [`Config::channel_mask`]; samples are from -1 to 1, and beyond where the encoder was too loud.
///
/// ```
/// use mapwave_aac::{Config, Decoder, Part};
///
/// let mut decoder = Decoder::new(&Config::new(44_100, 1)?);
/// let silence = [0x00, 0xc8, 0x01, 0x84, 0x2a, 0x1b, 0x08, 0x00, 0x03, 0x80];
/// let mut samples = Vec::with_capacity(1024 + 100);
/// let parts = [Part { bytes: &silence, frames: 0..1024 }, Part { bytes: &silence, frames: 0..100 }];
/// let decoded = decoder.decode(&parts, samples.spare_capacity_mut()).unwrap();
/// assert_eq!(decoded, [0.0; 1124]);
/// # Ok::<(), mapwave_aac::DecodeError>(())
/// ```
#[derive(Debug)]
pub struct Decoder {
    config: Config,
    stream: Stream,
    instructions: Instructions,
    blocks: [Block; MAX_KEPT],
    state: State,
    /// Whether the state of the generator of noise is known.
    knows_noise: bool,
    /// The planes of all channels of the first kept packet, then those of the next.
    planes: Vec<Lines>,
    /// Band replication, and the planes of what it makes.
    replication: Option<Replication>,
    wide_planes: Vec<Wide>,
    num_kept: usize,
}

impl Decoder {
    /// A decoder at the beginning of a stream.
    pub fn new(config: &Config) -> Self {
        let program = config.program;
        let (num_channels, num_core) = (config.num_channels(), program.num_channels());
        let replication = config.is_replicated.then(|| {
            Replication::new(&program, config.sample_rate(), config.num_frames().into(), config.is_parametric)
        });
        let num_wide = if replication.is_some() { MAX_KEPT * num_channels } else { 0 };
        Self {
            config: *config,
            stream: Stream {
                program,
                bands: bands::of_rate(config.core_rate(), config.num_frames()),
                num_frames: config.num_frames().into(),
            },
            instructions: Instructions::best(),
            blocks: [Block::new(&program), Block::new(&program)],
            state: State::new(num_core),
            knows_noise: true,
            planes: vec![[0.0; MAX_LINES]; MAX_KEPT * num_core],
            replication,
            wide_planes: vec![[0.0; 2 * MAX_LINES]; num_wide],
            num_kept: 0,
        }
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

    /// Forgets the packets before, as at the beginning of a stream.
    pub fn reset(&mut self) {
        self.state.reset_overlap();
        self.replication.iter_mut().for_each(Replication::reset);
        self.set_noise(Some(Noise::default()));
        self.num_kept = 0;
    }

    /// What is known of the packets before, so that decoding can go on from here again.
    pub fn snapshot(&self) -> Snapshot {
        let elements = self.replication.as_ref().map(Replication::elements);
        Snapshot { state: self.state.clone(), knows_noise: self.knows_noise, elements }
    }

    /// Goes on as where the snapshot was taken, of a decoder of the same setup.
    pub fn restore(&mut self, snapshot: &Snapshot) {
        self.state.clone_from(&snapshot.state);
        self.knows_noise = snapshot.knows_noise;
        if let (Some(replication), Some(elements)) = (&mut self.replication, &snapshot.elements) {
            replication.set_elements(elements);
        }
        self.num_kept = 0;
    }

    /// Draws the noise of the next packet from that state of the generator. If it is `None`, packets with noise are rejected with
    /// [`DecodeError::NoNoise`], until it is set; then they can be decoded as if nothing had happened.
    pub fn set_noise(&mut self, noise: Option<Noise>) {
        self.knows_noise = noise.is_some();
        self.state.noise = noise.unwrap_or_default();
    }

    /// The lines of noise of packets, of which those that cannot be decoded have none. It takes half of the time of decoding, and
    /// forgets none but the packets that are [kept](Self::num_kept).
    pub fn num_noise_lines(&mut self, packets: &[&[u8]]) -> u64 {
        self.num_kept = 0;
        let mut num_lines = 0;
        for pair in packets.chunks(MAX_KEPT) {
            let outcomes = self.read_blocks(pair);
            for ((block, outcome), _) in self.blocks.iter().zip(outcomes).zip(pair) {
                if outcome.is_ok() {
                    num_lines += block.num_noise_lines(&self.stream.program, &self.stream.bands) as u64;
                }
            }
        }
        num_lines
    }

    /// Whether a packet has band replication, whatever the setup says. It forgets none but the packets that are
    /// [kept](Self::num_kept).
    pub fn has_band_replication(&mut self, packet: &[u8]) -> bool {
        self.num_kept = 0;
        let [outcome, _] = self.read_blocks(&[packet]);
        outcome.is_ok() && self.blocks.first().is_some_and(|block| block.payloads.iter().any(Option::is_some))
    }

    /// Whether packets with parametric stereo have been decoded since the beginning. They are decoded to one channel, unless the setup
    /// says that there are [two](Config::with_parametric_stereo).
    pub fn has_met_parametric_stereo(&self) -> bool {
        self.replication.as_ref().is_some_and(Replication::has_met_stereo)
    }

    /// Reads the first packets, as many as are kept.
    fn read_blocks(&mut self, packets: &[&[u8]]) -> [Result<(), DecodeError>; MAX_KEPT] {
        let Some(first) = packets.first() else { return [Ok(()); MAX_KEPT] };
        let [block, second_block] = &mut self.blocks;
        let Stream { program, bands, .. } = &self.stream;
        let mut one = Packet::new(first, program, bands, block);
        let mut two = packets.get(1).map(|bytes| Packet::new(bytes, program, bands, second_block));
        self.instructions.read(&mut one, two.as_mut())
    }

    /// Writes the wanted frames of all parts, one after the other and interleaved, to the beginning of `output`, and returns
    /// them. Afterwards the last packets are [kept](Self::num_kept).
    ///
    /// # Errors
    /// Which packet cannot be decoded, and why. The parts before it are written, and decoding goes on behind it, as behind a
    /// [reset](Self::reset).
    pub fn decode<'o>(
        &mut self,
        parts: &[Part<'_>],
        output: &'o mut [MaybeUninit<f32>],
    ) -> Result<&'o mut [f32], BatchError> {
        let mut room = Room::new(output);
        for (group, parts) in parts.chunks(MAX_KEPT).enumerate() {
            let at = |index, reason| BatchError { index: group * MAX_KEPT + index, reason };
            let mut packets: [&[u8]; MAX_KEPT] = [&[]; MAX_KEPT];
            packets.iter_mut().zip(parts).for_each(|(packet, part)| *packet = part.bytes);
            let read = self.read(packets.get(..parts.len()).unwrap_or_default());
            for (index, part) in parts.iter().enumerate().take(self.num_kept) {
                let written = room.write(|rest| self.write(index, part.frames.clone(), rest));
                written.map_err(|reason| at(index, reason))?;
            }
            read.map_err(|error| at(error.index, error.reason))?;
        }
        Ok(room.finish())
    }

    /// Decodes the first packets of a batch, keeps their samples in place of those that were kept before, and returns their
    /// number: 1 or 2, or 0 if there are none.
    ///
    /// # Errors
    /// As [`decode`](Self::decode); the packets before the one that is rejected are kept.
    pub fn read(&mut self, packets: &[&[u8]]) -> Result<usize, BatchError> {
        self.num_kept = 0;
        let outcomes = self.read_blocks(packets);
        let num_channels = self.config.num_channels();
        let Stream { program, bands, num_frames } = &self.stream;
        let planes = self.planes.chunks_mut(program.num_channels()).zip(packets);
        for ((block, (planes, bytes)), outcome) in self.blocks.iter_mut().zip(planes).zip(outcomes) {
            if let Err(reason) = outcome {
                self.state.reset_overlap();
                self.replication.iter_mut().for_each(Replication::reset_signal);
                return Err(BatchError { index: self.num_kept, reason });
            }
            if !self.knows_noise && block.num_noise_lines(program, bands) > 0 {
                return Err(BatchError { index: self.num_kept, reason: DecodeError::NoNoise });
            }
            self.instructions.synthesize(&self.stream, block, &mut self.state, planes);
            if let Some(replication) = &mut self.replication {
                let mut narrow: [&[f32]; MAX_CHANNELS] = [&[]; MAX_CHANNELS];
                for (narrow, plane) in narrow.iter_mut().zip(&*planes) {
                    *narrow = plane.get(..*num_frames).unwrap_or_default();
                }
                let packet = Narrow { bytes, payloads: &block.payloads, planes: &narrow };
                let wide = self.wide_planes.chunks_mut(num_channels).nth(self.num_kept).unwrap_or_default();
                self.instructions.replicate(replication, &packet, wide);
            }
            self.num_kept += 1;
        }
        Ok(self.num_kept)
    }

    /// The number of packets that are kept.
    pub fn num_kept(&self) -> usize {
        self.num_kept
    }

    /// The frames of a packet that is kept; 0 if there is no such.
    pub fn kept_frames(&self, index: usize) -> usize {
        if index < self.num_kept { self.config.frames_per_packet() } else { 0 }
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
        let num_channels = self.config.num_channels();
        let mut planes: [&[f32]; 8] = [&[]; 8];
        for (channel, plane) in planes.iter_mut().enumerate().take(num_channels) {
            *plane = self.plane(index, channel, frames.clone())?;
        }
        let num_samples = frames.len() * num_channels;
        let output = output.get_mut(..num_samples).ok_or(DecodeError::Room)?;
        let mut room = Room::new(output);
        match planes.get(..num_channels).unwrap_or_default() {
            [plane] => write_all(&mut room, plane)?,
            [left, right] => {
                let mut piece = [0.0; 2 * PIECE];
                for (left, right) in left.chunks(PIECE).zip(right.chunks(PIECE)) {
                    let (pairs, _) = piece.as_chunks_mut::<2>();
                    pairs
                        .iter_mut()
                        .zip(left.iter().zip(right))
                        .for_each(|(pair, (left, right))| *pair = [*left, *right]);
                    write_all(&mut room, piece.get(..2 * left.len()).unwrap_or_default())?;
                }
            }
            planes => {
                let mut piece = [0.0; 8 * PIECE];
                let mut start = 0;
                while start < frames.len() {
                    let end = frames.len().min(start + PIECE);
                    for (channel, plane) in planes.iter().enumerate() {
                        let samples = plane.get(start..end).unwrap_or_default();
                        let to = piece.iter_mut().skip(channel).step_by(num_channels);
                        to.zip(samples).for_each(|(to, sample)| *to = *sample);
                    }
                    write_all(&mut room, piece.get(..(end - start) * num_channels).unwrap_or_default())?;
                    start = end;
                }
            }
        }
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
        let room = output.get_mut(..frames.len()).ok_or(DecodeError::Room)?;
        Ok(room.write_copy_of_slice(self.plane(index, channel, frames)?))
    }

    fn plane(&self, index: usize, channel: usize, frames: Range<usize>) -> Result<&[f32], DecodeError> {
        let num_frames = self.kept_frames(index);
        let num_channels = self.config.num_channels();
        if channel >= num_channels {
            return Err(DecodeError::Room);
        }
        let place = index * num_channels + channel;
        let plane = match self.replication {
            Some(_) => self.wide_planes.get(place).map(|plane| &plane[..]),
            None => self.planes.get(place).map(|plane| &plane[..]),
        };
        let plane = plane.filter(|_| frames.end <= num_frames).and_then(|plane| plane.get(frames.clone()));
        plane.ok_or(DecodeError::TooShort { num_frames, wanted: frames.end })
    }
}

fn write_all(room: &mut Room<'_, f32>, samples: &[f32]) -> Result<(), DecodeError> {
    room.write(|rest| {
        let rest = rest.get_mut(..samples.len()).ok_or(DecodeError::Room)?;
        Ok(rest.write_copy_of_slice(samples))
    })
}
