//! Memory that `pread` reads into, reused from one read to the next.

#![forbid(unsafe_code)]

use mapwave_fork::Lock;

/// How many pieces of scratch memory are kept, and how long each may be.
const NUM_KEPT: usize = 8;
const MAX_KEPT: usize = 1 << 20;

/// Nobody waits for this lock: new memory is only slower.
static KEPT: Lock<Vec<Vec<u8>>> = Lock::new();

/// Bytes without meaning. They come from an earlier read if possible, since the page faults of a new megabyte cost more than
/// reading it.
#[derive(Debug, Default)]
pub struct Scratch(Vec<u8>);

impl Scratch {
    /// No memory yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// `num_bytes` of the memory, with arbitrary contents: at first of what an earlier read left.
    pub(super) fn get(&mut self, num_bytes: usize) -> &mut [u8] {
        if self.0.is_empty() {
            self.0 = KEPT.try_lock().and_then(|mut kept| kept.pop()).unwrap_or_default();
        }
        if self.0.len() < num_bytes {
            self.0.resize(num_bytes, 0);
        }
        self.0.get_mut(..num_bytes).unwrap_or_default()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let bytes = std::mem::take(&mut self.0);
        if (1..=MAX_KEPT).contains(&bytes.len())
            && let Some(mut kept) = KEPT.try_lock()
            && kept.len() < NUM_KEPT
        {
            kept.push(bytes);
        }
    }
}
