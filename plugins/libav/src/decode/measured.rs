//! The frames of a stream's packets, which it took decoding all of them to count, as bytes for the next time.

#![forbid(unsafe_code)]

/// The tag of the bytes.
const TAG: &[u8; 8] = b"libav  1";

/// The bytes of a run: how many packets have how many frames each.
const RUN_BYTES: usize = 8;

/// The frames of each packet, as runs of packets that have as many.
pub(super) fn save(counts: &[u32]) -> Vec<u8> {
    let mut bytes = TAG.to_vec();
    for run in counts.chunk_by(|one, next| one == next) {
        let num_packets = u32::try_from(run.len()).unwrap_or(u32::MAX);
        bytes.extend_from_slice(&num_packets.to_le_bytes());
        bytes.extend_from_slice(&run.first().copied().unwrap_or(0).to_le_bytes());
    }
    bytes
}

/// The frames of each of `num_packets` packets; `None` if the bytes are not of so many.
pub(super) fn load(bytes: &[u8], num_packets: usize) -> Option<Vec<u32>> {
    let (runs, []) = bytes.strip_prefix(TAG)?.as_chunks::<RUN_BYTES>() else { return None };
    let mut counts = Vec::with_capacity(num_packets);
    for [a, b, c, d, rest @ ..] in runs {
        let length = usize::try_from(u32::from_le_bytes([*a, *b, *c, *d])).ok()?;
        if length > num_packets - counts.len() {
            return None;
        }
        counts.resize(counts.len() + length, u32::from_le_bytes(*rest));
    }
    (counts.len() == num_packets).then_some(counts)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn counts_come_back_or_are_refused() {
        for counts in [vec![], vec![7], [vec![0, 2048], vec![4096; 1000], vec![5]].concat()] {
            let bytes = save(&counts);
            assert_eq!(load(&bytes, counts.len()).unwrap(), counts);
            assert_eq!(load(&bytes, counts.len() + 1), None);
            assert!((0..bytes.len()).all(|length| load(&bytes[..length], counts.len()).is_none()));
        }
        assert_eq!(load(&[TAG.as_slice(), &[0xff; 8]].concat(), 3), None);
    }
}
