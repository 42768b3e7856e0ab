//! The run of a check: plans the tests, runs them in parallel and collects their verdicts.

#![forbid(unsafe_code)]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use mapwave_plugin_abi::mw_plugin_entry;

use crate::child::{CLAIM, Ended, Launcher, MAKE, TABLES, child, run_job};
use crate::context::{File, Job, Target};
use crate::discovery::{MAX_INPUT_BYTES, Survey, Table, Tables, extension, select};
use crate::linked_entry::LinkedEntry;
use crate::options::Options;
use crate::report::{Report, Row, Summary};
use crate::suite::plan::{SILENCE, Subject, TESTS, Test, names};
use crate::verdict::{Kind, Verdict, some_of};

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
    let mut files = Vec::new();
    if let Some(corpus) = &corpus {
        let mut left_out = Vec::new();
        find_files(corpus, &mut files, &mut left_out).map_err(|error| named(corpus, error))?;
        files.sort();
        if !left_out.is_empty() {
            notes.push(left_out_note(&left_out));
        }
        if files.is_empty() {
            return Err(io::Error::other(format!("{}: the directory holds no file", corpus.display())));
        }
    }
    let mut planner = Planner::new(options, target, directory.path().to_owned());
    let mut rows = planner.run_tests(Subject::Library, "library", 0, &[], &launcher)?;
    let survey = planner.survey(TABLES, "library", 0, &[]);
    let first = run_jobs(&[&survey], &launcher)?.remove(0);
    let mut plugin = None;
    match first.survey {
        Some(Survey::Tables(tables)) => {
            plugin.clone_from(&tables.description);
            let (more, mut faults) = planner.test_tables(&tables, &files, &mut notes, &launcher)?;
            rows.extend(more);
            faults.retain(|fault| !has_failed(&rows, &fault.subject));
            rows.extend(faults);
        }
        _ => {
            notes.push("decoders, encoders and resamplers could not be tested".to_owned());
            if !has_failed(&rows, "library") {
                rows.insert(0, row(survey, first));
            }
        }
    }
    let library = match planner.target {
        Target::Library(path) => Some(path),
        Target::Linked(_) => None,
    };
    let mut report = Report {
        library,
        plugin,
        seed: options.seed,
        corpus,
        notes,
        results: rows,
        summary: Summary::default(),
    };
    report.results.push(planner.silence.row());
    report.summarize();
    Ok(report)
}

fn has_failed(rows: &[Row], subject: &str) -> bool {
    rows.iter().any(|row| row.subject == subject && row.verdict.result == Kind::Failed)
}

fn row(task: Task, ended: Ended) -> Row {
    let has_failed = ended.verdict.result == Kind::Failed;
    let lines = ended.output.into_iter().flat_map(|output| output.last_lines);
    Row {
        test: task.test.to_owned(),
        subject: task.subject,
        about: task.about.to_owned(),
        verdict: ended.verdict,
        seconds: ended.time.as_secs_f64(),
        output: lines.filter(|_| has_failed).collect(),
    }
}

/// The verdict on what all tests wrote.
#[derive(Default)]
struct Silence {
    broken: Option<String>,
}

impl Silence {
    fn hear(&mut self, task: &Task, ended: &Ended) {
        let pipes = ["standard output", "standard error"].into_iter().zip(&ended.output);
        let heard = pipes.into_iter().find(|(_, output)| !output.beginning.is_empty());
        let Some((pipe, output)) = heard.filter(|_| self.broken.is_none()) else { return };
        let beginning: String = output.beginning.chars().take(100).collect();
        self.broken = Some(format!(
            "in test {} of the {}, this was written to {pipe}: {beginning:?}",
            task.test, task.subject
        ));
    }

    fn row(self) -> Row {
        let verdict = match self.broken {
            Some(reason) => Verdict::broken("R5", reason),
            None => Verdict::new(Kind::Passed, ""),
        };
        Row {
            test: SILENCE.to_owned(),
            subject: "all tests".to_owned(),
            about: "nothing was written to standard output or error".to_owned(),
            verdict,
            seconds: 0.0,
            output: Vec::new(),
        }
    }
}

/// Adds all files below a directory, and to `left_out` those that are not tested with, and why.
fn find_files(
    directory: &Path,
    files: &mut Vec<PathBuf>,
    left_out: &mut Vec<(PathBuf, String)>,
) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            find_files(&path, files, left_out)?;
            continue;
        }
        match fs::metadata(&path) {
            Ok(metadata) if !metadata.is_file() => {
                left_out.push((path, "it is not a regular file".to_owned()))
            }
            Ok(metadata) if metadata.len() > MAX_INPUT_BYTES => {
                left_out.push((path, format!("it has more than {} MiB", MAX_INPUT_BYTES >> 20)));
            }
            Ok(_) => files.push(path),
            Err(error) => left_out.push((path, error.to_string())),
        }
    }
    Ok(())
}

fn left_out_note(left_out: &[(PathBuf, String)]) -> String {
    let named = left_out.iter().map(|(path, why)| format!("{} ({why})", path.display()));
    format!("left out: {}", some_of(named.collect()))
}

/// Turns tests into jobs, and runs them.
struct Planner<'a> {
    options: &'a Options,
    target: Target,
    readers: Vec<LinkedEntry>,
    directory: PathBuf,
    num_jobs: usize,
    silence: Silence,
}

impl<'a> Planner<'a> {
    fn new(options: &'a Options, target: Target, directory: PathBuf) -> Self {
        let readers = options.readers.iter().filter_map(|entry| LinkedEntry::new(*entry)).collect();
        Self { options, target, readers, directory, num_jobs: 0, silence: Silence::default() }
    }

    fn task(
        &mut self,
        test: &'static str,
        about: &'static str,
        subject: String,
        table: usize,
        inputs: Vec<File>,
    ) -> Task {
        self.num_jobs += 1;
        let job = Job {
            target: self.target.clone(),
            test: test.to_owned(),
            table,
            inputs,
            readers: self.readers.clone(),
            seed: self.options.seed,
            time_limit: u64::try_from(self.options.time_limit.as_millis()).unwrap_or(u64::MAX),
            directory: self.directory.join(self.num_jobs.to_string()),
        };
        Task { test, about, subject, job }
    }

    /// A job of the survey.
    fn survey(&mut self, job: &'static str, subject: &str, table: usize, files: &[PathBuf]) -> Task {
        let about = match job {
            TABLES => "the tables can be listed",
            MAKE => "it makes files for the tests of decoders",
            _ => "it finds the files that it reads",
        };
        let named = |path: &PathBuf| File { path: path.clone(), extension: None };
        self.task(job, about, subject.to_owned(), table, files.iter().map(named).collect())
    }

    fn is_wanted(&self, test: &Test, subject: Subject) -> bool {
        let only = &self.options.only;
        // "silence" is a verdict on the output of all other tests.
        let all = only.is_empty() || only.iter().all(|name| name == SILENCE);
        test.subject == subject && (all || only.iter().any(|name| name == test.name))
    }

    /// The selected tests for one table.
    fn tasks(&mut self, subject: Subject, name: &str, table: usize, inputs: &[File]) -> Vec<Task> {
        let wanted: Vec<&Test> = TESTS.iter().filter(|test| self.is_wanted(test, subject)).collect();
        let task = |test: &Test| self.task(test.name, test.about, name.to_owned(), table, inputs.to_vec());
        wanted.into_iter().map(task).collect()
    }

    fn run_tests(
        &mut self,
        subject: Subject,
        name: &str,
        table: usize,
        inputs: &[File],
        launcher: &Launcher,
    ) -> io::Result<Vec<Row>> {
        let tasks = self.tasks(subject, name, table, inputs);
        self.run(tasks, launcher)
    }

    fn run(&mut self, tasks: Vec<Task>, launcher: &Launcher) -> io::Result<Vec<Row>> {
        let ended = run_jobs(&tasks.iter().collect::<Vec<_>>(), launcher)?;
        tasks.iter().zip(&ended).for_each(|(task, ended)| self.silence.hear(task, ended));
        Ok(tasks.into_iter().zip(ended).map(|(task, ended)| row(task, ended)).collect())
    }

    /// Tests the tables of a plugin; returns the results, and what went wrong in the survey.
    fn test_tables(
        &mut self,
        tables: &Tables,
        corpus: &[PathBuf],
        notes: &mut Vec<String>,
        launcher: &Launcher,
    ) -> io::Result<(Vec<Row>, Vec<Row>)> {
        let wanted = self.options.decoder.clone();
        if let Some(name) =
            wanted.as_ref().filter(|name| tables.decoders.iter().all(|found| found.name != **name))
        {
            let names: Vec<&str> = tables.decoders.iter().map(|found| found.name.as_str()).collect();
            let message = format!("no decoder is named \"{name}\"; there are: {}", names.join(", "));
            return Err(io::Error::other(message));
        }
        let is_wanted = |table: &Table| wanted.as_ref().is_none_or(|name| *name == table.name);
        let mut faults = Vec::new();
        let mut tasks = Vec::new();
        let decoders = tables.decoders.iter().enumerate().filter(|(_, table)| is_wanted(table));
        let decoders: Vec<(usize, &Table)> = decoders.collect();
        let decodes = TESTS.iter().any(|test| self.is_wanted(test, Subject::Decoder));
        let inputs = match decodes {
            true => self.find_inputs(tables, &decoders, corpus, notes, (launcher, &mut faults))?,
            false => vec![Vec::new(); decoders.len()],
        };
        for ((number, table), inputs) in decoders.into_iter().zip(inputs) {
            self.test_table(Subject::Decoder, number, table, &inputs, (&mut tasks, &mut faults));
        }
        if wanted.is_none() {
            for (number, table) in tables.encoders.iter().enumerate() {
                self.test_table(Subject::Encoder, number, table, &[], (&mut tasks, &mut faults));
            }
            for (number, table) in tables.resamplers.iter().enumerate() {
                self.test_table(Subject::Resampler, number, table, &[], (&mut tasks, &mut faults));
            }
        }
        Ok((self.run(tasks, launcher)?, faults))
    }

    fn test_table(
        &mut self,
        subject: Subject,
        number: usize,
        table: &Table,
        inputs: &[File],
        (tasks, faults): (&mut Vec<Task>, &mut Vec<Row>),
    ) {
        let name = format!("{} {}", subject.name(), table.name);
        let Some((rule, reason)) = &table.fault else {
            tasks.extend(self.tasks(subject, &name, number, inputs));
            return;
        };
        faults.push(Row {
            test: TABLES.to_owned(),
            subject: name,
            about: "its table is whole".to_owned(),
            verdict: Verdict::broken(rule, reason),
            seconds: 0.0,
            output: Vec::new(),
        });
    }

    /// Files to test each decoder with: those of the corpus that it claims, or else what the plugin's encoders make.
    fn find_inputs(
        &mut self,
        tables: &Tables,
        decoders: &[(usize, &Table)],
        corpus: &[PathBuf],
        notes: &mut Vec<String>,
        (launcher, faults): (&Launcher, &mut Vec<Row>),
    ) -> io::Result<Vec<Vec<File>>> {
        let mut inputs = self.claims(decoders, corpus, launcher, faults)?;
        if inputs.iter().any(Vec::is_empty) {
            let encoders = tables.encoders.iter().enumerate().filter(|(_, table)| table.fault.is_none());
            let tasks: Vec<Task> = encoders
                .map(|(number, table)| self.survey(MAKE, &format!("encoder {}", table.name), number, &[]))
                .collect();
            let mut made = Vec::new();
            for (task, ended) in self.survey_all(tasks, launcher)? {
                match ended.survey {
                    Some(Survey::Made(files)) => made.extend(files),
                    _ => faults.push(row(task, ended)),
                }
            }
            let without: Vec<usize> =
                (0..decoders.len()).filter(|at| inputs.get(*at).is_some_and(Vec::is_empty)).collect();
            let lacking: Vec<(usize, &Table)> =
                without.iter().filter_map(|at| decoders.get(*at)).copied().collect();
            let claimed = self.claims(&lacking, &made, launcher, faults)?;
            for (at, files) in without.into_iter().zip(claimed) {
                if let Some(place) = inputs.get_mut(at) {
                    *place = files;
                }
            }
        }
        for ((_, table), files) in decoders.iter().zip(&mut inputs) {
            let num_claimed = files.len();
            *files = select(files);
            let name = &table.name;
            if files.is_empty() && !corpus.is_empty() && table.fault.is_none() {
                let count = corpus.len();
                notes.push(format!(
                    "decoder {name} claims none of the {count} files of the corpus, by their bytes or extensions"
                ));
            } else if files.len() < num_claimed {
                let count = files.len();
                notes.push(format!(
                    "decoder {name} is tested with {count} of the {num_claimed} files it claims"
                ));
            }
        }
        Ok(inputs)
    }

    /// The files that each of these decoders claims.
    fn claims(
        &mut self,
        decoders: &[(usize, &Table)],
        files: &[PathBuf],
        launcher: &Launcher,
        faults: &mut Vec<Row>,
    ) -> io::Result<Vec<Vec<File>>> {
        if files.is_empty() {
            return Ok(vec![Vec::new(); decoders.len()]);
        }
        let tasks: Vec<Task> = decoders
            .iter()
            .map(|(number, table)| self.survey(CLAIM, &format!("decoder {}", table.name), *number, files))
            .collect();
        let mut claimed = Vec::new();
        for ((task, ended), (_, table)) in self.survey_all(tasks, launcher)?.into_iter().zip(decoders) {
            claimed.push(match ended.survey {
                Some(Survey::Claimed(files)) => files,
                _ if table.fault.is_some() => Vec::new(),
                // It cannot say which ones it reads; its tests shall run all the same.
                _ => {
                    faults.push(row(task, ended));
                    let fits = |path: &&PathBuf| {
                        extension(path).is_some_and(|name| table.extensions.contains(&name))
                    };
                    let fitting: Vec<&PathBuf> = files.iter().filter(fits).collect();
                    let likely = if fitting.is_empty() { files.iter().collect() } else { fitting };
                    likely.into_iter().map(|path| File { path: path.clone(), extension: None }).collect()
                }
            });
        }
        Ok(claimed)
    }

    fn survey_all(&mut self, tasks: Vec<Task>, launcher: &Launcher) -> io::Result<Vec<(Task, Ended)>> {
        let ended = run_jobs(&tasks.iter().collect::<Vec<_>>(), launcher)?;
        tasks.iter().zip(&ended).for_each(|(task, ended)| self.silence.hear(task, ended));
        Ok(tasks.into_iter().zip(ended).collect())
    }
}

/// Runs jobs in parallel, as many as there are processors, and returns how each ended.
fn run_jobs(tasks: &[&Task], launcher: &Launcher) -> io::Result<Vec<Ended>> {
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
