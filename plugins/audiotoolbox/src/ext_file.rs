//! An `ExtAudioFileRef` over an [`AudioFile`]: the framework's codecs between packets and samples.

#![allow(unsafe_code)] // the framework's functions

use std::ffi::c_void;
use std::ptr;

use mapwave_plugin::{Error, Result, Sample, SampleFormat, Status};

use crate::audio_file::{AudioFile, Client, warn};
use crate::property::{self, Plain};
use crate::sys::*;

/// A file with a codec, which is in its initial state until something is read or written.
pub(crate) struct ExtFile<C: Client> {
    ext: Opaque,
    /// The wrapped file, which its owner must close.
    file: AudioFile<C>,
    is_writing: bool,
    /// The client sample format.
    client: AudioStreamBasicDescription,
}

// SAFETY: as of `AudioFile`.
unsafe impl<C: Client> Send for ExtFile<C> {}

impl<C: Client> ExtFile<C> {
    /// Attaches a codec to a file.
    ///
    /// # Errors
    /// When there is no codec for it.
    pub(crate) fn wrap(file: AudioFile<C>, is_writing: bool) -> Result<Self> {
        let client = AudioStreamBasicDescription::default();
        let mut wrapped = Self { ext: ptr::null_mut(), file, is_writing, client };
        wrapped.begin()?;
        Ok(wrapped)
    }

    /// Replaces the file's codec by a new one: a codec that is only reset keeps some of its state.
    ///
    /// # Errors
    /// As of [`wrap`](Self::wrap).
    pub(crate) fn rewrap(&mut self) -> Result<()> {
        let status = self.dispose_once();
        self.file.check(status, "releasing the codec")?;
        self.begin()
    }

    fn begin(&mut self) -> Result<()> {
        let (id, for_writing) = (self.file.id(), self.is_writing.into());
        // SAFETY: the file is open, and stays so until the wrapper is disposed of.
        let status = unsafe { ExtAudioFileWrapAudioFileID(id, for_writing, &raw mut self.ext) };
        if status != 0 {
            // Then there is no wrapper, whatever was written to `ext`.
            self.ext = ptr::null_mut();
        }
        self.file.check(status, "finding a codec")
    }

    pub(crate) fn file(&mut self) -> &mut AudioFile<C> {
        &mut self.file
    }

    /// A property that every file has.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn required<T: Plain>(&mut self, property: u32, doing: &str) -> Result<T> {
        let ext = self.ext;
        // SAFETY: the wrapper is there; the size and the place are those of a value.
        let get = |size, place| unsafe { ExtAudioFileGetProperty(ext, property, size, place) };
        // SAFETY: the function writes no more than the size passed to it.
        let value = unsafe { property::required(doing, get) };
        self.file.check(0, doing).and(value)
    }

    fn set(&mut self, property: u32, num_bytes: u32, value: *const c_void, doing: &str) -> Result<()> {
        // SAFETY: the wrapper is there; the callers pass a value of that many bytes that lives until this returns.
        let status = unsafe { ExtAudioFileSetProperty(self.ext, property, num_bytes, value) };
        self.file.check(status, doing)
    }

    /// Sets the type of the interleaved samples that are read or written, at the file's own sample rate.
    ///
    /// # Errors
    /// When the framework does not support the type.
    pub(crate) fn set_client(
        &mut self,
        format: SampleFormat,
        sample_rate: f64,
        num_channels: u32,
    ) -> Result<()> {
        let (flag, num_bytes) = match format {
            SampleFormat::F32 => (kAudioFormatFlagIsFloat, 4),
            SampleFormat::I32 => (kAudioFormatFlagIsSignedInteger, 4),
            SampleFormat::I16 => (kAudioFormatFlagIsSignedInteger, 2),
        };
        let client = AudioStreamBasicDescription {
            mSampleRate: sample_rate,
            mFormatID: kAudioFormatLinearPCM,
            mFormatFlags: flag | kAudioFormatFlagIsPacked,
            mBytesPerPacket: num_bytes * num_channels,
            mFramesPerPacket: 1,
            mBytesPerFrame: num_bytes * num_channels,
            mChannelsPerFrame: num_channels,
            mBitsPerChannel: 8 * num_bytes,
            mReserved: 0,
        };
        let value = ptr::from_ref(&client).cast();
        let num_bytes = AudioStreamBasicDescription::NUM_BYTES;
        let doing = "setting the sample type";
        self.set(kExtAudioFileProperty_ClientDataFormat, num_bytes, value, doing)?;
        self.client = client;
        Ok(())
    }

    /// Sets the channel layout of the samples or of the file.
    ///
    /// # Errors
    /// When the framework cannot convert between them.
    pub(crate) fn set_layout(&mut self, property: u32, layout: &AudioChannelLayout) -> Result<()> {
        let num_bytes = u32::try_from(size_of::<AudioChannelLayout>()).unwrap_or(0);
        self.set(property, num_bytes, ptr::from_ref(layout).cast(), "setting the channel layout")
    }

    /// Applies changes of the codec's properties.
    ///
    /// # Errors
    /// When the codec rejects them.
    pub(crate) fn take_over_settings(&mut self) -> Result<()> {
        let none: *const c_void = ptr::null();
        let num_bytes = u32::try_from(size_of::<*const c_void>()).unwrap_or(8);
        let value = ptr::from_ref(&none).cast();
        self.set(kExtAudioFileProperty_ConverterConfig, num_bytes, value, "setting up the codec")
    }

    /// The codec itself; it lives as long as the wrapper.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn converter(&mut self) -> Result<Opaque> {
        let mut converter: Opaque = ptr::null_mut();
        let mut num_bytes = u32::try_from(size_of::<Opaque>()).unwrap_or(8);
        let (property, place) = (kExtAudioFileProperty_AudioConverter, (&raw mut converter).cast());
        // SAFETY: the wrapper is there; the size and the place are those of a pointer.
        let status = unsafe { ExtAudioFileGetProperty(self.ext, property, &raw mut num_bytes, place) };
        self.file.check(status, "reading the codec")?;
        if converter.is_null() {
            return Err(Error::new(Status::Internal, "reading the codec: there is none"));
        }
        Ok(converter)
    }

    /// Seeks to a frame, priming not counted.
    ///
    /// # Errors
    /// When the frame does not exist, or the file cannot be read.
    pub(crate) fn seek(&mut self, frame: u64) -> Result<()> {
        let frame = i64::try_from(frame).unwrap_or(i64::MAX);
        // SAFETY: the wrapper is there.
        let status = unsafe { ExtAudioFileSeek(self.ext, frame) };
        self.file.check(status, "seeking")
    }

    /// Reads whole frames of the type that was set; returns their number, which is 0 at the end and may be less than
    /// the space before it.
    ///
    /// # Errors
    /// When packets cannot be read or decoded.
    pub(crate) fn read<T: Sample>(&mut self, samples: &mut [T]) -> Result<usize> {
        let place = samples.as_mut_ptr().cast();
        let (mut num_frames, mut buffers) = self.describe::<T>(samples.len(), place)?;
        let room = num_frames;
        // SAFETY: the wrapper is there, and the list describes `samples`, of the type that was set in it.
        let status = unsafe { ExtAudioFileRead(self.ext, &raw mut num_frames, &raw mut buffers) };
        self.file.check(status, "decoding")?;
        if num_frames > room {
            let message = format!("decoding: got {num_frames} frames, asked for {room}");
            return Err(Error::new(Status::Internal, message));
        }
        Ok(num_frames as usize)
    }

    /// Encodes whole frames of the type that was set.
    ///
    /// # Errors
    /// When they cannot be encoded or written.
    pub(crate) fn write<T: Sample>(&mut self, samples: &[T]) -> Result<()> {
        let place = samples.as_ptr().cast_mut().cast();
        let (num_frames, buffers) = self.describe::<T>(samples.len(), place)?;
        // SAFETY: the wrapper is there, and the list describes `samples`, of the type that was set in it, which are only read.
        let status = unsafe { ExtAudioFileWrite(self.ext, num_frames, &raw const buffers) };
        self.file.check(status, "encoding")
    }

    /// The buffer list for the frames in `num_samples` samples.
    fn describe<T: Sample>(&self, num_samples: usize, place: *mut c_void) -> Result<(u32, AudioBufferList)> {
        let num_channels = self.client.mChannelsPerFrame;
        let frame_bytes = T::FORMAT.num_bytes() as u64 * u64::from(num_channels);
        if frame_bytes == 0 || frame_bytes != u64::from(self.client.mBytesPerFrame) {
            return Err(Error::new(Status::BadState, "samples of another type than the one set"));
        }
        let most = u64::from(u32::MAX) / frame_bytes;
        let num_frames = (num_samples as u64 / u64::from(num_channels)).min(most);
        let buffer = AudioBuffer {
            mNumberChannels: num_channels,
            mDataByteSize: u32::try_from(num_frames * frame_bytes).unwrap_or(0),
            mData: place,
        };
        let buffers = AudioBufferList { mNumberBuffers: 1, mBuffers: [buffer] };
        Ok((u32::try_from(num_frames).unwrap_or(0), buffers))
    }

    /// Finishes the file, and returns the client of its callbacks.
    ///
    /// # Errors
    /// When the last packets or the headers cannot be written.
    pub(crate) fn close(mut self) -> Result<Box<C>> {
        let status = self.dispose_once();
        self.file.check(status, "encoding the last frames")?;
        let this = std::mem::ManuallyDrop::new(self);
        // SAFETY: the file is moved out once, and `drop` does not run; nothing else of `self` owns anything.
        unsafe { ptr::read(&raw const this.file) }.close()
    }

    fn dispose_once(&mut self) -> OSStatus {
        let ext = std::mem::take(&mut self.ext);
        // SAFETY: the wrapper is there, and this happens once; its file is still open.
        if ext.is_null() { 0 } else { unsafe { ExtAudioFileDispose(ext) } }
    }
}

impl<C: Client> Drop for ExtFile<C> {
    fn drop(&mut self) {
        // Before its file, which is closed afterwards.
        warn(self.dispose_once(), "releasing the codec");
    }
}
