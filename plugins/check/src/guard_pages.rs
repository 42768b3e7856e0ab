//! Guard pages: read-only bytes next to an inaccessible page, and an explanation for a fault in either.

#![allow(unsafe_code)] // pages, and a signal handler

use std::ffi::{c_int, c_void};
use std::os::fd::{AsRawFd, OwnedFd};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};

use crate::verdict::{Finding, Outcome};

/// The maximum number of guarded areas in which a fault is looked up.
const MAX_GUARDED: usize = 64;

/// The addresses of guarded bytes and of the map around them.
struct Guarded {
    start: AtomicUsize,
    bytes: AtomicUsize,
    num_bytes: AtomicUsize,
    end: AtomicUsize,
}

impl Guarded {
    const fn none() -> Self {
        Self {
            start: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            num_bytes: AtomicUsize::new(0),
            end: AtomicUsize::new(0),
        }
    }
}

static GUARDED: [Guarded; MAX_GUARDED] = [const { Guarded::none() }; MAX_GUARDED];

/// The descriptor to which the signal handler writes the explanation.
static RECORD: AtomicI32 = AtomicI32::new(-1);

/// The end of the bytes at which a guard page stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The byte after the last is inaccessible.
    End,
    /// The byte before the first is inaccessible.
    Start,
}

/// Read-only bytes between two inaccessible pages.
pub struct GuardedBytes {
    map: *mut u8,
    map_bytes: usize,
    data: *const u8,
    num_bytes: usize,
    slot: Option<usize>,
}

// SAFETY: the bytes are constant.
unsafe impl Send for GuardedBytes {}
// SAFETY: as above.
unsafe impl Sync for GuardedBytes {}

impl GuardedBytes {
    /// Copies `bytes` between guard pages.
    pub fn new(bytes: &[u8], side: Side) -> Outcome<Self> {
        let page = page_bytes();
        let inside = bytes.len().next_multiple_of(page).max(page);
        let map_bytes = inside + 2 * page;
        // SAFETY: a fresh private map at an address of the system's choice.
        let map = unsafe {
            libc::mmap(null_mut(), map_bytes, libc::PROT_NONE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0)
        };
        if map == libc::MAP_FAILED {
            return Err(Finding::skipped(format!(
                "not enough memory for {map_bytes} bytes between guard pages"
            )));
        }
        let map: *mut u8 = map.cast();
        let offset = match side {
            Side::Start => 0,
            Side::End => inside - bytes.len(),
        };
        let mut guarded = Self {
            map,
            map_bytes,
            data: map.wrapping_add(page + offset),
            num_bytes: bytes.len(),
            slot: None,
        };
        guarded.protect(page, inside, libc::PROT_READ | libc::PROT_WRITE)?;
        // SAFETY: the place lies inside the pages that became writable, which nobody else knows of; the source is elsewhere.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), guarded.data.cast_mut(), bytes.len()) };
        guarded.protect(page, inside, libc::PROT_READ)?;
        guarded.register();
        Ok(guarded)
    }

    fn protect(&self, offset: usize, num_bytes: usize, protection: c_int) -> Outcome {
        // SAFETY: whole pages of the map that this value holds.
        let result = unsafe { libc::mprotect(self.map.wrapping_add(offset).cast(), num_bytes, protection) };
        if result == 0 { Ok(()) } else { Err(Finding::skipped("pages cannot be protected on this system")) }
    }

    fn register(&mut self) {
        let start = self.map.addr();
        for (slot, map) in GUARDED.iter().enumerate() {
            if map.start.compare_exchange(0, start, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
                map.bytes.store(self.data.addr(), Ordering::Relaxed);
                map.num_bytes.store(self.num_bytes, Ordering::Relaxed);
                map.end.store(start + self.map_bytes, Ordering::Relaxed);
                self.slot = Some(slot);
                return;
            }
        }
    }

    /// The first byte.
    pub fn data(&self) -> *const u8 {
        self.data
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: the bytes lie inside the map, were written by `new` and can only be read since.
        unsafe { std::slice::from_raw_parts(self.data, self.num_bytes) }
    }
}

impl Drop for GuardedBytes {
    fn drop(&mut self) {
        if let Some(map) = self.slot.and_then(|slot| GUARDED.get(slot)) {
            map.end.store(0, Ordering::Relaxed);
            map.start.store(0, Ordering::Relaxed);
        }
        // SAFETY: the map is this value's own.
        unsafe { libc::munmap(self.map.cast(), self.map_bytes) };
    }
}

fn page_bytes() -> usize {
    // SAFETY: a constant of the system is asked for.
    usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(1 << 14)
}

/// Installs a handler that explains a fault in guarded bytes in `record` before the process ends.
pub fn record_faults(record: OwnedFd) {
    RECORD.store(record.as_raw_fd(), Ordering::Relaxed);
    std::mem::forget(record); // for as long as the process lives
    for signal in [libc::SIGSEGV, libc::SIGBUS] {
        // SAFETY: all zeros is a valid `sigaction`: no flags, an empty mask.
        let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
        let handler: extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) = on_fault;
        action.sa_sigaction = handler as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        // SAFETY: the handler does only what a signal handler may: atomics, `write`, `signal` and `raise`.
        unsafe { libc::sigaction(signal, &raw const action, null_mut()) };
    }
}

extern "C" fn on_fault(signal: c_int, info: *mut libc::siginfo_t, _context: *mut c_void) {
    // SAFETY: the system passes a valid `siginfo_t` to a handler with SA_SIGINFO.
    let info = unsafe { &*info };
    // SAFETY: both signals carry an address.
    let address = unsafe { info.si_addr() }.addr();
    let what = explain(address);
    if !what.is_empty() {
        // SAFETY: a descriptor that is never closed, and a constant string.
        unsafe { libc::write(RECORD.load(Ordering::Relaxed), what.as_ptr().cast(), what.len()) };
    }
    // SAFETY: the default action is legal for both signals.
    unsafe { libc::signal(signal, libc::SIG_DFL) };
    // The signal is blocked until the handler returns, then ends the process, even if it was only raised.
    // SAFETY: raising a signal is legal in a handler.
    unsafe { libc::raise(signal) };
}

/// Explains an address in the map of guarded bytes.
fn explain(address: usize) -> &'static str {
    for map in &GUARDED {
        let (start, end) = (map.start.load(Ordering::Relaxed), map.end.load(Ordering::Relaxed));
        if !(start..end).contains(&address) {
            continue;
        }
        let bytes = map.bytes.load(Ordering::Relaxed);
        return if address < bytes {
            "it accessed memory before the first byte of its input"
        } else if address < bytes + map.num_bytes.load(Ordering::Relaxed) {
            "it wrote to its input, which is read-only"
        } else {
            "it accessed memory past the last byte of its input"
        };
    }
    ""
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_explained() {
        let bytes = [7u8; 100];
        for side in [Side::End, Side::Start] {
            let guarded = GuardedBytes::new(&bytes, side).unwrap();
            assert_eq!(guarded.bytes(), bytes);
            let first = guarded.data().addr();
            assert!(explain(first).contains("wrote"));
            assert!(explain(first + 99).contains("wrote"));
            assert!(explain(first + 100).contains("past"));
            assert!(explain(first - 1).contains("before"));
            drop(guarded);
        }
        assert_eq!(explain(1), "");
        assert!(GuardedBytes::new(&[], Side::End).unwrap().bytes().is_empty());
    }
}
