//! An in-process resampler for tests: it outputs every frame twice, and breaks the rule that its quality names.

#![allow(unsafe_code)] // the plugin's side of the interface
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, clippy::indexing_slicing)]

use std::ffi::CStr;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use mapwave_plugin_abi as abi;

use crate::host::table::resampler::ResamplerKind;
use crate::host::table::standing::Standing;

/// The number of open handles.
pub(crate) static NUM_HANDLES: AtomicI64 = AtomicI64::new(0);

/// Whether hanging calls return.
pub(crate) static IS_RELEASED: AtomicBool = AtomicBool::new(false);

struct Handle {
    quality: String,
    num_channels: usize,
    is_16_bit: bool,
    /// The consumed frames that were not output twice yet, for each channel.
    kept: Vec<Vec<f32>>,
    num_given: usize,
}

unsafe extern "C" fn open(
    options: *const abi::mw_resampler_options,
    handle: *mut *mut abi::mw_resampler,
    error: *mut abi::mw_error,
) -> abi::mw_status {
    // SAFETY: the host's.
    let options = unsafe { *options };
    // SAFETY: a string of the host's.
    let quality = unsafe { CStr::from_ptr(options.quality) }.to_str().unwrap().to_owned();
    match quality.as_str() {
        "refusing" => {
            // SAFETY: the host's.
            let error = unsafe { &mut *error };
            for (to, from) in error.message.iter_mut().zip(b"not today\0") {
                *to = std::ffi::c_char::from_ne_bytes([*from]);
            }
            return abi::MW_UNSUPPORTED;
        }
        "without" => return abi::MW_OK,
        _ => {}
    }
    let num_channels = options.num_channels as usize;
    let is_16_bit = options.input_format == abi::MW_I16;
    let new = Handle { quality, num_channels, is_16_bit, kept: vec![Vec::new(); num_channels], num_given: 0 };
    NUM_HANDLES.fetch_add(1, Ordering::SeqCst);
    // SAFETY: the host's place.
    unsafe { handle.write(Box::into_raw(Box::new(new)).cast()) };
    abi::MW_OK
}

unsafe extern "C" fn process(
    handle: *mut abi::mw_resampler,
    input: *const abi::mw_buffer,
    num_read: *mut u64,
    output: *const abi::mw_buffer,
    num_written: *mut u64,
    _error: *mut abi::mw_error,
) -> abi::mw_status {
    // SAFETY: a handle of `open`, and the host calls once at a time.
    let this = unsafe { &mut *handle.cast::<Handle>() };
    // SAFETY: null or the host's.
    let input = unsafe { input.as_ref() };
    // SAFETY: the host's.
    let output = unsafe { &*output };
    let offered = input.map_or(0, |input| usize::try_from(input.num_frames).unwrap());
    let room = usize::try_from(output.num_frames).unwrap();
    let (mut taken, mut given) = (0, 0);
    match this.quality.as_str() {
        "hanging" => {
            while !IS_RELEASED.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        "stuck" => {}
        "damaged" => return abi::MW_BAD_DATA,
        _ => {
            let is_short = this.quality == "short" && this.num_given >= 100;
            for channel in 0..this.num_channels {
                if let Some(input) = input {
                    // SAFETY: the host's planes, one for each channel.
                    let planes = unsafe { std::slice::from_raw_parts(input.planes, this.num_channels) };
                    let plane = planes[channel].cast_const();
                    let samples: Vec<f32> = if this.is_16_bit {
                        // SAFETY: as many frames as the buffer says, aligned.
                        let samples = unsafe { std::slice::from_raw_parts(plane.cast::<i16>(), offered) };
                        samples.iter().map(|sample| f32::from(*sample) / 32_768.0).collect()
                    } else {
                        // SAFETY: as above.
                        unsafe { std::slice::from_raw_parts(plane.cast::<f32>(), offered) }.to_vec()
                    };
                    this.kept[channel].extend(samples.into_iter().flat_map(|sample| [sample; 2]));
                }
                // SAFETY: the host's planes, one for each channel.
                let planes = unsafe { std::slice::from_raw_parts(output.planes, this.num_channels) };
                // SAFETY: there is room for as many frames, which the host has initialised.
                let place = unsafe { std::slice::from_raw_parts_mut(planes[channel].cast::<f32>(), room) };
                given = if is_short { 0 } else { this.kept[channel].len().min(room) };
                for (place, sample) in place.iter_mut().zip(this.kept[channel].drain(..given)) {
                    *place = sample;
                }
            }
            taken = offered;
            this.num_given += given;
        }
    }
    let (taken, given) = match this.quality.as_str() {
        "greedy" => (taken + 1, given),
        "overflowing" => (taken, room + 1),
        _ => (taken, given),
    };
    // SAFETY: the host's place.
    unsafe { num_read.write(taken as u64) };
    // SAFETY: the host's place.
    unsafe { num_written.write(given as u64) };
    if input.is_none() && given == 0 { abi::MW_END } else { abi::MW_OK }
}

unsafe extern "C" fn close(handle: *mut abi::mw_resampler) {
    if !handle.is_null() {
        // SAFETY: made by `open`, and closed once.
        drop(unsafe { Box::from_raw(handle.cast::<Handle>()) });
        NUM_HANDLES.fetch_sub(1, Ordering::SeqCst);
    }
}

unsafe extern "C" fn restart(
    options: *const abi::mw_resampler_options,
    grid_frames: *mut u64,
    preroll_frames: *mut u64,
    _error: *mut abi::mw_error,
) -> abi::mw_status {
    // SAFETY: the host's.
    let options = unsafe { *options };
    // SAFETY: the host's place.
    unsafe { grid_frames.write(3) };
    // SAFETY: the host's place.
    unsafe { preroll_frames.write(7) };
    if options.input_rate == 0 { abi::MW_BAD_ARGUMENT } else { abi::MW_OK }
}

/// The kind of resampler.
pub(crate) fn kind(is_trusted: bool) -> ResamplerKind {
    // SAFETY: a table whose strings and functions are constants.
    unsafe { ResamplerKind::new(&raw const TABLE.0, Standing::new("fake", "1.0", is_trusted)) }.unwrap()
}

/// The same with a default quality and a limit.
pub(crate) fn offering(default_quality: &'static CStr, ratio_limit: u32) -> ResamplerKind {
    let default_quality = default_quality.as_ptr();
    let table = abi::mw_resampler_table { default_quality, ratio_limit, ..TABLE.0 };
    // SAFETY: a table whose strings and functions are constants.
    unsafe { ResamplerKind::new(&raw const table, Standing::new("fake", "1.0", true)) }.unwrap()
}

/// The same in version 1.1, with other bytes after its fields.
pub(crate) fn of_version_1_1() -> ResamplerKind {
    let table = abi::mw_resampler_table {
        size: 56,
        default_quality: std::ptr::without_provenance(0xdead),
        ratio_limit: 2,
        ..TABLE.0
    };
    // SAFETY: a table whose strings and functions are constants, as far as its size goes.
    unsafe { ResamplerKind::new(&raw const table, Standing::new("fake", "1.0", true)) }.unwrap()
}

struct Constant(abi::mw_resampler_table);

// SAFETY: it is never written to.
unsafe impl Sync for Constant {}

static TABLE: Constant = Constant(abi::mw_resampler_table {
    size: size_of::<abi::mw_resampler_table>() as u32,
    formats: 1 << abi::MW_F32 | 1 << abi::MW_I16,
    name: c"fake".as_ptr(),
    qualities: c"honest,greedy,overflowing,stuck,hanging,short,damaged,refusing,without".as_ptr(),
    open: Some(open),
    process: Some(process),
    close: Some(close),
    restart: Some(restart),
    default_quality: std::ptr::null(),
    ratio_limit: 0,
    reserved: 0,
});
