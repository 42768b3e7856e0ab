//! Locks, lazy values and calls into C libraries that stay usable in a forked child process.
//!
//! `fork` copies the memory of a process but only the thread that calls it. What another thread is doing at that moment never
//! ends in the child: a [`std::sync::Mutex`] that it holds stays locked, a [`std::sync::OnceLock`] that it initialises is never
//! initialised, and whoever needs one of them waits for ever. Python's multiprocessing forks by default on Linux.
//!
//! Nor is the copy of the memory taken at one moment. Other threads go on while page after page is copied: a lock can be free in
//! the copy and what it protects half changed, or a pointer be there and what it points to not. Therefore a fork waits, for
//! microseconds, until no thread is changing anything, and threads that want to wait for the fork.
//!
//! | instead of | use | in a child |
//! |---|---|---|
//! | `Mutex<T>`, held briefly | [`Lock<T>`] | free; the value is as it was |
//! | `Mutex<T>`, held over calls of any length | [`LongLock<T>`] | free, with a new default value |
//! | `OnceLock<T>`, `LazyLock<T>` | [`SetOnce<T>`] | set or not set, and never in between |
//! | `RwLock<T>` of something that rarely changes | [`Shared<T>`] | the value published last |
//! | a call into a library that has locks or lazy values of its own | [`hold_off`] | the call has not begun or has ended |
//! | `Builder::spawn`, `spawn_scoped` | [`start`], [`start_scoped`], [`together`] | no stack of a thread is half prepared |
//!
//! Reading costs a load. A change, and a `Lock` that is taken, cost two atomic operations more than their counterparts.
//!
//! All of it depends on handlers that `fork` runs (`pthread_atfork`), and therefore does not apply to a process that is made by
//! the system call `clone` directly.

#![deny(unsafe_code)]

#[cfg(unix)]
mod at_load;
mod handlers;
mod lock;
mod once;
mod shared;
mod threads;

#[cfg(not(unix))]
#[path = "other.rs"]
mod system;
#[cfg(unix)]
#[path = "unix.rs"]
mod system;

pub use handlers::{generation, has_lost_calls, hold_off, while_held_off};
pub use lock::{Guard, Lock, LongLock};
pub use once::SetOnce;
pub use shared::Shared;
pub use threads::{start, start_scoped, together};
