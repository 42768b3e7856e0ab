//! Blocks of ADPCM inside a WAV, AIFF-C or CAF file: where they are, and the frames they hold.

#![forbid(unsafe_code)]

use std::borrow::Cow;
use std::ffi::CStr;
use std::ops::Range;

use mapwave_plugin::{
    DecoderOptions, Error, Input, Output, Result, SampleFormat, SeekClass, Status, StreamInfo, Track,
};

use crate::engine::packets::{Broken, Packet, PacketCodec, PacketStream};
use crate::host_track;

use super::{ima, ms};

/// The largest block in bytes: that of a WAV file. CAF's field has room for absurd sizes.
const MOST_BLOCK_BYTES: u64 = 1 << 20;
/// Blocks are decoded in runs of about this many frames, so that small ones do not cost a call each.
const RUN_FRAMES: u64 = 4096;

/// The layout of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    ImaWav,
    ImaQt,
    Ms(Vec<ms::Coefficients>),
}

impl Kind {
    /// The codec with this name, configured by `config`.
    fn new(codec: &str, config: &[u8], is_big_endian: bool) -> Option<Self> {
        match codec {
            "adpcm_ima_wav" => Some(Self::ImaWav),
            "adpcm_ima_qt" => Some(Self::ImaQt),
            "adpcm_ms" if is_big_endian => Some(Self::Ms(ms::coefficients(config, i16::from_be_bytes))),
            "adpcm_ms" => Some(Self::Ms(ms::coefficients(config, i16::from_le_bytes))),
            _ => None,
        }
    }

    fn codec(&self) -> &'static CStr {
        match self {
            Self::ImaWav => c"adpcm_ima_wav",
            Self::ImaQt => c"adpcm_ima_qt",
            Self::Ms(_) => c"adpcm_ms",
        }
    }

    /// The frames in the first `num_bytes` bytes of a block.
    fn frames(&self, num_bytes: usize, num_channels: usize) -> usize {
        match self {
            Self::ImaWav => ima::wav_frames(num_bytes, num_channels),
            Self::ImaQt => ima::qt_frames(num_bytes, num_channels),
            Self::Ms(_) => ms::frames(num_bytes, num_channels),
        }
    }

    fn decode(&self, block: &[u8], num_channels: usize, samples: &mut [i16]) -> Option<()> {
        match self {
            Self::ImaWav => ima::decode_wav(block, num_channels, samples),
            Self::ImaQt => ima::decode_qt(block, num_channels, samples),
            Self::Ms(coefficients) => ms::decode(block, num_channels, coefficients, samples),
        }
    }
}

/// A stream of blocks that do not depend on each other.
#[derive(Debug)]
pub(crate) struct Blocks {
    input: Input,
    info: StreamInfo,
    kind: Kind,
    num_channels: usize,
    data: Range<u64>,
    block_bytes: u64,
    block_frames: u64,
    blocks_per_run: u64,
    /// The frames in the file, priming and padding included.
    decoded_frames: u64,
}

impl Blocks {
    pub(crate) fn open(input: Input, options: &DecoderOptions<'_>) -> Result<Self> {
        let Some(track) = &options.track else {
            return Err(Error::unsupported("ADPCM is supported only in containers that the host has parsed"));
        };
        let (kind, container) = (kind(&input, track)?, container(track)?);
        let num_channels = num_channels(track, &kind)?;
        let block_bytes = block_bytes(track, &kind, num_channels)?;
        let block_frames = block_frames(track, &kind, block_bytes, num_channels)?;

        let data = track.data.start.min(input.num_bytes())..track.data.end.min(input.num_bytes());
        let data_bytes = data.end.saturating_sub(data.start);
        let (num_blocks, rest) = (data_bytes / block_bytes.max(1), data_bytes % block_bytes.max(1));
        let rest_frames = (kind.frames(to_usize(rest)?, num_channels) as u64).min(block_frames);
        let decoded_frames = num_blocks.saturating_mul(block_frames).saturating_add(rest_frames);
        let timeline = Timeline::new(track, decoded_frames);

        let blocks_per_run = (RUN_FRAMES / block_frames.max(1)).max(1);
        let run_bytes = blocks_per_run.saturating_mul(block_bytes);
        // The bytes, if a callback reads them, and the samples of the run.
        let frame_bytes = 2 * num_channels as u64;
        let needed = blocks_per_run.saturating_mul(block_frames).saturating_mul(frame_bytes);
        if needed.saturating_add(run_bytes) > options.max_alloc {
            let message = format!("a block of {block_frames} frames needs more than the memory allowed");
            return Err(Error::new(Status::Limit, message));
        }
        let info = StreamInfo {
            sample_rate: track.sample_rate,
            num_channels: track.num_channels,
            channel_mask: track.channel_mask,
            num_frames: Some(timeline.num_frames),
            bits_per_sample: 4,
            native_format: SampleFormat::I16,
            formats: &[SampleFormat::I16, SampleFormat::I32, SampleFormat::F32],
            seek_class: SeekClass::Exact,
            is_lossless: false,
            is_truncated: timeline.is_truncated,
            priming_frames: timeline.priming_frames,
            padding_frames: timeline.padding_frames,
            seek_cost_frames: (blocks_per_run.saturating_mul(block_frames)) / 2,
            codec: kind.codec(),
            container,
        };
        Ok(Self {
            input,
            info,
            kind,
            num_channels,
            data,
            block_bytes,
            block_frames,
            blocks_per_run,
            decoded_frames,
        })
    }

    /// Bytes of the input, borrowed from memory or read.
    fn bytes(&self, range: Range<u64>) -> Result<Cow<'_, [u8]>> {
        let (start, end) = (to_usize(range.start)?, to_usize(range.end)?);
        if let Some(bytes) = self.input.bytes() {
            return Ok(Cow::Borrowed(bytes.get(start..end).unwrap_or_default()));
        }
        let mut bytes = vec![0; end.saturating_sub(start)];
        let num_read = self.input.read_at(range.start, &mut bytes)?;
        bytes.truncate(num_read);
        Ok(Cow::Owned(bytes))
    }
}

/// The frames that remain after trimming.
struct Timeline {
    num_frames: u64,
    priming_frames: u32,
    padding_frames: u32,
    is_truncated: bool,
}

impl Timeline {
    /// A CAF packet table states which frames count. The `fact` chunk of the WAVE family is ignored: its writers
    /// disagree about what it counts, and FFmpeg and libsndfile return all frames of all blocks.
    fn new(track: &Track<'_>, decoded_frames: u64) -> Self {
        let is_table = track.container == "caf";
        let trims = if is_table { (track.priming_frames, track.padding_frames) } else { (0, 0) };
        let after_priming = decoded_frames.saturating_sub(trims.0.into());
        let stated = track.num_frames.filter(|_| is_table);
        let num_frames = match stated {
            Some(stated) => stated.min(after_priming),
            None => after_priming.saturating_sub(trims.1.into()),
        };
        let padding = after_priming.saturating_sub(num_frames);
        Self {
            num_frames,
            priming_frames: trims.0,
            padding_frames: u32::try_from(padding).unwrap_or(u32::MAX),
            is_truncated: stated.is_some_and(|stated| stated > after_priming),
        }
    }
}

fn kind(input: &Input, track: &Track<'_>) -> Result<Kind> {
    let unsupported =
        || Error::unsupported(format!("the codec {} is not supported by this decoder", track.codec));
    // The first 16 bits of the rest of a `fmt ` chunk are its size.
    let num_bytes = track.config.end.saturating_sub(track.config.start).min(u16::MAX.into());
    let mut config = vec![0; to_usize(num_bytes)?];
    let num_read = input.read_at(track.config.start, &mut config)?;
    config.truncate(num_read);
    // CAF has a magic cookie instead, whose form is not documented.
    let config = if track.container == "caf" { &[] } else { config.as_slice() };
    Kind::new(track.codec, config, track.container == "rifx").ok_or_else(unsupported)
}

fn container(track: &Track<'_>) -> Result<&'static CStr> {
    let name = host_track::container_name(track);
    name.ok_or_else(|| {
        Error::unsupported(format!("ADPCM in the container '{}' is not supported", track.container))
    })
}

fn num_channels(track: &Track<'_>, kind: &Kind) -> Result<usize> {
    match (kind, track.num_channels) {
        (_, 0) => Err(Error::bad_data(track.data.start, "the number of channels is 0, expected at least 1")),
        (Kind::Ms(_), 3..) => {
            let message = format!("Microsoft ADPCM has 1 or 2 channels, not {}", track.num_channels);
            Err(Error::unsupported(message))
        }
        (_, num_channels) => to_usize(num_channels.into()),
    }
}

fn block_bytes(track: &Track<'_>, kind: &Kind, num_channels: usize) -> Result<u64> {
    let stated = u64::from(track.bytes_per_packet);
    let bad = |message: String| Err(Error::bad_data(track.data.start, message));
    if *kind == Kind::ImaQt {
        let expected = (ima::QT_BYTES * num_channels) as u64;
        if stated != 0 && stated != expected {
            return bad(format!("packets of {stated} bytes, expected {expected}, 34 for each channel"));
        }
        return Ok(expected);
    }
    if stated > MOST_BLOCK_BYTES {
        return bad(format!("blocks of {stated} bytes, expected at most {MOST_BLOCK_BYTES}"));
    }
    if kind.frames(to_usize(stated)?, num_channels) == 0 {
        return bad(format!(
            "blocks of {stated} bytes, which cannot hold the headers of {num_channels} channels"
        ));
    }
    Ok(stated)
}

/// The frames of a block: as many as it has room for, or fewer if the container says so.
fn block_frames(track: &Track<'_>, kind: &Kind, block_bytes: u64, num_channels: usize) -> Result<u64> {
    let room = kind.frames(to_usize(block_bytes)?, num_channels) as u64;
    let stated = u64::from(track.frames_per_packet);
    if *kind == Kind::ImaWav && stated > room && is_other_depth(stated, block_bytes, num_channels as u64) {
        let message =
            format!("blocks of {block_bytes} bytes with {stated} frames do not have 4 bits per sample");
        return Err(Error::unsupported(message));
    }
    Ok(if stated == 0 { room } else { stated.min(room) })
}

/// Whether a block has the number of frames that fit at 3 bits per sample, which the IMA also allows and which is too
/// common to be a mistake in the header.
fn is_other_depth(stated: u64, block_bytes: u64, num_channels: u64) -> bool {
    let sound = block_bytes.saturating_sub(4 * num_channels);
    // 32 samples of a channel in 12 bytes (`mmreg.h`, IMAADPCMWAVEFORMAT).
    sound.checked_div(12 * num_channels).is_some_and(|words| words > 0 && stated == words * 32 + 1)
}

impl PacketStream for Blocks {
    /// The number of a run of blocks.
    type Cursor = u64;
    type Bytes<'a> = Cow<'a, [u8]>;
    type Codec = BlockCodec;

    fn info(&self) -> &StreamInfo {
        &self.info
    }

    fn entry(&self, frame: u64) -> Result<u64> {
        Ok(frame / self.blocks_per_run.saturating_mul(self.block_frames).max(1))
    }

    fn next<'a>(&'a self, run: &mut u64) -> Result<Option<Packet<Cow<'a, [u8]>>>> {
        let first_frame = run.saturating_mul(self.blocks_per_run).saturating_mul(self.block_frames);
        if first_frame >= self.decoded_frames {
            return Ok(None);
        }
        let run_bytes = self.blocks_per_run.saturating_mul(self.block_bytes);
        let start = self.data.start.saturating_add(run.saturating_mul(run_bytes)).min(self.data.end);
        let end = start.saturating_add(run_bytes).min(self.data.end);
        let num_frames =
            self.blocks_per_run.saturating_mul(self.block_frames).min(self.decoded_frames - first_frame);
        *run += 1;
        Ok(Some(Packet { bytes: self.bytes(start..end)?, offset: start, first_frame, num_frames }))
    }

    fn codec(&self, _: u64) -> Result<BlockCodec> {
        Ok(BlockCodec { samples: Vec::new(), num_channels: self.num_channels })
    }
}

/// The samples of a run of blocks.
#[derive(Debug)]
pub(crate) struct BlockCodec {
    samples: Vec<i16>,
    num_channels: usize,
}

impl PacketCodec<Blocks> for BlockCodec {
    /// A block with an impossible header becomes silence.
    fn decode(&mut self, stream: &Blocks, packet: &Packet<Cow<'_, [u8]>>) -> Result<usize, Broken> {
        let num_frames = to_usize(packet.num_frames).map_err(Broken::Fatal)?;
        let block_bytes = to_usize(stream.block_bytes).map_err(Broken::Fatal)?;
        let block_frames = to_usize(stream.block_frames).map_err(Broken::Fatal)?;
        self.samples.clear();
        self.samples.resize(num_frames * self.num_channels, 0);
        let runs = self.samples.chunks_mut(block_frames * self.num_channels);
        for (block, samples) in packet.bytes.chunks(block_bytes).zip(runs) {
            if stream.kind.decode(block, self.num_channels, samples).is_none() {
                samples.fill(0);
            }
        }
        Ok(num_frames)
    }

    fn write(&self, frames: Range<usize>, output: &mut Output<'_>) -> usize {
        let samples = frames.start * self.num_channels..frames.end * self.num_channels;
        let samples = self.samples.get(samples).unwrap_or_default();
        match output.format() {
            SampleFormat::I16 => output.write_interleaved(samples, |sample: i16| sample),
            SampleFormat::I32 => output.write_interleaved(samples, |sample| i32::from(sample) << 16),
            SampleFormat::F32 => output.write_interleaved(samples, |sample| f32::from(sample) / 32768.0),
        }
    }
}

fn to_usize(number: u64) -> Result<usize> {
    usize::try_from(number)
        .map_err(|_| Error::new(Status::Limit, format!("{number} does not fit into memory")))
}
