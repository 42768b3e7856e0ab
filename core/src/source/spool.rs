//! Bytes that come one after the other and are read from a file without a name.

#![forbid(unsafe_code)]

use std::fs::File;
use std::io;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::error::{Error, Result};
use crate::files;

/// The bytes of a stream so far, on the disk: they take no memory, and vanish with this value.
#[derive(Debug)]
pub struct Spool {
    file: File,
    len: u64,
}

impl Spool {
    /// An empty one, in the system's directory for temporary files.
    ///
    /// # Errors
    /// [`Error::Io`] if there can be no file.
    pub fn new() -> Result<Self> {
        let file = nameless_file().map_err(|cause| Error::io("creating a temporary file", cause))?;
        Ok(Self { file, len: 0 })
    }

    /// Adds bytes.
    ///
    /// # Errors
    /// [`Error::Io`], for example if the disk is full.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        let written = files::write_all_at(&self.file, bytes, self.len);
        written.map_err(|cause| Error::io("writing to a temporary file", cause))?;
        self.len += bytes.len() as u64;
        Ok(())
    }

    /// The number of bytes so far.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The file of the bytes so far, to which more may be added meanwhile.
    ///
    /// # Errors
    /// [`Error::Io`] if the process has too many files open.
    pub fn file(&self) -> Result<File> {
        self.file.try_clone().map_err(|cause| Error::io("opening", cause))
    }
}

/// A file that nobody else finds.
pub(super) fn nameless_file() -> io::Result<File> {
    let directory = std::env::temp_dir();
    if let Some(file) = files::open_nameless(&directory) {
        return Ok(file);
    }
    // A system or a file system that has no such files.
    static COUNT: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = directory.join(format!(".mapwave-{}-{number}", process::id()));
        match files::create_short_lived(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            created => return created,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_is_read() {
        let mut spool = Spool::new().unwrap();
        assert!(spool.is_empty());
        spool.append(b"one").unwrap();
        let file = spool.file().unwrap();
        spool.append(b" two").unwrap();
        let mut bytes = [0; 7];
        files::read_exact_at(&file, &mut bytes, 0).unwrap();
        assert_eq!((&bytes, spool.len()), (b"one two", 7));
        assert_eq!(nameless_file().unwrap().metadata().unwrap().len(), 0);
    }
}
