//! Whether anybody still waits for a plugin's call, which the plugin may ask while it runs. One that asks is not hung.

#![forbid(unsafe_code)]

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

thread_local! {
    /// The flag of the call that this thread makes, if its caller is another.
    static CALL: RefCell<Option<Cancelled>> = const { RefCell::new(None) };
}

/// The flag of a call, set once its caller has stopped waiting.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cancelled(Arc<State>);

#[derive(Debug)]
struct State {
    is_set: AtomicBool,
    start: Instant,
    /// When the plugin asked last, in milliseconds after the start.
    asked: AtomicU64,
}

impl Default for State {
    fn default() -> Self {
        Self { is_set: AtomicBool::new(false), start: Instant::now(), asked: AtomicU64::new(0) }
    }
}

impl Cancelled {
    /// Sets the flag.
    pub(crate) fn set(&self) {
        self.0.is_set.store(true, Ordering::Relaxed);
    }

    /// How long after the start of the call the plugin asked last.
    pub(crate) fn asked(&self) -> Duration {
        Duration::from_millis(self.0.asked.load(Ordering::Relaxed))
    }

    /// Answers the plugin, and remembers that it asked.
    fn ask(&self) -> bool {
        let elapsed = u64::try_from(self.0.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.asked.store(elapsed, Ordering::Relaxed);
        self.0.is_set.load(Ordering::Relaxed)
    }

    /// Makes a call to which the flag belongs, on this thread.
    pub(crate) fn during<T>(&self, call: impl FnOnce() -> T) -> T {
        /// Restores the previous flag, also after a panic.
        struct Before(Option<Cancelled>);
        impl Drop for Before {
            fn drop(&mut self) {
                CALL.set(self.0.take());
            }
        }
        let _before = Before(CALL.replace(Some(self.clone())));
        call()
    }
}

/// Whether the caller of the call that this thread makes has stopped waiting.
pub(super) fn is_cancelled() -> bool {
    CALL.with_borrow(|call| call.as_ref().is_some_and(Cancelled::ask))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_belongs_to_one_call() {
        let (first, second) = (Cancelled::default(), Cancelled::default());
        assert!(!is_cancelled());
        first.during(|| {
            second.set();
            assert!(!is_cancelled());
            assert!(second.during(is_cancelled));
            first.set();
            assert!(is_cancelled());
        });
        assert!(!is_cancelled());
    }
}
