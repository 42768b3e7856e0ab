//! Scale factors (ISO/IEC 11172-3, 2.4.1.8 and 2.4.2.7; ISO/IEC 13818-3, 2.4.3.2), and the gain of each band that they tell.

#![forbid(unsafe_code)]

use mapwave_codec_base::BitReader;

use crate::bands::{Layout, MAX_BANDS};
use crate::header::{Header, Version};
use crate::maths::square_root;
use crate::side_info::{BlockType, ChannelInfo};

/// The share of a band in the first channel that stands for none: the band is not of intensity stereo.
pub(crate) const NO_POSITION: u8 = u8::MAX;

/// The bits of the lower and of the higher bands in MPEG-1, by `scalefac_compress`.
const LENGTHS: [[u8; 2]; 16] = [
    [0, 0],
    [0, 1],
    [0, 2],
    [0, 3],
    [3, 0],
    [1, 1],
    [1, 2],
    [1, 3],
    [2, 1],
    [2, 2],
    [2, 3],
    [3, 1],
    [3, 2],
    [3, 3],
    [4, 2],
    [4, 3],
];

/// The bands of each of four groups in MPEG-2, of long, short and mixed blocks; the last three rows are those of the second
/// channel of intensity stereo.
const GROUPS: [[[u8; 4]; 3]; 6] = [
    [[6, 5, 5, 5], [9, 9, 9, 9], [6, 9, 9, 9]],
    [[6, 5, 7, 3], [9, 9, 12, 6], [6, 9, 12, 6]],
    [[11, 10, 0, 0], [18, 18, 0, 0], [15, 18, 0, 0]],
    [[7, 7, 7, 0], [12, 12, 12, 0], [6, 15, 12, 0]],
    [[6, 6, 6, 3], [12, 9, 9, 6], [6, 12, 9, 6]],
    [[8, 8, 5, 0], [15, 12, 9, 0], [6, 18, 9, 0]],
];

/// What is added to the scale factors of long blocks with `preflag` (ISO/IEC 11172-3, table 3-B.6).
const PREEMPHASIS: [u8; 22] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 3, 2, 0];

/// The scale factors of one channel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ScaleFactors {
    factors: [u8; MAX_BANDS],
    /// What the same numbers are to intensity stereo: the share of the first channel, or [`NO_POSITION`].
    pub(crate) positions: [u8; MAX_BANDS],
}

impl ScaleFactors {
    pub(crate) const NONE: Self = Self { factors: [0; MAX_BANDS], positions: [0; MAX_BANDS] };

    /// Reads the scale factors of a granule. `self` is those of the granule before.
    #[inline]
    pub(crate) fn read(
        &mut self,
        header: Header,
        info: &ChannelInfo,
        is_second_channel: bool,
        layout: &Layout,
        bits: &mut BitReader<'_>,
    ) {
        if header.version() == Version::Mpeg1 {
            let [low, high] = LENGTHS.get(usize::from(info.scalefac_compress)).copied().unwrap_or_default();
            let is_long = info.block_type != BlockType::Short;
            // Groups of bands: five of either length in long blocks, or six; all bands below 6 in short ones.
            let groups = match (is_long, layout.num_long) {
                (true, _) => [6, 5, 5, 5],
                (false, 0) => [9, 9, 9, 9],
                (false, _) => [8, 9, 9, 9],
            };
            let mut start = 0;
            for (group, (num_bands, length)) in groups.into_iter().zip([low, low, high, high]).enumerate() {
                let is_shared = is_long && info.is_shared.get(group) == Some(&true);
                if !is_shared {
                    self.read_group(start, num_bands, length, 7, bits);
                }
                start += num_bands;
            }
            self.clear_from(start);
        } else {
            let is_share = is_second_channel && header.is_intensity();
            let (row, lengths) = lengths(info.scalefac_compress, is_share);
            let kind = info.kind() as usize;
            let groups = GROUPS.get(row).and_then(|kinds| kinds.get(kind)).copied().unwrap_or_default();
            let mut start = 0;
            for (num_bands, length) in groups.into_iter().zip(lengths) {
                // The greatest position is none (ISO/IEC 13818-3, 2.4.3.2); without bits, there is only 0.
                let none = if length > 0 { (1 << length) - 1 } else { NO_POSITION };
                self.read_group(start, usize::from(num_bands), length, none, bits);
                start += usize::from(num_bands);
            }
            self.clear_from(start);
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "scale factors have at most 5 bits")]
    fn read_group(&mut self, start: usize, num_bands: usize, length: u8, none: u8, bits: &mut BitReader<'_>) {
        let factors = self.factors.get_mut(start..start + num_bands).unwrap_or_default();
        let positions = self.positions.get_mut(start..start + num_bands).unwrap_or_default();
        if length == 0 {
            factors.fill(0);
            positions.fill(0);
            return;
        }
        for (factor, position) in factors.iter_mut().zip(positions) {
            *factor = bits.read(length.into()) as u8;
            *position = if *factor == none { NO_POSITION } else { *factor };
        }
    }

    /// The highest bands have none.
    fn clear_from(&mut self, start: usize) {
        self.factors.get_mut(start..).unwrap_or_default().fill(0);
        self.positions.get_mut(start..).unwrap_or_default().fill(0);
    }

    /// The gain of each band (2.4.3.4.7.1).
    #[inline]
    pub(crate) fn gains(&self, info: &ChannelInfo, layout: &Layout) -> [f32; MAX_BANDS] {
        let mut gains = [0.0; MAX_BANDS];
        // Exponents are counted in quarters: scale factors are multiplied by 2 or 4 of these.
        let shift = if info.is_coarse { 2 } else { 1 };
        let global = i32::from(info.global_gain) - 210;
        let factors = gains.iter_mut().zip(&self.factors);
        if layout.num_long >= layout.num_bands {
            for ((gain, factor), more) in factors.zip(PREEMPHASIS) {
                let more = if info.has_preemphasis { more } else { 0 };
                *gain = power_of_two(global - (i32::from(factor + more) << shift));
            }
        } else {
            let windows = info.subblock_gain.iter().cycle();
            let mut factors = factors.take(layout.num_bands);
            for (gain, factor) in factors.by_ref().take(layout.num_long) {
                *gain = power_of_two(global - (i32::from(*factor) << shift));
            }
            for ((gain, factor), of_window) in factors.zip(windows) {
                *gain = power_of_two(global - 8 * i32::from(*of_window) - (i32::from(*factor) << shift));
            }
        }
        gains
    }
}

/// The row of [`GROUPS`] and the bits of each group in MPEG-2.
#[expect(clippy::cast_possible_truncation, reason = "at most 4 bits")]
fn lengths(compress: u16, is_share: bool) -> (usize, [u8; 4]) {
    // How many lengths there are of each group.
    let (row, rest, counts) = match (is_share, compress) {
        (false, 0..400) => (0, compress, [5, 5, 4, 4]),
        (false, 400..500) => (1, compress - 400, [5, 5, 4, 1]),
        (false, _) => (2, compress - 500, [4, 3, 1, 1]),
        (true, 0..360) => (3, compress >> 1, [5, 6, 6, 1]),
        (true, 360..488) => (4, (compress >> 1) - 180, [4, 4, 4, 1]),
        (true, _) => (5, (compress >> 1) - 244, [4, 3, 1, 1]),
    };
    let mut rest = rest;
    let mut lengths = [0; 4];
    for (length, count) in lengths.iter_mut().zip(counts).rev() {
        *length = (rest % count) as u8;
        rest /= count;
    }
    (row, lengths)
}

/// Two to the power of a number of quarters, above -480.
pub(crate) fn power_of_two(quarters: i32) -> f32 {
    #[expect(clippy::cast_possible_truncation, reason = "of single precision")]
    const ROOTS: [f32; 4] = {
        let root = square_root(square_root(2.0));
        [1.0, root as f32, square_root(2.0) as f32, (root * root * root) as f32]
    };
    let [one, fourth, half, three_fourths] = ROOTS;
    let root = match quarters & 3 {
        0 => one,
        1 => fourth,
        2 => half,
        _ => three_fourths,
    };
    root * f32::from_bits((127 + (quarters >> 2)).cast_unsigned() << 23)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_are_those_of_the_library() {
        for quarters in -400..100 {
            let expected = (f64::from(quarters) / 4.0).exp2();
            assert!((f64::from(power_of_two(quarters)) / expected - 1.0).abs() < 1e-7, "{quarters}");
        }
    }

    #[test]
    fn lengths_are_those_of_the_formulas() {
        for compress in 0..512 {
            // ISO/IEC 13818-3, 2.4.3.2.
            let (high, low) = (compress >> 4, compress & 15);
            let expected = match compress {
                0..400 => (0, [high / 5, high % 5, low >> 2, low & 3]),
                400..500 => {
                    let rest = compress - 400;
                    (1, [(rest >> 2) / 5, (rest >> 2) % 5, rest & 3, 0])
                }
                _ => (2, [(compress - 500) / 3, (compress - 500) % 3, 0, 0]),
            };
            let (row, found) = lengths(compress, false);
            assert_eq!((row, found.map(u16::from)), expected, "{compress}");
            let share = compress >> 1;
            let expected = match share {
                0..180 => (3, [share / 36, share % 36 / 6, share % 36 % 6, 0]),
                180..244 => {
                    let rest = share - 180;
                    (4, [(rest & 63) >> 4, (rest & 15) >> 2, rest & 3, 0])
                }
                _ => (5, [(share - 244) / 3, (share - 244) % 3, 0, 0]),
            };
            let (row, found) = lengths(compress, true);
            assert_eq!((row, found.map(u16::from)), expected, "{compress} of intensity stereo");
        }
    }
}
