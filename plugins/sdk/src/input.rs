//! The bytes of the file to be decoded.

#![allow(unsafe_code)] // what the host passes by pointer

use std::ffi::c_void;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use mapwave_plugin_abi as abi;

use crate::error::{Error, Result, Status};
use crate::export::outside;

type ReadAt = unsafe extern "C" fn(*mut c_void, u64, *mut c_void, u64) -> i64;

/// The bytes of a file: in memory, where the host could map it, else read by callback. Cheap to clone.
///
/// It is valid as long as the decoder that was opened with it, or a fork of that, lives; keep it there and nowhere else.
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
}

#[derive(Clone)]
enum Bytes {
    /// The host's memory, valid and constant until every handle is closed (R8).
    Mapped(*const u8),
    /// The host's callback, callable until every handle is closed, from any thread.
    Callback { context: *mut c_void, read_at: ReadAt },
    /// Memory of the plugin's own.
    Owned(Arc<[u8]>),
}

// SAFETY: mapped bytes are only read, the callback may be called from any thread any number of times at once, by the
// contract of `mw_input`; owned bytes are Send and Sync.
unsafe impl Send for Input {}
// SAFETY: as above.
unsafe impl Sync for Input {}

impl Input {
    /// Takes what the host passed to `open`.
    ///
    /// # Safety
    /// `input` keeps the contract of [`abi::mw_input`], and the result and its clones are dropped before the handle that
    /// was opened with it, or its last fork, has been closed.
    pub(crate) unsafe fn from_host(input: &abi::mw_input) -> Result<Self> {
        let bytes = match input.read_at {
            _ if !input.data.is_null() => Bytes::Mapped(input.data),
            Some(read_at) => Bytes::Callback { context: input.context, read_at },
            None if input.num_bytes == 0 => Bytes::Owned(Arc::from([])),
            None => return Err(Error::new(Status::BadArgument, "the input has neither bytes nor read_at")),
        };
        Ok(Self { bytes, num_bytes: input.num_bytes })
    }

    /// The length of the file.
    pub fn num_bytes(&self) -> u64 {
        self.num_bytes
    }

    /// The bytes, when they are in memory.
    ///
    /// They are the file's own pages: another process may change them at any time.
    pub fn bytes(&self) -> Option<&[u8]> {
        match &self.bytes {
            Bytes::Mapped(data) => {
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
            // SAFETY: the callback is the host's, which takes any offset and writes at most as many bytes as it is told
            // there is room for.
            let read = || unsafe { read_at(*context, place, room.as_mut_ptr().cast(), room.len() as u64) };
            let count = outside(read);
            match usize::try_from(count) {
                Ok(0) => break,
                Ok(count) if count <= room.len() => filled += count,
                Ok(count) => {
                    let message = format!("read_at gave {count} bytes where {} were asked for", room.len());
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

    /// The whole file in memory, for decoders that need it there: as it is where it is mapped, else read.
    ///
    /// # Errors
    /// [`Status::Limit`] when it would have to be read and is larger than `max_alloc`; [`Status::Io`] when it cannot be.
    pub fn into_memory(self, max_alloc: u64) -> Result<Memory> {
        if !matches!(self.bytes, Bytes::Callback { .. }) {
            return Ok(Memory { input: self });
        }
        let num_bytes = usize::try_from(self.num_bytes).ok().filter(|_| self.num_bytes <= max_alloc);
        let Some(num_bytes) = num_bytes else {
            let message =
                format!("the file has {} bytes and only {max_alloc} may be allocated", self.num_bytes);
            return Err(Error::new(Status::Limit, message));
        };
        let mut bytes = Vec::new();
        let reserved = bytes.try_reserve_exact(num_bytes);
        reserved.map_err(|_| {
            Error::new(Status::NoMemory, format!("no memory for a file of {num_bytes} bytes"))
        })?;
        bytes.resize(num_bytes, 0);
        let count = self.read_at(0, &mut bytes)?;
        if count < num_bytes {
            let message = format!("the file ends at byte {count} and was {num_bytes} bytes long");
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

/// For the tests of decoders, and for decoders that hand bytes of their own on.
impl From<Vec<u8>> for Input {
    fn from(bytes: Vec<u8>) -> Self {
        Self { num_bytes: bytes.len() as u64, bytes: Bytes::Owned(bytes.into()) }
    }
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.bytes {
            Bytes::Mapped(_) => "mapped",
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

impl Deref for Memory {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.input.bytes().unwrap_or_default()
    }
}
