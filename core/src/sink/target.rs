//! Where a file is written.

#![forbid(unsafe_code)]

use std::fmt;
use std::path::{Path, PathBuf};

use super::atomic::AtomicFile;
use crate::error::Result;
use crate::host::ByteSink;

/// Where a file is written.
pub enum Target {
    /// A path. The new file replaces the old one once it is complete.
    Path(PathBuf),
    /// The caller's own object, which receives bytes as they are produced.
    Sink(Box<dyn ByteSink>),
}

impl Target {
    /// The path, if it is one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Path(path) => Some(path),
            Self::Sink(_) => None,
        }
    }

    /// Opens the target; for a path, creates the temporary file.
    pub(super) fn open(self) -> Result<(Box<dyn ByteSink>, Option<AtomicFile>)> {
        match self {
            Self::Path(path) => {
                let file = AtomicFile::create(&path)?;
                Ok((file.output(), Some(file)))
            }
            Self::Sink(output) => Ok((output, None)),
        }
    }
}

impl From<&Path> for Target {
    fn from(path: &Path) -> Self {
        Self::Path(path.to_path_buf())
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(f, "Target::Path({})", path.display()),
            Self::Sink(_) => f.write_str("Target::Sink"),
        }
    }
}
