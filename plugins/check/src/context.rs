//! What a test has at hand, in its process.

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

/// The size of the file that says what is being done.
const PROGRESS_BYTES: usize = 512;

/// A file that a decoder is to read.
#[derive(Clone, Debug)]
pub struct Sample {
    /// What the report calls it.
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

/// What a process is to test.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    /// The plugin.
    pub target: Target,
    /// The test.
    pub test: String,
    /// Which of the library's tables of the kind that the test is about.
    pub table: usize,
    /// Files that the decoder claims.
    pub inputs: Vec<PathBuf>,
    /// Where all choices come from.
    pub seed: u64,
    /// When the process will be ended, in milliseconds.
    pub time_limit: u64,
    /// Where the process leaves its files.
    pub directory: PathBuf,
}

impl Job {
    /// The file with the verdict.
    pub fn verdict_path(&self) -> PathBuf {
        self.directory.join("verdict")
    }

    /// The file with what is being done.
    pub fn progress_path(&self) -> PathBuf {
        self.directory.join("progress")
    }

    /// The file with the reason of a fault.
    pub fn fault_path(&self) -> PathBuf {
        self.directory.join("fault")
    }
}

/// What a test has at hand.
pub struct Context {
    /// What is to be done.
    pub job: Job,
    progress: Option<File>,
    input: RefCell<String>,
    during: RefCell<String>,
    warnings: RefCell<Vec<String>>,
    notes: RefCell<Vec<String>>,
    started: Instant,
}

impl Context {
    /// The context of a job that begins now.
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

    /// Names the input of what follows.
    pub fn with_input(&self, name: &str) {
        self.input.replace(name.to_owned());
        self.doing("opening it");
    }

    /// Says what is done next, where the parent finds it should this be the last that is heard.
    pub fn doing(&self, what: impl Display) {
        let input = self.input.borrow();
        let text = if input.is_empty() { what.to_string() } else { format!("{what}, {input}") };
        let mut record = text.clone().into_bytes();
        record.resize(PROGRESS_BYTES, b' ');
        if let Some(file) = &self.progress {
            // Without it a crash is reported with less detail.
            let _ = file.write_all_at(&record, 0);
        }
        self.during.replace(text);
    }

    /// What was said last.
    pub fn during(&self) -> String {
        self.during.borrow().clone()
    }

    /// Something is slow, or unwise.
    pub fn warn(&self, what: impl Into<String>) {
        let (what, input) = (what.into(), self.input.borrow());
        let mut warnings = self.warnings.borrow_mut();
        // The first few tell as much as all.
        if warnings.len() < 3 {
            warnings.push(if input.is_empty() { what } else { format!("{what} ({input})") });
        }
    }

    /// Something that the reader should know.
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

    /// Numbers that look random, the same for the same seed and test.
    pub fn random(&self) -> fastrand::Rng {
        let salt =
            self.job.test.bytes().fold(0u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        fastrand::Rng::with_seed(self.job.seed ^ salt)
    }

    /// Whether there is time for more inputs; once there is not, the report says so.
    pub fn has_time(&self) -> bool {
        let has_time = self.started.elapsed() < Duration::from_millis(self.job.time_limit / 2);
        if !has_time {
            self.note("cut short by half of the time limit: a larger --time-limit tests more");
        }
        has_time
    }

    /// The library of the plugin, which has not been entered.
    pub fn library(&self) -> Outcome<Library> {
        self.doing("loading the library");
        match &self.job.target {
            Target::Library(path) => Library::load(path),
            Target::Linked(entry) => match entry.function() {
                Some(entry) => Ok(Library::linked(entry)),
                None => {
                    Err(Finding::skipped("the child process is not the program that the plugin is part of"))
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

    /// The decoder that the test is about.
    pub fn decoder(&self) -> Outcome<DecoderTable> {
        self.pick(self.plugin()?.decoders()?)
    }

    /// The encoder that the test is about.
    pub fn encoder(&self) -> Outcome<EncoderTable> {
        self.pick(self.plugin()?.encoders()?)
    }

    /// The resampler that the test is about.
    pub fn resampler(&self) -> Outcome<ResamplerTable> {
        self.pick(self.plugin()?.resamplers()?)
    }

    fn pick<T>(&self, tables: Vec<T>) -> Outcome<T> {
        let table = tables.into_iter().nth(self.job.table);
        table.ok_or_else(|| {
            Finding::broken("get", "get does not return the table any more that it returned before")
        })
    }

    /// A path, but for a file that is gone after the check.
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
            let reason =
                "no input: the plugin has no encoder that makes one; pass --corpus DIR with files it reads";
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
