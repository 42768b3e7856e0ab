//! The audio bytes of a file: the range that the container states, limited to the bytes in the file.

#![forbid(unsafe_code)]

use std::ops::Range;

/// Where the audio bytes are, and how many of the promised bytes are missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SoundData {
    /// Always inside the file.
    pub bytes: Range<u64>,
    /// Bytes promised beyond the end of the file.
    pub missing_bytes: u64,
}

impl SoundData {
    /// The `claimed` bytes from `start`, or everything up to the end of the file if the writer never knew the size.
    pub fn within(file_len: u64, start: u64, claimed: Option<u64>) -> Self {
        let start = start.min(file_len);
        let present = file_len.saturating_sub(start);
        let claimed = claimed.unwrap_or(present);
        let end = start.saturating_add(claimed.min(present));
        Self { bytes: start..end, missing_bytes: claimed.saturating_sub(present) }
    }

    /// The number of bytes present.
    pub fn num_bytes(&self) -> u64 {
        self.bytes.end.saturating_sub(self.bytes.start)
    }

    /// How many whole units of `bytes_per_piece` bytes (frames or packets) are present.
    pub fn num_whole(&self, bytes_per_piece: u64) -> u64 {
        self.num_bytes().checked_div(bytes_per_piece).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_beyond_the_file_is_cut_and_counted() {
        let data = SoundData::within(100, 44, Some(60));
        assert_eq!((data.bytes.clone(), data.missing_bytes), (44..100, 4));
        assert_eq!(data.num_whole(6), 9);
        let data = SoundData::within(100, 44, Some(u64::MAX));
        assert_eq!((data.bytes, data.missing_bytes), (44..100, u64::MAX - 56));
    }

    #[test]
    fn an_unknown_size_reaches_to_the_end_and_misses_nothing() {
        assert_eq!(SoundData::within(100, 44, None), SoundData { bytes: 44..100, missing_bytes: 0 });
        assert_eq!(SoundData::within(100, 300, None), SoundData { bytes: 100..100, missing_bytes: 0 });
    }

    #[test]
    fn a_size_of_zero_divides_nothing() {
        assert_eq!(SoundData::within(100, 0, None).num_whole(0), 0);
    }
}
