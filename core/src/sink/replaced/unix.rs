//! Files of a POSIX system: owner, group, mode and extended attributes.

#![forbid(unsafe_code)]

use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::Path;

const SET_USER: u32 = 0o4000;
const SET_GROUP: u32 = 0o2000;
const GROUP: u32 = 0o070;
const OTHERS: u32 = 0o007;

/// The most bytes of an attribute's name or value, which no file system exceeds (Linux, `XATTR_SIZE_MAX`).
const MOST_BYTES: usize = 1 << 16;

/// What a file had before the save.
#[derive(Debug)]
pub(in crate::sink) struct Replaced(Metadata);

impl Replaced {
    pub(in crate::sink) fn new(path: &Path, metadata: Metadata) -> io::Result<Self> {
        rustix::fs::access(path, rustix::fs::Access::WRITE_OK)?;
        Ok(Self(metadata))
    }

    /// The error is that the mode cannot be set.
    pub(in crate::sink) fn give_to(&self, path: &Path, file: &File) -> io::Result<()> {
        copy(path, &self.0, file)
    }
}

/// The user's umask applies to the mode.
pub(in crate::sink) fn create_new(path: &Path, is_private: bool) -> io::Result<File> {
    let mode = if is_private { 0o600 } else { 0o666 };
    OpenOptions::new().write(true).create_new(true).mode(mode).open(path)
}

pub(in crate::sink) const RESERVES: bool = cfg!(target_os = "linux");

#[cfg(target_os = "linux")]
pub(in crate::sink) fn reserve(file: &File, start: u64, num_bytes: u64) -> bool {
    rustix::fs::fallocate(file, rustix::fs::FallocateFlags::KEEP_SIZE, start, num_bytes).is_ok()
}

#[cfg(not(target_os = "linux"))]
pub(in crate::sink) fn reserve(_: &File, _start: u64, _num_bytes: u64) -> bool {
    false
}

pub(in crate::sink) fn open_directory(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// Gives `file`, which nobody else may read yet, what the `existing` file at `path` has, as far as this user may.
///
/// The owner and the group come first: changing them clears the bits that let a program run as another. A right is never given to
/// anybody who did not have it: where the group cannot be kept, the group that the file has may do what everybody may.
fn copy(path: &Path, existing: &Metadata, file: &File) -> io::Result<()> {
    let own = file.metadata()?;
    if own.uid() != existing.uid() {
        // Only root may: for other users, the new file belongs to the writer.
        let _ = fchown(file, Some(existing.uid()), None);
    }
    if own.gid() != existing.gid() {
        // A member of the group may.
        let _ = fchown(file, None, Some(existing.gid()));
    }
    let own = file.metadata()?;
    copy_extended(path, file, own.gid() == existing.gid());
    file.set_permissions(Permissions::from_mode(mode(
        existing.mode(),
        own.uid() == existing.uid(),
        own.gid() == existing.gid(),
    )))
}

/// The mode of a file that has kept the owner and the group of another, or not.
fn mode(existing: u32, has_owner: bool, has_group: bool) -> u32 {
    let mut mode = existing & 0o7777;
    if !has_owner {
        mode &= !SET_USER;
    }
    if !has_group {
        let others = mode & OTHERS;
        mode = mode & !(SET_GROUP | GROUP) | mode & GROUP & (others << 3);
    }
    mode
}

/// Copies the access control list and the attributes of users. What a file system does not have, or this user may not set, is left out.
fn copy_extended(path: &Path, file: &File, has_group: bool) {
    if !rustix::fs::listxattr_query(path).is_ok_and(|num_bytes| num_bytes > 0) {
        return;
    }
    let mut names = vec![0; MOST_BYTES];
    let Ok(num_bytes) = rustix::fs::listxattr(path, &mut names) else { return };
    let mut value = vec![0; MOST_BYTES];
    for name in names.get(..num_bytes).unwrap_or_default().split(|byte| *byte == 0) {
        let is_list = name == b"system.posix_acl_access";
        let is_copied = name.starts_with(b"user.") || is_list && has_group || cfg!(target_os = "macos");
        if name.is_empty() || !is_copied {
            continue;
        }
        if let Ok(num_bytes) = rustix::fs::getxattr(path, name, &mut value) {
            let value = value.get(..num_bytes).unwrap_or_default();
            let _ = rustix::fs::fsetxattr(file, name, value, rustix::fs::XattrFlags::empty());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_kept_or_given_up_and_never_given_to_others() {
        assert_eq!(mode(0o106_755, true, true), 0o6755);
        assert_eq!(mode(0o6755, false, true), 0o2755);
        assert_eq!(mode(0o6770, true, false), 0o4700);
        assert_eq!(mode(0o664, true, false), 0o644);
        assert_eq!(mode(0o2646, true, false), 0o646);
        assert_eq!(mode(0o604, true, false), 0o604);
        assert_eq!(mode(0o1777, false, false), 0o1777);
    }
}
