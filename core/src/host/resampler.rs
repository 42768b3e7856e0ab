//! Resamplers of plugins, called without trust: every status and every number that comes back is checked.

#![allow(unsafe_code)] // calls into plugins

use std::ffi::{CString, c_void};
use std::mem::MaybeUninit;
use std::ptr::NonNull;
use std::sync::Arc;

use mapwave_plugin_abi as abi;

use super::decoder::split;
use super::encoder::{FORMATS, known_formats};
use super::fault::{Answer, Failure, required_name};
use super::raw::{self, Sized32};
use crate::error::{Error, Result as ArgumentResult};
use crate::pcm::OutputFormat;

/// What a handle may allocate.
const MAX_ALLOC: u64 = 1 << 30;

/// What a resampler says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResamplerSummary {
    /// Its name.
    pub name: String,
    /// The names of its qualities.
    pub qualities: Vec<String>,
}

/// What a resampler is to do.
///
/// ```
/// use mapwave::OutputFormat;
/// use mapwave::host::ResamplerRequest;
///
/// let request = ResamplerRequest {
///     input_rate: 44_100,
///     output_rate: 16_000,
///     num_channels: 2,
///     format: OutputFormat::I16,
///     max_threads: 1,
///     quality: "soxr_vhq".to_owned(),
/// };
/// assert_eq!(request.num_output_frames(441), 160);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResamplerRequest {
    /// Frames a second that come in.
    pub input_rate: u32,
    /// Frames a second that go out.
    pub output_rate: u32,
    /// Samples in a frame.
    pub num_channels: u16,
    /// The format that comes in, one of [`ResamplerKind::formats`]; what goes out is `F32`.
    pub format: OutputFormat,
    /// How many threads the resampler may use, the caller's included.
    pub max_threads: u32,
    /// The name of a quality.
    pub quality: String,
}

impl ResamplerRequest {
    /// How many frames go out for `num_frames` that come in: round(n * output_rate / input_rate), halves away from zero.
    pub fn num_output_frames(&self, num_frames: u64) -> u64 {
        let (input, output) = (u128::from(self.input_rate).max(1), u128::from(self.output_rate));
        let frames = (2 * u128::from(num_frames) * output + input) / (2 * input);
        u64::try_from(frames).unwrap_or(u64::MAX)
    }

    /// Refuses what no resampler can be asked for.
    fn check(&self, kind: &ResamplerKind) -> ArgumentResult<()> {
        for (name, value) in [
            ("sample_rate", self.input_rate),
            ("sample_rate", self.output_rate),
            ("channels", self.num_channels.into()),
        ] {
            if value == 0 {
                return Err(Error::argument(name, "at least 1", value));
            }
        }
        if !kind.formats.contains(&self.format) {
            let names: Vec<&str> = kind.formats.iter().map(|format| format.name()).collect();
            return Err(Error::argument("format", format!("one of {}", names.join(", ")), self.format));
        }
        if !kind.has_quality(&self.quality) {
            let expected = format!("one of {}", kind.summary.qualities.join(", "));
            return Err(Error::argument("quality", expected, format!("'{}'", self.quality)));
        }
        Ok(())
    }
}

/// A kind of resampler: the functions of a plugin that are known to be there.
#[derive(Clone, Debug)]
pub struct ResamplerKind {
    plugin: &'static str,
    is_trusted: bool,
    formats: Vec<OutputFormat>,
    summary: Arc<ResamplerSummary>,
    functions: Functions,
}

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
    restart: Option<
        unsafe extern "C" fn(
            *const abi::mw_resampler_options,
            *mut u64,
            *mut u64,
            *mut abi::mw_error,
        ) -> abi::mw_status,
    >,
}

impl ResamplerKind {
    /// Reads a resampler's table.
    ///
    /// # Safety
    /// `table` is what a plugin returned for its resampler interface: valid until the process exits.
    pub(super) unsafe fn new(
        table: *const abi::mw_resampler_table,
        plugin: &'static str,
        is_trusted: bool,
    ) -> Result<Self, Failure> {
        // SAFETY: the caller's promise; a table begins with its size.
        let table = unsafe { Sized32::copied(table) };
        let missing = |name: &str| Failure::broken(format!("its resampler table has no function '{name}'"));
        let functions = Functions {
            open: table.open.ok_or_else(|| missing("open"))?,
            process: table.process.ok_or_else(|| missing("process"))?,
            close: table.close.ok_or_else(|| missing("close"))?,
            restart: table.restart,
        };
        // SAFETY: strings of a table are valid until the process exits.
        let name = unsafe { required_name(table.name, "resampler's name") }?.to_owned();
        // SAFETY: as above.
        let qualities = unsafe { raw::text(table.qualities) };
        let formats = known_formats(table.formats);
        if formats.is_empty() {
            let what = format!("its resampler takes no format of samples ({:#x})", table.formats);
            return Err(Failure::broken(what));
        }
        let summary = Arc::new(ResamplerSummary { name, qualities: split(qualities) });
        Ok(Self { plugin, is_trusted, formats, summary, functions })
    }

    /// The plugin it belongs to.
    pub fn plugin(&self) -> &'static str {
        self.plugin
    }

    /// The formats of samples that it takes: some of `F32`, `I16` and `I32`, at least one.
    pub fn formats(&self) -> &[OutputFormat] {
        &self.formats
    }

    /// What it says of itself.
    pub fn summary(&self) -> &ResamplerSummary {
        &self.summary
    }

    /// Whether it has a quality of a name.
    pub(super) fn has_quality(&self, name: &str) -> bool {
        self.summary.qualities.iter().any(|quality| quality == name)
    }

    /// Whether it comes with mapwave, so that its calls need no supervision and may write to the caller's own array.
    pub(super) fn is_trusted(&self) -> bool {
        self.is_trusted
    }

    /// Opens a resampler.
    pub(super) fn open(&self, options: &Options) -> Result<Handle, Failure> {
        let passed = options.to_abi();
        let (mut answer, mut handle) = (Answer::new(), std::ptr::null_mut());
        let function = self.functions.open;
        // SAFETY: all three are valid during the call.
        let status = unsafe { function(&raw const passed, &raw mut handle, answer.as_mut_ptr()) };
        match (status, NonNull::new(handle)) {
            (abi::MW_OK, Some(handle)) => Ok(Handle {
                functions: self.functions,
                format: options.request.format,
                num_channels: options.request.num_channels.into(),
                handle,
                is_poisoned: false,
            }),
            (abi::MW_OK, None) => Err(Failure::broken("its open succeeded without a handle")),
            _ => Err(answer.into_refusal(status)),
        }
    }

    /// Asks where in a signal one may begin: the distance of such frames, and the frames of input before the same ones come
    /// out. `None` when only at the start.
    pub(super) fn restart(&self, options: &Options) -> Result<Option<(u64, u64)>, Failure> {
        let Some(function) = self.functions.restart else { return Ok(None) };
        let passed = options.to_abi();
        let (mut answer, mut grid, mut preroll) = (Answer::new(), 0, 0);
        // SAFETY: all four are valid during the call.
        let status =
            unsafe { function(&raw const passed, &raw mut grid, &raw mut preroll, answer.as_mut_ptr()) };
        if status != abi::MW_OK {
            return Err(answer.into_refusal(status));
        }
        let ResamplerRequest { input_rate, output_rate, .. } = options.request;
        let output = u128::from(grid) * u128::from(output_rate);
        if !output.is_multiple_of(u128::from(input_rate).max(1)) {
            return Err(Failure::broken(format!(
                "it says that it may begin every {grid} frames, which are no whole number at {output_rate} Hz"
            )));
        }
        Ok((grid > 0).then_some((grid, preroll)))
    }
}

/// A request as a plugin sees it.
#[derive(Clone, Debug)]
pub(super) struct Options {
    request: ResamplerRequest,
    quality: CString,
}

impl Options {
    /// A request that makes sense.
    pub(super) fn new(kind: &ResamplerKind, request: &ResamplerRequest) -> ArgumentResult<Self> {
        request.check(kind)?;
        Ok(Self { request: request.clone(), quality: raw::c_string(&request.quality) })
    }

    /// The struct for a plugin's `open`, which points into this value.
    fn to_abi(&self) -> abi::mw_resampler_options {
        let request = &self.request;
        abi::mw_resampler_options {
            input_rate: request.input_rate,
            output_rate: request.output_rate,
            num_channels: request.num_channels.into(),
            input_format: FORMATS
                .iter()
                .find(|(format, _)| *format == request.format)
                .map_or(0, |(_, code)| *code),
            max_threads: request.max_threads.max(1),
            quality: self.quality.as_ptr(),
            max_alloc: MAX_ALLOC,
            ..abi::mw_resampler_options::zeroed()
        }
    }
}

/// What one call of `process` did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Done {
    pub(super) num_read: u64,
    pub(super) num_written: u64,
    pub(super) is_end: bool,
}

/// A handle: one signal on its way.
#[derive(Debug)]
pub(super) struct Handle {
    functions: Functions,
    format: OutputFormat,
    num_channels: usize,
    handle: NonNull<abi::mw_resampler>,
    is_poisoned: bool,
}

// SAFETY: a handle takes one call at a time from any thread (R4), and every call needs it exclusively.
unsafe impl Send for Handle {}

impl Handle {
    /// Passes planar frames on and takes planar ones; all planes are aligned to their samples. What is said to be written is
    /// believed: the planes belong to the plugin's own thread, or the plugin is trusted.
    pub(super) fn process(
        &mut self,
        input: Option<&[&[u8]]>,
        output: &mut [&mut [MaybeUninit<u8>]],
    ) -> Result<Done, Failure> {
        if self.is_poisoned {
            return Err(Failure::broken("it broke a rule before, so it is not asked again"));
        }
        let sources: Option<Vec<*mut c_void>> =
            input.map(|planes| planes.iter().map(|plane| plane.as_ptr().cast_mut().cast()).collect());
        let places: Vec<*mut c_void> = output.iter_mut().map(|plane| plane.as_mut_ptr().cast()).collect();
        let is_whole = sources.as_ref().is_none_or(|planes| planes.len() == self.num_channels)
            && places.len() == self.num_channels;
        let size = size_of::<f32>().max(self.format.num_bytes());
        assert!(is_whole, "a plane for each channel");
        debug_assert!(size <= size_of::<f32>(), "samples of 4 bytes at most");
        let num_frames = |planes: &mut dyn Iterator<Item = usize>, bytes: usize| {
            planes.min().unwrap_or(0) as u64 / bytes as u64
        };
        let num_offered = input.map_or(0, |planes| {
            num_frames(&mut planes.iter().map(|plane| plane.len()), self.format.num_bytes())
        });
        let room = num_frames(&mut output.iter().map(|plane| plane.len()), size_of::<f32>());
        let code = FORMATS.iter().find(|(format, _)| *format == self.format).map_or(0, |(_, code)| *code);
        let passed = sources.as_ref().map(|planes| buffer(code, planes, num_offered));
        let passed_room = buffer(abi::MW_F32, &places, room);
        let (mut answer, mut num_read, mut num_written) = (Answer::new(), 0, 0);
        let function = self.functions.process;
        // SAFETY: an open handle, borrowed exclusively; every plane has as many frames as its buffer says, or room for them.
        let status = unsafe {
            function(
                self.handle.as_ptr(),
                passed.as_ref().map_or(std::ptr::null(), std::ptr::from_ref),
                &raw mut num_read,
                &raw const passed_room,
                &raw mut num_written,
                answer.as_mut_ptr(),
            )
        };
        let is_end = status == abi::MW_END;
        if status != abi::MW_OK && !is_end {
            self.is_poisoned = true;
            return Err(answer.into_failure(status));
        }
        let done = Done { num_read, num_written, is_end };
        let broken = if num_read > num_offered || num_written > room {
            format!(
                "it says that it read {num_read} frames of {num_offered} and wrote {num_written} of {room}"
            )
        } else if is_end && (input.is_some() || num_written > 0) {
            "it says that nothing is left before all was written".to_owned()
        } else {
            return Ok(done);
        };
        self.is_poisoned = true;
        Err(Failure::broken(broken))
    }
}

fn buffer(format: u32, planes: &[*mut c_void], num_frames: u64) -> abi::mw_buffer {
    abi::mw_buffer {
        format,
        layout: abi::MW_PLANAR,
        num_planes: u32::try_from(planes.len()).unwrap_or(0),
        planes: planes.as_ptr(),
        num_frames,
        ..abi::mw_buffer::zeroed()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the handle is open, and this is the last use of it.
        unsafe { (self.functions.close)(self.handle.as_ptr()) };
    }
}
