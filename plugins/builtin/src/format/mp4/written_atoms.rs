//! Boxes as they are written (ISO/IEC 14496-12, 4.2).

#![forbid(unsafe_code)]

use super::atoms::Kind;

/// A box.
pub(super) fn atom(kind: Kind, payload: &[u8]) -> Vec<u8> {
    let mut bytes = u32::try_from(payload.len() + 8).unwrap_or(u32::MAX).to_be_bytes().to_vec();
    bytes.extend(kind);
    bytes.extend(payload);
    bytes
}

/// A box with a version and flags.
pub(super) fn full(kind: Kind, version: u8, flags: u32, fields: &[&[u8]]) -> Vec<u8> {
    let head = (u32::from(version) << 24 | flags).to_be_bytes();
    atom(kind, &[&head[..], &fields.concat()].concat())
}
