//! The headers of a stream (section 4.2).

#![forbid(unsafe_code)]

use std::sync::Arc;

use crate::bits::{Bits, num_bits};
use crate::codebook::Codebook;
use crate::error::DecodeError;
use crate::floor::{Floor, inverse_decibels};
use crate::memory::Budget;
use crate::residue::Residue;
use crate::transform::Transform;

/// The parameters for decoding the packets of a stream, with all tables. A clone shares them.
///
/// ```no_run
/// use mapwave_vorbis::{Decoder, Setup};
///
/// # let (identification, third): (Vec<u8>, Vec<u8>) = (vec![], vec![]);
/// // The first and the third of the three packets at the beginning of a stream.
/// let setup = Setup::parse(&identification, &third, 1 << 24)?;
/// println!("{} channels at {} Hz", setup.num_channels(), setup.sample_rate());
/// let decoder = Decoder::new(&setup)?;
/// # Ok::<(), mapwave_vorbis::DecodeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Setup {
    pub(crate) tables: Arc<Tables>,
}

/// What the headers say, and what is computed from it.
#[derive(Debug)]
pub(crate) struct Tables {
    sample_rate: u32,
    pub(crate) num_channels: usize,
    /// The binary logarithms of the sizes of the short and the long block.
    pub(crate) block_exponents: [u32; 2],
    pub(crate) books: Vec<Codebook>,
    pub(crate) floors: Vec<Floor>,
    pub(crate) residues: Vec<Residue>,
    pub(crate) mappings: Vec<Mapping>,
    pub(crate) modes: Vec<Mode>,
    pub(crate) mode_bits: u32,
    pub(crate) inverse_decibels: Box<[f32; 256]>,
    /// Of the short and the long block.
    pub(crate) transforms: [Transform; 2],
}

/// What the packets of a mode have in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mode {
    pub(crate) is_long: bool,
    pub(crate) mapping: usize,
}

/// How the channels of a packet are stored.
#[derive(Debug)]
pub(crate) struct Mapping {
    /// The numbers of the channels of magnitudes and angles, in the order in which they were coupled.
    pub(crate) couplings: Vec<(usize, usize)>,
    /// The floor of each channel.
    pub(crate) floors: Vec<usize>,
    pub(crate) submaps: Vec<Submap>,
    /// Whether there are two channels, which alternate in one vector and are coupled with each other.
    pub(crate) is_pair: bool,
}

/// Channels that share a residue.
#[derive(Debug)]
pub(crate) struct Submap {
    pub(crate) residue: usize,
    pub(crate) channels: Vec<usize>,
}

impl Setup {
    /// Reads the identification and the setup header, the first and the third packet of a stream. The tables may take
    /// `max_bytes` of memory; those of common streams take less than 4 MB.
    ///
    /// # Errors
    /// When a header violates the specification, or there is not enough memory.
    pub fn parse(identification: &[u8], setup: &[u8], max_bytes: u64) -> Result<Self, DecodeError> {
        let body = identification.strip_prefix(b"\x01vorbis").and_then(|body| body.first_chunk::<23>());
        let Some(&[v0, v1, v2, v3, num_channels, r0, r1, r2, r3, .., sizes, framing]) = body else {
            return Err(DecodeError::Header("identification header is too short"));
        };
        let version = u32::from_le_bytes([v0, v1, v2, v3]);
        if version != 0 {
            return Err(DecodeError::Version(version));
        }
        let sample_rate = u32::from_le_bytes([r0, r1, r2, r3]);
        let block_exponents = [u32::from(sizes & 0xF), u32::from(sizes >> 4)];
        let [short, long] = block_exponents;
        if num_channels == 0 || sample_rate == 0 || framing & 1 == 0 {
            let what = "identification header has no channels, no rate or no framing bit";
            return Err(DecodeError::Header(what));
        }
        if short < 6 || long < short || long > 13 {
            return Err(DecodeError::Header("block sizes are not between 64 and 8192"));
        }
        let body = setup.strip_prefix(b"\x05vorbis");
        let body = body.ok_or(DecodeError::Header("third header is not a setup header"))?;
        let mut budget = Budget::new(max_bytes);
        let num_channels = num_channels.into();
        let tables =
            Tables::parse(&mut Bits::new(body), sample_rate, num_channels, block_exponents, &mut budget)?;
        Ok(Self { tables: Arc::new(tables) })
    }

    /// Frames per second.
    pub fn sample_rate(&self) -> u32 {
        self.tables.sample_rate
    }

    /// Samples in a frame, 1 to 255.
    pub fn num_channels(&self) -> usize {
        self.tables.num_channels
    }

    /// The sizes of the short and the long block, powers of two from 64 to 8192.
    pub fn block_sizes(&self) -> [u32; 2] {
        self.tables.block_exponents.map(|exponent| 1 << exponent)
    }

    /// The size of a packet's block, by its first byte; `None` if it is not an audio packet of the stream.
    ///
    /// A packet has a quarter of its block and a quarter of the one before in frames (section 4.3.8).
    pub fn block_size(&self, packet: &[u8]) -> Option<u32> {
        let mode = self.tables.mode(&mut Bits::new(packet.get(..1)?)).ok()?;
        let [short, long] = self.block_sizes();
        Some(if mode.is_long { long } else { short })
    }
}

impl Tables {
    /// The binary logarithm of the size of the long block.
    pub(crate) fn long_exponent(&self) -> u32 {
        let [_, long] = self.block_exponents;
        long
    }

    /// The mode of a packet (section 4.3.1).
    ///
    /// # Errors
    /// When it is not an audio packet of the stream.
    #[inline(always)]
    pub(crate) fn mode(&self, bits: &mut Bits<'_>) -> Result<Mode, DecodeError> {
        if bits.read_flag() {
            return Err(DecodeError::Packet("it is not an audio packet"));
        }
        let number = bits.read(self.mode_bits);
        if bits.is_past_end() {
            return Err(DecodeError::Packet("it is empty"));
        }
        let mode = self.modes.get(number as usize).copied();
        mode.ok_or(DecodeError::Packet("its mode does not exist"))
    }

    /// Section 4.2.4.
    fn parse(
        bits: &mut Bits<'_>,
        sample_rate: u32,
        num_channels: usize,
        block_exponents: [u32; 2],
        budget: &mut Budget,
    ) -> Result<Self, DecodeError> {
        let mut books = Vec::new();
        for _ in 0..bits.read(8) + 1 {
            books.push(Codebook::parse(bits, budget)?);
        }
        for _ in 0..bits.read(6) + 1 {
            if bits.read(16) != 0 {
                return Err(DecodeError::Header("setup has a time domain transform"));
            }
        }
        let mut floors = Vec::new();
        for _ in 0..bits.read(6) + 1 {
            floors.push(Floor::parse(bits, &mut books, block_exponents, budget)?);
        }
        let mut residues = Vec::new();
        for _ in 0..bits.read(6) + 1 {
            residues.push(Residue::parse(bits, &mut books, budget)?);
        }
        let mut mappings = Vec::new();
        for _ in 0..bits.read(6) + 1 {
            mappings.push(Mapping::parse(bits, num_channels, floors.len(), &residues, budget)?);
        }
        let num_modes = bits.read(6) + 1;
        let mut modes = Vec::new();
        for _ in 0..num_modes {
            let is_long = bits.read_flag();
            if bits.read(16) != 0 || bits.read(16) != 0 {
                return Err(DecodeError::Header("setup has a window or transform of an unknown type"));
            }
            let mapping = bits.read(8) as usize;
            if mapping >= mappings.len() {
                return Err(DecodeError::Header("setup refers to a mapping that does not exist"));
            }
            modes.push(Mode { is_long, mapping });
        }
        let has_framing = bits.read_flag();
        if bits.is_past_end() {
            return Err(DecodeError::TruncatedHeader);
        }
        if !has_framing {
            return Err(DecodeError::Header("setup has no framing bit"));
        }
        Ok(Self {
            sample_rate,
            num_channels,
            block_exponents,
            books,
            floors,
            residues,
            mappings,
            modes,
            mode_bits: num_bits(num_modes - 1),
            inverse_decibels: inverse_decibels(),
            transforms: block_exponents.map(Transform::new),
        })
    }
}

impl Mapping {
    /// Section 4.2.4, "Mappings".
    fn parse(
        bits: &mut Bits<'_>,
        num_channels: usize,
        num_floors: usize,
        residues: &[Residue],
        budget: &mut Budget,
    ) -> Result<Self, DecodeError> {
        budget.take::<usize>(num_channels * 4 + 2 * 256)?;
        if bits.read(16) != 0 {
            return Err(DecodeError::Header("setup has a mapping of an unknown type"));
        }
        let num_submaps = if bits.read_flag() { bits.read(4) + 1 } else { 1 };
        let mut couplings = Vec::new();
        if bits.read_flag() {
            let channel_bits = num_bits(u32::try_from(num_channels).unwrap_or(0) - 1);
            for _ in 0..bits.read(8) + 1 {
                let (magnitude, angle) = (bits.read(channel_bits) as usize, bits.read(channel_bits) as usize);
                if magnitude == angle || magnitude.max(angle) >= num_channels {
                    return Err(DecodeError::Header("mapping couples channels that do not exist"));
                }
                couplings.push((magnitude, angle));
            }
        }
        if bits.read(2) != 0 {
            return Err(DecodeError::Header("mapping has reserved bits set"));
        }
        let mut multiplex = Vec::new();
        for _ in 0..num_channels {
            let submap = if num_submaps > 1 { bits.read(4) } else { 0 };
            if submap >= num_submaps {
                return Err(DecodeError::Header("mapping refers to a submap that does not exist"));
            }
            multiplex.push(submap);
        }
        let mut submaps = Vec::new();
        let mut floors = vec![0; num_channels];
        for number in 0..num_submaps {
            bits.read(8); // of a time domain transform
            let (floor, residue) = (bits.read(8) as usize, bits.read(8) as usize);
            if floor >= num_floors {
                return Err(DecodeError::Header("mapping refers to a floor that does not exist"));
            }
            if residue >= residues.len() {
                return Err(DecodeError::Header("mapping refers to a residue that does not exist"));
            }
            let mut channels = Vec::new();
            for (channel, (_, of_channel)) in
                multiplex.iter().zip(&mut floors).enumerate().filter(|(_, (submap, _))| **submap == number)
            {
                channels.push(channel);
                *of_channel = floor;
            }
            submaps.push(Submap { residue, channels });
        }
        if bits.is_past_end() {
            return Err(DecodeError::TruncatedHeader);
        }
        let of_first = submaps.first().and_then(|submap| residues.get(submap.residue));
        let is_pair = (num_channels, submaps.len(), couplings.as_slice()) == (2, 1, &[(0, 1)])
            && of_first.is_some_and(Residue::is_interleaved);
        Ok(Self { couplings, floors, submaps, is_pair })
    }
}
