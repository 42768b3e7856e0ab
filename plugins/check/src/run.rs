//! The run of a check: plans the tests, runs them in parallel and collects their verdicts.

#![forbid(unsafe_code)]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use mapwave_plugin_abi::mw_plugin_entry;

use crate::child::{DISCOVERY, Ended, Launcher, child, run_job};
use crate::context::{Job, Target};
use crate::discovery::{Discovery, MAX_INPUT_BYTES};
use crate::linked_entry::LinkedEntry;
use crate::options::Options;
use crate::report::{Report, Row, Summary};
use crate::suite::plan::{SILENCE, Subject, TESTS, Test, names};
use crate::verdict::{Kind, Verdict};

/// The longest time limit.
const MAX_TIME_LIMIT: Duration = Duration::from_secs(86_400);

/// A test of one subject, and the job that runs it.
struct Task {
    test: &'static str,
    about: &'static str,
    subject: String,
    job: Job,
}

/// Checks a plugin in a library.
pub fn check(library: impl AsRef<Path>, options: &Options) -> io::Result<Report> {
    child();
    let library = library.as_ref();
    let path = library.canonicalize().map_err(|error| named(library, error))?;
    run(Target::Library(path), options)
}

/// Checks a plugin that is part of this program, by its entry function.
pub fn check_entry(entry: mw_plugin_entry, options: &Options) -> io::Result<Report> {
    child();
    let Some(entry) = LinkedEntry::new(entry) else {
        return Err(io::Error::other(
            "the entry function is not linked into this program: check its library",
        ));
    };
    run(Target::Linked(entry), options)
}

fn named(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

fn run(target: Target, options: &Options) -> io::Result<Report> {
    let corpus = options.corpus.as_ref();
    let corpus = corpus.map(|path| path.canonicalize().map_err(|error| named(path, error))).transpose()?;
    if !(Duration::from_millis(1)..=MAX_TIME_LIMIT).contains(&options.time_limit) {
        let seconds = options.time_limit.as_secs_f64();
        return Err(io::Error::other(format!("the time limit is {seconds} seconds")));
    }
    if let Some(name) = options.only.iter().find(|name| !names().contains(&name.as_str())) {
        return Err(io::Error::other(format!(
            "no test is named \"{name}\"; there are: {}",
            names().join(", ")
        )));
    }
    let launcher = Launcher::new(&options.child)?;
    let directory = tempfile::Builder::new().prefix("mapwave-check-").tempdir()?;
    let mut notes = Vec::new();
    let mut inputs = Vec::new();
    if let Some(corpus) = &corpus {
        let num_left_out = find_inputs(corpus, &mut inputs).map_err(|error| named(corpus, error))?;
        inputs.sort();
        if num_left_out > 0 {
            notes.push(format!(
                "{num_left_out} files of more than {} MiB were left out",
                MAX_INPUT_BYTES >> 20
            ));
        }
        if inputs.is_empty() {
            return Err(io::Error::other(format!("{}: the directory holds no file", corpus.display())));
        }
    }
    let mut planner = Planner { options, target, directory: directory.path().to_owned(), num_jobs: 0 };
    let mut tasks = planner.tasks(Subject::Library, "library", 0, &[]);
    tasks.insert(0, planner.task(DISCOVERY, "the tables can be listed", "library".to_owned(), 0, inputs));
    let mut ended = run_tasks(&tasks, &launcher)?;
    let (discovery_task, first) = (tasks.remove(0), ended.remove(0));
    match &first.discovery {
        Some(discovery) => {
            let more = planner.tasks_of(discovery, &mut notes, corpus.is_some())?;
            ended.extend(run_tasks(&more, &launcher)?);
            tasks.extend(more);
        }
        None => notes.push("decoders, encoders and resamplers could not be tested".to_owned()),
    }
    let library = match planner.target {
        Target::Library(path) => Some(path),
        Target::Linked(_) => None,
    };
    let plugin = first.discovery.as_ref().map(|discovery| discovery.description.clone());
    let mut report = Report {
        library,
        plugin,
        seed: options.seed,
        corpus,
        notes,
        results: Vec::new(),
        summary: Summary::default(),
    };
    let silence = silence(&tasks, &ended);
    report.results = tasks.into_iter().zip(ended).map(|(task, ended)| row(task, ended)).collect();
    let has_failed = report.results.iter().any(|row| row.verdict.result == Kind::Failed);
    if first.discovery.is_none() && !has_failed {
        report.results.insert(0, row(discovery_task, first));
    }
    report.results.push(silence);
    report.summarize();
    Ok(report)
}

fn row(task: Task, ended: Ended) -> Row {
    Row {
        test: task.test.to_owned(),
        subject: task.subject,
        about: task.about.to_owned(),
        verdict: ended.verdict,
        seconds: ended.time.as_secs_f64(),
    }
}

/// The verdict on what all tests wrote.
fn silence(tasks: &[Task], ended: &[Ended]) -> Row {
    let wrote = |(task, ended): (&Task, &Ended)| {
        let pipes = ["standard output", "standard error"].into_iter().zip(&ended.output);
        let (pipe, text) = pipes.into_iter().find(|(_, text)| !text.is_empty())?;
        let beginning: String = text.chars().take(100).collect();
        Some(format!(
            "in test {} of the {}, this was written to {pipe}: {beginning:?}",
            task.test, task.subject
        ))
    };
    let verdict = match tasks.iter().zip(ended).find_map(wrote) {
        Some(reason) => Verdict::broken("R5", reason),
        None => Verdict::new(Kind::Passed, ""),
    };
    Row {
        test: SILENCE.to_owned(),
        subject: "all tests".to_owned(),
        about: "nothing was written to standard output or error".to_owned(),
        verdict,
        seconds: 0.0,
    }
}

/// Adds all files below a directory, except for large ones, and returns how many were left out.
fn find_inputs(directory: &Path, inputs: &mut Vec<PathBuf>) -> io::Result<usize> {
    let mut num_left_out = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            num_left_out += find_inputs(&entry.path(), inputs)?;
        } else if let Ok(metadata) = fs::metadata(entry.path()) {
            match metadata.is_file() {
                true if metadata.len() > MAX_INPUT_BYTES => num_left_out += 1,
                true => inputs.push(entry.path()),
                false => {}
            }
        }
    }
    Ok(num_left_out)
}

/// Turns tests into jobs.
struct Planner<'a> {
    options: &'a Options,
    target: Target,
    directory: PathBuf,
    num_jobs: usize,
}

impl Planner<'_> {
    fn task(
        &mut self,
        test: &'static str,
        about: &'static str,
        subject: String,
        table: usize,
        inputs: Vec<PathBuf>,
    ) -> Task {
        self.num_jobs += 1;
        let job = Job {
            target: self.target.clone(),
            test: test.to_owned(),
            table,
            inputs,
            seed: self.options.seed,
            time_limit: u64::try_from(self.options.time_limit.as_millis()).unwrap_or(u64::MAX),
            directory: self.directory.join(self.num_jobs.to_string()),
        };
        Task { test, about, subject, job }
    }

    /// The selected tests for one table.
    fn tasks(&mut self, subject: Subject, name: &str, table: usize, inputs: &[PathBuf]) -> Vec<Task> {
        let only = self.options.only.clone();
        let is_wanted = |test: &&Test| {
            // "silence" is a verdict on the output of all other tests.
            let all = only.is_empty() || only.iter().all(|name| name == SILENCE);
            test.subject == subject && (all || only.iter().any(|name| name == test.name))
        };
        let wanted: Vec<&Test> = TESTS.iter().filter(is_wanted).collect();
        wanted
            .into_iter()
            .map(|test| self.task(test.name, test.about, name.to_owned(), table, inputs.to_vec()))
            .collect()
    }

    fn tasks_of(
        &mut self,
        discovery: &Discovery,
        notes: &mut Vec<String>,
        has_corpus: bool,
    ) -> io::Result<Vec<Task>> {
        let wanted = self.options.decoder.as_deref();
        if let Some(name) = wanted.filter(|name| discovery.decoders.iter().all(|found| found.name != *name)) {
            let names: Vec<&str> = discovery.decoders.iter().map(|found| found.name.as_str()).collect();
            let message = format!("no decoder is named \"{name}\"; there are: {}", names.join(", "));
            return Err(io::Error::other(message));
        }
        let mut tasks = Vec::new();
        for (table, found) in discovery.decoders.iter().enumerate() {
            if wanted.is_some_and(|name| name != found.name) {
                continue;
            }
            let (name, count) = (&found.name, found.inputs.len());
            if count == 0 && has_corpus {
                notes.push(format!("decoder {name} claims no file of the corpus"));
            } else if count < found.num_claimed {
                notes.push(format!(
                    "decoder {name} is tested with {count} of the {} files it claims",
                    found.num_claimed
                ));
            }
            tasks.extend(self.tasks(Subject::Decoder, &format!("decoder {name}"), table, &found.inputs));
        }
        if wanted.is_none() {
            for (table, name) in discovery.encoders.iter().enumerate() {
                tasks.extend(self.tasks(Subject::Encoder, &format!("encoder {name}"), table, &[]));
            }
            for (table, name) in discovery.resamplers.iter().enumerate() {
                tasks.extend(self.tasks(Subject::Resampler, &format!("resampler {name}"), table, &[]));
            }
        }
        Ok(tasks)
    }
}

/// Runs jobs in parallel, as many as there are processors, and returns how each ended.
fn run_tasks(tasks: &[Task], launcher: &Launcher) -> io::Result<Vec<Ended>> {
    let queue = Mutex::new(tasks.iter().enumerate());
    let num_workers = thread::available_parallelism().map_or(1, usize::from).min(tasks.len().max(1));
    let work = || {
        let mut ended = Vec::new();
        loop {
            let next = queue.lock().map(|mut queue| queue.next());
            match next {
                Ok(Some((number, task))) => ended.push((number, run_job(&task.job, launcher)?)),
                _ => return Ok::<_, io::Error>(ended),
            }
        }
    };
    let results: Vec<io::Result<Vec<(usize, Ended)>>> = thread::scope(|scope| {
        let workers: Vec<_> = (0..num_workers).map(|_| scope.spawn(work)).collect();
        let failed = |_| Err(io::Error::other("a thread of the check failed"));
        workers.into_iter().map(|worker| worker.join().unwrap_or_else(failed)).collect()
    });
    let mut all = Vec::new();
    for result in results {
        all.extend(result?);
    }
    all.sort_by_key(|(number, _)| *number);
    Ok(all.into_iter().map(|(_, ended)| ended).collect())
}
