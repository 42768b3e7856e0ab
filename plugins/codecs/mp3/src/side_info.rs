//! The side information of a packet (ISO/IEC 11172-3, 2.4.1.7 and 2.4.2.7; ISO/IEC 13818-3, 2.4.1.7).

#![forbid(unsafe_code)]

use mapwave_codec_base::BitReader;

use crate::bands::{BlockKind, Layout};
use crate::error::DecodeError;
use crate::header::{Header, Version};

/// The most pairs of a granule.
const MAX_PAIRS: usize = crate::sizes::GRANULE / 2;

/// How the 576 lines of a granule are divided among blocks of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum BlockType {
    /// A long block among long blocks.
    #[default]
    Normal,
    /// A long block before short ones.
    Start,
    /// Three short blocks.
    Short,
    /// A long block after short ones.
    Stop,
}

/// The side information of one channel of a granule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ChannelInfo {
    /// The bits of scale factors and Huffman codes: `part2_3_length`.
    pub(crate) num_bits: usize,
    /// The pairs of lines of each of three regions, which have a table each.
    pub(crate) region_pairs: [usize; 3],
    pub(crate) tables: [u8; 3],
    pub(crate) global_gain: u8,
    pub(crate) scalefac_compress: u16,
    pub(crate) block_type: BlockType,
    /// Whether the lowest subbands are in long blocks anyway.
    pub(crate) is_mixed: bool,
    pub(crate) subblock_gain: [u8; 3],
    pub(crate) has_preemphasis: bool,
    /// `scalefac_scale`.
    pub(crate) is_coarse: bool,
    /// `count1table_select`.
    pub(crate) has_flat_quads: bool,
    /// For each of four groups of bands, whether it has the scale factors of the granule before: `scfsi`.
    pub(crate) is_shared: [bool; 4],
}

impl ChannelInfo {
    /// The division of the lines into bands.
    pub(crate) fn kind(&self) -> BlockKind {
        match (self.block_type, self.is_mixed) {
            (BlockType::Short, false) => BlockKind::Short,
            (BlockType::Short, true) => BlockKind::Mixed,
            _ => BlockKind::Long,
        }
    }
}

/// The side information of a packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SideInfo {
    /// The bytes of main data before the packet's own.
    pub(crate) main_data_begin: usize,
    /// For each granule, for each channel.
    pub(crate) granules: [[ChannelInfo; 2]; 2],
}

impl SideInfo {
    /// Reads the side information of a packet.
    ///
    /// # Errors
    /// When it is truncated or not valid, or the main data does not end in the packet.
    pub(crate) fn parse(header: Header, packet: &[u8]) -> Result<Self, DecodeError> {
        let Some(num_own) = packet.len().checked_sub(header.main_data_start()) else {
            return Err(DecodeError::Truncated);
        };
        let mut bits = BitReader::at(packet, header.side_start());
        let (num_granules, num_channels) = (header.num_granules(), header.num_channels());
        let mut info = Self::default();
        let mut is_shared = [[false; 4]; 2];
        if header.version() == Version::Mpeg1 {
            info.main_data_begin = bits.read(9) as usize;
            bits.read(if num_channels == 1 { 5 } else { 3 }); // private
            for group in is_shared.iter_mut().take(num_channels).flatten() {
                *group = bits.read(1) == 1;
            }
        } else {
            info.main_data_begin = bits.read(8) as usize;
            bits.read(if num_channels == 1 { 1 } else { 2 }); // private
        }
        let mut num_bits = 0;
        for (number, granule) in info.granules.iter_mut().enumerate().take(num_granules) {
            for (channel, is_shared) in granule.iter_mut().zip(is_shared).take(num_channels) {
                *channel = channel_info(header, &mut bits)?;
                num_bits += channel.num_bits;
                if number == 1 {
                    channel.is_shared = is_shared;
                }
            }
        }
        if num_bits > (info.main_data_begin + num_own) * 8 {
            return Err(DecodeError::Truncated);
        }
        Ok(info)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "fields have fewer bits")]
fn channel_info(header: Header, bits: &mut BitReader<'_>) -> Result<ChannelInfo, DecodeError> {
    let is_mpeg1 = header.version() == Version::Mpeg1;
    let mut info = ChannelInfo { num_bits: bits.read(12) as usize, ..ChannelInfo::default() };
    let num_pairs = bits.read(9) as usize;
    if num_pairs > MAX_PAIRS {
        return Err(DecodeError::Packet("a granule has more than 288 pairs of lines"));
    }
    info.global_gain = bits.read(8) as u8;
    info.scalefac_compress = bits.read(if is_mpeg1 { 4 } else { 9 }) as u16;
    // The first bands of the second and the third region, or else their first lines.
    let (second, third);
    if bits.read(1) == 1 {
        info.block_type = match bits.read(2) {
            1 => BlockType::Start,
            2 => BlockType::Short,
            3 => BlockType::Stop,
            _ => {
                return Err(DecodeError::Packet("a granule of switched windows is of the normal block type"));
            }
        };
        info.is_mixed = bits.read(1) == 1;
        for table in info.tables.iter_mut().take(2) {
            *table = bits.read(5) as u8;
        }
        for gain in &mut info.subblock_gain {
            *gain = bits.read(3) as u8;
        }
        // region0_count of 8 of short windows, 7 of others (ISO/IEC 11172-3, 2.4.2.7): three short bands or eight long
        // ones. In mixed blocks, short bands begin where the third of them would.
        second = if info.block_type == BlockType::Short {
            Layout::of(header.rate_row(), BlockKind::Short).line(9)
        } else {
            Layout::of(header.rate_row(), BlockKind::Long).line(8)
        };
        third = crate::sizes::GRANULE;
    } else {
        for table in &mut info.tables {
            *table = bits.read(5) as u8;
        }
        let first_bands = bits.read(4) as usize + 1;
        let second_bands = bits.read(3) as usize + 1;
        let layout = Layout::of(header.rate_row(), BlockKind::Long);
        second = layout.line(first_bands);
        third = layout.line(first_bands + second_bands);
    }
    let ends = [second / 2, third / 2, MAX_PAIRS].map(|end| end.min(num_pairs));
    let [first_end, second_end, third_end] = ends;
    info.region_pairs = [first_end, second_end - first_end, third_end - second_end];
    info.has_preemphasis = if is_mpeg1 { bits.read(1) == 1 } else { info.scalefac_compress >= 500 };
    info.is_coarse = bits.read(1) == 1;
    info.has_flat_quads = bits.read(1) == 1;
    Ok(info)
}
