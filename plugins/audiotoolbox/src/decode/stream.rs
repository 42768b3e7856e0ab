//! What is known of a file.

#![forbid(unsafe_code)]

use std::ffi::CStr;

use mapwave_plugin::{DecoderOptions, Error, Input, Result, SampleFormat, Status, StreamInfo};

use super::codec::{self, Depth, Entry};
use super::container::Container;
use super::probe;
use super::run::{MAX_FRAMES, Run, Setup};
use crate::audio_file::AudioFile;
use crate::ext_file::ExtFile;
use crate::source::Source;
use crate::speakers;
use crate::sys::*;

/// The maximum number of channels, more than any layout names.
const MAX_CHANNELS: u32 = 64;

/// The number of bytes by which the file type is identified.
const HEAD_BYTES: usize = 16;

/// A stream that can be decoded, shared by all handles.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) input: Input,
    pub(super) hint: u32,
    pub(super) setup: Setup,
    pub(super) info: StreamInfo,
    pub(super) container_variant: Option<String>,
}

/// The framework's description of a file.
struct Description {
    format: AudioStreamBasicDescription,
    sample_rate: u32,
    depth: Depth,
    codec: &'static CStr,
    file_type: u32,
    packets: AudioFilePacketTableInfo,
    channel_mask: u32,
    num_frames: u64,
}

impl Stream {
    /// Opens a file and collects the facts about it.
    ///
    /// # Errors
    /// [`Status::Unsupported`] for unsupported files, [`Status::BadData`] for damaged ones.
    pub(super) fn open(input: Input, options: &DecoderOptions<'_>) -> Result<(Self, Run)> {
        let mut head = [0; HEAD_BYTES];
        let num_read = input.read_at(0, &mut head)?;
        let head = head.get(..num_read).unwrap_or_default();
        let hint = probe::type_hint(head, options.extension, options.track.as_ref());
        let file = AudioFile::open(Source::new(input.clone()), hint)?;
        let mut ext = ExtFile::wrap(file, false)?;
        let description = Description::read(&mut ext)?;
        let entry = Entry::of(description.format.mFormatID);
        let setup = Setup {
            sample_rate: description.format.mSampleRate,
            num_channels: description.format.mChannelsPerFrame,
            channel_mask: description.channel_mask,
            pre_roll: entry.num_frames(description.format.mFramesPerPacket),
        };
        check_memory(&setup, options.max_alloc)?;
        let mut run = Run::new(ext);
        let promised = description.num_frames;
        let num_frames = run.count(&setup, promised)?;
        let container = Container::of(description.file_type, &input)?;
        let info = StreamInfo {
            sample_rate: description.sample_rate,
            num_channels: setup.num_channels,
            channel_mask: setup.channel_mask.into(),
            num_frames: Some(num_frames),
            bits_per_sample: description.depth.bits(),
            native_format: description.depth.formats().first().copied().unwrap_or(SampleFormat::F32),
            formats: description.depth.formats(),
            seek_class: entry.seek_class(description.sample_rate),
            is_lossless: description.depth.is_lossless(),
            is_truncated: num_frames < promised,
            priming_frames: u32::try_from(description.packets.mPrimingFrames).unwrap_or(0),
            padding_frames: u32::try_from(description.packets.mRemainderFrames).unwrap_or(0),
            seek_cost_frames: setup.pre_roll + u64::from(description.format.mFramesPerPacket),
            codec: description.codec,
            container: container.name,
        };
        Ok((Self { input, hint, setup, info, container_variant: container.variant }, run))
    }
}

impl Description {
    fn read(ext: &mut ExtFile<Source>) -> Result<Self> {
        let property = kExtAudioFileProperty_FileDataFormat;
        let format: AudioStreamBasicDescription = ext.required(property, "reading the format")?;
        let sample_rate = sample_rate(&format)?;
        let num_channels = format.mChannelsPerFrame;
        if !(1..=MAX_CHANNELS).contains(&num_channels) {
            let message = format!("{num_channels} channels, expected 1 to {MAX_CHANNELS}");
            return Err(Error::unsupported(message));
        }
        let codec = codec::name(&format).ok_or_else(|| unnamed(&format))?;
        check_layers(ext, &format)?;
        let file = ext.file();
        let property = kAudioFilePropertyPacketTableInfo;
        // Only reported: the framework trims priming and remainder itself.
        let packets = file.optional(property, "reading the packet table")?.unwrap_or_default();
        let source = file.optional(kAudioFilePropertySourceBitDepth, "reading the depth")?;
        let property = kAudioFilePropertyChannelLayout;
        let layout: Vec<u32> = file.list(property, "reading the channel layout")?;
        let layout = if speakers::is_layout(&layout) { layout.as_slice() } else { &[] };
        let channel_mask = speakers::mask(layout, num_channels)?;
        let file_type = file.optional(kAudioFilePropertyFileFormat, "reading the file type")?;
        let property = kExtAudioFileProperty_FileLengthFrames;
        let num_frames: i64 = ext.required(property, "reading the number of frames")?;
        let num_frames = u64::try_from(num_frames)
            .map_err(|_| Error::new(Status::BadData, format!("{num_frames} frames, expected at least 0")))?;
        Ok(Self {
            depth: codec::depth(&format, source),
            format,
            sample_rate,
            codec,
            file_type: file_type.unwrap_or(0),
            packets,
            channel_mask,
            num_frames,
        })
    }
}

/// The sample rate of a description, if it is a whole number of hertz.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // inside of the range that was checked
fn sample_rate(format: &AudioStreamBasicDescription) -> Result<u32> {
    let rate = format.mSampleRate;
    if rate.fract() == 0.0 && (1.0..=f64::from(u32::MAX)).contains(&rate) {
        return Ok(rate as u32);
    }
    Err(Error::unsupported(format!("a sample rate of {rate} Hz, expected a whole number of at least 1")))
}

/// Rejects a stream of which only an inner layer would be decoded: half of the sample rate, or half of the channels.
fn check_layers(ext: &mut ExtFile<Source>, format: &AudioStreamBasicDescription) -> Result<()> {
    let property = kAudioFilePropertyFormatList;
    let layers: Vec<AudioFormatListItem> = ext.file().list(property, "reading the layers of the codec")?;
    let Some(best) = layers.first().map(|item| item.mASBD) else { return Ok(()) };
    if best.mSampleRate <= format.mSampleRate && best.mChannelsPerFrame <= format.mChannelsPerFrame {
        return Ok(());
    }
    let message = format!(
        "the stream has {} Hz and {} channels, but AudioToolbox would decode a layer with {} Hz and {} channels",
        best.mSampleRate, best.mChannelsPerFrame, format.mSampleRate, format.mChannelsPerFrame
    );
    Err(Error::unsupported(message))
}

fn unnamed(format: &AudioStreamBasicDescription) -> Error {
    let code: String =
        format.mFormatID.to_be_bytes().iter().map(|byte| byte.escape_ascii().to_string()).collect();
    let bits = format.mBitsPerChannel;
    Error::unsupported(format!("the codec '{code}' with {bits} bits per sample is not supported"))
}

fn check_memory(setup: &Setup, max_alloc: u64) -> Result<()> {
    // The samples on their way, and the bytes of them.
    let needed = 2 * 4 * MAX_FRAMES as u64 * u64::from(setup.num_channels);
    if needed <= max_alloc {
        return Ok(());
    }
    let message = format!("decoding needs {needed} bytes, but only {max_alloc} may be allocated");
    Err(Error::new(Status::Limit, message))
}

impl Run {
    /// The number of frames that exist out of the promised ones: all, unless the last is missing.
    fn count(&mut self, setup: &Setup, promised: u64) -> Result<u64> {
        let Some(last) = promised.checked_sub(1) else { return Ok(0) };
        let mut frame = vec![0.0f32; setup.num_channels as usize];
        match self.enter::<f32>(last, setup).and_then(|()| self.read(&mut frame)) {
            Ok(1..) => return Ok(promised),
            Ok(0) => {}
            Err(error) if error.status() == Status::BadData => {}
            Err(error) => return Err(error),
        }
        self.forget();
        self.enter::<f32>(0, setup)?;
        let mut samples = vec![0.0f32; MAX_FRAMES * setup.num_channels as usize];
        while self.position() < promised {
            match self.read(&mut samples) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) if error.status() == Status::BadData => break,
                Err(error) => return Err(error),
            }
        }
        let num_frames = self.position().min(promised);
        self.forget();
        Ok(num_frames)
    }
}
