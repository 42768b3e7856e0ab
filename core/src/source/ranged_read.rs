//! What a source that is fetched in ranges is made of.

#![forbid(unsafe_code)]

use std::io;

/// Where ranges of bytes come from.
pub trait RangedRead: Send + Sync {
    /// Fills all of `out` with the bytes from `offset` on. Any thread calls it, also concurrently.
    ///
    /// # Errors
    /// What went wrong; the source cannot be read any more afterwards.
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()>;
}
