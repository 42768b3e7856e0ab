//! The boxes of MP4 (ISO/IEC 14496-12, section 4.2) in memory.

use crate::bytes::Bytes;

/// A box in memory: its type and its payload.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Atom<'a> {
    pub(crate) kind: [u8; 4],
    pub(crate) payload: &'a [u8],
    /// Where its payload begins and ends in the bytes that were walked.
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// Where its header begins.
    pub(crate) header: usize,
}

/// The boxes in `bytes`, up to one that does not fit.
pub(crate) fn atoms(bytes: &[u8]) -> impl Iterator<Item = Atom<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let header = at;
        let rest = bytes.get(at..)?;
        let mut cursor = Bytes(rest);
        let (size, kind) = (cursor.u32_be()?, cursor.array()?);
        let (header_bytes, num_bytes) = match size {
            0 => (8, rest.len()),
            1 => (16, usize::try_from(cursor.u64_be()?).ok()?),
            size => (8, size as usize),
        };
        let payload = rest.get(header_bytes..num_bytes)?;
        at += num_bytes;
        Some(Atom { kind, payload, start: header + header_bytes, end: header + num_bytes, header })
    })
}

/// The payload of the first box of a type.
pub(crate) fn find<'a>(bytes: &'a [u8], kind: &[u8; 4]) -> Option<&'a [u8]> {
    atoms(bytes).find(|atom| &atom.kind == kind).map(|atom| atom.payload)
}

/// The payload of a box at a path.
pub(crate) fn at<'a>(bytes: &'a [u8], path: &[&[u8; 4]]) -> Option<&'a [u8]> {
    path.iter().try_fold(bytes, |bytes, kind| find(bytes, kind))
}

/// A box.
pub(crate) fn atom(kind: &[u8; 4], payload: &[u8]) -> Vec<u8> {
    let size = crate::bytes::saturated(payload.len() + 8);
    [size.to_be_bytes().as_slice(), kind, payload].concat()
}
