//! Signs of progress: a child process leaves one after calls of the plugin, and its parent waits for as long as they come.

#![forbid(unsafe_code)]

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The shortest time between two signs in milliseconds: a sign costs a system call.
const PAUSE: u64 = 20;

/// How often the parent looks.
const GLANCE: Duration = Duration::from_millis(50);

/// Where this process leaves its signs. It is written once, before the plugin is loaded.
static RECORD: OnceLock<(File, Instant)> = OnceLock::new();

/// When the last sign was left, in milliseconds.
static LAST: AtomicU64 = AtomicU64::new(0);

/// Leaves signs in `path` from now on.
pub fn start(path: &Path) {
    if let Ok(file) = File::create(path) {
        let _ = RECORD.set((file, Instant::now()));
    }
}

/// A call of the plugin has returned.
pub fn beat() {
    let Some((file, started)) = RECORD.get() else { return };
    let now = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    if now >= LAST.load(Ordering::Relaxed).saturating_add(PAUSE) {
        LAST.store(now, Ordering::Relaxed);
        // Without signs, the time limit applies to the whole test.
        let _ = file.write_all_at(&now.to_ne_bytes(), 0);
    }
}

/// The parent's view of the signs.
pub struct Watch {
    path: PathBuf,
    last: Vec<u8>,
    seen: Instant,
    looked: Instant,
}

impl Watch {
    /// Of a process that starts now.
    pub fn new(path: PathBuf) -> Self {
        let now = Instant::now();
        Self { path, last: Vec::new(), seen: now, looked: now }
    }

    /// How long there has been no sign.
    pub fn silence(&mut self) -> Duration {
        let now = Instant::now();
        if now.duration_since(self.looked) >= GLANCE {
            self.looked = now;
            let sign = fs::read(&self.path).unwrap_or_default();
            if sign != self.last {
                self.last = sign;
                self.seen = now;
            }
        }
        now.duration_since(self.seen)
    }
}
