//! The bytes of the file to decode.

#![allow(unsafe_code)] // what the host passes by pointer

use std::ffi::c_void;
use std::fmt;
use std::ops::{Deref, Range};
use std::sync::Arc;

use mapwave_plugin_abi as abi;

use crate::error::{Error, Result, Status};
use crate::guard::outside;

type Release = unsafe extern "C" fn(*mut c_void, u64, u64);
type ReadAt = unsafe extern "C" fn(*mut c_void, u64, *mut c_void, u64) -> i64;

/// The bytes of a file: in memory if the host could map it, or else read by a callback. Cheap to clone.
///
/// It is valid while the decoder opened with it, or a fork of that, lives; do not keep it elsewhere.
///
/// ```
/// use mapwave_plugin::Input;
///
/// let input = Input::from(b"RIFF....WAVE".to_vec());
/// let mut form = [0; 8];
/// assert_eq!(input.read_at(8, &mut form)?, 4, "the file ends there");
/// assert_eq!(&form[..4], b"WAVE");
/// assert_eq!((input.num_bytes(), input.bytes().map(<[u8]>::len)), (12, Some(12)));
/// # Ok::<(), mapwave_plugin::Error>(())
/// ```
#[derive(Clone)]
pub struct Input {
    bytes: Bytes,
    num_bytes: u64,
    is_costly: bool,
}

#[derive(Clone)]
enum Bytes {
    /// The host's memory, valid and constant until every handle is closed (R8), and the callback that releases parts of
    /// it.
    Mapped { data: *const u8, context: *mut c_void, release: Option<Release> },
    /// The host's callback, callable until every handle is closed, from any thread.
    Callback { context: *mut c_void, read_at: ReadAt },
    /// Memory of the plugin.
    Owned(Arc<[u8]>),
}

// SAFETY: mapped bytes are only read, the callbacks may be called from any thread any number of times at once, by the
// contract of `mw_input`; owned bytes are Send and Sync.
unsafe impl Send for Input {}
// SAFETY: as above.
unsafe impl Sync for Input {}

impl Input {
    /// The input that the host passed to `open`.
    ///
    /// # Safety
    /// `input` keeps the contract of [`abi::mw_input`], and the result and its clones are dropped before the handle that
    /// was opened with it, or its last fork, has been closed.
    pub(crate) unsafe fn from_host(input: &abi::mw_input) -> Result<Self> {
        let bytes = match input.read_at {
            _ if !input.data.is_null() => {
                Bytes::Mapped { data: input.data, context: input.context, release: input.release }
            }
            Some(read_at) => Bytes::Callback { context: input.context, read_at },
            None if input.num_bytes == 0 => Bytes::Owned(Arc::from([])),
            None => return Err(Error::new(Status::BadArgument, "the input has neither bytes nor read_at")),
        };
        let is_costly = input.flags & abi::MW_INPUT_COSTLY != 0;
        Ok(Self { bytes, num_bytes: input.num_bytes, is_costly })
    }

    /// The length of the file.
    pub fn num_bytes(&self) -> u64 {
        self.num_bytes
    }

    /// Whether bytes are fetched when they are read, as those of a server are, so that few of them should be.
    pub fn is_costly(&self) -> bool {
        self.is_costly
    }

    /// The bytes, if they are in memory.
    ///
    /// They are the pages of the file: another process may change them at any time.
    pub fn bytes(&self) -> Option<&[u8]> {
        match &self.bytes {
            Bytes::Mapped { data, .. } => {
                let num_bytes = usize::try_from(self.num_bytes).ok()?;
                // SAFETY: the host keeps `num_bytes` bytes readable there for as long as a handle is open, and this
                // value does not outlive the handle, by the contract of `from_host`.
                Some(unsafe { std::slice::from_raw_parts(*data, num_bytes) })
            }
            Bytes::Owned(bytes) => Some(bytes),
            Bytes::Callback { .. } => None,
        }
    }

    /// Reads from `offset` on until `buffer` is full or the file ends, and returns the number of bytes.
    ///
    /// # Errors
    /// [`Status::Io`] when the host cannot read.
    pub fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        let Bytes::Callback { context, read_at } = &self.bytes else {
            let start = usize::try_from(offset).unwrap_or(usize::MAX);
            let rest = self.bytes().and_then(|bytes| bytes.get(start..)).unwrap_or_default();
            let num_bytes = rest.len().min(buffer.len());
            buffer.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
            return Ok(num_bytes);
        };
        let mut filled = 0;
        while let Some(room) = buffer.get_mut(filled..).filter(|room| !room.is_empty()) {
            let place = offset.saturating_add(filled as u64);
            // SAFETY: the callback is the host's, which takes any offset and writes at most as many bytes as the buffer
            // has.
            let read = || unsafe { read_at(*context, place, room.as_mut_ptr().cast(), room.len() as u64) };
            let count = outside(read);
            match usize::try_from(count) {
                Ok(0) => break,
                Ok(count) if count <= room.len() => filled += count,
                Ok(count) => {
                    let message =
                        format!("read_at returned {count} bytes, more than the requested {}", room.len());
                    return Err(Error::new(Status::Io, message).at(place));
                }
                Err(_) => {
                    return Err(Error::new(Status::Io, "the host could not read the file")
                        .at(place)
                        .with_native_code(count));
                }
            }
        }
        Ok(filled)
    }

    /// Tells the host that these bytes are not needed for now, so that their memory may be released. They can be read
    /// again at any time.
    pub fn release(&self, range: Range<u64>) {
        let Bytes::Mapped { context, release: Some(release), .. } = self.bytes else { return };
        let end = range.end.min(self.num_bytes);
        if let Some(num_bytes) = end.checked_sub(range.start).filter(|num_bytes| *num_bytes > 0) {
            // SAFETY: the callback is the host's, which takes any part of the file, from any thread.
            outside(|| unsafe { release(context, range.start, num_bytes) });
        }
    }

    /// The whole file in memory, for decoders that need it there: mapped if possible, or else read.
    ///
    /// # Errors
    /// [`Status::Limit`] when it must be read and is larger than `max_alloc`; [`Status::Io`] when it cannot be read.
    pub fn into_memory(self, max_alloc: u64) -> Result<Memory> {
        if !matches!(self.bytes, Bytes::Callback { .. }) {
            return Ok(Memory { input: self });
        }
        let num_bytes = usize::try_from(self.num_bytes).ok().filter(|_| self.num_bytes <= max_alloc);
        let Some(num_bytes) = num_bytes else {
            let message =
                format!("the file has {} bytes, but only {max_alloc} may be allocated", self.num_bytes);
            return Err(Error::new(Status::Limit, message));
        };
        let mut bytes = Vec::new();
        let reserved = bytes.try_reserve_exact(num_bytes);
        reserved.map_err(|_| {
            Error::new(Status::NoMemory, format!("not enough memory for a file of {num_bytes} bytes"))
        })?;
        bytes.resize(num_bytes, 0);
        let count = self.read_at(0, &mut bytes)?;
        if count < num_bytes {
            let message =
                format!("the file ends at byte {count}; it had {num_bytes} bytes when it was opened");
            return Err(Error::new(Status::Io, message).at(count as u64));
        }
        Ok(Memory { input: Self::from(bytes) })
    }
}

/// The same bytes, for another decoder.
impl From<Memory> for Input {
    fn from(memory: Memory) -> Self {
        memory.input
    }
}

/// For tests of decoders, and for decoders that pass their own bytes on.
impl From<Vec<u8>> for Input {
    fn from(bytes: Vec<u8>) -> Self {
        Self { num_bytes: bytes.len() as u64, bytes: Bytes::Owned(bytes.into()), is_costly: false }
    }
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.bytes {
            Bytes::Mapped { .. } => "mapped",
            Bytes::Callback { .. } => "callback",
            Bytes::Owned(_) => "owned",
        };
        write!(f, "Input({kind}, {} bytes)", self.num_bytes)
    }
}

/// A file that is in memory. Cheap to clone.
///
/// ```
/// use mapwave_plugin::Input;
///
/// let memory = Input::from(b"OggS\0".to_vec()).into_memory(1 << 20)?;
/// assert!(memory.starts_with(b"OggS"));
/// # Ok::<(), mapwave_plugin::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Memory {
    input: Input,
}

impl Memory {
    /// Whether bytes are fetched when they are read: see [`Input::is_costly`].
    pub fn is_costly(&self) -> bool {
        self.input.is_costly
    }
}

impl Deref for Memory {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.input.bytes().unwrap_or_default()
    }
}

/// The distance after which a scan releases the pages behind it: little memory, and few calls.
const SWEEP_BYTES: u64 = 4 << 20;

/// Tells the host it may release the pages that a scan has passed ([`Input::release`]).
///
/// ```
/// use mapwave_plugin::{Input, Sweep};
///
/// let memory = Input::from(vec![0; 1 << 10]).into_memory(1 << 20)?;
/// let mut sweep = Sweep::new(memory.clone(), 0);
/// let num_set = memory.chunks(64).enumerate().filter(|(number, chunk)| {
///     sweep.pass(64 * number);
///     chunk.iter().any(|byte| *byte != 0)
/// });
/// assert_eq!(num_set.count(), 0);
/// # Ok::<(), mapwave_plugin::Error>(())
/// ```
#[derive(Debug)]
pub struct Sweep {
    input: Input,
    /// The offset in the input from which positions are counted.
    start: u64,
    /// The first position that is not released.
    from: u64,
}

impl Sweep {
    /// A scan through a file, whose positions are counted from `start`.
    pub fn new(input: impl Into<Input>, start: usize) -> Self {
        Self { input: input.into(), start: start as u64, from: u64::MAX }
    }

    /// Reports that the scan has reached `position`.
    pub fn pass(&mut self, position: usize) {
        let position = self.start.saturating_add(position as u64);
        if position < self.from {
            self.from = position;
        } else if position - self.from >= SWEEP_BYTES {
            // The system also maps pages around those that are touched, including released ones.
            self.input.release(self.from.saturating_sub(SWEEP_BYTES)..position);
            self.from = position;
        }
    }
}
