//! Whether anybody still waits for a plugin's call, which the plugin may ask while it runs.

#![forbid(unsafe_code)]

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

thread_local! {
    /// The flag of the call that this thread makes, if its caller is another.
    static CALL: RefCell<Option<Cancelled>> = const { RefCell::new(None) };
}

/// The flag of a call, set once its caller has stopped waiting.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cancelled(Arc<AtomicBool>);

impl Cancelled {
    /// Sets the flag.
    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
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
    CALL.with_borrow(|call| call.as_ref().is_some_and(|call| call.0.load(Ordering::Relaxed)))
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
