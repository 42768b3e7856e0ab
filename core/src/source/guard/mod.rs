//! What a map of a file needs while its file can change.
//!
//! | | |
//! |---|---|
//! | `Guard::new` | guards the addresses of a map for as long as it lives; `None` if that cannot be |
//! | `Guard::watch` | makes sure, before the map is read, that it is guarded still |
//! | `Guard::was_hit` | whether a page of the map was missing and read as zeros |
//! | `release` | gives back the memory of pages, which come again from the file when they are touched |
//!
//! The guard of a POSIX system also answers for memory that is fetched when it is touched ([`paged`](super::paged)).

#[cfg(not(unix))]
#[path = "other.rs"]
mod system;
#[cfg(unix)]
#[path = "unix.rs"]
mod system;

#[cfg(unix)]
pub(super) use system::watch_all;
pub(super) use system::{Guard, release};
