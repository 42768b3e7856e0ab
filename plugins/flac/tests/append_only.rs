//! A sink that cannot go back, which only the C interface has.

#![allow(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]
#![allow(clippy::undocumented_unsafe_blocks, clippy::multiple_unsafe_ops_per_block)] // all by the ABI's contracts

mod common;

use std::ffi::{CStr, c_void};
use std::mem::zeroed;
use std::ptr;

use common::{check, music};
use mapwave_flac::FlacEncoder;
use mapwave_plugin::abi::*;
use mapwave_plugin::export::EncoderTable;

/// Adds bytes to a vector, and fails where they would not be the last.
unsafe extern "C" fn append(
    context: *mut c_void,
    offset: u64,
    data: *const c_void,
    num_bytes: u64,
) -> mw_status {
    let file = unsafe { &mut *context.cast::<Vec<u8>>() };
    if offset != file.len() as u64 {
        return MW_IO;
    }
    file.extend_from_slice(unsafe { std::slice::from_raw_parts(data.cast::<u8>(), num_bytes as usize) });
    MW_OK
}

/// The file of 16-bit stereo samples, or the status and the words of what failed.
fn encode(samples: &[i16], num_frames: u64) -> Result<Vec<u8>, (mw_status, String)> {
    let table = EncoderTable::<FlacEncoder>::TABLE;
    let mut file = Vec::new();
    let sink = mw_sink {
        size: size_of::<mw_sink>() as u32,
        flags: MW_SINK_APPEND_ONLY,
        context: (&raw mut file).cast(),
        write_at: Some(append),
    };
    let size = size_of::<mw_encoder_options>() as u32;
    let options =
        mw_encoder_options { size, sample_rate: 44_100, num_channels: 2, num_frames, ..unsafe { zeroed() } };
    let mut error = mw_error { size: size_of::<mw_error>() as u32, ..unsafe { zeroed() } };
    let mut encoder = ptr::null_mut();
    let opened = unsafe { table.open.unwrap()(&options, &sink, &mut encoder, &mut error) };
    assert_eq!(opened, MW_OK);
    let planes = [samples.as_ptr().cast_mut().cast()];
    let buffer = mw_buffer {
        size: size_of::<mw_buffer>() as u32,
        format: MW_I16,
        layout: MW_INTERLEAVED,
        num_planes: 1,
        planes: planes.as_ptr(),
        num_frames: samples.len() as u64 / 2,
    };
    let pushed = unsafe { table.push.unwrap()(encoder, &buffer, &mut error) };
    assert_eq!(pushed, MW_OK);
    let finished = unsafe { table.finish.unwrap()(encoder, &mut error) };
    unsafe { table.close.unwrap()(encoder) };
    if finished == MW_OK {
        return Ok(file);
    }
    let words = unsafe { CStr::from_ptr(error.message.as_ptr()) }.to_str().unwrap().to_owned();
    Err((finished, words))
}

#[test]
fn what_is_not_known_is_left_out() {
    for num_frames in [0, 5000, 300_000] {
        let samples = music(16, 2, num_frames);
        let narrow: Vec<i16> = samples.iter().map(|sample| *sample as i16).collect();
        let announced = encode(&narrow, num_frames as u64).unwrap();
        check(&announced, &samples, 16, &format!("{num_frames} frames, announced"));
        let silent = encode(&narrow, MW_UNKNOWN).unwrap();
        assert_eq!((announced.len(), silent[26..42].to_vec()), (silent.len(), vec![0; 16]), "no MD5");
        if num_frames > 0 {
            assert!(common::decode_by_claxon(&silent) == samples);
            assert_eq!(common::decode_by_ffmpeg(&silent, 16).unwrap_or(samples.clone()), samples);
        }
    }
}

#[test]
fn a_wrong_announcement_is_an_error() {
    let (status, words) = encode(&[1, 2, 3, 4], 3).unwrap_err();
    assert_eq!(status, MW_BAD_ARGUMENT);
    assert!(words.contains("2 frames came where 3 were announced"), "{words}");
}
