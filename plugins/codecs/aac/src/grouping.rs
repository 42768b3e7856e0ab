//! How the lines of a channel are spread over windows (ISO/IEC 14496-3, 4.4.2.7: ics_info).

#![forbid(unsafe_code)]

use mapwave_codec_base::BitReader;

use crate::bands::Bands;
use crate::error::DecodeError;

/// The window sequences (table 4.150), in the order of their numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Sequence {
    #[default]
    Long,
    Start,
    Short,
    Stop,
}

/// How the lines are spread over windows (4.4.2.7: ics_info).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Windows {
    pub(crate) sequence: Sequence,
    /// Whether the second half of the window is Kaiser-Bessel derived, or else a sine.
    pub(crate) is_kbd: bool,
    /// The bands with lines, of each group.
    pub(crate) num_bands: usize,
    pub(crate) num_groups: usize,
    /// The windows of each group.
    pub(crate) group_lengths: [u8; 8],
}

impl Windows {
    pub(crate) fn read(bits: &mut BitReader<'_>, bands: &[Bands; 2]) -> Result<Self, DecodeError> {
        bits.read(1); // reserved
        let sequence = match bits.read(2) {
            0 => Sequence::Long,
            1 => Sequence::Start,
            2 => Sequence::Short,
            _ => Sequence::Stop,
        };
        let is_kbd = bits.read(1) != 0;
        let mut windows = Self { sequence, is_kbd, num_groups: 1, ..Self::default() };
        windows.group_lengths[0] = 1;
        if sequence == Sequence::Short {
            windows.num_bands = bits.read(4) as usize;
            let grouping = bits.read(7);
            for window in 1..8 {
                windows.num_groups += usize::from(grouping >> (7 - window) & 1 == 0);
                if let Some(length) = windows.group_lengths.get_mut(windows.num_groups - 1) {
                    *length += 1;
                }
            }
        } else {
            windows.num_bands = bits.read(6) as usize;
            if bits.read(1) != 0 {
                return Err(DecodeError::Unsupported("prediction from the packets before"));
            }
        }
        if windows.num_bands > windows.bands(bands).count {
            return Err(DecodeError::Packet("it has more bands than a window"));
        }
        Ok(windows)
    }

    /// The bands of such windows, of those of long and short ones.
    #[inline(always)]
    pub(crate) fn bands<'b>(&self, bands: &'b [Bands; 2]) -> &'b Bands {
        let [long, short] = bands;
        if self.sequence == Sequence::Short { short } else { long }
    }

    /// The groups: the first window of each, and their number.
    pub(crate) fn groups(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let mut first = 0;
        self.group_lengths.into_iter().take(self.num_groups).map(move |length| {
            let group = (first, usize::from(length));
            first += group.1;
            group
        })
    }
}
