//! What a file that replaces another takes over from it: owner, group, mode and extended attributes.

#![forbid(unsafe_code)]

use std::fs::{File, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::Path;

const SET_USER: u32 = 0o4000;
const SET_GROUP: u32 = 0o2000;
const GROUP: u32 = 0o070;
const OTHERS: u32 = 0o007;

/// The most bytes of an attribute's name or value, which no file system exceeds (Linux, `XATTR_SIZE_MAX`).
const MOST_BYTES: usize = 1 << 16;

/// Gives `file`, which nobody else may read yet, what the `existing` file at `path` has, as far as this user may.
///
/// The owner and the group come first: changing them clears the bits that let a program run as another. A right is never given to
/// anybody who did not have it: where the group cannot be kept, the group that the file has may do what everybody may.
///
/// # Errors
/// When the mode cannot be set.
pub(super) fn copy(path: &Path, existing: &Metadata, file: &File) -> io::Result<()> {
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
