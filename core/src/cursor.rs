//! Checked reads from the bytes of a file: the only access that parsers have to them.

#![forbid(unsafe_code)]

use crate::error::{Error, Result};
use crate::track::Container;

/// A position in a file. `bytes` is the beginning of the file, or all of it, and no read goes beyond it.
///
/// A read past `file_len` means that the file is malformed. A read past `bytes` but inside `file_len` requests more bytes
/// (`Error::Incomplete`), so that a parser can run on the first few kilobytes and, rarely, once more on the whole file.
#[derive(Clone, Debug)]
pub struct Cursor<'a> {
    bytes: &'a [u8],
    file_len: u64,
    position: u64,
    container: Container,
}

impl<'a> Cursor<'a> {
    /// A cursor at the start of a file that is `file_len` bytes long and starts with `bytes`.
    pub fn new(bytes: &'a [u8], file_len: u64, container: Container) -> Self {
        debug_assert!(bytes.len() as u64 <= file_len);
        Self { bytes, file_len, position: 0, container }
    }

    /// The offset of the next read.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The length of the whole file in bytes.
    pub fn file_len(&self) -> u64 {
        self.file_len
    }

    /// The bytes between the position and the end of the file.
    pub fn remaining(&self) -> u64 {
        self.file_len.saturating_sub(self.position)
    }

    /// Moves to an absolute offset. Offsets past the end of the file are allowed; nothing can be read there.
    pub fn seek(&mut self, offset: u64) {
        self.position = offset;
    }

    /// The next `count` bytes.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let start = self.position;
        let end = start.checked_add(count as u64).filter(|&end| end <= self.file_len);
        let Some(end) = end else {
            let left = self.remaining();
            return Err(self
                .malformed(format!("expected {count} more bytes, found {left} before the end of the file")));
        };
        let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
        let bytes = range.and_then(|(start, end)| self.bytes.get(start..end));
        let bytes = bytes.ok_or(Error::Incomplete { needed: end })?;
        self.position = end;
        Ok(bytes)
    }

    /// The next `N` bytes as an array.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// An unsigned 16-bit integer, little-endian.
    pub fn u16_le(&mut self) -> Result<u16> {
        self.array().map(u16::from_le_bytes)
    }

    /// An unsigned 16-bit integer, big-endian.
    pub fn u16_be(&mut self) -> Result<u16> {
        self.array().map(u16::from_be_bytes)
    }

    /// An unsigned 32-bit integer, little-endian.
    pub fn u32_le(&mut self) -> Result<u32> {
        self.array().map(u32::from_le_bytes)
    }

    /// An unsigned 32-bit integer, big-endian.
    pub fn u32_be(&mut self) -> Result<u32> {
        self.array().map(u32::from_be_bytes)
    }

    /// An unsigned 64-bit integer, little-endian.
    pub fn u64_le(&mut self) -> Result<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// A signed 64-bit integer, big-endian.
    pub fn i64_be(&mut self) -> Result<i64> {
        self.array().map(i64::from_be_bytes)
    }

    /// An IEEE 754 double, big-endian.
    pub fn f64_be(&mut self) -> Result<f64> {
        self.array().map(f64::from_be_bytes)
    }

    /// A malformed-file error at the current position.
    pub fn malformed(&self, what: impl Into<String>) -> Error {
        Error::malformed(self.container, self.position, what)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn reads_advance_and_end_with_the_file() {
        let mut cursor = Cursor::new(b"fmt \x10\0\0\0", 8, Container::WAV);
        assert_eq!(cursor.take(4).unwrap(), b"fmt ");
        assert_eq!(cursor.u32_le().unwrap(), 16);
        assert!(cursor.take(1).is_err());
    }

    #[test]
    fn reads_in_both_byte_orders() {
        let bytes = [1, 2, 3, 4, 5, 6];
        let mut cursor = Cursor::new(&bytes, 6, Container::WAV);
        assert_eq!(cursor.u16_le().unwrap(), 0x0201);
        assert_eq!(cursor.u32_be().unwrap(), 0x0304_0506);
        assert_eq!(cursor.remaining(), 0);
    }

    #[test]
    fn past_the_file_is_malformed_and_past_the_head_is_incomplete() {
        let mut cursor = Cursor::new(&[0; 4], 10, Container::WAV);
        assert!(matches!(cursor.take(8), Err(Error::Incomplete { needed: 8 })));
        assert!(matches!(cursor.take(11), Err(Error::Malformed { offset: 0, .. })));
        cursor.seek(u64::MAX);
        assert!(matches!(cursor.u16_le(), Err(Error::Malformed { .. })));
        assert_eq!(cursor.remaining(), 0);
    }
}
