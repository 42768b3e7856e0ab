//! Checked settings, and how many blocks are encoded together.

#![forbid(unsafe_code)]

use super::frame::{Format, FrameEncoder};
use super::level::Level;
use super::limits::{MAX_CHANNELS, MAX_FRAMES, MAX_SAMPLE_RATE};
use super::metadata;
use super::settings::EncoderSettings;
use crate::error::Error;

/// The most blocks that a thread encodes between two joins: a few milliseconds of work.
const BATCH_BLOCKS: usize = 32;

/// The length of blocks that are passed on one by one.
const LIVE_BLOCKS_PER_SECOND: usize = 40;
const MIN_LIVE_BLOCK: usize = 256;

/// What a file is going to be.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) format: Format,
    pub(crate) num_frames: Option<u64>,
    /// The payload of the block of tags.
    pub(crate) comments: Vec<u8>,
    pub(crate) is_seekable: bool,
    pub(crate) num_threads: usize,
    /// The blocks that are encoded together.
    pub(crate) num_blocks: usize,
}

impl Plan {
    /// Checks everything that settings can get wrong.
    pub(crate) fn new(settings: &EncoderSettings) -> Result<Self, Error> {
        let EncoderSettings { sample_rate, num_channels, bits_per_sample, channel_mask, .. } = *settings;
        if !(1..=MAX_CHANNELS).contains(&num_channels) {
            return Err(Error::NumChannels(num_channels));
        }
        if !(1..=MAX_SAMPLE_RATE).contains(&sample_rate) {
            return Err(Error::SampleRate(sample_rate));
        }
        if !(4..=24).contains(&bits_per_sample) {
            return Err(Error::BitsPerSample(bits_per_sample));
        }
        let Some(mut level) = Level::numbered(settings.level) else {
            return Err(Error::Level(settings.level));
        };
        let has_bad_mask = channel_mask.count_ones() != num_channels || channel_mask > u32::MAX.into();
        if channel_mask != 0 && has_bad_mask {
            return Err(Error::ChannelMask { mask: channel_mask, num_channels });
        }
        if let Some(num_frames) = settings.num_frames.filter(|num_frames| *num_frames > MAX_FRAMES) {
            return Err(Error::TooManyFrames(num_frames));
        }
        if settings.is_live {
            // A power of two, which every header can name.
            let most =
                (sample_rate as usize / LIVE_BLOCKS_PER_SECOND).clamp(MIN_LIVE_BLOCK, level.block_size);
            level.block_size = 1 << most.ilog2();
        }
        let num_channels = num_channels as usize;
        let mut plan = Self {
            format: Format { sample_rate, num_channels, bits_per_sample, level },
            num_frames: settings.num_frames,
            comments: metadata::comments(&settings.tags, channel_mask, num_channels)?,
            is_seekable: settings.is_seekable,
            num_threads: settings.num_threads.max(1),
            num_blocks: 0,
        };
        plan.fit_into(settings.max_memory)?;
        if settings.is_live {
            (plan.num_blocks, plan.num_threads) = (1, 1);
        }
        Ok(plan)
    }

    /// Chooses how many blocks are encoded together, and on how many threads: as many as the memory allows.
    fn fit_into(&mut self, max_memory: u64) -> Result<(), Error> {
        // A block's samples, and twice the bytes of its FLAC frame: a vector may grow.
        let samples = (self.format.num_channels * self.format.level.block_size * size_of::<i32>()) as u64;
        let per_block = samples + 2 * self.format.max_frame_bytes() as u64;
        let per_thread = FrameEncoder::num_bytes(&self.format);
        // The header consists of the tags, and of a seek table of at most 80 kB.
        let others = 3 * self.comments.len() as u64 + (256 << 10);
        let needed = others + per_thread + per_block;
        if needed > max_memory {
            return Err(Error::Memory { needed, allowed: max_memory });
        }
        let room = max_memory - others;
        // At most half of the room for threads.
        let num_threads = usize::try_from((room / 2) / per_thread).unwrap_or(usize::MAX);
        self.num_threads = self.num_threads.min(num_threads).max(1);
        let for_blocks = (room - self.num_threads as u64 * per_thread) / per_block;
        let most = self.num_threads.saturating_mul(BATCH_BLOCKS);
        self.num_blocks = usize::try_from(for_blocks).unwrap_or(usize::MAX).clamp(1, most);
        Ok(())
    }
}
