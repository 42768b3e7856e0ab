//! The input of a decoder: guarded bytes, or a callback that uses all the freedom a callback has.

#![allow(unsafe_code)] // a callback from C

use std::ffi::{CStr, CString, c_void};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use mapwave_core::container;
use mapwave_core::host::PacketTrack;
use mapwave_plugin_abi::{mw_input, mw_track};

use crate::guard_pages::{GuardedBytes, Side};
use crate::verdict::Outcome;

/// How the read callback behaves.
#[derive(Clone, Copy, Debug)]
pub enum ReadPlan {
    /// It returns all requested bytes.
    Full,
    /// It returns some of the requested bytes, at least one; a seed decides how many.
    Short(u64),
    /// It returns at most this many bytes.
    AtMost(usize),
    /// As `Full`, but the read with this number, counted from 0, and all later ones fail.
    FailingFrom(u64),
    /// As `Full`, but the read with this number, counted from 0, fails.
    FailingAt(u64),
}

/// The bytes of a file, for as long as a handle needs them.
pub struct Input {
    num_bytes: u64,
    source: Source,
    track: Option<PacketTrack>,
    extension: Option<CString>,
}

enum Source {
    Memory(GuardedBytes),
    Callback(Box<Reader>),
}

/// What the callback's context points to.
struct Reader {
    bytes: GuardedBytes,
    plan: ReadPlan,
    num_reads: AtomicU64,
}

/// What a failing read returns.
const READ_ERROR: i64 = -5;

impl Reader {
    /// The bytes to copy, or a negative error.
    fn read(&self, offset: u64, num_bytes: u64) -> Result<&[u8], i64> {
        let number = self.num_reads.fetch_add(1, Ordering::Relaxed);
        let fails = match self.plan {
            ReadPlan::FailingFrom(first) => number >= first,
            ReadPlan::FailingAt(only) => number == only,
            ReadPlan::Full | ReadPlan::Short(_) | ReadPlan::AtMost(_) => false,
        };
        if fails {
            return Err(READ_ERROR);
        }
        let rest = usize::try_from(offset).ok().and_then(|offset| self.bytes.bytes().get(offset..));
        let rest = rest.unwrap_or_default();
        let mut count = rest.len().min(usize::try_from(num_bytes).unwrap_or(usize::MAX));
        if let ReadPlan::AtMost(most) = self.plan {
            count = count.min(most);
        }
        if let (ReadPlan::Short(seed), 2..) = (self.plan, count) {
            count = fastrand::Rng::with_seed(seed ^ number).usize(1..=count);
        }
        Ok(rest.get(..count).unwrap_or_default())
    }
}

unsafe extern "C" fn read_at(context: *mut c_void, offset: u64, buffer: *mut c_void, num_bytes: u64) -> i64 {
    // SAFETY: the context is the one of `open`: the reader, which every handle over it holds until it is closed, and which is only
    // read, but for an atomic counter.
    let reader = unsafe { &*context.cast::<Reader>() };
    match reader.read(offset, num_bytes) {
        Ok([]) => 0,
        Ok(_) if buffer.is_null() => READ_ERROR,
        Ok(bytes) => {
            // SAFETY: `read` gives at most `num_bytes` bytes, for which the caller has room at `buffer`, by the interface; what it
            // has there is none of this input's memory, which it may only read, and bytes need no alignment.
            unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), buffer.cast(), bytes.len()) };
            bytes.len() as i64
        }
        Err(error) => error,
    }
}

impl Input {
    /// Bytes in memory, directly next to an inaccessible page.
    pub fn memory(bytes: &[u8], side: Side) -> Outcome<Arc<Self>> {
        Self::memory_named(bytes, side, None)
    }

    /// As [`Input::memory`], with the extension of a file name as a hint.
    pub fn memory_named(bytes: &[u8], side: Side, extension: Option<CString>) -> Outcome<Arc<Self>> {
        let source = Source::Memory(GuardedBytes::new(bytes, side)?);
        Ok(Arc::new(Self { num_bytes: bytes.len() as u64, source, track: track(bytes), extension }))
    }

    /// Bytes behind a read callback.
    pub fn callback(bytes: &[u8], plan: ReadPlan) -> Outcome<Arc<Self>> {
        Self::callback_named(bytes, plan, None)
    }

    /// As [`Input::callback`], with the extension of a file name as a hint.
    pub fn callback_named(bytes: &[u8], plan: ReadPlan, extension: Option<CString>) -> Outcome<Arc<Self>> {
        let track = track(bytes);
        let bytes = GuardedBytes::new(bytes, Side::End)?;
        let num_bytes = bytes.bytes().len() as u64;
        let source = Source::Callback(Box::new(Reader { bytes, plan, num_reads: AtomicU64::new(0) }));
        Ok(Arc::new(Self { num_bytes, source, track, extension }))
    }

    /// The extension of the file name, if the decoder gets it.
    pub(crate) fn extension(&self) -> Option<&CStr> {
        self.extension.as_deref()
    }

    /// How often the callback was called.
    pub fn num_reads(&self) -> u64 {
        match &self.source {
            Source::Memory(_) => 0,
            Source::Callback(reader) => reader.num_reads.load(Ordering::Relaxed),
        }
    }

    /// The packets of a container that the host parses itself.
    pub fn track(&self) -> Option<mw_track> {
        self.track.as_ref().map(PacketTrack::to_abi)
    }

    /// The struct for `open` without the track; `size` may be that of a newer host.
    pub fn fields(&self, size: u32, extension: *const std::ffi::c_char) -> mw_input {
        let mut input = mw_input {
            size,
            flags: 0,
            data: std::ptr::null(),
            num_bytes: self.num_bytes,
            context: std::ptr::null_mut(),
            read_at: None,
            extension,
            track: std::ptr::null(),
            release: None,
        };
        match &self.source {
            Source::Memory(bytes) => input.data = bytes.data(),
            Source::Callback(reader) => {
                input.context = (&raw const **reader).cast_mut().cast();
                input.read_at = Some(read_at);
            }
        }
        input
    }
}

/// The track that mapwave's own container parser finds, if a plugin decodes it.
pub fn track(bytes: &[u8]) -> Option<PacketTrack> {
    container::parse(bytes, bytes.len() as u64).ok().as_ref().and_then(PacketTrack::new)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn reads_follow_their_plan() {
        let bytes: Vec<u8> = (0..100).collect();
        let reader = |plan| Reader {
            bytes: GuardedBytes::new(&bytes, Side::End).unwrap(),
            plan,
            num_reads: AtomicU64::new(0),
        };
        assert_eq!(reader(ReadPlan::Full).read(90, 50).unwrap(), bytes.get(90..).unwrap());
        assert!(reader(ReadPlan::Full).read(u64::MAX, 50).unwrap().is_empty());
        let short = reader(ReadPlan::Short(3));
        let lengths: Vec<usize> = (0..100).map(|_| short.read(0, 100).unwrap().len()).collect();
        assert!(lengths.iter().all(|length| (1..=100).contains(length)));
        assert!(lengths.iter().any(|length| *length != 100));
        let failing = reader(ReadPlan::FailingAt(1));
        assert!(failing.read(0, 1).is_ok());
        assert!(failing.read(0, 1).is_err());
        assert!(failing.read(0, 1).is_ok());
        let failing = reader(ReadPlan::FailingFrom(0));
        assert!(failing.read(0, 1).is_err());
        assert!(failing.read(0, 1).is_err());
    }

    #[test]
    fn nothing_is_copied_to_null() {
        let bytes = GuardedBytes::new(b"abc", Side::End).unwrap();
        let reader = Reader { bytes, plan: ReadPlan::Full, num_reads: AtomicU64::new(0) };
        let context = (&raw const reader).cast_mut().cast();
        // SAFETY: the context is a reader that outlives the call; null is rejected before anything is written.
        assert_eq!(unsafe { read_at(context, 0, std::ptr::null_mut(), 3) }, READ_ERROR);
        // SAFETY: as above; there is nothing to write at the end of the file.
        assert_eq!(unsafe { read_at(context, 3, std::ptr::null_mut(), 3) }, 0);
    }
}
