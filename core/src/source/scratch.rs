//! Memory that `pread` reads into, kept from one read to the next.

#![forbid(unsafe_code)]

use std::sync::Mutex;

/// How many pieces of scratch are kept, and the longest that is.
const NUM_KEPT: usize = 8;
const MAX_KEPT: usize = 1 << 20;

static KEPT: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

/// Bytes of no meaning; warm from an earlier read where possible, since a fresh megabyte costs more in page faults than
/// reading it.
#[derive(Debug)]
pub struct Scratch(Vec<u8>);

impl Scratch {
    /// Takes what an earlier read has left.
    pub fn new() -> Self {
        // Never waits: in a forked child the lock may be held by a thread that did not come along.
        Self(KEPT.try_lock().ok().and_then(|mut kept| kept.pop()).unwrap_or_default())
    }

    /// `num_bytes` of it, whatever they are.
    pub(super) fn get(&mut self, num_bytes: usize) -> &mut [u8] {
        if self.0.len() < num_bytes {
            self.0.resize(num_bytes, 0);
        }
        self.0.get_mut(..num_bytes).unwrap_or_default()
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let bytes = std::mem::take(&mut self.0);
        if let Ok(mut kept) = KEPT.try_lock()
            && kept.len() < NUM_KEPT
            && (1..=MAX_KEPT).contains(&bytes.len())
        {
            kept.push(bytes);
        }
    }
}
