//! What the levels of effort try.

#![forbid(unsafe_code)]

use crate::predictor::window::Window;

/// What an encoder tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Frames in a block.
    pub(crate) block_size: usize,
    pub(crate) stereo: StereoSearch,
    /// The highest order of a linear predictor; 0 for fixed ones alone.
    pub(crate) max_linear_order: usize,
    /// The highest order of a partitioning of residuals.
    pub(crate) max_partition_order: u32,
    /// For each of these a linear predictor is found.
    pub(crate) windows: &'static [Window],
}

/// How it is decided which of left, right, mid and side are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StereoSearch {
    /// Always left and right.
    None,
    /// By the residuals of a fixed predictor.
    Estimate,
    /// By coding all four.
    Full,
}

const WHOLE: &[Window] = &[Window { part: 0, num_parts: 1 }];

const HALVES: &[Window] =
    &[Window { part: 0, num_parts: 1 }, Window { part: 0, num_parts: 2 }, Window { part: 1, num_parts: 2 }];

const THIRDS: &[Window] = &[
    Window { part: 0, num_parts: 1 },
    Window { part: 0, num_parts: 2 },
    Window { part: 1, num_parts: 2 },
    Window { part: 0, num_parts: 3 },
    Window { part: 1, num_parts: 3 },
    Window { part: 2, num_parts: 3 },
];

/// The level that is taken when nothing is asked for.
const DEFAULT_LEVEL: usize = 5;

/// The levels 0 to 8, which try about what those of the `flac` command do.
const LEVELS: [Settings; 9] = [
    Settings::new(1152, StereoSearch::None, 0, 3, &[]),
    Settings::new(1152, StereoSearch::Estimate, 0, 3, &[]),
    Settings::new(1152, StereoSearch::Full, 0, 3, &[]),
    Settings::new(4096, StereoSearch::None, 6, 4, WHOLE),
    Settings::new(4096, StereoSearch::Estimate, 8, 4, WHOLE),
    Settings::new(4096, StereoSearch::Full, 8, 5, WHOLE),
    Settings::new(4096, StereoSearch::Full, 8, 6, HALVES),
    Settings::new(4096, StereoSearch::Full, 12, 6, HALVES),
    Settings::new(4096, StereoSearch::Full, 12, 6, THIRDS),
];

impl Settings {
    const fn new(
        block_size: usize,
        stereo: StereoSearch,
        max_linear_order: usize,
        max_partition_order: u32,
        windows: &'static [Window],
    ) -> Self {
        Self { block_size, stereo, max_linear_order, max_partition_order, windows }
    }

    /// What an effort of 1 to 100 tries: a ninth of the range is a level.
    pub(crate) fn of_effort(effort: Option<u32>) -> Self {
        let level = effort.map_or(DEFAULT_LEVEL, |effort| (effort.saturating_sub(1) * 9 / 100) as usize);
        let [.., best] = LEVELS;
        LEVELS.get(level).copied().unwrap_or(best)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn efforts_are_levels() {
        let level = |effort| LEVELS.iter().position(|level| *level == Settings::of_effort(effort));
        let levels =
            [None, Some(1), Some(12), Some(13), Some(50), Some(56), Some(57), Some(89), Some(90), Some(100)]
                .map(|effort| level(effort).unwrap_or(99));
        assert_eq!(levels, [5, 0, 0, 1, 4, 4, 5, 7, 8, 8]);
    }
}
