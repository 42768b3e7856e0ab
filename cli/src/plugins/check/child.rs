//! One test in a process of its own: both ends of it.

#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::context::{Context, Job};
use super::survey::{Survey, survey};
use super::verdict::{Finding, Kind, Verdict};
use super::{fence, plan, process};

/// The name of the job that looks at what there is, and is no test.
pub const SURVEY: &str = "survey";

/// The most bytes of output that are kept.
const MAX_OUTPUT_BYTES: u64 = 4096;

/// How often the parent looks whether a child has ended.
const PAUSE: Duration = Duration::from_millis(3);

/// How long output is waited for after its process has ended: it may have passed the pipe on to another.
const LAST_OUTPUT: Duration = Duration::from_secs(1);

/// What a child leaves behind.
#[derive(Debug, Serialize, Deserialize)]
struct Testament {
    verdict: Verdict,
    survey: Option<Survey>,
}

/// What became of a child.
#[derive(Debug)]
pub struct Ended {
    /// What its test came to.
    pub verdict: Verdict,
    /// What it found, if that was its job.
    pub survey: Option<Survey>,
    /// The beginning of what it wrote to standard output and error.
    pub output: [String; 2],
    /// How long it took.
    pub time: Duration,
}

/// The child's end: makes the test of the job in the file `job` and returns the exit code.
pub fn run_child(job: &Path) -> i32 {
    let Some(job) = fs::read(job).ok().and_then(|text| serde_json::from_slice::<Job>(&text).ok()) else {
        return 2;
    };
    process::forbid_core_files();
    if let Ok(record) = File::create(job.fault_path()) {
        fence::record_faults(record.into());
    }
    let path = job.verdict_path();
    // A fault of the check's own must not look like one of the plugin's.
    let panic_path = path.clone();
    std::panic::set_hook(Box::new(move |panic| {
        let verdict = Verdict::new(Kind::Failed, format!("the check itself failed: {panic}"));
        leave(&panic_path, &Testament { verdict, survey: None });
    }));
    let context = Context::new(job);
    let mut found = None;
    let outcome = if context.job.test == SURVEY {
        survey(&context).map(|survey| found = Some(survey))
    } else {
        match plan::find(&context.job.test) {
            Some(test) => (test.run)(&context),
            None => Err(Finding::skipped("there is no such test")),
        }
    };
    let (warnings, notes) = context.remarks();
    let verdict = Verdict::of(outcome, context.during(), warnings, notes);
    leave(&path, &Testament { verdict, survey: found });
    let _ = std::panic::take_hook();
    0
}

fn leave(path: &PathBuf, testament: &Testament) {
    // The parent reports a verdict that is not there.
    let _ = serde_json::to_vec(testament).map(|text| fs::write(path, text));
}

/// The parent's end: starts `again` for a job and waits for it, but not longer than the job may take.
pub fn run_job(job: &Job, again: &[OsString]) -> io::Result<Ended> {
    fs::create_dir_all(&job.directory)?;
    let path = job.directory.join("job");
    fs::write(&path, serde_json::to_vec(job)?)?;
    let Some((program, arguments)) = again.split_first() else {
        return Err(io::Error::other("there is no program to start again"));
    };
    let started = Instant::now();
    let mut command = Command::new(program);
    // What the allocator keeps of freed blocks for each thread counts as used, and is no leak.
    command.env("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0");
    command.args(arguments).args(["plugins", "check-child"]).arg(&path);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let output = [child.stdout.take().map(collect), child.stderr.take().map(collect)];
    let status = wait(&mut child, started + Duration::from_millis(job.time_limit))?;
    let output =
        output.map(|lines| lines.and_then(|lines| lines.recv_timeout(LAST_OUTPUT).ok()).unwrap_or_default());
    let testament = fs::read(job.verdict_path()).ok();
    let testament = testament.and_then(|text| serde_json::from_slice::<Testament>(&text).ok());
    let (verdict, survey) = match (testament, status) {
        (Some(Testament { verdict, survey }), Some(status)) if status.success() => (verdict, survey),
        (Some(Testament { verdict, .. }), _) if verdict.result == Kind::Failed => (verdict, None),
        (testament, status) => (without_verdict(job, status, testament.is_some()), None),
    };
    Ok(Ended { verdict, survey, output, time: started.elapsed() })
}

/// Waits for a child until a deadline; ends it then.
fn wait(child: &mut Child, deadline: Instant) -> io::Result<Option<ExitStatus>> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= deadline {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(PAUSE);
    }
}

/// Reads a pipe to its end and keeps the beginning.
fn collect(mut pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What cannot be read is no output.
        let _ = pipe.by_ref().take(MAX_OUTPUT_BYTES).read_to_end(&mut bytes);
        let _ = io::copy(&mut pipe, &mut io::sink());
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    receiver
}

/// What a process did that gave no verdict, or gave one and did not end as it should.
fn without_verdict(job: &Job, status: Option<ExitStatus>, has_passed: bool) -> Verdict {
    let progress = fs::read_to_string(job.progress_path()).unwrap_or_default();
    let fault = fs::read_to_string(job.fault_path()).unwrap_or_default();
    let during = if has_passed { "ending the process".to_owned() } else { progress.trim().to_owned() };
    let is_loading = during.starts_with("loading");
    let (rule, reason) = match status {
        None => {
            let seconds = job.time_limit as f64 / 1000.0;
            (None, format!("it hung: there was no verdict after {seconds} s, and the process was killed"))
        }
        Some(status) => match (status.signal(), status.code()) {
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
                (Some("R5"), format!("the process ended by itself, with code {code}: the plugin called exit"))
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
