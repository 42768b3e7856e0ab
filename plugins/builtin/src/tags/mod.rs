//! Tags that stand in several formats.

pub(crate) mod id3v2;
pub(crate) mod vorbis_comment;
