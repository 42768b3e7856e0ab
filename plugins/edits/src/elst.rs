//! The entries of an edit list (ISO/IEC 14496-12, 8.6.6.2).

use crate::error::Error;

/// The bytes before the entries: the version, the flags, and the number of entries.
const HEADER_BYTES: usize = 8;

/// A part of the presentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edit {
    /// In ticks of the movie.
    pub duration: u64,
    /// Where the part begins, in ticks of the track; `None` for silence.
    pub media_time: Option<u64>,
    /// The rate at which it is played, in units of 1/65536.
    pub rate: i32,
}

/// The entries of an edit list.
#[derive(Clone, Debug)]
pub struct Edits<'a> {
    is_64_bit: bool,
    entries: std::slice::ChunksExact<'a, u8>,
    left: usize,
}

/// The entries in the payload of an `elst` box, which begins with its version.
///
/// # Errors
/// [`Error::Truncated`] when the box is shorter than its entries.
pub fn edits(elst: &[u8]) -> Result<Edits<'_>, Error> {
    let truncated = |num_entries, room| Error::Truncated { num_entries, room };
    let (header, entries) = elst.split_at_checked(HEADER_BYTES).ok_or_else(|| truncated(0, 0))?;
    let is_64_bit = header.first() != Some(&0);
    let num_entries = number(header.get(4..).unwrap_or_default());
    let entries = entries.chunks_exact(if is_64_bit { 20 } else { 12 });
    let room = entries.len();
    let left = usize::try_from(num_entries).ok().filter(|left| *left <= room);
    let left = left.ok_or_else(|| truncated(num_entries, room as u64))?;
    Ok(Edits { is_64_bit, entries, left })
}

impl Iterator for Edits<'_> {
    type Item = Edit;

    fn next(&mut self) -> Option<Edit> {
        self.left = self.left.checked_sub(1)?;
        let entry = self.entries.next()?;
        let (duration, rest) = entry.split_at_checked(if self.is_64_bit { 8 } else { 4 })?;
        let (media_time, rate) = rest.split_at_checked(if self.is_64_bit { 8 } else { 4 })?;
        Some(Edit {
            duration: number(duration),
            // Any negative time is taken for the -1 of silence.
            media_time: u64::try_from(signed(media_time)).ok(),
            rate: rate.first_chunk().map_or(0, |rate| i32::from_be_bytes(*rate)),
        })
    }
}

/// A big-endian number of at most eight bytes.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().take(8).fold(0, |value, byte| value << 8 | u64::from(*byte))
}

/// The same in two's complement, of four or eight bytes.
fn signed(bytes: &[u8]) -> i64 {
    let unused = 64 - 8 * u32::try_from(bytes.len().clamp(1, 8)).unwrap_or(8);
    number(bytes).cast_signed() << unused >> unused
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn entries_have_two_widths() {
        let short = [
            0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 1, 0, 0, 0, 0, 9, 0, 1, 0, 0, 0, 0, 0, 7, 255, 255, 255, 255, 0, 0,
            128, 0,
        ];
        let found: Vec<Edit> = edits(&short).unwrap().collect();
        let first = Edit { duration: 256, media_time: Some(9), rate: 65_536 };
        assert_eq!(found, [first, Edit { duration: 7, media_time: None, rate: 32_768 }]);
        let long = [
            &[1, 0, 0, 0, 0, 0, 0, 2][..],
            &(1_u64 << 40).to_be_bytes(),
            &(1_u64 << 33).to_be_bytes(),
            &[0, 1, 0, 0],
            &5_u64.to_be_bytes(),
            &u64::MAX.to_be_bytes(),
            &[255, 255, 0, 0],
        ]
        .concat();
        let found: Vec<Edit> = edits(&long).unwrap().collect();
        let first = Edit { duration: 1 << 40, media_time: Some(1 << 33), rate: 65_536 };
        assert_eq!(found, [first, Edit { duration: 5, media_time: None, rate: -65_536 }]);
    }

    #[test]
    fn truncated_lists_are_rejected() {
        assert_eq!(edits(&[0; 7]).unwrap_err(), Error::Truncated { num_entries: 0, room: 0 });
        let huge = [[0, 0, 0, 0, 255, 255, 255, 255].as_slice(), &[0; 30]].concat();
        assert_eq!(edits(&huge).unwrap_err(), Error::Truncated { num_entries: u32::MAX.into(), room: 2 });
        assert_eq!(edits(&[0; 8]).unwrap().count(), 0);
        // Bytes behind the entries are none of them.
        assert_eq!(edits(&[[0, 0, 0, 0, 0, 0, 0, 1].as_slice(), &[0; 30]].concat()).unwrap().count(), 1);
    }
}
