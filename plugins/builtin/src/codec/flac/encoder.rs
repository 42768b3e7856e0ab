//! The encoder of the plugin interface, over that of `mapwave-flac`.

#![forbid(unsafe_code)]

use std::ffi::CStr;

use mapwave_flac::{EncodeError, EncoderSettings, Frames, MAX_LEVEL, Patch};
use mapwave_plugin::{
    Block, Encoder, EncoderOptions, Error, Layout, Result, Sample, SampleFormat, Sink, Status,
};

/// The level when no effort is given.
const DEFAULT_LEVEL: u32 = 5;

/// Encodes FLAC files.
///
/// Takes 1 to 8 channels of 4 to 24 bits at 1 to 655350 Hz. Without `bits_per_sample`, the first frames decide: 16 bits for
/// `I16`, 24 for `I32`. `effort` is mapped to the levels 0 to 8 of the `flac` command by `(effort - 1) * 9 / 100`; without
/// it, the level is 5. When the sink is not append-only, `finish` completes STREAMINFO with the MD5 of the samples, and the
/// seek table, which only files with a `num_frames` have.
///
/// ```
/// use mapwave_builtin::FlacEncoder;
/// use mapwave_plugin::{Block, Encoder, EncoderOptions, Sink};
///
/// let (sink, bytes) = Sink::in_memory();
/// let options = EncoderOptions { max_threads: 2, ..EncoderOptions::new(44_100, 2) };
/// let mut encoder = FlacEncoder::open(&options, sink)?;
/// Block::with_slice(&[0i16; 20_000], 2, |frames| encoder.push(frames))?;
/// encoder.finish()?;
/// assert!(bytes.lock().unwrap().starts_with(b"fLaC"));
/// # Ok::<(), mapwave_plugin::Error>(())
/// ```
#[derive(Debug)]
pub struct FlacEncoder {
    sink: Sink,
    settings: EncoderSettings,
    /// Whether the first frames decide the depth.
    is_depth_open: bool,
    /// `None` once the file is finished.
    encoder: Option<mapwave_flac::Encoder>,
}

impl Encoder for FlacEncoder {
    const NAME: &'static CStr = c"flac";
    const CODECS: &'static CStr = c"flac";
    const CONTAINERS: &'static CStr = c"flac";
    const FORMATS: &'static [SampleFormat] = &[SampleFormat::I16, SampleFormat::I32];
    const LOSSLESS: &'static CStr = c"flac=8/16/24";
    const DEFAULT_CODECS: &'static CStr = c"flac=flac";
    const EXTENSIONS: &'static CStr = c"fla=flac";

    fn open(options: &EncoderOptions<'_>, sink: Sink) -> Result<Self> {
        if options.bitrate.is_some() || options.quality.is_some() {
            let what = "FLAC is lossless: leave out bitrate and quality; a higher effort makes files smaller";
            return Err(Error::unsupported(what));
        }
        let settings = settings(options, &sink);
        let encoder = mapwave_flac::Encoder::new(&settings).map_err(rejected)?;
        Ok(Self { sink, settings, is_depth_open: options.bits_per_sample.is_none(), encoder: Some(encoder) })
    }

    fn push(&mut self, frames: &Block<'_>) -> Result<()> {
        self.settle_depth(frames.format())?;
        match frames.format() {
            SampleFormat::I16 => self.encode::<i16>(frames),
            SampleFormat::I32 => self.encode::<i32>(frames),
            SampleFormat::F32 => {
                Err(Error::new(Status::BadArgument, "FLAC is encoded from integers, not floats"))
            }
        }
    }

    fn finish(&mut self) -> Result<()> {
        self.settle_depth(SampleFormat::I16)?;
        let encoder = self.encoder.take().ok_or_else(is_finished)?;
        for Patch { offset, bytes } in encoder.finish(|bytes| self.sink.append(bytes)).map_err(failed)? {
            self.sink.overwrite(offset, &bytes)?;
        }
        Ok(())
    }
}

impl FlacEncoder {
    /// Derives the depth from the format of the first frames, unless it was given.
    fn settle_depth(&mut self, format: SampleFormat) -> Result<()> {
        if self.is_depth_open && format == SampleFormat::I16 {
            self.settings.bits_per_sample = 16;
            self.encoder = Some(mapwave_flac::Encoder::new(&self.settings).map_err(rejected)?);
        }
        self.is_depth_open = false;
        Ok(())
    }

    fn encode<T: Sample + mapwave_flac::Sample>(&mut self, block: &Block<'_>) -> Result<()> {
        let encoder = self.encoder.as_mut().ok_or_else(is_finished)?;
        let write = |bytes: &[u8]| self.sink.append(bytes);
        let pushed = match block.layout() {
            Layout::Interleaved => {
                encoder.push(Frames::Interleaved(block.interleaved::<T>().unwrap_or_default()), write)
            }
            Layout::Planar => {
                let plane = |channel| block.channel::<T>(channel).unwrap_or_default();
                let planes: Vec<&[T]> = (0..block.num_channels()).map(plane).collect();
                encoder.push(Frames::Planar(&planes), write)
            }
        };
        pushed.map_err(failed)
    }
}

/// The settings for these options, with the greatest depth if none is given.
fn settings(options: &EncoderOptions<'_>, sink: &Sink) -> EncoderSettings {
    let bits_per_sample = options.bits_per_sample.unwrap_or(24);
    let tags = options.tags.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    EncoderSettings {
        level: options.effort.map_or(DEFAULT_LEVEL, level),
        channel_mask: options.channel_mask,
        num_frames: options.num_frames,
        tags: tags.collect(),
        is_seekable: !sink.is_append_only(),
        is_live: sink.is_live(),
        num_threads: options.max_threads as usize,
        max_memory: options.max_alloc,
        ..EncoderSettings::new(options.sample_rate, options.num_channels, bits_per_sample)
    }
}

/// The level for an effort of 1 to 100: each level is a ninth of the range.
fn level(effort: u32) -> u32 {
    (effort.saturating_sub(1).min(100) * 9 / 100).min(MAX_LEVEL)
}

fn failed(error: EncodeError<Error>) -> Error {
    match error {
        EncodeError::Encoder(error) => rejected(error),
        EncodeError::Write(error) => error,
    }
}

fn rejected(error: mapwave_flac::Error) -> Error {
    use mapwave_flac::Error as Reason;

    let status = match error {
        Reason::NumChannels(_)
        | Reason::SampleRate(_)
        | Reason::BitsPerSample(_)
        | Reason::Level(_)
        | Reason::ChannelMask { .. } => Status::Unsupported,
        Reason::TagsTooLarge(_) | Reason::TooManyFrames(_) | Reason::Memory { .. } => Status::Limit,
        Reason::Failed => Status::BadState,
        _ => Status::BadArgument,
    };
    Error::new(status, error.to_string())
}

fn is_finished() -> Error {
    Error::new(Status::BadState, "the file is already finished")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn efforts_are_levels() {
        let levels = [1, 12, 13, 50, 56, 57, 89, 90, 100, u32::MAX].map(level);
        assert_eq!(levels, [0, 0, 1, 4, 4, 5, 7, 8, 8, 8]);
    }
}
