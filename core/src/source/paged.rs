//! Memory whose pages are fetched when they are touched.
//!
//! Decoders take a file as one piece of memory. For bytes that must be fetched, that memory begins inaccessible: a thread that touches
//! a block raises a signal, whose handler asks the pager, a thread of its own, for the block and waits. The pager fetches the block,
//! and more of them the longer a decoder goes on from one to the next, writes them into the file behind the memory, and only then
//! makes them accessible, so that nobody sees a block half filled.
//!
//! If a fetch fails, all memory becomes accessible and reads as zeros where nothing was fetched, so that every decoder comes to an end;
//! [`failure`](Paged::failure) then tells why, and whoever reads asks for it. In a forked child, which has no pager, the first touch is
//! such a failure.

#![allow(unsafe_code)] // mmap and mprotect, and what a signal handler may do

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::thread::Builder;

use mapwave_fork::{Lock, generation, start};

use super::guard::Guard;
use super::ranged::RangedRead;

/// The unit of fetching: a multiple of every system's page.
const BLOCK_BYTES: usize = 16 << 10;

/// The most bytes that are fetched at once.
const MAX_FETCH_BYTES: usize = 2 << 20;

/// The places that are read one after the other at the same time, by the threads of a read.
const MAX_STREAMS: usize = 16;

/// What a streamed file may keep.
const MAX_KEPT_BYTES: usize = 8 << 20;

/// The states of a block.
const ABSENT: u32 = 0;
/// A thread waits for it, or the pager has begun to fetch it.
const WANTED: u32 = 1;
const PRESENT: u32 = 2;
/// It is on its way to be absent.
const LEAVING: u32 = 3;

/// Bytes in memory that are fetched as they are touched.
pub(super) struct Paged {
    // Declared first: no fault is answered once the pages go.
    guard: Guard,
    pages: Arc<Pages>,
}

/// The memory, which the pager shares.
#[derive(Debug)]
pub(super) struct Pages {
    /// The address of the first byte.
    start: usize,
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

impl Paged {
    /// The memory of a file of `len` bytes that begins with `head`; `None` if the system refuses.
    pub(super) fn new(reader: Arc<dyn RangedRead>, len: u64, head: &[u8]) -> Option<Self> {
        let num_bytes = usize::try_from(len).ok().filter(|num_bytes| *num_bytes > 0)?;
        let num_mapped = num_bytes.checked_next_multiple_of(BLOCK_BYTES)?;
        let backing = backing_file().ok()?;
        backing.set_len(num_mapped as u64).ok()?;
        let (mut wanted, requests) = io::pipe().ok()?;
        // SAFETY: a new map at an address that the system chooses, of a file that this type owns; it is touched nowhere but through it.
        let address = unsafe {
            let (protection, flags) = (libc::PROT_NONE, libc::MAP_SHARED);
            libc::mmap(ptr::null_mut(), num_mapped, protection, flags, backing.as_raw_fd(), 0)
        };
        if address == libc::MAP_FAILED {
            return None;
        }
        let pages = Arc::new(Pages {
            start: address.expose_provenance(),
            num_bytes,
            num_mapped,
            backing,
            states: (0..num_mapped / BLOCK_BYTES).map(|_| AtomicU32::new(ABSENT)).collect(),
            requests: requests.into(),
            generation: generation(),
            num_present: AtomicUsize::new(0),
            has_failed: AtomicBool::new(false),
            failure: Lock::new(),
        });
        let whole = if head.len() == num_bytes { num_mapped } else { head.len() };
        pages.fill(0..whole / BLOCK_BYTES, head).ok()?;
        let guard = Guard::of_pages(&pages, pages.start..pages.start + num_mapped)?;
        let pager = Pager { pages: Arc::downgrade(&pages), reader, streams: Vec::new() };
        let mut number = [0; size_of::<usize>()];
        let work = move || {
            let mut pager = pager;
            // The pipe ends with the memory.
            while wanted.read_exact(&mut number).is_ok() {
                pager.bring(usize::from_ne_bytes(number));
            }
        };
        start(Builder::new().name("mapwave-pager".to_owned()), work).ok()?;
        Some(Self { guard, pages })
    }

    /// The bytes of the file.
    pub(super) fn bytes(&self) -> &[u8] {
        self.guard.watch();
        let start = ptr::with_exposed_provenance(self.pages.start);
        // SAFETY: the map is as long and lives as long as `pages`. Touching a part that is not there waits until it is, by the guard;
        // the bytes of a block do not change while it is accessible, but for one that is released, which comes back as it was.
        unsafe { std::slice::from_raw_parts(start, self.pages.num_bytes) }
    }

    /// Makes sure that faults are answered.
    pub(super) fn watch(&self) {
        self.guard.watch();
    }

    /// Why bytes read as zeros, if some do.
    pub(super) fn failure(&self) -> Option<io::Error> {
        if !self.pages.has_failed.load(Ordering::Acquire) {
            return None;
        }
        let known = self.pages.failure.lock().clone();
        Some(match known {
            Some(failure) => io::Error::new(failure.kind(), Repeated(failure)),
            None => {
                io::Error::other("it was opened before the process was forked: open it again in the child")
            }
        })
    }

    /// Releases the blocks of a range when many are kept, but not those around the ends of the file, which are looked at again.
    pub(super) fn release(&self, range: Range<u64>) {
        let pages = &self.pages;
        let is_small = pages.num_present.load(Ordering::Relaxed) * BLOCK_BYTES <= MAX_KEPT_BYTES;
        if is_small || pages.has_failed.load(Ordering::Acquire) {
            return;
        }
        let block = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX) / BLOCK_BYTES;
        for index in block(range.start)..block(range.end).min(pages.states.len().saturating_sub(1)) {
            pages.leave(index);
        }
    }
}

/// A failure that every later read reports again.
#[derive(Debug)]
pub struct Repeated(Arc<io::Error>);

impl Repeated {
    /// What happened.
    pub fn cause(&self) -> &io::Error {
        &self.0
    }
}

impl std::fmt::Display for Repeated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Repeated {}

impl Pages {
    /// Waits until the block of an address is there: what the signal handler does. It only uses atomics and system calls.
    pub(super) fn wait_for(&self, address: usize) {
        let Some(state) = self.states.get((address - self.start) / BLOCK_BYTES) else { return };
        loop {
            match state.load(Ordering::Acquire) {
                PRESENT => return,
                ABSENT => {
                    if self.generation != generation() {
                        self.open_all();
                        return;
                    }
                    if state.compare_exchange(ABSENT, WANTED, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
                        let number = ((address - self.start) / BLOCK_BYTES).to_ne_bytes();
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
    fn fill(&self, blocks: Range<usize>, bytes: &[u8]) -> io::Result<()> {
        if blocks.is_empty() {
            return Ok(());
        }
        let (first, num_bytes) = (blocks.start * BLOCK_BYTES, blocks.len() * BLOCK_BYTES);
        let bytes = bytes.get(..num_bytes).unwrap_or(bytes);
        self.backing.write_all_at(bytes, first as u64)?;
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

    fn fail(&self, failure: io::Error) {
        self.failure.lock().get_or_insert(Arc::new(failure));
        self.open_all();
    }

    /// Gives up a block, which is fetched again when it is touched.
    fn leave(&self, block: usize) {
        let Some(state) = self.states.get(block) else { return };
        if state.compare_exchange(PRESENT, LEAVING, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            return;
        }
        let first = block * BLOCK_BYTES;
        let is_gone = self.protect(first, BLOCK_BYTES, libc::PROT_NONE).is_ok();
        #[cfg(target_os = "linux")]
        if is_gone {
            use rustix::fs::{FallocateFlags, fallocate};
            let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
            // What is not given back takes memory, no more.
            let _ = fallocate(&self.backing, flags, first as u64, BLOCK_BYTES as u64);
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

/// The thread that fetches.
struct Pager {
    pages: std::sync::Weak<Pages>,
    reader: Arc<dyn RangedRead>,
    /// The block that follows each of the last fetches, and the number of blocks of that fetch.
    streams: Vec<(usize, usize)>,
}

impl Pager {
    /// Fetches a block, and those after it if that seems useful.
    fn bring(&mut self, block: usize) {
        let Some(pages) = self.pages.upgrade() else { return };
        let is_missing = |state: &AtomicU32| matches!(state.load(Ordering::Acquire), ABSENT | WANTED);
        if !pages.states.get(block).is_some_and(is_missing) {
            return;
        }
        let before = self.streams.iter().position(|(next, _)| *next == block);
        let most = match before.map(|index| self.streams.remove(index)) {
            Some((_, count)) => (2 * count).min(MAX_FETCH_BYTES / BLOCK_BYTES),
            None => 1,
        };
        let rest = pages.states.get(block..).unwrap_or_default().iter();
        let count = rest.take(most).take_while(|state| is_missing(state)).count();
        self.streams.insert(0, (block + count, most));
        self.streams.truncate(MAX_STREAMS);
        let first = block * BLOCK_BYTES;
        let mut bytes = vec![0; (count * BLOCK_BYTES).min(pages.num_bytes - first)];
        let fetched = self.reader.read_at(first as u64, &mut bytes);
        if let Err(failure) = fetched.and_then(|()| pages.fill(block..block + count, &bytes)) {
            pages.fail(failure);
        }
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
    super::spool::nameless_file()
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
