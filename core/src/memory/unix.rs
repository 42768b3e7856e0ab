//! Memory of a POSIX system.

#![allow(unsafe_code)] // advice on pages, and a question to the system

use std::mem::MaybeUninit;

use memmap2::MmapMut;

pub(crate) fn page_size() -> usize {
    rustix::param::page_size()
}

pub(crate) fn physical_memory() -> Option<u64> {
    // SAFETY: the function takes a number and returns one.
    let num_pages = unsafe { libc::sysconf(libc::_SC_PHYS_PAGES) };
    let num_pages = u64::try_from(num_pages).ok().filter(|num_pages| *num_pages > 0)?;
    num_pages.checked_mul(rustix::param::page_size() as u64)
}

#[cfg(target_os = "linux")]
pub(crate) fn prefer_huge(map: &MmapMut) {
    let _ = map.advise(memmap2::Advice::HugePage);
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn prefer_huge(_: &MmapMut) {}

#[cfg(target_os = "linux")]
pub(crate) fn prefer_huge_within(memory: &mut [MaybeUninit<u8>], huge_page: usize) {
    let std::ops::Range { start, end } = memory.as_mut_ptr_range();
    let first = start.wrapping_add(start.align_offset(huge_page));
    let length = end.addr().saturating_sub(first.addr()) / huge_page * huge_page;
    if length > 0 {
        // SAFETY: the range lies inside `memory`, and the advice changes the size of its pages, not what is in them.
        let _ = unsafe { rustix::mm::madvise(first.cast(), length, rustix::mm::Advice::LinuxHugepage) };
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn prefer_huge_within(_: &mut [MaybeUninit<u8>], _huge_page: usize) {}

#[cfg(target_os = "linux")]
pub(crate) fn without_contents(map: MmapMut) -> Option<MmapMut> {
    // SAFETY: the map is this function's own, so that nobody needs what is in it, and whoever gets it next takes it for
    // uninitialised (`Buffer`).
    unsafe { map.unchecked_advise(memmap2::UncheckedAdvice::Free) }.ok()?;
    Some(map)
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn without_contents(_: MmapMut) -> Option<MmapMut> {
    None
}
