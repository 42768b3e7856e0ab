//! Where a file goes.

#![forbid(unsafe_code)]

use std::fmt;
use std::path::{Path, PathBuf};

use super::atomic::AtomicFile;
use crate::error::Result;
use crate::host::ByteSink;

/// Where a file goes.
pub enum Target {
    /// A path, whose old file is replaced by the new one when that is whole.
    Path(PathBuf),
    /// Somebody else's object; bytes go there as they are made.
    Sink(Box<dyn ByteSink>),
}

impl Target {
    /// The path, when it is one.
    pub(super) fn path(&self) -> Option<&Path> {
        match self {
            Self::Path(path) => Some(path),
            Self::Sink(_) => None,
        }
    }

    /// Opens it; a path's temporary file is there from now on.
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
