//! libsoxr itself: the functions of its header that are used, and one resampler of its as a safe value.

#![allow(unsafe_code)] // functions of libsoxr

use std::ffi::{CStr, c_char, c_uint, c_ulong, c_void};
use std::marker::PhantomData;
use std::ptr::{self, NonNull};
use std::sync::{Mutex, PoisonError};

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

/// `SOXR_SPLIT`: the samples of a channel stand side by side.
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

/// A sample that libsoxr takes or gives.
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

/// Which libsoxr this is.
pub(crate) fn version() -> Result<String> {
    // SAFETY: a constant.
    let version = unsafe { soxr_version() };
    // SAFETY: a string that ends in a zero byte and stays.
    let version = unsafe { CStr::from_ptr(version) }.to_string_lossy().replace("libsoxr-", "libsoxr ");
    Ok(if cfg!(feature = "system") { version } else { version + ", built in" })
}

/// What libsoxr is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Conversion {
    /// Frames a second that come in.
    pub(crate) input_rate: u32,
    /// Frames a second that go out.
    pub(crate) output_rate: u32,
    /// libsoxr's number of a quality, `SOXR_QQ` to `SOXR_VHQ`.
    pub(crate) recipe: u32,
}

/// One of libsoxr's resamplers, for planar samples `I` that become planar samples `O`.
#[derive(Debug)]
pub(crate) struct Engine<I, O> {
    handle: NonNull<Soxr>,
    num_channels: usize,
    samples: PhantomData<fn(I) -> O>,
}

// SAFETY: nothing in a resampler belongs to a thread, and every call needs it exclusively.
unsafe impl<I, O> Send for Engine<I, O> {}

/// libsoxr sets up tables that all resamplers share when it makes the first one.
static STARTING: Mutex<()> = Mutex::new(());

impl<I: SoxrSample, O: SoxrSample> Engine<I, O> {
    /// Makes a resampler.
    pub(crate) fn new(conversion: Conversion, num_channels: usize) -> Result<Self> {
        let channels = c_uint::try_from(num_channels).ok().filter(|channels| *channels > 0);
        let channels = channels.ok_or_else(|| Error::unsupported(format!("{num_channels} channels")))?;
        // SAFETY: plain numbers in, plain numbers out.
        let io = unsafe { soxr_io_spec(I::CODE | SPLIT, O::CODE | SPLIT) };
        // SAFETY: as above.
        let quality = unsafe { soxr_quality_spec(conversion.recipe.into(), 0) };
        // SAFETY: as above. With 1 it starts no threads of its own.
        let runtime = unsafe { soxr_runtime_spec(1) };
        let mut error = ptr::null();
        let starting = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: all that is pointed to lives through the call, which copies it.
        let handle = unsafe {
            soxr_create(
                conversion.input_rate.into(),
                conversion.output_rate.into(),
                channels,
                &raw mut error,
                &raw const io,
                &raw const quality,
                &raw const runtime,
            )
        };
        drop(starting);
        match NonNull::new(handle) {
            Some(handle) => Ok(Self { handle, num_channels, samples: PhantomData }),
            None => {
                Err(failure(error).unwrap_or_else(|| Error::new(Status::NoMemory, "libsoxr gave nothing")))
            }
        }
    }

    /// Takes all frames of `input` and writes up to `num_frames` frames to the front of each channel of `output`; returns how
    /// many. Fewer than that, it has no more until it gets more.
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
        // as many samples of the types that the handle was made for. Without a place for the number of frames read, all
        // are taken; the input is not null, which would be its end.
        let error = unsafe {
            soxr_process(
                self.handle.as_ptr(),
                sources.as_ptr().cast(),
                num_input,
                ptr::null_mut(),
                places.as_ptr().cast_mut().cast(),
                num_output,
                &raw mut num_written,
            )
        };
        match failure(error) {
            Some(error) => Err(error),
            None if num_written > num_output => {
                let what =
                    format!("libsoxr wrote {num_written} frames where there was room for {num_output}");
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

/// The error that libsoxr's words stand for; null is none.
fn failure(words: *const c_char) -> Option<Error> {
    if words.is_null() {
        return None;
    }
    // SAFETY: libsoxr's errors are constant strings.
    let words = unsafe { CStr::from_ptr(words) }.to_string_lossy();
    let status = match words.as_ref() {
        "malloc failed" | "out of memory" => Status::NoMemory,
        "I/O ratio out-of-range" | "resampling factor not positive" | "imaging greater than rolloff" => {
            Status::Unsupported
        }
        _ => Status::Internal,
    };
    Some(Error::new(status, format!("libsoxr says: {words}")))
}
