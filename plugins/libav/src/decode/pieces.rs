//! Small reads from a file.

#![forbid(unsafe_code)]

use mapwave_plugin::{Input, Result};

/// A file, read in small pieces.
pub(super) struct Bytes<'a>(pub(super) &'a Input);

impl Bytes<'_> {
    /// The bytes at a place; `None` if the file ends before.
    pub(super) fn at<const N: usize>(&self, place: u64) -> Result<Option<[u8; N]>> {
        let mut bytes = [0; N];
        Ok((self.0.read_at(place, &mut bytes)? == N).then_some(bytes))
    }

    /// Up to this many bytes.
    pub(super) fn up_to(&self, place: u64, num_bytes: usize) -> Result<Vec<u8>> {
        let mut bytes = vec![0; num_bytes];
        let count = self.0.read_at(place, &mut bytes)?;
        bytes.truncate(count);
        Ok(bytes)
    }

    /// The length of the file.
    pub(super) fn end(&self) -> u64 {
        self.0.num_bytes()
    }
}
