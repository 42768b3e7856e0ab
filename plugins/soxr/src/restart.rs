//! Where in a signal a resampler may start and still give the same frames, bit for bit.
//!
//! libsoxr is a chain of stages. A stage that filters by Fourier transforms works in blocks of a fixed number of input frames;
//! the last bits of its output depend on where a block begins. A stage that filters sample by sample repeats its phases after
//! a fixed number of frames. A resampler that starts at frame S continues like one that started at frame 0 if every block and
//! every phase of the latter begins at S. That is so at the multiples of one number, the grid.
//!
//! libsoxr does not report the grid, but it can be observed: when input comes one frame at a time, output comes in bursts,
//! whenever the blocks of all stages are complete. If a burst comes D input frames after the first and exactly
//! D * output_rate / input_rate output frames lie between the two, then all stages are in the same state again, and D is the
//! grid. Noise then confirms it.
//!
//! The first output after a start at S differs, because the frames before S are missing. A block is right again once all of its
//! frames come from after S. The first burst comes after as many frames as a block of every stage and half of every filter
//! take; at most one more block begins before S, and a burst is no longer than one. So three times the distance of the first
//! burst is enough for linear-phase filters, and all of these have linear phase.

#![forbid(unsafe_code)]

use mapwave_plugin::fork::Lock;
use mapwave_plugin::{Restart, Result};

use crate::sys::{Conversion, Engine};

/// The greatest useful grid in frames: starting at frame 0 takes no longer than that.
const MAX_GRID_FRAMES: u64 = 1 << 20;

/// The greatest ratio of rates that is searched: audio has no greater ones.
const MAX_RATIO: u32 = 32;

/// How far into the noise the second comparison starts, if the grid is smaller.
const FAR_FRAMES: u64 = 1 << 19;

/// The bursts that are observed one frame at a time, before the distance between bursts is known.
const NUM_FIRST: usize = 16;

/// The bursts after the grid that must repeat the first ones.
const NUM_SAME: usize = 8;

/// The most answers that are remembered.
const MAX_KNOWN: usize = 256;

/// The answers so far.
static KNOWN: Lock<Vec<(Conversion, Option<Restart>)>> = Lock::new();

/// Where a resampler may start; `None` if only at the start of the signal.
pub(crate) fn find(conversion: Conversion) -> Result<Option<Restart>> {
    if let Some((_, restart)) = KNOWN.lock().iter().find(|(other, _)| *other == conversion) {
        return Ok(*restart);
    }
    let restart = search(conversion)?;
    let mut known = KNOWN.lock();
    if known.len() < MAX_KNOWN {
        known.push((conversion, restart));
    }
    Ok(restart)
}

fn search(conversion: Conversion) -> Result<Option<Restart>> {
    let Conversion { input_rate, output_rate, .. } = conversion;
    if input_rate.max(output_rate) / input_rate.min(output_rate) > MAX_RATIO {
        return Ok(None);
    }
    let Some((grid_frames, preroll_frames)) = observe(conversion)? else { return Ok(None) };
    // At most as many output as input frames.
    let far = FAR_FRAMES / u64::from(output_rate.div_ceil(input_rate));
    let far = grid_frames.saturating_mul((far / grid_frames).max(1));
    let mut starts = vec![grid_frames, far];
    starts.dedup();
    let is_same = same_from(conversion, &starts, preroll_frames)?;
    Ok(is_same.then_some(Restart { grid_frames, preroll_frames }))
}

/// The position after a burst, in input and output frames.
#[derive(Clone, Copy, Debug)]
struct Burst {
    num_in: u64,
    num_out: u64,
}

impl Burst {
    /// Whether the input and output frames since `first` have exactly the ratio of the rates.
    fn is_whole_after(self, first: Self, conversion: Conversion) -> bool {
        let num_in = u128::from(self.num_in - first.num_in) * u128::from(conversion.output_rate);
        num_in == u128::from(self.num_out - first.num_out) * u128::from(conversion.input_rate)
    }

    /// The distance from another position.
    fn behind(self, other: Self) -> (u64, u64) {
        (self.num_in - other.num_in, self.num_out - other.num_out)
    }
}

/// The most frames that are fetched at a time.
const ROOM: usize = 1 << 16;

/// A resampler that gets silence and whose bursts are observed.
struct Watch {
    engine: Engine<f32, f64>,
    silence: Vec<f32>,
    output: [Vec<f64>; 1],
    position: Burst,
}

impl Watch {
    fn new(conversion: Conversion) -> Result<Self> {
        let engine = Engine::new(conversion, 1)?;
        let position = Burst { num_in: 0, num_out: 0 };
        Ok(Self { engine, silence: vec![0.0; ROOM], output: [vec![0.0; ROOM]], position })
    }

    /// Passes frames of silence in, and returns how many came out.
    fn give(&mut self, num_frames: usize) -> Result<u64> {
        let mut frames = self.silence.get(..num_frames).unwrap_or(&self.silence);
        self.position.num_in += frames.len() as u64;
        let mut num_new = 0;
        loop {
            let num_written = self.engine.process(&[frames], &mut self.output, ROOM)?;
            (num_new, frames) = (num_new + num_written as u64, &[]);
            if num_written < ROOM {
                self.position.num_out += num_new;
                return Ok(num_new);
            }
        }
    }

    /// Passes in `num_silent` frames, which are expected to cause no burst, then one after the other until a burst comes. `None`
    /// when the burst comes early, or too late to be useful.
    fn next(&mut self, num_silent: usize) -> Result<Option<Burst>> {
        if num_silent > 0 && self.give(num_silent)? > 0 {
            return Ok(None);
        }
        while self.give(1)? == 0 {
            if self.position.num_in > MAX_GRID_FRAMES + MAX_GRID_FRAMES / 4 {
                return Ok(None);
            }
        }
        Ok(Some(self.position))
    }
}

/// Observes the bursts; returns the grid, and the number of frames before the output is the same.
fn observe(conversion: Conversion) -> Result<Option<(u64, u64)>> {
    let mut watch = Watch::new(conversion)?;
    let Some(first) = watch.next(0)? else { return Ok(None) };
    let mut bursts = vec![first];
    let (mut least, mut most) = (u64::MAX, first.num_in); // between two bursts; before the first counts for `most`
    let mut whole: Option<usize> = None; // the burst that completes the grid
    loop {
        // Most of the way to the next burst at once, the rest frame by frame.
        let num_silent = if bursts.len() > NUM_FIRST { least / 8 * 7 } else { 0 };
        let num_silent = usize::try_from(num_silent).unwrap_or(ROOM).min(ROOM);
        let Some(burst) = watch.next(num_silent)? else { return Ok(None) };
        let last = bursts.last().copied().unwrap_or(first);
        least = least.min(burst.num_in - last.num_in);
        most = most.max(burst.num_in - last.num_in);
        bursts.push(burst);
        if let Some(index) = whole {
            let num_same = bursts.len() - 1 - index;
            let (Some(again), Some(early)) = (bursts.get(index), bursts.get(num_same)) else {
                return Ok(None);
            };
            if early.behind(first) != burst.behind(*again) {
                return Ok(None);
            }
            if num_same == NUM_SAME {
                return Ok(Some((again.num_in - first.num_in, 3 * most)));
            }
        } else if burst.num_in - first.num_in > MAX_GRID_FRAMES {
            return Ok(None);
        } else if burst.is_whole_after(first, conversion) {
            whole = Some(bursts.len() - 1);
        }
    }
}

/// Whether resamplers that start at `starts` give the same output, in double precision, as one that starts at frame 0, from
/// `preroll_frames` on.
fn same_from(conversion: Conversion, starts: &[u64], preroll_frames: u64) -> Result<bool> {
    let scaled = |frames: u64| {
        let frames = u128::from(frames) * u128::from(conversion.output_rate);
        u64::try_from(frames.div_ceil(conversion.input_rate.into())).unwrap_or(u64::MAX)
    };
    let last = starts.iter().copied().max().unwrap_or(0);
    // Half of these frames differ, half must be the same.
    let length = 2 * preroll_frames;
    let whole = resampled(
        conversion,
        0,
        last + length,
        starts.iter().map(|start| scaled(*start)).min().unwrap_or(0),
    )?;
    for start in starts {
        let part = resampled(conversion, *start, length, scaled(preroll_frames))?;
        let first = scaled(*start) + scaled(preroll_frames) - whole.0;
        let same = usize::try_from(first).ok().and_then(|first| whole.1.get(first..));
        let same = same.and_then(|same| same.get(..part.1.len()));
        let bits = |samples: &[f64]| samples.iter().map(|sample| sample.to_bits()).collect::<Vec<u64>>();
        if part.1.is_empty() || same.is_none_or(|same| bits(same) != bits(&part.1)) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The output for `num_frames` frames of noise from `start` on, from output frame `first` on, as far as it has come out.
fn resampled(conversion: Conversion, start: u64, num_frames: u64, first: u64) -> Result<(u64, Vec<f64>)> {
    const BLOCK: u64 = 1 << 14;
    let mut engine = Engine::<f32, f64>::new(conversion, 1)?;
    let mut output = [vec![0.0; 1 << 15]];
    let (mut samples, mut num_out) = (Vec::new(), 0u64);
    let end = start + num_frames;
    let mut position = start;
    while position < end {
        let next = position.saturating_add(BLOCK).min(end);
        let mut block: Vec<f32> = (position..next).map(noise).collect();
        position = next;
        loop {
            let num_frames = engine.process(&[&block], &mut output, 1 << 15)?;
            block.clear();
            let skipped = usize::try_from(first.saturating_sub(num_out)).unwrap_or(usize::MAX);
            let new = output.iter().flat_map(|channel| channel.get(..num_frames).unwrap_or_default());
            samples.extend(new.skip(skipped));
            num_out += num_frames as u64;
            if num_frames < 1 << 15 {
                break;
            }
        }
    }
    Ok((first, samples))
}

/// White noise below full scale, a function of the frame: Splitmix64.
fn noise(frame: u64) -> f32 {
    let number = frame.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let bits = i16::try_from((number >> 33) & 0x7fff).unwrap_or(0);
    f32::from(bits) / 16_384.0 - 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(input_rate: u32, output_rate: u32, recipe: u32) -> Option<(u64, u64)> {
        let restart = search(Conversion { input_rate, output_rate, recipe }).ok().flatten();
        restart.map(|restart| (restart.grid_frames, restart.preroll_frames))
    }

    /// The grids that follow from libsoxr's filters on x86-64, whose lengths it prints when SOXR_TRACE is set: a stage with a
    /// filter of n taps and transforms of length d has blocks of d - n + 1 frames at its inner rate.
    #[test]
    #[cfg(target_arch = "x86_64")]
    fn distances_are_common_multiples_of_all_blocks_and_phases() {
        // One filter of 761 taps, d = 4096, and 160 phases in 441 frames: lcm(3336, 441).
        assert_eq!(found(44_100, 16_000, 6).map(|(grid, _)| grid), Some(490_392));
        // 797 taps, d = 4096, every third frame: lcm(3300, 3).
        assert_eq!(found(48_000, 16_000, 6).map(|(grid, _)| grid), Some(3300));
        // 581 taps, d = 2048, every third frame: lcm(1468, 3).
        assert_eq!(found(48_000, 16_000, 4).map(|(grid, _)| grid), Some(4404));
        // 553 taps, d = 2048, at twice the rate: blocks of 748 frames; 160 in 147.
        assert_eq!(found(44_100, 48_000, 6).map(|(grid, _)| grid), Some(109_956));
        // 825 taps, d = 4096, 3 to 2; then 145 taps, d = 1024, 1 to 4: 3272 frames make 4908, and those are taken by 220.
        assert_eq!(found(8000, 48_000, 6).map(|(grid, _)| grid), Some(179_960));
        // 9 phases in 8 frames; then 553 taps, d = 2048, every other frame: 16 to 9, in blocks of 1496 * 8 / 9 frames.
        assert_eq!(found(48_000, 27_000, 6).map(|(grid, _)| grid), Some(11_968));
    }

    #[test]
    fn rates_with_a_large_common_multiple_start_at_the_start_only() {
        for recipe in [0, 1, 2, 4, 6] {
            assert_eq!(found(44_100, 44_099, recipe), None, "recipe {recipe}");
            assert_eq!(found(1, 768_000, recipe), None, "recipe {recipe}");
        }
    }

    #[test]
    fn a_wrong_grid_is_detected() {
        let conversion = Conversion { input_rate: 48_000, output_rate: 16_000, recipe: 6 };
        assert!(same_from(conversion, &[3300], 11_094).is_ok_and(|is_same| is_same));
        // The phases of the output agree, but the blocks do not.
        assert!(same_from(conversion, &[3303], 11_094).is_ok_and(|is_same| !is_same));
        // The blocks agree, but the first is incomplete.
        assert!(same_from(conversion, &[3300], 300).is_ok_and(|is_same| !is_same));
    }
}
