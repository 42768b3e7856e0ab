//! The one error type of the crate.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::track::Container;

/// What every fallible function of this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a file could not be opened or read, or why an argument was refused.
///
/// The message names the file, the place in it, what was found and what was expected.
///
/// ```
/// let error = mapwave_core::Reader::open("no-such-file.wav").unwrap_err();
/// assert!(error.to_string().contains("no-such-file.wav"));
/// ```
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused an operation, or the file changed while it was being read.
    #[error("{}{doing}: {cause}{}", name(path), at(*offset))]
    Io {
        /// The file, when there is one.
        path: Option<PathBuf>,
        /// What was being done, such as "opening".
        doing: &'static str,
        /// The byte offset in the file, when the operation had one.
        offset: Option<u64>,
        /// The operating system's error.
        #[source]
        cause: io::Error,
    },

    /// The bytes are not what their container's specification demands.
    #[error("{}malformed {container} file{}: {what}", name(path), at(Some(*offset)))]
    Malformed {
        /// The file, when there is one.
        path: Option<PathBuf>,
        /// The container whose rules are broken.
        container: Container,
        /// Where in the file.
        offset: u64,
        /// What was found and what was expected.
        what: String,
    },

    /// The file is of a container or codec that nothing here reads.
    #[error("{}unsupported format: {what}", name(path))]
    Unsupported {
        /// The file, when there is one.
        path: Option<PathBuf>,
        /// The container, when that much was recognised.
        container: Option<Container>,
        /// The codec, when that much was recognised.
        codec: Option<String>,
        /// What was found, and what can be done.
        what: String,
    },

    /// A size is beyond what this library or machine can hold.
    #[error("{}{what} is {got}, more than the limit of {max}", name(path))]
    Limit {
        /// The file, when there is one.
        path: Option<PathBuf>,
        /// The size that is over its limit.
        what: &'static str,
        /// The limit.
        max: u64,
        /// What was asked for.
        got: u64,
    },

    /// The system has not as much memory as the frames take.
    #[error("{}there is no memory for the {num_bytes} bytes asked for; read it in windows", name(path))]
    OutOfMemory {
        /// The file, when there is one.
        path: Option<PathBuf>,
        /// What was asked for.
        num_bytes: u64,
    },

    /// The caller gave a value that makes no sense.
    #[error("{}{name} must be {expected}, got {got}", self::name(path))]
    Argument {
        /// The file, when the value depends on it.
        path: Option<PathBuf>,
        /// The argument's name.
        name: &'static str,
        /// The values it can take.
        expected: String,
        /// The value it had.
        got: String,
    },

    /// A codec plugin could not do what was asked of it.
    #[error("{}{fault} (plugin '{plugin}', {doing}){}: {what}", name(path), at(*offset))]
    Plugin {
        /// The file, when there is one.
        path: Option<PathBuf>,
        /// The plugin's name.
        plugin: &'static str,
        /// What it was asked to do, such as "decoding".
        doing: &'static str,
        /// What kind of failure it was.
        fault: Fault,
        /// Where in the file, when the plugin says so.
        offset: Option<u64>,
        /// The container, when that much was recognised.
        container: Option<Container>,
        /// What was found and what was expected.
        what: Box<str>,
    },

    /// The caller's progress check asked to stop.
    #[error("interrupted")]
    Interrupted,

    /// A parser was given only the beginning of a file and needs its bytes up to `needed`.
    ///
    /// [`Reader`](crate::Reader) answers it by mapping the whole file; it never leaves the crate from there.
    #[error("the file's bytes up to offset {needed} are needed")]
    Incomplete {
        /// The end of the range the parser asked for.
        needed: u64,
    },
}

/// What kind of failure a codec plugin met or is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The bytes are not what the format's specification demands.
    BadData,
    /// The plugin does not read this kind of file.
    Unsupported,
    /// The plugin does not write what was asked for in that way; with other arguments it may.
    Refused,
    /// The plugin could not read the file's bytes.
    Io,
    /// There was not enough memory, or more would be needed than is allowed.
    Memory,
    /// A library or device that the plugin needs is not there.
    MissingDependency,
    /// The plugin itself is at fault: it panicked, broke a rule of the interface or said something that cannot be.
    Broken,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BadData => "malformed file",
            Self::Unsupported => "unsupported format",
            Self::Refused => "cannot be written so",
            Self::Io => "reading failed",
            Self::Memory => "not enough memory",
            Self::MissingDependency => "a dependency is missing",
            Self::Broken => "the plugin failed",
        })
    }
}

impl Error {
    /// Names the file in an error that does not name one yet.
    #[must_use]
    pub fn in_file(mut self, file: &Path) -> Self {
        if let Self::Io { path, .. }
        | Self::Malformed { path, .. }
        | Self::Unsupported { path, .. }
        | Self::Limit { path, .. }
        | Self::OutOfMemory { path, .. }
        | Self::Plugin { path, .. }
        | Self::Argument { path, .. } = &mut self
        {
            path.get_or_insert_with(|| file.to_path_buf());
        }
        self
    }

    pub(crate) fn io(doing: &'static str, cause: impl Into<io::Error>) -> Self {
        Self::Io { path: None, doing, offset: None, cause: cause.into() }
    }

    pub(crate) fn malformed(container: Container, offset: u64, what: impl Into<String>) -> Self {
        Self::Malformed { path: None, container, offset, what: what.into() }
    }

    pub(crate) fn argument(name: &'static str, expected: impl Into<String>, got: impl fmt::Display) -> Self {
        Self::Argument { path: None, name, expected: expected.into(), got: got.to_string() }
    }
}

fn name(path: &Option<PathBuf>) -> String {
    path.as_ref().map(|path| format!("{}: ", path.display())).unwrap_or_default()
}

fn at(offset: Option<u64>) -> String {
    offset.map(|offset| format!(" at byte {offset}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_names_file_container_and_place() {
        let error =
            Error::malformed(Container::WAV, 36, "chunk 'data' is missing").in_file(Path::new("x.wav"));
        assert_eq!(error.to_string(), "x.wav: malformed wav file at byte 36: chunk 'data' is missing");
    }

    #[test]
    fn the_first_file_named_stays() {
        let error = Error::argument("offset", ">= 0", -1).in_file(Path::new("a")).in_file(Path::new("b"));
        assert_eq!(error.to_string(), "a: offset must be >= 0, got -1");
    }
}
