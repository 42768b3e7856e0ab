//! Asks the system to read a file that will be needed soon.

#![forbid(unsafe_code)]

use std::ops::Range;
use std::path::Path;

use super::regular;

/// Has the system begin to read a part of a file that is not in the page cache, and returns whether it was not. Nothing waits for
/// the bytes, and what goes wrong is found by whoever reads the file.
///
/// Where the system cannot tell what is in the page cache (other than Linux), it does nothing.
pub(super) fn read_ahead(path: &Path, part: Option<Range<u64>>) -> bool {
    let Ok((file, metadata)) = regular::open(path) else { return false };
    let part = part.unwrap_or(0..metadata.len());
    // The end of the part is the last that is read.
    let end = part.end.min(metadata.len());
    match end.checked_sub(1).filter(|last| *last >= part.start) {
        Some(last) if !is_cached(&file, last) => advise(&file, part.start..end),
        _ => false,
    }
}

/// Whether a byte can be read without waiting for the disk.
#[cfg(target_os = "linux")]
fn is_cached(file: &std::fs::File, offset: u64) -> bool {
    let mut byte = [0; 1];
    let buffers = &mut [std::io::IoSliceMut::new(&mut byte)];
    let read = rustix::io::preadv2(file, buffers, offset, rustix::io::ReadWriteFlags::NOWAIT);
    // A file system that cannot tell says another error.
    !matches!(read, Err(rustix::io::Errno::AGAIN))
}

#[cfg(target_os = "linux")]
fn advise(file: &std::fs::File, part: Range<u64>) -> bool {
    let length = std::num::NonZeroU64::new(part.end.saturating_sub(part.start));
    rustix::fs::fadvise(file, part.start, length, rustix::fs::Advice::WillNeed).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn is_cached(_: &std::fs::File, _: u64) -> bool {
    true
}

#[cfg(not(target_os = "linux"))]
fn advise(_: &std::fs::File, _: Range<u64>) -> bool {
    false
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn what_is_in_memory_is_not_read_ahead() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&[1; 100_000]).unwrap();
        assert!(!read_ahead(file.path(), None));
        assert!(!read_ahead(file.path(), Some(50..60)));
        assert!(!read_ahead(file.path(), Some(200_000..300_000)));
        assert!(!read_ahead(Path::new("/nowhere"), None));
        assert!(!read_ahead(Path::new("/dev/zero"), None));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_is_not_in_memory_is_read_ahead() {
        // In the target directory: a temporary file may be in memory only.
        let mut file = tempfile::NamedTempFile::new_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        file.write_all(&vec![1; 1 << 20]).unwrap();
        file.as_file().sync_all().unwrap();
        rustix::fs::fadvise(file.as_file(), 0, None, rustix::fs::Advice::DontNeed).unwrap();
        if !read_ahead(file.path(), None) {
            // A file system may keep it all the same.
            assert!(is_cached(file.as_file(), (1 << 20) - 1));
            return;
        }
        let mut looks = 0;
        while !is_cached(file.as_file(), (1 << 20) - 1) && looks < 1_000_000 {
            looks += 1;
            std::thread::yield_now();
        }
        assert!(!read_ahead(file.path(), None), "it has been read");
    }
}
