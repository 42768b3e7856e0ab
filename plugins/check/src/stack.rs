//! Threads with the stack that the interface promises to a plugin (R4).

#![forbid(unsafe_code)]

use std::thread::{self, Builder, Scope, ScopedJoinHandle};

use mapwave_plugin_abi::MW_MIN_STACK_BYTES;

use crate::verdict::{Finding, Outcome};

/// What the check itself needs on a stack.
const OWN_BYTES: usize = 1 << 20;

/// Starts a thread.
pub fn spawn<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    work: impl FnOnce() -> T + Send + 'scope,
) -> Outcome<ScopedJoinHandle<'scope, T>> {
    let builder = Builder::new().stack_size(MW_MIN_STACK_BYTES as usize + OWN_BYTES);
    builder
        .spawn_scoped(scope, work)
        .map_err(|error| Finding::skipped(format!("a thread did not start: {error}")))
}

/// Runs a closure on a new thread and waits for it.
pub fn run<T: Send>(work: impl FnOnce() -> T + Send) -> Outcome<T> {
    thread::scope(|scope| join(spawn(scope, work)?))
}

/// What a thread returned.
pub fn join<T>(thread: ScopedJoinHandle<'_, T>) -> Outcome<T> {
    thread.join().map_err(|_| Finding::skipped("a thread of the check failed"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::hint::black_box;

    use super::*;

    #[test]
    #[allow(clippy::large_stack_arrays, clippy::large_stack_frames)] // the point
    fn there_is_as_much_as_was_promised() {
        let used = run(|| {
            let deep = black_box([1u8; MW_MIN_STACK_BYTES as usize - (64 << 10)]);
            deep.len()
        });
        assert_eq!(used.unwrap(), MW_MIN_STACK_BYTES as usize - (64 << 10));
    }
}
