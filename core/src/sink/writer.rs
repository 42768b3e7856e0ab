//! Writes a file of any format.

#![forbid(unsafe_code)]

use std::path::PathBuf;

use mapwave_fork::generation;

use super::atomic::AtomicFile;
use super::metadata::{self, Completion};
use super::options::{Overflow, SaveOptions};
use super::pcm::{self, PcmWriter};
use super::plan::Plan;
use super::quantise::{Quantiser, check_fits};
use super::read_back::Written;
use super::target::Target;
use crate::array::Audio;
use crate::decode::ReadControl;
use crate::error::{Error, Parameter, Result};
use crate::host::EncoderRequest;
use crate::pcm::{OutputFormat, peak};
use crate::sink::compressed::CompressedWriter;

/// The number of frames whose samples are checked at a time.
const CHECKED_FRAMES: usize = 1 << 14;

/// The result of writing a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Saved {
    /// The number of frames.
    pub num_frames: u64,
    /// The size in bytes.
    pub num_bytes: u64,
}

/// A file that is written in parts, for audio that may not fit into memory.
///
/// The file appears at its path when [`finish`](Self::finish) succeeds, not before. A writer that is dropped or has failed leaves
/// the old file unchanged and no other files.
///
/// ```
/// use mapwave_core::sink::{Audio, FileFormat, SaveOptions, Target, Writer};
/// use mapwave_core::{ReadControl, OutputFormat};
///
/// # fn main() -> mapwave_core::Result<()> {
/// # let directory = tempfile::tempdir().unwrap();
/// let path = directory.path().join("ramp.wav");
/// let options = SaveOptions::new(FileFormat::of_path(&path)?, 16_000, 1);
/// let mut writer = Writer::create(Target::Path(path.clone()), options, OutputFormat::F32, None)?;
/// for part in [[0.0_f32, 0.25], [0.5, 0.75]] {
///     writer.write(&Audio::new(&part, OutputFormat::F32, &[2], None)?, &ReadControl::ONE_THREAD)?;
/// }
/// assert_eq!(writer.finish(&ReadControl::ONE_THREAD)?.num_frames, 4);
/// assert_eq!(mapwave_core::Reader::open(&path)?.num_frames(), 4);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Writer {
    options: SaveOptions,
    from: OutputFormat,
    checks_fit: bool,
    path: Option<PathBuf>,
    state: State,
    /// The process that began the file.
    generation: u32,
}

#[derive(Debug)]
enum State {
    Open(Box<Open>),
    /// A write has failed; the file is abandoned.
    Failed,
}

#[derive(Debug)]
struct Open {
    // Declared before the file, so that a plugin's handle is closed while the file still exists.
    body: Body,
    file: Option<AtomicFile>,
    /// What follows when the file is encoded, and where the complete file goes.
    completion: Option<(Completion, Target)>,
    quantiser: Quantiser,
}

#[derive(Debug)]
enum Body {
    Pcm(PcmWriter),
    Compressed(CompressedWriter),
}

impl Writer {
    /// Begins a file with samples of the type `from`; `num_frames` if their number is known in advance.
    ///
    /// # Errors
    /// [`Error::Argument`] and [`Error::Unsupported`] for unsupported options, before anything is created; [`Error::Limit`] if the
    /// format cannot hold so many frames; [`Error::Io`] if the file cannot be created;
    /// [`Error::Plugin`] from an encoder.
    pub fn create(
        target: Target,
        options: SaveOptions,
        from: OutputFormat,
        num_frames: Option<u64>,
    ) -> Result<Self> {
        if options.overflow == Overflow::Rescale {
            let what =
                "cannot be 'rescale' for audio that is written in parts, whose peak is not known in advance";
            let (parameter, what) = (Parameter::Overflow, what.to_owned());
            return Err(Error::Argument { path: None, parameter, what });
        }
        Self::begin(target, options, from, num_frames)
    }

    fn begin(
        target: Target,
        options: SaveOptions,
        from: OutputFormat,
        num_frames: Option<u64>,
    ) -> Result<Self> {
        let path = target.path().map(PathBuf::from);
        let options = metadata::checked(options).map_err(|error| match &path {
            Some(path) => error.in_file(path),
            None => error,
        })?;
        let open = || -> Result<(Plan, Open)> {
            let plan = Plan::new(&options, from)?;
            let (output, file, completion) = match Completion::new(&options) {
                None => {
                    let (output, file) = target.open()?;
                    (output, file, None)
                }
                Some(completion) => {
                    let file = match &target {
                        Target::Path(path) => AtomicFile::create(path)?,
                        Target::Sink(_) => metadata::scratch()?,
                    };
                    (file.output(), Some(file), Some((completion, target)))
                }
            };
            let (body, mut quantiser) = match &plan {
                Plan::Pcm(samples) => {
                    let body = PcmWriter::new(output, &options, *samples, num_frames)?;
                    (Body::Pcm(body), pcm::quantiser(&options, from, *samples)?)
                }
                Plan::Compressed { container, codec, bits_per_sample } => {
                    let request = request(&options, container, codec, *bits_per_sample, num_frames);
                    let body = CompressedWriter::new(output, &options, &request, *bits_per_sample)?;
                    let quantiser = body.quantiser(&options, from)?;
                    (Body::Compressed(body), quantiser)
                }
            };
            quantiser.set_gain(options.gain);
            Ok((plan, Open { body, file, completion, quantiser }))
        };
        let (plan, open) = open().map_err(|error| match &path {
            Some(path) => error.in_file(path),
            None => error,
        })?;
        let checks_fit = options.overflow == Overflow::Refuse && !plan.fits_all();
        Ok(Self {
            options,
            from,
            checks_fit,
            path,
            state: State::Open(Box::new(open)),
            generation: generation(),
        })
    }

    /// Adds frames of any type; that of [`create`](Self::create) has chosen the encoding of the file where the options leave it open.
    ///
    /// # Errors
    /// [`Error::Argument`] if the number of channels differs, or if samples do not fit; other frames can be written after it. After [`Error::Io`], [`Error::Plugin`] and [`Error::Interrupted`], the file is abandoned.
    pub fn write(&mut self, audio: &Audio<'_>, control: &ReadControl<'_>) -> Result<()> {
        self.check(audio, control).map_err(|error| self.named(error))?;
        self.append(audio, control)
    }

    /// Rejects frames that do not match the file.
    fn check(&self, audio: &Audio<'_>, control: &ReadControl<'_>) -> Result<()> {
        self.check_process()?;
        if audio.num_channels() != self.options.num_channels {
            let expected = format!("an array with {} channels, like the file", self.options.num_channels);
            return Err(Error::argument(Parameter::Audio, expected, audio.num_channels()));
        }
        if self.checks_fit {
            let written = self.num_frames();
            each_block(audio, control, |first, samples| {
                check_fits(audio.format(), samples, self.options.gain, written + first, audio.num_channels())
            })?;
        }
        Ok(())
    }

    fn append(&mut self, audio: &Audio<'_>, control: &ReadControl<'_>) -> Result<()> {
        let State::Open(open) = &mut self.state else { return Err(self.named(given_up())) };
        let Open { body, quantiser, .. } = &mut **open;
        if audio.format() != self.from {
            let made = match body {
                Body::Pcm(body) => pcm::quantiser(&self.options, audio.format(), body.samples()),
                Body::Compressed(body) => body.quantiser(&self.options, audio.format()),
            };
            match made {
                Ok(made) => (*quantiser, self.from) = (made, audio.format()),
                Err(error) => return Err(self.named(error)),
            }
        }
        let written = match body {
            Body::Pcm(body) => body.write(audio, quantiser, control.interrupted),
            Body::Compressed(body) => body.write(audio, quantiser, control.interrupted),
        };
        written.map_err(|error| {
            self.state = State::Failed;
            self.named(error)
        })
    }

    /// Completes the file and replaces the old one.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Plugin`], [`Error::Interrupted`]: the file is abandoned.
    pub fn finish(mut self, control: &ReadControl<'_>) -> Result<Saved> {
        self.check_process().map_err(|error| self.named(error))?;
        let state = std::mem::replace(&mut self.state, State::Failed);
        let State::Open(open) = state else { return Err(self.named(given_up())) };
        let Open { body, file, completion, .. } = *open;
        let complete = || -> Result<Saved> {
            let num_frames = body.num_frames();
            let written = body.written(&self.options);
            let num_bytes = match body {
                Body::Pcm(body) => body.finish(&self.options)?,
                Body::Compressed(body) => body.finish(control.interrupted)?,
            };
            let Some(file) = file else { return Ok(Saved { num_frames, num_bytes }) };
            if let Some(written) = written {
                written.check(file.to_source()?)?;
            }
            let (file, num_bytes) = match completion {
                None => (Some(file), num_bytes),
                Some((completion, target)) => {
                    let (mut output, complete) = target.open()?;
                    let num_bytes = completion.write(&file, &mut *output)?;
                    (complete, num_bytes)
                }
            };
            if let Some(file) = file {
                file.commit(self.options.is_durable, control.interrupted)?;
            }
            Ok(Saved { num_frames, num_bytes })
        };
        complete().map_err(|error| self.named(error))
    }

    /// Rejects the copy that a forked child has of its parent's writer: both would write to one file.
    fn check_process(&self) -> Result<()> {
        match self.generation == generation() {
            true => Ok(()),
            false => Err(Error::writer_of_parent()),
        }
    }

    /// The number of frames written so far.
    pub fn num_frames(&self) -> u64 {
        match &self.state {
            State::Open(open) => open.body.num_frames(),
            State::Failed => 0,
        }
    }

    /// The options of the file.
    pub fn options(&self) -> &SaveOptions {
        &self.options
    }

    fn named(&self, error: Error) -> Error {
        match &self.path {
            Some(path) => error.in_file(path),
            None => error,
        }
    }
}

impl Body {
    /// What a third-party plugin encodes, which is read again.
    fn written(&self, options: &SaveOptions) -> Option<Written> {
        match self {
            Self::Pcm(_) => None,
            Self::Compressed(body) => body.untrusted_plugin().map(|plugin| Written {
                plugin,
                sample_rate: options.sample_rate,
                num_channels: options.num_channels,
                num_frames: body.num_frames(),
            }),
        }
    }

    fn num_frames(&self) -> u64 {
        match self {
            Self::Pcm(body) => body.num_frames(),
            Self::Compressed(body) => body.num_frames(),
        }
    }
}

/// Writes audio to a file.
///
/// # Errors
/// As [`Writer`]; all arguments are checked before a byte is written.
///
/// ```
/// use mapwave_core::sink::{self, Audio, FileFormat, SaveOptions, Target};
/// use mapwave_core::{ReadControl, OutputFormat};
///
/// # fn main() -> mapwave_core::Result<()> {
/// # let directory = tempfile::tempdir().unwrap();
/// let path = directory.path().join("two.caf");
/// let audio = Audio::new(&[0.5_f32, -0.5], OutputFormat::F32, &[2], None)?;
/// let options = SaveOptions::new(FileFormat::Caf, 8000, audio.num_channels());
/// sink::save(Target::Path(path.clone()), &audio, options, &ReadControl::ONE_THREAD)?;
/// assert_eq!(mapwave_core::Reader::open(&path)?.num_frames(), 2);
/// # Ok(())
/// # }
/// ```
pub fn save(
    target: Target,
    audio: &Audio<'_>,
    options: SaveOptions,
    control: &ReadControl<'_>,
) -> Result<Saved> {
    let path = target.path().map(PathBuf::from);
    let options = metadata::checked(options).map_err(|error| match &path {
        Some(path) => error.in_file(path),
        None => error,
    })?;
    let checked = || -> Result<f64> {
        let plan = Plan::new(&options, audio.format())?;
        if options.num_channels != audio.num_channels() {
            let expected = format!("an array with {} channels, as in the options", options.num_channels);
            return Err(Error::argument(Parameter::Audio, expected, audio.num_channels()));
        }
        match options.overflow {
            Overflow::Refuse if !plan.fits_all() => each_block(audio, control, |first, samples| {
                check_fits(audio.format(), samples, options.gain, first, audio.num_channels())
            })?,
            Overflow::Rescale => return gain(audio, options.gain, control),
            _ => {}
        }
        Ok(options.gain)
    };
    let gain = checked().map_err(|error| match &path {
        Some(path) => error.in_file(path),
        None => error,
    })?;
    let mut writer = Writer::begin(target, options, audio.format(), Some(audio.num_frames() as u64))?;
    if let State::Open(open) = &mut writer.state {
        open.quantiser.set_gain(gain);
    }
    writer.append(audio, control)?;
    writer.finish(control)
}

/// The gain, reduced until the peak of the audio is at full scale.
fn gain(audio: &Audio<'_>, gain: f64, control: &ReadControl<'_>) -> Result<f64> {
    let mut largest = 0.0_f64;
    each_block(audio, control, |first, samples| {
        let peak = peak(audio.format(), samples);
        if !peak.is_finite() {
            let expected = "finite to be rescaled to full scale";
            return Err(Error::argument(
                Parameter::Audio,
                expected,
                format!("{peak} in or after frame {first}"),
            ));
        }
        largest = largest.max(peak);
        Ok(())
    })?;
    Ok(if largest * gain > 1.0 { largest.recip() } else { gain })
}

/// Calls `look` for all samples in blocks, each with the number of its first frame.
fn each_block(
    audio: &Audio<'_>,
    control: &ReadControl<'_>,
    mut look: impl FnMut(u64, &[u8]) -> Result<()>,
) -> Result<()> {
    let mut scratch = Vec::new();
    for start in (0..audio.num_frames()).step_by(CHECKED_FRAMES) {
        if (control.interrupted)() {
            return Err(Error::Interrupted);
        }
        let end = audio.num_frames().min(start + CHECKED_FRAMES);
        look(start as u64, audio.interleaved(start..end, &mut scratch))?;
    }
    Ok(())
}

fn request(
    options: &SaveOptions,
    container: &str,
    codec: &str,
    bits_per_sample: Option<u16>,
    num_frames: Option<u64>,
) -> EncoderRequest {
    EncoderRequest {
        codec: codec.to_owned(),
        container: container.to_owned(),
        sample_rate: options.sample_rate,
        num_channels: options.num_channels,
        channel_mask: options.channel_mask,
        bits_per_sample: bits_per_sample.unwrap_or(0),
        num_frames,
        bitrate: options.bitrate,
        effort: options.effort,
        quality: options.quality,
        tags: options.tags.clone(),
        settings: options.plugin_options.clone(),
        max_threads: u32::try_from(options.max_threads).unwrap_or(u32::MAX),
    }
}

fn given_up() -> Error {
    let what = "was abandoned after an earlier error; write the file again from the start".to_owned();
    Error::Argument { path: None, parameter: Parameter::Writer, what }
}
