//! `soxr_oneshot` of the linked libsoxr and of the installed one.

#![allow(dead_code)] // each test uses some of it

use std::ffi::{c_char, c_uint, c_ulong, c_void};
use std::ptr;

use mapwave_plugin::Sample;

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
pub struct QualitySpec {
    numbers: [f64; 4],
    error: *const c_void,
    flags: c_ulong,
}

type QualitySpecOf = unsafe extern "C" fn(c_ulong, c_ulong) -> QualitySpec;
type Oneshot = unsafe extern "C" fn(
    f64,
    f64,
    c_uint,
    *const c_void,
    usize,
    *mut usize,
    *mut c_void,
    usize,
    *mut usize,
    *const IoSpec,
    *const QualitySpec,
    *const c_void,
) -> *const c_char;

mod linked {
    use super::{IoSpec, QualitySpec, c_char, c_uint, c_ulong, c_void};

    unsafe extern "C" {
        pub(super) fn soxr_quality_spec(recipe: c_ulong, flags: c_ulong) -> QualitySpec;
        pub(super) fn soxr_oneshot(
            input_rate: f64,
            output_rate: f64,
            num_channels: c_uint,
            input: *const c_void,
            num_input: usize,
            num_read: *mut usize,
            output: *mut c_void,
            num_output: usize,
            num_written: *mut usize,
            io: *const IoSpec,
            quality: *const QualitySpec,
            runtime: *const c_void,
        ) -> *const c_char;
    }
}

/// `soxr_datatype_t` of interleaved samples.
pub trait SoxrType: Sample {
    const CODE: c_uint;
}
impl SoxrType for f32 {
    const CODE: c_uint = 0;
}
impl SoxrType for i32 {
    const CODE: c_uint = 2;
}
impl SoxrType for i16 {
    const CODE: c_uint = 3;
}

pub struct Oracle {
    quality: QualitySpecOf,
    oneshot: Oneshot,
}

impl Oracle {
    pub fn linked() -> Self {
        Self { quality: linked::soxr_quality_spec, oneshot: linked::soxr_oneshot }
    }

    pub fn installed() -> Option<Self> {
        // SAFETY: libsoxr's constructors do nothing.
        let library = unsafe { libloading::Library::new("libsoxr.so.0") }.ok()?;
        // SAFETY: the type is that of soxr.h.
        let quality = *unsafe { library.get::<QualitySpecOf>(b"soxr_quality_spec") }.ok()?;
        // SAFETY: as above.
        let oneshot = *unsafe { library.get::<Oneshot>(b"soxr_oneshot") }.ok()?;
        std::mem::forget(library);
        Some(Self { quality, oneshot })
    }

    /// The whole output of all channels; the samples of input and output are interleaved.
    pub fn oneshot<T: SoxrType>(&self, rates: (u32, u32), recipe: u32, planes: &[Vec<T>]) -> Vec<Vec<f32>> {
        let (num_channels, num_frames) = (planes.len(), planes[0].len());
        let frames: Vec<T> =
            (0..num_frames).flat_map(|frame| planes.iter().map(move |plane| plane[frame])).collect();
        let room = (num_frames as u64 * u64::from(rates.1) / u64::from(rates.0)) as usize + 2;
        let mut output = vec![f32::NAN; room * num_channels];
        // SAFETY: the function takes and returns plain numbers.
        let quality = unsafe { (self.quality)(recipe.into(), 0) };
        // SOXR_FLOAT32_I out.
        let io = IoSpec { input: T::CODE, output: 0, scale: 1.0, error: ptr::null(), flags: 0 };
        let (mut num_read, mut num_written) = (0, 0);
        // Not null even if it is empty.
        let input = if frames.is_empty() { ptr::dangling() } else { frames.as_ptr() };
        // SAFETY: the buffers hold as many frames as the call reads and writes.
        let error = unsafe {
            (self.oneshot)(
                rates.0.into(),
                rates.1.into(),
                num_channels as c_uint,
                input.cast(),
                num_frames,
                &raw mut num_read,
                output.as_mut_ptr().cast(),
                room,
                &raw mut num_written,
                &raw const io,
                &raw const quality,
                ptr::null(),
            )
        };
        assert!(error.is_null());
        let channel = |channel| output.iter().skip(channel).step_by(num_channels).take(num_written).copied();
        (0..num_channels).map(|number| channel(number).collect()).collect()
    }
}
