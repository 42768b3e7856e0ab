//! Bytes as a file with a path.

#[cfg(target_os = "linux")]
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A file that goes when it is dropped.
pub(crate) struct Stored {
    path: PathBuf,
    /// Closed at the end.
    _file: Held,
}

enum Held {
    #[cfg(target_os = "linux")]
    InMemory(#[allow(dead_code)] File),
    OnDisk(#[allow(dead_code)] tempfile::TempPath),
}

impl Stored {
    /// # Panics
    /// When the system refuses.
    pub(crate) fn new(bytes: &[u8]) -> Self {
        #[cfg(target_os = "linux")]
        if let Ok(descriptor) = rustix::fs::memfd_create("oracle", rustix::fs::MemfdFlags::CLOEXEC) {
            use std::os::fd::AsRawFd;
            let mut file = File::from(descriptor);
            file.write_all(bytes).expect("memory can be written");
            let path = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
            return Self { path, _file: Held::InMemory(file) };
        }
        let mut file = tempfile::NamedTempFile::new().expect("a temporary file can be made");
        file.write_all(bytes).expect("a temporary file can be written");
        let path = file.into_temp_path();
        Self { path: path.to_path_buf(), _file: Held::OnDisk(path) }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}
