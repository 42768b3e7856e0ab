//! Opens a file, describes its contents, and reads frames from any position.

#![allow(unsafe_code)] // one place: frames that a read has filled

use std::borrow::Cow;
use std::collections::HashSet;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use crate::buffer::{Buffer, Frames};
use crate::container::{self, foreign};
use crate::decode::{CompressedTrack, FrameTrack, PcmTrack, ReadControl};
use crate::error::{Error, Parameter, Result, a_file};
use crate::host::{self, Choice, NotOpened, Opened, PluginFailure};
use crate::kept::{self, OpenFile};
use crate::limits::Limits;
use crate::metadata::{self, Metadata, Picture};
use crate::pcm::OutputFormat;
use crate::resample::engine::Rates;
use crate::resample::{Converter, FileFrames, ResampleQuality, Resampled};
use crate::source::{Access, Scratch, Source};
use crate::spec::{FrameSpec, Shape};
use crate::track::{Codec, SoundTrack, Track};

/// How much of a file is read to find its headers; nearly all headers fit into a page.
const HEAD_BYTES: u64 = 4096;

/// The same where bytes must be fetched: most headers of PCM, and few beside a second of speech.
const COSTLY_HEAD_BYTES: u64 = 2048;

/// An open audio file.
///
/// Reading does not need exclusive access: one reader serves any number of threads at once.
///
/// ```no_run
/// use mapwave_core::{FrameSpec, Reader};
///
/// # fn main() -> mapwave_core::Result<()> {
/// let reader = Reader::open("speech.wav")?;
/// let second = u64::from(reader.track().sample_rate);
/// let frames = reader.read(second..2 * second, &FrameSpec::default())?;
/// println!("{:?} {}", frames.shape(), frames.format());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Reader {
    // Declared before the source, so that a plugin's handles are closed while its bytes still exist.
    frames: FrameTrack,
    track: Track,
    source: Arc<Source>,
    resampled: Option<Resampled>,
    plugin_failures: Vec<PluginFailure>,
    /// By what the open file is found again, if it may be kept.
    key: Option<Arc<kept::Key>>,
    limits: Limits,
}

impl Reader {
    /// Opens a file for many reads: it is mapped at the first read and stays mapped.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be opened; [`Error::Malformed`], [`Error::Unsupported`] or [`Error::Plugin`], depending on
    /// what is wrong with the file.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::new(Source::open(path.as_ref(), Access::Kept)?, Choice::default())
    }

    /// Opens a file for a single read, which is cheaper if that read is short.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_once(path: impl AsRef<Path>) -> Result<Self> {
        Self::new(Source::open(path.as_ref(), Access::Once)?, Choice::default())
    }

    /// Reads a whole file that is in memory.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn from_bytes(bytes: impl AsRef<[u8]> + Send + Sync + 'static) -> Result<Self> {
        Self::new(Source::from_bytes(bytes)?, Choice::default())
    }

    /// Opens the track of a source that is chosen, with the codec plugin that is chosen.
    ///
    /// # Errors
    /// As [`open`](Self::open); [`Error::Argument`] if no such plugin is loaded, or if there is no such track.
    pub fn new(source: Source, choice: Choice<'_>) -> Result<Self> {
        let (limits, may_be_kept) = (choice.limits, choice.plugin.is_none() && choice.options.is_empty());
        let kept = if may_be_kept { kept::recall(&source, choice.track) } else { None };
        if let Some((key, OpenFile { compressed, track, source })) = kept {
            let (frames, key) = (FrameTrack::Compressed(compressed), Some(key));
            let plugin_failures = Vec::new();
            return Ok(Self { frames, track, source, resampled: None, plugin_failures, key, limits });
        }
        let source = Arc::new(source);
        let named = |error: Error| match source.path() {
            Some(path) => error.in_file(path),
            None => error,
        };
        let (frames, track, plugin_failures) = open_track(&source, choice).map_err(named)?;
        let may_be_kept = may_be_kept
            && plugin_failures.is_empty()
            && matches!(&frames, FrameTrack::Compressed(track) if track.is_direct());
        let key = if may_be_kept { kept::Key::new(&source, choice.track).map(Arc::new) } else { None };
        Ok(Self { frames, track, source, resampled: None, plugin_failures, key, limits })
    }

    /// Resamples the file as it is read: from now on, everything that counts frames counts frames at the new rate.
    ///
    /// Channels are selected or mixed before resampling. There are n * rate / (the file's rate) frames, rounded. Frame k is the
    /// signal at k / rate seconds, and has the same bits for any window, any earlier reads and any number of threads.
    ///
    /// ```no_run
    /// use mapwave_core::{FrameSpec, Reader, ResampleQuality};
    ///
    /// # fn main() -> mapwave_core::Result<()> {
    /// let reader = Reader::open("speech.mp3")?.resampled(16_000, ResampleQuality::Default)?;
    /// let second = reader.read(16_000..32_000, &FrameSpec::default())?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Argument`] for a rate that is not 1 to 768000 Hz; [`Error::Unsupported`] if no plugin has the quality.
    pub fn resampled(mut self, rate: u32, quality: ResampleQuality) -> Result<Self> {
        self.resampled = None;
        if rate != self.track.sample_rate {
            let rates = Rates::new(self.track.sample_rate, rate).map_err(|error| self.named(error))?;
            let converter = Converter::new(rates, quality).map_err(|error| self.named(error))?;
            self.resampled = Some(Resampled::new(converter, self.frames.num_frames()));
        }
        Ok(self)
    }

    /// The rate of the frames to read, in Hz: the file's rate unless they are resampled.
    pub fn sample_rate(&self) -> u32 {
        self.resampled.as_ref().map_or(self.track.sample_rate, |resampled| resampled.rates().output())
    }

    /// What the container states about the audio.
    pub fn track(&self) -> &Track {
        &self.track
    }

    /// The number of frames of the file, at its own rate.
    pub fn num_file_frames(&self) -> u64 {
        self.frames.num_frames()
    }

    /// The length of the file in seconds.
    pub fn duration(&self) -> f64 {
        self.num_file_frames() as f64 / f64::from(self.track.sample_rate)
    }

    /// The number of frames that can be read.
    pub fn num_frames(&self) -> u64 {
        self.resampled.as_ref().map_or_else(|| self.frames.num_frames(), Resampled::num_frames)
    }

    /// How many threads can read different parts of the file at once: 1 if whoever starts in the middle must decode everything
    /// before it.
    pub fn max_threads(&self) -> usize {
        self.frames.max_threads()
    }

    /// The file's tags: lower-case Vorbis comment names, such as `title`, and their values.
    pub fn tags(&self) -> Vec<(String, String)> {
        self.metadata().tags
    }

    /// The file's metadata: tags, pictures without their data, markers and loops in frames of the file, the broadcast extension.
    /// Tags that only the codec plugin finds are among them, and its pictures and chapters where no others are found. Metadata
    /// that is damaged is left out.
    pub fn metadata(&self) -> Metadata {
        let mut found = metadata::read(&self.source, Some(self.track.sample_rate), false).unwrap_or_default();
        if let FrameTrack::Compressed(track) = &self.frames {
            let known: HashSet<&str> = found.tags.iter().map(|(name, _)| name.as_str()).collect();
            let mut others = track.tags();
            others.retain(|(name, _)| metadata::is_tag(name) && !known.contains(name.as_str()));
            found.tags.extend(others);
            if found.pictures.is_empty() {
                found.pictures = track.pictures(false);
            }
            if found.markers.is_empty() {
                found.markers = track.chapters();
            }
        }
        found
    }

    /// The file's pictures with their data.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be read, [`Error::Unsupported`] if it is too damaged.
    pub fn pictures(&self) -> Result<Vec<Picture>> {
        let found = metadata::read(&self.source, Some(self.track.sample_rate), true)?.pictures;
        match &self.frames {
            FrameTrack::Compressed(track) if found.is_empty() => Ok(track.pictures(true)),
            _ => Ok(found),
        }
    }

    /// The bits of audio per second: its bytes in the file over its length, without headers and tags. `None` if the bytes of the
    /// track are not known, or the file has no frames.
    pub fn bitrate(&self, metadata: &Metadata) -> Option<u64> {
        let audio_bytes = match &self.track.codec {
            Codec::Compressed(_) => metadata.audio_bytes?,
            Codec::Pcm(_) | Codec::Packets(_) => self.track.data.end - self.track.data.start,
        };
        let bits = u128::from(audio_bytes) * 8 * u128::from(self.track.sample_rate);
        let num_frames = u128::from(self.num_file_frames());
        (num_frames > 0).then(|| u64::try_from((bits + num_frames / 2) / num_frames).unwrap_or(u64::MAX))
    }

    /// Bytes that spare another opening of the same track of the same file the scan for its packets, in this process or another:
    /// [`Choice::seek_table`] takes them. `None` if the file opens as fast without, as files of PCM and short ones do.
    ///
    /// They are bound to the bytes of the file, to the decoder and to its version; where they do not fit, they have no effect.
    pub fn seek_table(&self) -> Option<Vec<u8>> {
        match &self.frames {
            FrameTrack::Pcm(_) => None,
            FrameTrack::Compressed(track) => track.seek_table(&self.source),
        }
    }

    /// The sound tracks of the file, in its order, of which this reader reads one. Exactly one is the default.
    pub fn sound_tracks(&self) -> Vec<SoundTrack> {
        match &self.frames {
            FrameTrack::Compressed(track) => track.sound_tracks(),
            FrameTrack::Pcm(_) => vec![SoundTrack {
                codec: self.track.codec.name().to_owned(),
                language: None,
                sample_rate: Some(self.track.sample_rate),
                num_channels: Some(self.track.num_channels),
                is_default: true,
            }],
        }
    }

    /// The failures of codec plugins that reported a higher score for the file than the one that reads it; usually none. A plugin
    /// that does not support a file has not failed.
    pub fn plugin_failures(&self) -> &[PluginFailure] {
        &self.plugin_failures
    }

    /// Whether it reads a file, not bytes in memory.
    pub fn is_file(&self) -> bool {
        self.source.is_file()
    }

    /// The file's path, if it has one.
    pub fn path(&self) -> Option<&Path> {
        self.source.path()
    }

    /// The frames from `offset` seconds, either `duration` seconds or all: start = floor(offset * rate), count =
    /// floor(duration * rate), clamped to the end of the file.
    ///
    /// # Errors
    /// [`Error::Argument`] if `offset` is negative, not finite or past the end, or `duration` is not positive and finite.
    pub fn window(&self, offset: f64, duration: Option<f64>) -> Result<Range<u64>> {
        let (rate, num_frames) = (f64::from(self.sample_rate()), self.num_frames());
        let argument =
            |parameter, expected: &str, got: f64| self.named(Error::argument(parameter, expected, got));
        if !(offset >= 0.0 && offset.is_finite()) {
            return Err(argument(Parameter::Offset, ">= 0 seconds", offset));
        }
        let start = floor_to_frames(offset * rate);
        if start > num_frames {
            let expected = format!("inside the file, which is {} seconds long", self.duration());
            return Err(argument(Parameter::Offset, &expected, offset));
        }
        let count = match duration {
            None => num_frames,
            Some(duration) if duration > 0.0 && duration.is_finite() => floor_to_frames(duration * rate),
            Some(duration) => return Err(argument(Parameter::Duration, "> 0 seconds and finite", duration)),
        };
        Ok(start..start.saturating_add(count).min(num_frames))
    }

    /// Reads `frames` into a new buffer on all processors.
    ///
    /// # Errors
    /// [`Error::Argument`] if the file does not have these frames or channels; [`Error::Limit`] if they are more than a read may
    /// return; [`Error::Io`] if the file cannot be read.
    pub fn read(&self, frames: Range<u64>, spec: &FrameSpec) -> Result<Frames> {
        let control =
            ReadControl { max_threads: crate::segment::num_processors(), ..ReadControl::ONE_THREAD };
        self.read_with(frames, spec, Buffer::new, &control)
    }

    /// Reads `frames` into a buffer that `allocate` makes, given its size in bytes.
    ///
    /// # Errors
    /// As [`read`](Self::read), and [`Error::Interrupted`].
    pub fn read_with(
        &self,
        frames: Range<u64>,
        spec: &FrameSpec,
        allocate: impl FnOnce(usize) -> Result<Buffer>,
        control: &ReadControl<'_>,
    ) -> Result<Frames> {
        self.check(&frames)?;
        let spec = &*self.settled(spec)?;
        let num_frames = frames.end - frames.start;
        let shape = self.shape(num_frames, spec)?;
        let buffer = allocate(shape.num_samples() * spec.format.num_bytes());
        let mut buffer = buffer.map_err(|error| self.named(error))?;
        self.read_into(frames, spec, buffer.as_uninit_mut(), control)?;
        // SAFETY: `read_into` initialises all of the buffer when it succeeds, and the buffer was made for `shape`.
        Ok(unsafe { Frames::new(buffer, spec.format, shape) })
    }

    /// The shape of an array of so many frames.
    ///
    /// # Errors
    /// [`Error::Argument`] if the file does not have these channels; [`Error::Limit`] if the array would be larger than a read of
    /// this reader may return.
    pub fn shape(&self, num_frames: u64, spec: &FrameSpec) -> Result<Shape> {
        let shape = spec.shape(num_frames, self.track.num_channels).map_err(|error| self.named(error))?;
        let num_bytes = shape.num_samples() as u64 * spec.format.num_bytes() as u64;
        let checked = self.limits.check(num_frames, num_bytes, self.sample_rate());
        checked.map(|()| shape).map_err(|error| self.named(error))
    }

    /// Reads `frames` into all of `out`, whose size must be that of `spec.shape(..)`.
    ///
    /// # Errors
    /// As [`read`](Self::read), and [`Error::Interrupted`]. After an error, `out` may be partly written.
    pub fn read_into(
        &self,
        frames: Range<u64>,
        spec: &FrameSpec,
        out: &mut [MaybeUninit<u8>],
        control: &ReadControl<'_>,
    ) -> Result<()> {
        self.check(&frames)?;
        let num_frames = frames.end - frames.start;
        let spec = &*self.settled(spec)?;
        let read = match &self.resampled {
            None => self.frames.read(&self.source, frames, spec, out, control),
            Some(resampled) => spec.num_channels(self.track.num_channels).and_then(|num_channels| {
                let (source, channels) = (&*self.source, &spec.channels);
                let input = FileFrames { frames: &self.frames, source, channels, num_channels };
                resampled.read(&input, frames, spec, out, control)
            }),
        };
        read.map_err(|error| self.named(error))?;
        if let (Some(key), FrameTrack::Compressed(compressed)) = (&self.key, &self.frames) {
            kept::note(key, num_frames, self.num_frames(), || OpenFile {
                compressed: Arc::clone(compressed),
                track: self.track.clone(),
                source: Arc::clone(&self.source),
            });
        }
        Ok(())
    }

    /// The interleaved samples of the whole file, in place and in their own format.
    ///
    /// If the file shrinks later, the missing part reads as zeros.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if the samples cannot be used unchanged: the byte order is not this machine's, the samples are not
    /// aligned, no array type holds them, or the file cannot be mapped.
    pub fn view(&self) -> Result<View<'_>> {
        let refuse = |why: String| {
            let what =
                format!("cannot view the samples in place: {why}; read them instead, which converts them");
            let codec = Some(self.track.codec.name().to_owned());
            let container = Some(self.track.container);
            Err(self.named(Error::Unsupported { path: None, container, codec, what }))
        };
        if self.resampled.is_some() {
            return refuse("the reader resamples them".to_owned());
        }
        let FrameTrack::Pcm(pcm) = &self.frames else {
            return refuse(format!("a codec plugin decodes {}", self.track.codec.name()));
        };
        let format = pcm.format();
        let Some(native) = format.native() else {
            return refuse(format!("no array type of this machine holds {}", format.name()));
        };
        let in_place = self.source.whole().filter(|_| !self.source.is_costly());
        let Some(file) = in_place else { return refuse("the file cannot be mapped".to_owned()) };
        let range = pcm.bytes_of(&(0..self.num_frames()));
        let bounds = usize::try_from(range.start).ok().zip(usize::try_from(range.end).ok());
        let bytes = bounds.and_then(|(start, end)| file.get(start..end)).unwrap_or_default();
        if bytes.as_ptr().addr() % native.num_bytes() != 0 {
            let alignment = native.num_bytes();
            return refuse(format!(
                "they start at byte {}, which is not {alignment}-byte aligned",
                range.start
            ));
        }
        Ok(View { bytes, format: native })
    }

    /// What is read with this specification: a number of channels becomes the matrix that mixes the file to it.
    fn settled<'a>(&self, spec: &'a FrameSpec) -> Result<Cow<'a, FrameSpec>> {
        let Track { num_channels, channel_mask, .. } = self.track;
        spec.settled(num_channels, channel_mask).map_err(|error| self.named(error))
    }

    fn check(&self, frames: &Range<u64>) -> Result<()> {
        if frames.start <= frames.end && frames.end <= self.num_frames() {
            return Ok(());
        }
        let expected = format!("inside the file's {} frames", self.num_frames());
        Err(self.named(Error::argument(
            Parameter::Frames,
            expected,
            format!("{}..{}", frames.start, frames.end),
        )))
    }

    /// Adds this reader's file to an error that does not name one yet.
    pub fn named(&self, error: Error) -> Error {
        match self.path() {
            Some(path) => error.in_file(path),
            None => error,
        }
    }
}

/// The samples of a file in place.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The samples' bytes, aligned for their type.
    pub bytes: &'a [u8],
    /// The type of the samples.
    pub format: OutputFormat,
}

/// Determines what reads the file: this crate if it is PCM in one of its containers, otherwise a codec plugin.
fn open_track(source: &Arc<Source>, choice: Choice<'_>) -> Result<(FrameTrack, Track, Vec<PluginFailure>)> {
    let parsed = parse(source);
    if let (None, Some((name, _))) = (choice.plugin, choice.options.first()) {
        let expected = "given with the plugin that they are for";
        return Err(Error::argument(Parameter::PluginOptions, expected, format!("'{name}' alone")));
    }
    let track = match (parsed, choice.plugin) {
        (Ok(track), None) => match (PcmTrack::new(&track), choice.track) {
            (Some(pcm), None | Some(0)) => return Ok((FrameTrack::Pcm(pcm), track, Vec::new())),
            (Some(_), Some(number)) => {
                return Err(Error::no_such_track(number, "the file has 1 sound track"));
            }
            (None, _) => Ok(track),
        },
        // A malformed file in a container that this crate parses is malformed for every plugin as well.
        (Err(error), None) if !matches!(error, Error::Unsupported { .. }) => return Err(error),
        (Err(error), None) => {
            refuse_no_audio(source)?;
            Err(error)
        }
        (parsed, _) => parsed,
    };
    let hint = track.as_ref().ok().filter(|track| track.pcm().is_none());
    match host::open(source, hint, choice) {
        Ok(Opened { decoder, failures }) => {
            // Bytes that could not be fetched look like a damaged file.
            let compressed = CompressedTrack::new(decoder, source, hint);
            let compressed = compressed.or_else(|error| source.verify_len().and(Err(error)))?;
            let track = compressed.describe(source);
            source.verify(source.len())?;
            Ok((FrameTrack::Compressed(Arc::new(compressed)), track, failures))
        }
        Err(NotOpened::Failed(error)) => source.verify_len().and(Err(*error)),
        Err(NotOpened::Unread(asked)) => source.verify_len().and(Err(unread(track, asked))),
    }
}

/// Refuses an archive, an image or a document before a plugin takes something in it for audio.
fn refuse_no_audio(source: &Source) -> Result<()> {
    let mut scratch = Scratch::new();
    let Some(what) = foreign::not_audio(source.read(0..HEAD_BYTES.min(source.len()), &mut scratch)?) else {
        return Ok(());
    };
    Err(Error::Unsupported { path: None, container: None, codec: None, what: what.to_owned() })
}

/// The error for a file that neither this crate nor a plugin reads.
fn unread(track: Result<Track>, asked: String) -> Error {
    match track {
        Ok(track) => {
            let what = format!("{} audio in {}: {asked}", track.codec.name(), a_file(track.container));
            let codec = Some(track.codec.name().to_owned());
            Error::Unsupported { path: None, container: Some(track.container), codec, what }
        }
        Err(Error::Unsupported { path, container, codec, what }) => {
            Error::Unsupported { path, container, codec, what: format!("{what}; {asked}") }
        }
        Err(error) => error,
    }
}

/// The headers, which are parsed once for the windows of a file that stays mapped.
fn parse(source: &Source) -> Result<Track> {
    if let Some(track) = source.found() {
        return Ok(track);
    }
    let track = parse_headers(source)?;
    source.keep(&track);
    Ok(track)
}

/// Parses the headers from the first page, or from the whole file if they extend further.
fn parse_headers(source: &Source) -> Result<Track> {
    let mut scratch = Scratch::new();
    let first = if source.is_costly() { COSTLY_HEAD_BYTES } else { HEAD_BYTES };
    let mut num_bytes = first.min(source.len());
    loop {
        let head = source.read(0..num_bytes, &mut scratch)?;
        match container::parse_head(head, source.len()) {
            Err(Error::Incomplete { needed }) if needed > num_bytes && needed <= source.len() => {
                if let Some(file) = source.whole().filter(|_| !source.is_costly()) {
                    let track = container::parse_head(file, source.len());
                    source.verify(source.len())?;
                    return track;
                }
                num_bytes = needed.saturating_add(first).min(source.len());
            }
            result => {
                source.verify(num_bytes)?;
                return result;
            }
        }
    }
}

/// Saturates: `as` converts anything above the largest number to that number.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn floor_to_frames(frames: f64) -> u64 {
    frames.floor() as u64
}
