//! The memory of an array that several threads fill, each its own part.

#![allow(unsafe_code)] // parts of one piece of memory, for several threads

use std::mem::MaybeUninit;
use std::slice;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use mapwave_core::buffer::advise_huge;
use mapwave_core::{
    Audio, Buffer, FrameSpec, Layout, Limits, OutputFormat, ReadControl, ResampleQuality, resample::Rates,
    resample_array,
};
use pyo3::exceptions::PySystemError;
use pyo3::prelude::*;

use super::file::{Batch, Opened};
use crate::arrays::{ArrayLibrary, Unfilled};
use crate::errors::raise;
use crate::frames::Frames;
use crate::pool::Stop;

/// What holds the samples. The last reference is dropped with the interpreter's lock: whoever gave parts to threads keeps one for
/// as long as they work.
pub(super) enum Memory {
    Buffer(Buffer, OutputFormat),
    Array(Unfilled),
}

/// A part of the memory, which one thread fills.
pub(super) struct Place {
    start: *mut MaybeUninit<u8>,
    num_bytes: usize,
    /// Keeps the memory where it is.
    _memory: Arc<Memory>,
}

// SAFETY: the memory belongs to no thread, and no two places share a byte of it.
unsafe impl Send for Place {}

impl Place {
    /// The bytes to fill.
    pub(super) fn bytes(&mut self) -> &mut [MaybeUninit<u8>] {
        // SAFETY: `Memory::places` makes places inside the memory, which lives as long as this does, and no two that share a byte.
        unsafe { slice::from_raw_parts_mut(self.start, self.num_bytes) }
    }
}

impl Memory {
    /// Memory for an array of this shape: the library's own where it has some to be filled, and a buffer otherwise.
    pub(super) fn new(
        py: Python<'_>,
        library: &ArrayLibrary,
        axes: &[usize],
        format: OutputFormat,
        limits: Limits,
    ) -> PyResult<Self> {
        let num_samples = axes.iter().fold(1_u64, |product, size| product.saturating_mul(*size as u64));
        let num_bytes = num_samples.saturating_mul(format.num_bytes() as u64);
        limits.check(0, num_bytes, 1).map_err(|error| raise(py, &error))?;
        if let Some(mut array) = library.unfilled(py, axes, format)? {
            advise_huge(array.memory());
            return Ok(Self::Array(array));
        }
        let num_bytes = axes.iter().product::<usize>() * format.num_bytes();
        let buffer = library.allocation(py)?.batch(num_bytes).map_err(|error| raise(py, &error))?;
        Ok(Self::Buffer(buffer, format))
    }

    /// All of the memory as one place.
    pub(super) fn whole(memory: &Arc<Self>) -> Place {
        let (start, num_bytes) = memory.extent();
        Place { start, num_bytes, _memory: Arc::clone(memory) }
    }

    /// The memory in places of `num_bytes`.
    pub(super) fn places(memory: &Arc<Self>, num_bytes: usize, count: usize) -> Vec<Place> {
        let (start, total) = memory.extent();
        assert!(num_bytes.checked_mul(count).is_some_and(|needed| needed <= total), "the places are inside");
        let place = |number| Place {
            start: start.wrapping_add(number * num_bytes),
            num_bytes,
            _memory: Arc::clone(memory),
        };
        (0..count).map(place).collect()
    }

    /// Moves the rows together that are left when those of these numbers, in order, are left out. All of them must have been
    /// filled.
    pub(super) fn leave_out(&mut self, row_bytes: usize, num_rows: usize, failed: &[usize]) {
        let (start, num_bytes) = self.extent();
        // SAFETY: the memory is of that extent, and borrowed mutably: no place of it is left.
        let bytes = unsafe { slice::from_raw_parts_mut(start, num_bytes) };
        for (place, row) in (0..num_rows).filter(|row| !failed.contains(row)).enumerate() {
            bytes.copy_within(row * row_bytes..(row + 1) * row_bytes, place * row_bytes);
        }
    }

    fn extent(&self) -> (*mut MaybeUninit<u8>, usize) {
        match self {
            Self::Buffer(buffer, _) => (buffer.as_ptr().cast(), buffer.num_bytes()),
            Self::Array(array) => array.extent(),
        }
    }

    /// The array, when all of it has been filled and no place of it is left. The axes are those of a buffer.
    pub(super) fn into_array<'py>(
        py: Python<'py>,
        library: &ArrayLibrary,
        memory: Option<Arc<Self>>,
        axes: &[usize],
    ) -> PyResult<Bound<'py, PyAny>> {
        match memory.and_then(Arc::into_inner) {
            Some(Self::Array(array)) => library.finish(py, array),
            Some(Self::Buffer(buffer, format)) => library.adopt(py, Frames::of_buffer(buffer, format, axes)),
            None => Err(PySystemError::new_err("the memory of an array is still being filled")),
        }
    }
}

impl Batch {
    /// Reads an open file into exactly as much memory as it takes.
    pub(super) fn fill(
        &self,
        opened: &Opened,
        out: &mut [MaybeUninit<u8>],
        stop: &Stop,
    ) -> mapwave_core::Result<()> {
        let interrupted = &|| stop.load(Ordering::Relaxed);
        let control = ReadControl { max_threads: self.reading.max_threads, interrupted };
        opened.reader.read_into(opened.frames.clone(), &self.reading.spec, out, &control)
    }
}

/// How rows of an array of many clips are laid out.
#[derive(Clone)]
pub(super) struct Rows {
    pub(super) spec: FrameSpec,
    /// The channels of every clip.
    pub(super) num_channels: usize,
    /// The frames of the longest clip.
    pub(super) longest: usize,
    /// The bytes of a sample of padding.
    pad: Vec<u8>,
}

impl Rows {
    /// `pad` is a sample whose full scale is 1, whatever the type.
    pub(super) fn new(
        spec: &FrameSpec,
        num_channels: usize,
        longest: usize,
        pad: f64,
    ) -> mapwave_core::Result<Self> {
        Ok(Self { spec: spec.clone(), num_channels, longest, pad: sample(pad, spec.format)? })
    }

    fn is_planar(&self) -> bool {
        self.spec.layout == Layout::ChannelsFirst && self.num_channels > 1
    }

    /// The lengths of the axes of an array of so many rows.
    pub(super) fn axes(&self, count: usize) -> Vec<usize> {
        match self.spec.layout {
            _ if self.spec.squeeze_mono && self.num_channels == 1 => vec![count, self.longest],
            Layout::ChannelsLast => vec![count, self.longest, self.num_channels],
            Layout::ChannelsFirst => vec![count, self.num_channels, self.longest],
        }
    }

    /// The size of a row.
    pub(super) fn num_bytes(&self) -> usize {
        self.longest * self.frame_bytes()
    }

    fn frame_bytes(&self) -> usize {
        self.num_channels * self.spec.format.num_bytes()
    }

    /// Fills a row: `read` writes the frames of a clip, and the rest is padding. A clip that cannot be read leaves padding.
    pub(super) fn fill(
        &self,
        row: &mut [MaybeUninit<u8>],
        num_frames: usize,
        read: impl FnOnce(&mut [MaybeUninit<u8>]) -> mapwave_core::Result<()>,
    ) -> mapwave_core::Result<()> {
        let num_bytes = num_frames.saturating_mul(self.frame_bytes());
        let result = match row.get_mut(..num_bytes) {
            Some(clip) => read(clip),
            None => Err(mapwave_core::Error::Interrupted),
        };
        match &result {
            Ok(()) if self.is_planar() => self.spread(row, num_frames),
            Ok(()) => self.put_padding(row.get_mut(num_bytes..).unwrap_or_default()),
            Err(_) => self.put_padding(row),
        }
        result
    }

    /// Moves planes that lie one behind the other to where those of the longest clip are.
    fn spread(&self, row: &mut [MaybeUninit<u8>], num_frames: usize) {
        let bytes = self.spec.format.num_bytes();
        let (plane, room) = (num_frames * bytes, self.longest * bytes);
        // From the last to the first, so that none is written over before it is moved.
        for channel in (0..self.num_channels).rev() {
            row.copy_within(channel * plane..(channel + 1) * plane, channel * room);
            self.put_padding(row.get_mut(channel * room + plane..(channel + 1) * room).unwrap_or_default());
        }
    }

    /// Makes samples padding.
    pub(super) fn put_padding(&self, samples: &mut [MaybeUninit<u8>]) {
        match self.pad.first() {
            Some(&first) if self.pad.iter().all(|byte| *byte == first) => {
                samples.fill(MaybeUninit::new(first))
            }
            _ => {
                for sample in samples.chunks_exact_mut(self.pad.len().max(1)) {
                    sample.write_copy_of_slice(&self.pad);
                }
            }
        }
    }
}

/// The bytes of a sample.
fn sample(value: f64, format: OutputFormat) -> mapwave_core::Result<Vec<u8>> {
    let (value, rate) = ([value], Rates::new(1, 1)?);
    let audio = Audio::new(&value, OutputFormat::F64, &[1], None)?;
    let spec = FrameSpec { format, ..FrameSpec::default() };
    let control = ReadControl::ONE_THREAD;
    let frames = resample_array(audio, rate, ResampleQuality::Default, &spec, Buffer::recycled, &control)?;
    Ok(frames.bytes().to_vec())
}
