//! What can be wrong with a file or a change.

use std::fmt;

/// Why metadata cannot be read or changed.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The bytes cannot be read.
    Io(std::io::Error),
    /// The bytes violate the format.
    Malformed {
        /// The format's name.
        format: &'static str,
        /// The offset in the file.
        offset: u64,
        /// What was found and what was expected.
        what: String,
    },
    /// The format, or a variant of it, is not supported.
    Unsupported {
        /// What it is.
        what: String,
    },
    /// The format cannot hold what is to be written.
    Lacks {
        /// The format's name.
        format: &'static str,
        /// The argument: `tags`, `pictures`, `markers` or `bext`.
        item: &'static str,
        /// What it cannot hold, and what it can.
        what: String,
    },
}

/// The result of reading or changing metadata.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub(crate) fn malformed(format: &'static str, offset: u64, what: impl Into<String>) -> Self {
        Self::Malformed { format, offset, what: what.into() }
    }

    pub(crate) fn unsupported(what: impl Into<String>) -> Self {
        Self::Unsupported { what: what.into() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(cause) => write!(f, "{cause}"),
            Self::Malformed { format, offset, what } => {
                write!(f, "at byte {offset} of the {format} file: {what}")
            }
            Self::Unsupported { what } => f.write_str(what),
            Self::Lacks { format, item, what } => write!(f, "{item} of a {format} file: {what}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(cause) => Some(cause),
            _ => None,
        }
    }
}

impl From<std::io::Error> for Error {
    fn from(cause: std::io::Error) -> Self {
        Self::Io(cause)
    }
}
