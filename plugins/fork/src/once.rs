//! A value that is set once.

#![allow(unsafe_code)] // a place that is set while others read it

use std::marker::PhantomData;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use crate::handlers::Inside;

/// A value that is set once, and then only read.
///
/// Unlike [`OnceLock`](std::sync::OnceLock) it lets nobody wait: threads that need the value together make one each, and all use
/// the one that is ready first.
///
/// ```
/// use mapwave_fork::SetOnce;
///
/// static NUM_PROCESSORS: SetOnce<usize> = SetOnce::new();
///
/// assert_eq!(*NUM_PROCESSORS.get_or_init(|| 8), 8);
/// assert_eq!(NUM_PROCESSORS.get(), Some(&8));
/// ```
pub struct SetOnce<T> {
    place: AtomicPtr<T>,
    owned: PhantomData<Box<T>>,
}

// SAFETY: threads that share it share the value by reference, and one may drop what another has made.
unsafe impl<T: Send + Sync> Sync for SetOnce<T> {}

impl<T> SetOnce<T> {
    /// Nothing yet.
    pub const fn new() -> Self {
        Self { place: AtomicPtr::new(ptr::null_mut()), owned: PhantomData }
    }

    /// The value, if it has been set.
    pub fn get(&self) -> Option<&T> {
        // SAFETY: null, or a value that is never changed and lives as long as this does.
        unsafe { self.place.load(Ordering::Acquire).as_ref() }
    }

    /// The value; if it has not been set, `make` makes it. Another thread may be first: then its value is returned.
    pub fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
        match self.get() {
            Some(value) => value,
            None => self.publish(make()),
        }
    }

    /// As [`get_or_init`](Self::get_or_init), for a value that may not be there.
    ///
    /// # Errors
    /// Those of `make`; the next call tries again.
    pub fn get_or_try_init<E>(&self, make: impl FnOnce() -> Result<T, E>) -> Result<&T, E> {
        match self.get() {
            Some(value) => Ok(value),
            None => make().map(|value| self.publish(value)),
        }
    }

    fn publish(&self, value: T) -> &T {
        let fresh = Box::into_raw(Box::new(value));
        // In a forked child the pointer is there only if the value is as well.
        let _inside = Inside::enter();
        let first = self.place.compare_exchange(ptr::null_mut(), fresh, Ordering::AcqRel, Ordering::Acquire);
        let place = match first {
            Ok(_) => fresh,
            Err(other) => {
                // SAFETY: it comes from `Box::into_raw`, and nobody else knows it.
                drop(unsafe { Box::from_raw(fresh) });
                other
            }
        };
        // SAFETY: not null: a value that was published, is never changed, and lives as long as this does.
        unsafe { &*place }
    }
}

impl<T> From<T> for SetOnce<T> {
    fn from(value: T) -> Self {
        Self { place: AtomicPtr::new(Box::into_raw(Box::new(value))), owned: PhantomData }
    }
}

impl<T> Drop for SetOnce<T> {
    fn drop(&mut self) {
        let place = *self.place.get_mut();
        if !place.is_null() {
            // SAFETY: it comes from `Box::into_raw`, and nobody else uses it any more.
            drop(unsafe { Box::from_raw(place) });
        }
    }
}

impl<T> Default for SetOnce<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: std::fmt::Debug> std::fmt::Debug for SetOnce<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("SetOnce").field(&self.get()).finish()
    }
}
