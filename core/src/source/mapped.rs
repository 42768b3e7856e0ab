//! A read-only map of a whole file.

#![allow(unsafe_code)] // the door to mmap

use std::any::Any;
use std::fs::File;
use std::ops::Range;
use std::sync::Arc;

use mapwave_fork::SetOnce;
use memmap2::{Mmap, MmapOptions};

use super::guard::{self, Guard};

/// A file in memory, whose pages are those of the page cache.
///
/// Another process can change the bytes at any time, so two reads of the same byte can differ. If the file shrinks, the missing
/// pages read as zeros and [`is_damaged`](Self::is_damaged) returns true.
#[derive(Debug)]
pub struct Mapped {
    // Declared before the map, so that its slot is free before the addresses can belong to another map.
    guard: Guard,
    map: Mmap,
    /// What a reader has found in the file.
    found: SetOnce<Box<dyn Any + Send + Sync>>,
}

impl Mapped {
    /// Maps `len` bytes of `file` from `start` on; `None` if the system fails to map it, or if no more maps can be guarded.
    pub(super) fn new(file: &File, start: u64, len: u64) -> Option<Arc<Self>> {
        let len = usize::try_from(len).ok()?;
        // SAFETY: the map is private to this type and read-only. That the file may change underneath is met by reading
        // nothing from it but plain bytes, which are valid whatever they are, and by the guard, for pages that vanish.
        let map = unsafe { MmapOptions::new().offset(start).len(len).map(file) }.ok()?;
        let start = map.as_ptr().addr();
        Guard::new(start..start + map.len()).map(|guard| Arc::new(Self { guard, map, found: SetOnce::new() }))
    }

    /// The file's bytes.
    pub fn bytes(&self) -> &[u8] {
        self.guard.watch();
        &self.map
    }

    /// What was found in the file by an earlier reader of the same map.
    pub(super) fn found<T: 'static>(&self) -> Option<&T> {
        self.found.get()?.downcast_ref()
    }

    /// Keeps what was found in the file, unless something is kept already.
    pub(super) fn keep(&self, found: impl Any + Send + Sync) {
        self.found.get_or_init(|| Box::new(found));
    }

    /// Releases the memory of pages; they are read from the file again when they are touched.
    pub(super) fn release(&self, range: Range<usize>) {
        guard::release(&self.map, range);
    }

    /// Whether a page could not be read since the file was mapped and was replaced with zeros.
    pub fn is_damaged(&self) -> bool {
        self.guard.was_hit()
    }
}
