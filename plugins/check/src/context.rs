//! The context of a test in its child process.

#![forbid(unsafe_code)]

use std::cell::RefCell;
use std::fmt::Display;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::host::{DecoderTable, EncoderTable, Library, Plugin, ResamplerTable};
use crate::linked_entry::LinkedEntry;
use crate::verdict::{Finding, Outcome};

/// The size of the progress file in bytes.
const PROGRESS_BYTES: usize = 512;

/// A test file for a decoder.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Its name in the report.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// The plugin that is checked.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Target {
    /// A library.
    Library(PathBuf),
    /// A plugin that is linked into this program.
    Linked(LinkedEntry),
}

/// The job of a child process.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    /// The plugin.
    pub target: Target,
    /// The test.
    pub test: String,
    /// The index of the table to test.
    pub table: usize,
    /// Files that the decoder claims.
    pub inputs: Vec<PathBuf>,
    /// The seed of the random choices.
    pub seed: u64,
    /// The time limit in milliseconds.
    pub time_limit: u64,
    /// The directory for the files of the process.
    pub directory: PathBuf,
}

impl Job {
    /// The file with the verdict.
    pub fn verdict_path(&self) -> PathBuf {
        self.directory.join("verdict")
    }

    /// The file that says what the test is doing.
    pub fn progress_path(&self) -> PathBuf {
        self.directory.join("progress")
    }

    /// The file with the explanation of a memory fault.
    pub fn fault_path(&self) -> PathBuf {
        self.directory.join("fault")
    }
}

/// The context of a test.
pub struct Context {
    /// The job.
    pub job: Job,
    progress: Option<File>,
    input: RefCell<String>,
    during: RefCell<String>,
    warnings: RefCell<Vec<String>>,
    notes: RefCell<Vec<String>>,
    started: Instant,
}

impl Context {
    /// The context of a job that starts now.
    pub fn new(job: Job) -> Self {
        let progress = File::create(job.progress_path()).ok();
        Self {
            job,
            progress,
            input: RefCell::default(),
            during: RefCell::default(),
            warnings: RefCell::default(),
            notes: RefCell::default(),
            started: Instant::now(),
        }
    }

    /// Sets the input that the following steps use.
    pub fn with_input(&self, name: &str) {
        self.input.replace(name.to_owned());
        self.doing("opening it");
    }

    /// Records the next step, where the parent finds it if the process ends.
    pub fn doing(&self, what: impl Display) {
        let input = self.input.borrow();
        let text = if input.is_empty() { what.to_string() } else { format!("{what}, {input}") };
        let mut record = text.clone().into_bytes();
        record.resize(PROGRESS_BYTES, b' ');
        if let Some(file) = &self.progress {
            // Without it, a crash is reported with less detail.
            let _ = file.write_all_at(&record, 0);
        }
        self.during.replace(text);
    }

    /// The last recorded step.
    pub fn during(&self) -> String {
        self.during.borrow().clone()
    }

    /// Adds a warning: something is slow or unwise.
    pub fn warn(&self, what: impl Into<String>) {
        let (what, input) = (what.into(), self.input.borrow());
        let mut warnings = self.warnings.borrow_mut();
        // The first few say enough.
        if warnings.len() < 3 {
            warnings.push(if input.is_empty() { what } else { format!("{what} ({input})") });
        }
    }

    /// Adds a note for the reader.
    pub fn note(&self, what: impl Into<String>) {
        let what = what.into();
        let mut notes = self.notes.borrow_mut();
        if !notes.contains(&what) {
            notes.push(what);
        }
    }

    /// The warnings and the notes.
    pub fn remarks(&self) -> (Vec<String>, Vec<String>) {
        (self.warnings.borrow().clone(), self.notes.borrow().clone())
    }

    /// Pseudo-random numbers, the same for the same seed and test.
    pub fn random(&self) -> fastrand::Rng {
        let salt =
            self.job.test.bytes().fold(0u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        fastrand::Rng::with_seed(self.job.seed ^ salt)
    }

    /// Whether there is time for more inputs; if not, adds a note that says so.
    pub fn has_time(&self) -> bool {
        let has_time = self.started.elapsed() < Duration::from_millis(self.job.time_limit / 2);
        if !has_time {
            self.note("stopped at half of the time limit: a larger --time-limit tests more");
        }
        has_time
    }

    /// The library of the plugin, before its entry function is called.
    pub fn library(&self) -> Outcome<Library> {
        self.doing("loading the library");
        match &self.job.target {
            Target::Library(path) => Library::load(path),
            Target::Linked(entry) => match entry.function() {
                Some(entry) => Ok(Library::linked(entry)),
                None => {
                    Err(Finding::skipped("the child process is not the program that contains the plugin"))
                }
            },
        }
    }

    /// The plugin.
    pub fn plugin(&self) -> Outcome<Plugin> {
        let library = self.library()?;
        self.doing("calling the entry function");
        let plugin = library.enter()?;
        self.doing("asking for its tables");
        Ok(plugin)
    }

    /// The decoder to test.
    pub fn decoder(&self) -> Outcome<DecoderTable> {
        self.pick(self.plugin()?.decoders()?)
    }

    /// The encoder to test.
    pub fn encoder(&self) -> Outcome<EncoderTable> {
        self.pick(self.plugin()?.encoders()?)
    }

    /// The resampler to test.
    pub fn resampler(&self) -> Outcome<ResamplerTable> {
        self.pick(self.plugin()?.resamplers()?)
    }

    fn pick<T>(&self, tables: Vec<T>) -> Outcome<T> {
        let table = tables.into_iter().nth(self.job.table);
        table.ok_or_else(|| Finding::broken("get", "get no longer returns a table that it returned before"))
    }

    /// The name of an input: its path, unless it is a temporary file.
    fn input_name(&self, path: &Path) -> String {
        let is_made = self.job.directory.parent().is_some_and(|root| path.starts_with(root));
        match path.file_name().filter(|_| is_made) {
            Some(name) => format!("{}, which the plugin's encoder made", name.display()),
            None => path.display().to_string(),
        }
    }

    /// The files that the decoder claims.
    pub fn samples(&self) -> Outcome<Vec<Sample>> {
        if self.job.inputs.is_empty() {
            let reason = "no input: the plugin has no encoder to write one; pass --corpus DIR with files that it reads";
            return Err(Finding::skipped(reason));
        }
        let read = |path: &PathBuf| {
            let bytes = fs::read(path);
            let bytes = bytes.map_err(|error| Finding::skipped(format!("{}: {error}", path.display())))?;
            Ok(Sample { name: self.input_name(path), bytes })
        };
        self.job.inputs.iter().map(read).collect()
    }
}
