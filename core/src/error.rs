//! The one error type of the crate.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::track::Container;

/// What every fallible function of this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a file could not be opened or read, or why an argument was refused.
///
/// The message names the file, the place in it, what was found and what was expected.
///
/// ```
/// let error = mapwave_core::Reader::open("no-such-file.wav").unwrap_err();
/// assert!(error.to_string().contains("no-such-file.wav"));
/// ```
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused an operation, or the file changed while it was being read.
    #[error("{}{doing}: {cause}{}", name(path), at(*offset))]
    Io {
        /// The file, when there is one.
        path: Option<PathBuf>,
        /// What was being done, such as "opening".
        doing: &'static str,
        /// The byte offset in the file, when the operation had one.
        offset: Option<u64>,
        /// The operating system's error.
        #[source]
        cause: io::Error,
    },

    /// The bytes are not what their container's specification demands.
    #[error("{}malformed {container} file{}: {what}", name(path), at(Some(*offset)))]
    Malformed {
        /// The file, when there is one.
        path: Option<PathBuf>,
        /// The container whose rules are broken.
        container: Container,
        /// Where in the file.
        offset: u64,
        /// What was found and what was expected.
        what: String,
    },

    /// The file is of a container or codec that nothing here reads.
    #[error("{}unsupported format: {what}", name(path))]
    Unsupported {
        /// The file, when there is one.
        path: Option<PathBuf>,
        /// The container, when that much was recognised.
        container: Option<Container>,
        /// The codec, when that much was recognised.
        codec: Option<String>,
        /// What was found, and what can be done.
        what: String,
    },

    /// A size is beyond what this library or machine can hold.
    #[error("{}{what} is {got}, more than the limit of {max}", name(path))]
    Limit {
        /// The file, when there is one.
        path: Option<PathBuf>,
        /// The size that is over its limit.
        what: &'static str,
        /// The limit.
        max: u64,
        /// What was asked for.
        got: u64,
    },

    /// The system has not as much memory as the frames take.
    #[error("{}there is no memory for the {num_bytes} bytes asked for; read it in windows", name(path))]
    OutOfMemory {
        /// The file, when there is one.
        path: Option<PathBuf>,
        /// What was asked for.
        num_bytes: u64,
    },

    /// The caller gave an argument a value that it cannot have.
    #[error("{}{parameter} {what}", name(path))]
    Argument {
        /// The file, when the value depends on it.
        path: Option<PathBuf>,
        /// The argument.
        parameter: Parameter,
        /// What is wrong, as a predicate: "must be at least 1, got 0".
        what: String,
    },

    /// A codec plugin could not do what was asked of it.
    #[error("{}{fault} (plugin '{plugin}', {doing}){}: {what}", name(path), at(*offset))]
    Plugin {
        /// The file, when there is one.
        path: Option<PathBuf>,
        /// The plugin's name.
        plugin: &'static str,
        /// What it was asked to do, such as "decoding".
        doing: &'static str,
        /// What kind of failure it was.
        fault: Fault,
        /// Where in the file, when the plugin says so.
        offset: Option<u64>,
        /// The container, when that much was recognised.
        container: Option<Container>,
        /// What was found and what was expected.
        what: Box<str>,
    },

    /// The caller's progress check asked to stop.
    #[error("interrupted")]
    Interrupted,

    /// A parser was given only the beginning of a file and needs its bytes up to `needed`. It never leaves the crate.
    #[doc(hidden)]
    #[error("the file's bytes up to offset {needed} are needed")]
    Incomplete {
        /// The end of the range the parser asked for.
        needed: u64,
    },
}

/// What kind of failure a codec plugin met or is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The bytes are not what the format's specification demands.
    BadData,
    /// The plugin does not read this kind of file.
    Unsupported,
    /// The plugin does not write what was asked for in that way; with other arguments it may.
    Refused,
    /// The plugin could not read the file's bytes.
    Io,
    /// There was not enough memory, or more would be needed than is allowed.
    Memory,
    /// A library or device that the plugin needs is not there.
    MissingDependency,
    /// The plugin itself is at fault: it panicked, broke a rule of the interface or said something that cannot be.
    Broken,
}

/// The arguments that an [`Error::Argument`] can be about: parameters of functions and fields of options.
///
/// A front door whose arguments have other names maps them by [`Error::message`].
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Parameter {
    /// The samples to be written or resampled.
    Audio,
    /// Bits a second of a lossy codec.
    Bitrate,
    /// The depth of a lossless codec.
    BitsPerSample,
    /// The speaker positions of the channels.
    ChannelMask,
    /// The channels to be read, or their number in what is written.
    Channels,
    /// The noise that is added before rounding.
    Dither,
    /// The length of a window in seconds.
    Duration,
    /// How hard an encoder tries.
    Effort,
    /// How the samples of a file are encoded.
    Encoding,
    /// The end of a range of frames.
    EndFrame,
    /// The format of a file to be written.
    FileFormat,
    /// A range of frames.
    Frames,
    /// The sample rate of audio to be resampled.
    InputRate,
    /// The order of an array's axes.
    Layout,
    /// How several channels become one.
    MonoMode,
    /// The number of frames to come.
    NumFrames,
    /// The start of a window in seconds.
    Offset,
    /// The type of the samples that are read.
    OutputFormat,
    /// The sample rate that audio is resampled to.
    OutputRate,
    /// What becomes of samples beyond full scale.
    Overflow,
    /// The plugin that is to read or write a file.
    Plugin,
    /// The quality of a variable bitrate.
    Quality,
    /// The quality of resampling.
    ResampleQuality,
    /// The sample rate of a file to be written.
    SampleRate,
    /// The start of a range of frames.
    StartFrame,
    /// Metadata.
    Tags,
    /// Where a file is written to.
    Target,
    /// A writer.
    Writer,
}

impl Parameter {
    /// Its name in this crate.
    pub fn name(self) -> &'static str {
        match self {
            Self::Audio => "audio",
            Self::Bitrate => "bitrate",
            Self::BitsPerSample => "bits_per_sample",
            Self::ChannelMask => "channel_mask",
            Self::Channels => "channels",
            Self::Dither => "dither",
            Self::Duration => "duration",
            Self::Effort => "effort",
            Self::Encoding => "encoding",
            Self::EndFrame => "frames.end",
            Self::FileFormat | Self::OutputFormat => "format",
            Self::Frames => "frames",
            Self::InputRate => "the input's sample rate",
            Self::Layout => "layout",
            Self::MonoMode => "mono_mode",
            Self::NumFrames => "num_frames",
            Self::Offset => "offset",
            Self::OutputRate => "the output's sample rate",
            Self::Overflow => "overflow",
            Self::Plugin => "plugin",
            Self::Quality => "quality",
            Self::ResampleQuality => "resample quality",
            Self::SampleRate => "sample_rate",
            Self::StartFrame => "frames.start",
            Self::Tags => "tags",
            Self::Target => "target",
            Self::Writer => "writer",
        }
    }
}

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BadData => "malformed file",
            Self::Unsupported => "unsupported format",
            Self::Refused => "cannot be written so",
            Self::Io => "reading failed",
            Self::Memory => "not enough memory",
            Self::MissingDependency => "a dependency is missing",
            Self::Broken => "the plugin failed",
        })
    }
}

impl Error {
    /// Names the file in an error that does not name one yet.
    #[must_use]
    pub fn in_file(mut self, file: &Path) -> Self {
        if let Self::Io { path, .. }
        | Self::Malformed { path, .. }
        | Self::Unsupported { path, .. }
        | Self::Limit { path, .. }
        | Self::OutOfMemory { path, .. }
        | Self::Plugin { path, .. }
        | Self::Argument { path, .. } = &mut self
        {
            path.get_or_insert_with(|| file.to_path_buf());
        }
        self
    }

    pub(crate) fn io(doing: &'static str, cause: impl Into<io::Error>) -> Self {
        Self::Io { path: None, doing, offset: None, cause: cause.into() }
    }

    pub(crate) fn malformed(container: Container, offset: u64, what: impl Into<String>) -> Self {
        Self::Malformed { path: None, container, offset, what: what.into() }
    }

    pub(crate) fn argument(
        parameter: Parameter,
        expected: impl fmt::Display,
        got: impl fmt::Display,
    ) -> Self {
        Self::Argument { path: None, parameter, what: format!("must be {expected}, got {got}") }
    }

    /// The error's message, with the argument that it is about by another name than this crate's.
    ///
    /// ```
    /// use mapwave_core::{Error, OutputFormat, Parameter};
    ///
    /// let error = "int8".parse::<OutputFormat>().unwrap_err();
    /// let words = |parameter| if parameter == Parameter::OutputFormat { "dtype" } else { parameter.name() };
    /// assert!(error.message(words).starts_with("dtype must be one of 'float32'"));
    /// ```
    pub fn message(&self, words: impl Fn(Parameter) -> &'static str) -> String {
        match self {
            Self::Argument { path, parameter, what } => format!("{}{} {what}", name(path), words(*parameter)),
            other => other.to_string(),
        }
    }
}

fn name(path: &Option<PathBuf>) -> String {
    path.as_ref().map(|path| format!("{}: ", path.display())).unwrap_or_default()
}

fn at(offset: Option<u64>) -> String {
    offset.map(|offset| format!(" at byte {offset}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_names_file_container_and_place() {
        let error =
            Error::malformed(Container::WAV, 36, "chunk 'data' is missing").in_file(Path::new("x.wav"));
        assert_eq!(error.to_string(), "x.wav: malformed wav file at byte 36: chunk 'data' is missing");
    }

    #[test]
    fn the_first_file_named_stays() {
        let error =
            Error::argument(Parameter::Offset, ">= 0", -1).in_file(Path::new("a")).in_file(Path::new("b"));
        assert_eq!(error.to_string(), "a: offset must be >= 0, got -1");
    }
}
