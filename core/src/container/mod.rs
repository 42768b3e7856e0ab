//! Container parsers: pure functions from a file's bytes to a [`Track`].
//!
//! A parser receives the beginning of a file and the length of the whole file. It returns a [`Track`] whose ranges all lie
//! inside the file, or [`Error::Malformed`] or [`Error::Unsupported`], or `Error::Incomplete` if it needs bytes beyond those
//! it received.

#![forbid(unsafe_code)]

mod aiff;
#[cfg(test)]
mod builder;
mod caf;
pub(crate) mod caf_description;
pub(crate) mod channel_layout;
pub(crate) mod foreign;
mod four_cc;
mod refusal;
mod riff;
mod sample_rate;
mod sound_data;
pub(crate) mod w64;
mod wav;
mod wave_format;
pub(crate) mod wave_tags;

use crate::error::{Error, Result};
use crate::track::{Container, Track};

use refusal::unsupported;

/// Every container that this crate parses, in every variant.
pub const ALL: [Container; 8] = [
    Container::WAV,
    Container::RIFX,
    Container::RF64,
    Container::BW64,
    Container::W64,
    Container::AIFF,
    Container::AIFC,
    Container::CAF,
];

/// The length of the longest magic number at the beginning of a file.
const MAGIC_BYTES: u64 = 32;

/// Identifies a file by its first bytes and reads its headers.
///
/// `head` is the beginning of the file, or all of it; `file_len` is the length of the whole file in bytes.
///
/// # Errors
/// [`Error::Malformed`] and [`Error::Unsupported`], depending on what is wrong with the file; [`Error::Io`] if the headers
/// extend beyond `head`.
///
/// ```
/// let error = mapwave_core::container::parse(b"fLaC", 4).unwrap_err();
/// assert!(error.to_string().contains("a FLAC stream"));
/// ```
pub fn parse(head: &[u8], file_len: u64) -> Result<Track> {
    parse_head(head, file_len).map_err(|error| match error {
        Error::Incomplete { needed } => {
            let what =
                format!("the headers extend to byte {needed}, but only {} bytes were given", head.len());
            Error::io("parsing", std::io::Error::new(std::io::ErrorKind::UnexpectedEof, what))
        }
        other => other,
    })
}

/// As [`parse`], but with `Error::Incomplete` if the headers extend beyond `head`.
pub(crate) fn parse_head(head: &[u8], file_len: u64) -> Result<Track> {
    let needed = file_len.min(MAGIC_BYTES);
    if (head.len() as u64) < needed {
        return Err(Error::Incomplete { needed });
    }
    match head {
        [b'R', b'I', b'F', b'F', ..] => wav::parse(head, file_len, Container::WAV),
        [b'R', b'I', b'F', b'X', ..] => wav::parse(head, file_len, Container::RIFX),
        [b'R', b'F', b'6', b'4', ..] => wav::parse(head, file_len, Container::RF64),
        [b'B', b'W', b'6', b'4', ..] => wav::parse(head, file_len, Container::BW64),
        [b'F', b'O', b'R', b'M', ..] => aiff::parse(head, file_len),
        [b'c', b'a', b'f', b'f', ..] => caf::parse(head, file_len),
        _ if head.starts_with(&w64::RIFF) => w64::parse(head, file_len),
        _ => Err(foreign::refuse(head)),
    }
}

#[cfg(test)]
mod robustness;
