//! Scale factor bands: where each begins (ISO/IEC 14496-3, tables 4.129 to 4.147).

#![forbid(unsafe_code)]

/// The lower ends of the sampling rates that share tables (table 4.82).
const LOWEST_RATES: [u32; 12] =
    [92_017, 75_132, 55_426, 46_009, 37_566, 27_713, 23_004, 18_783, 13_856, 11_502, 9_391, 0];

const LONG_96: &[u16] = &[
    0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 64, 72, 80, 88, 96, 108, 120, 132, 144, 156,
    172, 188, 212, 240, 276, 320, 384, 448, 512, 576, 640, 704, 768, 832, 896, 960, 1024,
];
const LONG_64: &[u16] = &[
    0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 64, 72, 80, 88, 100, 112, 124, 140, 156, 172,
    192, 216, 240, 268, 304, 344, 384, 424, 464, 504, 544, 584, 624, 664, 704, 744, 784, 824, 864, 904, 944,
    984, 1024,
];
const LONG_48: &[u16] = &[
    0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 48, 56, 64, 72, 80, 88, 96, 108, 120, 132, 144, 160, 176, 196,
    216, 240, 264, 292, 320, 352, 384, 416, 448, 480, 512, 544, 576, 608, 640, 672, 704, 736, 768, 800, 832,
    864, 896, 928, 1024,
];
const LONG_32: &[u16] = &[
    0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 48, 56, 64, 72, 80, 88, 96, 108, 120, 132, 144, 160, 176, 196,
    216, 240, 264, 292, 320, 352, 384, 416, 448, 480, 512, 544, 576, 608, 640, 672, 704, 736, 768, 800, 832,
    864, 896, 928, 960, 992, 1024,
];
const LONG_24: &[u16] = &[
    0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 52, 60, 68, 76, 84, 92, 100, 108, 116, 124, 136, 148, 160,
    172, 188, 204, 220, 240, 260, 284, 308, 336, 364, 396, 432, 468, 508, 552, 600, 652, 704, 768, 832, 896,
    960, 1024,
];
const LONG_16: &[u16] = &[
    0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88, 100, 112, 124, 136, 148, 160, 172, 184, 196, 212, 228, 244,
    260, 280, 300, 320, 344, 368, 396, 424, 456, 492, 532, 572, 616, 664, 716, 772, 832, 896, 960, 1024,
];
const LONG_8: &[u16] = &[
    0, 12, 24, 36, 48, 60, 72, 84, 96, 108, 120, 132, 144, 156, 172, 188, 204, 220, 236, 252, 268, 288, 308,
    328, 348, 372, 396, 420, 448, 476, 508, 544, 580, 620, 664, 712, 764, 820, 880, 944, 1024,
];
const SHORT_64: &[u16] = &[0, 4, 8, 12, 16, 20, 24, 32, 40, 48, 64, 92, 128];
const SHORT_48: &[u16] = &[0, 4, 8, 12, 16, 20, 28, 36, 44, 56, 68, 80, 96, 112, 128];
const SHORT_24: &[u16] = &[0, 4, 8, 12, 16, 20, 24, 28, 36, 44, 52, 64, 76, 92, 108, 128];
const SHORT_16: &[u16] = &[0, 4, 8, 12, 16, 20, 24, 28, 32, 40, 48, 60, 72, 88, 108, 128];
const SHORT_8: &[u16] = &[0, 4, 8, 12, 16, 20, 24, 28, 36, 44, 52, 60, 72, 88, 108, 128];

const LONG: [&[u16]; 12] = [
    LONG_96, LONG_96, LONG_64, LONG_48, LONG_48, LONG_32, LONG_24, LONG_24, LONG_16, LONG_16, LONG_16, LONG_8,
];
const SHORT: [&[u16]; 12] = [
    SHORT_64, SHORT_64, SHORT_64, SHORT_48, SHORT_48, SHORT_48, SHORT_24, SHORT_24, SHORT_16, SHORT_16,
    SHORT_16, SHORT_8,
];

/// TNS_MAX_BANDS of Low Complexity (table 4.156): the bands that temporal noise shaping reaches.
const MAX_TNS_LONG: [u8; 12] = [31, 31, 34, 40, 42, 51, 46, 46, 42, 42, 42, 39];
const MAX_TNS_SHORT: [u8; 12] = [9, 9, 10, 14, 14, 14, 14, 14, 14, 14, 14, 14];

/// The bands of a window.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bands {
    /// The first line of each band, then the number of lines of the window.
    starts: [u16; 64],
    /// The number of bands.
    pub(crate) count: usize,
    /// The bands that temporal noise shaping reaches.
    pub(crate) max_tns: usize,
}

impl Bands {
    /// The first line of a band, or the number of lines.
    #[inline(always)]
    pub(crate) fn start(&self, band: usize) -> usize {
        self.starts.get(band.min(self.count)).map_or(0, |start| usize::from(*start))
    }

    /// Windows of 15/16 of the usual number of lines have those bands that begin in them (tables 4.130 and so on).
    fn new(starts: &[u16], num_lines: u16, max_tns: u8) -> Self {
        let mut bands = Self { starts: [num_lines; 64], count: 0, max_tns: max_tns.into() };
        for (to, start) in bands.starts.iter_mut().zip(starts.iter().filter(|start| **start < num_lines)) {
            *to = *start;
            bands.count += 1;
        }
        bands
    }
}

/// The bands of long and of short windows of packets of `num_frames` frames, 960 or 1024.
pub(crate) fn of_rate(sample_rate: u32, num_frames: u16) -> [Bands; 2] {
    let row = LOWEST_RATES.iter().position(|lowest| sample_rate >= *lowest).unwrap_or(11);
    let (long, short) = (LONG.get(row).copied(), SHORT.get(row).copied());
    let max_tns = [MAX_TNS_LONG, MAX_TNS_SHORT].map(|table| table.get(row).copied().unwrap_or(0));
    [
        Bands::new(long.unwrap_or_default(), num_frames, max_tns[0]),
        Bands::new(short.unwrap_or_default(), num_frames / 8, max_tns[1]),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_are_whole_quads_that_fill_the_window() {
        for rate in
            [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000]
        {
            for (num_frames, expected) in [(1024, [0; 2]), (960, [0; 2])] {
                for (bands, num_lines) in of_rate(rate, num_frames).iter().zip([num_frames, num_frames / 8]) {
                    let starts: Vec<usize> = (0..=bands.count).map(|band| bands.start(band)).collect();
                    assert!(
                        starts.is_sorted_by(|one, two| one < two)
                            && starts.iter().all(|start| start % 4 == 0)
                    );
                    assert_eq!((starts.first(), starts.last()), (Some(&0), Some(&usize::from(num_lines))));
                }
                let _ = expected;
            }
        }
        let counts = |rate, num_frames| of_rate(rate, num_frames).map(|bands| bands.count);
        // Tables 4.129 and 4.130, num_swb_long_window and num_swb_short_window
        assert_eq!([counts(96_000, 1024), counts(96_000, 960)], [[41, 12], [40, 12]]);
        assert_eq!([counts(48_000, 1024), counts(48_000, 960)], [[49, 14], [49, 14]]);
        assert_eq!([counts(32_000, 1024), counts(32_000, 960)], [[51, 14], [49, 14]]);
        assert_eq!([counts(24_000, 1024), counts(24_000, 960)], [[47, 15], [46, 15]]);
        assert_eq!([counts(16_000, 1024), counts(16_000, 960)], [[43, 15], [42, 15]]);
        assert_eq!([counts(8_000, 1024), counts(7_350, 960)], [[40, 15], [40, 15]]);
    }
}
