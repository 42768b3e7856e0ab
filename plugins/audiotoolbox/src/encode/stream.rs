//! A stream being encoded: frames in, bytes of a container out.

#![allow(unsafe_code)] // passes the callbacks of a store to the framework

use std::ffi::CStr;

use mapwave_plugin::{Block, EncoderOptions, Error, Result, SampleFormat, Sink, Status};

use super::plan::{Plan, without_frames};
use super::samples::Samples;
use super::store::Store;
use crate::audio_file::AudioFile;
use crate::ext_file::ExtFile;
use crate::sys::*;
use crate::{property, speakers};

/// The maximum number of frames to encode at once.
const MAX_FRAMES: usize = 4096;

/// The maximum number of bytes of a file to keep until it is complete.
const MAX_STORE: u64 = 256 << 20;

/// A stream that is encoded into a sink.
pub(super) struct Stream {
    plan: Plan,
    max_store: u64,
    /// `None` once it is finished or has failed.
    file: Option<ExtFile<Store>>,
    samples: Samples,
    /// The number of frames pushed so far.
    num_frames: u64,
}

impl Stream {
    /// Opens an encoder for one of the codecs and containers of a table. Nothing is written yet.
    ///
    /// # Errors
    /// [`Status::Unsupported`] for settings that the framework, the codec or the container does not support.
    pub(super) fn open(
        options: &EncoderOptions<'_>,
        sink: Sink,
        codecs: &CStr,
        containers: &'static CStr,
    ) -> Result<Self> {
        let plan = Plan::new(options, codecs, containers)?;
        let samples_bytes = 4 * MAX_FRAMES as u64 * u64::from(plan.num_channels);
        let needed = Store::MIN_BYTES + samples_bytes;
        if needed > options.max_alloc {
            let message =
                format!("encoding needs {needed} bytes, but only {} may be allocated", options.max_alloc);
            return Err(Error::new(Status::Limit, message));
        }
        let max_store = (options.max_alloc - samples_bytes).min(MAX_STORE);
        let file = begin(&plan, Store::new(sink, max_store))?;
        let samples = Samples::new(plan.client());
        Ok(Self { plan, max_store, file: Some(file), samples, num_frames: 0 })
    }

    /// Pushes all frames of a block.
    ///
    /// # Errors
    /// [`Status::BadData`] for a sample that is not finite; [`Status::Io`] when the sink fails.
    pub(super) fn push(&mut self, block: &Block<'_>) -> Result<()> {
        block.check_floats(self.num_frames, "a number", f32::is_finite)?;
        if self.num_frames == 0 && block.num_frames() > 0 {
            self.settle_depth(block.format())?;
        }
        let file = self.file.as_mut().ok_or_else(finished)?;
        let bits = self.plan.bits_per_sample;
        for first in (0..block.num_frames()).step_by(MAX_FRAMES) {
            let range = first..block.num_frames().min(first + MAX_FRAMES);
            let count = (range.end - range.start) as u64;
            self.samples.fill(block, range, bits);
            match &self.samples {
                Samples::F32(samples) => file.write(samples)?,
                Samples::I16(samples) => file.write(samples)?,
                Samples::I32(samples) => file.write(samples)?,
            }
            self.num_frames += count;
        }
        Ok(())
    }

    /// If no bit depth was given, the first frames decide: 16 bits for 16-bit samples, else 24.
    fn settle_depth(&mut self, format: SampleFormat) -> Result<()> {
        if !self.plan.is_depth_open || format != SampleFormat::I16 {
            return Ok(());
        }
        self.plan.bits_per_sample = 16;
        // The file begun for another bit depth has not reached the sink.
        let sink = self.file.take().ok_or_else(finished)?.close()?.into_sink();
        self.file = Some(begin(&self.plan, Store::new(sink, self.max_store))?);
        self.samples = Samples::new(self.plan.client());
        Ok(())
    }

    /// Encodes the remaining frames and finishes the file.
    ///
    /// # Errors
    /// [`Status::Unsupported`] when there was no frame; [`Status::Io`] when the sink fails.
    pub(super) fn finish(&mut self) -> Result<()> {
        if self.num_frames == 0 {
            return Err(without_frames(self.plan.container));
        }
        self.file.take().ok_or_else(finished)?.close()?.finish()
    }
}

/// Creates a file and sets up its codec.
fn begin(plan: &Plan, store: Store) -> Result<ExtFile<Store>> {
    let mut format = plan.description();
    property::complete(&mut format, "describing the codec")?;
    // SAFETY: the callbacks are those of a store.
    let file = unsafe { AudioFile::initialize(store, Store::callbacks(), plan.file_type, &format) }?;
    let mut file = ExtFile::wrap(file, true)?;
    let property = kExtAudioFileProperty_FileDataFormat;
    let found: AudioStreamBasicDescription = file.required(property, "reading the format")?;
    if (found.mSampleRate, found.mChannelsPerFrame) != (format.mSampleRate, format.mChannelsPerFrame) {
        let message = format!(
            "AudioToolbox would write {} Hz and {} channels instead of {} Hz and {}",
            found.mSampleRate, found.mChannelsPerFrame, format.mSampleRate, format.mChannelsPerFrame
        );
        return Err(Error::unsupported(message));
    }
    if let Some((_, tag)) = plan.layout {
        let layout = AudioChannelLayout { mChannelLayoutTag: tag, ..AudioChannelLayout::default() };
        file.set_layout(kExtAudioFileProperty_FileChannelLayout, &layout)?;
    }
    file.set_client(plan.client(), plan.sample_rate.into(), plan.num_channels)?;
    if let Some((mask, _)) = plan.layout {
        file.set_layout(kExtAudioFileProperty_ClientChannelLayout, &speakers::in_order(mask))?;
    }
    plan.steering.apply(&mut file)?;
    Ok(file)
}

fn finished() -> Error {
    Error::new(Status::BadState, "the file is finished")
}
