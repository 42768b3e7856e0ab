//! Tags that several formats share.

pub(crate) mod id3v2;
pub(crate) mod vorbis_comment;
