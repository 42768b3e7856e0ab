//! Plugins that do not come back: their calls run on threads of their own, which are given up when they take too long.
//!
//! A call cannot be ended from outside, and a thread cannot either. So everything that such a call may touch belongs to its
//! thread: the handle, the bytes that it reads and the room that it writes to. The caller waits, asks meanwhile whether it is
//! to stop, and goes on without them. What comes with mapwave is called directly.

#![forbid(unsafe_code)]

use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use super::decoder::{Chunk, DecoderKind, Handle, StreamInfo};
use super::fault::Failure;
use super::input::Input;

/// How long one call may take, in seconds, unless the environment says otherwise.
const TIME_LIMIT: u64 = 30;
const VARIABLE: &str = "MAPWAVE_PLUGIN_TIME_LIMIT";

/// How often a waiting caller asks whether to stop.
pub(crate) const INTERVAL: Duration = Duration::from_millis(50);

/// What the environment says of how long a call may take.
pub(super) fn chosen_time_limit() -> Option<Duration> {
    static LIMIT: OnceLock<Option<Duration>> = OnceLock::new();
    *LIMIT.get_or_init(|| {
        let seconds: Option<u64> = std::env::var(VARIABLE).ok().and_then(|value| value.parse().ok());
        seconds.filter(|&seconds| seconds > 0).map(Duration::from_secs)
    })
}

fn time_limit() -> Duration {
    chosen_time_limit().unwrap_or(Duration::from_secs(TIME_LIMIT))
}

/// Why no answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Silence {
    /// The thread has ended.
    Ended,
    /// It took too long.
    Late,
    /// The caller wants no more.
    GivenUp,
}

impl Silence {
    pub(super) fn into_failure(self, doing: &str) -> Failure {
        match self {
            Self::Ended => Failure::broken(format!("it panicked while {doing}")),
            Self::GivenUp => given_up(),
            Self::Late => {
                let seconds = time_limit().as_secs();
                Failure::broken(format!(
                    "it has not come back from {doing} within {seconds} seconds, so it is left alone ({VARIABLE} sets the limit)"
                ))
            }
        }
    }
}

/// Waits for an answer until it is late or the caller wants no more. `excused` is the time that is not the plugin's own.
pub(super) fn listen<T>(
    answers: &Receiver<T>,
    stop: &dyn Fn() -> bool,
    excused: &dyn Fn() -> Duration,
) -> Result<T, Silence> {
    let start = Instant::now();
    loop {
        match answers.recv_timeout(INTERVAL) {
            Ok(answer) => return Ok(answer),
            Err(RecvTimeoutError::Disconnected) => return Err(Silence::Ended),
            Err(RecvTimeoutError::Timeout) if stop() => return Err(Silence::GivenUp),
            Err(RecvTimeoutError::Timeout) if start.elapsed().saturating_sub(excused()) < time_limit() => {}
            Err(RecvTimeoutError::Timeout) => return Err(Silence::Late),
        }
    }
}

/// Waits for an answer; an error when it does not come in time or the caller wants no more.
fn wait<T>(answers: &Receiver<T>, doing: &str, stop: &dyn Fn() -> bool) -> Result<T, Failure> {
    listen(answers, stop, &|| Duration::ZERO).map_err(|silence| silence.into_failure(doing))
}

/// Runs one call, on a thread of its own unless the plugin is trusted.
pub(super) fn call<T: Send + 'static>(
    is_trusted: bool,
    doing: &str,
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    if is_trusted {
        return work();
    }
    let (sender, receiver) = sync_channel(1);
    let thread = move || drop(sender.send(work()));
    start(thread)?;
    wait(&receiver, doing, &|| false)?
}

/// Starts a thread for a plugin's calls.
pub(super) fn start(thread: impl FnOnce() + Send + 'static) -> Result<(), Failure> {
    let started = std::thread::Builder::new().name("mapwave plugin".to_owned()).spawn(thread);
    started.map(drop).map_err(|error| Failure::broken(format!("no thread could be started for it: {error}")))
}

/// How sure a decoder is that it reads the file.
pub(super) fn probe(kind: &DecoderKind, head: &[u8], input: &Input) -> Result<u8, Failure> {
    if kind.is_trusted() {
        return kind.probe(head, input);
    }
    let (kind, input) = (*kind, input.clone());
    let head = head.get(..kind.probe_bytes() as usize).unwrap_or(head).to_vec();
    call(false, "probing", move || kind.probe(&head, &input))
}

/// Opens a file.
pub(super) fn open(kind: &DecoderKind, input: &Input) -> Result<Decoder, Failure> {
    let (copy, bytes) = (*kind, input.clone());
    Decoder::new(call(kind.is_trusted(), "opening", move || copy.open(&bytes))?, input.clone())
}

/// A handle of a plugin, called directly when the plugin is trusted, else through its thread.
#[derive(Debug)]
pub(crate) struct Decoder {
    kind: DecoderKind,
    info: StreamInfo,
    input: Input,
    way: Way,
    /// The process that the thread is in.
    process: u32,
}

#[derive(Debug)]
enum Way {
    Direct(Box<Handle>),
    Thread {
        requests: SyncSender<Request>,
        answers: Receiver<Answer>,
    },
    /// The thread has not come back from a call.
    Lost,
}

enum Request {
    Seek(u64),
    Decode(u64, Chunk),
    Fork,
    Tags,
}

enum Answer {
    Done(Result<(), Failure>),
    Decoded(Result<usize, Failure>, Chunk),
    Forked(Result<Handle, Failure>),
    Tags(Vec<(String, String)>),
}

impl Decoder {
    fn new(handle: Handle, input: Input) -> Result<Self, Failure> {
        let (kind, info, process) = (*handle.kind(), handle.info()?.clone(), std::process::id());
        if kind.is_trusted() {
            return Ok(Self { kind, info, input, way: Way::Direct(Box::new(handle)), process });
        }
        let (requests, inbox) = sync_channel(1);
        let (outbox, answers) = sync_channel(1);
        start(move || serve(handle, &inbox, &outbox))?;
        Ok(Self { kind, info, input, way: Way::Thread { requests, answers }, process })
    }

    /// The kind of decoder.
    pub(crate) fn kind(&self) -> &DecoderKind {
        &self.kind
    }

    /// What the stream is.
    pub(crate) fn info(&self) -> &StreamInfo {
        &self.info
    }

    /// Whether this process has been forked since, and the handle's thread did not come along.
    pub(crate) fn is_left_behind(&self) -> bool {
        matches!(self.way, Way::Thread { .. }) && self.process != std::process::id()
    }

    /// Opens the file again when the handle's thread was left behind.
    fn renew(&mut self) -> Result<(), Failure> {
        if self.is_left_behind() {
            *self = open(&self.kind, &self.input)?;
        }
        Ok(())
    }

    /// Another handle over the same file, at frame 0.
    pub(crate) fn fork(&mut self, stop: &dyn Fn() -> bool) -> Result<Self, Failure> {
        self.renew()?;
        let handle = match &mut self.way {
            Way::Direct(handle) => handle.fork()?,
            _ => match self.ask(Request::Fork, "forking", stop)? {
                Answer::Forked(handle) => handle?,
                _ => return Err(mixed_up()),
            },
        };
        Self::new(handle, self.input.clone())
    }

    /// Moves to a frame.
    pub(crate) fn seek(&mut self, frame: u64, stop: &dyn Fn() -> bool) -> Result<(), Failure> {
        match &mut self.way {
            Way::Direct(handle) => handle.seek(frame),
            _ => match self.ask(Request::Seek(frame), "seeking", stop)? {
                Answer::Done(result) => result,
                _ => Err(mixed_up()),
            },
        }
    }

    /// As [`Handle::decode_into`].
    pub(crate) fn decode_into(
        &mut self,
        num_frames: u64,
        planes: super::Planes<'_, '_>,
    ) -> Result<u64, Failure> {
        match &mut self.way {
            Way::Direct(handle) => handle.decode_into(num_frames, planes),
            _ => Err(mixed_up()),
        }
    }

    /// As [`Handle::decode_chunk`].
    pub(crate) fn decode_chunk<'a>(
        &mut self,
        num_frames: u64,
        chunk: &'a mut Chunk,
        stop: &dyn Fn() -> bool,
    ) -> Result<&'a [u8], Failure> {
        if let Way::Direct(handle) = &mut self.way {
            let num_bytes = handle.decode_chunk(num_frames, chunk)?;
            return Ok(chunk.front(num_bytes));
        }
        let request = Request::Decode(num_frames, std::mem::take(chunk));
        match self.ask(request, "decoding", stop)? {
            Answer::Decoded(result, filled) => {
                *chunk = filled;
                let num_bytes = result?;
                Ok(chunk.front(num_bytes))
            }
            _ => Err(mixed_up()),
        }
    }

    /// The stream's metadata.
    pub(crate) fn tags(&mut self) -> Vec<(String, String)> {
        if self.renew().is_err() {
            return Vec::new();
        }
        match &mut self.way {
            Way::Direct(handle) => handle.tags(),
            _ => match self.ask(Request::Tags, "reading tags", &|| false) {
                Ok(Answer::Tags(tags)) => tags,
                _ => Vec::new(),
            },
        }
    }

    /// Asks the thread, which is not asked again when it does not answer: its answer, should it come, is dropped there.
    fn ask(&mut self, request: Request, doing: &str, stop: &dyn Fn() -> bool) -> Result<Answer, Failure> {
        let Way::Thread { requests, answers } = &self.way else {
            return Err(Failure::broken("it did not come back from an earlier call; open the file again"));
        };
        let answer = match requests.send(request) {
            Ok(()) => wait(answers, doing, stop),
            Err(_) => Err(Failure::broken("its thread has ended")),
        };
        answer.inspect_err(|_| self.way = Way::Lost)
    }
}

/// What happens on a handle's thread, until nobody asks any more.
fn serve(mut handle: Handle, requests: &Receiver<Request>, answers: &SyncSender<Answer>) {
    for request in requests {
        let answer = match request {
            Request::Seek(frame) => Answer::Done(handle.seek(frame)),
            Request::Decode(num_frames, mut chunk) => {
                Answer::Decoded(handle.decode_chunk(num_frames, &mut chunk), chunk)
            }
            Request::Fork => Answer::Forked(handle.fork()),
            Request::Tags => Answer::Tags(handle.tags()),
        };
        if answers.send(answer).is_err() {
            return;
        }
    }
}

/// The failure of a call that its caller no longer waits for.
pub(crate) fn given_up() -> Failure {
    Failure::broken("the call was given up")
}

pub(super) fn mixed_up() -> Failure {
    Failure::broken("its thread gave an answer to another question")
}
