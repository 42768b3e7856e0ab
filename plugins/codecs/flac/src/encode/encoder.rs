//! The encoder: frames in, the bytes of a FLAC file out.

#![forbid(unsafe_code)]

use std::convert::Infallible;

use super::batch;
use super::digest::SampleDigest;
use super::frame::{Format, FrameEncoder};
use super::frames::{Frames, Sample};
use super::limits::MAX_FRAMES;
use super::metadata::{self, SEEK_TABLE_OFFSET, STREAM_INFO_OFFSET, SeekTable};
use super::plan::Plan;
use super::settings::EncoderSettings;
use super::stream_info::StreamInfo;
use crate::error::{EncodeError, Error};

/// Encodes a whole file in memory.
///
/// ```
/// use mapwave_flac::{EncoderSettings, Frames, encode};
///
/// let (left, right) = ([0_i16, 1, 2, 3], [0_i16, -1, -2, -3]);
/// let file = encode(&EncoderSettings::new(8000, 2, 16), Frames::Planar(&[&left, &right]))?;
/// assert!(file.starts_with(b"fLaC"));
/// # Ok::<(), mapwave_flac::Error>(())
/// ```
///
/// # Errors
/// As [`Encoder::new`] and [`Encoder::push`].
pub fn encode<T: Sample>(settings: &EncoderSettings, frames: Frames<'_, T>) -> Result<Vec<u8>, Error> {
    let mut file = Vec::new();
    let mut append = |bytes: &[u8]| {
        file.extend_from_slice(bytes);
        Ok::<(), Infallible>(())
    };
    let own = |error| match error {
        EncodeError::Encoder(error) => error,
        EncodeError::Write(never) => match never {},
    };
    let mut encoder = Encoder::new(settings)?;
    encoder.push(frames, &mut append).map_err(own)?;
    for patch in encoder.finish(append).map_err(own)? {
        patch.apply(&mut file);
    }
    Ok(file)
}

/// Encodes a FLAC file piece by piece.
///
/// Samples are passed to [`push`](Self::push) in pieces of any size, and the bytes of the file come out through the closure
/// that every call takes, in order. [`finish`](Self::finish) passes on what is left and returns the patches that complete
/// the header.
///
/// ```
/// use std::io::{Cursor, Seek, SeekFrom, Write};
///
/// use mapwave_flac::{Encoder, EncoderSettings, Frames};
///
/// let mut file = Cursor::new(Vec::new()); // or a std::fs::File
/// let mut encoder = Encoder::new(&EncoderSettings { num_threads: 2, ..EncoderSettings::new(44_100, 2, 16) })?;
/// for _ in 0..100 {
///     encoder.push(Frames::Interleaved(&[0_i16; 2048]), |bytes| file.write_all(bytes))?;
/// }
/// for patch in encoder.finish(|bytes| file.write_all(bytes))? {
///     file.seek(SeekFrom::Start(patch.offset))?;
///     file.write_all(&patch.bytes)?;
/// }
/// assert!(file.into_inner().starts_with(b"fLaC"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Encoder {
    plan: Plan,
    stream: Option<Stream>,
    /// The frames taken so far.
    num_frames: u64,
    /// Whether a call failed with some of its bytes passed on.
    has_failed: bool,
}

/// Bytes of the file that are known only at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch {
    /// Where they belong, in bytes from the start of the file.
    pub offset: u64,
    /// The bytes, which replace as many of those passed on before.
    pub bytes: Vec<u8>,
}

impl Patch {
    /// Writes the bytes into a file in memory; does nothing to one that is too short.
    pub fn apply(&self, file: &mut [u8]) {
        let place = usize::try_from(self.offset).ok().and_then(|start| file.get_mut(start..));
        if let Some(place) = place.and_then(|rest| rest.get_mut(..self.bytes.len())) {
            place.copy_from_slice(&self.bytes);
        }
    }
}

impl Encoder {
    /// An encoder with these settings. Nothing is written yet.
    ///
    /// # Errors
    /// The first setting that the format does not allow, or [`Error::Memory`].
    pub fn new(settings: &EncoderSettings) -> Result<Self, Error> {
        Ok(Self { plan: Plan::new(settings)?, stream: None, num_frames: 0, has_failed: false })
    }

    /// Takes frames, and passes the bytes of all FLAC frames that are complete to `write`, after the header of the file.
    ///
    /// Samples fill their type: full scale is that of `i16` or `i32`, whatever the depth of the file. Bits below that depth
    /// are rounded, half to even.
    ///
    /// # Errors
    /// [`EncodeError::Write`] with the error of `write`, after which every call fails with [`Error::Failed`];
    /// [`Error::PartialFrame`]; [`Error::TooManyFrames`].
    pub fn push<T: Sample, E>(
        &mut self,
        frames: Frames<'_, T>,
        mut write: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), EncodeError<E>> {
        if self.has_failed {
            return Err(Error::Failed.into());
        }
        let num_channels = self.plan.format.num_channels;
        let partial = Error::PartialFrame(u32::try_from(num_channels).unwrap_or(u32::MAX));
        let new_frames = frames.num_frames(num_channels).ok_or(partial)?;
        let num_frames = self.num_frames.saturating_add(new_frames as u64);
        if num_frames > MAX_FRAMES {
            return Err(Error::TooManyFrames(num_frames).into());
        }
        self.has_failed = true;
        let stream = Self::begun(&mut self.stream, &self.plan, &mut write)?;
        stream.take(frames, new_frames, &mut write)?;
        self.num_frames = num_frames;
        self.has_failed = false;
        Ok(())
    }

    /// Passes the rest of the file to `write`, and returns the patches that complete its header: STREAMINFO with the MD5
    /// of the samples, and the seek table. There are none when the file is not seekable.
    ///
    /// # Errors
    /// [`EncodeError::Write`] with the error of `write`; [`Error::Failed`] when an earlier call failed;
    /// [`Error::NumFrames`] when the file is not seekable and another number of frames was announced.
    pub fn finish<E>(
        mut self,
        mut write: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<Vec<Patch>, EncodeError<E>> {
        if self.has_failed {
            return Err(Error::Failed.into());
        }
        let stream = Self::begun(&mut self.stream, &self.plan, &mut write)?;
        if self.plan.is_seekable {
            stream.encode_pending(&mut write)?;
            return Ok(stream.patches(self.num_frames));
        }
        if let Some(announced) = self.plan.num_frames.filter(|announced| *announced != self.num_frames) {
            return Err(Error::NumFrames { announced, pushed: self.num_frames }.into());
        }
        stream.encode_pending(&mut write)?;
        Ok(Vec::new())
    }

    /// The stream, whose header is written before it is used for the first time.
    fn begun<'a, E>(
        stream: &'a mut Option<Stream>,
        plan: &Plan,
        write: &mut impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<&'a mut Stream, EncodeError<E>> {
        match stream {
            Some(stream) => Ok(stream),
            None => {
                let (begun, header) = Stream::begin(plan);
                write(&header).map_err(EncodeError::Write)?;
                Ok(stream.insert(begun))
            }
        }
    }
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
    /// Samples that are not encoded yet.
    channels: Vec<Vec<i32>>,
    /// How many of each channel are encoded together.
    batch_frames: usize,
    /// The bytes of all FLAC frames so far.
    num_bytes: u64,
    num_blocks: u64,
}

impl Stream {
    /// A stream, and its header.
    fn begin(plan: &Plan) -> (Self, Vec<u8>) {
        let format = plan.format;
        let num_frames = plan.num_frames.unwrap_or(0);
        let seek_table =
            if plan.is_seekable { SeekTable::with_room(num_frames, &format) } else { SeekTable::default() };
        let info = StreamInfo { num_frames, ..StreamInfo::default() };
        let header = metadata::header(&format, info, &seek_table, &plan.comments);
        let batch_frames = plan.num_blocks * format.level.block_size;
        let expected = usize::try_from(plan.num_frames.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
        let channel = || Vec::with_capacity(batch_frames.min(expected));
        let stream = Self {
            format,
            info,
            seek_table,
            digest: plan.is_seekable.then(|| SampleDigest::new(format.bits_per_sample)),
            encoders: (0..plan.num_threads).map(|_| FrameEncoder::new(format)).collect(),
            channels: (0..format.num_channels).map(|_| channel()).collect(),
            batch_frames,
            num_bytes: 0,
            num_blocks: 0,
        };
        (stream, header)
    }

    /// Takes frames, and encodes whenever a batch is full.
    fn take<T: Sample, E>(
        &mut self,
        frames: Frames<'_, T>,
        num_frames: usize,
        write: &mut impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), EncodeError<E>> {
        let mut first = 0;
        while first < num_frames {
            let num_pending = self.channels.first().map_or(0, Vec::len);
            let last = first.saturating_add(self.batch_frames - num_pending).min(num_frames);
            T::append(frames, first..last, self.format.bits_per_sample, &mut self.channels);
            if num_pending + (last - first) == self.batch_frames {
                self.encode_pending(write)?;
            }
            first = last;
        }
        Ok(())
    }

    /// Encodes all frames that were taken. Only the last time need they not be whole blocks.
    fn encode_pending<E>(
        &mut self,
        write: &mut impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), EncodeError<E>> {
        let Self { info, seek_table, num_blocks, num_bytes, .. } = self;
        let block_size = self.format.level.block_size;
        let first_number = *num_blocks;
        let mut num_pending = self.channels.first().map_or(0, Vec::len);
        let deliver = |bytes: &[u8]| {
            let first_frame = *num_blocks * block_size as u64;
            seek_table.add(first_frame, *num_bytes, num_pending.min(block_size));
            num_pending = num_pending.saturating_sub(block_size);
            info.add_frame_bytes(bytes.len());
            *num_blocks += 1;
            *num_bytes += bytes.len() as u64;
            write(bytes)
        };
        let digest = self.digest.as_mut();
        batch::encode(&self.channels, block_size, first_number, &mut self.encoders, digest, deliver)
            .map_err(EncodeError::Write)?;
        self.channels.iter_mut().for_each(Vec::clear);
        Ok(())
    }

    /// What is known of the header only at the end.
    fn patches(&mut self, num_frames: u64) -> Vec<Patch> {
        self.info.num_frames = num_frames;
        self.info.digest = self.digest.as_ref().map(SampleDigest::finish).unwrap_or_default();
        let mut patches = vec![Patch { offset: STREAM_INFO_OFFSET, bytes: self.info.to_bytes(&self.format) }];
        if !self.seek_table.is_empty() {
            patches.push(Patch { offset: SEEK_TABLE_OFFSET, bytes: self.seek_table.to_bytes() });
        }
        patches
    }
}
