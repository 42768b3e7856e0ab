//! The facts of many files for an index, found on several threads.

use std::fs::Metadata;
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;

use mapwave_core::source::{Access, Source};
use mapwave_core::{Choice, Reader};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString, PyTuple};

use crate::batch::interruptible;
use crate::errors::raise;
use crate::input::{FileInput, path_of};
use crate::interruption::interruptibly;
use crate::log::log_messages;
use crate::pool::Pool;

/// The files that a thread takes at a time.
const CHUNK: usize = 32;

/// What is asked of a file.
struct Question {
    file: PathBuf,
    /// The part that is asked for, with its name, in an archive.
    part: Option<(Range<u64>, PathBuf)>,
    /// Its size in bytes and the time of its last change when it was looked at before.
    known: Option<(u64, i64)>,
    /// Whether its seek table is asked for.
    with_table: bool,
}

/// What a file is.
enum Answer {
    Unchanged,
    Facts(Facts),
    Failed { bytes: u64, modified: i64, what: String },
}

struct Facts {
    bytes: u64,
    modified: i64,
    frames: u64,
    sample_rate: u32,
    channels: u16,
    codec: String,
    container: String,
    seek_table: Option<Vec<u8>>,
}

/// The time of a file's last change in nanoseconds, as `st_mtime_ns` of Python's.
fn modified(metadata: &Metadata) -> i64 {
    metadata.mtime().saturating_mul(1_000_000_000).saturating_add(metadata.mtime_nsec())
}

impl Question {
    fn answer(self) -> mapwave_core::Result<Answer> {
        let (bytes, modified) = match std::fs::metadata(&self.file) {
            Ok(metadata) => (metadata.len(), modified(&metadata)),
            // The reason is found when it is opened.
            Err(_) => (0, 0),
        };
        if self.known.is_some_and(|known| known == (bytes, modified)) {
            return Ok(Answer::Unchanged);
        }
        let input = match self.part {
            Some((bytes, name)) => FileInput::Part { file: self.file, bytes, name },
            None => FileInput::Path(self.file),
        };
        match input.open(Access::Once, Choice::default()) {
            Ok(reader) => {
                // An empty one says that the file needs none.
                let table = self.with_table.then(|| reader.seek_table().unwrap_or_default());
                Ok(Answer::Facts(Facts::new(&reader, bytes, modified, table)))
            }
            Err(error @ mapwave_core::Error::Interrupted) => Err(error),
            Err(error) => Ok(Answer::Failed { bytes, modified, what: error.to_string() }),
        }
    }
}

impl Facts {
    fn new(reader: &Reader, bytes: u64, modified: i64, seek_table: Option<Vec<u8>>) -> Self {
        let track = reader.track();
        Self {
            bytes,
            modified,
            frames: reader.num_file_frames(),
            sample_rate: track.sample_rate,
            channels: track.num_channels,
            codec: track.codec.name().to_owned(),
            container: track.container.name().to_owned(),
            seek_table,
        }
    }
}

impl Answer {
    /// (bytes, modified, frames, sample_rate, channels, codec, container, error, seek_table), or None for a file that has not changed.
    fn into_python<'py>(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let facts = match self {
            Self::Unchanged => return Ok(py.None().into_bound(py)),
            Self::Facts(facts) => {
                let Facts { bytes, modified, frames, sample_rate, channels, codec, container, seek_table } =
                    facts;
                let (codec, container) = (PyString::intern(py, &codec), PyString::intern(py, &container));
                let table = seek_table.map(|table| PyBytes::new(py, &table));
                (bytes, modified, frames, sample_rate, channels, codec, container, py.None(), table)
                    .into_pyobject(py)?
            }
            Self::Failed { bytes, modified, what } => {
                let none = py.None();
                (bytes, modified, &none, &none, &none, &none, &none, what, &none).into_pyobject(py)?
            }
        };
        Ok(facts.into_any())
    }
}

/// What [`scan`] is asked of a file: the path, the start, end and name of the part of it, and the size and the time that are known.
type Asked<'py> = (Bound<'py, PyAny>, Option<(u64, u64, Bound<'py, PyAny>)>, Option<(u64, i64)>);

/// Returns for each file a tuple of (bytes, mtime_ns, frames, sample_rate, channels, codec, container, error, seek_table), or None
/// for one whose
/// size and time of change are those that are known.
#[pyfunction]
#[pyo3(signature = (files, num_workers, with_tables))]
pub(crate) fn scan<'py>(
    py: Python<'py>,
    files: Vec<Asked<'py>>,
    num_workers: usize,
    with_tables: bool,
) -> PyResult<Bound<'py, PyList>> {
    let mut questions = Vec::with_capacity(files.len());
    for (file, part, known) in files {
        let part = match part {
            Some((start, end, name)) => Some((start..end, path_of(&name)?)),
            None => None,
        };
        questions.push(Question { file: path_of(&file)?, part, known, with_table: with_tables });
    }
    let total = questions.len();
    let pool = Pool::new(num_workers.min(total.div_ceil(CHUNK)))?;
    let mut questions = questions.into_iter();
    let mut first = 0;
    while first < total {
        let chunk: Vec<Question> = questions.by_ref().take(CHUNK).collect();
        let start = first;
        first += chunk.len();
        pool.submit(move |stop| {
            let answers = chunk.into_iter().map(|question| interruptible(stop, || question.answer()));
            (start, answers.collect::<mapwave_core::Result<Vec<Answer>>>())
        });
    }
    let mut found: Vec<Option<Bound<'py, PyAny>>> = (0..total).map(|_| None).collect();
    while let Some((start, answers)) = pool.next(py)? {
        let answers = answers.map_err(|error| raise(py, &error))?;
        for (place, answer) in found.iter_mut().skip(start).zip(answers) {
            *place = Some(answer.into_python(py)?);
        }
    }
    log_messages(py)?;
    PyList::new(py, found)
}

/// Returns the regular files in a tar archive as (name, start, end).
#[pyfunction]
#[pyo3(signature = (path))]
pub(crate) fn members<'py>(py: Python<'py>, path: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
    let path = Arc::new(path_of(path)?);
    let members = interruptibly(py, 1, |_| Source::members(&path))?;
    let tuples = members.into_iter().map(|member| {
        let (start, end) = (member.bytes.start, member.bytes.end);
        PyTuple::new(
            py,
            [
                member.name.into_pyobject(py)?.into_any(),
                start.into_pyobject(py)?.into_any(),
                end.into_pyobject(py)?.into_any(),
            ],
        )
    });
    PyList::new(py, tuples.collect::<PyResult<Vec<_>>>()?)
}
