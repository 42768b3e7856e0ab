//! Child processes, one for each test: how the parent starts one, and what it runs.

#![forbid(unsafe_code)]

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio, exit};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::context::{Context, Job};
use crate::discovery::{self, Survey};
use crate::pulse::{self, Watch};
use crate::suite::plan;
use crate::verdict::{Finding, Kind, Verdict};
use crate::{guard_pages, process_state, stack};

/// The names of the jobs that are not tests but list the plugin's tables, make files, and find those that a decoder reads.
pub const TABLES: &str = "tables";
pub const MAKE: &str = "make";
pub const CLAIM: &str = "claim";

/// The environment variable that gives a child process the path of its job.
const JOB: &str = "MAPWAVE_PLUGIN_CHECK_JOB";

/// The line that marks the start of a job's output.
const BEGINNING: &[u8] = b"\nmapwave-plugin-check: the job begins\n";

/// The maximum number of output bytes to keep of the beginning, and of the end.
const MAX_OUTPUT_BYTES: usize = 4096;

/// The number of lines of output that are shown of a test that failed.
const NUM_LAST_LINES: usize = 12;

/// How many times the time limit a test may take in all, as long as calls of the plugin return.
const MAX_LIMITS: u32 = 20;

/// The exit code of a child in which the check itself failed.
const PANICKED: i32 = 101;

/// How often the parent checks whether a child has exited.
const PAUSE: Duration = Duration::from_millis(3);

/// How long to wait for output after the process has exited: another process may have inherited the pipe.
const LAST_OUTPUT: Duration = Duration::from_secs(1);

/// What a child process writes to its verdict file.
#[derive(Debug, Serialize, Deserialize)]
struct ChildResult {
    verdict: Verdict,
    survey: Option<Survey>,
}

/// How a child process ended.
#[derive(Debug)]
pub struct Ended {
    /// The verdict of its test.
    pub verdict: Verdict,
    /// What it found, if that was its job.
    pub survey: Option<Survey>,
    /// What the job wrote to standard output and error.
    pub output: [Output; 2],
    /// How long it took.
    pub time: Duration,
}

/// What a job wrote.
#[derive(Clone, Debug, Default)]
pub struct Output {
    /// The beginning.
    pub beginning: String,
    /// The last lines.
    pub last_lines: Vec<String>,
}

/// How a job's process is started.
pub struct Launcher {
    program: OsString,
    arguments: Vec<OsString>,
}

impl Launcher {
    /// A command that calls [`child`].
    pub fn new(command: &[OsString]) -> io::Result<Self> {
        match command.split_first() {
            Some((program, arguments)) => {
                Ok(Self { program: program.clone(), arguments: arguments.to_vec() })
            }
            None => Self::this_program(),
        }
    }

    /// This program, with arguments that make it reach the same call of `check`.
    fn this_program() -> io::Result<Self> {
        let program = env::current_exe()?.into_os_string();
        let current = thread::current();
        let arguments = match current.name() {
            // The harness of `cargo test` runs each test on a thread that it names after the test.
            Some(test) if test != "main" => {
                [test, "--exact", "--nocapture", "--include-ignored"].map(Into::into).into()
            }
            _ => env::args_os().skip(1).collect(),
        };
        Ok(Self { program, arguments })
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments);
        command
    }
}

/// Runs the job of this process and exits, if a check started the process; otherwise returns.
///
/// Call it first in a `main` of your own. A test under the harness of `cargo test` need not call it: [`check`](crate::check) does.
pub fn child() {
    let Some(path) = env::var_os(JOB) else { return };
    let job = fs::read(path).ok().and_then(|text| serde_json::from_slice(&text).ok());
    // A panic has left a verdict.
    exit(job.map_or(2, |job| stack::run(|| run(job)).unwrap_or(PANICKED)));
}

/// The child's end: runs the test of a job and returns the exit code.
fn run(job: Job) -> i32 {
    // Whatever was written before, probably by a test harness, is not the plugin's output.
    announce(&mut io::stdout());
    announce(&mut io::stderr());
    process_state::forbid_core_files();
    pulse::start(&job.pulse_path());
    if let Ok(record) = File::create(job.fault_path()) {
        guard_pages::record_faults(record.into());
    }
    let path = job.verdict_path();
    // A bug in the check must not look like a bug in the plugin.
    let panic_path = path.clone();
    std::panic::set_hook(Box::new(move |panic| {
        let verdict = Verdict::new(Kind::Failed, format!("the check itself failed: {panic}"));
        leave(&panic_path, &ChildResult { verdict, survey: None });
    }));
    let context = Context::new(job);
    let mut found = None;
    let mut note = |survey| found = Some(survey);
    let outcome = match &*context.job.test {
        TABLES => discovery::tables(&context).map(&mut note),
        MAKE => discovery::make(&context).map(&mut note),
        CLAIM => discovery::claim(&context).map(&mut note),
        test => match plan::find(test) {
            Some(test) => (test.run)(&context),
            None => Err(Finding::skipped("no such test")),
        },
    };
    let (warnings, notes) = context.remarks();
    let verdict = Verdict::of(outcome, context.during(), warnings, notes);
    leave(&path, &ChildResult { verdict, survey: found });
    let _ = std::panic::take_hook();
    0
}

/// Marks where the output of a job begins.
fn announce(output: &mut impl Write) {
    // If it cannot be written, nobody reads the output either.
    let _ = output.write_all(BEGINNING).and_then(|()| output.flush());
}

fn leave(path: &PathBuf, result: &ChildResult) {
    // The parent reports a missing verdict.
    let _ = serde_json::to_vec(result).map(|text| fs::write(path, text));
}

/// The parent's end: starts the process of a job and waits for it, as long as it makes progress.
pub fn run_job(job: &Job, launcher: &Launcher) -> io::Result<Ended> {
    fs::create_dir_all(&job.directory)?;
    let path = job.directory.join("job");
    fs::write(&path, serde_json::to_vec(job)?)?;
    let started = Instant::now();
    let mut command = launcher.command();
    command.env(JOB, &path);
    // Freed blocks in the allocator's per-thread caches would count as used, but they are not leaks. A heap of its own for each
    // thread takes much address space at first, which would hide what a plugin allocates.
    command.env("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0:glibc.malloc.arena_max=1");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let output = [child.stdout.take().map(collect), child.stderr.take().map(collect)];
    let waited = wait(&mut child, job)?;
    let output =
        output.map(|lines| lines.and_then(|lines| lines.recv_timeout(LAST_OUTPUT).ok()).unwrap_or_default());
    if !job.progress_path().exists() {
        let program = launcher.program.display();
        let text = output.iter().map(|output| &output.beginning).find(|text| !text.is_empty());
        let text = text.map_or("", String::as_str);
        let reason = format!("{program}, started again for a test, did not reach the check: {text:?}");
        return Err(io::Error::other(reason));
    }
    let result = fs::read(job.verdict_path()).ok();
    let result = result.and_then(|text| serde_json::from_slice::<ChildResult>(&text).ok());
    let (verdict, survey) = match (result, waited) {
        (Some(ChildResult { verdict, survey }), Waited::Ended(status)) if status.success() => {
            (verdict, survey)
        }
        (Some(ChildResult { verdict, .. }), _) if verdict.result == Kind::Failed => (verdict, None),
        (result, waited) => (without_verdict(job, waited, result.is_some()), None),
    };
    Ok(Ended { verdict, survey, output, time: started.elapsed() })
}

/// How waiting for a child ended.
#[derive(Clone, Copy)]
enum Waited {
    /// The child ended.
    Ended(ExitStatus),
    /// It was killed, because a call of the plugin did not return for this long.
    Hung(Duration),
    /// It was killed, because the test went on for this long.
    Endless(Duration),
}

/// Waits for a child as long as it makes progress, then kills it.
fn wait(child: &mut Child, job: &Job) -> io::Result<Waited> {
    let limit = Duration::from_millis(job.time_limit);
    let (started, mut watch) = (Instant::now(), Watch::new(job.pulse_path()));
    let waited = loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Waited::Ended(status));
        }
        if watch.silence() >= limit {
            break Waited::Hung(limit);
        }
        if started.elapsed() >= limit * MAX_LIMITS {
            break Waited::Endless(limit * MAX_LIMITS);
        }
        thread::sleep(PAUSE);
    };
    child.kill()?;
    child.wait()?;
    Ok(waited)
}

/// Reads a pipe to its end and keeps the beginning of what the job wrote, and its last lines.
fn collect(mut pipe: impl Read + Send + 'static) -> Receiver<Output> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut kept = Kept::default();
        let mut block = [0; 4096];
        // Output that cannot be read counts as none.
        while let Ok(num_bytes @ 1..) = pipe.read(&mut block) {
            kept.push(block.get(..num_bytes).unwrap_or_default());
        }
        let _ = sender.send(kept.into_output());
    });
    receiver
}

/// The beginning of what a job wrote, and its end.
#[derive(Default)]
struct Kept {
    bytes: Vec<u8>,
    has_begun: bool,
    /// What came after `bytes`, as far as it is kept.
    end: Vec<u8>,
}

impl Kept {
    fn push(&mut self, block: &[u8]) {
        let space = MAX_OUTPUT_BYTES.saturating_sub(self.bytes.len());
        // Before the job begins, any amount of output may come that is not the plugin's.
        let space = if self.has_begun { space } else { block.len() };
        let (first, rest) = block.split_at_checked(space).unwrap_or((block, &[]));
        self.bytes.extend_from_slice(first);
        if self.has_begun {
            self.end.extend_from_slice(rest);
            let surplus = self.end.len().saturating_sub(MAX_OUTPUT_BYTES);
            self.end.drain(..surplus);
            return;
        }
        match self.bytes.windows(BEGINNING.len()).position(|window| window == BEGINNING) {
            Some(place) => {
                self.bytes.drain(..place + BEGINNING.len());
                self.end = self.bytes.split_off(self.bytes.len().min(MAX_OUTPUT_BYTES));
                self.has_begun = true;
            }
            None if self.bytes.len() > 2 * MAX_OUTPUT_BYTES => {
                self.bytes.drain(..self.bytes.len() - MAX_OUTPUT_BYTES);
            }
            None => {}
        }
    }

    /// The job's output, or everything if the job never began.
    fn into_output(self) -> Output {
        let last = if self.end.is_empty() { &self.bytes } else { &self.end };
        let last = String::from_utf8_lossy(last);
        let lines: Vec<&str> = last.lines().filter(|line| !line.trim().is_empty()).collect();
        let first = lines.len().saturating_sub(NUM_LAST_LINES);
        Output {
            beginning: String::from_utf8_lossy(&self.bytes).into_owned(),
            last_lines: lines.into_iter().skip(first).map(str::to_owned).collect(),
        }
    }
}

/// The verdict on a process that left none, or that left one and then failed to exit cleanly.
fn without_verdict(job: &Job, waited: Waited, has_passed: bool) -> Verdict {
    let progress = fs::read_to_string(job.progress_path()).unwrap_or_default();
    let fault = fs::read_to_string(job.fault_path()).unwrap_or_default();
    let during = if has_passed { "ending the process".to_owned() } else { progress.trim().to_owned() };
    let is_loading = during.starts_with("loading");
    let (rule, reason) = match waited {
        Waited::Hung(limit) => {
            let seconds = limit.as_secs_f64();
            (None, format!("it hung: the process was killed after {seconds} s in which no call returned"))
        }
        Waited::Endless(limit) => {
            let seconds = limit.as_secs_f64();
            (
                None,
                format!("the process was killed after {seconds} s: calls returned, but no end was reached"),
            )
        }
        Waited::Ended(status) => match (status.signal(), status.code()) {
            (Some(signal), _) => {
                let name = signal_name(signal);
                let because = if fault.is_empty() { String::new() } else { format!(": {fault}") };
                let rule = match signal {
                    _ if is_loading => "R7",
                    _ if fault.contains("read-only") => "R8",
                    libc::SIGABRT => "R5",
                    _ => "R6",
                };
                (Some(rule), format!("it crashed the process with {name}{because}"))
            }
            (None, code) => {
                let code = code.unwrap_or_default();
                (Some("R5"), format!("the process exited with code {code}: the plugin called exit"))
            }
        },
    };
    let verdict = Verdict::new(Kind::Failed, reason);
    Verdict { rule: rule.map(str::to_owned), during, ..verdict }
}

fn signal_name(signal: i32) -> String {
    let name = match signal {
        libc::SIGSEGV => "SIGSEGV",
        libc::SIGBUS => "SIGBUS",
        libc::SIGABRT => "SIGABRT",
        libc::SIGFPE => "SIGFPE",
        libc::SIGILL => "SIGILL",
        libc::SIGTRAP => "SIGTRAP",
        libc::SIGKILL => "SIGKILL",
        other => return format!("signal {other}"),
    };
    name.to_owned()
}
