//! Resamplers of plugins, called without trust: every count that comes back is checked.

#![allow(unsafe_code)] // calls into plugins

use std::ffi::{CString, c_void};
use std::fmt;
use std::ptr::NonNull;
use std::sync::Arc;

use mapwave_plugin_abi as abi;

use crate::host::ffi::fault::{Answer, Failure, required_name};
use crate::host::ffi::raw;
use crate::host::ffi::raw::Sized32;
use crate::host::table::standing::Standing;
use crate::pcm::OutputFormat;

/// How much a handle may allocate.
const MAX_ALLOC: u64 = 256 << 20;

/// The statements of a resampler about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResamplerSummary {
    /// The name.
    pub name: String,
    /// The names of the qualities.
    pub qualities: Vec<String>,
    /// The default among them.
    pub default_quality: Option<String>,
    /// The ratio of the higher to the lower rate must be less than this.
    pub ratio_limit: Option<u32>,
}

/// A request for a resampler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ResamplerRequest {
    pub(crate) input_rate: u32,
    pub(crate) output_rate: u32,
    pub(crate) num_channels: usize,
    /// Whether the input is 16-bit integers instead of 32-bit floats.
    pub(crate) is_16_bit: bool,
    pub(crate) quality: String,
    pub(crate) max_threads: usize,
}

/// Where in a signal a resampler may start: at multiples of `grid_frames` of the input. The output for the first
/// `preroll_frames` differs from that of a resampler that started earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Restart {
    pub(crate) grid_frames: u64,
    pub(crate) preroll_frames: u64,
}

/// The input samples of each channel.
#[derive(Debug)]
pub(crate) enum Channels {
    I16(Vec<Vec<i16>>),
    F32(Vec<Vec<f32>>),
}

impl Channels {
    /// The number of frames.
    pub(crate) fn num_frames(&self) -> usize {
        match self {
            Self::I16(channels) => channels.first().map_or(0, Vec::len),
            Self::F32(channels) => channels.first().map_or(0, Vec::len),
        }
    }

    fn format(&self) -> OutputFormat {
        match self {
            Self::I16(_) => OutputFormat::I16,
            Self::F32(_) => OutputFormat::F32,
        }
    }

    /// The addresses of each channel's samples from a frame.
    fn planes(&self, first: usize) -> Vec<*mut c_void> {
        fn places<T>(channels: &[Vec<T>], first: usize) -> Vec<*mut c_void> {
            let rest = channels.iter().map(|channel| channel.get(first..).unwrap_or_default());
            rest.map(|samples| samples.as_ptr().cast_mut().cast()).collect()
        }
        match self {
            Self::I16(channels) => places(channels, first),
            Self::F32(channels) => places(channels, first),
        }
    }
}

/// A kind of resampler: the functions of a plugin, known to be present.
#[derive(Clone, Debug)]
pub(crate) struct ResamplerKind {
    standing: &'static Standing,
    formats: u32,
    summary: Arc<ResamplerSummary>,
    functions: Functions,
}

type RestartFunction = unsafe extern "C" fn(
    *const abi::mw_resampler_options,
    *mut u64,
    *mut u64,
    *mut abi::mw_error,
) -> abi::mw_status;

#[derive(Clone, Copy, Debug)]
struct Functions {
    open: unsafe extern "C" fn(
        *const abi::mw_resampler_options,
        *mut *mut abi::mw_resampler,
        *mut abi::mw_error,
    ) -> abi::mw_status,
    process: unsafe extern "C" fn(
        *mut abi::mw_resampler,
        *const abi::mw_buffer,
        *mut u64,
        *const abi::mw_buffer,
        *mut u64,
        *mut abi::mw_error,
    ) -> abi::mw_status,
    close: unsafe extern "C" fn(*mut abi::mw_resampler),
    restart: Option<RestartFunction>,
}

impl ResamplerKind {
    /// Reads a resampler's table.
    ///
    /// # Safety
    /// `table` is what a plugin returned for its resampler interface: valid until the process exits.
    pub(crate) unsafe fn new(
        table: *const abi::mw_resampler_table,
        standing: &'static Standing,
    ) -> Result<Self, Failure> {
        // SAFETY: the caller's promise; a table begins with its size.
        let table = unsafe { Sized32::copied(table) };
        let abi::mw_resampler_table { formats, open, process, close, restart, .. } = table;
        let missing = |name: &str| Failure::broken(format!("its resampler table has no function '{name}'"));
        let functions = Functions {
            open: open.ok_or_else(|| missing("open"))?,
            process: process.ok_or_else(|| missing("process"))?,
            close: close.ok_or_else(|| missing("close"))?,
            restart,
        };
        // SAFETY: strings of a table are valid until the process exits.
        let name = unsafe { required_name(table.name, "resampler's name") }?.to_owned();
        // SAFETY: as above.
        let qualities = raw::split(unsafe { raw::text(table.qualities) });
        // SAFETY: as above.
        let default = unsafe { raw::text(table.default_quality) };
        let default_quality = default.filter(|default| qualities.contains(default));
        let ratio_limit = Some(table.ratio_limit).filter(|limit| *limit != 0);
        let summary = Arc::new(ResamplerSummary { name, qualities, default_quality, ratio_limit });
        Ok(Self { standing, formats, summary, functions })
    }

    /// The name of the plugin.
    pub(crate) fn plugin(&self) -> &'static str {
        self.standing.plugin()
    }

    /// Whether the plugin comes with mapwave: its calls need no supervision.
    pub(crate) fn is_trusted(&self) -> bool {
        self.standing.is_trusted()
    }

    /// How the plugin stands with the host.
    pub(crate) fn standing(&self) -> &'static Standing {
        self.standing
    }

    /// Its statements about itself.
    pub(crate) fn summary(&self) -> &ResamplerSummary {
        &self.summary
    }

    /// Whether it accepts samples of a format.
    pub(crate) fn takes(&self, format: OutputFormat) -> bool {
        self.formats & (1 << code(format)) != 0
    }

    /// Whether it supports these rates.
    pub(crate) fn bridges(&self, input_rate: u32, output_rate: u32) -> bool {
        let (low, high) = (input_rate.min(output_rate).max(1), input_rate.max(output_rate));
        self.summary.ratio_limit.is_none_or(|limit| high / low < limit)
    }

    /// Whether it has a quality.
    pub(crate) fn has(&self, quality: &str) -> bool {
        self.summary.qualities.iter().any(|other| other == quality)
    }

    /// Opens a resampler.
    pub(crate) fn open(&self, request: &ResamplerRequest) -> Result<ResamplerHandle, Failure> {
        let quality = raw::c_string(&request.quality);
        let options = options(request, &quality);
        let (mut answer, mut handle) = (Answer::new(), std::ptr::null_mut());
        // SAFETY: all three are valid during the call.
        let status =
            unsafe { (self.functions.open)(&raw const options, &raw mut handle, answer.as_mut_ptr()) };
        match (status, NonNull::new(handle)) {
            (abi::MW_OK, Some(handle)) => {
                let num_channels = request.num_channels;
                Ok(ResamplerHandle { functions: self.functions, num_channels, handle })
            }
            (abi::MW_OK, None) => Err(Failure::broken("its open succeeded without a handle")),
            _ => Err(answer.into_failure(status)),
        }
    }

    /// Where in a signal it may start; `None` if only at the beginning.
    pub(crate) fn restart(&self, request: &ResamplerRequest) -> Result<Option<Restart>, Failure> {
        let Some(function) = self.functions.restart else { return Ok(None) };
        let quality = raw::c_string(&request.quality);
        let options = options(request, &quality);
        let (mut answer, mut grid_frames, mut preroll_frames) = (Answer::new(), 0, 0);
        // SAFETY: all four are valid during the call.
        let status = unsafe {
            function(&raw const options, &raw mut grid_frames, &raw mut preroll_frames, answer.as_mut_ptr())
        };
        if status != abi::MW_OK {
            return Err(answer.into_failure(status));
        }
        let (input, output) = (u128::from(request.input_rate), u128::from(request.output_rate));
        if u128::from(grid_frames) * output % input.max(1) != 0 {
            let what = format!(
                "it may begin at multiples of frame {grid_frames}, where from {input} to {output} Hz no frame comes out"
            );
            return Err(Failure::broken(what));
        }
        Ok((grid_frames > 0).then_some(Restart { grid_frames, preroll_frames }))
    }
}

fn code(format: OutputFormat) -> u32 {
    match format {
        OutputFormat::I16 => abi::MW_I16,
        OutputFormat::I32 => abi::MW_I32,
        _ => abi::MW_F32,
    }
}

fn options(request: &ResamplerRequest, quality: &CString) -> abi::mw_resampler_options {
    abi::mw_resampler_options {
        input_rate: request.input_rate,
        output_rate: request.output_rate,
        num_channels: u32::try_from(request.num_channels).unwrap_or(0),
        input_format: if request.is_16_bit { abi::MW_I16 } else { abi::MW_F32 },
        max_threads: u32::try_from(request.max_threads).unwrap_or(u32::MAX).max(1),
        quality: quality.as_ptr(),
        max_alloc: MAX_ALLOC,
        ..abi::mw_resampler_options::zeroed()
    }
}

/// A handle: one signal that is being resampled.
pub(crate) struct ResamplerHandle {
    functions: Functions,
    num_channels: usize,
    handle: NonNull<abi::mw_resampler>,
}

// SAFETY: a handle takes one call at a time from any thread (R4), and every call needs it exclusively.
unsafe impl Send for ResamplerHandle {}

impl ResamplerHandle {
    /// Passes the frames of `input` from `first`, or that there are no more, and receives the output in `output`, a slice per
    /// channel. Returns the numbers of frames consumed and produced.
    pub(crate) fn process(
        &mut self,
        input: Option<(&Channels, usize)>,
        output: &mut [Vec<f32>],
    ) -> Result<(usize, usize), Failure> {
        let room = output.iter().map(Vec::len).min().unwrap_or(0);
        let offered = input.map_or(0, |(channels, first)| channels.num_frames().saturating_sub(first));
        let planes = input.map(|(channels, first)| (channels.planes(first), channels.format()));
        let from = planes.as_ref().map(|(planes, format)| self.buffer(planes, *format, offered));
        let places: Vec<*mut c_void> = output.iter_mut().map(|channel| channel.as_mut_ptr().cast()).collect();
        let to = self.buffer(&places, OutputFormat::F32, room);
        let from = from.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
        let (mut answer, mut num_read, mut num_written) = (Answer::new(), 0, 0);
        let function = self.functions.process;
        // SAFETY: an open handle, borrowed exclusively; the planes of both buffers have as many frames as these say, those of
        // the input are only read, and all is valid during the call.
        let status = unsafe {
            function(
                self.handle.as_ptr(),
                from,
                &raw mut num_read,
                &raw const to,
                &raw mut num_written,
                answer.as_mut_ptr(),
            )
        };
        if status != abi::MW_OK && status != abi::MW_END {
            return Err(answer.into_failure(status));
        }
        let within =
            |num_frames: u64, most: usize| usize::try_from(num_frames).ok().filter(|count| *count <= most);
        match (within(num_read, offered), within(num_written, room)) {
            (Some(num_read), Some(num_written)) => Ok((num_read, num_written)),
            _ => Err(Failure::broken(format!(
                "it took {num_read} frames of {offered} and gave {num_written} where there was room for {room}"
            ))),
        }
    }

    fn buffer(&self, planes: &[*mut c_void], format: OutputFormat, num_frames: usize) -> abi::mw_buffer {
        debug_assert_eq!(planes.len(), self.num_channels);
        abi::mw_buffer {
            format: code(format),
            layout: abi::MW_PLANAR,
            num_planes: u32::try_from(planes.len()).unwrap_or(0),
            planes: planes.as_ptr(),
            num_frames: num_frames as u64,
            ..abi::mw_buffer::zeroed()
        }
    }
}

impl fmt::Debug for ResamplerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResamplerHandle({} channels)", self.num_channels)
    }
}

impl Drop for ResamplerHandle {
    fn drop(&mut self) {
        // SAFETY: the handle is open, and this is the last use of it.
        unsafe { (self.functions.close)(self.handle.as_ptr()) };
    }
}
