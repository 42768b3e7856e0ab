//! The handlers that run around a fork, the number of forks, and calls that a fork waits for.

#![forbid(unsafe_code)]
#![cfg_attr(not(unix), allow(dead_code))] // nothing forks there

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::system;

/// How long a fork waits for calls in progress. Loading a library takes seconds from a slow disk, and longer on a machine with far
/// more to do than it can; only a call that hangs, or that waits for the forking thread itself, takes as long as this.
const LIMIT: Duration = Duration::from_secs(60);

/// How long a waiting thread sleeps between two looks, after the first few.
const PAUSE: Duration = Duration::from_micros(50);
const NUM_YIELDS: u32 = 20;

/// 0 until the handlers are registered.
static GENERATION: AtomicU32 = AtomicU32::new(0);

/// How many threads are inside [`hold_off`], in parts that the threads are spread over, so that they rarely wait for each other's
/// cache line.
static INSIDE: [Part; NUM_PARTS] = [const { Part(AtomicUsize::new(0)) }; NUM_PARTS];
const NUM_PARTS: usize = 16;

#[repr(align(128))]
struct Part(AtomicUsize);

/// How many forks are in progress.
static NUM_FORKING: AtomicUsize = AtomicUsize::new(0);

/// How many calls were still in progress when the fork stopped waiting for them, and whether that happened before this process
/// was forked.
static NUM_LEFT: AtomicUsize = AtomicUsize::new(0);
static HAS_LOST: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// How many nested calls of [`hold_off`] this thread is in.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
    /// The part that counts this thread.
    static PART: Cell<Option<&'static AtomicUsize>> = const { Cell::new(None) };
}

/// The part that counts this thread.
fn part() -> &'static AtomicUsize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    PART.get().unwrap_or_else(|| {
        let index = NEXT.fetch_add(1, Ordering::Relaxed) % NUM_PARTS;
        let part = INSIDE.get(index).map_or(&INSIDE[0].0, |part| &part.0);
        PART.set(Some(part));
        part
    })
}

/// How many threads are inside.
fn num_inside() -> usize {
    INSIDE.iter().map(|part| part.0.load(Ordering::SeqCst)).sum()
}

/// A number that differs between a process and its forked children: whatever was made under another one came from a parent.
///
/// It costs a relaxed load of a static.
///
/// ```
/// let made_by = mapwave_fork::generation();
/// // ... and later, perhaps in a child:
/// assert_eq!(made_by, mapwave_fork::generation(), "this process made it, so its threads are still there");
/// ```
#[inline]
pub fn generation() -> u32 {
    match GENERATION.load(Ordering::Relaxed) {
        0 => register(),
        generation => generation,
    }
}

/// Registers the handlers, where that has not happened at load. Threads that come here together register them once each rather than
/// wait for each other, since a fork could strike while they wait; the handlers may run more than once for a fork.
#[cold]
fn register() -> u32 {
    system::register(before, in_parent, in_child);
    let first = GENERATION.compare_exchange(0, 1, Ordering::Relaxed, Ordering::Relaxed);
    first.map_or_else(|generation| generation, |_| 1)
}

/// Makes a call that has not begun or has ended in every forked child: a fork waits until it ends, for up to a minute.
///
/// It is meant for calls of at most some milliseconds into libraries that have locks, lazy values or shared tables of their own,
/// such as a dynamic loader. The call must not need anything that a forking thread may hold, above all the lock of an
/// interpreter. Calls can be nested, and can fork.
///
/// ```
/// let sum = mapwave_fork::hold_off(|| 1 + 1);
/// assert_eq!(sum, 2);
/// ```
pub fn hold_off<R>(call: impl FnOnce() -> R) -> R {
    let _inside = Inside::enter();
    call()
}

/// As [`hold_off`], for a call during which another copy of this crate holds forks off, that of a program which loads this library.
///
/// It does not wait for a fork in progress: that fork waits for the other copy's call, and therefore for this one.
pub fn while_held_off<R>(call: impl FnOnce() -> R) -> R {
    if DEPTH.get() == 0 {
        part().fetch_add(1, Ordering::SeqCst);
    }
    DEPTH.set(DEPTH.get() + 1);
    let _inside = Inside;
    call()
}

/// Whether calls in [`hold_off`] were lost when this process was forked, because the fork did not wait any longer. The libraries
/// that they called may be unusable.
pub fn has_lost_calls() -> bool {
    HAS_LOST.load(Ordering::Relaxed)
}

pub(crate) struct Inside;

impl Inside {
    pub(crate) fn enter() -> Self {
        if DEPTH.get() == 0 {
            let mut patience = Patience::default();
            loop {
                part().fetch_add(1, Ordering::SeqCst);
                // Only now: a fork whose handlers are those of this library then waits for this thread, which may be loading it
                // and would otherwise wait for the fork.
                generation();
                if NUM_FORKING.load(Ordering::SeqCst) == 0 {
                    break;
                }
                part().fetch_sub(1, Ordering::SeqCst);
                patience.pause();
            }
        }
        DEPTH.set(DEPTH.get() + 1);
        Self
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
        if DEPTH.get() == 0 {
            part().fetch_sub(1, Ordering::SeqCst);
        }
    }
}

/// Waiting for others, which usually takes microseconds.
#[derive(Default)]
struct Patience {
    num_looks: u32,
}

impl Patience {
    fn pause(&mut self) {
        self.num_looks = self.num_looks.saturating_add(1);
        if self.num_looks <= NUM_YIELDS { thread::yield_now() } else { thread::sleep(PAUSE) }
    }
}

/// How many of the threads inside [`hold_off`] are this one, which cannot wait for itself.
fn num_own() -> usize {
    usize::from(DEPTH.get() > 0)
}

extern "C" fn before() {
    NUM_FORKING.fetch_add(1, Ordering::SeqCst);
    let mut patience = Patience::default();
    let mut deadline = None;
    let mut num_left = 0;
    while num_inside() > num_own() {
        let now = Instant::now();
        if now > *deadline.get_or_insert(now + LIMIT) {
            num_left = num_inside().saturating_sub(num_own());
            break;
        }
        patience.pause();
    }
    NUM_LEFT.store(num_left, Ordering::SeqCst);
}

extern "C" fn in_parent() {
    NUM_FORKING.fetch_sub(1, Ordering::SeqCst);
}

extern "C" fn in_child() {
    // No other thread exists yet.
    INSIDE.iter().for_each(|part| part.0.store(0, Ordering::SeqCst));
    part().store(num_own(), Ordering::SeqCst);
    NUM_FORKING.store(0, Ordering::SeqCst);
    if NUM_LEFT.load(Ordering::SeqCst) > 0 {
        HAS_LOST.store(true, Ordering::Relaxed);
    }
    // 0 would mean that no handlers are registered.
    let next = GENERATION.load(Ordering::Relaxed).checked_add(1).unwrap_or(1);
    GENERATION.store(next, Ordering::Relaxed);
}
