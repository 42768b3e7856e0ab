//! A resampler for tests, in this process: it repeats frames or leaves some out, and breaks the rule that its quality names.

#![allow(unsafe_code)] // the plugin's side of the interface
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, clippy::indexing_slicing)]

use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use mapwave_plugin_abi as abi;

use super::resampler::ResamplerKind;

/// The rules that it can break, as qualities.
const QUALITIES: &CStr =
    c"none,unsupported,limit,no-handle,hang-in-open,overcount,overread,early-end,status,overrun,panic,\
    hang,idle,short,long,endless,bad-grid,slow";

/// The handles of quality "slow" that are open: one test's.
pub(super) static NUM_SLOW: AtomicI64 = AtomicI64::new(0);

/// Lets go of what hangs.
pub(super) static IS_RELEASED: AtomicBool = AtomicBool::new(false);

/// What is in memory that a test has initialised.
pub(super) fn bytes(memory: &[MaybeUninit<u8>]) -> Vec<u8> {
    // SAFETY: the tests initialise every byte before they pass it on.
    memory.iter().map(|byte| unsafe { byte.assume_init() }).collect()
}

struct Handle {
    fault: String,
    rates: (u64, u64),
    format: u32,
    planes: Vec<Vec<f32>>,
    num_given: u64,
    num_calls: u64,
}

fn hang() {
    while !IS_RELEASED.load(Ordering::SeqCst) {
        std::thread::sleep(Duration::from_millis(1));
    }
}

unsafe extern "C" fn open(
    options: *const abi::mw_resampler_options,
    resampler: *mut *mut abi::mw_resampler,
    _error: *mut abi::mw_error,
) -> abi::mw_status {
    // SAFETY: the host passes options.
    let options = unsafe { *options };
    // SAFETY: the host's strings end in zeros.
    let fault = unsafe { CStr::from_ptr(options.quality) }.to_str().unwrap().to_owned();
    match fault.as_str() {
        "unsupported" => return abi::MW_UNSUPPORTED,
        "limit" => return abi::MW_LIMIT,
        "no-handle" => return abi::MW_OK,
        "hang-in-open" => hang(),
        "slow" => {
            NUM_SLOW.fetch_add(1, Ordering::SeqCst);
        }
        _ => {}
    }
    let handle = Handle {
        fault,
        rates: (options.input_rate.into(), options.output_rate.into()),
        format: options.input_format,
        planes: vec![Vec::new(); options.num_channels as usize],
        num_given: 0,
        num_calls: 0,
    };
    // SAFETY: the host passes room for a handle.
    unsafe { resampler.write(Box::into_raw(Box::new(handle)).cast()) };
    abi::MW_OK
}

/// One of a buffer's planes.
fn plane(buffer: &abi::mw_buffer, channel: usize) -> *mut std::ffi::c_void {
    // SAFETY: the host passes a plane for each channel.
    let place = unsafe { buffer.planes.add(channel) };
    // SAFETY: as above.
    unsafe { place.read() }
}

impl Handle {
    fn take(&mut self, buffer: &abi::mw_buffer, num_frames: usize) {
        for (channel, samples) in self.planes.iter_mut().enumerate() {
            let plane = plane(buffer, channel);
            for index in 0..num_frames {
                samples.push(if self.format == abi::MW_I16 {
                    // SAFETY: the host passes as many frames.
                    let place = unsafe { plane.cast::<i16>().add(index) };
                    // SAFETY: as above; they are aligned.
                    f32::from(unsafe { place.read() }) / 32768.0
                } else {
                    // SAFETY: as above.
                    let place = unsafe { plane.cast::<f32>().add(index) };
                    // SAFETY: as above.
                    unsafe { place.read() }
                });
            }
        }
    }

    /// Writes what there is; returns how many frames.
    fn give(&mut self, buffer: &abi::mw_buffer, is_end: bool) -> u64 {
        let (input, output) = self.rates;
        let num_frames = self.planes[0].len() as u64;
        let mut total = if is_end {
            (2 * num_frames * output + input) / (2 * input)
        } else {
            num_frames.saturating_sub(1) * output / input
        };
        match self.fault.as_str() {
            "short" if is_end => total = total.saturating_sub(2),
            "long" if is_end => total += 2,
            "endless" => total = u64::MAX,
            _ => {}
        }
        let count =
            total.saturating_sub(self.num_given).min(buffer.num_frames).min(1 + self.num_calls * 7919 % 5000);
        for (channel, samples) in self.planes.iter().enumerate() {
            for index in 0..count {
                let frame = (self.num_given + index) * input / output;
                let sample = samples.get(frame as usize).or(samples.last()).copied().unwrap_or(0.0);
                // SAFETY: the host's room.
                let place = unsafe { plane(buffer, channel).cast::<f32>().add(index as usize) };
                // SAFETY: as above.
                unsafe { place.write(sample) };
            }
        }
        self.num_given += count;
        count
    }
}

unsafe extern "C" fn process(
    resampler: *mut abi::mw_resampler,
    input: *const abi::mw_buffer,
    num_read: *mut u64,
    output: *const abi::mw_buffer,
    num_written: *mut u64,
    _error: *mut abi::mw_error,
) -> abi::mw_status {
    // SAFETY: the host passes a handle that is open, to one call at a time.
    let handle = unsafe { &mut *resampler.cast::<Handle>() };
    // SAFETY: the host passes a buffer or null.
    let input = unsafe { input.as_ref() };
    // SAFETY: the host passes a buffer.
    let output = unsafe { &*output };
    handle.num_calls += 1;
    let offered = input.map_or(0, |input| input.num_frames);
    let (mut read, mut status) = (offered.min(1 + handle.num_calls * 104_729 % 7000), abi::MW_OK);
    let mut written = 0;
    match handle.fault.as_str() {
        "overcount" => written = output.num_frames + 1,
        "overread" => read = offered + 1,
        "early-end" => status = abi::MW_END,
        "status" => status = 77,
        "panic" if handle.num_calls == 2 => status = abi::MW_PANIC,
        "panic" if handle.num_calls > 2 => std::process::abort(),
        "hang" => hang(),
        "idle" => read = 0,
        _ => {
            if let Some(input) = input {
                handle.take(input, read as usize);
            }
            written = handle.give(output, input.is_none());
            if input.is_none() && written == 0 {
                status = abi::MW_END;
            }
        }
    }
    if handle.fault == "overrun" {
        // SAFETY: no: this is the fault; the host's margin is there.
        let place = unsafe { plane(output, 0).cast::<u8>().add(output.num_frames as usize * 4) };
        // SAFETY: as above.
        unsafe { place.write(1) };
    }
    // SAFETY: the host passes room for a number.
    unsafe { num_read.write(read) };
    // SAFETY: as above.
    unsafe { num_written.write(written) };
    status
}

unsafe extern "C" fn close(resampler: *mut abi::mw_resampler) {
    // SAFETY: the host closes a handle once; it was boxed by `open`.
    let handle = unsafe { Box::from_raw(resampler.cast::<Handle>()) };
    if handle.fault == "slow" {
        NUM_SLOW.fetch_sub(1, Ordering::SeqCst);
    }
}

unsafe extern "C" fn restart(
    options: *const abi::mw_resampler_options,
    grid_frames: *mut u64,
    preroll_frames: *mut u64,
    _error: *mut abi::mw_error,
) -> abi::mw_status {
    // SAFETY: the host passes options.
    let options = unsafe { *options };
    // SAFETY: the host's strings end in zeros.
    let fault = unsafe { CStr::from_ptr(options.quality) };
    let grid = match fault.to_str().unwrap() {
        "bad-grid" => 1,
        "unsupported" => return abi::MW_UNSUPPORTED,
        "idle" => 0,
        _ => options.input_rate.into(),
    };
    // SAFETY: the host passes room for a number.
    unsafe { grid_frames.write(grid) };
    // SAFETY: as above.
    unsafe { preroll_frames.write(5) };
    abi::MW_OK
}

/// The resampler as a plugin offers it: of version 1.0 of the interface, or a later one.
pub(super) fn kind(is_trusted: bool, is_old: bool) -> ResamplerKind {
    let whole = size_of::<abi::mw_resampler_table>();
    let table = abi::mw_resampler_table {
        size: if is_old { whole - size_of::<usize>() } else { whole } as u32,
        formats: 1 << abi::MW_F32 | 1 << abi::MW_I16 | 1 << 9,
        name: c"fake".as_ptr(),
        qualities: QUALITIES.as_ptr(),
        open: Some(open),
        process: Some(process),
        close: Some(close),
        restart: Some(restart),
    };
    // SAFETY: the table's strings are literals, and it is copied.
    unsafe { ResamplerKind::new(&raw const table, "fake", is_trusted) }.unwrap()
}
