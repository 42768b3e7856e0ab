//! Finds, tries and loads plugin libraries.
//!
//! What the system says of a library, a directory or a process is in `system`, which is the same on all systems:
//!
//! | | |
//! |---|---|
//! | `SYSTEM`, `user_data`, `user_cache` | the directories of the whole machine and of the user |
//! | `is_privileged` | whether the program has more privileges than the user who started it, as one of another user or group, or with capabilities of its file |
//! | `refuse_all` | why no library may be loaded at all |
//! | `distrust` | why a file or directory is not trusted: other users than root and this one own it or can write to it |
//! | `distrust_around` | the same for the directories around one, of which all links are resolved |
//! | `Library` | a library with all its symbols bound, until the process exits; the error is the loader's message |
//! | `by_descriptor` | a path of a file that is open, for this process or another of this user, which depends on no name of it |
//! | `fatal_signal` | the signal that ended a process, and whether it crashed by itself |

pub(crate) mod directories;
pub(crate) mod hints;
pub(crate) mod library;
pub(crate) mod pinned;
pub(crate) mod probation;

#[cfg(not(unix))]
#[path = "other.rs"]
mod system;
#[cfg(unix)]
#[path = "unix.rs"]
mod system;
