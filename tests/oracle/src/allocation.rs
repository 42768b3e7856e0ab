//! The memory that a program has allocated.

#![allow(unsafe_code)] // a global allocator

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering};

/// The system's allocator, which counts what all threads hold. A program declares it as its global allocator; otherwise nothing is
/// counted.
#[derive(Debug)]
pub struct Counted;

static HELD: AtomicU64 = AtomicU64::new(0);
static PEAK: AtomicU64 = AtomicU64::new(0);

fn add(num_bytes: usize) {
    let held = HELD.fetch_add(num_bytes as u64, Ordering::Relaxed) + num_bytes as u64;
    PEAK.fetch_max(held, Ordering::Relaxed);
}

fn subtract(num_bytes: usize) {
    HELD.fetch_sub(num_bytes as u64, Ordering::Relaxed);
}

impl Counted {
    /// Calls `work`; returns its result and the most bytes that the program held during the call, beyond those that it held before.
    pub fn peak_of<T>(work: impl FnOnce() -> T) -> (T, u64) {
        let before = HELD.load(Ordering::Relaxed);
        PEAK.store(before, Ordering::Relaxed);
        let result = work();
        (result, PEAK.load(Ordering::Relaxed).saturating_sub(before))
    }
}

// SAFETY: every call goes to the system's allocator unchanged, and counting neither allocates nor unwinds.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        // SAFETY: the caller's promises are the system allocator's conditions.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        // SAFETY: as in `alloc`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        subtract(layout.size());
        // SAFETY: as in `alloc`.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        add(new_size);
        subtract(layout.size());
        // SAFETY: as in `alloc`.
        unsafe { System.realloc(memory, layout, new_size) }
    }
}
