//! The plugins that come with mapwave, as messages tell of one that is missing.

#![forbid(unsafe_code)]

use mapwave_core::host::{self, Hint};

/// Where mapwave's plugins are to be had, in the words of a front door: the text that follows "looked for a plugin '..'," in a
/// message.
#[derive(Clone, Copy, Debug)]
pub struct PluginSources {
    /// Where to get a plugin that contains everything it needs.
    pub complete: &'static str,
    /// Where to get a plugin that uses libraries of the system. The command that installs those follows in parentheses.
    pub over_system_libraries: &'static str,
}

impl PluginSources {
    /// The words for programs in Rust, the command among them.
    pub(crate) const RUST: Self = Self { complete: ITS_OWN_LIBRARY, over_system_libraries: ITS_OWN_LIBRARY };
}

const ITS_OWN_LIBRARY: &str = "a library of its own that belongs into one of the plugin directories \
                               (mapwave::plugins::directories() and `mapwave plugins dirs` list them)";

/// The hints, with `sources` as where the plugins are to be had.
const fn hints(sources: PluginSources) -> [Hint; 3] {
    [
        Hint {
            plugin: "libav",
            product: "FFmpeg",
            libraries: &["libavcodec", "libavformat", "libavutil", "libswresample"],
            install: "apt install ffmpeg / brew install ffmpeg",
            absent: sources.over_system_libraries,
            reads: true,
            writes: &[
                "aac", "alac", "m4a", "m4b", "mka", "mkv", "mp3", "mp4", "oga", "ogg", "opus", "vorbis",
                "wavpack", "webm", "wv",
            ],
            qualities: &[],
        },
        Hint {
            plugin: "lame",
            product: "LAME",
            libraries: &[],
            install: "",
            absent: sources.complete,
            reads: false,
            writes: &["mp3"],
            qualities: &[],
        },
        Hint {
            plugin: "soxr",
            product: "libsoxr",
            libraries: &[],
            install: "",
            absent: sources.complete,
            reads: false,
            writes: &[],
            qualities: &["soxr_vhq", "soxr_hq", "soxr_mq", "soxr_lq", "soxr_qq"],
        },
    ]
}

/// Makes messages say how to get a plugin, or a library it needs, that is missing.
pub(crate) fn register_hints(sources: PluginSources) {
    hints(sources).into_iter().for_each(host::register_hint);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_of_libraries_says_how_to_install_them() {
        for hint in hints(PluginSources::RUST) {
            assert_eq!(hint.libraries.is_empty(), hint.install.is_empty(), "{}", hint.plugin);
            assert!(hint.reads || !hint.writes.is_empty() || !hint.qualities.is_empty(), "{}", hint.plugin);
        }
    }

    #[test]
    fn a_program_in_rust_is_not_told_to_install_a_python_package() {
        for Hint { plugin, absent, .. } in hints(PluginSources::RUST) {
            assert!(!absent.contains("pip ") && !absent.contains("wheel"), "{plugin}: {absent}");
            assert!(absent.contains("mapwave plugins dirs"), "{plugin}: {absent}");
        }
    }
}
