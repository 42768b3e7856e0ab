//! An AVFrame: samples on their way into the encoder.

#![allow(unsafe_code)] // the memory behind an AVFrame

use std::ffi::c_int;
use std::ptr::NonNull;

use ffmpeg_sys_next as ffi;
use mapwave_plugin::{Error, Result, Sample, SampleFormat, Status};

use super::context::CodecContext;
use crate::error::{check, no_memory};
use crate::sample_formats::LibavFormat;

/// Room for the frames that an encoder takes at once.
pub(super) struct Frame {
    frame: NonNull<ffi::AVFrame>,
    format: LibavFormat,
    num_channels: usize,
    /// The frames that there is room for.
    capacity: usize,
}

// SAFETY: the pointer is owned alone, and nothing in a frame is tied to a thread.
unsafe impl Send for Frame {}

impl Frame {
    /// Room for `capacity` frames as an open encoder takes them.
    pub(super) fn new(codec: &CodecContext, capacity: usize) -> Result<Self> {
        // SAFETY: allocates; the result is checked.
        let frame = unsafe { ffi::av_frame_alloc() };
        let frame = NonNull::new(frame).ok_or_else(|| no_memory("a frame"))?;
        let format = codec.format();
        let mut new = Self { frame, format, num_channels: codec.num_channels(), capacity };
        let too_large =
            |_| Error::new(Status::Limit, format!("an encoder that takes {capacity} frames at once"));
        // SAFETY: the frame is alive, and owned alone.
        let fields = unsafe { new.frame.as_mut() };
        fields.format = format.av_format() as c_int;
        fields.sample_rate = codec.sample_rate();
        fields.nb_samples = c_int::try_from(capacity).map_err(too_large)?;
        codec.copy_layout(&mut fields.ch_layout)?;
        // SAFETY: the frame is alive, empty and says what is to be in it.
        check(unsafe { ffi::av_frame_get_buffer(new.frame.as_ptr(), 0) }, "making room for frames")?;
        Ok(new)
    }

    pub(super) fn as_ptr(&self) -> *const ffi::AVFrame {
        self.frame.as_ptr()
    }

    /// The frames that there is room for.
    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    /// Where each channel's sample stands in a plane that [`plane`](Self::plane) gives: the number of the plane, the place of
    /// the first sample and the distance to the next.
    pub(super) fn place(&self, channel: usize) -> (usize, usize, usize) {
        if self.format.is_planar { (channel, 0, 1) } else { (0, channel, self.num_channels) }
    }

    /// Readies the memory to be written to; an encoder may have kept what was in it.
    pub(super) fn prepare(&mut self) -> Result<()> {
        // SAFETY: the frame is alive, and owned alone.
        let fields = unsafe { self.frame.as_mut() };
        // Copies go by this number, and there must be as much room again.
        fields.nb_samples = c_int::try_from(self.capacity).unwrap_or(c_int::MAX);
        // SAFETY: the frame is alive and has memory of its own counting.
        check(unsafe { ffi::av_frame_make_writable(self.frame.as_ptr()) }, "making room for frames")
    }

    /// All samples of a plane, to be written; `None` unless they are of type `T`. [`prepare`](Self::prepare) comes first.
    pub(super) fn plane<T: Sample>(&mut self, plane: usize) -> Option<&mut [T]> {
        let (num_planes, samples_per_frame) =
            if self.format.is_planar { (self.num_channels, 1) } else { (1, self.num_channels) };
        let sample = self.format.sample;
        if plane >= num_planes || sample.native() != T::FORMAT || sample.num_bytes() != size_of::<T>() {
            return None;
        }
        // SAFETY: the frame is alive; `extended_data` has a pointer for each plane.
        let planes = unsafe { self.frame.as_ref() }.extended_data;
        // SAFETY: there are as many planes.
        let start = unsafe { planes.add(plane) };
        // SAFETY: as above.
        let start = unsafe { start.read() };
        // SAFETY: av_frame_get_buffer made room for that many samples in each plane, aligned to more than their size, and
        // wrote to it or the caller did: of these types every bit pattern is a sample.
        Some(unsafe { std::slice::from_raw_parts_mut(start.cast::<T>(), self.capacity * samples_per_frame) })
    }

    /// Says which frames these are, and how many.
    pub(super) fn set_range(&mut self, first: u64, num_frames: usize) {
        // SAFETY: the frame is alive, and owned alone.
        let fields = unsafe { self.frame.as_mut() };
        fields.pts = i64::try_from(first).unwrap_or(i64::MAX);
        fields.nb_samples = c_int::try_from(num_frames.min(self.capacity)).unwrap_or(c_int::MAX);
    }

    /// The type of its samples, as the host has it.
    pub(super) fn sample_format(&self) -> SampleFormat {
        self.format.sample.native()
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        let mut frame = self.frame.as_ptr();
        // SAFETY: the frame is alive and owned alone.
        unsafe { ffi::av_frame_free(&raw mut frame) };
    }
}
