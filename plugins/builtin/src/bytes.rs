//! The checked reader of bytes: it reads numbers and runs of bytes from the front and keeps the offset in the file for
//! errors.

#![forbid(unsafe_code)]

use mapwave_plugin::{Error, Result};

/// Bytes of a file that are read from the front, and the offset of the next one. Every method checks the end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bytes<'a> {
    bytes: &'a [u8],
    offset: u64,
}

impl<'a> Bytes<'a> {
    /// All bytes of a file.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self::at(bytes, 0)
    }

    /// Bytes whose first one is at `offset` of the file.
    pub(crate) fn at(bytes: &'a [u8], offset: u64) -> Self {
        Self { bytes, offset }
    }

    /// The offset of the next byte in the file.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// The bytes that are left.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.bytes
    }

    /// The next bytes.
    ///
    /// # Errors
    /// When there are fewer. All methods below fail in the same way.
    pub(crate) fn take(&mut self, num_bytes: usize) -> Result<Self> {
        let Some((bytes, rest)) = self.bytes.split_at_checked(num_bytes) else {
            let left = self.bytes.len();
            return Err(Error::bad_data(self.offset, format!("expected {num_bytes} bytes, {left} are left")));
        };
        let taken = Self { bytes, offset: self.offset };
        (self.bytes, self.offset) = (rest, self.offset + num_bytes as u64);
        Ok(taken)
    }

    /// The next `N` bytes.
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let taken = self.take(N)?;
        taken.bytes.first_chunk().copied().ok_or_else(|| Error::bad_data(taken.offset, "too few bytes"))
    }

    /// A byte.
    pub(crate) fn u8(&mut self) -> Result<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// A big-endian number of 16 bits.
    pub(crate) fn u16(&mut self) -> Result<u16> {
        self.array().map(u16::from_be_bytes)
    }

    /// A big-endian number of 24 bits.
    pub(crate) fn u24(&mut self) -> Result<u32> {
        self.array().map(|[high, middle, low]| u32::from_be_bytes([0, high, middle, low]))
    }

    /// A big-endian number of 32 bits.
    pub(crate) fn u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_be_bytes)
    }

    /// A big-endian number of 64 bits.
    pub(crate) fn u64(&mut self) -> Result<u64> {
        self.array().map(u64::from_be_bytes)
    }

    /// A little-endian number of 32 bits.
    pub(crate) fn u32_le(&mut self) -> Result<u32> {
        self.array().map(u32::from_le_bytes)
    }

    /// A little-endian number of 64 bits.
    pub(crate) fn u64_le(&mut self) -> Result<u64> {
        self.array().map(u64::from_le_bytes)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use mapwave_plugin::Status;

    use super::*;

    #[test]
    fn numbers_are_read_from_the_front() {
        let mut bytes = Bytes::at(&[1, 2, 3, 4, 5, 6, 1, 0, 0, 0, 7, 7], 100);
        assert_eq!((bytes.u8().unwrap(), bytes.u16().unwrap(), bytes.u24().unwrap()), (1, 0x203, 0x4_0506));
        assert_eq!((bytes.u32_le().unwrap(), bytes.offset(), bytes.rest()), (1, 110, &[7, 7][..]));
        let mut bytes = Bytes::new(&[0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 3, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!((bytes.u32().unwrap(), bytes.u64().unwrap(), bytes.u64_le().unwrap()), (1, 2, 3));
    }

    #[test]
    fn the_end_is_an_error_that_takes_nothing() {
        let mut bytes = Bytes::at(&[1, 2, 3], 7);
        let error = bytes.u32().unwrap_err();
        assert_eq!((error.status(), error.offset()), (Status::BadData, Some(7)));
        assert_eq!(error.message(), "expected 4 bytes, 3 are left");
        let taken = bytes.take(2).unwrap();
        assert_eq!(
            (taken.rest(), taken.offset(), bytes.rest(), bytes.offset()),
            (&[1, 2][..], 7, &[3][..], 9)
        );
        assert!(bytes.take(usize::MAX).is_err());
        assert_eq!(bytes.array().unwrap(), [3]);
    }
}
