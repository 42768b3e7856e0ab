//! The context of a test in its child process.

#![forbid(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::ffi::CString;
use std::fmt::Display;
use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::guard_pages::Side;
use crate::host::{DecoderTable, EncoderTable, Input, Library, Plugin, ReadPlan, ResamplerTable};
use crate::linked_entry::LinkedEntry;
use crate::pulse;
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
    /// The extension by which the decoder claims it; `None` if its bytes were enough.
    pub extension: Option<CString>,
}

impl Sample {
    /// Its bytes in memory.
    pub fn memory(&self, side: Side) -> Outcome<Arc<Input>> {
        self.memory_of(&self.bytes, side)
    }

    /// Other bytes in memory, under its name.
    pub fn memory_of(&self, bytes: &[u8], side: Side) -> Outcome<Arc<Input>> {
        Input::memory_named(bytes, side, self.extension.clone())
    }

    /// Its bytes behind a read callback.
    pub fn callback(&self, plan: ReadPlan) -> Outcome<Arc<Input>> {
        self.callback_of(&self.bytes, plan)
    }

    /// Other bytes behind a read callback, under its name.
    pub fn callback_of(&self, bytes: &[u8], plan: ReadPlan) -> Outcome<Arc<Input>> {
        Input::callback_named(bytes, plan, self.extension.clone())
    }
}

/// A file to test a decoder with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct File {
    /// Where it is.
    pub path: PathBuf,
    /// The extension by which the decoder claims it; `None` if its bytes were enough.
    pub extension: Option<String>,
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
    pub inputs: Vec<File>,
    /// Plugins that are part of this program: their decoders read what encoders of the plugin write.
    pub readers: Vec<LinkedEntry>,
    /// The seed of the random choices.
    pub seed: u64,
    /// The time limit of a call in milliseconds, and of the tests as a whole, as far as it is theirs to end.
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

    /// The file with signs of progress.
    pub fn pulse_path(&self) -> PathBuf {
        self.directory.join("pulse")
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
    progress: Option<fs::File>,
    input: RefCell<String>,
    during: RefCell<String>,
    warnings: RefCell<Vec<String>>,
    notes: RefCell<Vec<String>>,
    /// When the time of the test began.
    started: Cell<Instant>,
}

impl Context {
    /// The context of a job that starts now.
    pub fn new(job: Job) -> Self {
        let progress = fs::File::create(job.progress_path()).ok();
        Self {
            job,
            progress,
            input: RefCell::default(),
            during: RefCell::default(),
            warnings: RefCell::default(),
            notes: RefCell::default(),
            started: Cell::new(Instant::now()),
        }
    }

    /// Sets the input that the following steps use.
    pub fn with_input(&self, name: &str) {
        self.input.replace(name.to_owned());
        self.doing("opening it");
    }

    /// Records the next step, where the parent finds it if the process ends.
    pub fn doing(&self, what: impl Display) {
        pulse::beat();
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
        let has_time = self.has_time_for(0.5);
        if !has_time {
            self.note("stopped at half of the time limit: a larger --time-limit tests more");
        }
        has_time
    }

    /// Lets the time of the test begin now: what was needed for it is ready.
    pub fn begin(&self) {
        self.started.set(Instant::now());
    }

    /// Whether less than this part of the time limit has passed.
    pub fn has_time_for(&self, part: f64) -> bool {
        self.started.get().elapsed() < self.time_limit().mul_f64(part)
    }

    /// The time limit.
    pub fn time_limit(&self) -> Duration {
        Duration::from_millis(self.job.time_limit)
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
        self.pick(self.plugin()?.each_decoder()?)
    }

    /// The encoder to test.
    pub fn encoder(&self) -> Outcome<EncoderTable> {
        self.pick(self.plugin()?.each_encoder()?)
    }

    /// The resampler to test.
    pub fn resampler(&self) -> Outcome<ResamplerTable> {
        self.pick(self.plugin()?.each_resampler()?)
    }

    fn pick<T>(&self, tables: Vec<Outcome<T>>) -> Outcome<T> {
        let table = tables.into_iter().nth(self.job.table);
        table
            .ok_or_else(|| Finding::broken("get", "get no longer returns a table that it returned before"))?
    }

    /// The decoders that may read what an encoder has written: those of the plugin, then those of others.
    pub fn readers(&self) -> Outcome<(Vec<DecoderTable>, Vec<DecoderTable>)> {
        // A table that is not whole is reported by another test.
        let own = self.plugin()?.each_decoder()?.into_iter().flatten().collect();
        let mut others = Vec::new();
        for entry in &self.job.readers {
            if let Some(entry) = entry.function() {
                others.extend(Library::linked(entry).enter()?.each_decoder()?.into_iter().flatten());
            }
        }
        Ok((own, others))
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
            let reason = "no file to decode: give files that the decoder reads with --corpus DIR";
            return Err(Finding::untested(reason));
        }
        let read = |File { path, extension }: &File| {
            let bytes = fs::read(path);
            let bytes = bytes.map_err(|error| Finding::skipped(format!("{}: {error}", path.display())))?;
            let extension = extension.as_deref().map(|name| CString::new(name).unwrap_or_default());
            Ok(Sample { name: self.input_name(path), bytes, extension })
        };
        self.job.inputs.iter().map(read).collect()
    }
}
