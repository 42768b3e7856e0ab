//! What the host calls the containers that it parses.

#![forbid(unsafe_code)]

use std::ffi::CStr;

use mapwave_plugin::Track;

/// The container's name, for good; `None` when the host has a new one.
pub(crate) fn container_name(track: &Track<'_>) -> Option<&'static CStr> {
    const NAMES: [&CStr; 8] = [c"wav", c"rifx", c"rf64", c"bw64", c"w64", c"aiff", c"aifc", c"caf"];
    NAMES.into_iter().find(|name| name.to_bytes() == track.container.as_bytes())
}

/// Whether the container describes its stream in a WAVE `fmt ` chunk.
pub(crate) fn is_wave(track: &Track<'_>) -> bool {
    matches!(track.container, "wav" | "rifx" | "rf64" | "bw64" | "w64")
}
