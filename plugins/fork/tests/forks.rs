//! Forks while other threads hold locks, make values and call libraries.

#![allow(unsafe_code, clippy::unwrap_used)] // fork

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::channel;
use std::thread;

use mapwave_fork::{Lock, LongLock, SetOnce, Shared, generation, has_lost_calls, hold_off};

/// The seconds after which the system ends a child that hangs.
const LIMIT: u32 = 60;

/// Whether `check` returns true in a forked child, in which no other thread of this process exists.
fn holds_in_child(check: impl FnOnce() -> bool) -> bool {
    // SAFETY: the child does nothing but run `check` and exit.
    let process = unsafe { libc::fork() };
    assert!(process >= 0, "fork");
    if process == 0 {
        // SAFETY: sets a timer.
        unsafe { libc::alarm(LIMIT) };
        let is_right = catch_unwind(AssertUnwindSafe(check)).unwrap_or(false);
        // SAFETY: ends this process, without the destructors of the parent's test.
        unsafe { libc::_exit(i32::from(!is_right)) };
    }
    let mut status = 0;
    // SAFETY: the child of this process, and a place for its status.
    assert_eq!(unsafe { libc::waitpid(process, &raw mut status, 0) }, process);
    status == 0
}

/// Calls `during` while another thread is inside the function that `hold` gets.
fn while_held(hold: impl FnOnce(&dyn Fn()) + Send, during: impl FnOnce()) {
    let (held, is_held) = channel();
    let (release, released) = channel::<()>();
    thread::scope(move |scope| {
        scope.spawn(move || {
            hold(&|| {
                held.send(()).unwrap();
                released.recv().unwrap();
            });
        });
        is_held.recv().unwrap();
        during();
        release.send(()).unwrap();
    });
}

#[test]
fn a_child_has_another_generation() {
    let ours = generation();
    assert_eq!(ours, generation());
    assert!(holds_in_child(|| {
        let childs = generation();
        childs != ours && childs == generation() && holds_in_child(|| generation() != childs)
    }));
    assert_eq!(ours, generation());
}

#[test]
fn a_free_lock_keeps_its_value_in_a_child() {
    let lock = Lock::with(vec![1]);
    lock.lock().push(2);
    assert!(holds_in_child(|| {
        lock.lock().push(3);
        *lock.lock() == [1, 2, 3] && holds_in_child(|| *lock.lock() == [1, 2, 3])
    }));
    assert_eq!(*lock.lock(), [1, 2], "a child has its own");
}

#[test]
fn a_long_lock_that_is_held_is_free_and_new_in_a_child() {
    static LOCK: LongLock<Vec<u32>> = LongLock::new();
    LOCK.lock().push(1);
    let hold = |hold: &dyn Fn()| {
        let mut value = LOCK.lock();
        value.push(2);
        hold();
        value.push(3);
    };
    while_held(hold, || {
        assert!(LOCK.try_lock().is_none());
        assert!(holds_in_child(|| {
            let was_free = LOCK.try_lock().is_some_and(|value| value.is_empty());
            LOCK.lock().push(7);
            was_free && *LOCK.lock() == [7] && holds_in_child(|| LOCK.lock().is_empty())
        }));
    });
    assert_eq!(*LOCK.lock(), [1, 2, 3], "nothing has changed here");
}

#[test]
fn a_long_lock_is_new_in_a_child_even_if_it_was_free() {
    let lock = LongLock::with(vec![1]);
    assert!(holds_in_child(|| lock.lock().is_empty()));
    assert_eq!(*lock.lock(), [1]);
}

#[test]
fn a_fork_waits_until_a_lock_is_released() {
    static PAIR: Lock<(u64, Vec<u64>)> = Lock::new();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let mut pair = PAIR.lock();
                    pair.0 += 1;
                    thread::yield_now();
                    let last = pair.0;
                    pair.1 = (0..last % 100).collect();
                }
            });
        }
        let all = (0..200).all(|_| {
            holds_in_child(|| {
                let pair = PAIR.lock();
                pair.1.len() as u64 == pair.0 % 100
                    && (0..).zip(&pair.1).all(|(number, other)| number == *other)
            })
        });
        stop.store(true, Ordering::Relaxed);
        assert!(all);
    });
}

#[test]
fn several_threads_of_a_child_share_a_new_lock() {
    let lock = LongLock::with(0);
    while_held(
        |hold| {
            let _value = lock.lock();
            hold();
        },
        || {
            assert!(holds_in_child(|| {
                thread::scope(|scope| {
                    for _ in 0..4 {
                        scope.spawn(|| (0..1000).for_each(|_| *lock.lock() += 1));
                    }
                });
                *lock.lock() == 4000
            }));
        },
    );
}

#[test]
fn what_a_thread_was_changing_is_not_dropped_in_a_child() {
    struct Watched(&'static AtomicBool);
    impl Default for Watched {
        fn default() -> Self {
            static OTHER: AtomicBool = AtomicBool::new(false);
            Self(&OTHER)
        }
    }
    impl Drop for Watched {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    static IS_DROPPED: AtomicBool = AtomicBool::new(false);
    let lock = LongLock::with(Watched(&IS_DROPPED));
    let address = std::ptr::from_ref(&lock);
    while_held(
        |hold| {
            let _value = lock.lock();
            hold();
        },
        || {
            assert!(holds_in_child(|| {
                // SAFETY: the child has a copy of the lock that nobody else in it uses.
                drop(unsafe { address.read() });
                !IS_DROPPED.load(Ordering::SeqCst)
            }));
        },
    );
    drop(lock);
    assert!(IS_DROPPED.load(Ordering::SeqCst));
}

#[test]
fn a_panic_leaves_a_lock_usable() {
    let lock = Lock::with(1);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _value = lock.lock();
        std::panic::resume_unwind(Box::new(()));
    }));
    assert!(panicked.is_err());
    assert_eq!(lock.try_lock().as_deref(), Some(&1));
}

#[test]
fn a_value_that_is_being_made_can_be_made_in_a_child() {
    static VALUE: SetOnce<u32> = SetOnce::new();
    let make = |hold: &dyn Fn()| {
        VALUE.get_or_init(|| {
            hold();
            1
        });
    };
    while_held(make, || {
        assert_eq!(VALUE.get(), None);
        assert!(holds_in_child(|| *VALUE.get_or_init(|| 2) == 2 && *VALUE.get_or_init(|| 3) == 2));
    });
    assert_eq!(VALUE.get(), Some(&1));
}

#[test]
fn of_two_values_made_together_one_remains() {
    let value = SetOnce::new();
    let first = *value.get_or_init(|| {
        value.get_or_init(|| 1);
        2
    });
    assert_eq!((first, value.get()), (1, Some(&1)));
    assert_eq!(SetOnce::from("set").get(), Some(&"set"));
}

#[test]
fn a_shared_value_is_whole_in_a_child() {
    static PAIR: Shared<(u32, u32)> = Shared::new();
    let change = |hold: &dyn Fn()| {
        PAIR.update(|_| (1, 1));
        PAIR.update(|before| {
            hold();
            before.map_or((0, 0), |(one, other)| (one + 1, other + 1))
        });
    };
    while_held(change, || {
        assert_eq!(PAIR.get(), Some(&(1, 1)));
        assert!(holds_in_child(|| {
            PAIR.get() == Some(&(1, 1)) && *PAIR.update(|_| (7, 7)) == (7, 7) && PAIR.get() == Some(&(7, 7))
        }));
    });
    assert_eq!(PAIR.get(), Some(&(2, 2)));
}

#[test]
fn a_fork_waits_for_calls_that_hold_it_off() {
    static STATE: AtomicU32 = AtomicU32::new(0);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    hold_off(|| {
                        STATE.fetch_add(1, Ordering::SeqCst);
                        hold_off(thread::yield_now);
                        STATE.fetch_sub(1, Ordering::SeqCst);
                    });
                }
            });
        }
        let all = (0..100).all(|_| {
            holds_in_child(|| {
                let is_between = STATE.load(Ordering::SeqCst) == 0;
                is_between && !has_lost_calls() && hold_off(|| holds_in_child(|| hold_off(|| true)))
            })
        });
        stop.store(true, Ordering::Relaxed);
        assert!(all);
    });
}

#[test]
fn a_call_can_fork() {
    assert!(hold_off(|| holds_in_child(|| hold_off(|| true) && holds_in_child(|| true))));
}
