//! Memory of which only parts are accessible, and the states of its blocks: what the handler of faults waits by.

#![allow(unsafe_code)] // mmap and mprotect, and what a signal handler may do

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::fd::{AsRawFd, OwnedFd};
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};

use mapwave_fork::{Lock, generation};

use crate::files;

/// The states of a block.
const ABSENT: u32 = 0;
/// A thread waits for it, or the pager has begun to fetch it.
const WANTED: u32 = 1;
const PRESENT: u32 = 2;
/// It is on its way to be absent.
const LEAVING: u32 = 3;

/// The memory, which the pager shares.
#[derive(Debug)]
pub(in crate::source) struct Pages {
    /// The address of the first byte.
    start: usize,
    /// The unit of fetching: a page of the system, since its protection is that of a whole page.
    block_bytes: usize,
    /// The bytes of the file, and those of the map, which are whole blocks.
    num_bytes: usize,
    num_mapped: usize,
    /// What is behind the memory.
    backing: File,
    states: Box<[AtomicU32]>,
    /// The pipe to the pager, whose end ends it.
    requests: OwnedFd,
    generation: u32,
    num_present: AtomicUsize,
    has_failed: AtomicBool,
    failure: Lock<Option<Arc<io::Error>>>,
}

impl Pages {
    /// The memory of a file of `num_bytes` bytes, none of which is there; blocks are asked for through `requests`. `None` if the
    /// system refuses.
    pub(in crate::source) fn new(num_bytes: usize, requests: OwnedFd) -> Option<Self> {
        let block_bytes = rustix::param::page_size();
        let num_mapped = num_bytes.checked_next_multiple_of(block_bytes)?;
        let backing = backing_file().ok()?;
        backing.set_len(num_mapped as u64).ok()?;
        // SAFETY: a new map at an address that the system chooses, of a file that this type owns; it is touched nowhere but through it.
        let address = unsafe {
            let (protection, flags) = (libc::PROT_NONE, libc::MAP_SHARED);
            libc::mmap(ptr::null_mut(), num_mapped, protection, flags, backing.as_raw_fd(), 0)
        };
        if address == libc::MAP_FAILED {
            return None;
        }
        Some(Self {
            start: address.expose_provenance(),
            block_bytes,
            num_bytes,
            num_mapped,
            backing,
            states: (0..num_mapped / block_bytes).map(|_| AtomicU32::new(ABSENT)).collect(),
            requests,
            generation: generation(),
            num_present: AtomicUsize::new(0),
            has_failed: AtomicBool::new(false),
            failure: Lock::new(),
        })
    }

    /// The addresses of the memory.
    pub(in crate::source) fn addresses(&self) -> Range<usize> {
        self.start..self.start + self.num_mapped
    }

    /// The length of the file.
    pub(in crate::source) fn num_bytes(&self) -> usize {
        self.num_bytes
    }

    /// The length of a block.
    pub(in crate::source) fn block_bytes(&self) -> usize {
        self.block_bytes
    }

    /// The number of blocks.
    pub(in crate::source) fn num_blocks(&self) -> usize {
        self.states.len()
    }

    /// The number of blocks that are there.
    pub(in crate::source) fn num_present(&self) -> usize {
        self.num_present.load(Ordering::Relaxed)
    }

    /// The number of blocks from one on, at most so many, that must be fetched.
    pub(in crate::source) fn num_missing(&self, block: usize, most: usize) -> usize {
        let rest = self.states.get(block..).unwrap_or_default().iter();
        let is_missing = |state: &&AtomicU32| matches!(state.load(Ordering::Acquire), ABSENT | WANTED);
        rest.take(most).take_while(is_missing).count()
    }

    /// Whether fetching has failed, and why: without a reason, because the process was forked. The pager of the parent gives up blocks
    /// of the memory that both have, so that no byte is trusted in a child, even one that was there.
    pub(in crate::source) fn failure(&self) -> Option<Option<Arc<io::Error>>> {
        match self.is_left_behind() {
            true => Some(None),
            false => self.has_failed.load(Ordering::Acquire).then(|| self.failure.lock().clone()),
        }
    }

    /// Whether this process was forked from the one that has the pager.
    fn is_left_behind(&self) -> bool {
        self.generation != generation()
    }

    /// Waits until the block of an address is there: what the signal handler does. It only uses atomics and system calls.
    pub(in crate::source) fn wait_for(&self, address: usize) {
        let Some(state) = self.states.get((address - self.start) / self.block_bytes) else { return };
        loop {
            match state.load(Ordering::Acquire) {
                PRESENT => return,
                ABSENT => {
                    if self.is_left_behind() {
                        self.open_all();
                        return;
                    }
                    if state.compare_exchange(ABSENT, WANTED, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
                        let number = ((address - self.start) / self.block_bytes).to_ne_bytes();
                        if !self.request(number) {
                            self.open_all();
                            return;
                        }
                    }
                }
                other => wait(state, other),
            }
        }
    }

    /// Asks the pager for a block.
    fn request(&self, number: [u8; size_of::<usize>()]) -> bool {
        loop {
            // SAFETY: the pipe is open for as long as `self` lives; so few bytes are written whole or not at all.
            let written =
                unsafe { libc::write(self.requests.as_raw_fd(), number.as_ptr().cast(), number.len()) };
            if written >= 0 || io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
                return written >= 0;
            }
        }
    }

    /// Writes bytes into blocks and makes them accessible.
    pub(in crate::source) fn fill(&self, blocks: Range<usize>, bytes: &[u8]) -> io::Result<()> {
        if blocks.is_empty() {
            return Ok(());
        }
        let (first, num_bytes) = (blocks.start * self.block_bytes, blocks.len() * self.block_bytes);
        let bytes = bytes.get(..num_bytes).unwrap_or(bytes);
        files::write_all_at(&self.backing, bytes, first as u64)?;
        self.protect(first, num_bytes, libc::PROT_READ)?;
        for state in self.states.get(blocks).unwrap_or_default() {
            if state.swap(PRESENT, Ordering::AcqRel) != PRESENT {
                self.num_present.fetch_add(1, Ordering::Relaxed);
            }
            wake(state);
        }
        Ok(())
    }

    fn protect(&self, first: usize, num_bytes: usize, protection: i32) -> io::Result<()> {
        let address = ptr::with_exposed_provenance_mut(self.start + first);
        // SAFETY: the range lies in the map, which nobody but `self` unmaps; nothing is ever written through it.
        match unsafe { libc::mprotect(address, num_bytes, protection) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// Makes everything accessible, as zeros where nothing was fetched.
    fn open_all(&self) {
        self.has_failed.store(true, Ordering::Release);
        // If even that fails, the thread that waits touches the page again and ends the process, as any fault does.
        let _ = self.protect(0, self.num_mapped, libc::PROT_READ);
        for state in &self.states {
            state.store(PRESENT, Ordering::Release);
            wake(state);
        }
    }

    pub(in crate::source) fn fail(&self, failure: io::Error) {
        self.failure.lock().get_or_insert(Arc::new(failure));
        self.open_all();
    }

    /// Gives up a block, which is fetched again when it is touched.
    pub(in crate::source) fn leave(&self, block: usize) {
        // A child would take it from its parent.
        let Some(state) = self.states.get(block).filter(|_| !self.is_left_behind()) else { return };
        if state.compare_exchange(PRESENT, LEAVING, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            return;
        }
        let first = block * self.block_bytes;
        let is_gone = self.protect(first, self.block_bytes, libc::PROT_NONE).is_ok();
        #[cfg(target_os = "linux")]
        if is_gone {
            use rustix::fs::{FallocateFlags, fallocate};
            let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
            // What is not given back takes memory, no more.
            let _ = fallocate(&self.backing, flags, first as u64, self.block_bytes as u64);
        }
        self.num_present.fetch_sub(usize::from(is_gone), Ordering::Relaxed);
        state.store(if is_gone { ABSENT } else { PRESENT }, Ordering::Release);
        wake(state);
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        let address = ptr::with_exposed_provenance_mut(self.start);
        // SAFETY: the map is this value's own, and every slice of it has ended: they borrow from the `Paged` that held this.
        unsafe { libc::munmap(address, self.num_mapped) };
    }
}

/// A file that only memory is behind, or no name.
#[cfg(target_os = "linux")]
fn backing_file() -> io::Result<File> {
    let file = rustix::fs::memfd_create("mapwave", rustix::fs::MemfdFlags::CLOEXEC)?;
    Ok(File::from(file))
}

#[cfg(not(target_os = "linux"))]
fn backing_file() -> io::Result<File> {
    crate::source::spool::nameless_file()
}

/// Waits while a state is this one, or for a moment.
#[cfg(target_os = "linux")]
fn wait(state: &AtomicU32, expected: u32) {
    // SAFETY: the state is a valid word for as long as the call waits for it; without a time limit the fourth argument is null.
    unsafe {
        let operation = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
        libc::syscall(libc::SYS_futex, state.as_ptr(), operation, expected, ptr::null::<libc::timespec>());
    }
}

#[cfg(target_os = "linux")]
fn wake(state: &AtomicU32) {
    // SAFETY: the state is a valid word; waking touches nothing else.
    unsafe {
        let operation = libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG;
        libc::syscall(libc::SYS_futex, state.as_ptr(), operation, i32::MAX);
    }
}

#[cfg(not(target_os = "linux"))]
fn wait(_: &AtomicU32, _: u32) {
    let pause = libc::timespec { tv_sec: 0, tv_nsec: 100_000 };
    // SAFETY: the time is a valid one; where the rest would go is not asked for.
    unsafe { libc::nanosleep(&pause, ptr::null_mut()) };
}

#[cfg(not(target_os = "linux"))]
fn wake(_: &AtomicU32) {}
