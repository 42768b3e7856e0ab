//! Owns a plugin's handle: in the calling thread if the plugin is trusted, otherwise on a separate thread that serves one request
//! at a time.
//!
//! Everything that a call on a thread may access moves there with the request and returns with the answer. A caller that times
//! out drops the worker: the thread ends when the call returns, and closes the handle.

#![forbid(unsafe_code)]

use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

use mapwave_fork::generation;

use super::supervisor::{self, Silence};
use crate::host::ffi::cancel::Cancelled;

/// A request for the thread, applied to the handle until the handle is consumed.
type Work<H> = Box<dyn FnOnce(&mut Option<H>) + Send>;

/// The owner of a handle, which makes its calls.
#[derive(Debug)]
pub(crate) enum Worker<H> {
    /// The calling thread.
    Direct(Box<H>),
    /// A separate thread.
    Thread(Requests<H>),
}

/// The way to the thread, which a forked child does not have.
#[derive(Debug)]
pub(crate) struct Requests<H> {
    /// None only while it is dropped.
    sender: Option<SyncSender<Work<H>>>,
    generation: u32,
}

impl<H> Requests<H> {
    fn is_left_behind(&self) -> bool {
        self.generation != generation()
    }
}

impl<H> Drop for Requests<H> {
    fn drop(&mut self) {
        // The parent's thread may have been holding a lock of the channel, which the sender would wait for.
        if self.is_left_behind() {
            std::mem::forget(self.sender.take());
        }
    }
}

impl<H: Send + 'static> Worker<H> {
    /// Takes ownership of an open handle.
    pub(crate) fn keep(is_trusted: bool, handle: H) -> Result<Self, Silence> {
        match is_trusted {
            true => Ok(Self::Direct(Box::new(handle))),
            false => Self::start(move || Some(handle)),
        }
    }

    /// Opens a handle in the thread that will own it. `stop` and `excused` are as for [`supervisor::listen`].
    pub(crate) fn open<E: Send + 'static>(
        is_trusted: bool,
        stop: &dyn Fn() -> bool,
        excused: &dyn Fn() -> Duration,
        open: impl FnOnce() -> Result<H, E> + Send + 'static,
    ) -> Result<Result<Self, E>, Silence> {
        if is_trusted {
            return Ok(open().map(|handle| Self::Direct(Box::new(handle))));
        }
        let (opened, answer) = sync_channel(1);
        let cancelled = Cancelled::default();
        let flag = cancelled.clone();
        let worker = Self::start(move || {
            let (handle, result) = match flag.during(open) {
                Ok(handle) => (Some(handle), Ok(())),
                Err(error) => (None, Err(error)),
            };
            opened.send(result).ok().and(handle)
        })?;
        let excused = || supervisor::excused_or_asked(excused(), &cancelled);
        let answer = supervisor::listen(&answer, stop, &excused).inspect_err(|_| cancelled.set());
        Ok(answer?.map(|()| worker))
    }

    fn start(open: impl FnOnce() -> Option<H> + Send + 'static) -> Result<Self, Silence> {
        let (requests, inbox) = sync_channel::<Work<H>>(1);
        supervisor::start(move || {
            let mut handle = open();
            inbox.into_iter().for_each(|work| work(&mut handle));
        })?;
        Ok(Self::Thread(Requests { sender: Some(requests), generation: generation() }))
    }

    /// Makes a call. If there is no answer, the worker can only be dropped.
    pub(crate) fn ask<T: Send + 'static>(
        &mut self,
        stop: &dyn Fn() -> bool,
        excused: &dyn Fn() -> Duration,
        work: impl FnOnce(&mut H) -> T + Send + 'static,
    ) -> Result<T, Silence> {
        match self {
            Self::Direct(handle) => Ok(work(handle)),
            Self::Thread(requests) => send(requests, stop, excused, |kept| kept.as_mut().map(work)),
        }
    }

    /// Makes the last call, which consumes the handle.
    pub(crate) fn finish<T: Send + 'static>(
        self,
        stop: &dyn Fn() -> bool,
        excused: &dyn Fn() -> Duration,
        work: impl FnOnce(H) -> T + Send + 'static,
    ) -> Result<T, Silence> {
        match self {
            Self::Direct(handle) => Ok(work(*handle)),
            Self::Thread(requests) => send(&requests, stop, excused, |kept| kept.take().map(work)),
        }
    }

    /// Whether this process is a fork without the thread.
    pub(crate) fn is_left_behind(&self) -> bool {
        matches!(self, Self::Thread(requests) if requests.is_left_behind())
    }
}

fn send<H: 'static, T: Send + 'static>(
    requests: &Requests<H>,
    stop: &dyn Fn() -> bool,
    excused: &dyn Fn() -> Duration,
    work: impl FnOnce(&mut Option<H>) -> Option<T> + Send + 'static,
) -> Result<T, Silence> {
    let requests = requests.sender.as_ref().filter(|_| !requests.is_left_behind()).ok_or(Silence::Gone)?;
    let (sender, answer) = sync_channel(1);
    let cancelled = Cancelled::default();
    let flag = cancelled.clone();
    // If nobody waits for the answer, the thread drops it.
    let work = move |kept: &mut Option<H>| drop(flag.during(|| work(kept)).map(|result| sender.send(result)));
    requests.send(Box::new(work)).map_err(|_| Silence::Gone)?;
    let excused = || supervisor::excused_or_asked(excused(), &cancelled);
    supervisor::listen(&answer, stop, &excused).inspect_err(|_| cancelled.set())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::mpsc::Sender;
    use std::thread::{self, ThreadId};

    use super::*;
    use crate::host::ffi::fault::Failure;

    const GO: &dyn Fn() -> bool = &|| false;
    const NONE: &dyn Fn() -> Duration = &|| Duration::ZERO;

    /// Records where it is closed.
    struct Handle(Sender<ThreadId>);

    impl Drop for Handle {
        fn drop(&mut self) {
            self.0.send(thread::current().id()).unwrap();
        }
    }

    #[test]
    fn a_handle_is_opened_called_and_closed_in_one_place() {
        for is_trusted in [true, false] {
            let (closed, closings) = std::sync::mpsc::channel();
            let (opened, openings) = std::sync::mpsc::channel();
            let open = move || {
                opened.send(thread::current().id()).unwrap();
                Ok::<_, Failure>(Handle(closed))
            };
            let mut worker = Worker::open(is_trusted, GO, NONE, open).unwrap().unwrap();
            let place = worker.ask(GO, NONE, |_| thread::current().id()).unwrap();
            assert_eq!(place == thread::current().id(), is_trusted);
            assert_eq!(openings.recv().unwrap(), place);
            assert!(!worker.is_left_behind());
            let finish = |handle: Handle| {
                drop(handle);
                thread::current().id()
            };
            assert_eq!(worker.finish(GO, NONE, finish).unwrap(), place);
            assert_eq!(closings.recv().unwrap(), place);
        }
    }

    #[test]
    fn what_is_kept_is_closed_by_its_thread_when_nobody_asks_any_more() {
        let (closed, closings) = std::sync::mpsc::channel();
        let mut worker = Worker::keep(false, Handle(closed)).unwrap();
        let place = worker.ask(GO, NONE, |_| thread::current().id()).unwrap();
        drop(worker);
        assert_eq!(closings.recv().unwrap(), place);
    }

    #[test]
    fn a_refusal_to_open_is_the_answer() {
        for is_trusted in [true, false] {
            let refused = Worker::<()>::open(is_trusted, GO, NONE, || Err("not today")).unwrap();
            assert_eq!(refused.unwrap_err(), "not today");
        }
    }

    #[test]
    fn a_panic_ends_the_thread_and_closes_what_it_keeps() {
        let opened = Worker::<()>::open(false, GO, NONE, || -> Result<(), ()> { panic!("told to") });
        assert!(matches!(opened, Err(Silence::Ended)));
        let (closed, closings) = std::sync::mpsc::channel();
        let mut worker = Worker::keep(false, Handle(closed)).unwrap();
        let silence = worker.ask(GO, NONE, |_| panic!("told to")).map(|(): ()| ()).unwrap_err();
        assert!(matches!(silence, Silence::Ended));
        assert_eq!(silence.into_failure("trying").what, "it panicked while trying");
        closings.recv().unwrap();
        // The inbox is dropped right after the handle, together with a request that it still received.
        let silence = worker.ask(GO, NONE, |_| ()).unwrap_err();
        assert!(matches!(silence, Silence::Gone | Silence::Ended));
        assert_eq!(Silence::Gone.into_failure("trying").what, "its thread has ended");
    }

    #[test]
    fn who_gives_up_does_not_wait_and_the_thread_ends_when_it_comes_back() {
        let (closed, closings) = std::sync::mpsc::channel();
        let (release, released) = std::sync::mpsc::channel::<()>();
        let mut worker = Worker::keep(false, Handle(closed)).unwrap();
        let silence = worker.ask(&|| true, NONE, move |_| released.recv().unwrap()).unwrap_err();
        assert!(matches!(silence, Silence::GivenUp));
        drop(worker);
        release.send(()).unwrap();
        closings.recv().unwrap();
    }

    #[test]
    fn a_thread_of_another_process_is_left_behind() {
        let (requests, _inbox) = sync_channel(1);
        let requests = Requests { sender: Some(requests), generation: generation().wrapping_add(1) };
        let worker = Worker::<()>::Thread(requests);
        assert!(worker.is_left_behind());
        assert!(!Worker::keep(true, ()).unwrap().is_left_behind());
    }
}
