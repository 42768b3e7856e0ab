//! The samples of a borrowed array with any strides.

#![allow(unsafe_code)] // reads an array's memory by its strides

use std::marker::PhantomData;
use std::ops::Range;
use std::ptr;
use std::slice;

use bytemuck::NoUninit;

use crate::error::{Error, Parameter, Result};
use crate::pcm::OutputFormat;
use crate::spec::Layout;

/// The longest axis that is taken to be the channel axis if the caller does not specify it.
const MAX_LIKELY_CHANNELS: usize = 8;

/// The maximum number of channels.
const MAX_CHANNELS: usize = 1024;

/// Frames in memory: the samples of an array with one or two axes and any strides, including negative ones and 0.
///
/// ```
/// use mapwave_core::Audio;
/// use mapwave_core::{Layout, OutputFormat};
///
/// let planar = [1i16, 2, 3, 10, 20, 30];
/// let audio = Audio::new(&planar, OutputFormat::I16, &[2, 3], Some(Layout::ChannelsFirst))?;
/// assert_eq!((audio.num_frames(), audio.num_channels()), (3, 2));
/// assert_eq!(audio.layout(), Layout::ChannelsFirst);
/// # Ok::<(), mapwave_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Audio<'a> {
    start: *const u8,
    format: OutputFormat,
    num_frames: usize,
    num_channels: u16,
    layout: Layout,
    /// Strides in bytes.
    frame_stride: isize,
    channel_stride: isize,
    samples: PhantomData<&'a [u8]>,
}

// SAFETY: shared samples that nobody changes meanwhile, as `from_strides` is promised.
unsafe impl Send for Audio<'_> {}
// SAFETY: as above.
unsafe impl Sync for Audio<'_> {}

impl<'a> Audio<'a> {
    /// The samples of a slice as an array in C order with the lengths `axes`.
    ///
    /// Without a `layout`, a single axis holds one channel and an axis of length 1 is the channel axis. Otherwise the channel
    /// axis is the only axis of length 8 or less, or the only axis that could be it.
    ///
    /// # Errors
    /// [`Error::Argument`] if there are no channels or too many, or if the channel axis is ambiguous.
    ///
    /// # Panics
    /// If the number of samples does not match the axes, or the size of a sample does not match `format`.
    pub fn new<T: NoUninit>(
        samples: &'a [T],
        format: OutputFormat,
        axes: &[usize],
        layout: Option<Layout>,
    ) -> Result<Self> {
        assert_eq!(size_of::<T>(), format.num_bytes(), "the size of a sample of {format}");
        assert_eq!(samples.len(), axes.iter().product::<usize>(), "the samples of an array of {axes:?}");
        let size = format.num_bytes().cast_signed();
        let strides = match axes {
            [_, columns] => vec![columns.cast_signed() * size, size],
            _ => vec![size],
        };
        // SAFETY: an array in C order over a slice that is borrowed for as long as the result lives.
        unsafe { Self::from_strides(samples.as_ptr().cast(), format, axes, &strides, layout) }
    }

    /// The samples of an array with the lengths `axes`, where neighbours along each axis are `strides` bytes apart.
    ///
    /// The layout is determined as in [`new`](Self::new).
    ///
    /// # Safety
    /// Every sample that the axes and strides reach from `start` is readable and does not change during `'a`. The samples do not
    /// have to be aligned.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub unsafe fn from_strides(
        start: *const u8,
        format: OutputFormat,
        axes: &[usize],
        strides: &[isize],
        layout: Option<Layout>,
    ) -> Result<Self> {
        let (layout, frames, channels) = match (axes, strides) {
            (&[frames], &[stride]) => (Layout::ChannelsLast, (frames, stride), (1, 0)),
            (&[rows, columns], &[row_stride, column_stride]) => {
                let (rows, columns) = ((rows, row_stride), (columns, column_stride));
                match layout.map_or_else(|| likely_layout(rows.0, columns.0), Ok)? {
                    layout @ Layout::ChannelsLast => (layout, rows, columns),
                    layout @ Layout::ChannelsFirst => (layout, columns, rows),
                }
            }
            _ => {
                let got = format!("{} axes", axes.len());
                let expected =
                    "an array of one axis (frames,) or two, (frames, channels) or (channels, frames)";
                return Err(Error::argument(Parameter::Audio, expected, got));
            }
        };
        let num_channels =
            u16::try_from(channels.0).ok().filter(|&channels| (1..=MAX_CHANNELS).contains(&channels.into()));
        let num_channels = num_channels.ok_or_else(|| {
            let got = format!(
                "{} channels and {} frames; if these are the wrong way round, choose the other layout ('channels_first' \
                 or 'channels_last')",
                channels.0, frames.0
            );
            Error::argument(Parameter::Audio, format!("an array with 1 to {MAX_CHANNELS} channels"), got)
        })?;
        Ok(Self {
            start,
            format,
            num_frames: frames.0,
            num_channels,
            layout,
            frame_stride: frames.1,
            channel_stride: channels.1,
            samples: PhantomData,
        })
    }

    /// The type of the samples.
    pub fn format(&self) -> OutputFormat {
        self.format
    }

    /// The number of frames.
    pub fn num_frames(&self) -> usize {
        self.num_frames
    }

    /// The number of channels.
    pub fn num_channels(&self) -> u16 {
        self.num_channels
    }

    /// The channel axis; the last axis if the array has only one.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// The size of a frame in bytes.
    pub(crate) fn frame_bytes(&self) -> usize {
        usize::from(self.num_channels) * self.format.num_bytes()
    }

    /// Interleaved samples of a range of frames: in place if the array is interleaved, otherwise gathered in `scratch`.
    ///
    /// ```
    /// use mapwave_core::{Audio, Layout, OutputFormat};
    ///
    /// let planar = [1i16, 2, 3, 10, 20, 30];
    /// let audio = Audio::new(&planar, OutputFormat::I16, &[2, 3], Some(Layout::ChannelsFirst))?;
    /// let mut scratch = Vec::new();
    /// let samples = audio.interleaved(1..3, &mut scratch);
    /// assert_eq!(samples, [2i16, 20, 3, 30].map(i16::to_ne_bytes).as_flattened());
    /// # Ok::<(), mapwave_core::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the range is not inside the frames.
    pub fn interleaved<'b>(&self, frames: Range<usize>, scratch: &'b mut Vec<u8>) -> &'b [u8]
    where
        'a: 'b,
    {
        assert!(
            frames.start <= frames.end && frames.end <= self.num_frames,
            "{frames:?} of {}",
            self.num_frames
        );
        let num_bytes = (frames.end - frames.start) * self.frame_bytes();
        if num_bytes == 0 {
            return &[];
        }
        let first = self.start.wrapping_offset(frames.start.cast_signed() * self.frame_stride);
        if self.is_interleaved() {
            // SAFETY: the frames stand one after the other from `first` on, can be read, and do not change for 'a.
            return unsafe { slice::from_raw_parts(first, num_bytes) };
        }
        scratch.resize(num_bytes, 0);
        match self.format.num_bytes() {
            2 => self.gather::<[u8; 2]>(first, scratch),
            4 => self.gather::<[u8; 4]>(first, scratch),
            _ => self.gather::<[u8; 8]>(first, scratch),
        }
        scratch
    }

    /// Whether the samples are interleaved in memory.
    fn is_interleaved(&self) -> bool {
        let size = self.format.num_bytes().cast_signed();
        (self.num_channels == 1 || self.channel_stride == size)
            && (self.num_frames <= 1 || self.frame_stride == self.frame_bytes().cast_signed())
    }

    /// Copies frames from `first` until `out` is full, each sample as the bytes `T`.
    fn gather<T: bytemuck::Pod>(&self, first: *const u8, out: &mut [u8]) {
        let num_channels = usize::from(self.num_channels);
        for channel in 0..num_channels {
            let mut place = first.wrapping_offset(channel.cast_signed() * self.channel_stride);
            for frame in out.chunks_exact_mut(num_channels * size_of::<T>()) {
                // SAFETY: the caller's range lies inside the frames, so this is a sample of the array, of any alignment.
                let sample = unsafe { ptr::read_unaligned(place.cast::<T>()) };
                let at = channel * size_of::<T>();
                if let Some(room) = frame.get_mut(at..at + size_of::<T>()) {
                    room.copy_from_slice(bytemuck::bytes_of(&sample));
                }
                place = place.wrapping_offset(self.frame_stride);
            }
        }
    }
}

/// Which of two axes is the channel axis.
fn likely_layout(rows: usize, columns: usize) -> Result<Layout> {
    let is_likely = |axis: usize| axis <= MAX_LIKELY_CHANNELS;
    match (rows, columns) {
        (_, 1) => Ok(Layout::ChannelsLast),
        (1, _) => Ok(Layout::ChannelsFirst),
        _ if is_likely(columns) && !is_likely(rows) => Ok(Layout::ChannelsLast),
        _ if is_likely(rows) && !is_likely(columns) => Ok(Layout::ChannelsFirst),
        (0, channels) if channels > 0 => Ok(Layout::ChannelsLast),
        (channels, 0) if channels > 0 => Ok(Layout::ChannelsFirst),
        // More than 8 channels, but far more frames.
        _ if columns <= MAX_CHANNELS && rows / 16 > columns => Ok(Layout::ChannelsLast),
        _ if rows <= MAX_CHANNELS && columns / 16 > rows => Ok(Layout::ChannelsFirst),
        _ => {
            let expected = "'channels_last' or 'channels_first', since either axis could be the channel axis";
            Err(Error::argument(
                Parameter::Layout,
                expected,
                format!("'auto' for an array of shape ({rows}, {columns})"),
            ))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]
mod tests {
    use super::*;

    fn read(audio: &Audio<'_>, frames: Range<usize>) -> Vec<i16> {
        bytemuck::pod_collect_to_vec(audio.interleaved(frames, &mut Vec::new()))
    }

    #[test]
    fn the_channels_are_where_they_can_be() {
        use Layout::{ChannelsFirst, ChannelsLast};
        for (shape, layout) in [
            ((44_100, 2), ChannelsLast),
            ((2, 44_100), ChannelsFirst),
            ((12, 44_100), ChannelsFirst),
            ((44_100, 12), ChannelsLast),
            ((3, 1), ChannelsLast),
            ((1, 3), ChannelsFirst),
            ((10, 2), ChannelsLast),
            ((0, 2), ChannelsLast),
            ((2, 0), ChannelsFirst),
        ] {
            assert_eq!(likely_layout(shape.0, shape.1).unwrap(), layout, "{shape:?}");
        }
        for (rows, columns) in [(2, 2), (8, 6), (100, 200), (30_000, 40_000), (0, 0), (12, 16)] {
            let message = likely_layout(rows, columns).unwrap_err().to_string();
            assert!(message.contains(&format!("({rows}, {columns})")), "{message}");
        }
    }

    #[test]
    fn any_strides_come_out_interleaved() {
        let samples: Vec<i16> = (0..24).collect();
        let start: *const u8 = samples.as_ptr().cast();
        let audio = |offset: usize, axes: &[usize], strides: &[isize], layout| {
            let first = start.wrapping_add(2 * offset);
            // SAFETY: every combination below stays inside the 24 samples.
            unsafe { Audio::from_strides(first, OutputFormat::I16, axes, strides, Some(layout)) }.unwrap()
        };
        let rows = audio(0, &[8, 3], &[6, 2], Layout::ChannelsLast);
        assert_eq!(read(&rows, 2..4), [6, 7, 8, 9, 10, 11]);
        let columns = audio(0, &[3, 8], &[16, 2], Layout::ChannelsFirst);
        assert_eq!(read(&columns, 1..3), [1, 9, 17, 2, 10, 18]);
        let backwards = audio(23, &[8, 3], &[-6, -2], Layout::ChannelsLast);
        assert_eq!(read(&backwards, 0..2), [23, 22, 21, 20, 19, 18]);
        let broadcast = audio(5, &[4, 2], &[0, 0], Layout::ChannelsLast);
        assert_eq!(read(&broadcast, 0..4), [5; 8]);
        let every_third = audio(1, &[8], &[6], Layout::ChannelsLast);
        assert_eq!(read(&every_third, 5..8), [16, 19, 22]);
        assert_eq!(read(&every_third, 8..8), [] as [i16; 0]);
    }

    #[test]
    fn samples_of_any_alignment_are_read() {
        let bytes: Vec<u8> = (0..33).collect();
        for (axes, strides) in [([4, 2], [8, 4]), ([4, 2], [4, 16])] {
            // SAFETY: the samples lie inside the 33 bytes.
            let audio = unsafe {
                Audio::from_strides(
                    bytes.as_ptr().wrapping_add(1),
                    OutputFormat::F32,
                    &axes,
                    &strides,
                    Some(Layout::ChannelsLast),
                )
            };
            let mut scratch = Vec::new();
            let read = audio.unwrap().interleaved(0..4, &mut scratch).to_vec();
            let expected: Vec<u8> = (0..4)
                .flat_map(|frame| (0..2).map(move |channel| 1 + frame * strides[0] + channel * strides[1]))
                .flat_map(|at| (0..4).map(move |byte| (at + byte) as u8))
                .collect();
            assert_eq!(read, expected);
        }
    }

    #[test]
    fn what_is_no_audio_is_refused() {
        let refuse = |axes: &[usize], layout| {
            let samples = vec![0_f32; axes.iter().product()];
            Audio::new(&samples, OutputFormat::F32, axes, layout).unwrap_err().to_string()
        };
        assert!(refuse(&[2, 3, 4], None).contains("3 axes"));
        assert!(refuse(&[5, 0], Some(Layout::ChannelsLast)).contains("0 channels and 5 frames"));
        assert!(refuse(&[3, 2000], Some(Layout::ChannelsLast)).contains("2000 channels and 3 frames"));
    }
}
