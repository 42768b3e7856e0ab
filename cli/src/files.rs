//! The files that paths, directories and patterns stand for.

#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use mapwave::Result;

use crate::place::trouble;

/// The endings of the files that are taken from directories. Paths and patterns may have any.
const AUDIO: [&str; 42] = [
    "3gp", "aac", "ac3", "adts", "aif", "aifc", "aiff", "alac", "amr", "ape", "asf", "au", "bw64", "caf",
    "dts", "eac3", "flac", "gsm", "m4a", "m4b", "mka", "mkv", "mov", "mp1", "mp2", "mp3", "mp4", "oga",
    "ogg", "opus", "qoa", "rf64", "snd", "spx", "tta", "w64", "wav", "wave", "weba", "webm", "wma", "wv",
];

/// A file to work on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Found {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// Its path below the directory or the pattern that it was found by.
    pub(crate) relative: PathBuf,
}

/// The files, each once, in the order of the paths that stand for them and of their names.
///
/// # Errors
/// [`Error::Io`](mapwave::Error::Io) for a path that does not exist or cannot be listed, or stands for no file.
pub(crate) fn find(paths: &[PathBuf]) -> Result<Vec<Found>> {
    let mut all = Vec::new();
    let mut seen = BTreeMap::new();
    for path in paths {
        let mut found = found_by(path)?;
        found.sort();
        all.extend(found.into_iter().filter(|found| seen.insert(found.path.clone(), ()).is_none()));
    }
    Ok(all)
}

fn found_by(path: &Path) -> Result<Vec<Found>> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => {
            let mut found = Vec::new();
            walk(path, path, &mut found)?;
            match found.is_empty() {
                true => Err(nothing(path, "the directory has no audio files, by their extensions")),
                false => Ok(found),
            }
        }
        Ok(_) => {
            let relative = path.file_name().map_or_else(|| path.to_path_buf(), PathBuf::from);
            Ok(vec![Found { path: path.to_path_buf(), relative }])
        }
        Err(error) => match pattern_of(path) {
            Some(pattern) => matching(path, pattern),
            None => Err(trouble("opening", path, error)),
        },
    }
}

/// A path that has the signs of a pattern.
fn pattern_of(path: &Path) -> Option<&str> {
    path.to_str().filter(|text| text.contains(['*', '?', '[']))
}

fn matching(path: &Path, pattern: &str) -> Result<Vec<Found>> {
    let invalid = |what: String| trouble("opening", path, io::Error::new(io::ErrorKind::InvalidInput, what));
    let options = glob::MatchOptions {
        require_literal_separator: true,
        require_literal_leading_dot: true,
        ..glob::MatchOptions::default()
    };
    let paths = glob::glob_with(pattern, options).map_err(|error| invalid(error.to_string()))?;
    let is_fixed = |component: &Component<'_>| pattern_of(Path::new(component)).is_none();
    let start: PathBuf = path.components().take_while(is_fixed).collect();
    let mut found = Vec::new();
    for path in paths {
        let path = path.map_err(|error| {
            let unlisted = error.path().to_path_buf();
            trouble("listing", unlisted, error.into())
        })?;
        if path.is_file() {
            let relative = path.strip_prefix(&start).unwrap_or(&path).to_path_buf();
            found.push(Found { path, relative });
        }
    }
    match found.is_empty() {
        true => Err(nothing(path, "no file matches the pattern")),
        false => Ok(found),
    }
}

fn nothing(path: &Path, why: &str) -> mapwave::Error {
    trouble("opening", path, io::Error::new(io::ErrorKind::NotFound, why))
}

/// Adds the audio files below a directory, without names that begin with a dot.
fn walk(top: &Path, directory: &Path, found: &mut Vec<Found>) -> Result<()> {
    let failed = |error| trouble("listing", directory, error);
    for entry in fs::read_dir(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        if name.to_string_lossy().starts_with('.') {
            continue;
        }
        let path = entry.path();
        let kind = entry.file_type().map_err(failed)?;
        // A link to a directory is not followed: it may lead back.
        if kind.is_dir() {
            walk(top, &path, found)?;
        } else if is_audio(&path) && (kind.is_file() || path.is_file()) {
            let relative = path.strip_prefix(top).unwrap_or(&path).to_path_buf();
            found.push(Found { path, relative });
        }
    }
    Ok(())
}

fn is_audio(path: &Path) -> bool {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    extension.is_some_and(|extension| AUDIO.contains(&extension.as_str()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn directories_patterns_and_paths_stand_for_files() {
        let directory = tempfile::tempdir().unwrap();
        let top = directory.path();
        fs::create_dir_all(top.join("a/b")).unwrap();
        for name in ["a/1.wav", "a/b/2.FLAC", "a/b/notes.txt", "a/.hidden.wav", "3.mp3"] {
            fs::write(top.join(name), "x").unwrap();
        }
        let relative = |paths: &[&str]| -> Vec<String> {
            let paths: Vec<PathBuf> = paths.iter().map(|path| top.join(path)).collect();
            let found = find(&paths).unwrap();
            found.into_iter().map(|found| found.relative.to_string_lossy().into_owned()).collect()
        };
        assert_eq!(relative(&[""]), ["3.mp3", "a/1.wav", "a/b/2.FLAC"]);
        assert_eq!(relative(&["a", "3.mp3", "a/1.wav"]), ["1.wav", "b/2.FLAC", "3.mp3"]);
        assert_eq!(relative(&["a/**/*.*"]), ["1.wav", "b/2.FLAC", "b/notes.txt"]);
        assert_eq!(relative(&["a/b/*.txt"]), ["notes.txt"]);
        let error = |path: &str| find(&[top.join(path)]).unwrap_err().to_string();
        assert!(error("*.opus").contains("no file matches the pattern"));
        assert!(error("lost").contains("No such file"));
        fs::create_dir(top.join("empty")).unwrap();
        assert!(error("empty").contains("no audio files"));
    }
}
