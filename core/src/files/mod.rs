//! Files as the system has them, beyond what the standard library does in one way everywhere.
//!
//! | | |
//! |---|---|
//! | `read_at`, `read_exact_at`, `read_exact_uninit_at`, `write_all_at` | at an offset, for any number of threads: the position of the file plays no part |
//! | `len` | how long an open file is now |
//! | `state` | what tells whether a file is the same with the same contents; `None` where the system does not say enough |
//! | `open_without_waiting` | opens for reading, and returns at once where a FIFO has no writer |
//! | `open_nameless`, `create_short_lived` | a new file in a directory that nobody else finds; `None` where there is none, and then by a name that vanishes at the latest when the file is closed |
//! | `special_kind` | what a file is that is neither regular nor a directory |
//! | `is_directory`, `too_many_links` | the errors of the system |
//! | `leads_nowhere` | whether an error of opening means that no file has this path |
//! | `name_of_bytes` | the name that an archive writes as these bytes |
//! | `splits` | the paths in front of and behind each `::` of a path |
//! | `shortened` | the beginning of a name, for a name like it |

mod state;

#[cfg(not(unix))]
#[path = "other.rs"]
mod system;
#[cfg(unix)]
#[path = "unix.rs"]
mod system;

pub(crate) use state::FileState;
pub(crate) use system::{
    create_short_lived, is_directory, leads_nowhere, len, name_of_bytes, open_nameless, open_without_waiting,
    read_at, read_exact_at, read_exact_uninit_at, shortened, special_kind, splits, state, too_many_links,
    write_all_at,
};
