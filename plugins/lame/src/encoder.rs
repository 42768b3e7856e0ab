//! The encoder: frames in, an MP3 file out.

#![forbid(unsafe_code)]

use std::ffi::CStr;
use std::ops::Range;

use mapwave_plugin::{
    Block, Encoder, EncoderOptions, Error, Layout, Result, Sample, SampleFormat, Sink, Status,
};

use crate::id3;
use crate::lame::{self, Lame, MAX_FRAMES};
use crate::settings::Settings;

/// Encodes MP3 files.
///
/// Takes 1 or 2 channels at the nine sample rates of MPEG audio, 8000 to 48000 Hz. `bitrate` selects a constant bitrate, and
/// `quality` a variable one from V9 (1) to V0 (100). Without either, the bitrate is constant: 192 kbit/s in stereo and 128 in
/// mono from 32 kHz on, 160 and 96 from 16 kHz on, 64 below. `effort` selects LAME's quality of computation, from 9 (1) to 0
/// (100). The first frame holds the length and the encoder's delay, so that decoders return exactly the frames that were
/// pushed. It is completed at the end, so the sink must not be append-only. Samples beyond full scale are clipped.
///
/// ```
/// use mapwave_lame::Mp3Encoder;
/// use mapwave_plugin::{Block, Encoder, EncoderOptions, Sink};
///
/// let (sink, bytes) = Sink::in_memory();
/// let options = EncoderOptions { quality: Some(80), ..EncoderOptions::new(44_100, 2) };
/// let mut encoder = Mp3Encoder::open(&options, sink)?;
/// Block::with_slice(&[0.0f32; 20_000], 2, |frames| encoder.push(frames))?;
/// encoder.finish()?;
/// assert!(bytes.lock().unwrap().starts_with(&[0xFF, 0xFB]), "MPEG-1, layer III");
/// # Ok::<(), mapwave_plugin::Error>(())
/// ```
pub struct Mp3Encoder {
    sink: Sink,
    lame: Lame,
    /// Samples that LAME has not taken yet.
    channels: Vec<Vec<f32>>,
    bytes: Vec<u8>,
    tag: Vec<u8>,
    /// The offset of the first frame, once it is written.
    info_offset: Option<u64>,
}

impl Encoder for Mp3Encoder {
    const NAME: &'static CStr = c"lame";
    const CODECS: &'static CStr = c"mp3";
    const CONTAINERS: &'static CStr = c"mp3";
    const FORMATS: &'static [SampleFormat] = &[SampleFormat::F32, SampleFormat::I32, SampleFormat::I16];
    const DEFAULT_CODECS: &'static CStr = c"mp3=mp3";

    fn open(options: &EncoderOptions<'_>, sink: Sink) -> Result<Self> {
        let settings = Settings::new(options)?;
        if sink.is_append_only() {
            let what = "the first frame of an MP3 file holds its length, so MP3 requires a seekable file";
            return Err(Error::unsupported(what));
        }
        let tag = id3::tag(&options.tags)?;
        let needed = lame::NUM_BYTES + 3 * tag.len() as u64;
        if needed > options.max_alloc {
            let what =
                format!("encoding needs {needed} bytes, but only {} may be allocated", options.max_alloc);
            return Err(Error::new(Status::Limit, what));
        }
        let lame = Lame::start(&settings)?;
        let channel = || Vec::with_capacity(MAX_FRAMES);
        let channels = (0..settings.num_channels).map(|_| channel()).collect();
        Ok(Self { sink, lame, channels, bytes: Vec::new(), tag, info_offset: None })
    }

    fn push(&mut self, frames: &Block<'_>) -> Result<()> {
        match frames.format() {
            SampleFormat::F32 => self.take(frames, |sample: f32| sample),
            SampleFormat::I32 => self.take(frames, |sample: i32| sample as f32 / 2_147_483_648.0),
            SampleFormat::I16 => self.take(frames, |sample: i16| f32::from(sample) / 32_768.0),
        }
    }

    fn finish(&mut self) -> Result<()> {
        self.encode_pending()?;
        self.lame.finish(&mut self.bytes)?;
        self.write()?;
        let info = self.lame.info_frame()?;
        self.sink.overwrite(self.info_offset.unwrap_or(0), &info)
    }
}

impl Mp3Encoder {
    /// Takes frames, and encodes them whenever enough have come together.
    fn take<T: Sample>(&mut self, frames: &Block<'_>, convert: impl Fn(T) -> f32) -> Result<()> {
        let mut first = 0;
        while first < frames.num_frames() {
            let room = MAX_FRAMES - self.channels.first().map_or(0, Vec::len);
            let last = first.saturating_add(room).min(frames.num_frames());
            for (number, channel) in self.channels.iter_mut().enumerate() {
                append(channel, number, frames, first..last, &convert);
            }
            if last - first == room {
                self.encode_pending()?;
            }
            first = last;
        }
        if self.sink.is_live() { self.encode_pending() } else { Ok(()) }
    }

    fn encode_pending(&mut self) -> Result<()> {
        if self.channels.iter().all(Vec::is_empty) {
            return Ok(());
        }
        self.lame.encode(&mut self.channels, &mut self.bytes)?;
        self.channels.iter_mut().for_each(Vec::clear);
        self.write()
    }

    /// Writes the bytes from LAME, after the tag.
    fn write(&mut self) -> Result<()> {
        if self.info_offset.is_none() {
            self.sink.append(&self.tag)?;
            self.info_offset = Some(self.sink.num_bytes());
        }
        self.sink.append(&self.bytes)?;
        self.bytes.clear();
        Ok(())
    }
}

/// Appends frames of one channel.
fn append<T: Sample>(
    samples: &mut Vec<f32>,
    channel: usize,
    frames: &Block<'_>,
    range: Range<usize>,
    convert: impl Fn(T) -> f32,
) {
    let num_channels = frames.num_channels();
    match frames.layout() {
        Layout::Planar => {
            let some = frames.channel::<T>(channel).and_then(|all| all.get(range)).unwrap_or_default();
            samples.extend(some.iter().map(|sample| convert(*sample)));
        }
        Layout::Interleaved => {
            let all = frames.interleaved::<T>().unwrap_or_default();
            let some = all.get(range.start * num_channels..range.end * num_channels).unwrap_or_default();
            samples.extend(some.iter().skip(channel).step_by(num_channels).map(|sample| convert(*sample)));
        }
    }
}
