//! A stream being encoded: frames in, bytes of a container out.

#![forbid(unsafe_code)]

use std::ffi::{CStr, CString};

use mapwave_plugin::{Block, EncoderOptions, Error, Result, SampleFormat, Sink, Status};

use super::codec::{Codec, Depth};
use super::container::Container;
use super::context::{CodecContext, Setup};
use super::muxer::Muxer;
use super::output::BUFFER_BYTES;
use super::packet_table::PacketTable;
use super::trim::Trim;
use super::{samples, speakers, steering};
use crate::channels;
use crate::dictionary::Dictionary;
use crate::frame::FrameBuffer;
use crate::packet::Packet;
use crate::tags::Tags;

/// The maximum memory of an encoder and a muxer apart from samples and output: the states of LAME and libvorbis.
const STATE_BYTES: u64 = 4 << 20;

/// The container.
struct Plan {
    codec: Codec,
    container: &'static Container,
    setup: Setup,
    /// Whether the first frames decide the bit depth.
    is_depth_open: bool,
    tags: Tags,
}

/// A stream that is encoded into a sink.
pub(super) struct Stream {
    plan: Plan,
    muxer: Muxer,
    codec: CodecContext,
    packet: Packet,
    trim: Trim,
    /// Frames that do not fill a packet yet; `None` until frames come.
    frame: Option<FrameBuffer>,
    /// Their number.
    num_pending: usize,
    /// The number of frames pushed so far.
    num_frames: u64,
    num_packets: u64,
}

impl Plan {
    fn new(options: &EncoderOptions<'_>, codec: Codec, container: &'static Container) -> Result<Self> {
        let encoder = codec.encoder()?;
        codec.check_rate(options.sample_rate)?;
        let channel_mask = speakers::choose(codec, container, options)?;
        channels::layout(channel_mask, options.num_channels)?; // rejects a mask with another number of channels
        let deepest = codec.depths().iter().rev().find(|depth| depth.bits <= 24);
        let depth = match (options.bits_per_sample, deepest) {
            (Some(bits), _) => codec.depth(bits)?,
            (None, Some(depth)) => *depth,
            (None, None) => codec.depth(0)?,
        };
        let mut steering = steering::steer(codec, options)?;
        if codec == Codec::Opus && channel_mask == 0 {
            // Each channel is a separate stream without a speaker (RFC 7845, 5.1.1.3).
            steering.options.push((c"mapping_family", c"255".to_owned()));
        }
        let setup = Setup {
            encoder,
            sample_rate: options.sample_rate,
            num_channels: options.num_channels,
            channel_mask,
            format: depth.format,
            bits_per_sample: depth.bits,
            bitrate: steering.bitrate,
            quality: steering.quality,
            level: steering.level,
            options: steering.options,
        };
        let is_depth_open = options.bits_per_sample.is_none() && depth.bits != 0;
        let tags = Tags::new(&options.tags)?;
        Ok(Self { codec, container, setup, is_depth_open, tags })
    }

    /// The bit depth for frames of a format if none was given: 16 bits for 16-bit samples, else 24.
    fn depth_of(&self, format: SampleFormat) -> Result<Depth> {
        self.codec.depth(if format == SampleFormat::I16 { 16 } else { 24 })
    }

    /// The options for the muxer.
    fn muxer_options(&self) -> Result<Dictionary> {
        let mut options = Dictionary::new();
        if matches!(self.container.name, "m4a" | "mp4") {
            // Edit lists count in this unit: any other would round the duration.
            let rate = CString::new(self.setup.sample_rate.to_string()).unwrap_or_default();
            options.set(c"movie_timescale", &rate)?;
        }
        Ok(options)
    }
}

impl Stream {
    /// Opens an encoder for one of the codecs and containers of a table. Nothing is written yet.
    ///
    /// # Errors
    /// [`Status::Unsupported`] for unsupported settings, with a list of the supported ones.
    pub(super) fn open(
        options: &EncoderOptions<'_>,
        sink: Sink,
        codecs: &CStr,
        containers: &CStr,
    ) -> Result<Self> {
        let codec = choice("codec", options.codec, codecs, Codec::from_name)?;
        let container = choice("container", options.container, containers, Container::from_name)?;
        if let Some(what) = container.needs_seekable_sink.filter(|_| sink.is_append_only()) {
            let name = container.name;
            let message = format!(
                "{name} in an append-only sink: its header holds {what}, so it requires a seekable file"
            );
            return Err(Error::unsupported(message));
        }
        if options.num_frames == Some(0) {
            return Err(without_frames(container));
        }
        let plan = Plan::new(options, codec, container)?;
        let muxer = Muxer::new(container.muxer, sink)?;
        let codec = CodecContext::open(&plan.setup, muxer.has_global_header())?;
        check_memory(&codec, options.max_alloc)?;
        let packet = Packet::new()?;
        let trim = Trim::new(plan.codec, &codec)?;
        Ok(Self {
            plan,
            muxer,
            codec,
            packet,
            trim,
            frame: None,
            num_pending: 0,
            num_frames: 0,
            num_packets: 0,
        })
    }

    /// Pushes all frames of a block.
    ///
    /// # Errors
    /// [`Status::BadData`] for a sample that is not finite; [`Status::Io`] when the sink fails.
    pub(super) fn push(&mut self, block: &Block<'_>) -> Result<()> {
        samples::check(block, self.num_frames)?;
        let bits = self.start(block.format())?;
        let mut first = 0;
        while first < block.num_frames() {
            let frame = started(self.frame.as_mut())?;
            if self.num_pending == 0 {
                frame.prepare()?;
            }
            let room = frame.capacity().saturating_sub(self.num_pending);
            let last = first.saturating_add(room).min(block.num_frames());
            samples::copy(block, first..last, frame, self.num_pending, bits)?;
            self.num_pending += last - first;
            self.num_frames += (last - first) as u64;
            first = last;
            if self.num_pending == frame.capacity() {
                self.encode_pending(None)?;
            }
        }
        Ok(())
    }

    /// Writes the header before the first frames; returns the bit depth.
    fn start(&mut self, format: SampleFormat) -> Result<u32> {
        if self.frame.is_some() {
            return Ok(self.plan.setup.bits_per_sample);
        }
        if self.plan.is_depth_open {
            let depth = self.plan.depth_of(format)?;
            if depth.bits != self.plan.setup.bits_per_sample {
                self.plan.setup.format = depth.format;
                self.plan.setup.bits_per_sample = depth.bits;
                self.codec = CodecContext::open(&self.plan.setup, self.muxer.has_global_header())?;
            }
        }
        let tags = self.plan.tags.dictionary()?;
        self.muxer.write_header(&self.codec, tags, &mut self.plan.muxer_options()?)?;
        self.frame = Some(self.codec.frame_buffer()?);
        Ok(self.plan.setup.bits_per_sample)
    }

    fn encode_pending(&mut self, end_of_sound: Option<u64>) -> Result<()> {
        let frame = started(self.frame.as_mut())?;
        let first = self.num_frames.saturating_sub(self.num_pending as u64);
        frame.set_range(first, self.num_pending);
        self.num_pending = 0;
        self.codec.send(Some(frame))?;
        self.write_packets(end_of_sound)
    }

    /// Writes every packet that the encoder has. `end_of_sound` is the number of frames of the stream, once known.
    fn write_packets(&mut self, end_of_sound: Option<u64>) -> Result<()> {
        while self.codec.receive(&mut self.packet)? {
            if self.trim.takes(&mut self.packet, end_of_sound)? {
                self.num_packets += 1;
                self.muxer.write(&mut self.packet, self.codec.time_base())?;
            }
            self.packet.clear();
        }
        Ok(())
    }

    /// Encodes the pending frames and finishes the file.
    ///
    /// # Errors
    /// [`Status::Unsupported`] when there was no frame; [`Status::Io`] when the sink fails.
    pub(super) fn finish(&mut self) -> Result<()> {
        if self.num_frames == 0 {
            return Err(without_frames(self.plan.container));
        }
        let end_of_sound = Some(self.num_frames);
        if self.num_pending > 0 {
            self.encode_pending(end_of_sound)?;
        }
        self.codec.send(None)?;
        self.write_packets(end_of_sound)?;
        self.trim.check_end()?;
        let end = self.muxer.num_bytes()?;
        let output = self.muxer.finish()?;
        if self.plan.container.name == "caf" {
            let table = PacketTable {
                num_packets: self.num_packets,
                frames_per_packet: self.codec.frame_size() as u64,
                num_frames: self.num_frames,
            };
            output.overwrite(PacketTable::offset(end), &table.head()?)?;
        }
        Ok(())
    }
}

/// The host's choice, or the first in the table's list.
fn choice<T>(what: &str, name: Option<&str>, names: &CStr, find: impl Fn(&str) -> Option<T>) -> Result<T> {
    let names = names.to_str().unwrap_or_default();
    let name = name.or_else(|| names.split(',').next()).unwrap_or_default();
    let found = names.split(',').find(|other| *other == name).and_then(find);
    found.ok_or_else(|| Error::unsupported(format!("the {what} is {name:?}, expected one of {names}")))
}

fn started(frame: Option<&mut FrameBuffer>) -> Result<&mut FrameBuffer> {
    frame.ok_or_else(|| Error::new(Status::BadState, "frames before the header"))
}

fn without_frames(container: &Container) -> Error {
    Error::unsupported(format!("{} without a frame: players need at least one", container.name))
}

fn check_memory(codec: &CodecContext, max_alloc: u64) -> Result<()> {
    let samples = (codec.frame_size() as u64).saturating_mul(codec.num_channels() as u64);
    let needed = samples.saturating_mul(16).saturating_add(STATE_BYTES + u64::from(BUFFER_BYTES));
    if needed <= max_alloc {
        return Ok(());
    }
    let message = format!("encoding needs up to {needed} bytes, but only {max_alloc} may be allocated");
    Err(Error::new(Status::Limit, message))
}
