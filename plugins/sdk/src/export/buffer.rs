//! Buffers of the host: frames, or room for them.

use std::ffi::c_void;

use mapwave_plugin_abi as abi;

use crate::block::Block;
use crate::error::{Error, Result};
use crate::output::Output;
use crate::sample::{Layout, SampleFormat};
use crate::sized;

/// A valid [`abi::mw_buffer`].
pub(super) struct Buffer<'a> {
    planes: &'a [*mut c_void],
    format: SampleFormat,
    layout: Layout,
    num_channels: usize,
    num_frames: usize,
}

impl<'a> Buffer<'a> {
    /// Checks the buffer that the host passed.
    ///
    /// # Safety
    /// `buffer` is null or points to an [`abi::mw_buffer`] of the size that it states, whose planes stay as they are for `'a`.
    pub(super) unsafe fn from_host(
        buffer: *const abi::mw_buffer,
        formats: &[SampleFormat],
        num_channels: u32,
    ) -> Result<Self> {
        // SAFETY: the caller promised it.
        let buffer = unsafe { sized::read(buffer) }?;
        let format = SampleFormat::from_code(buffer.format).filter(|format| formats.contains(format));
        let format = format.ok_or_else(|| {
            Error::bad_argument(format!(
                "the buffer's format is {}, expected one of {formats:?}",
                buffer.format
            ))
        })?;
        let (layout, num_planes) = match buffer.layout {
            abi::MW_INTERLEAVED => (Layout::Interleaved, 1),
            abi::MW_PLANAR => (Layout::Planar, num_channels),
            other => {
                return Err(Error::bad_argument(format!("the buffer's layout is {other}, expected 0 or 1")));
            }
        };
        if buffer.num_planes != num_planes {
            let message =
                format!("the buffer has {} planes, expected {num_planes} ({layout:?})", buffer.num_planes);
            return Err(Error::bad_argument(message));
        }
        let num_channels = num_channels as usize;
        let num_frames = usize::try_from(buffer.num_frames).ok().filter(|num_frames| {
            let num_samples = num_frames.checked_mul(num_channels);
            let num_bytes = num_samples.and_then(|count| count.checked_mul(format.num_bytes()));
            num_bytes.is_some_and(|num_bytes| isize::try_from(num_bytes).is_ok())
        });
        let num_frames = num_frames.ok_or_else(|| {
            Error::bad_argument(format!("the buffer's {} frames do not fit into memory", buffer.num_frames))
        })?;
        if buffer.planes.is_null() || !buffer.planes.is_aligned() {
            return Err(Error::bad_argument("the buffer's list of planes is null or not aligned"));
        }
        // SAFETY: the host lists as many planes there, which stay for 'a.
        let planes = unsafe { std::slice::from_raw_parts(buffer.planes, num_planes as usize) };
        for (number, plane) in planes.iter().enumerate() {
            if plane.is_null() || plane.addr() % format.num_bytes() != 0 {
                return Err(Error::bad_argument(format!(
                    "plane {number} of the buffer is null or not aligned"
                )));
            }
        }
        Ok(Self { planes, format, layout, num_channels, num_frames })
    }

    /// The number of frames, or the capacity in frames.
    pub(super) fn num_frames(&self) -> usize {
        self.num_frames
    }

    /// As room to be written.
    ///
    /// # Safety
    /// The host lets the planes be written and uses them for nothing else during `'a`.
    pub(super) unsafe fn into_output(self) -> Output<'a> {
        // SAFETY: the planes are there, aligned and as many as the layout needs; the caller promised the rest.
        unsafe { Output::new(self.planes, self.format, self.layout, self.num_channels, self.num_frames) }
    }

    /// As frames to be read.
    ///
    /// # Safety
    /// The planes hold initialised samples that nobody changes during `'a`.
    pub(super) unsafe fn into_block(self) -> Block<'a> {
        // SAFETY: the planes are there, aligned and as many as the layout needs; the caller promised the rest.
        unsafe { Block::new(self.planes, self.format, self.layout, self.num_channels, self.num_frames) }
    }
}
