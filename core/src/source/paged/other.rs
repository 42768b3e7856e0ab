//! A system without handlers of faults that a library could share with its process. Decoders read bytes that are not on this machine by
//! calls, or fetch them all, as they do where a POSIX system refuses the memory.

#![forbid(unsafe_code)]

use std::io;
use std::ops::Range;
use std::sync::Arc;

use crate::source::ranged_read::RangedRead;

/// There is none.
pub(in crate::source) enum Paged {}

impl Paged {
    pub(in crate::source) fn new(_: Arc<dyn RangedRead>, _: u64, _: &[u8]) -> Option<Self> {
        None
    }

    pub(in crate::source) fn bytes(&self) -> &[u8] {
        match *self {}
    }

    pub(in crate::source) fn watch(&self) {
        match *self {}
    }

    pub(in crate::source) fn failure(&self) -> Option<io::Error> {
        match *self {}
    }

    pub(in crate::source) fn release(&self, _: Range<u64>) {
        match *self {}
    }
}
