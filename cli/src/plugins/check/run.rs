//! The run of a check: which tests are made for what, side by side, and what they come to.

#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use super::child::{Ended, SURVEY, run_job};
use super::context::Job;
use super::plan::{SILENCE, Subject, TESTS, Test};
use super::report::{Report, Row, Summary};
use super::survey::{MAX_INPUT_BYTES, Survey};
use super::verdict::{Kind, Verdict};
use super::{CheckArguments, Format};

/// The longest time limit, in seconds.
const MAX_TIME_LIMIT: f64 = 86_400.0;

/// A test of one subject, and what became of it.
struct Task {
    test: &'static str,
    about: &'static str,
    subject: String,
    job: Job,
}

/// Checks a plugin and returns the exit code.
pub fn run(arguments: &CheckArguments, again: &[OsString]) -> i32 {
    match check(arguments, again) {
        Ok(report) => {
            let text = match arguments.format {
                Format::Text => report.to_text(),
                Format::Json => report.to_json() + "\n",
            };
            // The exit code says the most important even where nobody reads.
            let _ = io::stdout().write_all(text.as_bytes());
            i32::from(report.summary.failed > 0)
        }
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error}");
            2
        }
    }
}

fn check(arguments: &CheckArguments, again: &[OsString]) -> io::Result<Report> {
    let named = |path: &Path, error: io::Error| io::Error::other(format!("{}: {error}", path.display()));
    let library = arguments.file.canonicalize().map_err(|error| named(&arguments.file, error))?;
    let corpus = arguments.corpus.as_ref();
    let corpus = corpus.map(|path| path.canonicalize().map_err(|error| named(path, error))).transpose()?;
    if !(arguments.time_limit > 0.0 && arguments.time_limit <= MAX_TIME_LIMIT) {
        return Err(io::Error::other(format!("the time limit is {} seconds", arguments.time_limit)));
    }
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
            return Err(io::Error::other(format!("{}: there is no file in it", corpus.display())));
        }
    }
    let mut planner = Planner { arguments, library, directory: directory.path().to_owned(), num_jobs: 0 };
    let mut tasks = planner.tasks(Subject::Library, "library", 0, &[]);
    tasks.insert(0, planner.task(SURVEY, "its tables can be listed", "library".to_owned(), 0, inputs));
    let mut ended = run_tasks(&tasks, again)?;
    let (survey_task, first) = (tasks.remove(0), ended.remove(0));
    match &first.survey {
        Some(survey) => {
            let more = planner.tasks_of(survey, &mut notes, corpus.is_some())?;
            ended.extend(run_tasks(&more, again)?);
            tasks.extend(more);
        }
        None => notes.push("decoders, encoders and resamplers could not be tested".to_owned()),
    }
    let library = planner.library;
    let plugin = first.survey.as_ref().map(|survey| survey.description.clone());
    let mut report = Report {
        library,
        plugin,
        seed: arguments.seed,
        corpus,
        notes,
        results: Vec::new(),
        summary: Summary::default(),
    };
    let silence = silence(&tasks, &ended);
    report.results = tasks.into_iter().zip(ended).map(|(task, ended)| row(task, ended)).collect();
    let has_failed = report.results.iter().any(|row| row.verdict.result == Kind::Failed);
    if first.survey.is_none() && !has_failed {
        report.results.insert(0, row(survey_task, first));
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

/// The verdict over what all tests wrote.
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
        subject: "all of it".to_owned(),
        about: "nothing was written to standard output or error".to_owned(),
        verdict,
        seconds: 0.0,
    }
}

/// Adds all files below a directory that are not too large, and returns how many are.
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

/// Makes jobs of tests.
struct Planner<'a> {
    arguments: &'a CheckArguments,
    library: PathBuf,
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
            library: self.library.clone(),
            test: test.to_owned(),
            table,
            inputs,
            seed: self.arguments.seed,
            time_limit: u64::try_from(Duration::from_secs_f64(self.arguments.time_limit).as_millis())
                .unwrap_or(u64::MAX),
            directory: self.directory.join(self.num_jobs.to_string()),
        };
        Task { test, about, subject, job }
    }

    /// The tests that are wanted, for one table.
    fn tasks(&mut self, subject: Subject, name: &str, table: usize, inputs: &[PathBuf]) -> Vec<Task> {
        let only = self.arguments.only.clone();
        let is_wanted = |test: &&Test| {
            // Silence is a verdict over all the others.
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
        survey: &Survey,
        notes: &mut Vec<String>,
        has_corpus: bool,
    ) -> io::Result<Vec<Task>> {
        let wanted = self.arguments.decoder.as_deref();
        if let Some(name) = wanted.filter(|name| survey.decoders.iter().all(|found| found.name != *name)) {
            let names: Vec<&str> = survey.decoders.iter().map(|found| found.name.as_str()).collect();
            let message = format!("no decoder is named \"{name}\"; there are: {}", names.join(", "));
            return Err(io::Error::other(message));
        }
        let mut tasks = Vec::new();
        for (table, found) in survey.decoders.iter().enumerate() {
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
            for (table, name) in survey.encoders.iter().enumerate() {
                tasks.extend(self.tasks(Subject::Encoder, &format!("encoder {name}"), table, &[]));
            }
            for (table, name) in survey.resamplers.iter().enumerate() {
                tasks.extend(self.tasks(Subject::Resampler, &format!("resampler {name}"), table, &[]));
            }
        }
        Ok(tasks)
    }
}

/// Runs jobs side by side, as many as there are processors, and returns what became of each.
fn run_tasks(tasks: &[Task], again: &[OsString]) -> io::Result<Vec<Ended>> {
    let queue = Mutex::new(tasks.iter().enumerate());
    let num_workers = thread::available_parallelism().map_or(1, usize::from).min(tasks.len().max(1));
    let work = || {
        let mut ended = Vec::new();
        loop {
            let next = queue.lock().map(|mut queue| queue.next());
            match next {
                Ok(Some((number, task))) => ended.push((number, run_job(&task.job, again)?)),
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
