//! The headers of a Vorbis stream (Vorbis I specification, section 4.2): the length of packets, and whether a decoder
//! can be made.

#![forbid(unsafe_code)]

use mapwave_plugin::{Error, Result, Status};

use super::codebook::{Codebooks, Fault, Read, bits_for};
use super::residue::Residue;
use crate::bits::{Bits, LsbFirst};

/// The contents of the identification and setup headers.
#[derive(Debug)]
pub(crate) struct VorbisSetup {
    pub(crate) sample_rate: u32,
    pub(crate) num_channels: u32,
    /// The two headers one after the other, as Symphonia's decoder expects them.
    pub(crate) headers: Box<[u8]>,
    /// The binary logarithms of the sizes of the short and the long block.
    exponents: [u8; 2],
    /// Which modes have long blocks.
    long_modes: u64,
    num_modes: u8,
    mode_bits: u32,
}

impl VorbisSetup {
    /// Reads the identification and the setup header of a stream at `offset`.
    ///
    /// # Errors
    /// When they violate the specification, or a decoder would take more than `max_alloc` bytes.
    pub(crate) fn parse(identification: &[u8], setup: &[u8], max_alloc: u64, offset: u64) -> Result<Self> {
        let bad = |what: &str| Error::bad_data(offset, format!("the Vorbis stream's {what}"));
        let body = identification.strip_prefix(b"\x01vorbis").and_then(|body| body.first_chunk::<23>());
        let Some(&[v0, v1, v2, v3, num_channels, r0, r1, r2, r3, .., sizes, framing]) = body else {
            return Err(bad("identification header is too short"));
        };
        if [v0, v1, v2, v3] != [0; 4] {
            return Err(Error::unsupported("the Vorbis stream has an unknown version").at(offset));
        }
        let sample_rate = u32::from_le_bytes([r0, r1, r2, r3]);
        let exponents = [sizes & 0xF, sizes >> 4];
        let [short, long] = exponents;
        if num_channels == 0 || sample_rate == 0 || framing & 1 == 0 {
            return Err(bad("identification header has no channels, no rate or no framing bit"));
        }
        if short < 6 || long < short || long > 13 {
            return Err(bad("block sizes are not between 64 and 8192"));
        }
        if num_channels > 8 {
            let message = format!("Vorbis with {num_channels} channels has no defined channel order");
            return Err(Error::unsupported(message).at(offset));
        }
        let body =
            setup.strip_prefix(b"\x05vorbis").ok_or_else(|| bad("third header is not a setup header"))?;
        let summary = match read_setup(&mut Bits::new(body), num_channels, exponents) {
            Ok(summary) => summary,
            Err(Fault::Cut) => return Err(bad("setup header is truncated")),
            Err(Fault::Malformed(what)) => return Err(bad(what)),
            Err(Fault::Unsupported(what)) => {
                return Err(Error::unsupported(format!("Vorbis {what} needs the libav plugin")).at(offset));
            }
        };
        if summary.num_bytes > max_alloc {
            let message = format!(
                "the Vorbis codebooks need {} bytes, but only {max_alloc} may be allocated",
                summary.num_bytes
            );
            return Err(Error::new(Status::Limit, message).at(offset));
        }
        let mut headers = [identification.get(..30).unwrap_or_default(), setup].concat();
        let first_bit = (headers.len() - body.len()) as u64 * 8;
        for coupling in &summary.chained_couplings {
            coupling.reverse_in(&mut headers, first_bit);
        }
        Ok(Self {
            sample_rate,
            num_channels: num_channels.into(),
            headers: headers.into(),
            exponents,
            long_modes: summary.long_modes,
            num_modes: summary.num_modes,
            mode_bits: bits_for(u32::from(summary.num_modes) - 1),
        })
    }

    /// The binary logarithm of the size of a packet's block; `None` if it is not an audio packet.
    pub(crate) fn exponent(&self, packet: &[u8]) -> Option<u8> {
        let first = packet.first().filter(|first| *first & 1 == 0)?;
        let mode = (first >> 1) & u8::try_from((1 << self.mode_bits) - 1).unwrap_or(0);
        let [short, long] = self.exponents;
        (mode < self.num_modes).then_some(if (self.long_modes >> mode) & 1 != 0 { long } else { short })
    }
}

/// The frames that two consecutive blocks give: those from the middle of one to the middle of the next (section 4.3.8).
pub(crate) fn frames_between(previous: u8, exponent: u8) -> u64 {
    (1 << previous) / 4 + (1 << exponent) / 4
}

struct Summary {
    num_modes: u8,
    long_modes: u64,
    /// About how many bytes a decoder's tables take.
    num_bytes: u64,
    chained_couplings: Vec<ChainedCoupling>,
}

/// The coupling steps of a mapping that couples a channel more than once.
///
/// A decoder must undo them from the last to the first (section 4.3.5), but Symphonia's goes from the first to the
/// last, which makes a difference only here. So it gets the list reversed.
struct ChainedCoupling {
    /// The position of the list, in bits from the start of the setup.
    position: u64,
    bits_per_channel: u32,
    steps: Vec<(u32, u32)>,
}

impl ChainedCoupling {
    fn reverse_in(&self, headers: &mut [u8], first_bit: u64) {
        let mut position = first_bit + self.position;
        let mut write = |channel: u32| {
            for bit in 0..self.bits_per_channel {
                let byte = usize::try_from(position / 8).ok().and_then(|at| headers.get_mut(at));
                if let Some(byte) = byte {
                    let mask = 1 << (position % 8);
                    *byte = if (channel >> bit) & 1 != 0 { *byte | mask } else { *byte & !mask };
                }
                position += 1;
            }
        };
        for (magnitude, angle) in self.steps.iter().rev() {
            write(*magnitude);
            write(*angle);
        }
    }
}

/// A mapping, as far as the modes that use it need it.
struct Mapping {
    chained: Option<ChainedCoupling>,
    /// The number of a residue and the number of its channels, for each submap.
    residues: Vec<(usize, usize)>,
}

fn read_setup(bits: &mut Bits<'_, LsbFirst>, num_channels: u8, exponents: [u8; 2]) -> Read<Summary> {
    let mut codebooks = Codebooks::default();
    for _ in 0..bits.read(8)? + 1 {
        codebooks.read(bits)?;
    }
    for _ in 0..bits.read(6)? + 1 {
        if bits.read(16)? != 0 {
            return Err(Fault::Malformed("setup has a time domain transform"));
        }
    }
    let num_floors = bits.read(6)? + 1;
    for _ in 0..num_floors {
        match bits.read(16)? {
            0 => read_floor0(bits, &codebooks)?,
            1 => read_floor1(bits, &codebooks)?,
            _ => return Err(Fault::Malformed("setup has a floor of an unknown type")),
        }
    }
    let mut residues = Vec::new();
    for _ in 0..bits.read(6)? + 1 {
        residues.push(Residue::read(bits, &codebooks)?);
    }
    let mut mappings = Vec::new();
    for _ in 0..bits.read(6)? + 1 {
        mappings.push(read_mapping(bits, num_channels, num_floors, &residues)?);
    }
    let num_modes = bits.read(6)? + 1;
    let mut long_modes = 0;
    for mode in 0..num_modes {
        let is_long = bits.read(1)? != 0;
        long_modes |= u64::from(is_long) << mode;
        if bits.read(16)? != 0 || bits.read(16)? != 0 {
            return Err(Fault::Malformed("setup has a window or transform of an unknown type"));
        }
        let Some(mapping) = mappings.get(bits.read(8)? as usize) else {
            return Err(Fault::Malformed("setup refers to a mapping that does not exist"));
        };
        let [short, long] = exponents;
        let residues = mapping.residues.iter().map(|(residue, count)| (residues.get(*residue), *count));
        for (residue, num_vectors) in residues {
            residue.map_or(Ok(()), |residue| {
                residue.check_block(num_vectors, if is_long { long } else { short })
            })?;
        }
    }
    if bits.read(1)? == 0 {
        return Err(Fault::Malformed("setup has no framing bit"));
    }
    let num_modes = u8::try_from(num_modes).unwrap_or(u8::MAX);
    let chained_couplings = mappings.into_iter().filter_map(|mapping| mapping.chained).collect();
    Ok(Summary { num_modes, long_modes, num_bytes: codebooks.num_bytes, chained_couplings })
}

/// Section 6.2.1.
fn read_floor0(bits: &mut Bits<'_, LsbFirst>, codebooks: &Codebooks) -> Read<()> {
    let (order, rate, map_size) = (bits.read(8)?, bits.read(16)?, bits.read(16)?);
    bits.skip(14)?;
    if order == 0 || rate == 0 || map_size == 0 {
        return Err(Fault::Malformed("floor has no order, rate or map"));
    }
    let num_books = bits.read(4)? + 1;
    if num_books == 16 {
        // Five bits choose among 16 books and can choose one that does not exist.
        return Err(Fault::Unsupported("with a floor of 16 codebooks".to_owned()));
    }
    for _ in 0..num_books {
        codebooks.check(bits.read(8)?, true)?;
    }
    // With fewer than 16, the choosing bits can have a number that does not exist, which leads to the first codebook.
    codebooks.check(0, false).map(|_| ())
}

/// Section 7.2.2.
fn read_floor1(bits: &mut Bits<'_, LsbFirst>, codebooks: &Codebooks) -> Read<()> {
    let num_partitions = bits.read(5)?;
    let mut partitions = Vec::new();
    for _ in 0..num_partitions {
        partitions.push(bits.read(4)?);
    }
    let mut dimensions = Vec::new();
    for _ in 0..partitions.iter().max().map_or(0, |class| class + 1) {
        dimensions.push(bits.read(3)? + 1);
        let subclass_bits = bits.read(2)?;
        if subclass_bits > 0 {
            codebooks.check(bits.read(8)?, false)?;
        }
        for _ in 0..1 << subclass_bits {
            if let Some(book) = bits.read(8)?.checked_sub(1) {
                codebooks.check(book, false)?;
            }
        }
    }
    bits.skip(2)?;
    let range_bits = bits.read(4)?;
    let mut places = vec![0, 1 << range_bits];
    for class in partitions {
        for _ in 0..dimensions.get(class as usize).copied().unwrap_or(0) {
            places.push(bits.read(range_bits)?);
        }
    }
    if places.len() > 65 {
        return Err(Fault::Malformed("floor has more than 65 points"));
    }
    places.sort_unstable();
    if places.windows(2).any(|pair| matches!(pair, [left, right] if left == right)) {
        return Err(Fault::Malformed("floor has a point twice"));
    }
    Ok(())
}

/// Section 4.2.4.
fn read_mapping(
    bits: &mut Bits<'_, LsbFirst>,
    num_channels: u8,
    num_floors: u32,
    residues: &[Residue],
) -> Read<Mapping> {
    if bits.read(16)? != 0 {
        return Err(Fault::Malformed("setup has a mapping of an unknown type"));
    }
    let num_submaps = if bits.read(1)? != 0 { bits.read(4)? + 1 } else { 1 };
    let mut chained = None;
    if bits.read(1)? != 0 {
        let bits_per_channel = bits_for(u32::from(num_channels) - 1);
        let num_steps = bits.read(8)? + 1;
        let position = bits.position();
        let mut steps = Vec::new();
        for _ in 0..num_steps {
            let (magnitude, angle) = (bits.read(bits_per_channel)?, bits.read(bits_per_channel)?);
            if magnitude == angle || magnitude.max(angle) >= num_channels.into() {
                return Err(Fault::Malformed("mapping couples channels that do not exist"));
            }
            steps.push((magnitude, angle));
        }
        let coupled = steps.iter().fold(0_u32, |coupled, (a, b)| coupled | (1 << a) | (1 << b));
        if coupled.count_ones() < 2 * num_steps {
            chained = Some(ChainedCoupling { position, bits_per_channel, steps });
        }
    }
    if bits.read(2)? != 0 {
        return Err(Fault::Malformed("mapping has reserved bits set"));
    }
    let mut multiplex = Vec::new();
    for _ in 0..num_channels {
        let submap = if num_submaps > 1 { bits.read(4)? } else { 0 };
        if submap >= num_submaps {
            return Err(Fault::Malformed("mapping refers to a submap that does not exist"));
        }
        multiplex.push(submap);
    }
    let mut interleaved = Vec::new();
    let mut of_submaps = Vec::new();
    for submap in 0..num_submaps {
        bits.skip(8)?;
        let (floor, residue) = (bits.read(8)?, bits.read(8)?);
        if floor >= num_floors {
            return Err(Fault::Malformed("mapping refers to a floor that does not exist"));
        }
        let Some(found) = residues.get(residue as usize) else {
            return Err(Fault::Malformed("mapping refers to a residue that does not exist"));
        };
        let channels: Vec<usize> =
            (0..).zip(&multiplex).filter(|(_, of)| **of == submap).map(|(at, _)| at).collect();
        if found.is_interleaved() {
            interleaved.push(submap);
            // Symphonia assumes that two interleaved channels are the first two.
            if channels.len() == 2 && channels.first() != Some(&0) {
                let what = "that interleaves a pair of channels other than the first two";
                return Err(Fault::Unsupported(what.to_owned()));
            }
        }
        of_submaps.push((residue as usize, channels.len()));
    }
    if let Some(chained) = &chained {
        // The order of the steps also determines which channels are read, unless the chain is interleaved into one.
        let submap_of = |channel: u32| multiplex.get(channel as usize).copied();
        let mut submaps = chained.steps.iter().flat_map(|(a, b)| [submap_of(*a), submap_of(*b)]);
        let first = submaps.next().flatten();
        let is_interleaved = first.is_some_and(|submap| interleaved.contains(&submap));
        if !is_interleaved || submaps.any(|submap| submap != first) {
            let what = "that couples a channel twice without interleaving it";
            return Err(Fault::Unsupported(what.to_owned()));
        }
    }
    Ok(Mapping { chained, residues: of_submaps })
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::cast_possible_truncation)]
mod tests {
    use super::*;

    #[test]
    fn coupling_steps_turn_around_in_place() {
        let steps = vec![(0, 2), (5, 1), (0, 3)];
        // 7 bits of something else, then three bits a channel.
        let mut headers = [0xFF; 5];
        let coupling = ChainedCoupling { position: 3, bits_per_channel: 3, steps: steps.clone() };
        coupling.reverse_in(&mut headers, 4);
        let mut bits = Bits::<LsbFirst>::new(&headers);
        assert_eq!(bits.read(7).ok(), Some(0x7F));
        for (magnitude, angle) in steps.into_iter().rev() {
            assert_eq!((bits.read(3).ok(), bits.read(3).ok()), (Some(magnitude), Some(angle)));
        }
        assert_eq!(bits.read(15).ok(), Some(0x7FFF));
    }
}
