//! Where the bytes of a file come from.

use std::borrow::Cow;
use std::io;

use crate::error::{Error, Result};

/// The most bytes of metadata that are read at once: larger pictures are not metadata.
pub(crate) const MAX_BYTES: u64 = 256 << 20;

/// A file whose bytes can be read at any place.
pub trait ReadAt {
    /// The size of the file in bytes.
    fn num_bytes(&self) -> u64;

    /// Fills all of `buffer` from `offset` on.
    ///
    /// # Errors
    /// The operating system's, or [`io::ErrorKind::UnexpectedEof`].
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;

    /// The bytes themselves, if they are in memory.
    fn in_memory(&self) -> Option<&[u8]> {
        None
    }
}

impl ReadAt for &[u8] {
    fn num_bytes(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let end = start.saturating_add(buffer.len());
        let bytes = self.get(start..end).ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(bytes);
        Ok(())
    }

    fn in_memory(&self) -> Option<&[u8]> {
        Some(self)
    }
}

/// The bytes from `offset` on, exactly `num_bytes` of them.
pub(crate) fn bytes(input: &dyn ReadAt, offset: u64, num_bytes: u64) -> Result<Cow<'_, [u8]>> {
    let end = offset.checked_add(num_bytes).filter(|&end| end <= input.num_bytes() && num_bytes <= MAX_BYTES);
    let eof = || Error::Io(io::ErrorKind::UnexpectedEof.into());
    let (Some(end), Ok(length)) = (end, usize::try_from(num_bytes)) else { return Err(eof()) };
    if let Some(all) = input.in_memory() {
        let range = usize::try_from(offset).ok().zip(usize::try_from(end).ok());
        return range.and_then(|(start, end)| all.get(start..end)).map(Cow::Borrowed).ok_or_else(eof);
    }
    let mut buffer = vec![0; length];
    input.read_at(offset, &mut buffer)?;
    Ok(Cow::Owned(buffer))
}

/// As many of `num_bytes` bytes from `offset` on as the file has.
pub(crate) fn up_to(input: &dyn ReadAt, offset: u64, num_bytes: u64) -> Result<Cow<'_, [u8]>> {
    let rest = input.num_bytes().saturating_sub(offset);
    if rest == 0 {
        return Ok(Cow::Borrowed(&[]));
    }
    bytes(input, offset, num_bytes.min(rest))
}
