//! EBML elements (RFC 8794): an identifier, a size, and bytes.

#![forbid(unsafe_code)]

use std::ops::Range;

/// An element's header and the position of its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Element {
    /// The identifier with its marker bits, as specifications write it.
    pub(crate) id: u32,
    /// Where the data begins.
    pub(crate) start: usize,
    /// Where it ends according to the header, which may be beyond the file; `None` if the writer did not know.
    pub(crate) end: Option<usize>,
}

impl Element {
    /// The header at `position`; `None` if it is invalid or extends beyond `limit`.
    pub(crate) fn read(bytes: &[u8], position: usize, limit: usize) -> Option<Self> {
        let bytes = bytes.get(..limit)?;
        let (id, num_id_bytes) = identifier(bytes.get(position..)?)?;
        let size_position = position.checked_add(num_id_bytes)?;
        let size = VarInt::read(bytes.get(size_position..)?)?;
        let start = size_position.checked_add(size.num_bytes)?;
        let end = match size.is_unknown() {
            true => None,
            false => Some(usize::try_from(size.value).ok().and_then(|size| start.checked_add(size))?),
        };
        Some(Self { id, start, end })
    }
}

/// A complete element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Child<'a> {
    pub(crate) id: u32,
    /// Where its data begins.
    pub(crate) start: usize,
    pub(crate) data: &'a [u8],
}

/// The consecutive elements in a range, up to the first incomplete one.
#[derive(Clone, Debug)]
pub(crate) struct Elements<'a> {
    bytes: &'a [u8],
    range: Range<usize>,
}

impl<'a> Elements<'a> {
    pub(crate) fn new(bytes: &'a [u8], range: Range<usize>) -> Self {
        Self { bytes, range }
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Child<'a>;

    fn next(&mut self) -> Option<Child<'a>> {
        let Element { id, start, end } = Element::read(self.bytes, self.range.start, self.range.end)?;
        let end = end.filter(|end| *end <= self.range.end)?;
        self.range.start = end;
        Some(Child { id, start, data: self.bytes.get(start..end)? })
    }
}

/// An identifier of up to four bytes and their number (RFC 8794, section 5).
fn identifier(bytes: &[u8]) -> Option<(u32, usize)> {
    let num_bytes = usize::try_from(bytes.first()?.leading_zeros()).ok()?.checked_add(1)?;
    let id = bytes.get(..num_bytes).filter(|_| num_bytes <= 4)?;
    Some((id.iter().fold(0, |id, byte| id << 8 | u32::from(*byte)), num_bytes))
}

/// A number of up to eight bytes, whose leading zeros count them (RFC 8794, section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct VarInt {
    pub(crate) value: u64,
    pub(crate) num_bytes: usize,
}

impl VarInt {
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let first = *bytes.first().filter(|first| **first != 0)?;
        let num_bytes = usize::try_from(first.leading_zeros()).ok()?.checked_add(1)?;
        let value = bytes.get(..num_bytes)?.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
        Some(Self { value: value & Self::most(num_bytes), num_bytes })
    }

    /// All bits set means that the size is unknown (RFC 8794, section 6.2).
    fn is_unknown(self) -> bool {
        self.value == Self::most(self.num_bytes)
    }

    /// The number as a signed difference, as in lacing (RFC 9559, section 10.3.3).
    pub(crate) fn signed(self) -> i64 {
        let zero = Self::most(self.num_bytes) >> 1;
        self.value.cast_signed() - zero.cast_signed()
    }

    fn most(num_bytes: usize) -> u64 {
        u64::MAX >> (64 - 7 * num_bytes.clamp(1, 8))
    }
}

/// An unsigned integer of up to eight bytes; empty is 0.
pub(crate) fn unsigned(data: &[u8]) -> u64 {
    data.iter().take(8).fold(0, |value, byte| value << 8 | u64::from(*byte))
}

/// A signed integer of up to eight bytes; empty is 0.
pub(crate) fn signed(data: &[u8]) -> i64 {
    let value = unsigned(data).cast_signed();
    match data.len() {
        num_bytes @ 1..8 => value << (64 - 8 * num_bytes) >> (64 - 8 * num_bytes),
        _ => value,
    }
}

/// A float of four or eight bytes; empty is 0.
pub(crate) fn float(data: &[u8]) -> f64 {
    match data.len() {
        4 => data.first_chunk().map_or(0.0, |bytes| f32::from_be_bytes(*bytes).into()),
        8 => data.first_chunk().map_or(0.0, |bytes| f64::from_be_bytes(*bytes)),
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_width() {
        let read = |bytes: &[u8]| VarInt::read(bytes).map(|number| (number.value, number.num_bytes));
        assert_eq!(read(&[0x82]), Some((2, 1)));
        assert_eq!(read(&[0x40, 0x02]), Some((2, 2)));
        assert_eq!(read(&[0x01, 0, 0, 0, 0, 0, 1, 0]), Some((256, 8)));
        assert_eq!([read(&[0]), read(&[]), read(&[0x40])], [None; 3]);
        assert!(VarInt::read(&[0xff]).is_some_and(VarInt::is_unknown));
        assert!(VarInt::read(&[0x01, 255, 255, 255, 255, 255, 255, 255]).is_some_and(VarInt::is_unknown));
        // RFC 9559, section 10.3.3: 0x5fd3 is -44 less than the size before, one byte is -63 to 63.
        assert_eq!(VarInt::read(&[0x5f, 0xd3]).map(VarInt::signed), Some(-44));
        assert_eq!(
            [0x80, 0xbf, 0xfe].map(|byte| VarInt::read(&[byte]).map(VarInt::signed)),
            [-63, 0, 63].map(Some)
        );
    }

    #[test]
    fn values() {
        assert_eq!((unsigned(&[]), unsigned(&[1, 0]), unsigned(&[255; 9])), (0, 256, u64::MAX));
        assert_eq!((signed(&[255]), signed(&[127, 255]), signed(&[255; 8]), signed(&[])), (-1, 32767, -1, 0));
        assert_eq!((float(&44100_f32.to_be_bytes()), float(&0.5_f64.to_be_bytes())), (44100.0, 0.5));
        assert_eq!(float(&[1, 2, 3]).to_bits(), 0);
    }

    #[test]
    fn elements_side_by_side() {
        let bytes = [0x1a, 0x45, 0xdf, 0xa3, 0x81, 7, 0xec, 0x80, 0xa3, 0x85, 1];
        let found: Vec<_> = Elements::new(&bytes, 0..bytes.len()).collect();
        let first = Child { id: 0x1a45_dfa3, start: 5, data: &[7] };
        assert_eq!(found, [first, Child { id: 0xec, start: 8, data: &[] }]);
        let cut = Element::read(&bytes, 8, bytes.len());
        assert_eq!(cut, Some(Element { id: 0xa3, start: 10, end: Some(15) }));
        let open = [0x18, 0x53, 0x80, 0x67, 0xff];
        assert_eq!(Element::read(&open, 0, 5), Some(Element { id: 0x1853_8067, start: 5, end: None }));
        assert_eq!(Element::read(&[0x01, 0, 0, 0, 0, 0x80], 0, 6), None, "an identifier of 8 bytes");
        assert_eq!(Element::read(&open, 0, 4), None);
    }
}
