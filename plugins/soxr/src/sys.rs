//! libsoxr itself: the functions of its header that are used, and a safe type for one of its resamplers.

#![allow(unsafe_code)] // functions of libsoxr

use std::ffi::{CStr, c_char, c_uint, c_ulong, c_void};
use std::marker::PhantomData;
use std::ptr::{self, NonNull};

use mapwave_plugin::fork::{Lock, hold_off};
use mapwave_plugin::{Error, Result, Status};

#[repr(C)]
struct Soxr {
    _opaque: [u8; 0],
}

/// `soxr_io_spec_t`.
#[repr(C)]
struct IoSpec {
    input: c_uint,
    output: c_uint,
    scale: f64,
    error: *const c_void,
    flags: c_ulong,
}

/// `soxr_quality_spec_t`.
#[repr(C)]
struct QualitySpec {
    precision: f64,
    phase_response: f64,
    passband_end: f64,
    stopband_begin: f64,
    error: *const c_void,
    flags: c_ulong,
}

/// `soxr_runtime_spec_t`.
#[repr(C)]
struct RuntimeSpec {
    log2_min_dft_size: c_uint,
    log2_large_dft_size: c_uint,
    coef_size_kbytes: c_uint,
    num_threads: c_uint,
    error: *const c_void,
    flags: c_ulong,
}

/// `SOXR_SPLIT`: planar samples.
const SPLIT: c_uint = 4;

unsafe extern "C" {
    fn soxr_version() -> *const c_char;
    fn soxr_io_spec(input: c_uint, output: c_uint) -> IoSpec;
    fn soxr_quality_spec(recipe: c_ulong, flags: c_ulong) -> QualitySpec;
    fn soxr_runtime_spec(num_threads: c_uint) -> RuntimeSpec;
    fn soxr_create(
        input_rate: f64,
        output_rate: f64,
        num_channels: c_uint,
        error: *mut *const c_char,
        io: *const IoSpec,
        quality: *const QualitySpec,
        runtime: *const RuntimeSpec,
    ) -> *mut Soxr;
    fn soxr_process(
        resampler: *mut Soxr,
        input: *const c_void,
        num_input: usize,
        num_read: *mut usize,
        output: *mut c_void,
        num_output: usize,
        num_written: *mut usize,
    ) -> *const c_char;
    fn soxr_delete(resampler: *mut Soxr);
}

/// A sample type of libsoxr's input or output.
///
/// # Safety
/// `CODE` is the `soxr_datatype_t` of the type, without `SOXR_SPLIT`.
pub(crate) unsafe trait SoxrSample: Copy + Default + Send + 'static {
    /// `soxr_datatype_t`.
    const CODE: c_uint;
}

// SAFETY: SOXR_FLOAT32.
unsafe impl SoxrSample for f32 {
    const CODE: c_uint = 0;
}
// SAFETY: SOXR_FLOAT64.
unsafe impl SoxrSample for f64 {
    const CODE: c_uint = 1;
}
// SAFETY: SOXR_INT32.
unsafe impl SoxrSample for i32 {
    const CODE: c_uint = 2;
}
// SAFETY: SOXR_INT16.
unsafe impl SoxrSample for i16 {
    const CODE: c_uint = 3;
}

/// The version of libsoxr.
pub(crate) fn version() -> Result<String> {
    // SAFETY: the function returns a constant.
    let version = unsafe { soxr_version() };
    // SAFETY: the version is a constant string that ends with a NUL.
    let version = unsafe { CStr::from_ptr(version) }.to_string_lossy().replace("libsoxr-", "libsoxr ");
    Ok(if cfg!(feature = "system") { version } else { version + ", built in" })
}

/// A conversion between two rates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Conversion {
    /// Frames per second of the input.
    pub(crate) input_rate: u32,
    /// Frames per second of the output.
    pub(crate) output_rate: u32,
    /// libsoxr's number for a quality, `SOXR_QQ` to `SOXR_VHQ`.
    pub(crate) recipe: u32,
}

/// One of libsoxr's resamplers, from planar samples `I` to planar samples `O`.
#[derive(Debug)]
pub(crate) struct Engine<I, O> {
    handle: NonNull<Soxr>,
    num_channels: usize,
    samples: PhantomData<fn(I) -> O>,
}

// SAFETY: a resampler has no thread-local state, and every call needs exclusive access to it.
unsafe impl<I, O> Send for Engine<I, O> {}

/// Held while a resampler is created: the first one sets up tables that all resamplers share.
///
/// These tables and the locks around them, which some of libsoxr's engines use for every block of frames, would be left halfway in
/// a forked child. A fork therefore waits for the calls in progress, each of which takes a few milliseconds at most.
static STARTING: Lock<()> = Lock::new();

impl<I: SoxrSample, O: SoxrSample> Engine<I, O> {
    /// Makes a resampler.
    pub(crate) fn new(conversion: Conversion, num_channels: usize) -> Result<Self> {
        let channels = c_uint::try_from(num_channels).ok().filter(|channels| *channels > 0);
        let channels = channels.ok_or_else(|| Error::unsupported(format!("{num_channels} channels")))?;
        // SAFETY: the function takes and returns plain numbers.
        let io = unsafe { soxr_io_spec(I::CODE | SPLIT, O::CODE | SPLIT) };
        // SAFETY: as above.
        let quality = unsafe { soxr_quality_spec(conversion.recipe.into(), 0) };
        // SAFETY: as above. With 1 it starts no threads of its own.
        let runtime = unsafe { soxr_runtime_spec(1) };
        let mut error = ptr::null();
        let handle = hold_off(|| {
            let _starting = STARTING.lock();
            // SAFETY: everything that the pointers lead to lives through the call, which copies it.
            unsafe {
                soxr_create(
                    conversion.input_rate.into(),
                    conversion.output_rate.into(),
                    channels,
                    &raw mut error,
                    &raw const io,
                    &raw const quality,
                    &raw const runtime,
                )
            }
        });
        match NonNull::new(handle) {
            Some(handle) => Ok(Self { handle, num_channels, samples: PhantomData }),
            None => Err(failure(error)
                .unwrap_or_else(|| Error::new(Status::NoMemory, "libsoxr returned no resampler"))),
        }
    }

    /// Takes all frames of `input`, writes up to `num_frames` frames to the front of each channel of `output`, and returns their
    /// number. If they are fewer, it needs more input first.
    pub(crate) fn process(
        &mut self,
        input: &[&[I]],
        output: &mut [Vec<O>],
        num_frames: usize,
    ) -> Result<usize> {
        let num_input = input.iter().map(|channel| channel.len()).min().unwrap_or(0);
        let num_output = output.iter().map(Vec::len).min().unwrap_or(0).min(num_frames);
        assert!(input.len() == self.num_channels && output.len() == self.num_channels, "all channels");
        let sources: Vec<*const I> = input.iter().map(|channel| channel.as_ptr()).collect();
        let places: Vec<*mut O> = output.iter_mut().map(|channel| channel.as_mut_ptr()).collect();
        let mut num_written = 0;
        // SAFETY: the handle is open and borrowed exclusively; each of the two lists has a pointer for every channel, to
        // that many samples of the types that the handle was made for. Since the place for the number of frames read is null,
        // all are taken; the input is not null, which would mean its end.
        let error = hold_off(|| unsafe {
            soxr_process(
                self.handle.as_ptr(),
                sources.as_ptr().cast(),
                num_input,
                ptr::null_mut(),
                places.as_ptr().cast_mut().cast(),
                num_output,
                &raw mut num_written,
            )
        });
        match failure(error) {
            Some(error) => Err(error),
            None if num_written > num_output => {
                let what = format!("libsoxr wrote {num_written} frames into room for {num_output}");
                Err(Error::new(Status::Internal, what))
            }
            None => Ok(num_written),
        }
    }
}

impl<I, O> Drop for Engine<I, O> {
    fn drop(&mut self) {
        // SAFETY: the handle is open, and this is the last use of it.
        unsafe { soxr_delete(self.handle.as_ptr()) };
    }
}

/// The error for a message from libsoxr; null means success.
fn failure(message: *const c_char) -> Option<Error> {
    if message.is_null() {
        return None;
    }
    // SAFETY: libsoxr's errors are constant strings.
    let message = unsafe { CStr::from_ptr(message) }.to_string_lossy();
    let status = match message.as_ref() {
        "malloc failed" | "out of memory" => Status::NoMemory,
        "I/O ratio out-of-range" | "resampling factor not positive" | "imaging greater than rolloff" => {
            Status::Unsupported
        }
        _ => Status::Internal,
    };
    Some(Error::new(status, format!("libsoxr failed: {message}")))
}
