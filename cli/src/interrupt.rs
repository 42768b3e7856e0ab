//! Ctrl-C: the work ends at its next block and removes what it has begun, and then the process ends as the signal would have it.

#![forbid(unsafe_code)]

use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use mapwave::{Error, ReadControl, Result};
use mapwave_core::host;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::{flag, low_level};

/// The signals that ask a process to end.
const SIGNALS: [i32; 3] = [SIGINT, SIGTERM, SIGHUP];

/// Whether the user wants the work to end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interrupt {
    /// A signal came.
    is_signalled: Arc<AtomicBool>,
    signal: Arc<AtomicUsize>,
    /// The command itself has a reason.
    is_stopped: Arc<AtomicBool>,
}

impl Interrupt {
    /// Heeds the signals from now on. A second one ends the process at once. A signal that the process ignores, as shells have it
    /// for what runs in the background, stays ignored.
    pub(crate) fn heed() -> io::Result<Self> {
        let this = Self::default();
        let ignored = ignored();
        for signal in SIGNALS.into_iter().filter(|&signal| ignored & (1 << (signal - 1)) == 0) {
            // In this order: the second signal finds the flag that the first one has set.
            flag::register_conditional_default(signal, Arc::clone(&this.is_signalled))?;
            flag::register_usize(signal, Arc::clone(&this.signal), signal.unsigned_abs() as usize)?;
            flag::register(signal, Arc::clone(&this.is_signalled))?;
        }
        Ok(this)
    }

    /// Whether the work is to end.
    pub(crate) fn is_asked(&self) -> bool {
        self.is_signalled.load(Ordering::Relaxed) || self.is_stopped.load(Ordering::Relaxed)
    }

    /// Asks the work to end, for a reason other than a signal.
    pub(crate) fn ask(&self) {
        self.is_stopped.store(true, Ordering::Relaxed);
    }

    /// Runs `work` so that neither its own blocks nor a plugin keep it going after a signal.
    pub(crate) fn during<T>(
        &self,
        max_threads: usize,
        work: impl FnOnce(&ReadControl<'_>) -> Result<T>,
    ) -> Result<T> {
        let asked = || self.is_asked();
        let control = ReadControl { max_threads, interrupted: &asked };
        let same = self.clone();
        host::interruptible(Rc::new(move || same.is_asked()), || work(&control))
    }

    /// Ends the process as the signal that came would have: a shell then knows, and ends its script too. Returns if none came.
    pub(crate) fn resign(&self) {
        let signal = i32::try_from(self.signal.load(Ordering::Relaxed)).unwrap_or(0);
        if signal != 0 {
            // If it fails, the exit code says that the work did not end well.
            let _ = low_level::emulate_default_handler(signal);
        }
    }
}

/// Whether an error only says that the work was interrupted.
pub(crate) fn is_interruption(error: &Error) -> bool {
    matches!(error, Error::Interrupted)
}

/// The signals that this process ignores, a bit each, as Linux tells; none elsewhere.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}
