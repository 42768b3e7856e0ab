//! Container parsers: pure functions from a file's bytes to a [`Track`].
//!
//! A parser is given the beginning of a file and the length of the whole. It answers with a [`Track`] whose ranges all
//! lie inside the file, with [`Error::Malformed`] or [`Error::Unsupported`], or with [`Error::Incomplete`] when what it
//! needs stands further back than the bytes it was given.

#![forbid(unsafe_code)]

mod aiff;
mod caf;
mod wav;

use crate::error::{Error, Result};
use crate::track::Track;

/// Finds out what a file is by its first bytes and reads its headers.
///
/// `head` is the beginning of the file, or all of it; `file_len` is the length of the whole in bytes.
///
/// # Errors
/// [`Error::Malformed`] and [`Error::Unsupported`] as the file deserves; [`Error::Incomplete`] when `head` is too short.
pub fn parse(head: &[u8], file_len: u64) -> Result<Track> {
    match head {
        [b'R', b'I', b'F', b'F', ..] => wav::parse(head, file_len),
        [b'F', b'O', b'R', b'M', ..] => aiff::parse(head, file_len),
        [b'c', b'a', b'f', b'f', ..] => caf::parse(head, file_len),
        _ => Err(Error::Unsupported { path: None, container: None, codec: None, what: String::new() }),
    }
}
