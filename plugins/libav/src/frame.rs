//! An AVFrame: samples that come out of a decoder, on their way into the host's memory, or that go into an encoder.

#![allow(unsafe_code)] // samples that libav passes by pointer

use std::ffi::c_int;
use std::ops::Range;
use std::ptr::NonNull;

use ffi::AVFrameSideDataType::AV_FRAME_DATA_SKIP_SAMPLES;
use ffmpeg_sys_next as ffi;
use mapwave_plugin::{Error, Output, Result, Sample, SampleFormat, Status};

use crate::channels::wave_mask;
use crate::error::{check, no_memory};
use crate::sample_formats::{Convert, LibavFormat, SampleType};

/// The last output of a codec: the frames of one packet, or of a part of it.
pub(crate) struct Frame(NonNull<ffi::AVFrame>);

// SAFETY: the frame is owned, and what it refers to is counted by atomic counters.
unsafe impl Send for Frame {}

/// The shape that all frames of a stream share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) sample_rate: u32,
    pub(crate) num_channels: u32,
    pub(crate) channel_mask: u64,
    pub(crate) format: LibavFormat,
}

impl Shape {
    /// Whether both can be part of one stream.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let of = |shape: &Self| (shape.sample_rate, shape.num_channels, shape.format.sample.native());
        of(self) == of(other)
    }
}

impl Frame {
    /// A frame without samples.
    ///
    /// # Errors
    /// When memory runs out.
    pub(crate) fn new() -> Result<Self> {
        // SAFETY: returns a frame or null.
        let frame = unsafe { ffi::av_frame_alloc() };
        NonNull::new(frame).map(Self).ok_or_else(|| no_memory("a frame"))
    }

    /// The pointer for libav.
    pub(crate) fn as_ptr(&mut self) -> *mut ffi::AVFrame {
        self.0.as_ptr()
    }

    fn get(&self) -> &ffi::AVFrame {
        // SAFETY: the frame is owned, and its fields are initialised.
        unsafe { self.0.as_ref() }
    }

    fn get_mut(&mut self) -> &mut ffi::AVFrame {
        // SAFETY: the frame is owned, and its fields are initialised.
        unsafe { self.0.as_mut() }
    }

    /// The number of frames, in the host's sense: samples per channel.
    pub(crate) fn num_frames(&self) -> usize {
        usize::try_from(self.get().nb_samples).unwrap_or(0)
    }

    /// The time of its packet, if known.
    pub(crate) fn time(&self) -> Option<u64> {
        u64::try_from(self.get().pts).ok()
    }

    /// Its shape; `None` if the host does not support it.
    pub(crate) fn shape(&self) -> Option<Shape> {
        let frame = self.get();
        Some(Shape {
            sample_rate: u32::try_from(frame.sample_rate).ok().filter(|rate| *rate > 0)?,
            num_channels: u32::try_from(frame.ch_layout.nb_channels).ok().filter(|count| *count > 0)?,
            channel_mask: wave_mask(&frame.ch_layout),
            format: LibavFormat::from_code(frame.format)?,
        })
    }

    /// The number of frames that libav would skip at its beginning, as the container or the codec states its
    /// delay; `None` if neither does.
    pub(crate) fn skip(&self) -> Option<u32> {
        // SAFETY: the frame is owned; returns a pointer into it or null.
        let data = unsafe { ffi::av_frame_get_side_data(self.0.as_ptr(), AV_FRAME_DATA_SKIP_SAMPLES) };
        // SAFETY: null or an entry of the frame's.
        let data = unsafe { data.as_ref() }?;
        if data.size < 4 || data.data.is_null() {
            return None;
        }
        // SAFETY: there are as many bytes or more.
        let skip = unsafe { data.data.cast::<[u8; 4]>().read() };
        u32::try_from(i32::from_le_bytes(skip)).ok()
    }

    /// Writes as many frames as fit, and returns their number. The shape is that of the stream, and the
    /// output is for as many channels.
    pub(crate) fn write(&self, range: Range<usize>, output: &mut Output<'_>) -> usize {
        let Some(shape) = self.shape() else { return 0 };
        match shape.format.sample {
            SampleType::U8 => self.write_as::<u8>(shape, range, output),
            SampleType::I16 => self.write_as::<i16>(shape, range, output),
            SampleType::I32 => self.write_as::<i32>(shape, range, output),
            SampleType::I64 => self.write_as::<i64>(shape, range, output),
            SampleType::F32 => self.write_as::<f32>(shape, range, output),
            SampleType::F64 => self.write_as::<f64>(shape, range, output),
        }
    }

    fn write_as<S>(&self, shape: Shape, range: Range<usize>, output: &mut Output<'_>) -> usize
    where
        S: Convert<f32> + Convert<i16> + Convert<i32>,
    {
        let num_channels = shape.num_channels as usize;
        if num_channels != output.num_channels() {
            return 0;
        }
        if shape.format.is_planar {
            let mut planes: Vec<&[S]> = Vec::with_capacity(num_channels);
            for channel in 0..num_channels {
                planes.push(self.plane(channel, 1).get(range.clone()).unwrap_or_default());
            }
            match output.format() {
                SampleFormat::F32 => output.write_planar::<S, f32>(&planes, Convert::convert),
                SampleFormat::I16 => output.write_planar::<S, i16>(&planes, Convert::convert),
                SampleFormat::I32 => output.write_planar::<S, i32>(&planes, Convert::convert),
            }
        } else {
            let samples = range.start * num_channels..range.end * num_channels;
            let samples = self.plane::<S>(0, num_channels).get(samples).unwrap_or_default();
            match output.format() {
                SampleFormat::F32 => output.write_interleaved::<S, f32>(samples, Convert::convert),
                SampleFormat::I16 => output.write_interleaved::<S, i16>(samples, Convert::convert),
                SampleFormat::I32 => output.write_interleaved::<S, i32>(samples, Convert::convert),
            }
        }
    }

    /// The samples of one plane; none if libav's memory is too short.
    fn plane<S: Copy>(&self, plane: usize, samples_per_frame: usize) -> &[S] {
        let frame = self.get();
        let Some(num_samples) = self.num_frames().checked_mul(samples_per_frame) else { return &[] };
        let [plane_bytes, ..] = frame.linesize;
        let fits = usize::try_from(plane_bytes).is_ok_and(|bytes| num_samples <= bytes / size_of::<S>());
        if frame.extended_data.is_null() || !fits {
            return &[];
        }
        // SAFETY: libav lists a pointer for each channel there, or the one of an interleaved frame.
        let start = unsafe { frame.extended_data.add(plane) };
        // SAFETY: as above.
        let start = unsafe { start.read() }.cast::<S>();
        if start.is_null() || !start.is_aligned() {
            return &[];
        }
        // SAFETY: the plane has `linesize` bytes, all of which the codec has written up to `nb_samples`; the shape, by which
        // the caller chose the type and the planes, is the frame's.
        unsafe { std::slice::from_raw_parts(start, num_samples) }
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        let mut frame = self.0.as_ptr();
        // SAFETY: the frame is owned.
        unsafe { ffi::av_frame_free(&raw mut frame) };
    }
}

/// A buffer for the frames that an encoder takes at once.
pub(crate) struct FrameBuffer {
    frame: Frame,
    format: LibavFormat,
    num_channels: usize,
    /// The capacity in frames.
    capacity: usize,
}

impl FrameBuffer {
    /// Allocates `capacity` frames of a format; `set_layout` sets the channels.
    ///
    /// # Errors
    /// When memory runs out, or when `set_layout` fails.
    pub(crate) fn new(
        format: LibavFormat,
        sample_rate: c_int,
        capacity: usize,
        set_layout: impl FnOnce(&mut ffi::AVChannelLayout) -> Result<()>,
    ) -> Result<Self> {
        let mut frame = Frame::new()?;
        let too_large = |_| Error::new(Status::Limit, format!("the encoder takes {capacity} frames at once"));
        let fields = frame.get_mut();
        fields.format = format.av_format() as c_int;
        fields.sample_rate = sample_rate;
        fields.nb_samples = c_int::try_from(capacity).map_err(too_large)?;
        set_layout(&mut fields.ch_layout)?;
        let num_channels = usize::try_from(fields.ch_layout.nb_channels).unwrap_or(0);
        // SAFETY: the frame is owned, empty and says what is to be in it.
        check(unsafe { ffi::av_frame_get_buffer(frame.as_ptr(), 0) }, "allocating frames")?;
        Ok(Self { frame, format, num_channels, capacity })
    }

    /// The pointer for libav.
    pub(crate) fn as_ptr(&self) -> *const ffi::AVFrame {
        self.frame.0.as_ptr()
    }

    /// The capacity in frames.
    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    /// The position of each channel's samples in the planes of [`plane`](Self::plane): the number of the plane, the offset of
    /// the first sample and the distance to the next.
    pub(crate) fn place(&self, channel: usize) -> (usize, usize, usize) {
        if self.format.is_planar { (channel, 0, 1) } else { (0, channel, self.num_channels) }
    }

    /// Makes the memory writable; an encoder may still refer to its old contents.
    pub(crate) fn prepare(&mut self) -> Result<()> {
        let fields = self.frame.get_mut();
        // Conversions use this number, and need as much space again.
        fields.nb_samples = c_int::try_from(self.capacity).unwrap_or(c_int::MAX);
        // SAFETY: the frame is owned and has memory of its own counting.
        check(unsafe { ffi::av_frame_make_writable(self.frame.as_ptr()) }, "allocating frames")
    }

    /// All samples of a plane, for writing; `None` unless they are of type `T`. Call [`prepare`](Self::prepare) first.
    pub(crate) fn plane<T: Sample>(&mut self, plane: usize) -> Option<&mut [T]> {
        let (num_planes, samples_per_frame) =
            if self.format.is_planar { (self.num_channels, 1) } else { (1, self.num_channels) };
        let sample = self.format.sample;
        if plane >= num_planes || sample.native() != T::FORMAT || sample.num_bytes() != size_of::<T>() {
            return None;
        }
        let planes = self.frame.get().extended_data;
        // SAFETY: `extended_data` has a pointer for each plane, and there are as many planes.
        let start = unsafe { planes.add(plane) };
        // SAFETY: as above.
        let start = unsafe { start.read() };
        // SAFETY: av_frame_get_buffer made room for that many samples in each plane, aligned to more than their size, and
        // wrote to it or the caller did: of these types every bit pattern is a sample.
        Some(unsafe { std::slice::from_raw_parts_mut(start.cast::<T>(), self.capacity * samples_per_frame) })
    }

    /// Sets the position and the number of the frames.
    pub(crate) fn set_range(&mut self, first: u64, num_frames: usize) {
        let fields = self.frame.get_mut();
        fields.pts = i64::try_from(first).unwrap_or(i64::MAX);
        fields.nb_samples = c_int::try_from(num_frames.min(self.capacity)).unwrap_or(c_int::MAX);
    }

    /// The host's type of its samples.
    pub(crate) fn sample_format(&self) -> SampleFormat {
        self.format.sample.native()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn frame(format: ffi::AVSampleFormat, fill: impl FnOnce(&mut ffi::AVFrame)) -> Frame {
        let mut frame = Frame::new().unwrap();
        // SAFETY: the frame is owned.
        let inner = unsafe { &mut *frame.as_ptr() };
        inner.format = format as i32;
        inner.sample_rate = 8000;
        inner.nb_samples = 3;
        inner.ch_layout = crate::channels::layout(0, 2).unwrap();
        // SAFETY: the frame has what its buffers follow from.
        assert_eq!(unsafe { ffi::av_frame_get_buffer(inner, 0) }, 0);
        fill(inner);
        frame
    }

    #[test]
    fn planar_and_interleaved_samples_come_out_alike() {
        let planar = frame(ffi::AVSampleFormat::AV_SAMPLE_FMT_FLTP, |inner| {
            for (plane, samples) in [[0.5f32, -0.5, 0.25], [1.0, -1.0, 0.0]].iter().enumerate() {
                let [left, right, ..] = inner.data;
                let plane = if plane == 0 { left } else { right };
                // SAFETY: the plane has room for three samples.
                unsafe { plane.cast::<f32>().copy_from(samples.as_ptr(), 3) };
            }
        });
        let interleaved = frame(ffi::AVSampleFormat::AV_SAMPLE_FMT_S16, |inner| {
            let samples = [16384i16, 32767, -16384, -32768, 8192, 0];
            let [data, ..] = inner.data;
            // SAFETY: the one plane has room for three frames of two.
            unsafe { data.cast::<i16>().copy_from(samples.as_ptr(), 6) };
        });
        for frame in [planar, interleaved] {
            let mut samples = [0i16; 8];
            let num_written = Output::with_slice(&mut samples, 2, |output| frame.write(1..3, output));
            assert_eq!((num_written, samples), (2, [-16384, -32768, 8192, 0, 0, 0, 0, 0]));
            assert_eq!(Output::with_slice(&mut samples, 1, |output| frame.write(0..3, output)), 0);
            assert_eq!(Output::with_slice(&mut samples, 2, |output| frame.write(2..9, output)), 0);
        }
    }
}
