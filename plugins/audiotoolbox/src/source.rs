//! The host's bytes as one of AudioToolbox's files.

#![allow(unsafe_code)] // callbacks from the framework

use std::ffi::c_void;
use std::panic::{self, AssertUnwindSafe};
use std::ptr;

use mapwave_plugin::{Error, Input, Result, Status, Sweep};

use crate::audio_file::{AudioFile, Client};
use crate::sys::*;

/// The most bytes that are read at once where they are not in memory.
const MAX_PIECE: usize = 64 << 10;

/// A file to read, and the error in reading it.
#[derive(Debug)]
pub(crate) struct Source {
    input: Input,
    /// The framework has a copy of what was read.
    sweep: Sweep,
    failure: Option<Error>,
}

impl Source {
    pub(crate) fn new(input: Input) -> Self {
        Self { sweep: Sweep::new(input.clone(), 0), input, failure: None }
    }

    /// Copies up to `num_bytes` bytes from `position` on; returns their number.
    ///
    /// # Safety
    /// Nobody else uses that memory during the call.
    unsafe fn read(&mut self, position: i64, num_bytes: u32, to: *mut u8) -> Result<u32> {
        let start = u64::try_from(position).map_err(|_| {
            Error::new(Status::Internal, format!("AudioToolbox asked for bytes from {position} on"))
        })?;
        if let Some(bytes) = self.input.bytes() {
            let rest = usize::try_from(start).ok().and_then(|start| bytes.get(start..)).unwrap_or_default();
            let count = rest.len().min(num_bytes as usize);
            // SAFETY: no more bytes than there are and than there is room for, into memory that is not ours.
            unsafe { ptr::copy_nonoverlapping(rest.as_ptr(), to, count) };
            self.sweep.pass(usize::try_from(start).unwrap_or(usize::MAX).saturating_add(count));
            return Ok(u32::try_from(count).unwrap_or(num_bytes));
        }
        let mut piece = vec![0; (num_bytes as usize).min(MAX_PIECE)];
        let mut num_read = 0;
        while num_read < num_bytes as usize {
            let room = piece.len().min(num_bytes as usize - num_read);
            let Some(bytes) = piece.get_mut(..room) else { break };
            let count = self.input.read_at(start.saturating_add(num_read as u64), bytes)?;
            let Some(bytes) = bytes.get(..count).filter(|bytes| !bytes.is_empty()) else { break };
            // SAFETY: fewer than `num_bytes` were copied before, and the caller has room for that many.
            let place = unsafe { to.add(num_read) };
            // SAFETY: no more than `num_bytes` in all, into memory that is the framework's and not ours.
            unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), place, bytes.len()) };
            num_read += count;
        }
        Ok(u32::try_from(num_read).unwrap_or(num_bytes))
    }
}

impl AudioFile<Source> {
    /// Opens an existing file. `hint` is its type, if its first bytes do not show it; 0 for none.
    ///
    /// # Errors
    /// When the framework does not support it, or it cannot be read.
    pub(crate) fn open(source: Source, hint: u32) -> Result<Self> {
        Self::make(source, "opening the file", |client, id| {
            let (read, size) = (Some(read as ReadProc), Some(num_bytes as GetSizeProc));
            // SAFETY: the callbacks are those of a source, which lives until the file is closed.
            unsafe { AudioFileOpenWithCallbacks(client, read, None, size, None, hint, id) }
        })
    }
}

impl Client for Source {
    fn take_failure(&mut self) -> Option<Error> {
        self.failure.take()
    }
}

/// The framework's `AudioFile_ReadProc`: at the end of the file it returns no bytes and no error.
unsafe extern "C" fn read(
    client: *mut c_void,
    position: i64,
    num_bytes: u32,
    to: *mut c_void,
    num_read: *mut u32,
) -> OSStatus {
    // SAFETY: the source lives as long as the file whose callback this is, which makes one call at a time.
    let source = unsafe { &mut *client.cast::<Source>() };
    // SAFETY: the framework has room for that many bytes there, and waits.
    let read = AssertUnwindSafe(|| unsafe { source.read(position, num_bytes, to.cast()) });
    let (count, status) = match panic::catch_unwind(read) {
        Ok(Ok(count)) => (count, 0),
        Ok(Err(failure)) => {
            source.failure.get_or_insert(failure);
            (0, ioErr)
        }
        Err(_) => (0, paramErr),
    };
    // SAFETY: the framework passes a number to be written.
    unsafe { num_read.write(count) };
    status
}

/// The framework's `AudioFile_GetSizeProc`.
unsafe extern "C" fn num_bytes(client: *mut c_void) -> i64 {
    // SAFETY: as in `read`.
    let source = unsafe { &*client.cast::<Source>() };
    i64::try_from(source.input.num_bytes()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_into(source: &mut Source, position: i64, room: &mut [u8]) -> (OSStatus, u32) {
        let mut num_read = 77;
        let num_bytes = u32::try_from(room.len()).unwrap_or(0);
        let client = ptr::from_mut(source).cast();
        // SAFETY: the source is there, and the room has as many bytes.
        let status =
            unsafe { read(client, position, num_bytes, room.as_mut_ptr().cast(), &raw mut num_read) };
        (status, num_read)
    }

    #[test]
    fn bytes_are_read_up_to_the_end_and_none_behind() {
        let bytes: Vec<u8> = (0..=255).cycle().take(200_000).collect();
        let mut source = Source::new(Input::from(bytes.clone()));
        let mut room = vec![9; 150_000];
        assert_eq!(read_into(&mut source, 3, &mut room), (0, 150_000));
        assert_eq!(Some(room.as_slice()), bytes.get(3..150_003));
        let mut room = [9; 8];
        assert_eq!(read_into(&mut source, 199_998, &mut room), (0, 2));
        assert_eq!(room.get(..3), Some(&[62, 63, 9][..]));
        assert_eq!(read_into(&mut source, 200_000, &mut room), (0, 0));
        assert_eq!(read_into(&mut source, i64::MAX, &mut room), (0, 0));
        // SAFETY: the source is there.
        assert_eq!(unsafe { num_bytes(ptr::from_mut(&mut source).cast()) }, 200_000);
    }

    #[test]
    fn a_place_before_the_start_is_an_error_that_is_kept() {
        let mut source = Source::new(Input::from(vec![0; 4]));
        assert_eq!(read_into(&mut source, -1, &mut [0; 2]), (ioErr, 0));
        assert!(source.take_failure().is_some_and(|failure| failure.message().contains("-1")));
        assert!(source.take_failure().is_none());
    }
}
