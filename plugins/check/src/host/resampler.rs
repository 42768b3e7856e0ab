//! Calls of a resampler.

#![allow(unsafe_code)] // functions of a foreign library

use std::ffi::{CStr, CString};
use std::ptr::{null, null_mut};

use mapwave_plugin_abi::{
    mw_buffer, mw_error, mw_resampler, mw_resampler_options, mw_resampler_table, mw_status,
};

use super::guarded_buffer::{Format, GuardedBuffer, Layout};
use super::refusal::{ErrorBox, ErrorSpace, Fault, judge};
use super::sample::Sample;
use super::statements;
use super::struct_bytes::struct_bytes;
use super::text::{names, optional_text, text};
use crate::verdict::{Finding, Outcome};

/// The table of a resampler, with all its functions.
#[derive(Clone, Copy)]
pub struct ResamplerTable {
    table: &'static mw_resampler_table,
    functions: Functions,
}

#[derive(Clone, Copy)]
struct Functions {
    open:
        unsafe extern "C" fn(*const mw_resampler_options, *mut *mut mw_resampler, *mut mw_error) -> mw_status,
    process: unsafe extern "C" fn(
        *mut mw_resampler,
        *const mw_buffer,
        *mut u64,
        *const mw_buffer,
        *mut u64,
        *mut mw_error,
    ) -> mw_status,
    close: unsafe extern "C" fn(*mut mw_resampler),
    /// Since version 1.1.
    restart: Option<
        unsafe extern "C" fn(*const mw_resampler_options, *mut u64, *mut u64, *mut mw_error) -> mw_status,
    >,
}

// SAFETY: a table and its strings are constant until the process exits, by R2.
unsafe impl Send for ResamplerTable {}
// SAFETY: as above.
unsafe impl Sync for ResamplerTable {}

/// What to ask of a resampler.
#[derive(Clone, Debug)]
pub struct ResampleOptions {
    /// Input frames per second.
    pub input_rate: u32,
    /// Output frames per second.
    pub output_rate: u32,
    /// Samples per frame.
    pub num_channels: u32,
    /// The input format.
    pub input_format: Format,
    /// One of the table's qualities.
    pub quality: String,
}

impl ResampleOptions {
    /// The struct to pass, which points to `quality`.
    fn to_abi(&self, quality: &CStr) -> mw_resampler_options {
        mw_resampler_options {
            size: struct_bytes::<mw_resampler_options>(),
            input_rate: self.input_rate,
            output_rate: self.output_rate,
            num_channels: self.num_channels,
            input_format: self.input_format.code(),
            max_threads: 1,
            quality: quality.as_ptr(),
            max_alloc: 1 << 30,
        }
    }
}

impl ResamplerTable {
    /// Checks that a table has all functions.
    pub fn new(table: &'static mw_resampler_table) -> Outcome<Self> {
        let missing = |name| Finding::broken("R1", format!("the resampler's function {name} is missing"));
        let functions = Functions {
            open: table.open.ok_or_else(|| missing("open"))?,
            process: table.process.ok_or_else(|| missing("process"))?,
            close: table.close.ok_or_else(|| missing("close"))?,
            restart: table.restart,
        };
        Ok(Self { table, functions })
    }

    /// Its name.
    pub fn name(&self) -> Outcome<String> {
        text(self.table.name, "the resampler's name")
    }

    /// Rejects missing or invalid strings and formats.
    pub fn check_description(&self) -> Outcome {
        let short =
            |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "-_.".contains(letter);
        names(self.table.name, "the resampler's name", short)?;
        self.formats()?;
        let default = optional_text(self.table.default_quality, "default_quality")?;
        statements::check_default_quality(&default, &self.qualities()?, self.table.ratio_limit)
    }

    /// The names of its qualities.
    pub fn qualities(&self) -> Outcome<Vec<String>> {
        names(self.table.qualities, "the resampler's qualities", |letter| letter.is_ascii_graphic())
    }

    /// The input formats.
    pub fn formats(&self) -> Outcome<Vec<Format>> {
        Format::from_mask(self.table.formats).ok_or_else(|| {
            Finding::broken("R1", format!("the resampler's formats are {:#x}", self.table.formats))
        })
    }

    /// The grid of frames at which a resampler may restart, 0 for the start only, and the pre-roll. `None` when
    /// the plugin has no such function.
    pub fn restart(&self, options: &ResampleOptions) -> Result<Option<(u64, u64)>, Fault> {
        let Some(function) = self.functions.restart else { return Ok(None) };
        let quality = CString::new(options.quality.as_str()).unwrap_or_default();
        let passed = options.to_abi(&quality);
        let (mut grid, mut preroll) = (0, 0);
        let mut error = ErrorBox::new(ErrorSpace::FULL);
        // SAFETY: the options and the places for two numbers are this function's own, the error is one or null, and all of them
        // outlive the call.
        let status = unsafe { function(&raw const passed, &raw mut grid, &raw mut preroll, error.pointer()) };
        judge("restart", status, &error, false)?;
        Ok(Some((grid, preroll)))
    }

    /// The struct itself, for calls that this host does not make.
    pub fn fields(&self) -> &'static mw_resampler_table {
        self.table
    }

    /// Opens a resampler.
    pub fn open(&self, options: &ResampleOptions) -> Result<Resampler, Fault> {
        let quality = CString::new(options.quality.as_str()).unwrap_or_default();
        let passed = options.to_abi(&quality);
        let mut handle: *mut mw_resampler = null_mut();
        let mut error = ErrorBox::new(ErrorSpace::FULL);
        // SAFETY: the options and the place for the handle are this function's own, the error is one or null, and all of them
        // outlive the call.
        let status = unsafe { (self.functions.open)(&raw const passed, &raw mut handle, error.pointer()) };
        let resampler = Resampler {
            functions: self.functions,
            handle,
            num_channels: options.num_channels,
            input_format: options.input_format,
        };
        judge("open", status, &error, false)?;
        if resampler.handle.is_null() {
            return Err(Fault::broken("open", "open returned MW_OK and set no handle"));
        }
        Ok(resampler)
    }

    /// Closes a null handle, which is allowed.
    pub fn close_null(&self) {
        // SAFETY: closing null is legal and does nothing, by the interface.
        unsafe { (self.functions.close)(null_mut()) }
    }
}

/// An open handle, closed on drop.
pub struct Resampler {
    functions: Functions,
    handle: *mut mw_resampler,
    num_channels: u32,
    input_format: Format,
}

// SAFETY: a handle takes calls from any thread, one at a time, by R4; `&self` is not shared between threads here.
unsafe impl Send for Resampler {}

/// What one call of `process` did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Processed {
    /// The number of frames read.
    pub num_read: usize,
    /// The number of frames written.
    pub num_written: usize,
    /// Whether the output is complete.
    pub is_end: bool,
}

impl Resampler {
    /// Passes interleaved samples of [`ResampleOptions::input_format`], or `None` after the last, and reads at
    /// most `max_frames` frames; returns the counts and the output frames, interleaved.
    ///
    /// # Panics
    /// When the samples are of another format, or `max_frames` is 0.
    pub fn process<T: Sample>(
        &mut self,
        samples: Option<&[T]>,
        max_frames: usize,
    ) -> Result<(Processed, Vec<f32>), Fault> {
        assert!(T::FORMAT == self.input_format && max_frames > 0, "the format that was asked for, and room");
        let layout = Layout::Interleaved;
        let mut input = samples
            .map(|samples| GuardedBuffer::of(T::FORMAT, layout, self.num_channels, &T::to_bytes(samples)));
        let mut output = GuardedBuffer::new(Format::F32, layout, self.num_channels, max_frames);
        let processed = self.process_buffers(input.as_mut(), &mut output)?;
        let mut bytes = Vec::new();
        output.take(processed.num_written, &mut bytes);
        Ok((processed, f32::from_bytes(&bytes)))
    }

    /// Reads frames from `input`, if any are left, and writes frames to `output`.
    pub(crate) fn process_buffers(
        &mut self,
        input: Option<&mut GuardedBuffer>,
        output: &mut GuardedBuffer,
    ) -> Result<Processed, Fault> {
        let num_frames = input.as_ref().map_or(0, |input| input.capacity());
        let capacity = output.capacity();
        let passed_input = input.map(GuardedBuffer::abi_buffer);
        let passed_output = output.abi_buffer();
        let (mut num_read, mut num_written) = (0, 0);
        let mut error = ErrorBox::new(ErrorSpace::FULL);
        let pointer = passed_input.as_ref().map_or(null(), |input| &raw const *input);
        // SAFETY: the handle is open, the frames are there, the output is as large as it says, and null is legal.
        let status = unsafe {
            (self.functions.process)(
                self.handle,
                pointer,
                &raw mut num_read,
                &raw const passed_output,
                &raw mut num_written,
                error.pointer(),
            )
        };
        let is_end = judge("process", status, &error, true)?;
        let inside = |count: u64, most: usize| usize::try_from(count).ok().filter(|count| *count <= most);
        let (Some(num_read), Some(num_written)) =
            (inside(num_read, num_frames), inside(num_written, capacity))
        else {
            let reason = format!(
                "process reported {num_read} frames read of {num_frames} and {num_written} written of {capacity}"
            );
            return Err(Fault::broken("process", reason));
        };
        output.check(num_written, "process")?;
        if is_end && (num_written > 0 || passed_input.is_some()) {
            return Err(Fault::broken("process", "process returned MW_END before everything was written"));
        }
        Ok(Processed { num_read, num_written, is_end })
    }
}

impl Drop for Resampler {
    fn drop(&mut self) {
        // SAFETY: the handle is open, or null, which is legal; a value is dropped once, so nothing uses the handle afterwards.
        unsafe { (self.functions.close)(self.handle) }
    }
}
