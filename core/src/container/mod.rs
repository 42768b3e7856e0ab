//! Container parsers: pure functions from a file's bytes to a [`Track`].
//!
//! A parser is given the beginning of a file and the length of the whole. It answers with a [`Track`] whose ranges all
//! lie inside the file, with [`Error::Malformed`] or [`Error::Unsupported`], or with `Error::Incomplete` when what it
//! needs stands further back than the bytes it was given.

#![forbid(unsafe_code)]

mod aiff;
#[cfg(test)]
mod builder;
mod caf;
pub(crate) mod caf_description;
pub(crate) mod channel_layout;
mod foreign;
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

/// As many bytes as the longest magic needs, at the beginning of a file.
const MAGIC_BYTES: u64 = 32;

/// Finds out what a file is by its first bytes and reads its headers.
///
/// `head` is the beginning of the file, or all of it; `file_len` is the length of the whole in bytes.
///
/// # Errors
/// [`Error::Malformed`] and [`Error::Unsupported`], depending on what is wrong with the file; [`Error::Io`] when the headers
/// reach beyond `head`.
///
/// ```
/// let error = mapwave_core::container::parse(b"fLaC", 4).unwrap_err();
/// assert!(error.to_string().contains("a FLAC stream"));
/// ```
pub fn parse(head: &[u8], file_len: u64) -> Result<Track> {
    parse_head(head, file_len).map_err(|error| match error {
        Error::Incomplete { needed } => {
            let what = format!("the headers reach to byte {needed}, and only {} were given", head.len());
            Error::io("parsing", std::io::Error::new(std::io::ErrorKind::UnexpectedEof, what))
        }
        other => other,
    })
}

/// As [`parse`], with [`Error::Incomplete`] when the headers reach beyond `head`.
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
