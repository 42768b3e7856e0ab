//! How one read is cut into blocks that several threads work on.

#![forbid(unsafe_code)]

use std::sync::OnceLock;

/// The output that a thread must have to itself to pay for its start (measured: 20 to 50 us), in bytes: less where the
/// input is copied from the page cache first, which is most of the work.
const MIN_BYTES_PER_THREAD: u64 = 7 << 19;
const MIN_COPIED_BYTES_PER_THREAD: u64 = 5 << 18;

/// The bytes, of input or output, whichever is more, that a thread works on at a time: what `pread` brings stays in the
/// second-level cache until it is converted.
const BLOCK_BYTES: u64 = 512 << 10;

/// The number of threads that a read with `num_bytes` of output is worth, at most `max`.
pub(crate) fn num_threads(num_bytes: u64, in_place: bool, max: usize) -> usize {
    let least = if in_place { MIN_BYTES_PER_THREAD } else { MIN_COPIED_BYTES_PER_THREAD };
    let worth = usize::try_from(num_bytes / least).unwrap_or(usize::MAX);
    worth.clamp(1, max.max(1))
}

/// The number of frames in a block, given the larger of a frame's sizes in the file and in the array.
pub(crate) fn frames_per_block(bytes_per_frame: u64) -> u64 {
    match BLOCK_BYTES / bytes_per_frame.max(1) {
        0 => 1,
        // A multiple of 64, so that no two threads write to one cache line.
        num_frames => num_frames.next_multiple_of(64),
    }
}

/// The processors this process may use; asked for once, since the answer is read from several files.
pub fn num_processors() -> usize {
    static PROCESSORS: OnceLock<usize> = OnceLock::new();
    *PROCESSORS.get_or_init(|| std::thread::available_parallelism().map_or(1, Into::into))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_reads_stay_on_one_thread() {
        assert_eq!(num_threads(0, true, 8), 1);
        assert_eq!(num_threads(3_500_000, true, 8), 1);
        assert_eq!(num_threads(3_500_000, false, 8), 2);
        assert_eq!(num_threads(8_000_000, true, 8), 2);
        assert_eq!(num_threads(u64::MAX, true, 8), 8);
        assert_eq!(num_threads(u64::MAX, false, 0), 1);
    }

    #[test]
    fn blocks_end_on_cache_lines() {
        for bytes_per_frame in [1, 2, 3, 8, 12, 1000, 1 << 19] {
            assert_eq!(frames_per_block(bytes_per_frame) % 64, 0);
        }
        assert_eq!(frames_per_block(1 << 30), 1);
        assert_eq!(frames_per_block(8), 1 << 16);
    }
}
