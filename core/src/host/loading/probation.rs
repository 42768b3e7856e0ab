//! Loads a third-party library in a child process first, so that a crash or a hang does not affect this process.
//!
//! The verdict is remembered in the user's cache directory by path, size, times of change, inode and interface version, so
//! that each plugin is tried only once.

#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use mapwave_fork::Shared;
use mapwave_plugin_abi as abi;

use crate::host::loading::pinned::Pinned;
use crate::host::loading::{directories, library, system};
use crate::host::session::interruption::is_interrupted;
use crate::host::session::supervisor;

/// The exit statuses with which the child reports that the library was loaded, or rejected in an orderly way. Any other end is a
/// crash.
const LOADED: i32 = 42;
const REFUSED: i32 = 43;

/// The time limit of the child, unless the environment sets one: loading must take no more than 50 milliseconds
/// (`mw_plugin_entry`), but can take longer on a busy machine.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// How often the child is checked.
const INTERVAL: Duration = Duration::from_millis(1);

/// If set to 0, libraries are loaded without a trial.
const VARIABLE: &str = "MAPWAVE_PLUGIN_TRIAL";

/// The file in the cache directory, and the maximum number of bytes read from it.
const FILE: &str = "mapwave/plugins.tsv";
const MAX_FILE_BYTES: u64 = 1 << 20;

static CHECKER: Shared<Vec<OsString>> = Shared::new();

/// Sets the command that tries a library in a separate process. It receives the library's path as its last argument and must exit
/// with the status from [`try_load`]. Without a command, libraries are loaded without a trial.
pub fn set_checker(command: Vec<OsString>) {
    CHECKER.update(|_| command.clone());
}

/// Loads a library, calls its entry function and some probes, and returns the exit status for the trial process.
pub fn try_load(path: &Path) -> i32 {
    let entered =
        library::load(path, path).and_then(|entry| library::enter(entry, &path.to_string_lossy(), false));
    if entered.is_ok() { LOADED } else { REFUSED }
}

/// The result of a trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Loading the library here is safe, whether or not it succeeds.
    Safe,
    /// The library crashed, took too long or ended the process, with this description.
    Crashed(String),
    /// The caller did not wait for the result.
    Interrupted,
}

/// Tries a library, unless it is remembered.
pub(crate) fn trial(pinned: &Pinned, path: &Path) -> Verdict {
    let is_wanted = std::env::var_os(VARIABLE).is_none_or(|value| value != "0");
    let Some(checker) = CHECKER.get().filter(|command| is_wanted && !command.is_empty()) else {
        return Verdict::Safe;
    };
    let Some(place) = pinned.place_elsewhere() else { return Verdict::Safe };
    let key = key(path, pinned);
    let mut memory = Memory::read();
    if let Some(verdict) = memory.recall(&key) {
        return verdict;
    }
    let (verdict, is_final) = run(checker, &place);
    if is_final {
        memory.note(&key, &verdict);
    }
    verdict
}

/// Runs the child; the second result is whether it would always end like this.
fn run(checker: &[OsString], path: &Path) -> (Verdict, bool) {
    let Some((program, arguments)) = checker.split_first() else { return (Verdict::Safe, false) };
    let mut command = Command::new(program);
    command.args(arguments).arg(path).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let Ok(mut child) = command.spawn() else { return (Verdict::Safe, false) };
    let time_limit = supervisor::chosen_time_limit().unwrap_or(TIME_LIMIT);
    let start = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return judge(status),
            Ok(None) if start.elapsed() < time_limit && !is_interrupted() => std::thread::sleep(INTERVAL),
            _ => {
                // A failure to kill it means that it has exited.
                let _ = child.kill();
                let _ = child.wait();
                if is_interrupted() {
                    return (Verdict::Interrupted, false);
                }
                let limit = time_limit.as_secs();
                // Nothing is remembered: a busy machine or a cold disk may be the reason.
                return (Verdict::Crashed(format!("it did not load within {limit} seconds")), false);
            }
        }
    }
}

fn judge(status: ExitStatus) -> (Verdict, bool) {
    match (status.code(), system::fatal_signal(status)) {
        (Some(LOADED), _) => (Verdict::Safe, true),
        // Nothing is remembered: a missing library may be installed later.
        (Some(REFUSED), _) => (Verdict::Safe, false),
        (_, Some((signal, is_own))) => {
            (Verdict::Crashed(format!("it crashed while it was loaded (signal {signal})")), is_own)
        }
        // A program that cannot run the trial ends like this as well.
        (code, None) => {
            let code = code.unwrap_or_default();
            (
                Verdict::Crashed(format!("it ended the process while it was loaded (exit status {code})")),
                false,
            )
        }
    }
}

/// What identifies an unchanged library.
fn key(path: &Path, pinned: &Pinned) -> String {
    let state = pinned.key();
    let (major, minor) = (abi::MW_ABI_MAJOR, abi::MW_ABI_MINOR);
    let path = path.to_string_lossy().replace(['\t', '\n'], "?");
    format!("{state}\t{major}.{minor}\t{path}")
}

/// The remembered verdicts, one per line: the verdict, then the key.
struct Memory {
    file: Option<PathBuf>,
    lines: Vec<String>,
}

impl Memory {
    fn read() -> Self {
        let file = directories::user_cache().map(|cache| cache.join(FILE));
        let is_small =
            |file: &PathBuf| std::fs::metadata(file).is_ok_and(|metadata| metadata.len() <= MAX_FILE_BYTES);
        let text =
            file.as_ref().filter(|file| is_small(file)).and_then(|file| std::fs::read_to_string(file).ok());
        let lines = text.unwrap_or_default().lines().map(str::to_owned).collect();
        Self { file, lines }
    }

    fn recall(&self, key: &str) -> Option<Verdict> {
        self.lines.iter().rev().find_map(|line| match line.split_once('\t') {
            Some(("ok", rest)) if rest == key => Some(Verdict::Safe),
            Some((words, rest)) if rest == key => words.strip_prefix("crashed: ").map(|words| {
                Verdict::Crashed(format!("{words} (as seen before; it is tried again when the file changes)"))
            }),
            _ => None,
        })
    }

    /// Adds a verdict in place of older ones for the same path. A cache that cannot be written costs a trial next time.
    fn note(&mut self, key: &str, verdict: &Verdict) {
        let path = |line: &str| line.rsplit_once('\t').map(|(_, path)| path.to_owned());
        self.lines.retain(|line| path(line) != path(key));
        self.lines.push(match verdict {
            Verdict::Safe => format!("ok\t{key}"),
            Verdict::Crashed(words) => format!("crashed: {words}\t{key}"),
            // It says nothing about the library.
            Verdict::Interrupted => return,
        });
        let Some((file, directory)) = self.file.as_ref().and_then(|file| Some((file, file.parent()?))) else {
            return;
        };
        let mut text = String::new();
        for line in &self.lines {
            let _ = writeln!(text, "{line}");
        }
        let temporary = directory.join(format!("plugins.{}.tmp", std::process::id()));
        let written = std::fs::create_dir_all(directory)
            .and_then(|()| std::fs::write(&temporary, text))
            .and_then(|()| std::fs::rename(&temporary, file));
        if written.is_err() {
            let _ = std::fs::remove_file(&temporary);
        }
    }
}
