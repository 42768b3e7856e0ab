//! Ends the wait for plugins in calls that have no argument for it: a caller that can be interrupted says so around them.

#![forbid(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::error::{Error, Result};

thread_local! {
    /// What the caller of this thread's calls checks, if anything.
    static STOP: RefCell<Option<Rc<dyn Fn() -> bool>>> = const { RefCell::new(None) };
    /// Whether it has said yes.
    static HAS_STOPPED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work`, in which no plugin that is called through a thread of its own keeps this thread waiting once `stop` returns
/// true: it is checked every 50 milliseconds, on this thread. Reads and writes are interrupted as well as by their own argument.
///
/// # Errors
/// [`Error::Interrupted`] if `stop` has returned true; otherwise those of `work`.
pub fn interruptible<T>(stop: Rc<dyn Fn() -> bool>, work: impl FnOnce() -> Result<T>) -> Result<T> {
    /// Restores the previous check, also after a panic.
    struct Before(Option<Rc<dyn Fn() -> bool>>, bool);
    impl Drop for Before {
        fn drop(&mut self) {
            STOP.set(self.0.take());
            HAS_STOPPED.set(self.1);
        }
    }
    let before = Before(STOP.replace(Some(stop)), HAS_STOPPED.replace(false));
    let result = work();
    let has_stopped = HAS_STOPPED.get();
    drop(before);
    if has_stopped { Err(Error::Interrupted) } else { result }
}

/// Whether the caller wants the current call to end.
pub(crate) fn is_interrupted() -> bool {
    if HAS_STOPPED.get() {
        return true;
    }
    let stop = STOP.with_borrow(Option::clone);
    let has_stopped = stop.is_some_and(|stop| stop());
    HAS_STOPPED.set(has_stopped);
    has_stopped
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_the_work_inside_is_interrupted() {
        assert!(!is_interrupted());
        let answer = Rc::new(Cell::new(false));
        let stop = Rc::clone(&answer);
        let result = interruptible(Rc::new(move || stop.get()), || {
            assert!(!is_interrupted());
            let inner = interruptible(Rc::new(|| true), || {
                assert!(is_interrupted());
                Ok(())
            });
            assert!(matches!(inner, Err(Error::Interrupted)));
            assert!(!is_interrupted());
            answer.set(true);
            assert!(is_interrupted());
            answer.set(false);
            assert!(is_interrupted(), "what was said stays said");
            Ok(1)
        });
        assert!(matches!(result, Err(Error::Interrupted)));
        assert!(!is_interrupted());
        assert_eq!(interruptible(Rc::new(|| false), || Ok(2)).unwrap(), 2);
    }
}
