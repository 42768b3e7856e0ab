//! The plugins that come with mapwave, as messages tell of one that is missing.

#![forbid(unsafe_code)]

use mapwave_core::host::{self, Hint};

/// Over FFmpeg, which is the system's: the plugin is built where its headers are.
const FFMPEG: Hint = Hint {
    plugin: "libav",
    product: "FFmpeg",
    libraries: &["libavcodec", "libavformat", "libavutil", "libswresample"],
    install: "apt install ffmpeg / brew install ffmpeg",
    absent: "which this installation was built without (apt install ffmpeg / brew install ffmpeg, and build mapwave where \
             its headers are)",
    reads: true,
    writes: &[
        "aac", "alac", "m4a", "m4b", "mka", "mkv", "mp3", "mp4", "oga", "ogg", "opus", "vorbis", "wavpack",
        "webm", "wv",
    ],
    qualities: &[],
};

const LAME: Hint = Hint {
    plugin: "lame",
    product: "LAME",
    libraries: &[],
    install: "",
    absent: IN_THE_WHEEL,
    reads: false,
    writes: &["mp3"],
    qualities: &[],
};

const SOXR: Hint = Hint {
    plugin: "soxr",
    product: "libsoxr",
    libraries: &[],
    install: "",
    absent: IN_THE_WHEEL,
    reads: false,
    writes: &[],
    qualities: &["soxr_vhq", "soxr_hq", "soxr_mq", "soxr_lq", "soxr_qq"],
};

/// Where a plugin is to be had that is linked against what it needs.
const IN_THE_WHEEL: &str = "which comes with mapwave's wheel (pip install --force-reinstall mapwave; mapwave plugins list \
                            tells what is loaded)";

/// Makes messages say how to get a plugin, or a library it needs, that is missing.
pub(crate) fn register_hints() {
    [FFMPEG, LAME, SOXR].into_iter().for_each(host::register_hint);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_of_libraries_says_how_to_install_them() {
        for hint in [FFMPEG, LAME, SOXR] {
            assert_eq!(hint.libraries.is_empty(), hint.install.is_empty(), "{}", hint.plugin);
            assert!(hint.reads || !hint.writes.is_empty() || !hint.qualities.is_empty(), "{}", hint.plugin);
        }
    }
}
