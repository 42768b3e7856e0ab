//! A lock that is free in a forked child.

#![allow(unsafe_code)] // a place that is replaced while others read it

use std::marker::PhantomData;
use std::mem;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use crate::generation;

/// A lock that no thread of a parent process can hold.
///
/// In a forked child it is free. If no thread was holding it at the fork, its value is still there. Otherwise the value may be
/// half changed; it is never looked at again, and [`Default`] makes another. A thread that panics while it holds the lock leaves it
/// usable as well.
///
/// Hold it briefly: a value whose default is as good, such as an empty cache, is lost rarely then.
///
/// ```
/// use mapwave_fork::Lock;
///
/// static CACHE: Lock<Vec<u32>> = Lock::new();
///
/// CACHE.lock().push(1);
/// assert_eq!(*CACHE.lock(), [1]);
/// ```
pub struct Lock<T> {
    /// Null before the first use. In a child, what the parent left is replaced, but never freed: threads may still look at it.
    node: AtomicPtr<Node<T>>,
    owned: PhantomData<Box<Mutex<T>>>,
}

struct Node<T> {
    generation: u32,
    value: Mutex<T>,
}

impl<T> Lock<T> {
    /// A lock around the default value, which is made at its first use.
    pub const fn new() -> Self {
        Self { node: AtomicPtr::new(ptr::null_mut()), owned: PhantomData }
    }

    /// A lock around a value.
    pub fn with(value: T) -> Self {
        let node = Node { generation: generation(), value: Mutex::new(value) };
        Self { node: AtomicPtr::new(Box::into_raw(Box::new(node))), owned: PhantomData }
    }
}

impl<T: Default> Lock<T> {
    /// Waits for the lock and takes it.
    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.mutex().lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the lock, unless another thread holds it.
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        taken(self.mutex())
    }

    fn mutex(&self) -> &Mutex<T> {
        let generation = generation();
        let mut place = self.node.load(Ordering::Acquire);
        loop {
            // SAFETY: null, or a node, which lives as long as the lock does.
            match unsafe { place.as_ref() } {
                Some(node) if node.generation == generation => return &node.value,
                left => match self.replace(place, left, generation) {
                    Ok(mutex) => return mutex,
                    Err(other) => place = other,
                },
            }
        }
    }

    /// Puts a new node into the place of `left`, which is at `place`; its value moves if nobody is changing it. If another thread
    /// was first, returns what it put there.
    #[cold]
    fn replace(
        &self,
        place: *mut Node<T>,
        left: Option<&Node<T>>,
        generation: u32,
    ) -> Result<&Mutex<T>, *mut Node<T>> {
        let fresh = Box::into_raw(Box::new(Node { generation, value: Mutex::new(T::default()) }));
        // SAFETY: the node was just made, and lives as long as the lock once it is in place.
        let node = unsafe { &*fresh };
        // Nobody else sees the default before the value has moved.
        let mut value = node.value.lock().unwrap_or_else(PoisonError::into_inner);
        match self.node.compare_exchange(place, fresh, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => {
                if let Some(mut old) = left.and_then(|left| taken(&left.value)) {
                    *value = mem::take(&mut old);
                }
                Ok(&node.value)
            }
            Err(other) => {
                drop(value);
                // SAFETY: it comes from `Box::into_raw`, and nobody else knows it.
                drop(unsafe { Box::from_raw(fresh) });
                Err(other)
            }
        }
    }
}

fn taken<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match mutex.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

impl<T> Drop for Lock<T> {
    fn drop(&mut self) {
        let place = *self.node.get_mut();
        if place.is_null() {
            return;
        }
        // SAFETY: it comes from `Box::into_raw`, and nobody else uses the lock any more.
        let node = unsafe { Box::from_raw(place) };
        // What a thread of the parent was changing cannot be dropped.
        if node.generation != generation() && taken(&node.value).is_none() {
            mem::forget(node);
        }
    }
}

impl<T> Default for Lock<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> std::fmt::Debug for Lock<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lock").finish_non_exhaustive()
    }
}
