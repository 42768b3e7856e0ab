//! Resamplers.

use core::ffi::c_char;

use crate::buffer::mw_buffer;
use crate::status::{mw_error, mw_status};

#[cfg(doc)]
use crate::stream::mw_stream_info;

/// Options for opening a resampler.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mw_resampler_options {
    /// The size of this struct.
    pub size: u32,
    /// Frames per second of the input.
    pub input_rate: u32,
    /// Frames per second of the output.
    pub output_rate: u32,
    /// Samples per frame.
    pub num_channels: u32,
    /// The format of the input; that of the output is `MW_F32`.
    pub input_format: u32,
    /// The number of threads that a handle may use, including the caller's; 0 and 1 mean the caller's alone.
    pub max_threads: u32,
    /// One of the table's `qualities`.
    pub quality: *const c_char,
    /// The most bytes that a handle may have allocated at any time; 0 leaves the limit to the plugin.
    pub max_alloc: u64,
}

/// A resampler at work; defined by the plugin.
#[repr(C)]
pub struct mw_resampler {
    _opaque: [u8; 0],
}

/// A kind of resampler: "mapwave.resampler/1". Only `restart` may be null.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mw_resampler_table {
    /// The size of this struct.
    pub size: u32,
    /// The formats of the input, as in [`mw_stream_info`].
    pub formats: u32,
    /// A short lower-case name, unique in the library.
    pub name: *const c_char,
    /// The names of its qualities, separated by commas.
    pub qualities: *const c_char,
    /// Opens a resampler and sets `*resampler`.
    pub open: Option<
        unsafe extern "C" fn(
            options: *const mw_resampler_options,
            resampler: *mut *mut mw_resampler,
            error: *mut mw_error,
        ) -> mw_status,
    >,
    /// Takes frames from `input`, which is null after the last, and writes frames to `output`; sets `*num_read` and
    /// `*num_written`. If `input` is null and nothing is left to write, returns `MW_END`. In all, n input frames give
    /// round(n * output_rate / input_rate) output frames, however they are divided. `output` has room for at least one
    /// frame.
    pub process: Option<
        unsafe extern "C" fn(
            resampler: *mut mw_resampler,
            input: *const mw_buffer,
            num_read: *mut u64,
            output: *const mw_buffer,
            num_written: *mut u64,
            error: *mut mw_error,
        ) -> mw_status,
    >,
    /// Frees the handle; null is legal.
    pub close: Option<unsafe extern "C" fn(resampler: *mut mw_resampler)>,
    /// Sets `*grid_frames` and `*preroll_frames`, which state where in a signal a resampler may start. Let S be a
    /// multiple of `*grid_frames`, so that S * output_rate / input_rate is a whole number. A resampler opened with
    /// these options that gets the frames from S on as if they were the first returns, from its output frame
    /// ceil(preroll_frames * output_rate / input_rate) on, the same bits as one that got all frames from 0 on returns
    /// that many frames after S * output_rate / input_rate, however the input is divided, except near its end. If
    /// `*grid_frames` is 0, a resampler may start at frame 0 only. The first call may take some time. Null means 0;
    /// since version 1.1.
    pub restart: Option<
        unsafe extern "C" fn(
            options: *const mw_resampler_options,
            grid_frames: *mut u64,
            preroll_frames: *mut u64,
            error: *mut mw_error,
        ) -> mw_status,
    >,
    /// The default one of `qualities`. The first resampler in the host's order that names one decides. Null leaves it
    /// to others; since version 1.2.
    pub default_quality: *const c_char,
    /// `open` rejects rates if one is at least this many times the other; 0 for no limit; since version 1.2.
    pub ratio_limit: u32,
    /// Reserved.
    pub reserved: u32,
}
