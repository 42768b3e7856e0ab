//! The report of a conversion: a line of JSON for each file.

#![forbid(unsafe_code)]

use std::collections::HashMap;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use mapwave::Result;
use serde::{Deserialize, Serialize};

use crate::place::trouble;

/// What was written.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Converted {
    pub(crate) output_bytes: u64,
    pub(crate) frames: u64,
    pub(crate) sample_rate: u32,
    pub(crate) channels: u16,
}

/// What became of a file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    /// The file, its size and the time of its last change.
    pub(crate) source: String,
    pub(crate) source_bytes: Option<u64>,
    pub(crate) source_mtime_ns: Option<i64>,
    /// The new file and its facts; `None` where there is none because of the error.
    pub(crate) output: Option<String>,
    pub(crate) output_bytes: Option<u64>,
    pub(crate) frames: Option<u64>,
    pub(crate) sample_rate: Option<u32>,
    pub(crate) channels: Option<u16>,
    pub(crate) error: Option<String>,
}

/// The size and time of a file, by which a change of it is noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct State {
    num_bytes: u64,
    mtime_ns: i64,
}

impl State {
    /// The state of a file that exists.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        fs::metadata(path).ok().filter(Metadata::is_file).map(|metadata| Self {
            num_bytes: metadata.len(),
            mtime_ns: metadata.mtime().saturating_mul(1_000_000_000).saturating_add(metadata.mtime_nsec()),
        })
    }

    /// Whether a file made from one of this state is not older than it.
    pub(crate) fn is_older_than(self, made: Self) -> bool {
        self.mtime_ns <= made.mtime_ns
    }
}

impl Row {
    /// The row of a file.
    pub(crate) fn new(
        source: &Path,
        state: Option<State>,
        output: &Path,
        done: std::result::Result<Converted, String>,
    ) -> Self {
        let shown = |path: &Path| path.to_string_lossy().into_owned();
        let converted = done.as_ref().ok().copied();
        Self {
            source: shown(source),
            source_bytes: state.map(|state| state.num_bytes),
            source_mtime_ns: state.map(|state| state.mtime_ns),
            output: converted.map(|_| shown(output)),
            output_bytes: converted.map(|converted| converted.output_bytes),
            frames: converted.map(|converted| converted.frames),
            sample_rate: converted.map(|converted| converted.sample_rate),
            channels: converted.map(|converted| converted.channels),
            error: done.err(),
        }
    }

    /// Whether it says that the file was converted as it is now, into the file that is there now.
    fn holds(&self, source: State, output: &Path) -> bool {
        let is_same =
            self.source_bytes == Some(source.num_bytes) && self.source_mtime_ns == Some(source.mtime_ns);
        let made = State::of(output);
        is_same && self.error.is_none() && made.is_some_and(|made| self.output_bytes == Some(made.num_bytes))
    }
}

/// The report being written.
#[derive(Debug)]
pub(crate) struct Report {
    path: PathBuf,
    file: File,
}

/// What an earlier report says.
#[derive(Debug, Default)]
pub(crate) struct Earlier {
    rows: HashMap<String, Row>,
}

impl Earlier {
    /// Reads a report; a line that a killed process has left incomplete does not count.
    ///
    /// # Errors
    /// [`Error::Io`](mapwave::Error::Io) if it exists and cannot be read.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(trouble("reading", path, error)),
        };
        let rows = text.lines().filter_map(|line| serde_json::from_str::<Row>(line).ok());
        Ok(Self { rows: rows.map(|row| (row.source.clone(), row)).collect() })
    }

    /// Whether the report says of a file that it was converted into the file that is there.
    pub(crate) fn holds(&self, source: &Path, state: State, output: &Path) -> bool {
        let row = self.rows.get(source.to_string_lossy().as_ref());
        row.is_some_and(|row| row.output.as_deref() == output.to_str() && row.holds(state, output))
    }
}

impl Report {
    /// Begins a report, or goes on with one.
    ///
    /// # Errors
    /// [`Error::Io`](mapwave::Error::Io).
    pub(crate) fn open(path: &Path, goes_on: bool) -> Result<Self> {
        let mut options = OpenOptions::new();
        options.create(true).write(true).append(goes_on).truncate(!goes_on);
        let file = options.open(path).map_err(|error| trouble("writing", path, error))?;
        let mut this = Self { path: path.to_path_buf(), file };
        if goes_on && !ends_a_line(path) {
            this.write("\n")?;
        }
        Ok(this)
    }

    /// Adds a line, which is in the file when this returns.
    ///
    /// # Errors
    /// [`Error::Io`](mapwave::Error::Io).
    pub(crate) fn add(&mut self, row: &Row) -> Result<()> {
        self.write(&(serde_json::to_string(row).unwrap_or_default() + "\n"))
    }

    fn write(&mut self, text: &str) -> Result<()> {
        self.file.write_all(text.as_bytes()).map_err(|error| trouble("writing", &self.path, error))
    }
}

fn ends_a_line(path: &Path) -> bool {
    fs::read(path).is_ok_and(|bytes| bytes.last().is_none_or(|&last| last == b'\n'))
}
