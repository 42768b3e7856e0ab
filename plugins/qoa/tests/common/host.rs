//! The least of a host: the tables of the plugin, a file that is read by callback, a sink in memory.

#![allow(dead_code, unsafe_code)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]
#![allow(clippy::undocumented_unsafe_blocks, clippy::multiple_unsafe_ops_per_block)] // all by the ABI's contracts

use std::ffi::{CStr, c_void};
use std::mem::{size_of, zeroed};
use std::ptr;

use mapwave_plugin::abi::*;

/// What a call failed with.
#[derive(Debug)]
pub struct Failure {
    pub status: mw_status,
    pub offset: u64,
    pub message: String,
}

/// The outcome of a call that takes an error to fill.
fn call(call: impl FnOnce(&mut mw_error) -> mw_status) -> Result<mw_status, Failure> {
    let mut error = mw_error { size: size_of::<mw_error>() as u32, ..unsafe { zeroed() } };
    let status = call(&mut error);
    if status >= 0 {
        return Ok(status);
    }
    let message = unsafe { CStr::from_ptr(error.message.as_ptr()) }.to_str().unwrap().to_owned();
    assert_eq!(error.status, status);
    Err(Failure { status, offset: error.offset, message })
}

/// A table of the plugin.
fn table<T>(interface: &CStr) -> &'static T {
    let plugin = unsafe { mapwave_qoa::entry(ptr::null(), ptr::null_mut()).as_ref() }.unwrap();
    let table = unsafe { plugin.get.unwrap()(interface.as_ptr(), 0) };
    unsafe { table.cast::<T>().as_ref() }.unwrap()
}

/// Samples of one of the formats, to be encoded or to be filled.
pub trait Sample: Copy + Default {
    const FORMAT: u32;
}

impl Sample for i16 {
    const FORMAT: u32 = MW_I16;
}

impl Sample for i32 {
    const FORMAT: u32 = MW_I32;
}

impl Sample for f32 {
    const FORMAT: u32 = MW_F32;
}

/// Calls with the planes of samples: one slice when interleaved, else one a channel.
fn with_buffer<T: Sample, R>(
    planes: &mut [&mut [T]],
    layout: u32,
    num_frames: usize,
    call: impl FnOnce(&mw_buffer) -> R,
) -> R {
    let starts: Vec<*mut c_void> = planes.iter_mut().map(|plane| plane.as_mut_ptr().cast()).collect();
    call(&mw_buffer {
        size: size_of::<mw_buffer>() as u32,
        format: T::FORMAT,
        layout,
        num_planes: starts.len() as u32,
        planes: starts.as_ptr(),
        num_frames: num_frames as u64,
    })
}

/// What an encoder is asked for: stereo at 44.1 kHz, unless changed.
pub fn options() -> mw_encoder_options {
    mw_encoder_options {
        size: size_of::<mw_encoder_options>() as u32,
        sample_rate: 44_100,
        num_channels: 2,
        num_frames: MW_UNKNOWN,
        max_alloc: 1 << 20,
        ..unsafe { zeroed() }
    }
}

/// What an encoder writes into.
#[derive(Default)]
struct File(Vec<u8>);

/// An encoder and the file that it writes.
pub struct Encoding {
    table: &'static mw_encoder_table,
    encoder: *mut mw_encoder,
    num_channels: usize,
    file: Box<File>,
}

unsafe extern "C" fn write_at(
    context: *mut c_void,
    offset: u64,
    data: *const c_void,
    num_bytes: u64,
) -> mw_status {
    let File(file) = unsafe { &mut *context.cast::<File>() };
    let bytes = unsafe { std::slice::from_raw_parts(data.cast::<u8>(), num_bytes as usize) };
    let (start, end) = (offset as usize, (offset + num_bytes) as usize);
    file.resize(file.len().max(end), 0);
    file[start..end].copy_from_slice(bytes);
    MW_OK
}

impl Encoding {
    pub fn open(options: &mw_encoder_options, is_append_only: bool) -> Result<Self, Failure> {
        let table: &mw_encoder_table = table(c"mapwave.encoder/1");
        let mut file = Box::<File>::default();
        let sink = mw_sink {
            size: size_of::<mw_sink>() as u32,
            flags: if is_append_only { MW_SINK_APPEND_ONLY } else { 0 },
            context: (&raw mut *file).cast(),
            write_at: Some(write_at),
        };
        let mut encoder = ptr::null_mut();
        call(|error| unsafe { table.open.unwrap()(options, &sink, &mut encoder, error) })?;
        Ok(Self { table, encoder, num_channels: options.num_channels as usize, file })
    }

    pub fn push<T: Sample>(&mut self, samples: &[T]) -> Result<(), Failure> {
        let num_frames = samples.len() / self.num_channels;
        let mut samples = samples.to_vec();
        with_buffer(&mut [&mut samples], MW_INTERLEAVED, num_frames, |buffer| {
            call(|error| unsafe { self.table.push.unwrap()(self.encoder, buffer, error) }).map(drop)
        })
    }

    pub fn push_planar<T: Sample>(&mut self, planes: &[Vec<T>]) -> Result<(), Failure> {
        let num_frames = planes[0].len();
        let mut planes = planes.to_vec();
        let mut slices: Vec<&mut [T]> = planes.iter_mut().map(Vec::as_mut_slice).collect();
        with_buffer(&mut slices, MW_PLANAR, num_frames, |buffer| {
            call(|error| unsafe { self.table.push.unwrap()(self.encoder, buffer, error) }).map(drop)
        })
    }

    /// The file.
    pub fn finish(&mut self) -> Result<Vec<u8>, Failure> {
        call(|error| unsafe { self.table.finish.unwrap()(self.encoder, error) })?;
        Ok(self.file.0.clone())
    }

    /// What has been written so far.
    pub fn file(&self) -> &[u8] {
        &self.file.0
    }
}

impl Drop for Encoding {
    fn drop(&mut self) {
        unsafe { self.table.close.unwrap()(self.encoder) };
    }
}

unsafe extern "C" fn read_at(context: *mut c_void, offset: u64, buffer: *mut c_void, num_bytes: u64) -> i64 {
    let file = unsafe { &*context.cast::<Vec<u8>>() };
    let rest = &file[file.len().min(offset as usize)..];
    let count = rest.len().min(num_bytes as usize).min(1000); // fewer than asked for is no error
    unsafe { buffer.cast::<u8>().copy_from(rest.as_ptr(), count) };
    count as i64
}

/// All samples of a file of which the plugin sees only what it reads.
pub fn decode_by_callback<T: Sample>(file: &[u8], layout: u32) -> Result<Vec<Vec<T>>, Failure> {
    let table: &mw_decoder_table = table(c"mapwave.decoder/1");
    let file = file.to_vec();
    let input = mw_input {
        size: size_of::<mw_input>() as u32,
        num_bytes: file.len() as u64,
        context: (&raw const file).cast_mut().cast(),
        read_at: Some(read_at),
        ..unsafe { zeroed() }
    };
    let mut decoder = ptr::null_mut();
    call(|error| unsafe { table.open.unwrap()(&input, ptr::null(), &mut decoder, error) })?;
    let mut info = mw_stream_info { size: size_of::<mw_stream_info>() as u32, ..unsafe { zeroed() } };
    call(|error| unsafe { table.info.unwrap()(decoder, &mut info, error) })?;
    let (channels, frames) = (info.num_channels as usize, info.num_frames as usize);
    let (num_planes, width) = if layout == MW_PLANAR { (channels, 1) } else { (1, channels) };
    let mut planes = vec![vec![T::default(); frames * width]; num_planes];
    let mut done = 0;
    let result = loop {
        let mut rest: Vec<&mut [T]> = planes.iter_mut().map(|plane| &mut plane[done * width..]).collect();
        let room = (frames - done).clamp(1, 1234);
        let mut num_frames = 0;
        let status = with_buffer(&mut rest, layout, room, |buffer| {
            call(|error| unsafe { table.decode.unwrap()(decoder, buffer, &mut num_frames, error) })
        });
        match status {
            Ok(MW_OK) => done += num_frames as usize,
            Ok(_) => break Ok(planes),
            Err(failure) => break Err(failure),
        }
    };
    unsafe { table.close.unwrap()(decoder) };
    assert!(result.is_err() || done == frames);
    result
}
