//! Where the bytes of a file come from.

use std::borrow::Cow;
use std::cell::RefCell;
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

    /// Whether every byte costs, as those of a server do, so that few of them should be read.
    fn is_costly(&self) -> bool {
        false
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

/// The bytes that are read together with a header.
const WINDOW_BYTES: u64 = 4096;

/// A file whose headers are read with what follows them: a file can have a header every two bytes, and each would be a call of
/// the operating system.
pub(crate) struct Buffered<'a> {
    input: &'a dyn ReadAt,
    /// Some bytes, and where they begin.
    window: RefCell<(u64, Vec<u8>)>,
}

impl<'a> Buffered<'a> {
    pub(crate) fn new(input: &'a dyn ReadAt) -> Self {
        Self { input, window: RefCell::new((0, Vec::new())) }
    }
}

impl ReadAt for Buffered<'_> {
    fn num_bytes(&self) -> u64 {
        self.input.num_bytes()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let num_bytes = buffer.len() as u64;
        let is_small = num_bytes < WINDOW_BYTES / 4 && !self.is_costly();
        let (Ok(mut window), true) = (self.window.try_borrow_mut(), is_small) else {
            return self.input.read_at(offset, buffer);
        };
        let (start, bytes) = &mut *window;
        let is_inside = |start: u64, length: usize| {
            offset >= start && offset.saturating_add(num_bytes) <= start.saturating_add(length as u64)
        };
        if !is_inside(*start, bytes.len()) {
            let length = self.input.num_bytes().saturating_sub(offset).min(WINDOW_BYTES);
            if length < num_bytes {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            bytes.clear();
            bytes.resize(usize::try_from(length).unwrap_or(0), 0);
            if let Err(error) = self.input.read_at(offset, bytes) {
                bytes.clear();
                return Err(error);
            }
            *start = offset;
        }
        let from = usize::try_from(offset - *start).unwrap_or(usize::MAX);
        let found = bytes.get(from..from.saturating_add(buffer.len()));
        buffer.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn in_memory(&self) -> Option<&[u8]> {
        self.input.in_memory()
    }

    fn is_costly(&self) -> bool {
        self.input.is_costly()
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

#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// A file that counts how often it is read.
    struct Counted<'a>(&'a [u8], Cell<usize>);

    impl ReadAt for Counted<'_> {
        fn num_bytes(&self) -> u64 {
            self.0.len() as u64
        }

        fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
            self.1.set(self.1.get() + 1);
            self.0.read_at(offset, buffer)
        }
    }

    #[test]
    fn headers_are_read_together_and_are_what_the_file_has() -> Result<()> {
        let file: Vec<u8> =
            (0..30_000_u32).map(|number| number.to_le_bytes()[(number % 2) as usize]).collect();
        let counted = Counted(&file, Cell::new(0));
        let buffered = Buffered::new(&counted);
        let all = file.as_slice();
        let backwards = (0..300_u64).map(|number| 29_900 - 100 * number);
        for offset in (0..30_000).step_by(2).chain(backwards) {
            for num_bytes in [2, 12, 1023, 5000] {
                let (found, expected) =
                    (up_to(&buffered, offset, num_bytes)?, up_to(&all, offset, num_bytes)?);
                assert_eq!(found, expected, "{num_bytes} at {offset}");
            }
        }
        counted.1.set(0);
        for offset in (0..30_000).step_by(2) {
            bytes(&buffered, offset, 2)?;
        }
        assert!(counted.1.get() <= 9, "{}", counted.1.get());
        assert!(bytes(&buffered, 29_999, 2).is_err() && bytes(&buffered, u64::MAX, 2).is_err());
        Ok(())
    }
}
