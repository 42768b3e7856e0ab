//! Scale factor bands, and where their lines stand.
//!
//! The lines of a granule come band by band; those of short blocks come window by window within a band. Everything after
//! that works on subbands, so a line is put where its subband and its place in the subband are: `place * 32 + subband`.
//! Then the same line of several subbands fills a vector.

#![forbid(unsafe_code)]

use crate::sizes::{GRANULE, NUM_SUBBANDS, SUBBAND};

/// The most bands of a granule: thirteen of three windows.
pub(crate) const MAX_BANDS: usize = 39;

/// The widths of the bands of long blocks, of 44.1, 48 and 32 kHz (ISO/IEC 11172-3, table 3-B.8), of half of these (ISO/IEC
/// 13818-3, table B.2), of a quarter, which no standard has: those of 22.05 kHz, and others at 8 kHz.
pub const LONG_WIDTHS: [[u8; 22]; 9] = {
    let low = [6, 6, 6, 6, 6, 6, 8, 10, 12, 14, 16, 20, 24, 28, 32, 38, 46, 52, 60, 68, 58, 54];
    [
        [4, 4, 4, 4, 4, 4, 6, 6, 8, 8, 10, 12, 16, 20, 24, 28, 34, 42, 50, 54, 76, 158],
        [4, 4, 4, 4, 4, 4, 6, 6, 6, 8, 10, 12, 16, 18, 22, 28, 34, 40, 46, 54, 54, 192],
        [4, 4, 4, 4, 4, 4, 6, 6, 8, 10, 12, 16, 20, 24, 30, 38, 46, 56, 68, 84, 102, 26],
        low,
        [6, 6, 6, 6, 6, 6, 8, 10, 12, 14, 16, 18, 22, 26, 32, 38, 46, 54, 62, 70, 76, 36],
        low,
        low,
        low,
        [12, 12, 12, 12, 12, 12, 16, 20, 24, 28, 32, 40, 48, 56, 64, 76, 90, 2, 2, 2, 2, 2],
    ]
};

/// The widths of the bands of each short block, likewise.
pub const SHORT_WIDTHS: [[u8; 13]; 9] = {
    let low = [4, 4, 4, 6, 8, 10, 12, 14, 18, 24, 30, 40, 18];
    [
        [4, 4, 4, 4, 6, 8, 10, 12, 14, 18, 22, 30, 56],
        [4, 4, 4, 4, 6, 6, 10, 12, 14, 16, 20, 26, 66],
        [4, 4, 4, 4, 6, 8, 12, 16, 20, 26, 34, 42, 12],
        [4, 4, 4, 6, 6, 8, 10, 14, 18, 26, 32, 42, 18],
        [4, 4, 4, 6, 8, 10, 12, 14, 18, 24, 32, 44, 12],
        low,
        low,
        low,
        [8, 8, 8, 12, 16, 20, 24, 28, 36, 2, 2, 2, 26],
    ]
};

/// How a granule is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BlockKind {
    Long,
    Short,
    /// The lowest bands are long.
    Mixed,
}

/// The bands of a kind of granule at some rate.
#[derive(Debug)]
pub(crate) struct Layout {
    /// The line after each band, in the order of the stream.
    ends: [u16; MAX_BANDS],
    pub(crate) num_bands: usize,
    /// The first bands, of long blocks.
    pub(crate) num_long: usize,
    /// The subbands of long blocks.
    pub(crate) num_long_subbands: usize,
    /// The place of each line.
    pub(crate) places: [u16; GRANULE],
}

#[allow(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "made by the compiler")]
static LAYOUTS: [[Layout; 3]; 9] = {
    let mut layouts = [const { [Layout::NONE, Layout::NONE, Layout::NONE] }; 9];
    let mut row = 0;
    while row < layouts.len() {
        layouts[row] = [long(row), mixed(row, 0), mixed(row, if row < 3 { 8 } else { 6 })];
        row += 1;
    }
    layouts
};

impl Layout {
    const NONE: Self =
        Self { ends: [0; MAX_BANDS], num_bands: 0, num_long: 0, num_long_subbands: 0, places: [0; GRANULE] };

    /// The layout at the rate of a row, [`Header::rate_row`](crate::Header::rate_row).
    #[inline]
    #[expect(clippy::indexing_slicing, reason = "there are nine rates")]
    pub(crate) fn of(rate_row: usize, kind: BlockKind) -> &'static Self {
        &LAYOUTS[rate_row][kind as usize]
    }

    /// The first line of a band; beyond the last one, the number of lines.
    #[inline]
    pub(crate) fn line(&self, band: usize) -> usize {
        match band.checked_sub(1) {
            None => 0,
            Some(before) => self.ends.get(before).map_or(GRANULE, |end| usize::from(*end)),
        }
    }

    /// The line after each band.
    #[inline]
    pub(crate) fn ends(&self) -> &[u16] {
        self.ends.get(..self.num_bands).unwrap_or_default()
    }
}

#[expect(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "checked by the compiler")]
const fn long(row: usize) -> Layout {
    let mut layout = Layout { num_bands: 22, num_long: 22, num_long_subbands: NUM_SUBBANDS, ..Layout::NONE };
    let (mut band, mut end) = (0, 0);
    while band < MAX_BANDS {
        if band < 22 {
            end += LONG_WIDTHS[row][band] as usize;
        }
        layout.ends[band] = end as u16;
        band += 1;
    }
    assert!(end == GRANULE);
    let mut line = 0;
    while line < GRANULE {
        layout.places[line] = (line % SUBBAND * NUM_SUBBANDS + line / SUBBAND) as u16;
        line += 1;
    }
    layout
}

/// Short blocks, or after `num_long` bands of long ones.
#[expect(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "checked by the compiler")]
const fn mixed(row: usize, num_long: usize) -> Layout {
    let mut layout = long(row);
    layout.num_long = num_long;
    let mut first = if num_long > 0 { layout.ends[num_long - 1] as usize } else { 0 };
    layout.num_long_subbands = first / SUBBAND;
    // The bands that the long ones replace: three of short blocks, whose lines are as many.
    let mut short = if num_long > 0 { 3 } else { 0 };
    let mut band = num_long;
    while short < 13 {
        let width = SHORT_WIDTHS[row][short] as usize;
        let mut window = 0;
        while window < 3 {
            let start = first + window * width;
            let mut number = 0;
            while number < width {
                let line = first + 3 * number + window;
                layout.places[start + number] = (line % SUBBAND * NUM_SUBBANDS + line / SUBBAND) as u16;
                number += 1;
            }
            layout.ends[band] = (start + width) as u16;
            band += 1;
            window += 1;
        }
        first += 3 * width;
        short += 1;
    }
    assert!(first == GRANULE);
    layout.num_bands = band;
    while band < MAX_BANDS {
        layout.ends[band] = GRANULE as u16;
        band += 1;
    }
    layout
}

#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn every_line_has_a_place() {
        for row in 0..9 {
            for kind in [BlockKind::Long, BlockKind::Short, BlockKind::Mixed] {
                let layout = Layout::of(row, kind);
                let mut places: Vec<usize> = layout.places.iter().map(|place| usize::from(*place)).collect();
                places.sort_unstable();
                assert!(places.into_iter().eq(0..GRANULE), "{row} {kind:?}");
                assert_eq!(layout.line(layout.num_bands), GRANULE);
                let long = layout.line(layout.num_long);
                assert_eq!(long, layout.num_long_subbands * SUBBAND, "{row} {kind:?}");
            }
        }
    }

    #[test]
    fn mixed_blocks_have_long_subbands() {
        // Two subbands, but four at 8 kHz, where bands are twice as wide.
        let found: Vec<usize> =
            (0..9).map(|row| Layout::of(row, BlockKind::Mixed).num_long_subbands).collect();
        assert_eq!(found, [2, 2, 2, 2, 2, 2, 2, 2, 4]);
    }
}
