//! Memory whose pages are fetched when they are touched, for bytes that are not on this machine.
//!
//! | | |
//! |---|---|
//! | `Paged::new` | memory as long as the bytes, none of which need be there; `None` where the system has no such memory |
//! | `Paged::bytes` | the memory, of which a part that is touched is waited for |
//! | `Paged::watch` | makes sure that it is |
//! | `Paged::failure` | why bytes read as zeros, if some do |
//! | `Paged::release` | gives back a part that was read |

#[cfg(unix)]
pub(super) mod pages;
#[cfg(not(unix))]
#[path = "other.rs"]
mod system;
#[cfg(unix)]
#[path = "unix.rs"]
mod system;

pub(super) use system::Paged;
