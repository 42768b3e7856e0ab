//! The targets of handles.

use crate::error::{Error, Result, Status};
use crate::guard;

/// A value behind a handle. A panic poisons it.
pub(super) struct Handle<T> {
    value: T,
    is_poisoned: bool,
}

impl<T> Handle<T> {
    /// Makes a value and a handle of it and stores that in `*place`; nothing is stored when `make` fails.
    ///
    /// # Safety
    /// `place` is null or may be written.
    pub(super) unsafe fn open<O>(place: *mut *mut O, make: impl FnOnce() -> Result<T>) -> Result<()> {
        if place.is_null() {
            return Err(Error::bad_argument("the place for the handle is null"));
        }
        let value = guard::catch(make).unwrap_or_else(|message| Err(Error::new(Status::Panic, message)))?;
        let handle = Box::into_raw(Box::new(Self { value, is_poisoned: false }));
        // SAFETY: it is not null, and the caller promised the rest.
        unsafe { place.write(handle.cast()) };
        Ok(())
    }

    /// Lets a call of the plugin work on the value.
    ///
    /// # Safety
    /// `handle` is null or came from [`open`](Self::open) of this very type, was not closed, and no other call uses it now.
    pub(super) unsafe fn call<O, R>(handle: *mut O, call: impl FnOnce(&mut T) -> Result<R>) -> Result<R> {
        // SAFETY: the caller promised that it is null or such a handle, used by nobody else (R4).
        let Some(handle) = (unsafe { handle.cast::<Self>().as_mut() }) else {
            return Err(Error::bad_argument("the handle is null"));
        };
        if handle.is_poisoned {
            let message = "an earlier call panicked, so that this handle can only be closed";
            return Err(Error::new(Status::Panic, message));
        }
        guard::catch(|| call(&mut handle.value)).unwrap_or_else(|message| {
            handle.is_poisoned = true;
            Err(Error::new(Status::Panic, message))
        })
    }

    /// Drops the value.
    ///
    /// # Safety
    /// As for [`call`](Self::call); the handle is used no more.
    pub(super) unsafe fn close<O>(handle: *mut O) {
        if handle.is_null() {
            return;
        }
        // SAFETY: `open` made it of a box, and this is the last use.
        let handle = unsafe { Box::from_raw(handle.cast::<Self>()) };
        // A destructor that panics has nobody to tell.
        let _ = guard::catch(|| drop(handle));
    }
}
