//! A lock that is free in a forked child.

#![allow(unsafe_code)] // a place that is replaced while others read it

use std::marker::PhantomData;
use std::mem;
use std::ops::{Deref, DerefMut};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use crate::handlers::{Inside, generation, has_lost_calls};

/// A lock that no thread of a parent process can hold.
///
/// A fork waits until it is released, as for [`hold_off`](crate::hold_off): it must be held briefly, and over nothing that a
/// forking thread may hold, such as the lock of an interpreter. In a forked child it is free and has its value; only if the fork
/// stopped waiting, the value may be half changed, is never looked at again, and [`Default`] makes another. A thread that panics
/// while it holds the lock leaves it usable as well.
///
/// ```
/// use mapwave_fork::Lock;
///
/// static CACHE: Lock<Vec<u32>> = Lock::new();
///
/// CACHE.lock().push(1);
/// assert_eq!(*CACHE.lock(), [1]);
/// ```
pub struct Lock<T>(Slot<T, true>);

/// A lock that may be held over any call, for which no fork waits. In a forked child it is free and has the default value, whether
/// or not a thread of the parent was holding it.
///
/// ```
/// use mapwave_fork::LongLock;
///
/// let lock = LongLock::with(vec![1]);
/// lock.lock().push(2);
/// assert_eq!(*lock.lock(), [1, 2]);
/// ```
pub struct LongLock<T>(Slot<T, false>);

/// What both locks are made of.
struct Slot<T, const IS_BRIEF: bool> {
    /// Null before the first use. In a child, what the parent left is replaced, but never freed: threads may still look at it.
    node: AtomicPtr<Node<T>>,
    owned: PhantomData<Box<Mutex<T>>>,
}

/// The value of a lock while it is held.
#[must_use]
pub struct Guard<'a, T> {
    // Dropped first: a fork may begin once the lock is free.
    value: MutexGuard<'a, T>,
    _inside: Option<Inside>,
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

struct Node<T> {
    generation: u32,
    value: Mutex<T>,
}

impl<T, const IS_BRIEF: bool> Slot<T, IS_BRIEF> {
    const fn new() -> Self {
        Self { node: AtomicPtr::new(ptr::null_mut()), owned: PhantomData }
    }

    fn with(value: T) -> Self {
        let node = Node { generation: generation(), value: Mutex::new(value) };
        Self { node: AtomicPtr::new(Box::into_raw(Box::new(node))), owned: PhantomData }
    }
}

impl<T: Default, const IS_BRIEF: bool> Slot<T, IS_BRIEF> {
    fn lock(&self) -> Guard<'_, T> {
        let inside = IS_BRIEF.then(Inside::enter);
        Guard { value: self.mutex().lock().unwrap_or_else(PoisonError::into_inner), _inside: inside }
    }

    fn try_lock(&self) -> Option<Guard<'_, T>> {
        let inside = IS_BRIEF.then(Inside::enter);
        taken(self.mutex()).map(|value| Guard { value, _inside: inside })
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

    /// Puts a new node into the place of `left`, which is at `place`; its value moves if it is whole. If another thread
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
        // In a forked child the pointer is there only if the node is as well.
        let _inside = Inside::enter();
        // Nobody else sees the default before the value has moved.
        let mut value = node.value.lock().unwrap_or_else(PoisonError::into_inner);
        match self.node.compare_exchange(place, fresh, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => {
                // A lock that is free says nothing of its value, unless the fork has waited for all threads.
                let left = left.filter(|_| IS_BRIEF && !has_lost_calls());
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

impl<T, const IS_BRIEF: bool> Drop for Slot<T, IS_BRIEF> {
    fn drop(&mut self) {
        let place = *self.node.get_mut();
        if place.is_null() {
            return;
        }
        // SAFETY: it comes from `Box::into_raw`, and nobody else uses the lock any more.
        let node = unsafe { Box::from_raw(place) };
        // What a thread of the parent was changing cannot be dropped.
        let is_whole = IS_BRIEF && !has_lost_calls() && taken(&node.value).is_some();
        if node.generation != generation() && !is_whole {
            mem::forget(node);
        }
    }
}

macro_rules! locks {
    ($($name:ident),*) => {$(
        impl<T> $name<T> {
            /// A lock around the default value, which is made at its first use.
            pub const fn new() -> Self {
                Self(Slot::new())
            }

            /// A lock around a value.
            pub fn with(value: T) -> Self {
                Self(Slot::with(value))
            }
        }

        impl<T: Default> $name<T> {
            /// Waits for the lock and takes it.
            pub fn lock(&self) -> Guard<'_, T> {
                self.0.lock()
            }

            /// Takes the lock, unless another thread holds it.
            pub fn try_lock(&self) -> Option<Guard<'_, T>> {
                self.0.try_lock()
            }
        }

        impl<T> Default for $name<T> {
            fn default() -> Self {
                Self::new()
            }
        }

        impl<T> std::fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )*};
}

locks!(Lock, LongLock);
