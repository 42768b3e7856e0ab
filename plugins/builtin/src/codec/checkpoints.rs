//! Where decoding can go on in the middle of a stream whose packets depend on all before, such as HE-AAC.
//!
//! Snapshots of a decoder are kept at multiples of a number of packets. When there are too many, every second one is dropped, and the
//! number is doubled. So their memory is bounded, and a seek decodes at most a certain part of the stream, once all was decoded.

#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::sync::Arc;

use mapwave_plugin::fork::Lock;

/// The distance of snapshots at first, in packets.
pub(crate) const SPACING: u64 = 32;

/// The most snapshots.
const MAX_KEPT: usize = 64;

/// The snapshots of a stream, which all its decoders share.
pub(crate) struct Checkpoints<S> {
    kept: Lock<Kept<S>>,
}

struct Kept<S> {
    spacing: u64,
    snapshots: BTreeMap<u64, Arc<S>>,
}

/// Also where a fork interrupts one that holds the lock.
impl<S> Default for Kept<S> {
    fn default() -> Self {
        Self { spacing: SPACING, snapshots: BTreeMap::new() }
    }
}

impl<S> Default for Checkpoints<S> {
    fn default() -> Self {
        Self { kept: Lock::with(Kept::default()) }
    }
}

impl<S> Checkpoints<S> {
    /// The last snapshot that was taken before one of the packets from a number down, and the number of that packet.
    pub(crate) fn before(&self, number: u64) -> Option<(u64, Arc<S>)> {
        let kept = self.kept.lock();
        kept.snapshots.range(..=number).next_back().map(|(place, snapshot)| (*place, Arc::clone(snapshot)))
    }

    /// Keeps a snapshot that is taken before the packet of that number, if one belongs there and is missing.
    pub(crate) fn offer(&self, number: u64, take: impl FnOnce() -> S) {
        let mut kept = self.kept.lock();
        if number == 0 || !number.is_multiple_of(kept.spacing) || kept.snapshots.contains_key(&number) {
            return;
        }
        kept.snapshots.insert(number, Arc::new(take()));
        if kept.snapshots.len() > MAX_KEPT {
            let spacing = 2 * kept.spacing;
            kept.spacing = spacing;
            kept.snapshots.retain(|place, _| place.is_multiple_of(spacing));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_snapshot_is_found_and_their_number_is_bounded() {
        let checkpoints = Checkpoints::default();
        assert!(checkpoints.before(1000).is_none());
        for number in 0..100_000 {
            checkpoints.offer(number, || number);
            let found = checkpoints.before(number).map(|(place, snapshot)| (place, *snapshot));
            assert!(found.is_none_or(|(place, snapshot)| place == snapshot && place <= number));
            let kept = checkpoints.kept.lock();
            assert!(kept.snapshots.len() <= MAX_KEPT);
            assert!(number < SPACING || found.is_some_and(|(place, _)| number - place < 2 * kept.spacing));
        }
        assert_eq!(checkpoints.before(31).map(|(place, _)| place), None);
    }
}
