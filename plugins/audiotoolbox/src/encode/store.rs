//! The framework's output, before it goes to the sink.
//!
//! The framework writes at any position: it returns to headers, reads what it wrote, and truncates the file.
//! A sink accepts bytes only at its end and over existing ones. So a file is kept in memory until it is complete. If it is
//! too large for that, its middle is flushed to the sink early; its beginning and end, to which the framework may
//! return, are kept.

#![allow(unsafe_code)] // callbacks from the framework

use std::ffi::c_void;
use std::panic::{self, AssertUnwindSafe};
use std::ptr;

use mapwave_plugin::{Error, Result, Sink, Status};

use crate::audio_file::{Callbacks, Client};
use crate::sys::{OSStatus, ioErr, paramErr};

/// The size of a block, which is kept or flushed as a whole.
const BLOCK_BYTES: usize = 64 << 10;

/// The number of blocks at the beginning and at the end that are always kept.
const KEPT_BLOCKS: usize = 16;

/// A file in blocks.
#[derive(Debug)]
pub(super) struct Store {
    sink: Sink,
    /// `None` for blocks that only the sink has.
    blocks: Vec<Option<Box<[u8]>>>,
    num_bytes: u64,
    /// The number of blocks that the sink has, from the first on.
    num_flushed: usize,
    /// The maximum number of blocks in memory.
    max_held: usize,
    failure: Option<Error>,
}

impl Store {
    /// A store of at most `max_bytes`, or the minimum.
    pub(super) fn new(sink: Sink, max_bytes: u64) -> Self {
        let max_held = usize::try_from(max_bytes / BLOCK_BYTES as u64).unwrap_or(usize::MAX);
        Self {
            sink,
            blocks: Vec::new(),
            num_bytes: 0,
            num_flushed: 0,
            max_held: max_held.max(2 * KEPT_BLOCKS + 1),
            failure: None,
        }
    }

    pub(super) fn callbacks() -> Callbacks {
        Callbacks { read, write, num_bytes, set_num_bytes }
    }

    /// The minimum memory of a store.
    pub(super) const MIN_BYTES: u64 = ((2 * KEPT_BLOCKS + 1) * BLOCK_BYTES) as u64;

    /// Flushes everything to the sink.
    ///
    /// # Errors
    /// [`Status::Io`] when it cannot write.
    pub(super) fn finish(mut self) -> Result<()> {
        for number in 0..self.num_flushed {
            if let Some(block) = self.blocks.get(number).and_then(Option::as_deref) {
                self.sink.overwrite((number * BLOCK_BYTES) as u64, block)?;
            }
        }
        for (number, block) in self.blocks.iter().enumerate().skip(self.num_flushed) {
            let rest = self.num_bytes.saturating_sub((number * BLOCK_BYTES) as u64);
            let count = usize::try_from(rest).unwrap_or(BLOCK_BYTES).min(BLOCK_BYTES);
            let bytes = block.as_deref().and_then(|block| block.get(..count)).unwrap_or_default();
            self.sink.append(bytes)?;
        }
        Ok(())
    }

    /// Returns the sink unchanged, for an abandoned file.
    pub(super) fn into_sink(self) -> Sink {
        self.sink
    }

    fn place(position: i64) -> Result<u64> {
        u64::try_from(position)
            .map_err(|_| Error::new(Status::Internal, format!("AudioToolbox asked for bytes at {position}")))
    }

    /// Copies bytes to `to` as far as they exist; returns their number.
    fn read_into(&mut self, position: i64, to: &mut [u8]) -> Result<usize> {
        let start = Self::place(position)?;
        let rest = self.num_bytes.saturating_sub(start);
        let count = to.len().min(usize::try_from(rest).unwrap_or(usize::MAX));
        let mut done = 0;
        while done < count {
            let (number, offset) = split(start + done as u64);
            let Some(block) = self.blocks.get(number).and_then(Option::as_deref) else {
                let message = format!(
                    "AudioToolbox read byte {} of {} again, which has already been written",
                    start, self.num_bytes
                );
                return Err(Error::new(Status::Limit, message));
            };
            let from = block.get(offset..).unwrap_or_default();
            let room = to.get_mut(done..count).unwrap_or_default();
            let piece = from.len().min(room.len());
            room.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
            done += piece;
        }
        Ok(count)
    }

    fn write_from(&mut self, position: i64, bytes: &[u8]) -> Result<()> {
        let start = Self::place(position)?;
        let end = start.checked_add(bytes.len() as u64).filter(|end| *end <= i64::MAX as u64);
        let end = end.ok_or_else(|| Error::new(Status::Limit, "more bytes than a file can have"))?;
        let mut done = 0;
        while let Some(rest) = bytes.get(done..).filter(|rest| !rest.is_empty()) {
            let (number, offset) = split(start + done as u64);
            self.grow(number + 1)?;
            let piece = rest.get(..rest.len().min(BLOCK_BYTES - offset)).unwrap_or_default();
            match self.blocks.get_mut(number) {
                Some(Some(block)) => {
                    let room = block.get_mut(offset..).unwrap_or_default();
                    room.iter_mut().zip(piece).for_each(|(to, from)| *to = *from);
                }
                _ => self.sink.overwrite(start + done as u64, piece)?,
            }
            done += piece.len();
        }
        self.num_bytes = self.num_bytes.max(end);
        Ok(())
    }

    /// Allocates this many blocks, filled with zeros.
    fn grow(&mut self, num_blocks: usize) -> Result<()> {
        while self.blocks.len() < num_blocks {
            self.blocks.push(Some(vec![0; BLOCK_BYTES].into_boxed_slice()));
            if self.blocks.iter().skip(self.num_flushed).count() + KEPT_BLOCKS > self.max_held {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// Flushes all blocks but the last ones to the sink.
    fn flush(&mut self) -> Result<()> {
        if self.sink.is_append_only() {
            let message = format!(
                "a file of more than {} bytes requires a seekable file, because its header is written last",
                self.num_bytes
            );
            return Err(Error::new(Status::Limit, message));
        }
        let end = self.blocks.len().saturating_sub(KEPT_BLOCKS);
        for number in self.num_flushed..end {
            let Some(place) = self.blocks.get_mut(number) else { break };
            let Some(block) = place.as_deref() else { break };
            self.sink.append(block)?;
            self.num_flushed = number + 1;
            if number >= KEPT_BLOCKS {
                *place = None;
            }
        }
        Ok(())
    }

    fn resize(&mut self, num_bytes: i64) -> Result<()> {
        let num_bytes = Self::place(num_bytes)?;
        let flushed = (self.num_flushed * BLOCK_BYTES) as u64;
        if num_bytes < flushed {
            let message = format!(
                "AudioToolbox truncates the file to {num_bytes} bytes, but {flushed} have already been written"
            );
            return Err(Error::new(Status::Limit, message));
        }
        let num_blocks = usize::try_from(num_bytes.div_ceil(BLOCK_BYTES as u64)).unwrap_or(usize::MAX);
        if num_bytes > self.num_bytes {
            self.grow(num_blocks)?;
        }
        self.blocks.truncate(num_blocks);
        // Truncated bytes are zero if the file grows again.
        let (number, offset) = split(num_bytes);
        if let Some(Some(block)) = self.blocks.get_mut(number) {
            block.get_mut(offset..).unwrap_or_default().fill(0);
        }
        self.num_bytes = num_bytes;
        Ok(())
    }
}

impl Client for Store {
    fn take_failure(&mut self) -> Option<Error> {
        self.failure.take()
    }
}

/// The block of a position, and the offset in it.
fn split(position: u64) -> (usize, usize) {
    let block = usize::try_from(position / BLOCK_BYTES as u64).unwrap_or(usize::MAX);
    (block, usize::try_from(position % BLOCK_BYTES as u64).unwrap_or(0))
}

/// Runs the body of a callback; keeps its error for the caller of the framework.
///
/// # Safety
/// `client` is the store of a file, which makes one call at a time.
unsafe fn with<T>(client: *mut c_void, work: impl FnOnce(&mut Store) -> Result<T>) -> Result<T, OSStatus> {
    // SAFETY: the store lives as long as the file whose callback this is.
    let store = unsafe { &mut *client.cast::<Store>() };
    match panic::catch_unwind(AssertUnwindSafe(|| work(store))) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(failure)) => {
            store.failure.get_or_insert(failure);
            Err(ioErr)
        }
        Err(_) => Err(paramErr),
    }
}

unsafe extern "C" fn read(
    client: *mut c_void,
    position: i64,
    num_bytes: u32,
    to: *mut c_void,
    num_read: *mut u32,
) -> OSStatus {
    // Into our own memory first: the framework's memory may be uninitialised.
    let mut bytes = vec![0; num_bytes as usize];
    // SAFETY: the client is a store.
    let result = unsafe { with(client, |store| store.read_into(position, &mut bytes)) };
    let count = *result.as_ref().unwrap_or(&0);
    // SAFETY: no more bytes than the framework has room for, into memory that is not ours.
    unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), to.cast(), count.min(bytes.len())) };
    // SAFETY: the framework passes a number to be written.
    unsafe { num_read.write(u32::try_from(count).unwrap_or(num_bytes)) };
    result.err().unwrap_or(0)
}

unsafe extern "C" fn write(
    client: *mut c_void,
    position: i64,
    num_bytes: u32,
    from: *const c_void,
    num_written: *mut u32,
) -> OSStatus {
    let bytes = match num_bytes {
        0 => &[],
        // SAFETY: the framework has that many bytes there, and waits.
        _ => unsafe { std::slice::from_raw_parts(from.cast::<u8>(), num_bytes as usize) },
    };
    // SAFETY: the client is a store.
    let result = unsafe { with(client, |store| store.write_from(position, bytes)) };
    // SAFETY: the framework passes a number to be written.
    unsafe { num_written.write(if result.is_ok() { num_bytes } else { 0 }) };
    result.err().unwrap_or(0)
}

unsafe extern "C" fn num_bytes(client: *mut c_void) -> i64 {
    // SAFETY: the client is a store.
    let size = unsafe { with(client, |store| Ok(store.num_bytes)) };
    size.map_or(0, |size| i64::try_from(size).unwrap_or(i64::MAX))
}

unsafe extern "C" fn set_num_bytes(client: *mut c_void, num_bytes: i64) -> OSStatus {
    // SAFETY: the client is a store.
    unsafe { with(client, |store| store.resize(num_bytes)) }.err().unwrap_or(0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn nothing_reaches_the_sink_before_the_end_of_a_small_file() {
        let (sink, bytes) = Sink::in_memory();
        let mut store = Store::new(sink, 0);
        store.write_from(10, b"data").unwrap();
        store.write_from(0, b"head").unwrap();
        store.write_from(14, b"index, and more").unwrap();
        store.resize(19).unwrap();
        let mut read = [9; 8];
        assert_eq!(store.read_into(12, &mut read).unwrap(), 7);
        assert_eq!(&read, b"taindex\x09");
        assert_eq!(store.read_into(19, &mut read).unwrap(), 0);
        assert!(bytes.lock().unwrap().is_empty());
        store.finish().unwrap();
        assert_eq!(*bytes.lock().unwrap(), b"head\0\0\0\0\0\0dataindex");
    }

    #[test]
    fn what_was_cut_off_is_zero_when_the_file_grows() {
        let (sink, bytes) = Sink::in_memory();
        let mut store = Store::new(sink, 0);
        store.write_from(0, b"abcdef").unwrap();
        store.resize(2).unwrap();
        store.resize(5).unwrap();
        store.write_from(4, b"x").unwrap();
        store.finish().unwrap();
        assert_eq!(*bytes.lock().unwrap(), b"ab\0\0x");
    }

    /// Bytes that differ from block to block.
    fn pattern(num_bytes: usize) -> Vec<u8> {
        (0..num_bytes).map(|place| u8::try_from((place * 7 + place / 251) % 256).unwrap()).collect()
    }

    #[test]
    fn the_middle_of_a_large_file_goes_early_and_its_ends_can_be_changed() {
        let (sink, bytes) = Sink::in_memory();
        let mut store = Store::new(sink, 0);
        let mut expected = pattern(100 * BLOCK_BYTES + 17);
        for (number, piece) in expected.chunks(10_007).enumerate() {
            store.write_from(i64::try_from(number * 10_007).unwrap(), piece).unwrap();
        }
        let held = store.blocks.iter().flatten().count();
        assert!(held <= store.max_held, "{held}");
        assert!(bytes.lock().unwrap().len() > 60 * BLOCK_BYTES);
        // A header, a byte in the middle, and the end.
        let end = expected.len() - 5;
        for (place, text) in [(3, "header"), (50 * BLOCK_BYTES, "middle"), (end, "index and tail")] {
            store.write_from(i64::try_from(place).unwrap(), text.as_bytes()).unwrap();
            expected.resize(expected.len().max(place + text.len()), 0);
            expected.get_mut(place..place + text.len()).unwrap().copy_from_slice(text.as_bytes());
        }
        let mut read = [0; 6];
        assert_eq!(store.read_into(3, &mut read).unwrap(), 6);
        assert_eq!(&read, b"header");
        let error = store.read_into(i64::try_from(50 * BLOCK_BYTES).unwrap(), &mut read).unwrap_err();
        assert_eq!(error.status(), Status::Limit);
        assert_eq!(store.resize(10).unwrap_err().status(), Status::Limit);
        store.finish().unwrap();
        assert!(*bytes.lock().unwrap() == expected);
    }

    #[test]
    fn places_that_no_file_has_are_refused() {
        let mut store = Store::new(Sink::in_memory().0, 0);
        assert!(store.write_from(-1, b"x").is_err() && store.read_into(-1, &mut [0]).is_err());
        assert!(store.write_from(i64::MAX, b"x").is_err() && store.resize(-1).is_err());
    }
}
