//! Locks, lazy values and calls into C libraries that stay usable in a forked child process.
//!
//! `fork` copies the memory of a process but only the thread that calls it. What another thread is doing at that moment never
//! ends in the child: a [`std::sync::Mutex`] that it holds stays locked, a [`std::sync::OnceLock`] that it initialises is never
//! initialised, and whoever needs one of them waits for ever. Python's multiprocessing forks by default on Linux.
//!
//! | instead of | use | in a child |
//! |---|---|---|
//! | `Mutex<T>` | [`Lock<T>`] | free; the value is as it was, or a new default if a thread was changing it |
//! | `OnceLock<T>`, `LazyLock<T>` | [`SetOnce<T>`] | set or not set, and never in between |
//! | `RwLock<T>` of something that rarely changes | [`Shared<T>`] | the value published last |
//! | a call into a library that has locks or lazy values of its own | [`hold_off`] | the call has not begun or has ended |
//!
//! The first three cost one load more than their counterparts. None of them waits before a fork; only [`hold_off`] delays
//! one.
//!
//! All of it depends on handlers that `fork` runs (`pthread_atfork`), and therefore does not apply to a process that is made by
//! the system call `clone` directly.

#![deny(unsafe_code)]

mod handlers;
mod lock;
mod once;
mod shared;

pub use handlers::{generation, has_lost_calls, hold_off};
pub use lock::Lock;
pub use once::SetOnce;
pub use shared::Shared;
