//! The host's bytes as an AVIOContext: memory and callbacks, never a path.

#![allow(unsafe_code)] // callbacks of libav's

use std::ffi::{c_int, c_void};
use std::panic::{self, AssertUnwindSafe};
use std::ptr::{self, NonNull};

use ffmpeg_sys_next as ffi;
use mapwave_plugin::{Error, Input, Result, Status};

use crate::error::no_memory;

/// The buffer between the input and libav.
const BUFFER_BYTES: usize = 32 << 10;

/// A demuxer reads a file once, or a few times over. One that has read more than so many times of it, and so many bytes on
/// top, goes round in circles.
const MAX_ROUNDS: u64 = 64;
const SPARE_BYTES: u64 = 256 << 20;

/// What a call costs at least, in bytes.
const CALL_BYTES: u64 = 64;

/// The input, at a position, with what went wrong.
struct State {
    input: Input,
    position: u64,
    /// The bytes that may still be read.
    budget: u64,
    failure: Option<Error>,
}

/// An AVIOContext over an input.
pub(super) struct InputIo {
    context: NonNull<ffi::AVIOContext>,
    state: NonNull<State>,
}

// SAFETY: both parts are owned, and libav uses them only in calls on the demuxer that has this.
unsafe impl Send for InputIo {}

impl InputIo {
    /// The input from its first byte.
    ///
    /// # Errors
    /// When there is no memory.
    pub(super) fn new(input: Input) -> Result<Self> {
        let budget = input.num_bytes().saturating_mul(MAX_ROUNDS).saturating_add(SPARE_BYTES);
        let state = Box::new(State { input, position: 0, budget, failure: None });
        let state = NonNull::from(Box::leak(state));
        // SAFETY: returns memory or null.
        let buffer = unsafe { ffi::av_malloc(BUFFER_BYTES) };
        let size = c_int::try_from(BUFFER_BYTES).unwrap_or(0);
        let context = if buffer.is_null() {
            ptr::null_mut()
        } else {
            // SAFETY: the buffer is libav's own and has that size; the callbacks take the state, which lives until `drop`.
            unsafe {
                ffi::avio_alloc_context(
                    buffer.cast(),
                    size,
                    0,
                    state.as_ptr().cast(),
                    Some(read),
                    None,
                    Some(seek),
                )
            }
        };
        let Some(context) = NonNull::new(context) else {
            // SAFETY: the buffer is libav's or null, and nobody else has it.
            unsafe { ffi::av_free(buffer) };
            // SAFETY: it is the box that was leaked above, and nobody else has it.
            drop(unsafe { Box::from_raw(state.as_ptr()) });
            return Err(no_memory("reading the file"));
        };
        Ok(Self { context, state })
    }

    /// What libav is given.
    pub(super) fn as_ptr(&self) -> *mut ffi::AVIOContext {
        self.context.as_ptr()
    }

    /// What went wrong while reading, if anything did since it was asked last.
    pub(super) fn take_failure(&mut self) -> Option<Error> {
        // SAFETY: the state is owned by this, and no call of libav's is under way.
        unsafe { self.state.as_mut() }.failure.take()
    }
}

impl Drop for InputIo {
    fn drop(&mut self) {
        // SAFETY: the context is owned; libav may have put another buffer in place of the one it was given.
        let buffer = unsafe { &raw mut (*self.context.as_ptr()).buffer };
        // SAFETY: the buffer is libav's, and set to null.
        unsafe { ffi::av_freep(buffer.cast()) };
        let mut context = self.context.as_ptr();
        // SAFETY: the context is owned, and its demuxer was closed before.
        unsafe { ffi::avio_context_free(&raw mut context) };
        // SAFETY: it is the box that `new` leaked, and the context that had it is gone.
        drop(unsafe { Box::from_raw(self.state.as_ptr()) });
    }
}

impl State {
    /// Fills the front of a buffer; libav's code for an error or the end.
    fn read(&mut self, buffer: &mut [u8]) -> c_int {
        if self.failure.is_some() {
            return ffi::AVERROR(ffi::EIO);
        }
        match self.input.read_at(self.position, buffer) {
            Ok(0) => ffi::AVERROR_EOF,
            Ok(count) => {
                if let Err(failure) = self.spend((count as u64).max(CALL_BYTES)) {
                    self.failure = Some(failure);
                    return ffi::AVERROR(ffi::EIO);
                }
                self.position += count as u64;
                c_int::try_from(count).unwrap_or(ffi::AVERROR_EOF)
            }
            Err(failure) => {
                self.failure = Some(failure);
                ffi::AVERROR(ffi::EIO)
            }
        }
    }

    fn spend(&mut self, num_bytes: u64) -> Result<()> {
        let Some(budget) = self.budget.checked_sub(num_bytes) else {
            let message = format!(
                "more than {MAX_ROUNDS} times the {} bytes of the file were read, and there was no end",
                self.input.num_bytes()
            );
            return Err(Error::new(Status::BadData, message).at(self.position));
        };
        self.budget = budget;
        Ok(())
    }

    /// Moves to a place, or tells the size; libav's code for an error.
    fn seek(&mut self, offset: i64, whence: c_int) -> i64 {
        let size = i64::try_from(self.input.num_bytes()).unwrap_or(i64::MAX);
        if let Err(failure) = self.spend(CALL_BYTES) {
            self.failure = Some(failure);
            return ffi::AVERROR(ffi::EIO).into();
        }
        let base = match whence & !ffi::AVSEEK_FORCE {
            ffi::AVSEEK_SIZE => return size,
            ffi::SEEK_SET => 0,
            ffi::SEEK_CUR => i64::try_from(self.position).unwrap_or(i64::MAX),
            ffi::SEEK_END => size,
            _ => return ffi::AVERROR(ffi::EINVAL).into(),
        };
        let position = base.checked_add(offset).and_then(|position| u64::try_from(position).ok());
        match position {
            Some(position) => {
                self.position = position;
                base.saturating_add(offset)
            }
            None => ffi::AVERROR(ffi::EINVAL).into(),
        }
    }
}

unsafe extern "C" fn read(opaque: *mut c_void, buffer: *mut u8, size: c_int) -> c_int {
    let Ok(size) = usize::try_from(size) else { return ffi::AVERROR(ffi::EINVAL) };
    // SAFETY: the state lives as long as the context whose callback this is, which makes one call at a time.
    let state = unsafe { &mut *opaque.cast::<State>() };
    // SAFETY: libav gives room for so many bytes, which nothing was written to yet.
    unsafe { ptr::write_bytes(buffer, 0, size) };
    // SAFETY: they are initialised now, and nobody else uses them during the call.
    let buffer = unsafe { std::slice::from_raw_parts_mut(buffer, size) };
    panic::catch_unwind(AssertUnwindSafe(|| state.read(buffer))).unwrap_or(ffi::AVERROR_EXTERNAL)
}

unsafe extern "C" fn seek(opaque: *mut c_void, offset: i64, whence: c_int) -> i64 {
    // SAFETY: as in `read`.
    let state = unsafe { &mut *opaque.cast::<State>() };
    panic::catch_unwind(AssertUnwindSafe(|| state.seek(offset, whence)))
        .unwrap_or(ffi::AVERROR_EXTERNAL.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(num_bytes: usize) -> State {
        let bytes: Vec<u8> = (0..=255).cycle().take(num_bytes).collect();
        State { input: Input::from(bytes), position: 0, budget: 1000, failure: None }
    }

    #[test]
    fn bytes_are_read_up_to_the_end_and_none_behind() {
        let mut state = state(5);
        let mut buffer = [9; 4];
        assert_eq!((state.read(&mut buffer), buffer), (4, [0, 1, 2, 3]));
        assert_eq!((state.read(&mut buffer), buffer.first()), (1, Some(&4)));
        assert_eq!(state.read(&mut buffer), ffi::AVERROR_EOF);
        assert_eq!(state.seek(100, ffi::SEEK_SET), 100);
        assert_eq!(state.read(&mut buffer), ffi::AVERROR_EOF);
    }

    #[test]
    fn seeks_go_where_libav_says() {
        let mut state = state(10);
        assert_eq!(state.seek(0, ffi::AVSEEK_SIZE), 10);
        assert_eq!(state.seek(-3, ffi::SEEK_END), 7);
        assert_eq!(state.seek(2, ffi::SEEK_CUR | ffi::AVSEEK_FORCE), 9);
        assert!(state.seek(-1, ffi::SEEK_SET) < 0 && state.seek(i64::MAX, ffi::SEEK_CUR) < 0);
        assert!(state.seek(0, 77) < 0);
        assert_eq!(state.position, 9);
    }

    #[test]
    fn who_reads_in_circles_is_stopped() {
        let mut state = state(100);
        let mut buffer = [0; 100];
        for _ in 0..6 {
            assert_eq!(state.seek(0, ffi::SEEK_SET), 0);
            assert_eq!(state.read(&mut buffer), 100);
        }
        assert!(state.seek(0, ffi::SEEK_SET) < 0);
        assert_eq!(state.failure.as_ref().map(Error::status), Some(Status::BadData));
        assert!(state.read(&mut buffer) < 0, "and stays so");
    }
}
