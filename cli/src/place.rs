//! Where audio comes from and goes to: a path, or "-" for standard input and output.

#![forbid(unsafe_code)]

use std::fmt;
use std::fs::File;
use std::io::{self, IsTerminal, Read, Seek, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::{MapValueParser, PathBufValueParser, TypedValueParser, ValueParserFactory};
use mapwave::{Error, OpenOptions, Reader, Result};
use mapwave_core::sink::{ByteSink, Target};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::interrupt::Interrupt;

/// How errors call the standard streams.
const INPUT: &str = "standard input";
const OUTPUT: &str = "standard output";

/// How long a read of standard input waits before Ctrl-C is asked about again.
const PATIENCE: Duration = Duration::from_millis(50);

/// The bytes read at a time.
const CHUNK_BYTES: usize = 1 << 16;

/// A file, or a standard stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// "-".
    Standard,
    /// A file.
    Path(PathBuf),
}

impl ValueParserFactory for Place {
    type Parser = MapValueParser<PathBufValueParser, fn(PathBuf) -> Self>;

    fn value_parser() -> Self::Parser {
        PathBufValueParser::new().map(Self::from)
    }
}

impl From<PathBuf> for Place {
    fn from(path: PathBuf) -> Self {
        if path == Path::new("-") { Self::Standard } else { Self::Path(path) }
    }
}

impl Place {
    /// The path, unless it is a standard stream.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::Standard => None,
            Self::Path(path) => Some(path),
        }
    }

    /// Opens it to be read.
    pub(crate) fn open(&self, options: &OpenOptions, interrupt: &Interrupt) -> Result<Reader> {
        match self {
            Self::Path(path) => options.open(path),
            Self::Standard => options.open_file(standard_input(interrupt)?, INPUT),
        }
    }

    /// The bytes to read, as a regular file.
    pub(crate) fn file(&self, interrupt: &Interrupt) -> Result<File> {
        match self {
            Self::Path(path) => File::open(path).map_err(|error| trouble("opening", path, error)),
            Self::Standard => standard_input(interrupt),
        }
    }

    /// Where its bytes are written. A path gets a complete file or none.
    pub(crate) fn target(&self) -> Result<Target> {
        match self {
            Self::Path(path) => Ok(Target::Path(path.clone())),
            Self::Standard if io::stdout().is_terminal() => {
                let why = "it is a terminal, which cannot show audio; redirect it to a file or a program";
                Err(trouble("writing", OUTPUT, io::Error::new(io::ErrorKind::InvalidInput, why)))
            }
            Self::Standard => Ok(Target::Sink(Box::new(StandardOutput { num_bytes: 0 }))),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Standard => f.write_str("-"),
            Self::Path(path) => path.display().fmt(f),
        }
    }
}

/// The error of an operation on a file or stream.
pub(crate) fn trouble(doing: &'static str, name: impl AsRef<Path>, cause: io::Error) -> Error {
    Error::Io { path: Some(name.as_ref().to_path_buf()), doing, offset: None, cause }
}

/// Standard input as a regular file: itself if it is one, otherwise a file without a name that holds all that comes through it.
fn standard_input(interrupt: &Interrupt) -> Result<File> {
    let failed = |cause: io::Error| trouble("reading", INPUT, cause);
    let input = io::stdin();
    if input.is_terminal() {
        let why = "it is a terminal; redirect a file or a program's output to it";
        return Err(failed(io::Error::new(io::ErrorKind::InvalidInput, why)));
    }
    let mut file = File::from(input.as_fd().try_clone_to_owned().map_err(failed)?);
    let metadata = file.metadata().map_err(failed)?;
    if metadata.is_file() && file.stream_position().map_err(failed)? == 0 {
        return Ok(file);
    }
    let mut spool = tempfile::tempfile().map_err(|cause| trouble("buffering", INPUT, cause))?;
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let num_bytes = read_some(&mut file, &mut chunk, interrupt)?;
        let Some(bytes) = chunk.get(..num_bytes).filter(|bytes| !bytes.is_empty()) else { return Ok(spool) };
        spool.write_all(bytes).map_err(|cause| trouble("buffering", INPUT, cause))?;
    }
}

/// Reads some bytes, and waits for them so that Ctrl-C is heard; 0 bytes at the end.
fn read_some(file: &mut File, chunk: &mut [u8], interrupt: &Interrupt) -> Result<usize> {
    let patience = Timespec::try_from(PATIENCE).ok();
    loop {
        if interrupt.is_asked() {
            return Err(Error::Interrupted);
        }
        let mut waiting = [PollFd::new(file, PollFlags::IN)];
        match poll(&mut waiting, patience.as_ref()) {
            Ok(0) | Err(rustix::io::Errno::INTR) => continue,
            // If it cannot be waited for, it can be read.
            Ok(_) | Err(_) => {}
        }
        match file.read(chunk) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other.map_err(|cause| trouble("reading", INPUT, cause)),
        }
    }
}

/// Standard output, to which bytes can only be added.
struct StandardOutput {
    num_bytes: u64,
}

impl ByteSink for StandardOutput {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        if offset != self.num_bytes {
            return Err(io::Error::other("a pipe cannot go back to an earlier byte"));
        }
        let mut output = io::stdout().lock();
        output.write_all(bytes)?;
        self.num_bytes += bytes.len() as u64;
        output.flush()
    }

    fn is_append_only(&self) -> bool {
        true
    }
}
