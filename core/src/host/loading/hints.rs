//! What is said where FFmpeg is missing: the libraries that a plugin over it needs are the system's own.

#![forbid(unsafe_code)]

use crate::host::listing::{Plugin, State};

/// How the names of FFmpeg's libraries begin.
const LIBRARIES: [&str; 4] = ["libavcodec", "libavformat", "libavutil", "libswresample"];

/// The name of the plugin over FFmpeg.
const PLUGIN: &str = "libav";

const INSTALL: &str = "apt install ffmpeg / brew install ffmpeg";

/// The loader's words, and what they mean when it has looked for a library of FFmpeg in vain.
pub(crate) fn explained(words: String) -> String {
    match missing_library(&words) {
        Some(library) => {
            format!("FFmpeg not found: looked for {library} ({INSTALL}); the loader says: {words}")
        }
        None => words,
    }
}

/// The library of FFmpeg that is not there, by the words of Linux's loader or macOS's.
fn missing_library(words: &str) -> Option<&str> {
    let is_missing = words.contains("cannot open shared object file") || words.contains("Library not loaded");
    let is_end = |character: char| character.is_whitespace() || ":,'\"()".contains(character);
    let start = LIBRARIES.iter().filter_map(|library| words.find(library)).min().filter(|_| is_missing)?;
    let name = words.get(start..)?;
    name.split(is_end).next()
}

/// What to add where no plugin does a thing and there is none over FFmpeg, loaded or not; empty otherwise.
pub(crate) fn absence(plugins: &[Plugin]) -> String {
    let is_it = |plugin: &Plugin| match &plugin.state {
        State::Loaded => plugin.id == PLUGIN,
        State::Refused(_) => plugin.id.contains("mapwave_libav"),
    };
    match plugins.iter().any(is_it) {
        true => String::new(),
        false => format!(
            "; FFmpeg not found: looked for a plugin '{PLUGIN}', which this installation was built without ({INSTALL}, and \
             build mapwave where its headers are)"
        ),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_library_that_is_not_there_is_named() {
        let words = "libavformat.so.59: cannot open shared object file: No such file or directory";
        let said = explained(words.to_owned());
        assert!(
            said.starts_with("FFmpeg not found: looked for libavformat.so.59 (apt install ffmpeg"),
            "{said}"
        );
        assert!(said.ends_with(words));
        let words = "dlopen(/p/libmapwave_libav.dylib, 2): Library not loaded: '@rpath/libavcodec.61.dylib'";
        assert_eq!(missing_library(words), Some("libavcodec.61.dylib"));
    }

    #[test]
    fn other_words_stay_as_they_are() {
        for words in ["libfoo.so: cannot open shared object file", "libavcodec.so.59: undefined symbol: x"] {
            assert_eq!(explained(words.to_owned()), words);
        }
    }

    #[test]
    fn its_absence_is_told_only_where_it_is_absent() {
        let plugin = |id: &str, state: State| Plugin {
            id: id.to_owned(),
            origin: crate::host::Origin::Bundled,
            path: None,
            state,
            version: String::new(),
            vendor: String::new(),
            license: String::new(),
            dependencies: String::new(),
            decoders: Vec::new(),
            encoders: Vec::new(),
            resamplers: Vec::new(),
        };
        assert!(absence(&[plugin("qoa", State::Loaded)]).contains("apt install ffmpeg"));
        assert_eq!(absence(&[plugin("libav", State::Loaded)]), "");
        let refused = State::Refused("FFmpeg not found".to_owned());
        assert_eq!(absence(&[plugin("libmapwave_libav59.so", refused)]), "");
    }
}
