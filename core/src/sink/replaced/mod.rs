//! What a new file takes over from the one that it replaces, and what the system does for the replacement.
//!
//! | | |
//! |---|---|
//! | `Replaced::new` | what a file has that others must find in the new one; an error if the user may not write it, or if that cannot be kept |
//! | `Replaced::give_to` | gives it to the new file, which nobody else may read yet, as far as this user may |
//! | `create_new` | a new file to write, for nobody else to read if it is to replace another |
//! | `RESERVES`, `reserve` | whether blocks of a file can be reserved beyond its end, and their reservation |
//! | `open_directory` | opens a directory to flush it to the disk |

#[cfg(not(unix))]
#[path = "other.rs"]
mod system;
#[cfg(unix)]
#[path = "unix.rs"]
mod system;

pub(super) use system::{RESERVES, Replaced, create_new, open_directory, reserve};
