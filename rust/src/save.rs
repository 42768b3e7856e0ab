//! Saving frames.

#![forbid(unsafe_code)]

use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::thread::available_parallelism;

use mapwave_core::sink::{self, Saved, Target};
use mapwave_core::{Audio, Frames, OutputFormat, ReadControl, Result};

use crate::SaveOptions;

/// Saves frames to a file. The extension chooses the format: 32-bit floats where the format has them, else the usual encoding of
/// the codec.
///
/// A complete new file replaces the old one; when saving fails, the old file stays as it was.
///
/// ```
/// use mapwave::FrameSpec;
///
/// # fn main() -> mapwave::Result<()> {
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/compressed/vorbis.ogg");
/// # let directory = tempfile::tempdir().unwrap();
/// let reader = mapwave::open(path)?;
/// let frames = reader.read(0..1000, &FrameSpec::default())?;
/// let saved = mapwave::save(directory.path().join("start.wav"), &frames, reader.sample_rate())?;
/// assert_eq!(saved.num_frames, 1000);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Error::Argument`](crate::Error::Argument) and [`Error::Unsupported`](crate::Error::Unsupported) for what the format cannot
/// hold, before a byte is written; [`Error::Io`](crate::Error::Io) and [`Error::Plugin`](crate::Error::Plugin) while it is
/// written.
pub fn save(path: impl AsRef<Path>, frames: &Frames, sample_rate: u32) -> Result<Saved> {
    let (path, audio) = (path.as_ref(), frames.audio()?);
    let mut options = SaveOptions::for_path(path, sample_rate, audio.num_channels())?;
    options.max_threads = available_parallelism().map_or(1, usize::from);
    save_with(path, &audio, options)
}

/// Saves audio to a file with options: the encoding, tags, dither and whatever else [`SaveOptions`] has.
///
/// ```
/// use mapwave::{Audio, PcmEncoding, Encoding, OutputFormat, SaveOptions};
///
/// # fn main() -> mapwave::Result<()> {
/// # let directory = tempfile::tempdir().unwrap();
/// # let path = directory.path().join("tone.flac");
/// let samples: Vec<f32> = (0..8000).map(|n| 0.5 * (n as f32 * 0.1).sin()).collect();
/// let audio = Audio::new(&samples, OutputFormat::F32, &[8000], None)?;
/// let mut options = SaveOptions::for_path(&path, 8000, audio.num_channels())?;
/// options.encoding = Encoding::Pcm(PcmEncoding::Pcm16);
/// options.tags = vec![("title".to_owned(), "A tone".to_owned())];
/// mapwave::save_with(&path, &audio, options)?;
/// # assert_eq!(mapwave::open(&path)?.num_frames(), 8000);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// As [`save`].
pub fn save_with(path: impl AsRef<Path>, audio: &Audio<'_>, options: SaveOptions) -> Result<Saved> {
    let control = ReadControl { max_threads: options.max_threads, ..ReadControl::ONE_THREAD };
    sink::save(Target::Path(path.as_ref().to_path_buf()), audio, options.into_inner(), &control)
}

/// A file being written a part at a time, for audio that does not fit into memory.
///
/// The file appears at its path when it is [finished](sink::Writer::finish). A writer that is dropped leaves the old file as it
/// was. It has all methods of [`mapwave_core::sink::Writer`], which it derefs to.
///
/// ```
/// use mapwave::{ReadControl, FrameSpec, OutputFormat, SaveOptions, Writer};
///
/// # fn main() -> mapwave::Result<()> {
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/compressed/vorbis.ogg");
/// # let directory = tempfile::tempdir().unwrap();
/// # let target = directory.path().join("copy.flac");
/// let reader = mapwave::open(path)?;
/// let options = SaveOptions::for_path(&target, reader.sample_rate(), reader.track().num_channels)?;
/// let mut writer = Writer::create(&target, options, OutputFormat::F32)?;
/// for block in reader.blocks(65_536, &FrameSpec::default()) {
///     writer.write(&block?.audio()?, &ReadControl::ONE_THREAD)?;
/// }
/// assert_eq!(writer.finish()?.num_frames, reader.num_frames());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Writer(sink::Writer);

impl Writer {
    /// Begins a file of samples of the type `from`.
    ///
    /// # Errors
    /// As [`save`].
    pub fn create(path: impl AsRef<Path>, options: SaveOptions, from: OutputFormat) -> Result<Self> {
        let target = Target::Path(path.as_ref().to_path_buf());
        sink::Writer::create(target, options.into_inner(), from, None).map(Self)
    }

    /// Completes the file and puts it in its place.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io) and [`Error::Plugin`](crate::Error::Plugin): the old file stays as it was.
    pub fn finish(self) -> Result<Saved> {
        self.0.finish(&ReadControl::ONE_THREAD)
    }
}

impl Deref for Writer {
    type Target = sink::Writer;

    fn deref(&self) -> &sink::Writer {
        &self.0
    }
}

impl DerefMut for Writer {
    fn deref_mut(&mut self) -> &mut sink::Writer {
        &mut self.0
    }
}
