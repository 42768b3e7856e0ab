//! The list of a file's audio streams, and the choice among them.

use std::ffi::CString;

use crate::error::{Error, Result, Status};

/// An audio stream in the list of those that a file has, whether or not the decoder supports it.
///
/// ```
/// use mapwave_plugin::StreamEntry;
///
/// let entry = |codec: &str, language: &str, is_default| StreamEntry {
///     sample_rate: 48_000,
///     num_channels: 2,
///     is_default,
///     ..StreamEntry::new(codec, language)
/// };
/// let mut entries = [entry("aac", "eng", false), entry("ac3", "deu", true), entry("aac", "", true)];
/// assert_eq!(StreamEntry::choose(&mut entries, None)?, 1);
/// assert_eq!(entries.map(|entry| entry.is_default), [false, true, false]);
/// # Ok::<(), mapwave_plugin::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamEntry {
    /// The codec in FFmpeg's terms, or the container's name of it.
    pub codec: CString,
    /// The language as the container states it, such as "eng".
    pub language: Option<CString>,
    /// Frames per second as the container states them; 0 if it does not.
    pub sample_rate: u32,
    /// Samples per frame as the container states them; 0 if it does not.
    pub num_channels: u32,
    /// Whether it is the stream that opens if none is chosen.
    pub is_default: bool,
}

impl StreamEntry {
    /// An entry with a codec and a language, which is left out if it is empty or "und", for undetermined (ISO 639-2). Zero bytes
    /// end the texts.
    pub fn new(codec: &str, language: &str) -> Self {
        let text = |text: &str| CString::new(text.split('\0').next().unwrap_or_default()).unwrap_or_default();
        let language = Some(text(language)).filter(|language| !matches!(language.to_bytes(), b"" | b"und"));
        Self { codec: text(codec), language, ..Self::default() }
    }

    /// The number of the stream to open: the wanted one, otherwise the first that is flagged as default, otherwise the first.
    /// Leaves the default stream as the only one with the flag.
    ///
    /// # Errors
    /// [`Status::BadArgument`](crate::Status::BadArgument) if the file has no stream of that number,
    /// [`Status::Unsupported`](crate::Status::Unsupported) if there is none at all.
    pub fn choose(entries: &mut [Self], wanted: Option<u32>) -> Result<usize> {
        if entries.is_empty() {
            return Err(Error::unsupported("the file has no sound track"));
        }
        let default = entries.iter().position(|entry| entry.is_default).unwrap_or(0);
        for (number, entry) in entries.iter_mut().enumerate() {
            entry.is_default = number == default;
        }
        let chosen = wanted.map_or(default, |wanted| usize::try_from(wanted).unwrap_or(usize::MAX));
        if chosen < entries.len() { Ok(chosen) } else { Err(Error::no_such_stream(entries.len())) }
    }

    /// Adds to the error of a codec that is not supported which of several streams has it, and what the others have.
    #[must_use]
    pub fn named(entries: &[Self], number: usize, error: Error) -> Error {
        if entries.len() < 2 || error.status() != Status::Unsupported {
            return error;
        }
        let codecs: Vec<_> = entries.iter().map(|entry| entry.codec.to_string_lossy()).collect();
        let message = format!("{} (track {number} of the file's: {})", error.message(), codecs.join(", "));
        let named = Error::unsupported(message).with_native_code(error.native_code());
        error.offset().map_or(named.clone(), |offset| named.at(offset))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_chosen_where_none_is_flagged() {
        let mut entries = [StreamEntry::new("aac", "eng"), StreamEntry::new("ac3", "und")];
        assert_eq!(StreamEntry::choose(&mut entries, None).unwrap(), 0);
        assert_eq!(StreamEntry::choose(&mut entries, Some(1)).unwrap(), 1);
        assert_eq!(entries.clone().map(|entry| entry.is_default), [true, false]);
        assert_eq!(entries.map(|entry| entry.language.is_some()), [true, false]);
    }

    #[test]
    fn a_stream_that_is_not_there_is_named() {
        let error = StreamEntry::choose(&mut [StreamEntry::new("mp3", "")], Some(1)).unwrap_err();
        assert_eq!((error.status(), error.message()), (Status::BadArgument, "the file has 1 sound track"));
        let error = StreamEntry::choose(&mut vec![StreamEntry::default(); 3], Some(u32::MAX)).unwrap_err();
        assert_eq!(error.message(), "the file has 3 sound tracks");
        let entries = [StreamEntry::new("aac", ""), StreamEntry::new("ac3", "")];
        let named = StreamEntry::named(&entries, 1, Error::unsupported("no AC-3").at(7));
        assert_eq!(named.message(), "no AC-3 (track 1 of the file's: aac, ac3)");
        assert_eq!((named.offset(), named.status()), (Some(7), Status::Unsupported));
        assert_eq!(StreamEntry::named(&entries[..1], 0, Error::unsupported("no")).message(), "no");
        assert_eq!(StreamEntry::choose(&mut [], None).unwrap_err().status(), Status::Unsupported);
    }
}
