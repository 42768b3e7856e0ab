//! A buffer for frames between canaries, aligned to one sample only.

#![allow(unsafe_code)] // pointers into memory of its own

use std::ffi::c_void;

use mapwave_plugin_abi::{MW_F32, MW_I16, MW_I32, MW_INTERLEAVED, MW_PLANAR, mw_buffer};

use super::refusal::{CANARY, Fault};
use super::struct_bytes::struct_bytes;

/// The bytes before and after each plane that must stay as they are.
const MARGIN: usize = 512;

/// The format of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// 32-bit float.
    F32,
    /// Signed 16-bit.
    I16,
    /// Signed 32-bit.
    I32,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::F32, Self::I16, Self::I32];

    /// Its number in the plugin interface.
    pub fn code(self) -> u32 {
        match self {
            Self::F32 => MW_F32,
            Self::I16 => MW_I16,
            Self::I32 => MW_I32,
        }
    }

    /// The format with a number, if there is one.
    pub fn from_code(code: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.code() == code)
    }

    /// The formats in a sum of `1 << MW_F32` and so on; `None` if it holds unknown ones, or none.
    pub fn from_mask(mask: u32) -> Option<Vec<Self>> {
        let formats: Vec<Self> =
            Self::ALL.into_iter().filter(|format| mask & (1 << format.code()) != 0).collect();
        let sum: u32 = formats.iter().map(|format| 1 << format.code()).sum();
        (sum == mask && mask != 0).then_some(formats)
    }

    /// The size of a sample in bytes.
    pub fn num_bytes(self) -> usize {
        if self == Self::I16 { 2 } else { 4 }
    }
}

/// The order of samples in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// The samples of a frame are adjacent.
    Interleaved,
    /// The samples of a channel are adjacent.
    Planar,
}

/// A buffer for frames to be written or read, between bytes that must stay as they are.
#[derive(Debug)]
pub struct GuardedBuffer {
    format: Format,
    layout: Layout,
    num_channels: usize,
    capacity: usize,
    /// Whole words, so that this code chooses the alignment of each plane.
    words: Vec<u64>,
    /// The start of each plane in bytes.
    starts: Vec<usize>,
    planes: Vec<*mut c_void>,
}

// SAFETY: the planes point into `words`, which is the value's own.
unsafe impl Send for GuardedBuffer {}

impl GuardedBuffer {
    /// A buffer for `capacity` frames, all of it canaries.
    pub fn new(format: Format, layout: Layout, num_channels: u32, capacity: usize) -> Self {
        let num_channels = num_channels as usize;
        let (num_planes, samples) = match layout {
            Layout::Interleaved => (1, num_channels),
            Layout::Planar => (num_channels, 1),
        };
        let plane_bytes = capacity * samples * format.num_bytes();
        // One sample past a multiple of 8 bytes: a vector store that needs more alignment faults there.
        let stride = MARGIN + (format.num_bytes() + plane_bytes).next_multiple_of(8);
        let starts: Vec<usize> =
            (0..num_planes).map(|plane| MARGIN + plane * stride + format.num_bytes()).collect();
        let words = vec![u64::from_ne_bytes([CANARY; 8]); (MARGIN + num_planes * stride) / 8];
        Self { format, layout, num_channels, capacity, words, starts, planes: Vec::new() }
    }

    /// A buffer filled with frames, from interleaved samples.
    pub fn of(format: Format, layout: Layout, num_channels: u32, interleaved: &[u8]) -> Self {
        let frame_bytes = format.num_bytes() * num_channels as usize;
        let capacity = interleaved.len() / frame_bytes.max(1);
        let mut buffer = Self::new(format, layout, num_channels, capacity);
        if layout == Layout::Interleaved {
            let start = buffer.starts.first().copied().unwrap_or_default();
            let num_bytes = capacity * frame_bytes;
            if let Some(to) = buffer.bytes_mut().get_mut(start..start + num_bytes) {
                to.copy_from_slice(interleaved.get(..num_bytes).unwrap_or_default());
            }
            return buffer;
        }
        let places = buffer.places(capacity);
        let bytes = buffer.bytes_mut();
        for (place, sample) in places.into_iter().zip(interleaved.chunks_exact(format.num_bytes())) {
            if let Some(to) = bytes.get_mut(place..place + sample.len()) {
                to.copy_from_slice(sample);
            }
        }
        buffer
    }

    /// The number of frames that fit.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// The struct to pass to the callee, valid until the buffer is used again.
    pub fn abi_buffer(&mut self) -> mw_buffer {
        let base: *mut u8 = self.words.as_mut_ptr().cast();
        self.planes = self.starts.iter().map(|start| base.wrapping_add(*start).cast()).collect();
        mw_buffer {
            size: struct_bytes::<mw_buffer>(),
            format: self.format.code(),
            layout: if self.layout == Layout::Planar { MW_PLANAR } else { MW_INTERLEAVED },
            num_planes: u32::try_from(self.planes.len()).unwrap_or(u32::MAX),
            planes: self.planes.as_ptr(),
            num_frames: self.capacity as u64,
        }
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: the words are initialised, and bytes have no alignment.
        unsafe { std::slice::from_raw_parts(self.words.as_ptr().cast(), self.words.len() * 8) }
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `bytes`, and borrowed mutably; any bytes make words.
        unsafe { std::slice::from_raw_parts_mut(self.words.as_mut_ptr().cast(), self.words.len() * 8) }
    }

    /// A copy of everything, to see whether it changes.
    pub fn all_bytes(&self) -> Vec<u8> {
        self.bytes().to_vec()
    }

    /// The number of adjacent samples of one frame.
    fn samples_per_frame(&self) -> usize {
        if self.layout == Layout::Planar { 1 } else { self.num_channels }
    }

    /// The byte offsets of the samples of the first `num_frames` frames, in interleaved order.
    fn places(&self, num_frames: usize) -> Vec<usize> {
        let size = self.format.num_bytes();
        match self.layout {
            Layout::Interleaved => {
                let start = self.starts.first().copied().unwrap_or_default();
                (0..num_frames * self.num_channels).map(|sample| start + sample * size).collect()
            }
            Layout::Planar => (0..num_frames)
                .flat_map(|frame| self.starts.iter().map(move |start| start + frame * size))
                .collect(),
        }
    }

    /// Rejects canaries that changed outside the first `num_frames` frames.
    pub fn check(&self, num_frames: usize, call: &'static str) -> Result<(), Fault> {
        let frame_bytes = self.samples_per_frame() * self.format.num_bytes();
        let bytes = self.bytes();
        let mut free = 0;
        let ends = self.starts.iter().map(|start| (*start, start + num_frames * frame_bytes));
        for (start, end) in ends.chain([(bytes.len(), bytes.len())]) {
            let gap = bytes.get(free..start).unwrap_or_default();
            if let Some(place) = gap.iter().position(|byte| *byte != CANARY) {
                return Err(self.overrun(free + place, num_frames, call));
            }
            free = end;
        }
        Ok(())
    }

    fn overrun(&self, place: usize, num_frames: usize, call: &'static str) -> Fault {
        let frame_bytes = self.samples_per_frame() * self.format.num_bytes();
        let plane_bytes = self.capacity * frame_bytes;
        let written = format!("{num_frames} of {} frames", self.capacity);
        let before = self.starts.iter().enumerate().rev().find(|(_, start)| **start <= place);
        let reason = match before {
            None => format!("{call} wrote before the first plane of its buffer"),
            Some((plane, start)) if place < start + plane_bytes => {
                let frame = (place - start) / frame_bytes.max(1);
                format!("{call} reported {written}, and also wrote frame {frame} of plane {plane}")
            }
            Some((plane, start)) => {
                let past = place - start - plane_bytes;
                format!(
                    "{call} wrote past its buffer: {past} bytes behind plane {plane}, which has room for {} frames",
                    self.capacity
                )
            }
        };
        Fault::broken("R8", reason)
    }

    /// Appends the first `num_frames` frames to `pcm`, interleaved, and restores the canaries.
    pub fn take(&mut self, num_frames: usize, pcm: &mut Vec<u8>) {
        let size = self.format.num_bytes();
        if self.layout == Layout::Interleaved {
            let start = self.starts.first().copied().unwrap_or_default();
            let end = start + num_frames * self.num_channels * size;
            if let Some(frames) = self.bytes_mut().get_mut(start..end) {
                pcm.extend_from_slice(frames);
                frames.fill(CANARY);
            }
            return;
        }
        let places = self.places(num_frames);
        let bytes = self.bytes_mut();
        for place in places {
            if let Some(sample) = bytes.get_mut(place..place + size) {
                pcm.extend_from_slice(sample);
                sample.fill(CANARY);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn frames_go_in_and_out_in_either_layout() {
        let pcm: Vec<u8> = (0..24).collect();
        for layout in [Layout::Interleaved, Layout::Planar] {
            for format in Format::ALL {
                let mut buffer = GuardedBuffer::of(format, layout, 3, &pcm);
                assert_eq!(buffer.capacity(), 24 / 3 / format.num_bytes());
                let mut taken = Vec::new();
                buffer.take(buffer.capacity(), &mut taken);
                assert_eq!(taken, pcm);
                assert!(buffer.check(0, "decode").is_ok());
            }
        }
    }

    #[test]
    fn every_byte_that_is_not_a_written_frame_is_watched() {
        for layout in [Layout::Interleaved, Layout::Planar] {
            let mut buffer = GuardedBuffer::new(Format::I16, layout, 2, 5);
            let written = buffer.places(3);
            let watched: Vec<usize> = (0..buffer.bytes().len())
                .filter(|at| !written.iter().any(|place| (*place..place + 2).contains(at)))
                .collect();
            for at in watched {
                buffer.bytes_mut()[at] = 0;
                assert!(buffer.check(3, "decode").is_err(), "byte {at}");
                buffer.bytes_mut()[at] = CANARY;
            }
            for at in written {
                buffer.bytes_mut()[at] = 0;
            }
            assert!(buffer.check(3, "decode").is_ok());
        }
    }

    #[test]
    fn planes_are_aligned_to_a_sample_and_no_further() {
        for format in Format::ALL {
            let mut buffer = GuardedBuffer::new(format, Layout::Planar, 2, 7);
            buffer.abi_buffer();
            assert!(
                buffer
                    .planes
                    .iter()
                    .all(|plane| plane.addr() % (2 * format.num_bytes()) == format.num_bytes())
            );
        }
    }
}
