//! Starts threads while forks wait.
//!
//! The GNU C library reuses the stack of a thread that has ended: it frees what that thread's variables had and then forgets it.
//! In a child that is forked between the two, the stack counts as one to be reused, and the next thread that is started there
//! frees the same memory again (`get_cached_stack` in `nptl/allocatestack.c` of version 2.36; seen once in some ten thousand
//! forks beside threads that start others).

#![forbid(unsafe_code)]

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread::{Builder, JoinHandle, Scope, ScopedJoinHandle};
use std::time::Duration;

use crate::hold_off;

/// How often the caller's thread asks whether to go on while it waits for the others.
const INTERVAL: Duration = Duration::from_millis(50);

/// As [`Builder::spawn`], while forks wait.
///
/// # Errors
/// When the system has no more threads.
pub fn start<T: Send + 'static>(
    builder: Builder,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    hold_off(|| builder.spawn(work))
}

/// As [`Builder::spawn_scoped`], while forks wait.
///
/// # Errors
/// When the system has no more threads.
pub fn start_scoped<'scope, T: Send + 'scope>(
    builder: Builder,
    scope: &'scope Scope<'scope, '_>,
    work: impl FnOnce() -> T + Send + 'scope,
) -> io::Result<ScopedJoinHandle<'scope, T>> {
    hold_off(|| builder.spawn_scoped(scope, work))
}

/// Runs `run` on up to `num_threads` threads, the caller's among them, and returns what each of them returned, the caller's first,
/// and whether the caller was interrupted while it waited for the others.
///
/// `run` gets a function that says whether the caller wants it to end: `interrupted` on the caller's thread, which only that thread
/// may call. When it says so while the caller waits, `stopped` becomes true, by which the others know.
///
/// # Panics
/// If `run` does, after all threads have ended.
pub fn together<T: Send>(
    num_threads: usize,
    interrupted: &dyn Fn() -> bool,
    stopped: &AtomicBool,
    run: impl Fn(&dyn Fn() -> bool) -> T + Sync,
) -> (Vec<T>, bool) {
    std::thread::scope(|scope| {
        // Nothing is sent: the channel closes when the last thread has dropped its end.
        let (end, ends) = mpsc::channel::<()>();
        let run = &run;
        // If no thread can be started, the caller's thread does all the work.
        let start = |_| {
            let end = end.clone();
            let work = move || {
                let _end = end;
                run(&|| false)
            };
            start_scoped(Builder::new(), scope, work).ok()
        };
        let workers: Vec<_> = (1..num_threads).filter_map(start).collect();
        drop(end);
        let (mut results, mut is_interrupted) = (vec![run(interrupted)], false);
        while matches!(ends.recv_timeout(INTERVAL), Err(mpsc::RecvTimeoutError::Timeout)) {
            if !stopped.load(Ordering::Relaxed) && interrupted() {
                stopped.store(true, Ordering::Relaxed);
                is_interrupted = true;
            }
        }
        for worker in workers {
            match worker.join() {
                Ok(result) => results.push(result),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        (results, is_interrupted)
    })
}
