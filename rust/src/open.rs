//! Opening files.

#![forbid(unsafe_code)]

use std::fs::File;
use std::path::Path;

use mapwave_core::source::{Access, Source};
use mapwave_core::{Choice, Limits, Result};

use crate::reader::Reader;
use crate::set_up;

/// Opens an audio file for any number of reads. The format is recognised by its content, never by the extension.
///
/// ```
/// # fn main() -> mapwave::Result<()> {
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/compressed/vorbis.ogg");
/// let reader = mapwave::open(path)?;
/// println!("{} frames at {} Hz", reader.num_frames(), reader.sample_rate());
/// # assert!(reader.num_frames() > 0);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Error::Io`](crate::Error::Io) when the file cannot be opened, [`Error::Unsupported`](crate::Error::Unsupported) when
/// nothing reads its format, [`Error::Malformed`](crate::Error::Malformed) when it breaks the rules of its format, and
/// [`Error::Plugin`](crate::Error::Plugin) when a codec plugin is at fault.
pub fn open(path: impl AsRef<Path>) -> Result<Reader> {
    OpenOptions::new().open(path)
}

/// How a file is opened.
///
/// ```
/// use mapwave::{Access, OpenOptions};
///
/// # fn main() -> mapwave::Result<()> {
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/compressed/flac16.flac");
/// let reader = OpenOptions::new().access(Access::Streamed).plugin("builtin").open(path)?;
/// # assert_eq!(reader.track().num_channels, 2);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct OpenOptions {
    access: Access,
    plugin: Option<String>,
    track: Option<u32>,
    options: Vec<(String, String)>,
    seek_table: Option<Vec<u8>>,
    limits: Limits,
}

impl OpenOptions {
    /// Options for many reads of the default track by any plugin.
    pub fn new() -> Self {
        Self {
            access: Access::Kept,
            plugin: None,
            track: None,
            options: Vec::new(),
            seek_table: None,
            limits: Limits::default(),
        }
    }

    /// Chooses how the bytes of the file are read: see [`Access`].
    #[must_use]
    pub fn access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// Decodes with the plugin of this name. By default, the plugin that recognises the file best decodes it.
    #[must_use]
    pub fn plugin(mut self, name: impl Into<String>) -> Self {
        self.plugin = Some(name.into());
        self
    }

    /// Gives an option of the plugin's own a value; [`plugin`](Self::plugin) names the plugin. A flag is "0" or "1".
    #[must_use]
    pub fn plugin_option(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.options.push((name.into(), value.into()));
        self
    }

    /// Reads the sound track of this number, counted from 0 among the sound tracks of the file. By default, the track that the file
    /// flags as default is read, otherwise the first. [`Reader::sound_tracks`](mapwave_core::Reader::sound_tracks) lists them.
    ///
    /// ```
    /// use mapwave::OpenOptions;
    ///
    /// # fn main() -> mapwave::Result<()> {
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/compressed/vorbis.ogg");
    /// let reader = OpenOptions::new().track(0).open(path)?;
    /// for track in reader.sound_tracks() {
    ///     println!("{} {:?} {}", track.codec, track.language, track.is_default);
    /// }
    /// # assert_eq!(reader.sound_tracks().len(), 1);
    /// let error = OpenOptions::new().track(1).open(path).unwrap_err();
    /// assert!(error.to_string().ends_with("track 1 does not exist; the file has 1 sound track"));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn track(mut self, number: u32) -> Self {
        self.track = Some(number);
        self
    }

    /// Spares the file the scan for its packets, with what [`Reader::seek_table`](mapwave_core::Reader::seek_table) returned for the
    /// same track of it. A table that does not fit the file has no effect.
    ///
    /// ```
    /// use mapwave::OpenOptions;
    ///
    /// # fn main() -> mapwave::Result<()> {
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/compressed/mp3-lame.mp3");
    /// let table = mapwave::open(path)?.seek_table().unwrap_or_default();
    /// let reader = OpenOptions::new().seek_table(table).open(path)?;
    /// # assert_eq!(reader.num_frames(), mapwave::open(path)?.num_frames());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn seek_table(mut self, table: impl Into<Vec<u8>>) -> Self {
        self.seek_table = Some(table.into());
        self
    }

    /// Limits what each read may return: what exceeds a limit is refused before memory is allocated for it. A few kilobytes of some
    /// formats stand for hours of silence. By default, [`Limits::current`] holds.
    ///
    /// ```
    /// use mapwave::{Error, FrameSpec, Limits, OpenOptions};
    ///
    /// # fn main() -> mapwave::Result<()> {
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/compressed/vorbis.ogg");
    /// let limits = Limits { max_seconds: Some(1.0), ..Limits::default() };
    /// let reader = OpenOptions::new().limits(limits).open(path)?;
    /// assert!(reader.read(0..48_000, &FrameSpec::default()).is_ok());
    /// let error = reader.read(0..48_001, &FrameSpec::default()).unwrap_err();
    /// assert!(matches!(error, Error::Limit { max: 1000, .. }));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Opens the file at `path`.
    ///
    /// # Errors
    /// As [`open`]; [`Error::Argument`](crate::Error::Argument) when no plugin of the name given is loaded, or the file has no track
    /// of the number given.
    pub fn open(&self, path: impl AsRef<Path>) -> Result<Reader> {
        self.read_source(Source::open(path.as_ref(), self.access)?)
    }

    /// Opens the bytes of a whole file.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_bytes(&self, bytes: impl AsRef<[u8]> + Send + Sync + 'static) -> Result<Reader> {
        self.read_source(Source::from_bytes(bytes)?)
    }

    /// Opens a regular file that is open already, such as one without a name. Errors call it by `name`.
    ///
    /// ```
    /// use std::io::Write;
    ///
    /// use mapwave::OpenOptions;
    ///
    /// # fn main() -> mapwave::Result<()> {
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/compressed/vorbis.ogg");
    /// let mut file = tempfile::tempfile().unwrap();
    /// file.write_all(&std::fs::read(path).unwrap()).unwrap();
    /// let reader = OpenOptions::new().open_file(file, "standard input")?;
    /// # assert_eq!(reader.num_frames(), mapwave::open(path)?.num_frames());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_file(&self, file: File, name: impl AsRef<Path>) -> Result<Reader> {
        self.read_source(Source::from_file(file, name.as_ref(), self.access)?)
    }

    fn read_source(&self, source: Source) -> Result<Reader> {
        set_up();
        let choice = Choice {
            plugin: self.plugin.as_deref(),
            track: self.track,
            options: &self.options,
            seek_table: self.seek_table.as_deref(),
            limits: self.limits,
        };
        mapwave_core::Reader::new(source, choice).map(Reader::from)
    }
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self::new()
    }
}
