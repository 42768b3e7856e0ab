//! The encoder: frames in, a FLAC file out.

#![forbid(unsafe_code)]

use std::ffi::CStr;

use mapwave_plugin::{Block, Encoder, EncoderOptions, Error, Result, SampleFormat, Sink, Status};

use crate::batch;
use crate::depth;
use crate::digest::SampleDigest;
use crate::frame::{Format, FrameEncoder};
use crate::metadata::{self, SEEK_TABLE_OFFSET, STREAM_INFO_OFFSET, SeekTable};
use crate::settings::Settings;
use crate::stream_info::{MAX_FRAMES, StreamInfo};

/// Blocks that a thread codes between two joins, at most: some milliseconds of work.
const BATCH_BLOCKS: usize = 32;

const MAX_CHANNELS: u32 = 8;

/// The highest rate that a frame's header can hold (RFC 9639, section 9.1.2).
const MAX_SAMPLE_RATE: u32 = 655_350;

/// A FLAC file on its way into a sink.
///
/// Takes 1 to 8 channels of 4 to 24 bits at 1 to 655350 Hz. Without `bits_per_sample`, the first frames decide: 16 bits when
/// they come as `I16`, 24 when they come as `I32`. `effort` is mapped to the levels 0 to 8 of the `flac` command by
/// `(effort - 1) * 9 / 100`; without it, the level is 5. Where the sink can go back, `finish` completes STREAMINFO with the
/// MD5 of the samples, and the seek table, for which there is room when `num_frames` was announced.
///
/// ```
/// use mapwave_flac::FlacEncoder;
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
    plan: Plan,
    stream: Option<Stream>,
    /// The frames taken so far.
    num_frames: u64,
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
        Ok(Self { sink, plan: Plan::new(options)?, stream: None, num_frames: 0 })
    }

    fn push(&mut self, frames: &Block<'_>) -> Result<()> {
        let num_frames = self.num_frames.saturating_add(frames.num_frames() as u64);
        if num_frames > MAX_FRAMES {
            return Err(too_many_frames(num_frames));
        }
        let stream = match &mut self.stream {
            Some(stream) => stream,
            None => self.stream.insert(Stream::begin(&self.plan, frames.format(), &mut self.sink)?),
        };
        stream.take(frames, &mut self.sink)?;
        self.num_frames = num_frames;
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            None => self.stream.insert(Stream::begin(&self.plan, SampleFormat::I16, &mut self.sink)?),
        };
        if self.sink.is_append_only() {
            if let Some(promised) = self.plan.num_frames.filter(|promised| *promised != self.num_frames) {
                let what = format!(
                    "{} frames came where {promised} were announced, and the header is already written",
                    self.num_frames
                );
                return Err(Error::new(Status::BadArgument, what));
            }
            return stream.encode_pending(&mut self.sink);
        }
        stream.encode_pending(&mut self.sink)?;
        stream.complete_header(self.num_frames, &mut self.sink)
    }
}

/// What a file is going to be.
#[derive(Debug)]
struct Plan {
    sample_rate: u32,
    num_channels: usize,
    bits_per_sample: Option<u32>,
    settings: Settings,
    num_frames: Option<u64>,
    comments: Vec<u8>,
    num_threads: usize,
    /// The blocks that are coded together.
    num_blocks: usize,
}

impl Plan {
    /// Refuses what the format cannot hold.
    fn new(options: &EncoderOptions<'_>) -> Result<Self> {
        let refuse = |what: String| Err(Error::unsupported(what));
        if !(1..=MAX_CHANNELS).contains(&options.num_channels) {
            return refuse(format!("FLAC has 1 to {MAX_CHANNELS} channels, not {}", options.num_channels));
        }
        if !(1..=MAX_SAMPLE_RATE).contains(&options.sample_rate) {
            let rate = options.sample_rate;
            return refuse(format!("FLAC has sample rates of 1 to {MAX_SAMPLE_RATE} Hz, not {rate}"));
        }
        if let Some(bits) = options.bits_per_sample.filter(|bits| !(4..=24).contains(bits)) {
            return refuse(format!(
                "FLAC files that every decoder reads have 4 to 24 bits a sample, not {bits}: choose 24"
            ));
        }
        if options.bitrate.is_some() || options.quality.is_some() {
            return refuse(
                "FLAC is lossless: leave bitrate and quality out; effort makes files smaller".to_owned(),
            );
        }
        let mask = options.channel_mask;
        if mask != 0 && (mask.count_ones() != options.num_channels || mask > u32::MAX.into()) {
            let num_channels = options.num_channels;
            return refuse(format!(
                "the channel mask {mask:#x} has not {num_channels} of the lowest 32 bits set"
            ));
        }
        if let Some(num_frames) = options.num_frames.filter(|num_frames| *num_frames > MAX_FRAMES) {
            return Err(too_many_frames(num_frames));
        }
        let num_channels = options.num_channels as usize;
        let mut plan = Self {
            sample_rate: options.sample_rate,
            num_channels,
            bits_per_sample: options.bits_per_sample,
            settings: Settings::of_effort(options.effort),
            num_frames: options.num_frames,
            comments: metadata::comments(&options.tags, options.channel_mask, num_channels)?,
            num_threads: options.max_threads.max(1) as usize,
            num_blocks: 0,
        };
        plan.fit_into(options.max_alloc)?;
        Ok(plan)
    }

    fn format(&self, bits_per_sample: u32) -> Format {
        let Self { sample_rate, num_channels, settings, .. } = *self;
        Format { sample_rate, num_channels, bits_per_sample, settings }
    }

    /// Chooses how many blocks are coded together, and on how many threads: as many as memory is allowed for.
    fn fit_into(&mut self, max_alloc: u64) -> Result<()> {
        let format = self.format(self.bits_per_sample.unwrap_or(24));
        // A block's samples, and its bytes twice: a vector may grow.
        let samples = (self.num_channels * self.settings.block_size * size_of::<i32>()) as u64;
        let per_block = samples + 2 * format.max_frame_bytes() as u64;
        let per_thread = FrameEncoder::num_bytes(&format);
        // The header is made of the comments, and of a table of at most 80 kB.
        let others = 3 * self.comments.len() as u64 + (256 << 10);
        let needed = others + per_thread + per_block;
        if needed > max_alloc {
            let what = format!("encoding takes {needed} bytes and only {max_alloc} may be allocated");
            return Err(Error::new(Status::Limit, what));
        }
        let room = max_alloc - others;
        // At most half of it for threads.
        let num_threads = usize::try_from((room / 2) / per_thread).unwrap_or(usize::MAX);
        self.num_threads = self.num_threads.min(num_threads).max(1);
        let for_blocks = (room - self.num_threads as u64 * per_thread) / per_block;
        let most = self.num_threads.saturating_mul(BATCH_BLOCKS);
        self.num_blocks = usize::try_from(for_blocks).unwrap_or(usize::MAX).clamp(1, most);
        Ok(())
    }
}

fn too_many_frames(num_frames: u64) -> Error {
    Error::new(Status::Limit, format!("{num_frames} frames are more than the {MAX_FRAMES} of a FLAC file"))
}

/// A file whose header is written.
#[derive(Debug)]
struct Stream {
    format: Format,
    info: StreamInfo,
    seek_table: SeekTable,
    /// Of the samples, where it can be written in the end.
    digest: Option<SampleDigest>,
    encoders: Vec<FrameEncoder>,
    /// Samples that are not coded yet.
    channels: Vec<Vec<i32>>,
    /// How many of each channel are coded together.
    batch_frames: usize,
    /// Where the first frame of the specification begins.
    first_offset: u64,
    num_blocks: u64,
}

impl Stream {
    fn begin(plan: &Plan, first: SampleFormat, sink: &mut Sink) -> Result<Self> {
        let by_format = if first == SampleFormat::I32 { 24 } else { 16 };
        let format = plan.format(plan.bits_per_sample.unwrap_or(by_format));
        let can_go_back = !sink.is_append_only();
        let num_frames = plan.num_frames.unwrap_or(0);
        let seek_table =
            if can_go_back { SeekTable::with_room(num_frames, &format) } else { SeekTable::default() };
        let info = StreamInfo { num_frames, ..StreamInfo::default() };
        sink.append(&metadata::header(&format, info, &seek_table, &plan.comments))?;
        let batch_frames = plan.num_blocks * format.settings.block_size;
        let expected = usize::try_from(plan.num_frames.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
        let channel = || Vec::with_capacity(batch_frames.min(expected));
        Ok(Self {
            format,
            info,
            seek_table,
            digest: can_go_back.then(|| SampleDigest::new(format.bits_per_sample)),
            encoders: (0..plan.num_threads).map(|_| FrameEncoder::new(format)).collect(),
            channels: (0..plan.num_channels).map(|_| channel()).collect(),
            batch_frames,
            first_offset: sink.num_bytes(),
            num_blocks: 0,
        })
    }

    /// Takes frames, and codes whenever enough have come together.
    fn take(&mut self, frames: &Block<'_>, sink: &mut Sink) -> Result<()> {
        let mut first = 0;
        while first < frames.num_frames() {
            let num_pending = self.channels.first().map_or(0, Vec::len);
            let last = first.saturating_add(self.batch_frames - num_pending).min(frames.num_frames());
            depth::append(frames, first..last, self.format.bits_per_sample, &mut self.channels);
            if num_pending + (last - first) == self.batch_frames {
                self.encode_pending(sink)?;
            }
            first = last;
        }
        Ok(())
    }

    /// Codes all that was taken. Only the last time it need not be whole blocks.
    fn encode_pending(&mut self, sink: &mut Sink) -> Result<()> {
        let Self { info, seek_table, num_blocks, first_offset, .. } = self;
        let block_size = self.format.settings.block_size;
        let first_number = *num_blocks;
        let mut num_pending = self.channels.first().map_or(0, Vec::len);
        let deliver = |bytes: &[u8]| {
            let first_frame = *num_blocks * block_size as u64;
            seek_table.add(first_frame, sink.num_bytes() - *first_offset, num_pending.min(block_size));
            num_pending = num_pending.saturating_sub(block_size);
            info.add_frame_bytes(bytes.len());
            *num_blocks += 1;
            sink.append(bytes)
        };
        let digest = self.digest.as_mut();
        batch::encode(&self.channels, block_size, first_number, &mut self.encoders, digest, deliver)?;
        self.channels.iter_mut().for_each(Vec::clear);
        Ok(())
    }

    /// Writes what is known only at the end.
    fn complete_header(&mut self, num_frames: u64, sink: &mut Sink) -> Result<()> {
        self.info.num_frames = num_frames;
        self.info.digest = self.digest.as_ref().map(SampleDigest::finish).unwrap_or_default();
        sink.overwrite(STREAM_INFO_OFFSET, &self.info.to_bytes(&self.format))?;
        if self.seek_table.is_empty() {
            return Ok(());
        }
        sink.overwrite(SEEK_TABLE_OFFSET, &self.seek_table.to_bytes())
    }
}
