//! The encoder of the plugin interface.

#![forbid(unsafe_code)]

use std::ffi::CStr;

use mapwave_plugin::{Block, Encoder, EncoderOptions, Error, Result, SampleFormat, Sink, Status};

use super::super::packet::SAMPLE_RATE;
use super::layout::Layout;
use super::packets::{PACKET_FRAMES, PacketEncoder};
use super::settings::Settings;
use crate::format::caf::{CafWriter, WrittenStream};
use crate::format::matroska::{MatroskaWriter, WrittenTrack};
use crate::format::ogg::OggWriter;

/// Encodes Opus in Ogg, WebM, Matroska and CAF.
///
/// Takes 1 to 255 channels at 8000, 12000, 16000, 24000 or 48000 Hz, with `bitrate` from 6 to 256 kbit/s per channel; without it,
/// 112. `effort` is mapped to the complexities 0 to 10; without it, it is 10. A file decodes to exactly as many frames as were
/// pushed, at 48 kHz.
///
/// ```
/// use mapwave_builtin::OpusEncoder;
/// use mapwave_plugin::{Block, Encoder, EncoderOptions, Sink};
///
/// let (sink, bytes) = Sink::in_memory();
/// let mut encoder = OpusEncoder::open(&EncoderOptions::new(48_000, 2), sink)?;
/// Block::with_slice(&[0f32; 20_000], 2, |frames| encoder.push(frames))?;
/// encoder.finish()?;
/// assert!(bytes.lock().unwrap().starts_with(b"OggS"));
/// # Ok::<(), mapwave_plugin::Error>(())
/// ```
pub struct OpusEncoder {
    packets: PacketEncoder,
    writer: Writer,
    container: &'static str,
    /// A packet that may be the last.
    held: Option<Vec<u8>>,
    num_channels: usize,
    /// The frames of input, and those of output for each.
    num_frames: u64,
    factor: u64,
    num_packets: u64,
    samples: Vec<f32>,
}

enum Writer {
    Ogg(OggWriter),
    Matroska(MatroskaWriter),
    Caf(CafWriter),
}

impl std::fmt::Debug for OpusEncoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OpusEncoder({}, {} channels)", self.container, self.num_channels)
    }
}

impl Encoder for OpusEncoder {
    const NAME: &'static CStr = c"opus";
    const CODECS: &'static CStr = c"opus";
    const CONTAINERS: &'static CStr = c"ogg,webm,mka,caf";
    const FORMATS: &'static [SampleFormat] = &[SampleFormat::F32];
    const EXTENSIONS: &'static CStr = c"opus=ogg/opus,oga=ogg,mkv=mka";

    fn open(options: &EncoderOptions<'_>, sink: Sink) -> Result<Self> {
        let container = match options.container.unwrap_or("ogg") {
            "ogg" => "ogg",
            "webm" => "webm",
            "mka" => "mka",
            "caf" => "caf",
            other => {
                return Err(Error::unsupported(format!(
                    "the container is {other:?}, expected one of ogg,webm,mka,caf"
                )));
            }
        };
        if let Some(codec) = options.codec.filter(|codec| *codec != "opus") {
            return Err(Error::unsupported(format!("the codec is {codec:?}, expected opus")));
        }
        if options.num_frames == Some(0) {
            return Err(without_frames(container));
        }
        if container == "caf" && options.num_channels > 2 {
            let message = format!(
                "{} channels in CAF; other programs read Opus in CAF in mono and stereo only: write Ogg",
                options.num_channels
            );
            return Err(Error::unsupported(message));
        }
        let settings = Settings::choose(options)?;
        let layout = Layout::choose(options)?;
        // Measured: an encoder of two channels takes 400 kB.
        let needed = u64::from(options.num_channels) * (512 << 10);
        if needed > options.max_alloc {
            let message =
                format!("encoding needs {needed} bytes, but only {} may be allocated", options.max_alloc);
            return Err(Error::new(Status::Limit, message));
        }
        let packets = PacketEncoder::new(&layout, settings)?;
        let header = layout.header(packets.pre_skip, settings.sample_rate);
        // It names the program that made the file, which is not the one that made the original.
        let tags: Vec<_> = options.tags.iter().copied().filter(|(name, _)| *name != "encoder").collect();
        let writer = match container {
            "ogg" => Writer::Ogg(OggWriter::new(sink, &header, &tags)?),
            "caf" => Writer::Caf(CafWriter::new(
                sink,
                &WrittenStream {
                    format: b"opus",
                    flags: 0,
                    bits_per_sample: 0,
                    frames_per_packet: PACKET_FRAMES,
                    sample_rate: SAMPLE_RATE,
                    num_channels: options.num_channels,
                    channel_mask: options.channel_mask,
                    cookie: &[], // as other writers: mono and stereo need no header
                    tags: &tags,
                },
            )?),
            _ => Writer::Matroska(MatroskaWriter::new(
                sink,
                WrittenTrack {
                    is_webm: container == "webm",
                    codec_id: "A_OPUS",
                    codec_private: &header,
                    codec_delay: nanoseconds(packets.pre_skip.into()),
                    sample_rate: SAMPLE_RATE,
                    num_channels: options.num_channels,
                    tags: &tags,
                },
            )?),
        };
        Ok(Self {
            packets,
            writer,
            container,
            held: None,
            num_channels: options.num_channels as usize,
            num_frames: 0,
            factor: u64::from(SAMPLE_RATE / settings.sample_rate),
            num_packets: 0,
            samples: Vec::new(),
        })
    }

    fn push(&mut self, frames: &Block<'_>) -> Result<()> {
        frames.check_floats(self.num_frames, "a finite number", f32::is_finite)?;
        let mut samples = std::mem::take(&mut self.samples);
        samples.clear();
        if !frames.append_interleaved::<f32>(&mut samples) {
            return Err(Error::new(Status::BadArgument, "Opus is encoded from 32-bit floats"));
        }
        self.num_frames = self.num_frames.saturating_add(frames.num_frames() as u64);
        let (held, writer, num_packets) = (&mut self.held, &mut self.writer, &mut self.num_packets);
        let result = self.packets.push(&samples, |packet| {
            *num_packets += 1;
            match held.replace(packet.to_vec()) {
                Some(before) => writer.write(&before),
                None => Ok(()),
            }
        });
        self.samples = samples;
        result
    }

    fn finish(&mut self) -> Result<()> {
        if self.num_frames == 0 {
            return Err(without_frames(self.container));
        }
        let end = self.num_frames.saturating_mul(self.factor).saturating_add(self.packets.pre_skip.into());
        while self.num_packets.saturating_mul(PACKET_FRAMES.into()) < end {
            let packet = self.packets.flush()?;
            self.num_packets += 1;
            if let Some(before) = self.held.replace(packet) {
                self.writer.write(&before)?;
            }
        }
        let last = self.held.take().unwrap_or_default();
        let padding = self.num_packets.saturating_mul(PACKET_FRAMES.into()).saturating_sub(end);
        match &mut self.writer {
            Writer::Ogg(writer) => writer.finish(&last, end),
            Writer::Matroska(writer) => writer.finish(&last, nanoseconds(padding), nanoseconds(end)),
            Writer::Caf(writer) => {
                writer.write(&last)?;
                let num_frames = self.num_frames.saturating_mul(self.factor);
                writer.finish(self.packets.pre_skip.into(), num_frames, u32::try_from(padding).unwrap_or(0))
            }
        }
    }
}

impl Writer {
    fn write(&mut self, packet: &[u8]) -> Result<()> {
        match self {
            Self::Ogg(writer) => writer.write(packet, PACKET_FRAMES),
            Self::Matroska(writer) => writer.write(packet, nanoseconds(PACKET_FRAMES.into())),
            Self::Caf(writer) => writer.write(packet),
        }
    }
}

/// Frames in nanoseconds, rounded to the nearest.
fn nanoseconds(num_frames: u64) -> u64 {
    let rate = u128::from(SAMPLE_RATE);
    let scaled = (u128::from(num_frames) * 1_000_000_000 + rate / 2) / rate;
    u64::try_from(scaled).unwrap_or(u64::MAX)
}

fn without_frames(container: &str) -> Error {
    Error::unsupported(format!("{container} without a frame: players need at least one"))
}
