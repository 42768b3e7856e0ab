//! Threads that work for an object of Python's beyond a single call.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, Builder, JoinHandle, Thread};
use std::time::Duration;

use mapwave_fork::{Lock, generation, start};
use pyo3::prelude::*;

use crate::interruption::check;

/// How often a thread that waits for results asks whether Ctrl-C was pressed.
const SIGNAL_INTERVAL: Duration = Duration::from_millis(50);

/// Work that a thread does, given a flag that asks it to end early.
type Task<T> = Box<dyn FnOnce(&Stop) -> T + Send>;

/// Set when nobody waits for the work any more.
pub(crate) type Stop = Arc<AtomicBool>;

/// Threads that take tasks in the order in which they are given, and what comes of them, in the order in which they end.
///
/// A forked child has none of the threads. Results may hold objects of Python's:
/// they are taken, and the pool is dropped, with the interpreter's lock.
pub(crate) struct Pool<T> {
    shared: Arc<Shared<T>>,
    threads: Vec<JoinHandle<()>>,
    /// Of the process whose threads these are.
    generation: u32,
}

struct Shared<T> {
    state: Lock<State<T>>,
    stop: Stop,
}

struct State<T> {
    tasks: VecDeque<Task<T>>,
    done: VecDeque<thread::Result<T>>,
    /// The tasks that are given and whose results are not taken.
    num_open: usize,
    /// The threads that found no task and sleep.
    idle: Vec<Thread>,
    /// Who sleeps until there is a result.
    waiting: Option<Thread>,
}

impl<T> Default for State<T> {
    fn default() -> Self {
        Self { tasks: VecDeque::new(), done: VecDeque::new(), num_open: 0, idle: Vec::new(), waiting: None }
    }
}

impl<T: Send + 'static> Pool<T> {
    /// Starts threads.
    ///
    /// # Errors
    /// When the system refuses to start even one.
    pub(crate) fn new(num_threads: usize) -> PyResult<Self> {
        let shared = Arc::new(Shared { state: Lock::new(), stop: Arc::new(AtomicBool::new(false)) });
        let (mut threads, mut refusal) = (Vec::new(), None);
        for _ in 0..num_threads.max(1) {
            let same = Arc::clone(&shared);
            match start(Builder::new().name("mapwave".to_owned()), move || same.work()) {
                Ok(thread) => threads.push(thread),
                Err(error) => {
                    refusal = Some(error);
                    break;
                }
            }
        }
        match refusal {
            Some(error) if threads.is_empty() => Err(error.into()),
            _ => Ok(Self { shared, threads, generation: generation() }),
        }
    }

    /// Gives a task, to be done after those given before.
    pub(crate) fn submit(&self, task: impl FnOnce(&Stop) -> T + Send + 'static) {
        self.give(Box::new(task), VecDeque::push_back);
    }

    /// Gives a task, to be done before those that no thread has begun.
    pub(crate) fn submit_first(&self, task: impl FnOnce(&Stop) -> T + Send + 'static) {
        self.give(Box::new(task), VecDeque::push_front);
    }

    fn give(&self, task: Task<T>, put: fn(&mut VecDeque<Task<T>>, Task<T>)) {
        let idle = {
            let mut state = self.shared.state.lock();
            put(&mut state.tasks, task);
            state.num_open += 1;
            state.idle.pop()
        };
        idle.inspect(Thread::unpark);
    }

    /// The number of tasks whose results have not been taken.
    pub(crate) fn num_open(&self) -> usize {
        self.shared.state.lock().num_open
    }

    /// Drops the results that have come.
    pub(crate) fn forget_results(&self) {
        while matches!(self.shared.take(), Taken::Result(_)) {}
    }

    /// Waits for the next result; None when no task is open. A panic of the task goes on here.
    ///
    /// # Errors
    /// What a signal's handler raises meanwhile.
    pub(crate) fn next(&self, py: Python<'_>) -> PyResult<Option<T>> {
        loop {
            match self.shared.take() {
                Taken::Result(result) => return Ok(Some(unwound(result))),
                Taken::Nothing => return Ok(None),
                Taken::NotYet => {}
            }
            py.detach(|| self.shared.sleep());
            check(py)?;
        }
    }
}

enum Taken<T> {
    Result(thread::Result<T>),
    NotYet,
    Nothing,
}

fn unwound<T>(result: Result<T, Box<dyn Any + Send>>) -> T {
    result.unwrap_or_else(|panic| resume_unwind(panic))
}

impl<T> Shared<T> {
    /// Does tasks until the pool is dropped.
    fn work(&self) {
        while !self.stop.load(Ordering::Relaxed) {
            let task = {
                let mut state = self.state.lock();
                let task = state.tasks.pop_front();
                if task.is_none() {
                    state.idle.push(thread::current());
                }
                task
            };
            let Some(task) = task else {
                thread::park();
                continue;
            };
            let result = catch_unwind(AssertUnwindSafe(|| task(&self.stop)));
            let waiting = {
                let mut state = self.state.lock();
                state.done.push_back(result);
                state.waiting.take()
            };
            waiting.inspect(Thread::unpark);
        }
    }

    fn take(&self) -> Taken<T> {
        let mut state = self.state.lock();
        match state.done.pop_front() {
            Some(result) => {
                state.num_open -= 1;
                Taken::Result(result)
            }
            None if state.num_open == 0 => Taken::Nothing,
            None => Taken::NotYet,
        }
    }

    /// Sleeps until a result comes, or for a while.
    fn sleep(&self) {
        {
            let mut state = self.state.lock();
            if !state.done.is_empty() {
                return;
            }
            state.waiting = Some(thread::current());
        }
        thread::park_timeout(SIGNAL_INTERVAL);
    }
}

impl<T> Drop for Pool<T> {
    fn drop(&mut self) {
        let threads = std::mem::take(&mut self.threads);
        if self.generation != generation() {
            // They are threads of another process.
            threads.into_iter().for_each(std::mem::forget);
            return;
        }
        self.shared.stop.store(true, Ordering::Relaxed);
        let idle = std::mem::take(&mut self.shared.state.lock().idle);
        idle.iter().for_each(Thread::unpark);
        for thread in threads {
            thread.thread().unpark();
            // Panics were caught.
            let _ = thread.join();
        }
    }
}
