//! The memory of the machine.
//!
//! | | |
//! |---|---|
//! | `page_size` | the size of a page in bytes |
//! | `physical_memory` | the memory of this machine in bytes; `None` if it is not known |
//! | `prefer_huge` | requests huge pages for a new map; a system without them provides the memory all the same |
//! | `prefer_huge_within` | the same for the huge pages of this size that lie in memory of another library |
//! | `without_contents` | a map to take for uninitialised, whose pages the system may take back until they are written again; `None` where it cannot or is not worth it, and then it is unmapped |

#[cfg(not(unix))]
#[path = "other.rs"]
mod system;
#[cfg(unix)]
#[path = "unix.rs"]
mod system;

pub(crate) use system::{page_size, physical_memory, prefer_huge, prefer_huge_within, without_contents};
