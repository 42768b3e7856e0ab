//! The containers: libav's names for their muxers, and what those need to be told.

#![forbid(unsafe_code)]

use std::ffi::CStr;

/// A container that can be written.
#[derive(Debug)]
pub(super) struct Container {
    /// Its short name.
    pub(super) name: &'static str,
    /// libav's name of the muxer.
    pub(super) muxer: &'static CStr,
    /// What stands at its front and is only known at the end; `None` when it can be written from front to end.
    pub(super) needs_going_back: Option<&'static str>,
}

const CONTAINERS: &[Container] = &[
    Container { name: "flac", muxer: c"flac", needs_going_back: None },
    Container {
        name: "mp3",
        muxer: c"mp3",
        needs_going_back: Some("the number of frames, without which the sound gets longer"),
    },
    Container { name: "m4a", muxer: c"ipod", needs_going_back: Some("the place of its index") },
    Container { name: "mp4", muxer: c"mp4", needs_going_back: Some("the place of its index") },
    Container { name: "caf", muxer: c"caf", needs_going_back: Some("the size of its data") },
    Container { name: "ogg", muxer: c"ogg", needs_going_back: None },
    Container { name: "webm", muxer: c"webm", needs_going_back: None },
    Container { name: "mka", muxer: c"matroska", needs_going_back: None },
    Container { name: "wv", muxer: c"wv", needs_going_back: Some("the number of frames") },
];

impl Container {
    /// The container of a short name.
    pub(super) fn from_name(name: &str) -> Option<&'static Self> {
        CONTAINERS.iter().find(|container| container.name == name)
    }
}
