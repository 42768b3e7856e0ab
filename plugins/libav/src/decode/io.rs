//! The host's bytes as an AVIOContext: memory and callbacks, never a path.

#![allow(unsafe_code)] // callbacks of libav's

use std::ffi::{c_int, c_void};
use std::panic::{self, AssertUnwindSafe};
use std::ptr::{self, NonNull};

use ffmpeg_sys_next as ffi;
use mapwave_plugin::{Error, Input, Result, Status, Sweep};

use crate::error::no_memory;

/// The buffer between the input and libav.
const BUFFER_BYTES: usize = 32 << 10;

/// A demuxer reads a file once or twice, and a small one a few times. One that has read it more often than this, plus a constant
/// number of bytes, goes in circles.
const MAX_ROUNDS: u64 = 16;
const SPARE_BYTES: u64 = 16 << 20;

/// The minimum cost of a call in bytes.
const CALL_BYTES: u64 = 64;

/// The input, the current position and the last error.
struct State {
    input: Input,
    /// The data read is in libav's buffer.
    sweep: Sweep,
    position: u64,
    /// The last read.
    bytes: Vec<u8>,
    /// The number of bytes that may still be read.
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
    /// When memory runs out.
    pub(super) fn new(input: Input) -> Result<Self> {
        let budget = input.num_bytes().saturating_mul(MAX_ROUNDS).saturating_add(SPARE_BYTES);
        let state = NonNull::from(Box::leak(Box::new(State::new(input, budget))));
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

    /// The pointer for libav.
    pub(super) fn as_ptr(&self) -> *mut ffi::AVIOContext {
        self.context.as_ptr()
    }

    /// The read error since the last call of this function, if any.
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
    fn new(input: Input, budget: u64) -> Self {
        let sweep = Sweep::new(input.clone(), 0);
        Self { input, sweep, position: 0, bytes: vec![0; BUFFER_BYTES], budget, failure: None }
    }

    /// Reads up to this many bytes into `bytes`; returns their number, or libav's code for an error or the end.
    fn read(&mut self, size: usize) -> Result<usize, c_int> {
        match self.next(size) {
            Ok(0) => Err(ffi::AVERROR_EOF),
            Ok(count) => Ok(count),
            Err(failure) => {
                self.failure.get_or_insert(failure);
                Err(ffi::AVERROR(ffi::EIO))
            }
        }
    }

    fn next(&mut self, size: usize) -> Result<usize> {
        if self.failure.is_some() {
            return Err(Error::new(Status::Io, "an earlier read failed"));
        }
        let room = self.bytes.get_mut(..size.min(BUFFER_BYTES)).unwrap_or_default();
        let count = self.input.read_at(self.position, room)?;
        if count > 0 {
            self.spend((count as u64).max(CALL_BYTES))?;
        }
        self.position += count as u64;
        self.sweep.pass(usize::try_from(self.position).unwrap_or(usize::MAX));
        Ok(count)
    }

    fn spend(&mut self, num_bytes: u64) -> Result<()> {
        let Some(budget) = self.budget.checked_sub(num_bytes) else {
            let message = format!(
                "the {} bytes of the file were read more than {MAX_ROUNDS} times without reaching the end",
                self.input.num_bytes()
            );
            return Err(Error::new(Status::BadData, message).at(self.position));
        };
        self.budget = budget;
        Ok(())
    }

    /// Seeks, or returns the size; libav's code on an error.
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
    let count = match panic::catch_unwind(AssertUnwindSafe(|| state.read(size))) {
        Ok(Ok(count)) => count,
        Ok(Err(code)) => return code,
        Err(_) => return ffi::AVERROR_EXTERNAL,
    };
    let bytes = state.bytes.get(..count.min(size)).unwrap_or_default();
    // libav requires that no more bytes are written than are read: at the end it still uses the old contents of the buffer.
    // SAFETY: the bytes are at most as many as libav has room for there, and lie elsewhere.
    unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), buffer, bytes.len()) };
    c_int::try_from(bytes.len()).unwrap_or(ffi::AVERROR_EXTERNAL)
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

    fn state(num_bytes: u8) -> State {
        let input = Input::from((0..num_bytes).collect::<Vec<u8>>());
        State::new(input, 1000)
    }

    #[test]
    fn bytes_are_read_up_to_the_end_and_none_behind() {
        let mut state = state(5);
        assert_eq!((state.read(4), state.bytes.get(..4)), (Ok(4), Some(&[0, 1, 2, 3][..])));
        assert_eq!((state.read(4), state.bytes.first()), (Ok(1), Some(&4)));
        assert_eq!(state.read(4), Err(ffi::AVERROR_EOF));
        assert_eq!(state.seek(100, ffi::SEEK_SET), 100);
        assert_eq!(state.read(4), Err(ffi::AVERROR_EOF));
    }

    #[test]
    fn what_libav_has_stays_as_it_is_at_the_end() {
        let mut io = state(2);
        let mut buffer = [9; 4];
        let opaque = (&raw mut io).cast();
        // SAFETY: the state is there, and the buffer has room for four bytes.
        assert_eq!(unsafe { read(opaque, buffer.as_mut_ptr(), 4) }, 2);
        assert_eq!(buffer, [0, 1, 9, 9]);
        // SAFETY: as above.
        assert_eq!(unsafe { read(opaque, buffer.as_mut_ptr(), 4) }, ffi::AVERROR_EOF);
        assert_eq!(buffer, [0, 1, 9, 9]);
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
        for _ in 0..6 {
            assert_eq!(state.seek(0, ffi::SEEK_SET), 0);
            assert_eq!(state.read(100), Ok(100));
        }
        assert!(state.seek(0, ffi::SEEK_SET) < 0);
        assert_eq!(state.failure.as_ref().map(Error::status), Some(Status::BadData));
        assert!(state.read(1).is_err(), "and stays so");
    }
}
