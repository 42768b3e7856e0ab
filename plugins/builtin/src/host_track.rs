//! Tracks of containers that the host has parsed: the names of those containers.

#![forbid(unsafe_code)]

use std::ffi::CStr;

use mapwave_plugin::Track;

/// The everyday name of the container; `None` for one that this plugin does not know.
pub(crate) fn container_name(track: &Track<'_>) -> Option<&'static CStr> {
    match track.container {
        "aiff" | "aifc" => Some(c"aiff"),
        "caf" => Some(c"caf"),
        _ => is_wave(track).then_some(c"wav"),
    }
}

/// Whether the container describes its stream in a WAVE `fmt ` chunk.
pub(crate) fn is_wave(track: &Track<'_>) -> bool {
    matches!(track.container, "wav" | "rifx" | "rf64" | "bw64" | "w64")
}
