//! From the energies of hops to loudness: gated blocks (ITU-R BS.1770-5, annex 1) and the loudness range (EBU Tech 3342).

/// Hops of 100 ms in a block of 400 ms, the "momentary" loudness.
const BLOCK_HOPS: usize = 4;

/// Hops in 3 s, the "short-term" loudness.
const SHORT_TERM_HOPS: usize = 30;

/// What no measurement counts as sound, in LUFS.
const ABSOLUTE_GATE: f64 = -70.0;

/// How far below the mean the gate of the integrated loudness lies, in LU.
const RELATIVE_GATE: f64 = -10.0;

/// How far below the mean the gate of the loudness range lies, in LU.
const RANGE_GATE: f64 = -20.0;

/// The loudness of a mean square in LUFS, with the offset that makes a 997 Hz sine at full scale in one channel -3.01 LUFS.
fn loudness_of(mean_square: f64) -> f64 {
    10.0 * mean_square.log10() - 0.691
}

fn mean_square_of(loudness: f64) -> f64 {
    10_f64.powf((loudness + 0.691) / 10.0)
}

/// The mean squares of all windows of `num_hops` hops.
fn windows(hops: &[f64], num_hops: usize, hop_frames: usize) -> impl Iterator<Item = f64> {
    let num_frames = (num_hops * hop_frames) as f64;
    hops.windows(num_hops).map(move |window| window.iter().sum::<f64>() / num_frames)
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    if count > 0.0 { sum / count } else { 0.0 }
}

/// The loudest window in LUFS.
fn loudest(hops: &[f64], num_hops: usize, hop_frames: usize) -> f64 {
    loudness_of(windows(hops, num_hops, hop_frames).fold(0.0, f64::max))
}

/// The integrated loudness and its relative gate.
pub(super) struct Integrated {
    pub(super) loudness: f64,
    pub(super) gate: f64,
}

/// The loudness range, from the 10th to the 95th percentile.
pub(super) struct Range {
    pub(super) low: f64,
    pub(super) high: f64,
}

pub(super) fn integrated(hops: &[f64], hop_frames: usize) -> Integrated {
    let blocks = || windows(hops, BLOCK_HOPS, hop_frames);
    let absolute = mean_square_of(ABSOLUTE_GATE);
    let ungated = mean(blocks().filter(|block| *block > absolute));
    let gate = ungated * 10_f64.powf(RELATIVE_GATE / 10.0);
    let gated = mean(blocks().filter(|block| *block > absolute.max(gate)));
    Integrated { loudness: loudness_of(gated), gate: loudness_of(gate) }
}

/// The loudness range. `None` if no window of 3 s is louder than the gates.
pub(super) fn range(hops: &[f64], hop_frames: usize) -> Option<Range> {
    let absolute = mean_square_of(ABSOLUTE_GATE);
    let mut loud: Vec<f64> =
        windows(hops, SHORT_TERM_HOPS, hop_frames).filter(|window| *window > absolute).collect();
    let gate = mean(loud.iter().copied()) * 10_f64.powf(RANGE_GATE / 10.0);
    loud.retain(|window| *window > gate);
    loud.sort_unstable_by(f64::total_cmp);
    // The nearest of them, as EBU Tech 3342 does it.
    let percentile = |percent: usize| {
        let place = ((loud.len().checked_sub(1)?) * percent + 50) / 100;
        loud.get(place).map(|window| loudness_of(*window))
    };
    Some(Range { low: percentile(10)?, high: percentile(95)? })
}

pub(super) fn max_momentary(hops: &[f64], hop_frames: usize) -> f64 {
    loudest(hops, BLOCK_HOPS, hop_frames)
}

pub(super) fn max_short_term(hops: &[f64], hop_frames: usize) -> f64 {
    loudest(hops, SHORT_TERM_HOPS, hop_frames)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Hops of one frame with the loudness of each.
    fn hops(parts: &[(f64, usize)]) -> Vec<f64> {
        let part = |(loudness, count): &(f64, usize)| vec![mean_square_of(*loudness); *count];
        parts.iter().flat_map(part).collect()
    }

    #[test]
    fn quiet_parts_are_gated() {
        let loudness = |parts: &[(f64, usize)]| integrated(&hops(parts), 1).loudness;
        assert!((loudness(&[(-23.0, 100)]) + 23.0).abs() < 1e-9);
        // The absolute gate leaves out -80, the relative one -40; the blocks across the borders count, diluted.
        assert!((loudness(&[(-80.0, 1000), (-23.0, 1000)]) + 23.0).abs() < 0.02);
        assert!((loudness(&[(-40.0, 1000), (-23.0, 1000)]) + 23.0).abs() < 0.02);
        assert!(loudness(&[(-30.0, 1000), (-23.0, 1000)]) < -24.0, "within 10 LU of the mean");
        assert_eq!(loudness(&[(-75.0, 1000)]), f64::NEG_INFINITY);
        assert_eq!(loudness(&[(-23.0, 3)]), f64::NEG_INFINITY, "no block of 400 ms");
    }

    #[test]
    fn the_range_leaves_out_the_extremes() {
        let found = range(&hops(&[(-20.0, 1000), (-30.0, 1000)]), 1).unwrap();
        assert!((found.high - found.low - 10.0).abs() < 1e-6);
        let found = range(&hops(&[(-50.0, 1000), (-20.0, 1000), (-30.0, 1000)]), 1).unwrap();
        assert!((found.high - found.low - 10.0).abs() < 1e-6, "what is 20 LU below the mean is left out");
        assert!(range(&hops(&[(-20.0, 29)]), 1).is_none());
    }
}
