//! A value that is read often and replaced rarely.

#![allow(unsafe_code)] // a place that is replaced while others read it

use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use crate::handlers::Inside;

/// A value that is read often and replaced rarely, such as a list of settings.
///
/// Reading it takes one load. A change replaces the whole value at once, so that nobody sees half of one; the old value is kept
/// until the process exits.
///
/// ```
/// use mapwave_fork::Shared;
///
/// static NAMES: Shared<Vec<&str>> = Shared::new();
///
/// for name in ["a", "b"] {
///     NAMES.update(|names| names.iter().flat_map(|names| names.iter().copied()).chain([name]).collect());
/// }
/// assert_eq!(NAMES.get(), Some(&vec!["a", "b"]));
/// ```
pub struct Shared<T: 'static> {
    place: AtomicPtr<T>,
}

// SAFETY: threads that share it share the value by reference; nothing is ever dropped.
unsafe impl<T: Send + Sync> Sync for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Send for Shared<T> {}

impl<T: 'static> Shared<T> {
    /// Nothing yet.
    pub const fn new() -> Self {
        Self { place: AtomicPtr::new(ptr::null_mut()) }
    }

    /// The value published last.
    pub fn get(&self) -> Option<&'static T> {
        // SAFETY: null, or a value that is never changed nor freed.
        unsafe { self.place.load(Ordering::Acquire).as_ref() }
    }

    /// Publishes a value made from the one before, and returns it. If another thread is faster, `make` is called again with what
    /// that one has published.
    pub fn update(&self, mut make: impl FnMut(Option<&'static T>) -> T) -> &'static T {
        let mut before = self.place.load(Ordering::Acquire);
        loop {
            // SAFETY: null, or a value that is never changed nor freed.
            let fresh = Box::into_raw(Box::new(make(unsafe { before.as_ref() })));
            // In a forked child the pointer is there only if the value is as well.
            let _inside = Inside::enter();
            match self.place.compare_exchange(before, fresh, Ordering::AcqRel, Ordering::Acquire) {
                // SAFETY: it was just published, and is never changed nor freed.
                Ok(_) => return unsafe { &*fresh },
                Err(other) => {
                    // SAFETY: it comes from `Box::into_raw`, and nobody else knows it.
                    drop(unsafe { Box::from_raw(fresh) });
                    before = other;
                }
            }
        }
    }
}

impl<T: 'static> Default for Shared<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: std::fmt::Debug + 'static> std::fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Shared").field(&self.get()).finish()
    }
}
