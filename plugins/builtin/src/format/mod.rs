//! Formats: from bytes to packets, and the parsing of headers.

pub(crate) mod adts;
pub(crate) mod caf;
pub(crate) mod flac;
pub(crate) mod matroska;
pub(crate) mod mp4;
pub(crate) mod mpeg;
pub(crate) mod ogg;
pub(crate) mod table_stream;
