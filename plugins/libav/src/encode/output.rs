//! The output of a muxer: an AVIOContext whose callbacks write to the host's sink.

#![allow(unsafe_code)] // libav's callbacks and what they point to

use std::ffi::{c_int, c_void};
use std::panic::{self, AssertUnwindSafe};
use std::ptr::NonNull;

use ffmpeg_sys_next as ffi;
use mapwave_plugin::{Error, Result, Sink, Status};

use crate::error::no_memory;

/// The size of libav's write buffer.
pub(super) const BUFFER_BYTES: u16 = 1 << 15;

/// The constants of `lseek`, which libav uses.
const SEEK_SET: c_int = 0;
const SEEK_CUR: c_int = 1;
const SEEK_END: c_int = 2;

/// The state of the callbacks.
struct Target {
    sink: Sink,
    /// The position of the next write.
    position: u64,
    /// The first error. Nothing is written after it.
    error: Option<Error>,
}

impl Target {
    /// Writes at the position, over existing bytes and past them.
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let end = self.sink.num_bytes();
        let Some(there) = end.checked_sub(self.position) else {
            let message = format!("libav wrote at byte {} of {end}, past the end", self.position);
            return Err(Error::new(Status::Internal, message));
        };
        let there = usize::try_from(there).unwrap_or(usize::MAX);
        let (over, behind) = bytes.split_at_checked(there).unwrap_or((bytes, &[]));
        if !over.is_empty() {
            self.sink.overwrite(self.position, over)?;
        }
        if !behind.is_empty() {
            self.sink.append(behind)?;
        }
        self.position += bytes.len() as u64;
        Ok(())
    }

    /// Writes bytes unless an earlier write failed, and keeps the first error.
    fn receive(&mut self, bytes: &[u8]) -> bool {
        if self.error.is_none() {
            self.error = self.write(bytes).err();
        }
        self.error.is_none()
    }

    fn seek(&mut self, offset: i64, whence: c_int) -> Option<u64> {
        let end = self.sink.num_bytes();
        let from = match whence & !ffi::AVSEEK_FORCE {
            ffi::AVSEEK_SIZE => return Some(end),
            SEEK_SET => 0,
            SEEK_CUR => self.position,
            SEEK_END => end,
            _ => return None,
        };
        self.position = from.checked_add_signed(offset).filter(|position| *position <= end)?;
        Some(self.position)
    }
}

/// An AVIOContext that writes into a sink.
pub(super) struct SinkContext {
    context: NonNull<ffi::AVIOContext>,
    /// From `Box::into_raw`. libav's callbacks, which run only within libav's calls, and the methods here, which run only
    /// between them, make references of it that never live at once.
    target: NonNull<Target>,
}

// SAFETY: both pointers are owned alone; nothing in an AVIOContext or a Target is tied to a thread, and a Sink is Send.
unsafe impl Send for SinkContext {}

impl SinkContext {
    pub(super) fn new(sink: Sink) -> Result<Self> {
        let is_append_only = sink.is_append_only();
        // SAFETY: allocates; the result is checked.
        let buffer = unsafe { ffi::av_malloc(BUFFER_BYTES.into()) };
        let Some(buffer) = NonNull::new(buffer) else {
            return Err(no_memory("the bytes to be written"));
        };
        let position = sink.num_bytes();
        let target = Box::into_raw(Box::new(Target { sink, position, error: None }));
        let seek_callback: SeekCallback = seek;
        // SAFETY: the buffer is av_malloc's and as large; the callbacks take the target, which lives as long as the context.
        let context = unsafe {
            ffi::avio_alloc_context(
                buffer.as_ptr().cast(),
                BUFFER_BYTES.into(),
                1,
                target.cast(),
                None,
                Some(write),
                (!is_append_only).then_some(seek_callback),
            )
        };
        // SAFETY: Box::into_raw gives no null.
        let target = unsafe { NonNull::new_unchecked(target) };
        let Some(context) = NonNull::new(context) else {
            // SAFETY: nobody took the buffer.
            unsafe { ffi::av_free(buffer.as_ptr()) };
            // SAFETY: from Box::into_raw above, and nobody else has it.
            drop(unsafe { Box::from_raw(target.as_ptr()) });
            return Err(no_memory("the bytes to be written"));
        };
        Ok(Self { context, target })
    }

    /// The context for the muxer, which must be dropped before the output.
    pub(super) fn as_ptr(&mut self) -> *mut ffi::AVIOContext {
        self.context.as_ptr()
    }

    /// The error of a write, if one failed.
    ///
    /// # Errors
    /// The first error, on every call.
    pub(super) fn check(&self) -> Result<()> {
        // SAFETY: the target is alive, and no callback runs now.
        let target = unsafe { self.target.as_ref() };
        target.error.clone().map_or(Ok(()), Err)
    }

    /// Flushes libav's buffer.
    pub(super) fn flush(&mut self) -> Result<()> {
        // SAFETY: the context is alive and open for writing.
        unsafe { ffi::avio_flush(self.context.as_ptr()) };
        self.check()
    }

    /// The number of bytes written, libav's buffer included.
    pub(super) fn num_bytes(&self) -> u64 {
        // SAFETY: the target is alive, and no callback runs now.
        unsafe { self.target.as_ref() }.sink.num_bytes()
    }

    /// Overwrites bytes that were written before.
    pub(super) fn overwrite(&mut self, offset: u64, bytes: &[u8]) -> Result<()> {
        self.check()?;
        // SAFETY: the target is alive, no callback runs now, and `self` is borrowed alone.
        let target = unsafe { self.target.as_mut() };
        target.sink.overwrite(offset, bytes)
    }
}

impl Drop for SinkContext {
    fn drop(&mut self) {
        // SAFETY: the context is alive.
        let buffer = unsafe { &raw mut (*self.context.as_ptr()).buffer };
        // SAFETY: the context's buffer is av_malloc's, possibly another one by now, and nobody else frees it.
        unsafe { ffi::av_freep(buffer.cast()) };
        let mut context = self.context.as_ptr();
        // SAFETY: the context is alive; it is freed without writing what it has gathered.
        unsafe { ffi::avio_context_free(&raw mut context) };
        // SAFETY: from Box::into_raw, and the context that knew it is gone.
        drop(unsafe { Box::from_raw(self.target.as_ptr()) });
    }
}

type SeekCallback = unsafe extern "C" fn(*mut c_void, i64, c_int) -> i64;

/// The start of the bytes: libav passes a pointer to const bytes from version 7 on, and to mutable ones before.
trait Bytes {
    fn start(self) -> *const u8;
}

impl Bytes for *mut u8 {
    fn start(self) -> *const u8 {
        self
    }
}

impl Bytes for *const u8 {
    fn start(self) -> *const u8 {
        self
    }
}

unsafe extern "C" fn write<B: Bytes>(target: *mut c_void, bytes: B, num_bytes: c_int) -> c_int {
    let start = bytes.start();
    let count = usize::try_from(num_bytes).unwrap_or(0);
    if count == 0 || start.is_null() {
        return 0;
    }
    // SAFETY: libav passes as many bytes for the time of the call.
    let bytes = unsafe { std::slice::from_raw_parts(start, count) };
    // SAFETY: what `new` passed, alive as long as the context; the methods of SinkContext are not at work while libav is.
    let target = unsafe { &mut *target.cast::<Target>() };
    // No panic may cross this boundary: libav is on both sides.
    let is_written = panic::catch_unwind(AssertUnwindSafe(|| target.receive(bytes)));
    if is_written.unwrap_or(false) { num_bytes } else { ffi::AVERROR(ffi::EIO) }
}

unsafe extern "C" fn seek(target: *mut c_void, offset: i64, whence: c_int) -> i64 {
    // SAFETY: as in `write`.
    let target = unsafe { &mut *target.cast::<Target>() };
    let position = target.seek(offset, whence).and_then(|position| i64::try_from(position).ok());
    position.unwrap_or_else(|| ffi::AVERROR(ffi::EINVAL).into())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_over_and_behind() {
        let (sink, bytes) = Sink::in_memory();
        let mut target = Target { sink, position: 0, error: None };
        assert!(target.receive(b"abcdef"));
        assert_eq!(target.seek(-2, SEEK_CUR), Some(4));
        assert!(target.receive(b"EFGH"));
        assert_eq!(target.seek(1, SEEK_SET), Some(1));
        assert!(target.receive(b"B"));
        assert_eq!(target.seek(0, ffi::AVSEEK_SIZE), Some(8));
        assert_eq!((target.seek(1, SEEK_END), target.seek(-9, SEEK_END)), (None, None));
        assert_eq!(*bytes.lock().unwrap(), b"aBcdEFGH");
    }

    #[test]
    fn an_abandoned_output_writes_nothing() {
        let (sink, bytes) = Sink::in_memory();
        let mut output = SinkContext::new(sink).unwrap();
        // SAFETY: the context is alive.
        unsafe { ffi::avio_w8(output.as_ptr(), 7) };
        drop(output);
        assert!(bytes.lock().unwrap().is_empty());
    }
}
