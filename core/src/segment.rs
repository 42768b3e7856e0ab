//! Divides a read into pieces that several threads work on.

#![forbid(unsafe_code)]

use std::mem::MaybeUninit;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use mapwave_fork::{SetOnce, together};

use crate::error::{Error, Result};

/// The bytes of output that make starting a thread worthwhile (measured: 20 to 50 us). Fewer are enough if the input is copied
/// from the page cache first, which is most of the work.
const MIN_BYTES_PER_THREAD: u64 = 7 << 19;
const MIN_COPIED_BYTES_PER_THREAD: u64 = 5 << 18;

/// The bytes of input or output, whichever is more, that a thread processes at a time: the bytes that `pread` reads stay in the
/// second-level cache until they are converted.
const BLOCK_BYTES: u64 = 512 << 10;

/// The fewest frames that justify a separate decoder: 32768 frames take about 0.7 ms, starting a thread 50 us.
const MIN_SEGMENT_FRAMES: u64 = 1 << 15;

/// How many times longer than a seek a segment must take, so that seeking adds at most a twelfth.
const MIN_SEEKS_PER_SEGMENT: u64 = 12;

/// How many segments there are per thread, so that a slow or late thread delays the end only a little.
const SEGMENTS_PER_THREAD: u64 = 4;

/// The number of threads that pays off for a read of PCM with `num_bytes` of output, at most `max`.
pub(crate) fn num_threads(num_bytes: u64, in_place: bool, max: usize) -> usize {
    let least = if in_place { MIN_BYTES_PER_THREAD } else { MIN_COPIED_BYTES_PER_THREAD };
    let worth = usize::try_from(num_bytes / least).unwrap_or(usize::MAX);
    worth.clamp(1, max.max(1))
}

/// The number of frames per block, given the size of a frame in the file or in the array, whichever is larger.
pub(crate) fn frames_per_block(bytes_per_frame: u64) -> u64 {
    match BLOCK_BYTES / bytes_per_frame.max(1) {
        0 => 1,
        // A multiple of 64, so that no two threads write to the same cache line.
        num_frames => num_frames.next_multiple_of(64),
    }
}

/// Divides frames of a compressed stream into segments that are decoded independently: a single one for one thread or few
/// frames. With a grid, every segment starts at a multiple of it.
pub(crate) fn plan(
    frames: Range<u64>,
    seek_cost: u64,
    grid: Option<u64>,
    max_threads: usize,
) -> Vec<Range<u64>> {
    let num_frames = frames.end.saturating_sub(frames.start);
    let least = MIN_SEGMENT_FRAMES.max(seek_cost.saturating_mul(MIN_SEEKS_PER_SEGMENT));
    let wanted = match max_threads {
        0 | 1 => 1,
        threads => (threads as u64).saturating_mul(SEGMENTS_PER_THREAD),
    };
    // A range that is worth a segment of its own finishes sooner as two.
    let wanted = wanted.min((num_frames / least).max(if num_frames >= least { 2 } else { 1 }));
    let step = num_frames.div_ceil(wanted.max(1)).max(1);
    let mut cuts = vec![frames.start];
    for index in 1..wanted {
        let cut = frames.start.saturating_add(index.saturating_mul(step));
        let cut = grid.map_or(cut, |grid| cut.div_ceil(grid).saturating_mul(grid));
        if cut < frames.end && cuts.last().is_some_and(|&last| cut > last) {
            cuts.push(cut);
        }
    }
    let ends = cuts.iter().skip(1).copied().chain([frames.end]);
    cuts.iter().copied().zip(ends).map(|(start, end)| start..end).collect()
}

/// Frames and their place in the output: one slice of interleaved samples, or a slice per channel if planar.
pub(crate) struct Piece<'a> {
    pub(crate) frames: Range<u64>,
    pub(crate) planes: Vec<&'a mut [MaybeUninit<u8>]>,
}

/// Divides an output of `num_planes` planes at the ends of `ranges`, which are consecutive and fill it.
pub(crate) fn cut<'a>(
    out: &'a mut [MaybeUninit<u8>],
    num_planes: usize,
    bytes_per_frame: usize,
    ranges: impl IntoIterator<Item = Range<u64>>,
) -> Vec<Piece<'a>> {
    let plane_bytes = (out.len() / num_planes.max(1)).max(1);
    let mut rest: Vec<&mut [MaybeUninit<u8>]> = out.chunks_exact_mut(plane_bytes).collect();
    let mut take = |frames: Range<u64>| {
        let num_frames = usize::try_from(frames.end - frames.start).unwrap_or(usize::MAX);
        let num_bytes = num_frames.saturating_mul(bytes_per_frame);
        let planes = rest.iter_mut().map(|plane| {
            let length = num_bytes.min(plane.len());
            plane.split_off_mut(..length).unwrap_or_default()
        });
        Piece { planes: planes.collect(), frames }
    };
    ranges.into_iter().map(&mut take).collect()
}

/// Tells the work on a piece whether to end early.
pub(crate) struct Stop<'a> {
    stopped: &'a AtomicBool,
    interrupted: &'a dyn Fn() -> bool,
}

impl Stop<'_> {
    /// An error if the caller interrupted the read or another thread failed.
    pub(crate) fn check(&self) -> Result<()> {
        if self.stopped.load(Ordering::Relaxed) {
            return Err(Error::Interrupted);
        }
        if (self.interrupted)() {
            // The caller reports it only once.
            self.stopped.store(true, Ordering::Relaxed);
            return Err(Error::Interrupted);
        }
        Ok(())
    }
}

/// Processes all pieces with up to `num_threads` threads, including the caller's. `start` makes the state of each thread. The
/// first error ends all work.
pub(crate) fn work<'a, L>(
    pieces: Vec<Piece<'a>>,
    num_threads: usize,
    interrupted: &dyn Fn() -> bool,
    start: impl Fn() -> L + Sync,
    read: impl Fn(&mut L, Piece<'a>, &Stop<'_>) -> Result<()> + Sync,
) -> Result<()> {
    let num_threads = num_threads.min(pieces.len());
    let (queue, stopped) = (Mutex::new(pieces.into_iter()), AtomicBool::new(false));
    let run = |interrupted: &dyn Fn() -> bool| {
        let mut local = start();
        let stop = Stop { stopped: &stopped, interrupted };
        loop {
            stop.check()?;
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some(piece) = next else { return Ok(()) };
            read(&mut local, piece, &stop).inspect_err(|_| stopped.store(true, Ordering::Relaxed))?;
        }
    };
    if num_threads <= 1 {
        return run(interrupted);
    }
    let (results, is_interrupted) = together(num_threads, interrupted, &stopped, run);
    let interruption = if is_interrupted { Err(Error::Interrupted) } else { Ok(()) };
    results.into_iter().fold(interruption, graver)
}

/// The more informative of two results: an error takes precedence over an interruption.
fn graver(one: Result<()>, other: Result<()>) -> Result<()> {
    match (&one, &other) {
        (Ok(()), _) | (Err(Error::Interrupted), Err(_)) => other,
        _ => one,
    }
}

/// The number of processors that this process may use; determined once, since the system reads it from several files.
pub fn num_processors() -> usize {
    static PROCESSORS: SetOnce<usize> = SetOnce::new();
    *PROCESSORS.get_or_init(|| std::thread::available_parallelism().map_or(1, Into::into))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;
    use crate::error::Parameter;

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

    #[test]
    fn segments_fill_the_range_and_cuts_lie_on_the_grid() {
        for (frames, cost, grid, threads) in [
            (0..0, 0, None, 2),
            (5..6, 0, None, 8),
            (0..10_000_000, 0, None, 2),
            (123..8_590_123, 1152 * 10, None, 8),
            (100..8_590_123, 0, Some(32_768), 3),
            (0..40_000, 100, Some(1 << 40), 4),
            (u64::MAX - 10..u64::MAX, u64::MAX, Some(u64::MAX), 4),
        ] {
            let segments = plan(frames.clone(), cost, grid, threads);
            assert_eq!(segments.first().unwrap().start, frames.start);
            assert_eq!(segments.last().unwrap().end, frames.end);
            for (one, next) in segments.iter().zip(segments.iter().skip(1)) {
                assert_eq!(one.end, next.start);
                assert!(one.start < one.end);
                assert!(grid.is_none_or(|grid| next.start.is_multiple_of(grid)));
            }
            assert!(segments.len() <= 4 * threads);
        }
        assert_eq!(plan(0..1 << 20, 0, None, 1).len(), 1);
        assert_eq!(plan(0..1 << 20, 0, None, 2).len(), 8);
        assert_eq!(plan(0..1 << 20, 1 << 20, None, 2).len(), 1);
    }

    #[test]
    fn an_output_is_cut_plane_by_plane() {
        let mut out = [const { MaybeUninit::new(0) }; 2 * 10 * 4];
        let pieces = cut(&mut out, 2, 4, [0..3, 3..10]);
        let lengths: Vec<Vec<usize>> =
            pieces.iter().map(|piece| piece.planes.iter().map(|plane| plane.len()).collect()).collect();
        assert_eq!(lengths, [[12, 12], [28, 28]]);
    }

    #[test]
    fn an_error_of_any_thread_comes_out_and_an_interruption_stops_all() {
        let mut out = [const { MaybeUninit::new(0) }; 64];
        let pieces = || (0..64).map(|frame| frame..frame + 1);
        for num_threads in [1, 4] {
            let result = work(
                cut(&mut out, 1, 1, pieces()),
                num_threads,
                &|| false,
                || (),
                |(), piece, _| match piece.frames.start {
                    40 => Err(Error::argument(Parameter::Frames, "not 40", 40)),
                    _ => Ok(()),
                },
            );
            assert!(matches!(result, Err(Error::Argument { .. })));
            let result =
                work(cut(&mut out, 1, 1, pieces()), num_threads, &|| true, || (), |(), _, stop| stop.check());
            assert!(matches!(result, Err(Error::Interrupted)));
        }
    }

    #[test]
    fn the_caller_is_asked_while_it_waits_for_other_threads() {
        let mut out = [const { MaybeUninit::new(0) }; 2];
        let pieces = cut(&mut out, 1, 1, [0..1, 1..2]);
        let caller = std::thread::current().id();
        let (num_begun, num_asked) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let is_waiting = AtomicBool::new(false);
        let interrupted =
            || is_waiting.load(Ordering::Relaxed) && num_asked.fetch_add(1, Ordering::Relaxed) > 2;
        let result = work(
            pieces,
            2,
            &interrupted,
            || (),
            |(), _, stop| {
                // Each thread has a piece; the caller's finishes at once, the other's never.
                num_begun.fetch_add(1, Ordering::Relaxed);
                while num_begun.load(Ordering::Relaxed) < 2 {
                    std::thread::yield_now();
                }
                if std::thread::current().id() == caller {
                    is_waiting.store(true, Ordering::Relaxed);
                    return Ok(());
                }
                for _ in 0..10_000 {
                    stop.check()?;
                    std::thread::sleep(std::time::Duration::from_millis(1));
                }
                Ok(())
            },
        );
        assert!(matches!(result, Err(Error::Interrupted)), "{result:?}");
    }
}
