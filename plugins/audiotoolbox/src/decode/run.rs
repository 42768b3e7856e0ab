//! A codec while it decodes a file.

#![forbid(unsafe_code)]

use mapwave_plugin::{Error, Input, Result, Sample, SampleFormat};

use crate::ext_file::ExtFile;
use crate::source::Source;
use crate::speakers;
use crate::sys::*;

/// The facts needed to decode a stream.
#[derive(Clone, Debug)]
pub(super) struct Setup {
    pub(super) sample_rate: f64,
    pub(super) num_channels: u32,
    /// The speakers that give the channel order; 0 for the stream's own order.
    pub(super) channel_mask: u32,
    /// The pre-roll in frames.
    pub(super) pre_roll: u64,
}

/// The maximum number of frames to decode at once.
pub(super) const MAX_FRAMES: usize = 4096;

/// A codec at a position in a file.
pub(super) struct Run {
    ext: ExtFile<Source>,
    format: SampleFormat,
    /// The number of the next frame.
    position: u64,
    /// Whether the sample type has not been set yet, or has changed.
    is_stale: bool,
}

impl Run {
    /// Takes over a file with a codec.
    pub(super) fn new(ext: ExtFile<Source>) -> Self {
        Self { ext, format: SampleFormat::F32, position: 0, is_stale: true }
    }

    /// Opens a file again.
    ///
    /// # Errors
    /// When it can no longer be opened.
    pub(super) fn open(input: Input, hint: u32) -> Result<Self> {
        let file = crate::audio_file::AudioFile::open(Source::new(input), hint)?;
        ExtFile::wrap(file, false).map(Self::new)
    }

    /// Marks a discontinuity before the next frame.
    pub(super) fn forget(&mut self) {
        self.is_stale = true;
    }

    /// Starts a new codec at a frame, unless the current one reaches it with the right sample type.
    ///
    /// # Errors
    /// When the file cannot be read or decoded there.
    pub(super) fn enter<T: Sample>(&mut self, frame: u64, setup: &Setup) -> Result<()> {
        if !self.is_stale && self.format == T::FORMAT && self.position == frame {
            return Ok(());
        }
        // A reset codec is not a new one: noise generators and predictors keep their state.
        self.is_stale = true;
        self.ext.rewrap()?;
        self.ext.set_client(T::FORMAT, setup.sample_rate, setup.num_channels)?;
        if setup.channel_mask != 0 {
            let layout = speakers::in_order(setup.channel_mask);
            self.ext.set_layout(kExtAudioFileProperty_ClientChannelLayout, &layout)?;
        }
        self.format = T::FORMAT;
        self.position = frame.saturating_sub(setup.pre_roll);
        if self.position > 0 {
            self.ext.seek(self.position)?;
        }
        self.skip::<T>(frame, setup)?;
        self.is_stale = false;
        Ok(())
    }

    fn skip<T: Sample>(&mut self, frame: u64, setup: &Setup) -> Result<()> {
        let num_channels = setup.num_channels as usize;
        let num_frames = (frame - self.position.min(frame)).min(MAX_FRAMES as u64);
        let mut dropped = vec![T::default(); usize::try_from(num_frames).unwrap_or(0) * num_channels];
        while self.position < frame {
            let rest = usize::try_from(frame - self.position).unwrap_or(MAX_FRAMES).min(MAX_FRAMES);
            let room = dropped.get_mut(..rest * num_channels).unwrap_or_default();
            if self.read(room)? == 0 {
                return Err(early_end(self.position, frame));
            }
        }
        Ok(())
    }

    /// Decodes frames; none at the end.
    ///
    /// # Errors
    /// When packets cannot be read or decoded.
    pub(super) fn read<T: Sample>(&mut self, samples: &mut [T]) -> Result<usize> {
        let result = self.ext.read(samples);
        match &result {
            Ok(count) => self.position += *count as u64,
            Err(_) => self.is_stale = true,
        }
        result
    }

    /// The number of the next frame.
    pub(super) fn position(&self) -> u64 {
        self.position
    }
}

/// The stream ends before a frame that it should have.
pub(super) fn early_end(position: u64, frame: u64) -> Error {
    let message = format!("decoding: the stream ends at frame {position}, expected at least {frame}");
    Error::new(mapwave_plugin::Status::BadData, message)
}
