//! The allocator of every test: it counts the memory of each thread, so that a test can limit what a file allocates.

#![allow(unsafe_code)] // a global allocator

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// What reading a file may allocate beyond a multiple of its size.
pub const SLACK: u64 = 1 << 20;

/// The system's allocator, counting.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

thread_local! {
    static HELD: Cell<i64> = const { Cell::new(0) };
    static PEAK: Cell<i64> = const { Cell::new(0) };
}

/// Counts for this thread only, so that parallel tests do not affect each other.
fn count(num_bytes: i64) {
    // An ending thread no longer has counters, and nothing measures it.
    let _ = HELD.try_with(|held| {
        held.set(held.get() + num_bytes);
        let _ = PEAK.try_with(|peak| peak.set(peak.get().max(held.get())));
    });
}

// SAFETY: every call goes to the system's allocator unchanged, and counting neither allocates nor unwinds: its cells are
// initialised at compile time and have no destructors.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as i64);
        // SAFETY: the caller's promises are the system allocator's conditions.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as i64);
        // SAFETY: as in `alloc`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count(-(layout.size() as i64));
        // SAFETY: as in `alloc`.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count(new_size as i64 - layout.size() as i64);
        // SAFETY: as in `alloc`.
        unsafe { System.realloc(memory, layout, new_size) }
    }
}

/// Calls `work`; returns its result and the peak of the bytes that this thread allocated during the call.
pub fn peak_of<T>(work: impl FnOnce() -> T) -> (T, u64) {
    let before = HELD.get();
    PEAK.set(before);
    let result = work();
    (result, u64::try_from(PEAK.get() - before).unwrap_or(0))
}

/// The limit for opening, rejecting or reading a file: twice its size, its output, and a megabyte.
pub fn limit(file_bytes: u64, output_bytes: u64) -> u64 {
    2 * file_bytes + output_bytes + SLACK
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_what_was_held_at_once() {
        let (_, peak) = peak_of(|| {
            drop(vec![1u8; 1000]);
            vec![1u8; 3000]
        });
        assert!((3000..4000).contains(&peak), "{peak}");
    }
}
