//! Boxes, which QuickTime calls atoms: a size, a type and a payload (ISO/IEC 14496-12, 4.2).

#![forbid(unsafe_code)]

use mapwave_plugin::{Error, Result};

use crate::bytes::Bytes;

/// Four letters that name a box.
pub(crate) type Kind = [u8; 4];

/// Boxes and their fields.
impl<'a> Bytes<'a> {
    /// The version and the flags that begin a full box (ISO/IEC 14496-12, 4.2.2).
    pub(crate) fn version_and_flags(&mut self) -> Result<(u8, u32)> {
        let [version, high, middle, low] = self.array()?;
        Ok((version, u32::from_be_bytes([0, high, middle, low])))
    }

    /// The number of entries of a known size that follow, at most as many as fit into the box.
    ///
    /// # Errors
    /// When a box is shorter than its entries.
    pub(crate) fn entries(&mut self, bytes_per_entry: usize) -> Result<u32> {
        let at = self.offset();
        let count = self.u32()?;
        let room = self.rest().len() / bytes_per_entry.max(1);
        if u64::from(count) > room as u64 {
            return Err(Error::bad_data(
                at,
                format!("a table has {count} entries, but room for only {room}"),
            ));
        }
        Ok(count)
    }

    /// The boxes in these bytes.
    pub(crate) fn boxes(self) -> Boxes<'a> {
        Boxes { bytes: self }
    }

    /// The first box of a kind among those in these bytes.
    pub(crate) fn find(self, kind: Kind) -> Option<Self> {
        self.boxes().find(|found| found.kind == kind).map(|found| found.payload)
    }

    /// The box at the end of a path of kinds.
    pub(crate) fn find_path(self, path: &[Kind]) -> Option<Self> {
        path.iter().try_fold(self, |bytes, kind| bytes.find(*kind))
    }
}

/// A box.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Atom<'a> {
    pub(crate) kind: Kind,
    /// Where its header begins.
    pub(crate) offset: u64,
    pub(crate) payload: Bytes<'a>,
    /// Whether all of it is within the surrounding bytes.
    pub(crate) is_whole: bool,
}

/// Consecutive boxes, up to the first invalid one.
#[derive(Clone, Debug)]
pub(crate) struct Boxes<'a> {
    bytes: Bytes<'a>,
}

impl<'a> Iterator for Boxes<'a> {
    type Item = Atom<'a>;

    fn next(&mut self) -> Option<Atom<'a>> {
        let offset = self.bytes.offset();
        let size = self.bytes.u32().ok()?;
        let kind = self.bytes.array().ok()?;
        let payload_bytes = match size {
            0 => self.bytes.rest().len() as u64, // to the end
            1 => self.bytes.u64().ok()?.checked_sub(16)?,
            _ => u64::from(size).checked_sub(8)?,
        };
        let left = self.bytes.rest().len();
        let taken = usize::try_from(payload_bytes).unwrap_or(usize::MAX).min(left);
        let payload = self.bytes.take(taken).ok()?;
        Some(Atom { kind, offset, payload, is_whole: taken as u64 == payload_bytes })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short_long_or_to_the_end() {
        let mut bytes = b"\0\0\0\x0aabcdxy\0\0\0\x01long".to_vec();
        bytes.extend(18u64.to_be_bytes());
        bytes.extend(b"zz\0\0\0\0lasttail");
        let boxes: Vec<_> = Bytes::new(&bytes).boxes().collect();
        let found: Vec<_> = boxes.iter().map(|found| (found.kind, found.payload.rest())).collect();
        assert_eq!(found, [(*b"abcd", &b"xy"[..]), (*b"long", b"zz"), (*b"last", b"tail")]);
        assert_eq!((boxes[1].offset, boxes[1].payload.offset()), (10, 26));
    }

    #[test]
    fn a_box_behind_the_end_is_cut_and_nonsense_ends_them() {
        let cut: Vec<_> = Bytes::new(b"\0\0\x01\0mdatabc").boxes().collect();
        assert_eq!((cut.len(), cut[0].is_whole, cut[0].payload.rest()), (1, false, &b"abc"[..]));
        assert_eq!(Bytes::new(b"\0\0\0\x07evil").boxes().count(), 0);
        assert_eq!(Bytes::new(b"\0\0\0\x01evil\0\0\0\0\0\0\0\x0f").boxes().count(), 0);
        assert_eq!(Bytes::new(b"\0\0").boxes().count(), 0);
    }

    #[test]
    fn a_table_has_no_more_entries_than_room() {
        assert_eq!(Bytes::new(b"\0\0\0\x02aabb").entries(2).unwrap(), 2);
        assert!(Bytes::new(b"\xff\xff\xff\xffaabb").entries(2).is_err());
    }
}
