//! What each compression level searches.

#![forbid(unsafe_code)]

use crate::encode::predictor::window::Window;

/// What an encoder searches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Level {
    /// Frames in a block.
    pub(crate) block_size: usize,
    pub(crate) stereo: StereoSearch,
    /// The highest order of a linear predictor; 0 for fixed predictors alone.
    pub(crate) max_linear_order: usize,
    /// The highest order of a partitioning of residuals, see `rice`.
    pub(crate) max_partition_order: u32,
    /// A linear predictor is computed under each of these windows.
    pub(crate) windows: &'static [Window],
}

/// How to choose which two of left, right, mid and side are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StereoSearch {
    /// Always left and right.
    None,
    /// From the residuals of a fixed predictor.
    Estimate,
    /// From the sizes of all four.
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

/// The levels 0 to 8, which search about as hard as those of the `flac` command.
const LEVELS: [Level; 9] = [
    Level::new(1152, StereoSearch::None, 0, 3, &[]),
    Level::new(1152, StereoSearch::Estimate, 0, 3, &[]),
    Level::new(1152, StereoSearch::Full, 0, 3, &[]),
    Level::new(4096, StereoSearch::None, 6, 4, WHOLE),
    Level::new(4096, StereoSearch::Estimate, 8, 4, WHOLE),
    Level::new(4096, StereoSearch::Full, 8, 5, WHOLE),
    Level::new(4096, StereoSearch::Full, 8, 6, HALVES),
    Level::new(4096, StereoSearch::Full, 12, 6, HALVES),
    Level::new(4096, StereoSearch::Full, 12, 6, THIRDS),
];

impl Level {
    const fn new(
        block_size: usize,
        stereo: StereoSearch,
        max_linear_order: usize,
        max_partition_order: u32,
        windows: &'static [Window],
    ) -> Self {
        Self { block_size, stereo, max_linear_order, max_partition_order, windows }
    }

    /// What a level of 0 to 8 searches; `None` for a higher one.
    pub(crate) fn numbered(level: u32) -> Option<Self> {
        LEVELS.get(level as usize).copied()
    }
}

#[cfg(test)]
impl Default for Level {
    fn default() -> Self {
        let [.., five, _, _, _] = LEVELS;
        five
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::limits::MAX_LEVEL;

    #[test]
    fn every_level_has_a_number() {
        assert_eq!(Level::numbered(MAX_LEVEL), LEVELS.last().copied());
        assert_eq!(Level::numbered(MAX_LEVEL + 1), None);
        assert_eq!(Level::numbered(5), Some(Level::default()));
    }
}
