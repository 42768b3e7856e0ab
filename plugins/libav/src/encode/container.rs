//! The containers: libav's names for their muxers, and what those require.

#![forbid(unsafe_code)]

use std::ffi::CStr;

/// A container that can be written.
#[derive(Debug)]
pub(super) struct Container {
    /// Its short name.
    pub(super) name: &'static str,
    /// libav's name of the muxer.
    pub(super) muxer: &'static CStr,
    /// What its header holds that is known only at the end; `None` if it can be written sequentially.
    pub(super) needs_seekable_sink: Option<&'static str>,
}

const CONTAINERS: &[Container] = &[
    Container { name: "flac", muxer: c"flac", needs_seekable_sink: None },
    Container {
        name: "mp3",
        muxer: c"mp3",
        needs_seekable_sink: Some("the number of frames, without which the padding is played"),
    },
    Container { name: "m4a", muxer: c"ipod", needs_seekable_sink: Some("the position of its index") },
    Container { name: "mp4", muxer: c"mp4", needs_seekable_sink: Some("the position of its index") },
    Container { name: "caf", muxer: c"caf", needs_seekable_sink: Some("the size of its data") },
    Container { name: "ogg", muxer: c"ogg", needs_seekable_sink: None },
    Container { name: "webm", muxer: c"webm", needs_seekable_sink: None },
    Container { name: "mka", muxer: c"matroska", needs_seekable_sink: None },
    Container { name: "wv", muxer: c"wv", needs_seekable_sink: Some("the number of frames") },
];

impl Container {
    /// The container with a short name.
    pub(super) fn from_name(name: &str) -> Option<&'static Self> {
        CONTAINERS.iter().find(|container| container.name == name)
    }
}
