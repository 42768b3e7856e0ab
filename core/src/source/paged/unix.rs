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

#![allow(unsafe_code)] // the memory as a slice

use std::io::{self, Read};
use std::ops::Range;
use std::ptr;
use std::sync::{Arc, Weak};
use std::thread::Builder;

use mapwave_fork::start;

use super::pages::Pages;
use crate::source::guard::{self, Guard};
use crate::source::ranged_read::RangedRead;
use crate::source::repeated::Repeated;

/// The most bytes that are fetched at once.
const MAX_FETCH_BYTES: usize = 2 << 20;

/// The places that are read one after the other at the same time, by the threads of a read.
const MAX_STREAMS: usize = 16;

/// What a streamed file may keep.
const MAX_KEPT_BYTES: usize = 8 << 20;

/// Bytes in memory that are fetched as they are touched.
pub(in crate::source) struct Paged {
    // Declared first: no fault is answered once the pages go.
    guard: Guard,
    pages: Arc<Pages>,
}

impl Paged {
    /// The memory of a file of `len` bytes that begins with `head`; `None` if the system refuses.
    pub(in crate::source) fn new(reader: Arc<dyn RangedRead>, len: u64, head: &[u8]) -> Option<Self> {
        let num_bytes = usize::try_from(len).ok().filter(|num_bytes| *num_bytes > 0)?;
        let (mut wanted, requests) = io::pipe().ok()?;
        let pages = Arc::new(Pages::new(num_bytes, requests.into())?);
        let whole =
            if head.len() == num_bytes { pages.num_blocks() } else { head.len() / pages.block_bytes() };
        pages.fill(0..whole, head).ok()?;
        let guard = Guard::of_pages(&pages, pages.addresses())?;
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
    pub(in crate::source) fn bytes(&self) -> &[u8] {
        self.guard.watch();
        let start = ptr::with_exposed_provenance(self.pages.addresses().start);
        // SAFETY: the map is as long and lives as long as `pages`. Touching a part that is not there waits until it is, by the guard;
        // the bytes of a block do not change while it is accessible, but for one that is released, which comes back as it was.
        unsafe { std::slice::from_raw_parts(start, self.pages.num_bytes()) }
    }

    /// Makes sure that faults are answered.
    pub(in crate::source) fn watch(&self) {
        self.guard.watch();
    }

    /// Why bytes read as zeros, if some do.
    pub(in crate::source) fn failure(&self) -> Option<io::Error> {
        let known = self.pages.failure()?;
        Some(match known {
            Some(failure) => io::Error::new(failure.kind(), Repeated(failure)),
            None => {
                io::Error::other("it was opened before the process was forked: open it again in the child")
            }
        })
    }

    /// Releases the blocks of a range when many are kept, but not those around the ends of the file, which are looked at again.
    pub(in crate::source) fn release(&self, range: Range<u64>) {
        let pages = &self.pages;
        let is_small = pages.num_present() * pages.block_bytes() <= MAX_KEPT_BYTES;
        if is_small || pages.failure().is_some() {
            return;
        }
        let block = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX) / pages.block_bytes();
        for index in block(range.start)..block(range.end).min(pages.num_blocks().saturating_sub(1)) {
            pages.leave(index);
        }
    }
}

/// The thread that fetches.
struct Pager {
    pages: Weak<Pages>,
    reader: Arc<dyn RangedRead>,
    /// The block that follows each of the last runs of fetches, and the number of blocks of that run.
    streams: Vec<(usize, usize)>,
}

impl Pager {
    /// Fetches a block, and those after it if that seems useful.
    fn bring(&mut self, block: usize) {
        let Some(pages) = self.pages.upgrade() else { return };
        if pages.num_missing(block, 1) == 0 {
            return;
        }
        let block_bytes = pages.block_bytes();
        let before = self.streams.iter().position(|(next, _)| *next == block);
        let run = before.map_or(0, |index| self.streams.remove(index).1);
        // Half as much again: a third of what is fetched at most is not needed.
        let most = (run / 2).clamp(1, (MAX_FETCH_BYTES / block_bytes).max(1));
        let count = pages.num_missing(block, most);
        self.streams.insert(0, (block + count, run + count));
        self.streams.truncate(MAX_STREAMS);
        let first = block * block_bytes;
        let mut bytes = vec![0; (count * block_bytes).min(pages.num_bytes() - first)];
        let fetched = self.reader.read_at(first as u64, &mut bytes);
        // Whoever was let in by the fetch may have taken the signals.
        guard::watch_all();
        if let Err(failure) = fetched.and_then(|()| pages.fill(block..block + count, &bytes)) {
            pages.fail(failure);
        }
    }
}
