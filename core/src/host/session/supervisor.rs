//! Supervises plugins that may hang: their calls run on separate threads, which are abandoned if they take too long.
//!
//! Neither a call nor a thread can be stopped from outside. Therefore everything that such a call may access belongs to its
//! thread: the handle, the bytes that it reads and the memory that it writes. The caller waits, can be interrupted meanwhile, and
//! continues without them. Plugins that come with mapwave are called directly, but for opening large files.

#![forbid(unsafe_code)]

use std::cell::Cell;
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread::Builder;
use std::time::{Duration, Instant};

use mapwave_fork::{SetOnce, start as start_thread};
use mapwave_plugin_abi as abi;

use crate::host::ffi::cancel::Cancelled;
use crate::host::ffi::fault::Failure;
use crate::host::session::interruption::is_interrupted;
use crate::host::table::standing::Standing;

/// The time limit of a call in seconds, unless the environment sets one.
const TIME_LIMIT: u64 = 30;
const VARIABLE: &str = "MAPWAVE_PLUGIN_TIME_LIMIT";

/// The stack of a thread for plugins' calls: what the interface promises them (`MW_MIN_STACK_BYTES`), and room for the host.
const STACK_BYTES: usize = abi::MW_MIN_STACK_BYTES as usize + (256 << 10);

/// From this size on, opening a file may take long.
const LONG_BYTES: u64 = 4 << 20;

/// How often a waiting caller checks for an interruption.
const INTERVAL: Duration = Duration::from_millis(50);

/// The time limit from the environment.
pub(crate) fn chosen_time_limit() -> Option<Duration> {
    static LIMIT: SetOnce<Option<Duration>> = SetOnce::new();
    *LIMIT.get_or_init(|| {
        let seconds: Option<u64> = std::env::var(VARIABLE).ok().and_then(|value| value.parse().ok());
        seconds.filter(|&seconds| seconds > 0).map(Duration::from_secs)
    })
}

fn time_limit() -> Duration {
    chosen_time_limit().unwrap_or(Duration::from_secs(TIME_LIMIT))
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Silence {
    /// The thread could not be started.
    NotStarted(io::Error),
    /// The thread had ended before the call.
    Gone,
    /// The thread ended during the call.
    Ended,
    /// It took too long.
    Late,
    /// The caller interrupted the call.
    GivenUp,
}

impl Silence {
    pub(crate) fn into_failure(self, doing: &str) -> Failure {
        match self {
            Self::NotStarted(error) => Failure::broken(format!("no thread could be started for it: {error}")),
            Self::Gone => Failure::broken("its thread has ended"),
            Self::Ended => Failure::broken(format!("it panicked while {doing}")),
            Self::GivenUp => given_up(),
            Self::Late => {
                let seconds = time_limit().as_secs();
                Failure::broken(format!(
                    "it has not come back from {doing} within {seconds} seconds ({VARIABLE} sets the limit)"
                ))
            }
        }
    }
}

/// How many time limits a call may take that goes on asking whether it is cancelled.
const MOST_LIMITS: u32 = 60;

/// The time of a call that does not count as the plugin's: `excused`, and what passed until it asked last whether it is cancelled.
/// A decoder that loads a model for minutes is not hung as long as it asks; one that asks for half an hour is.
pub(crate) fn excused_or_asked(excused: Duration, cancelled: &Cancelled) -> Duration {
    excused.max(cancelled.asked().min(time_limit().saturating_mul(MOST_LIMITS - 1)))
}

/// Waits for an answer until the time limit or an interruption. `excused` is time that does not count as the plugin's.
pub(crate) fn listen<T>(
    answers: &Receiver<T>,
    stop: &dyn Fn() -> bool,
    excused: &dyn Fn() -> Duration,
) -> Result<T, Silence> {
    let start = Instant::now();
    loop {
        match answers.recv_timeout(INTERVAL) {
            Ok(answer) => return Ok(answer),
            Err(RecvTimeoutError::Disconnected) => return Err(Silence::Ended),
            Err(RecvTimeoutError::Timeout) if stop() || is_interrupted() => return Err(Silence::GivenUp),
            Err(RecvTimeoutError::Timeout) if start.elapsed().saturating_sub(excused()) < time_limit() => {}
            Err(RecvTimeoutError::Timeout) => return Err(Silence::Late),
        }
    }
}

/// As [`listen`], for calls that are made one after the other: the time limit is for each. `num_done` tells how many have
/// returned.
pub(crate) fn listen_to_several<T>(
    answers: &Receiver<T>,
    num_done: &dyn Fn() -> usize,
) -> Result<T, Silence> {
    let start = Instant::now();
    let seen = Cell::new((num_done(), Duration::ZERO));
    let excused = || {
        let num_done = num_done();
        if seen.get().0 != num_done {
            seen.set((num_done, start.elapsed()));
        }
        seen.get().1
    };
    listen(answers, &|| false, &excused)
}

/// Runs work, on a separate thread unless it is trusted. `excused` is as for [`listen`].
pub(crate) fn run<T: Send + 'static>(
    is_trusted: bool,
    excused: &dyn Fn() -> Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Silence> {
    if is_trusted {
        return Ok(work());
    }
    let (sender, receiver) = sync_channel(1);
    let cancelled = Cancelled::default();
    let flag = cancelled.clone();
    let thread = move || drop(sender.send(flag.during(work)));
    let answer = start(thread)
        .and_then(|()| listen(&receiver, &|| false, &|| excused_or_asked(excused(), &cancelled)));
    answer.inspect_err(|_| cancelled.set())
}

/// As [`call`], of work that may take long with a file of so many bytes: a plugin that is trusted takes time in proportion to them,
/// and the caller of one with many can be interrupted as well.
pub(crate) fn call_with_file<T: Send + 'static>(
    standing: &Standing,
    doing: &str,
    num_bytes: u64,
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    if !standing.is_trusted() || num_bytes < LONG_BYTES {
        return call(standing, doing, work);
    }
    standing.check()?;
    let (sender, receiver) = sync_channel(1);
    // No time limit: nothing but the file is long.
    let answer = start(move || drop(sender.send(work())))
        .and_then(|()| listen(&receiver, &|| false, &|| Duration::MAX));
    answer.map_err(|silence| silence.into_failure(doing))?
}

/// Calls a plugin unless it is set aside, on a separate thread unless it is trusted.
pub(crate) fn call<T: Send + 'static>(
    standing: &Standing,
    doing: &str,
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    standing.check()?;
    run(standing.is_trusted(), &|| Duration::ZERO, work).map_err(|silence| blame(standing, silence, doing))?
}

/// The failure of a plugin that gave no answer; if it took too long, it is set aside.
pub(crate) fn blame(standing: &Standing, silence: Silence, doing: &str) -> Failure {
    let is_late = matches!(silence, Silence::Late);
    let failure = silence.into_failure(doing);
    if is_late {
        standing.set_aside(&failure.what);
    }
    failure
}

/// Starts a thread for a plugin's calls.
pub(crate) fn start(thread: impl FnOnce() + Send + 'static) -> Result<(), Silence> {
    let builder = Builder::new().name("mapwave plugin".to_owned()).stack_size(STACK_BYTES);
    let started = start_thread(builder, thread);
    started.map(drop).map_err(Silence::NotStarted)
}

/// The failure of a call that its caller no longer waits for.
pub(crate) fn given_up() -> Failure {
    Failure::broken("the call was abandoned")
}
