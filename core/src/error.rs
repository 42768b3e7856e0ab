//! The only error type of this crate.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::track::Container;

/// The result of every fallible function in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a file could not be opened, read or written, or why an argument was rejected.
///
/// The message names the file, the position in it, what was found and what was expected.
///
/// ```
/// let error = mapwave_core::Reader::open("no-such-file.wav").unwrap_err();
/// assert!(error.to_string().contains("no-such-file.wav"));
/// ```
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system failed an operation, or the file changed while it was being read.
    #[error("{}{doing}: {cause}{}", name(path), at(*offset))]
    Io {
        /// The file, if there is one.
        path: Option<PathBuf>,
        /// What was being done, such as "opening".
        doing: &'static str,
        /// The byte offset in the file, if the operation had one.
        offset: Option<u64>,
        /// The operating system's error.
        #[source]
        cause: io::Error,
    },

    /// The bytes violate their container's specification.
    #[error("{}malformed {container} file{}: {what}", name(path), at(Some(*offset)))]
    Malformed {
        /// The file, if there is one.
        path: Option<PathBuf>,
        /// The container whose specification is violated.
        container: Container,
        /// The position in the file.
        offset: u64,
        /// What was found and what was expected.
        what: String,
    },

    /// Neither this crate nor a loaded plugin reads the container or codec.
    #[error("{}unsupported format: {what}", name(path))]
    Unsupported {
        /// The file, if there is one.
        path: Option<PathBuf>,
        /// The container, if it was recognised.
        container: Option<Container>,
        /// The codec, if it was recognised.
        codec: Option<String>,
        /// What was found, and what the user can do.
        what: String,
    },

    /// A size exceeds what this library or machine can handle.
    #[error("{}{what} is {got}, more than the limit of {max}", name(path))]
    Limit {
        /// The file, if there is one.
        path: Option<PathBuf>,
        /// The size that exceeds its limit.
        what: &'static str,
        /// The limit.
        max: u64,
        /// The size that was requested.
        got: u64,
    },

    /// Not enough memory to hold the frames.
    #[error("{}not enough memory for the {num_bytes} bytes requested; read the file in windows", name(path))]
    OutOfMemory {
        /// The file, if there is one.
        path: Option<PathBuf>,
        /// The size that was requested.
        num_bytes: u64,
    },

    /// A file was saved, but its name is not known to be on the disk.
    #[error("{}saved, but not known to be on the disk: flushing the directory failed: {cause}", name(path))]
    NotDurable {
        /// The file.
        path: Option<PathBuf>,
        /// The cause.
        #[source]
        cause: io::Error,
    },

    /// An argument has an invalid value.
    #[error("{}{parameter} {what}", name(path))]
    Argument {
        /// The file, if the value depends on it.
        path: Option<PathBuf>,
        /// The argument.
        parameter: Parameter,
        /// The problem, as a predicate: "must be at least 1, got 0".
        what: String,
    },

    /// A codec plugin failed.
    #[error("{}{fault} (plugin '{plugin}', {doing}){}: {what}", name(path), at(*offset))]
    Plugin {
        /// The file, if there is one.
        path: Option<PathBuf>,
        /// The plugin's name.
        plugin: &'static str,
        /// What the plugin was doing, such as "decoding".
        doing: &'static str,
        /// The kind of failure.
        fault: Fault,
        /// The position in the file, if the plugin reports it.
        offset: Option<u64>,
        /// The container, if it was recognised.
        container: Option<Box<Container>>,
        /// What was found and what was expected.
        what: Box<str>,
    },

    /// The caller interrupted the operation.
    #[error("interrupted")]
    Interrupted,

    /// A parser received only the beginning of a file and needs its bytes up to `needed`. This never leaves the crate.
    #[doc(hidden)]
    #[error("the file's bytes up to offset {needed} are needed")]
    Incomplete {
        /// The end of the range that the parser requested.
        needed: u64,
    },
}

/// Why a codec plugin failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The bytes violate the format's specification.
    BadData,
    /// The plugin does not read this kind of file.
    Unsupported,
    /// The encoder rejected these settings, or the decoder the number of a track; it may accept others.
    Refused,
    /// The plugin could not read the file's bytes.
    Io,
    /// There was not enough memory, or the plugin would exceed its memory limit.
    Memory,
    /// A library or device that the plugin needs is missing.
    MissingDependency,
    /// The plugin itself is at fault: it panicked, broke a rule of the interface or reported something impossible.
    Broken,
}

/// The arguments that an [`Error::Argument`] can name: parameters of functions and fields of options.
///
/// A binding whose arguments have other names maps them with [`Error::message`].
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Parameter {
    /// The samples to write or to resample.
    Audio,
    /// The broadcast extension of WAV.
    Bext,
    /// The bit rate of a lossy codec, in bits per second.
    Bitrate,
    /// The bit depth of a lossless codec.
    BitsPerSample,
    /// The speaker positions of the channels.
    ChannelMask,
    /// The channels to read, or the number of channels to write.
    Channels,
    /// The noise added before rounding.
    Dither,
    /// The length of a window in seconds.
    Duration,
    /// How hard an encoder tries.
    Effort,
    /// How the samples of a file are encoded.
    Encoding,
    /// The end of a range of frames.
    EndFrame,
    /// The format of the file to write.
    FileFormat,
    /// A range of frames.
    Frames,
    /// The factor that all samples are multiplied by.
    Gain,
    /// The sample rate of the audio to resample.
    InputRate,
    /// The height of a picture.
    Height,
    /// The order of an array's axes.
    Layout,
    /// Markers.
    Markers,
    /// The least length of a silence in seconds.
    MinDuration,
    /// How several channels become one.
    MonoMode,
    /// The number of channels to mix to.
    NumChannels,
    /// The number of frames announced.
    NumFrames,
    /// The start of a window in seconds.
    Offset,
    /// The type of the samples to read.
    OutputFormat,
    /// The sample rate to resample to.
    OutputRate,
    /// How samples beyond full scale are handled.
    Overflow,
    /// Pictures.
    Pictures,
    /// What a picture shows.
    PlotKind,
    /// The plugin to read or write a file with.
    Plugin,
    /// The options of a plugin's own.
    PluginOptions,
    /// The quality of a variable bit rate.
    Quality,
    /// The quality of resampling.
    ResampleQuality,
    /// The sample rate of the file to write.
    SampleRate,
    /// The start of a range of frames.
    StartFrame,
    /// Metadata.
    Tags,
    /// Where to write a file.
    Target,
    /// The colours of a picture.
    Theme,
    /// The level of what counts as silence.
    Threshold,
    /// The sound track to read.
    Track,
    /// The width of a picture.
    Width,
    /// A writer.
    Writer,
}

impl Parameter {
    /// The argument's name in this crate.
    pub fn name(self) -> &'static str {
        match self {
            Self::Audio => "audio",
            Self::Bext => "bext",
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
            Self::Gain => "gain",
            Self::InputRate => "the input's sample rate",
            Self::Height => "height",
            Self::Layout => "layout",
            Self::Markers => "markers",
            Self::MinDuration => "min_duration",
            Self::MonoMode => "mono_mode",
            Self::NumChannels => "num_channels",
            Self::NumFrames => "num_frames",
            Self::Offset => "offset",
            Self::OutputRate => "the output's sample rate",
            Self::Overflow => "overflow",
            Self::Pictures => "pictures",
            Self::PlotKind => "kind",
            Self::Plugin => "plugin",
            Self::PluginOptions => "plugin_options",
            Self::Quality => "quality",
            Self::ResampleQuality => "resample quality",
            Self::SampleRate => "sample_rate",
            Self::StartFrame => "frames.start",
            Self::Tags => "tags",
            Self::Target => "target",
            Self::Theme => "theme",
            Self::Threshold => "threshold_db",
            Self::Track => "track",
            Self::Width => "width",
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
            Self::Refused => "the encoder rejected these settings",
            Self::Io => "reading failed",
            Self::Memory => "not enough memory",
            Self::MissingDependency => "a dependency is missing",
            Self::Broken => "the plugin failed",
        })
    }
}

impl Error {
    /// Adds the file to an error that does not name one yet.
    #[must_use]
    pub fn in_file(mut self, file: &Path) -> Self {
        if let Self::Io { path, .. }
        | Self::Malformed { path, .. }
        | Self::Unsupported { path, .. }
        | Self::Limit { path, .. }
        | Self::OutOfMemory { path, .. }
        | Self::NotDurable { path, .. }
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

    /// The error of a track that a file does not have, of which `what` says how many it has.
    pub(crate) fn no_such_track(number: u32, what: &str) -> Self {
        let what = format!("{number} does not exist; {what}");
        Self::Argument { path: None, parameter: Parameter::Track, what }
    }

    /// The error of a writer that is used in a forked child of the process that opened it.
    pub fn writer_of_parent() -> Self {
        let what = "was opened before this process was forked and belongs to the parent process; open a writer in the \
                    process that writes"
            .to_owned();
        Self::Argument { path: None, parameter: Parameter::Writer, what }
    }

    /// The error's message, with the names that `words` gives to arguments.
    ///
    /// ```
    /// use mapwave_core::{Error, OutputFormat, Parameter};
    ///
    /// let error = "int8".parse::<OutputFormat>().unwrap_err();
    /// let words = |parameter: Parameter| if parameter == Parameter::OutputFormat { "dtype" } else { parameter.name() };
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

/// "a FORMAT file", or "an" where people say the name so: "an aiff file", "an mp3 file".
pub(crate) fn a_file(format: impl fmt::Display) -> String {
    let format = format.to_string();
    let is_vowel = format.starts_with(['a', 'e', 'i', 'o', 'm']) || format.starts_with("rf64");
    format!("{} {format} file", if is_vowel { "an" } else { "a" })
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
