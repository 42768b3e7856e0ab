//! An `AudioFileID` over our own callbacks: opened or created, queried for properties, closed.

#![allow(unsafe_code)] // the framework's functions

use std::ffi::c_void;
use std::ptr::{self, NonNull};

use mapwave_plugin::{Error, Level, Result, log};

use crate::property::{self, Plain};
use crate::status::{check, from_code};
use crate::sys::*;

/// Whose callbacks the framework calls.
pub(crate) trait Client: Send {
    /// The first error in a callback: the cause of what the framework reports afterwards.
    fn take_failure(&mut self) -> Option<Error>;
}

/// The callbacks of a file that is written.
#[derive(Clone, Copy)]
pub(crate) struct Callbacks {
    pub(crate) read: ReadProc,
    pub(crate) write: WriteProc,
    pub(crate) num_bytes: GetSizeProc,
    pub(crate) set_num_bytes: SetSizeProc,
}

/// A file of the framework's.
pub(crate) struct AudioFile<C: Client> {
    id: Opaque,
    /// A box, to which the framework has a pointer too.
    client: NonNull<C>,
}

// SAFETY: the framework ties neither files nor callbacks to a thread, and one call is made at a time.
unsafe impl<C: Client> Send for AudioFile<C> {}

impl<C: Client> AudioFile<C> {
    /// Creates a file of a type for a format.
    ///
    /// # Errors
    /// When the file type does not support the format, or the file cannot be written.
    ///
    /// # Safety
    /// The callbacks are those of a `C`.
    pub(crate) unsafe fn initialize(
        client: C,
        callbacks: Callbacks,
        file_type: u32,
        format: &AudioStreamBasicDescription,
    ) -> Result<Self> {
        let Callbacks { read, write, num_bytes, set_num_bytes } = callbacks;
        let flags = kAudioFileFlags_EraseFile;
        Self::make(client, "creating the file", |client, id| {
            // SAFETY: the callbacks are the client's, which lives until the file is closed; the format is there.
            unsafe {
                AudioFileInitializeWithCallbacks(
                    client,
                    Some(read),
                    Some(write),
                    Some(num_bytes),
                    Some(set_num_bytes),
                    file_type,
                    format,
                    flags,
                    id,
                )
            }
        })
    }

    /// A file that `make` opens or creates with callbacks for `client`.
    ///
    /// # Errors
    /// The error of the framework or of a callback.
    pub(crate) fn make(
        client: C,
        doing: &str,
        make: impl FnOnce(*mut c_void, *mut Opaque) -> OSStatus,
    ) -> Result<Self> {
        let client = NonNull::from(Box::leak(Box::new(client)));
        let mut file = Self { id: ptr::null_mut(), client };
        let status = make(client.as_ptr().cast(), &raw mut file.id);
        if status != 0 {
            // Then there is no file, whatever was written to `id`.
            file.id = ptr::null_mut();
        }
        file.check(status, doing)?;
        Ok(file)
    }

    /// The error of a callback, or else of the framework; an error of the host counts even if the framework
    /// ignores it.
    ///
    /// # Errors
    /// Those.
    pub(crate) fn check(&mut self, status: OSStatus, doing: &str) -> Result<()> {
        // SAFETY: the box lives as long as `self`, and no call of the framework's is under way.
        let failure = unsafe { self.client.as_mut() }.take_failure();
        failure.map_or_else(|| check(status, doing), Err)
    }

    /// A property that not every file has.
    ///
    /// # Errors
    /// When it exists and cannot be read.
    pub(crate) fn optional<T: Plain>(&mut self, property: u32, doing: &str) -> Result<Option<T>> {
        let id = self.id;
        // SAFETY: the file is open; the size and the place are those of a value.
        let get = |size, place| unsafe { AudioFileGetProperty(id, property, size, place) };
        // SAFETY: the function writes no more than the size passed to it.
        let value = unsafe { property::optional(doing, get) };
        self.check(0, doing).and(value)
    }

    /// A property that is a list; empty if the file does not have it.
    ///
    /// # Errors
    /// When it exists and cannot be read.
    pub(crate) fn list<T: Plain>(&mut self, property: u32, doing: &str) -> Result<Vec<T>> {
        let id = self.id;
        // SAFETY: the file is open, and the size a number; whether it could be written to is not asked.
        let size = |size| unsafe { AudioFileGetPropertyInfo(id, property, size, ptr::null_mut()) };
        // SAFETY: the file is open; the size and the place are those of the values.
        let get = |size, place| unsafe { AudioFileGetProperty(id, property, size, place) };
        // SAFETY: the functions write no more than the size passed to them.
        let values = unsafe { property::list(doing, size, get) };
        self.check(0, doing).and(values)
    }

    /// The file, for functions that take it.
    pub(crate) fn id(&self) -> Opaque {
        self.id
    }

    /// Finishes the file and returns the client of its callbacks.
    ///
    /// # Errors
    /// When it cannot be finished.
    pub(crate) fn close(mut self) -> Result<Box<C>> {
        let status = self.close_once();
        self.check(status, "closing the file")?;
        let file = std::mem::ManuallyDrop::new(self);
        // SAFETY: it is the box that `make` leaked; the file that had it is closed, and `drop` does not run.
        Ok(unsafe { Box::from_raw(file.client.as_ptr()) })
    }

    fn close_once(&mut self) -> OSStatus {
        let id = std::mem::take(&mut self.id);
        // SAFETY: the file is open, nothing has it any more, and this happens once.
        if id.is_null() { 0 } else { unsafe { AudioFileClose(id) } }
    }
}

impl<C: Client> Drop for AudioFile<C> {
    fn drop(&mut self) {
        warn(self.close_once(), "closing the file");
        // SAFETY: it is the box that `make` leaked, and the file that had it is closed.
        drop(unsafe { Box::from_raw(self.client.as_ptr()) });
    }
}

/// Logs an error that no caller receives.
pub(crate) fn warn(status: OSStatus, doing: &str) {
    if status != 0 {
        log(Level::Warning, from_code(status, doing).message());
    }
}
