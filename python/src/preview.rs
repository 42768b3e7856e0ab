//! The beginning of a file as a small file that a browser plays.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use mapwave_core::resample::{FilterQuality, Rates};
use mapwave_core::sink::{self, ByteSink, Encoding, FileFormat, PcmEncoding, SaveOptions, Target};
use mapwave_core::{
    Buffer, ChannelSelection, Error, FrameSpec, MonoMode, ReadControl, Reader, ResampleQuality, Result,
    resample_array,
};
use mapwave_fork::Lock;

/// A preview: its media type, its bytes, and its length in seconds.
pub(crate) struct Preview {
    pub(crate) media_type: &'static str,
    pub(crate) bytes: Vec<u8>,
    pub(crate) seconds: f64,
}

/// What a preview can be: one channel of so many seconds, less than 300 kB.
struct Format {
    name: &'static str,
    media_type: &'static str,
    sample_rate: u32,
    bitrate: Option<u32>,
    seconds: f64,
}

/// From the best that may not be there to the one that always is.
const FORMATS: [Format; 2] = [
    Format {
        name: "mp3",
        media_type: "audio/mpeg",
        sample_rate: 24_000,
        bitrate: Some(56_000),
        seconds: 40.0,
    },
    Format { name: "wav", media_type: "audio/wav", sample_rate: 16_000, bitrate: None, seconds: 9.0 },
];

/// The preview of a file: as MP3 where a plugin writes it, otherwise as WAV.
pub(crate) fn preview(reader: &Reader, control: &ReadControl<'_>) -> Result<Preview> {
    let [best, always] = FORMATS;
    match as_format(reader, best, control) {
        Err(Error::Unsupported { .. } | Error::Plugin { .. }) => as_format(reader, always, control),
        result => result,
    }
}

fn as_format(reader: &Reader, format: Format, control: &ReadControl<'_>) -> Result<Preview> {
    let frames = beginning(reader, format.seconds);
    let seconds = frames.end as f64 / f64::from(reader.sample_rate().max(1));
    let channels = ChannelSelection::Mono(MonoMode::Mean);
    let spec = FrameSpec { channels, ..FrameSpec::default() };
    let frames = reader.read_with(frames, &spec, Buffer::new, control)?;
    let rates = Rates::new(reader.sample_rate(), format.sample_rate)?;
    let quality = ResampleQuality::Own(FilterQuality::Medium);
    let frames =
        resample_array(frames.audio()?, rates, quality, &FrameSpec::default(), Buffer::new, control)?;
    let mut options = SaveOptions::new(FileFormat::named(format.name)?, format.sample_rate, 1);
    options.bitrate = format.bitrate;
    if format.bitrate.is_none() {
        options.encoding = Encoding::Pcm(PcmEncoding::Pcm16);
    }
    let bytes = Arc::new(Lock::with(Vec::new()));
    let target = Target::Sink(Box::new(InMemory(Arc::clone(&bytes))));
    sink::save(target, &frames.audio()?, options, control)?;
    let bytes = std::mem::take(&mut *bytes.lock());
    Ok(Preview { media_type: format.media_type, bytes, seconds })
}

/// The frames of so many seconds, or of all that there are.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // `as` saturates
fn beginning(reader: &Reader, seconds: f64) -> Range<u64> {
    0..reader.num_frames().min((seconds * f64::from(reader.sample_rate())) as u64)
}

/// A file in memory.
struct InMemory(Arc<Lock<Vec<u8>>>);

impl ByteSink for InMemory {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut file = self.0.lock();
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        let end = start + bytes.len();
        if file.len() < end {
            file.resize(end, 0);
        }
        if let Some(place) = file.get_mut(start..end) {
            place.copy_from_slice(bytes);
        }
        Ok(())
    }
}
