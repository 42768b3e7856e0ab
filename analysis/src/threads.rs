//! Parts of an input on several threads.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use mapwave_core::{Error, ReadControl, Result};
use mapwave_fork::together;

/// How many spans there are per thread, so that a slow thread delays the end only a little.
const SPANS_PER_THREAD: u64 = 4;

/// Divides `num_units` units into spans of consecutive units, each for one thread: neighbours in a span are decoded one after the
/// other, without a seek.
pub(crate) fn spans(num_units: u64, max_threads: usize) -> Vec<Range<u64>> {
    let wanted = match max_threads {
        0 | 1 => 1,
        threads => (threads as u64).saturating_mul(SPANS_PER_THREAD),
    };
    let step = num_units.div_ceil(wanted).max(1);
    let starts = (0..num_units.div_ceil(step)).map(|index| index * step);
    starts.map(|start| start..num_units.min(start + step)).collect()
}

/// The results of `work` for every item, in their order, on up to `control.max_threads` threads, the caller's among them.
///
/// `work` is given a function that says whether to end early. The first error ends all work.
pub(crate) fn each<I: Sync, T: Send>(
    items: &[I],
    control: &ReadControl<'_>,
    work: impl Fn(&I, &dyn Fn() -> bool) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let (next, stopped) = (AtomicUsize::new(0), AtomicBool::new(false));
    let run = |interrupted: &dyn Fn() -> bool| -> Result<Vec<(usize, T)>> {
        let ends = || {
            if !stopped.load(Ordering::Relaxed) && interrupted() {
                stopped.store(true, Ordering::Relaxed);
            }
            stopped.load(Ordering::Relaxed)
        };
        let mut done = Vec::new();
        loop {
            if ends() {
                return Err(Error::Interrupted);
            }
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else { return Ok(done) };
            let result = work(item, &ends).inspect_err(|_| stopped.store(true, Ordering::Relaxed))?;
            done.push((index, result));
        }
    };
    let num_threads = control.max_threads.min(items.len());
    let (mut results, is_interrupted) = together(num_threads, control.interrupted, &stopped, run);
    if is_interrupted {
        results.push(Err(Error::Interrupted));
    }
    // An error says more than the interruption of the threads that it ended.
    let (mut done, mut interruption) = (Vec::new(), None);
    for result in results {
        match result {
            Ok(some) => done.extend(some),
            Err(Error::Interrupted) => interruption = Some(Error::Interrupted),
            Err(error) => return Err(error),
        }
    }
    if let Some(error) = interruption {
        return Err(error);
    }
    done.sort_unstable_by_key(|(index, _)| *index);
    Ok(done.into_iter().map(|(_, result)| result).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::single_range_in_vec_init)]
mod tests {
    use mapwave_core::Parameter;

    use super::*;

    #[test]
    fn spans_are_consecutive_and_cover_all_units() {
        for (num_units, threads) in [(0, 2), (1, 2), (7, 2), (8, 2), (1000, 3), (5, 1)] {
            let spans = spans(num_units, threads);
            assert!(spans.len() <= 4 * threads, "{num_units} {threads}");
            assert_eq!(spans.iter().map(|span| span.end - span.start).sum::<u64>(), num_units);
            for (one, next) in spans.iter().zip(spans.iter().skip(1)) {
                assert_eq!(one.end, next.start);
            }
        }
        assert_eq!(spans(1000, 1), [0..1000]);
    }

    #[test]
    fn results_come_in_order_and_an_error_outranks_an_interruption() {
        let items: Vec<usize> = (0..100).collect();
        for max_threads in [1, 4] {
            let control = ReadControl { max_threads, interrupted: &|| false };
            let doubled = each(&items, &control, |item, _| Ok(2 * item)).unwrap();
            assert_eq!(doubled, (0..100).map(|item| 2 * item).collect::<Vec<_>>());
            let failed = each(&items, &control, |item, _| match item {
                40 => {
                    Err(Error::Argument { path: None, parameter: Parameter::Audio, what: "forty".to_owned() })
                }
                _ => Ok(()),
            });
            assert!(matches!(failed, Err(Error::Argument { .. })));
            let control = ReadControl { max_threads, interrupted: &|| true };
            assert!(matches!(each(&items, &control, |_, _| Ok(())), Err(Error::Interrupted)));
        }
    }
}
