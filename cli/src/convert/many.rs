//! Converts many files, several at once.

#![forbid(unsafe_code)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread::{self, Builder};

use clap::{Args, ValueEnum};
use mapwave::{Error, Result};
use mapwave_core::{Parameter, num_processors};
use mapwave_fork::start_scoped;
use serde::Serialize;

use super::report::{Converted, Earlier, Report, Row, State};
use super::{ConvertArguments, Work, guarded};
use crate::files::{self, Found};
use crate::interrupt::{Interrupt, is_interruption};
use crate::output::{FAILURE, SUCCESS, TROUBLE, fail, message, note};
use crate::place::{Place, trouble};
use crate::progress::{Progress, ProgressMode, Unit};

/// The arguments for many files.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ManyArguments {
    /// Directory of the new files, each with the name and the place that the file has below its own directory.
    #[arg(long, value_name = "DIR")]
    pub(crate) to_dir: Option<PathBuf>,
    /// Number of files that are converted at once [default: the number of processors].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) jobs: Option<u16>,
    /// What happens after a file that cannot be converted [default: stop].
    #[arg(long, value_enum, value_name = "ACTION")]
    pub(crate) on_error: Option<OnError>,
    /// File that gets a line of JSON for each file.
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Keep what an earlier run has converted: by its report if one is given, otherwise what is newer than its source.
    #[arg(long)]
    pub(crate) resume: bool,
}

/// What happens after a file that cannot be converted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OnError {
    /// Nothing more is converted.
    #[default]
    Stop,
    /// The other files are converted.
    Skip,
}

impl ManyArguments {
    /// An option that has an effect on many files alone, if one is given.
    pub(crate) fn first_given(&self) -> Option<&'static str> {
        let given = [
            ("--jobs", self.jobs.is_some()),
            ("--on-error", self.on_error.is_some()),
            ("--report", self.report.is_some()),
            ("--resume", self.resume),
        ];
        given.into_iter().find_map(|(name, is_given)| is_given.then_some(name))
    }
}

/// A file to convert.
#[derive(Debug)]
struct Task {
    source: PathBuf,
    state: Option<State>,
    output: PathBuf,
}

/// What became of one.
struct Outcome {
    task: usize,
    done: Result<Converted>,
}

/// Runs the command and returns the exit code.
pub(super) fn run(arguments: &ConvertArguments, paths: &[PathBuf], directory: &Path) -> i32 {
    let Some(format) = arguments.work.form.format.as_deref() else {
        fail("--to-dir needs --format, which is the extension of the new files");
        return TROUBLE;
    };
    if paths.iter().any(|path| path == Path::new("-")) {
        fail("standard input is one file: give the new file instead of --to-dir");
        return TROUBLE;
    }
    guarded(|interrupt| {
        let found = files::find(paths)?;
        let num_found = found.len();
        let tasks = plan(found, directory, format)?;
        let tasks = left_to_do(tasks, arguments)?;
        let num_kept = num_found - tasks.len();
        make_directories(directory, &tasks)?;
        let many = &arguments.many;
        let mut report = match &many.report {
            Some(path) => Some(Report::open(path, many.resume)?),
            None => None,
        };
        let progress = Progress::new(arguments.progress, Unit::Files, tasks.len() as u64);
        let mut num_failed = 0;
        let converted = convert(&tasks, &arguments.work, many, interrupt, |outcome| {
            progress.add(1);
            let task = tasks.get(outcome.task);
            if let (Some(report), Some(Task { source, state, output })) = (&mut report, task) {
                let done = outcome.done.as_ref().map(|done| *done).map_err(message);
                report.add(&Row::new(source, *state, output, done))?;
            }
            if let Err(error) = outcome.done {
                num_failed += 1;
                progress.aside(|| fail(&message(&error)));
            }
            Ok(())
        });
        progress.end();
        let num_converted = converted?;
        let is_whole = num_converted + num_failed == tasks.len();
        if arguments.progress != ProgressMode::None {
            note(&summary(num_converted, num_kept, num_failed, tasks.len()));
        }
        Ok(if num_failed == 0 && is_whole { SUCCESS } else { FAILURE })
    })
}

/// "12 files converted, 3 kept, 1 failed, 4 not begun".
fn summary(num_converted: usize, num_kept: usize, num_failed: usize, num_tasks: usize) -> String {
    let files = if num_converted == 1 { "file" } else { "files" };
    let mut text = format!("{num_converted} {files} converted");
    let not_begun = num_tasks.saturating_sub(num_converted + num_failed);
    for (number, what) in [(num_kept, "kept"), (num_failed, "failed"), (not_begun, "not converted")] {
        if number > 0 {
            text += &format!(", {number} {what}");
        }
    }
    text
}

/// The new file of each file.
///
/// # Errors
/// [`Error::Argument`] if two files would become one.
fn plan(found: Vec<Found>, directory: &Path, format: &str) -> Result<Vec<Task>> {
    let mut sources = BTreeMap::<PathBuf, PathBuf>::new();
    let extension = format.trim_start_matches('.');
    let mut tasks = Vec::with_capacity(found.len());
    for Found { path, relative } in found {
        let output = directory.join(relative).with_extension(extension);
        if let Some(other) = sources.insert(output.clone(), path.clone()) {
            let (other, path) = (other.display(), path.display());
            let what = format!(
                "would be made of both {other} and {path}; rename one, or convert them into different directories"
            );
            return Err(Error::Argument { path: Some(output), parameter: Parameter::Target, what });
        }
        tasks.push(Task { source: path, state: None, output });
    }
    Ok(tasks)
}

/// The tasks without those that an earlier run has done.
///
/// # Errors
/// [`Error::Argument`] if a new file exists and may not be replaced.
fn left_to_do(tasks: Vec<Task>, arguments: &ConvertArguments) -> Result<Vec<Task>> {
    let many = &arguments.many;
    let earlier = match &many.report {
        Some(path) if many.resume => Some(Earlier::read(path)?),
        Some(path) => {
            arguments.replace.check(path)?;
            None
        }
        None => None,
    };
    let mut left = Vec::with_capacity(tasks.len());
    for mut task in tasks {
        task.state = State::of(&task.source);
        let is_done = many.resume
            && task.state.is_some_and(|state| match &earlier {
                Some(earlier) => earlier.holds(&task.source, state, &task.output),
                None => State::of(&task.output).is_some_and(|made| state.is_older_than(made)),
            });
        if !is_done {
            if !many.resume {
                arguments.replace.check(&task.output)?;
            }
            left.push(task);
        }
    }
    Ok(left)
}

fn make_directories(directory: &Path, tasks: &[Task]) -> Result<()> {
    let mut directories: BTreeSet<&Path> = tasks.iter().filter_map(|task| task.output.parent()).collect();
    directories.insert(directory);
    for directory in directories {
        fs::create_dir_all(directory).map_err(|error| trouble("creating the directory", directory, error))?;
    }
    Ok(())
}

/// Converts files on several threads, tells of each on this one, and returns how many were converted.
fn convert(
    tasks: &[Task],
    work: &Work,
    many: &ManyArguments,
    interrupt: &Interrupt,
    mut told: impl FnMut(Outcome) -> Result<()>,
) -> Result<usize> {
    let processors = num_processors();
    let num_threads = many.jobs.map_or(processors, usize::from).min(tasks.len());
    // Files that are too few for the processors share them.
    let max_threads = (processors / num_threads.max(1)).max(1);
    let stops = many.on_error.unwrap_or_default() == OnError::Stop;
    let next = AtomicUsize::new(0);
    let mut num_converted = 0;
    thread::scope(|scope| {
        let (sender, outcomes) = mpsc::channel();
        for _ in 0..num_threads {
            let (sender, next) = (sender.clone(), &next);
            let work = move || {
                while !interrupt.is_asked() {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(task) = tasks.get(number) else { break };
                    let done = one(task, work, interrupt, max_threads);
                    if done.is_err() && stops {
                        interrupt.ask();
                    }
                    // The receiver is gone only after an error.
                    if sender.send(Outcome { task: number, done }).is_err() {
                        break;
                    }
                }
            };
            start_scoped(Builder::new(), scope, work)
                .map_err(|error| trouble("starting a thread", "convert", error))?;
        }
        drop(sender);
        for outcome in outcomes {
            if outcome.done.as_ref().is_err_and(is_interruption) {
                continue;
            }
            num_converted += usize::from(outcome.done.is_ok());
            if let Err(error) = told(outcome) {
                interrupt.ask();
                return Err(error);
            }
        }
        Ok(num_converted)
    })
}

fn one(task: &Task, work: &Work, interrupt: &Interrupt, max_threads: usize) -> Result<Converted> {
    let (input, output) = (Place::Path(task.source.clone()), Place::Path(task.output.clone()));
    interrupt
        .during(max_threads, |control| work.run(&input, &output, interrupt, control, |_, _| Box::new(|_| {})))
}
