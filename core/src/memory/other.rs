//! Memory of Windows, as far as the standard library knows it.

#![forbid(unsafe_code)]

use std::mem::MaybeUninit;

use memmap2::MmapMut;

/// On every processor that Windows runs on today: x86, x64 and ARM64 (Microsoft, "SYSTEM_INFO").
pub(crate) fn page_size() -> usize {
    4096
}

/// The standard library has no question for it.
pub(crate) fn physical_memory() -> Option<u64> {
    None
}

/// Large pages need a privilege.
pub(crate) fn prefer_huge(_: &MmapMut) {}

/// As above.
pub(crate) fn prefer_huge_within(_: &mut [MaybeUninit<u8>], _huge_page: usize) {}

pub(crate) fn without_contents(_: MmapMut) -> Option<MmapMut> {
    None
}
