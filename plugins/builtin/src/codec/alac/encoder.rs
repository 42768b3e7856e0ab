//! The encoder of the plugin interface, over that of `mapwave-alac`.

#![forbid(unsafe_code)]

use std::ffi::CStr;

use mapwave_alac::Config;
use mapwave_plugin::{
    Block, Encoder, EncoderOptions, Error, Layout, Result, Sample, SampleFormat, Sink, Status,
};

use super::layout::{CHANNEL_MASKS, LAYOUT_TAGS};
use crate::format::caf::{CafWriter, WrittenStream};
use crate::format::mp4::{Mp4Writer, WrittenSound};

/// The depths in bits, by the number that CAF has for each (Apple Core Audio Format Specification 1.0, "Audio Description Chunk").
const DEPTHS: [u32; 4] = [16, 20, 24, 32];

/// Encodes Apple Lossless in M4A and CAF.
///
/// Takes 1 to 8 channels of 16, 20, 24 or 32 bits at any rate. Without `bits_per_sample`, the first frames decide: 16 bits for
/// `I16`, 24 for `I32`. The format has one layout for each number of channels; a `channel_mask` of another is refused.
///
/// ```
/// use mapwave_builtin::AlacEncoder;
/// use mapwave_plugin::{Block, Encoder, EncoderOptions, Sink};
///
/// let (sink, bytes) = Sink::in_memory();
/// let options = EncoderOptions { container: Some("caf"), ..EncoderOptions::new(44_100, 2) };
/// let mut encoder = AlacEncoder::open(&options, sink)?;
/// Block::with_slice(&[0i16; 20_000], 2, |frames| encoder.push(frames))?;
/// encoder.finish()?;
/// assert!(bytes.lock().unwrap().starts_with(b"caff"));
/// # Ok::<(), mapwave_plugin::Error>(())
/// ```
pub struct AlacEncoder {
    state: State,
    num_channels: usize,
    /// The frames so far that are not a packet, by channel; their samples fill 32 bits.
    waiting: Vec<Vec<i32>>,
    num_frames: u64,
    packet: Vec<u8>,
}

/// A file on its way.
enum State {
    /// The first frames decide the depth.
    Open(Box<Opening>),
    Begun(Box<Begun>),
    Finished,
}

/// What a file is begun with.
struct Opening {
    sink: Sink,
    container: Container,
    sample_rate: u32,
    num_channels: u32,
    channel_mask: u64,
    tags: Vec<(String, String)>,
}

struct Begun {
    encoder: mapwave_alac::Encoder,
    writer: Writer,
}

#[derive(Clone, Copy, Debug)]
enum Container {
    M4a,
    Caf,
}

enum Writer {
    Mp4(Mp4Writer),
    Caf(CafWriter),
}

impl std::fmt::Debug for AlacEncoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AlacEncoder({} channels, {} frames)", self.num_channels, self.num_frames)
    }
}

impl Encoder for AlacEncoder {
    const NAME: &'static CStr = c"alac";
    const CODECS: &'static CStr = c"alac";
    const CONTAINERS: &'static CStr = c"m4a,caf";
    const FORMATS: &'static [SampleFormat] = &[SampleFormat::I16, SampleFormat::I32];
    const LOSSLESS: &'static CStr = c"alac=16/20/24/32";

    fn open(options: &EncoderOptions<'_>, sink: Sink) -> Result<Self> {
        let container = match options.container.unwrap_or("m4a") {
            "m4a" => Container::M4a,
            "caf" => Container::Caf,
            other => {
                let message = format!("the container is {other:?}, expected one of m4a,caf");
                return Err(Error::unsupported(message));
            }
        };
        if let Some(codec) = options.codec.filter(|codec| *codec != "alac") {
            return Err(Error::unsupported(format!("the codec is {codec:?}, expected alac")));
        }
        if options.bitrate.is_some() || options.quality.is_some() {
            return Err(Error::unsupported("ALAC is lossless: leave out bitrate and quality"));
        }
        if options.effort.is_some() {
            return Err(Error::unsupported("ALAC is encoded in one way: leave out effort"));
        }
        if options.num_frames == Some(0) {
            return Err(without_frames());
        }
        let mask = channel_mask(options)?;
        if let Some(depth) = options.bits_per_sample.filter(|depth| !DEPTHS.contains(depth)) {
            let message = format!("{depth} bits per sample, expected 16, 20, 24 or 32");
            return Err(Error::unsupported(message));
        }
        // Now, not with the first frames: what the format does not allow.
        config(options.sample_rate, options.num_channels, options.bits_per_sample.unwrap_or(24))?;
        let tags = options.tags.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let opening = Opening {
            sink,
            container,
            sample_rate: options.sample_rate,
            num_channels: options.num_channels,
            channel_mask: mask,
            tags: tags.collect(),
        };
        let num_channels = options.num_channels as usize;
        let mut encoder = Self {
            state: State::Open(Box::new(opening)),
            num_channels,
            waiting: vec![Vec::new(); num_channels],
            num_frames: 0,
            packet: Vec::new(),
        };
        if let Some(depth) = options.bits_per_sample {
            encoder.begin(depth)?;
        }
        Ok(encoder)
    }

    fn push(&mut self, frames: &Block<'_>) -> Result<()> {
        match frames.format() {
            SampleFormat::I16 => {
                self.begin(16)?;
                self.append::<i16>(frames, |sample| i32::from(sample) << 16);
            }
            SampleFormat::I32 => {
                self.begin(24)?;
                self.append::<i32>(frames, |sample| sample);
            }
            SampleFormat::F32 => {
                return Err(Error::new(Status::BadArgument, "ALAC is encoded from integers, not floats"));
            }
        }
        self.num_frames = self.num_frames.saturating_add(frames.num_frames() as u64);
        self.encode(false)
    }

    fn finish(&mut self) -> Result<()> {
        if self.num_frames == 0 {
            return Err(without_frames());
        }
        self.encode(true)?;
        let State::Begun(mut begun) = std::mem::replace(&mut self.state, State::Finished) else {
            return Err(Error::new(Status::BadState, "the file is already finished"));
        };
        let packet_frames = u64::from(begun.encoder.config().frames_per_packet);
        let padding = self.num_frames.next_multiple_of(packet_frames) - self.num_frames;
        match &mut begun.writer {
            Writer::Mp4(writer) => writer.finish(self.num_frames),
            Writer::Caf(writer) => {
                writer.finish(0, self.num_frames, u32::try_from(padding).unwrap_or(u32::MAX))
            }
        }
    }
}

impl AlacEncoder {
    /// Writes the headers for samples of this depth, unless that is done.
    fn begin(&mut self, depth: u32) -> Result<()> {
        let State::Open(opening) = &mut self.state else { return Ok(()) };
        let (rate, num_channels) = (opening.sample_rate, opening.num_channels);
        let config = config(rate, num_channels, depth)?;
        let encoder = mapwave_alac::Encoder::new(&config).map_err(|error| invalid(&error))?;
        let State::Open(opening) = std::mem::replace(&mut self.state, State::Finished) else { return Ok(()) };
        let Opening { sink, container, channel_mask, tags, .. } = *opening;
        let tags: Vec<(&str, &str)> = tags.iter().map(|(name, value)| (&**name, &**value)).collect();
        let mut cookie = config.to_bytes().to_vec();
        if num_channels > 2 {
            let tag = LAYOUT_TAGS.get(num_channels as usize).copied().unwrap_or(0);
            cookie.extend([24, u32::from_be_bytes(*b"chan"), 0, tag, 0, 0].map(u32::to_be_bytes).concat());
        }
        let writer = match container {
            Container::M4a => Writer::Mp4(Mp4Writer::new(
                sink,
                WrittenSound {
                    format: *b"alac",
                    setup: &cookie,
                    frames_per_packet: config.frames_per_packet,
                    bits_per_sample: depth,
                    sample_rate: rate,
                    num_channels,
                    tags: &tags,
                },
            )?),
            Container::Caf => Writer::Caf(CafWriter::new(
                sink,
                &WrittenStream {
                    format: b"alac",
                    flags: (1..).zip(DEPTHS).find(|(_, known)| *known == depth).map_or(0, |(flag, _)| flag),
                    bits_per_sample: 0,
                    frames_per_packet: config.frames_per_packet,
                    sample_rate: rate,
                    num_channels,
                    channel_mask,
                    cookie: &cookie,
                    tags: &tags,
                },
            )?),
        };
        self.state = State::Begun(Box::new(Begun { encoder, writer }));
        Ok(())
    }

    /// Adds frames to those that wait.
    fn append<T: Sample>(&mut self, frames: &Block<'_>, widened: impl Fn(T) -> i32 + Copy) {
        let num_channels = self.num_channels.max(1);
        for (channel, waiting) in self.waiting.iter_mut().enumerate() {
            match frames.layout() {
                Layout::Interleaved => {
                    let samples = frames.interleaved::<T>().unwrap_or_default();
                    waiting.extend(samples.iter().skip(channel).step_by(num_channels).map(|&s| widened(s)));
                }
                Layout::Planar => {
                    let samples = frames.channel::<T>(channel).unwrap_or_default();
                    waiting.extend(samples.iter().map(|&s| widened(s)));
                }
            }
        }
    }

    /// Writes the packets that are complete, and at the end what is left.
    fn encode(&mut self, is_end: bool) -> Result<()> {
        let State::Begun(begun) = &mut self.state else {
            return Err(Error::new(Status::BadState, "the file is already finished"));
        };
        let most = begun.encoder.config().frames_per_packet as usize;
        let available = self.waiting.first().map_or(0, Vec::len);
        let mut start = 0;
        while start < available && (is_end || available - start >= most) {
            let end = available.min(start + most);
            let frames: Vec<&[i32]> =
                self.waiting.iter().map(|channel| channel.get(start..end).unwrap_or_default()).collect();
            self.packet.clear();
            begun
                .encoder
                .encode(&frames, &mut self.packet)
                .map_err(|error| Error::new(Status::Internal, error.to_string()))?;
            match &mut begun.writer {
                Writer::Mp4(writer) => writer.write(&self.packet)?,
                Writer::Caf(writer) => writer.write(&self.packet)?,
            }
            start = end;
        }
        for channel in &mut self.waiting {
            channel.drain(..start.min(channel.len()));
        }
        Ok(())
    }
}

fn config(sample_rate: u32, num_channels: u32, depth: u32) -> Result<Config> {
    Config::new(sample_rate, num_channels, depth).map_err(|error| invalid(&error))
}

fn invalid(error: &mapwave_alac::DecodeError) -> Error {
    Error::unsupported(error.to_string())
}

/// The speakers as ALAC has them: those of the options, which must be the ones that the number of channels stands for.
fn channel_mask(options: &EncoderOptions<'_>) -> Result<u64> {
    let Some(&own) = CHANNEL_MASKS.get(options.num_channels as usize).filter(|mask| **mask != 0) else {
        let message = format!("{} channels, expected 1 to 8", options.num_channels);
        return Err(Error::unsupported(message));
    };
    match options.channel_mask {
        0 => Ok(own),
        mask if mask == own => Ok(own),
        mask => {
            let message = format!(
                "ALAC has the speakers {own:#x} for {} channels, expected that mask or 0, got {mask:#x}",
                options.num_channels
            );
            Err(Error::unsupported(message))
        }
    }
}

fn without_frames() -> Error {
    Error::unsupported("ALAC without a frame: players need at least one")
}
