//! The FLAC encoder of the plugin interface: round trips through the decoder, options, and rejected settings.
//!
//! The tests of `mapwave-flac` compare the files with other decoders.

#![allow(unsafe_code)] // an append-only sink, which only the C interface has
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]
#![allow(clippy::undocumented_unsafe_blocks, clippy::multiple_unsafe_ops_per_block)] // all by the ABI's contracts

mod corpus;

use std::ffi::{CStr, c_void};
use std::mem::zeroed;
use std::ptr;

use corpus::{Numbers, open, read_all};
use mapwave_builtin::{FlacDecoder, FlacEncoder};
use mapwave_flac::{EncoderSettings, Frames};
use mapwave_plugin::abi::*;
use mapwave_plugin::export::EncoderTable;
use mapwave_plugin::{Block, Decoder, Encoder, EncoderOptions, Result, Sample, Sink, Status};

/// Interleaved samples of `bits` bits: a chord, a little different in every channel, with noise.
fn music(bits: u32, num_channels: usize, num_frames: usize) -> Vec<i32> {
    let mut numbers = Numbers(5);
    let scale = f64::from((1 << (bits - 1)) - 1) * 0.8;
    let mut samples = Vec::new();
    for frame in 0..num_frames {
        for channel in 0..num_channels {
            let time = frame as f64 + 2.0 * channel as f64;
            let chord = (time * 0.031).sin() + (time * 0.041).sin() + 0.5 * (time * 0.19).cos();
            let noise = numbers.below(2000) as f64 / 1000.0 - 1.0;
            samples.push(((chord / 3.0 + 0.004 * noise) * scale) as i32);
        }
    }
    samples
}

fn music_16(num_channels: usize, num_frames: usize) -> Vec<i16> {
    music(16, num_channels, num_frames).into_iter().map(|sample| sample as i16).collect()
}

/// The file of interleaved samples, pushed in pieces of up to `max_frames` frames.
fn encode<T: Sample>(options: &EncoderOptions<'_>, samples: &[T], max_frames: usize) -> Result<Vec<u8>> {
    let (sink, bytes) = Sink::in_memory();
    let num_channels = options.num_channels as usize;
    let mut encoder = FlacEncoder::open(options, sink)?;
    for piece in samples.chunks(num_channels * max_frames) {
        Block::with_slice(piece, num_channels, |block| encoder.push(block))?;
    }
    encoder.finish()?;
    let bytes = bytes.lock().unwrap().clone();
    Ok(bytes)
}

/// The samples and the depth of a file by the decoder of this crate.
fn decode(file: &[u8]) -> (Vec<i32>, u32) {
    let mut decoder: FlacDecoder = open(file).unwrap();
    let samples: Vec<i32> = read_all(&mut decoder).unwrap();
    let info = decoder.info();
    assert_eq!(info.num_frames, Some(samples.len() as u64 / u64::from(info.num_channels)));
    let shift = 32 - info.bits_per_sample;
    (samples.iter().map(|sample| sample >> shift).collect(), info.bits_per_sample)
}

#[test]
fn every_depth_length_and_effort_comes_back() {
    for bits in [4, 5, 8, 12, 16, 20, 23, 24] {
        for num_channels in [1, 2, 3, 8] {
            for num_frames in [0, 1, 16, 4096, 9001] {
                for effort in [None, Some(1), Some(100)] {
                    let samples = music(bits, num_channels, num_frames);
                    let full: Vec<i32> = samples.iter().map(|sample| sample << (32 - bits)).collect();
                    let base = EncoderOptions::new(44_100, num_channels as u32);
                    let options = EncoderOptions { bits_per_sample: Some(bits), effort, ..base };
                    let file = encode(&options, &full, 1000).unwrap();
                    let what = format!("{bits} bits, {num_channels} channels, {num_frames}, {effort:?}");
                    assert!(decode(&file) == (samples, bits), "{what}");
                }
            }
        }
    }
}

#[test]
fn the_file_is_that_of_the_codec() {
    let samples = music_16(2, 200_000);
    let options = EncoderOptions {
        effort: Some(90),
        max_threads: 3,
        num_frames: Some(200_000),
        channel_mask: 0xc,
        tags: vec![("title", "Übung")],
        ..EncoderOptions::new(44_100, 2)
    };
    let settings = EncoderSettings {
        level: 8,
        num_frames: Some(200_000),
        channel_mask: 0xc,
        tags: vec![("title".to_owned(), "Übung".to_owned())],
        ..EncoderSettings::new(44_100, 2, 16)
    };
    let expected = mapwave_flac::encode(&settings, Frames::Interleaved(&samples)).unwrap();
    for max_frames in [777, 1 << 20] {
        assert!(encode(&options, &samples, max_frames).unwrap() == expected);
    }
}

#[test]
fn planes_give_the_same_file() {
    let samples = music_16(3, 30_000);
    let whole = encode(&EncoderOptions::new(44_100, 3), &samples, 1 << 20).unwrap();
    let planes: Vec<Vec<i16>> =
        (0..3).map(|n| samples.iter().skip(n).step_by(3).copied().collect()).collect();
    let (sink, bytes) = Sink::in_memory();
    let mut encoder = FlacEncoder::open(&EncoderOptions::new(44_100, 3), sink).unwrap();
    let planes: Vec<&[i16]> = planes.iter().map(Vec::as_slice).collect();
    Block::with_planes(&planes, |block| encoder.push(block)).unwrap();
    encoder.finish().unwrap();
    assert!(*bytes.lock().unwrap() == whole);
}

#[test]
fn the_first_frames_decide_the_depth_where_nothing_else_does() {
    let samples = music_16(2, 5000);
    let options = EncoderOptions::new(44_100, 2);
    let wide: Vec<i32> = samples.iter().map(|sample| i32::from(*sample)).collect();
    assert!(decode(&encode(&options, &samples, 1 << 20).unwrap()) == (wide, 16));
    let deep: Vec<i32> = music(24, 2, 5000).iter().map(|sample| sample << 8).collect();
    assert!(decode(&encode(&options, &deep, 1 << 20).unwrap()) == (music(24, 2, 5000), 24));
    assert_eq!(decode(&encode::<i32>(&options, &[], 1).unwrap()), (vec![], 16), "no frames at all");
}

#[test]
fn memory_changes_nothing_but_the_size_of_batches() {
    let samples = music_16(2, 300_000);
    let options = EncoderOptions { max_threads: 4, ..EncoderOptions::new(44_100, 2) };
    let whole = encode(&options, &samples, 1 << 20).unwrap();
    let mut num_refused = 0;
    for max_alloc in [1000, 500_000, 900_000, 2_000_000, 10_000_000] {
        match encode(&EncoderOptions { max_alloc, ..options.clone() }, &samples, 100_000) {
            Ok(file) => assert!(file == whole, "{max_alloc}"),
            Err(error) => {
                assert_eq!(error.status(), Status::Limit);
                assert!(error.message().contains(&format!("only {max_alloc} may")), "{error}");
                num_refused += 1;
            }
        }
    }
    assert!((1..4).contains(&num_refused));
}

#[test]
fn an_announcement_that_was_wrong_is_put_right() {
    let samples = music_16(2, 50_000);
    for announced in [0, 10, 49_999, 10_000_000] {
        let options = EncoderOptions { num_frames: Some(announced), ..EncoderOptions::new(44_100, 2) };
        let file = encode(&options, &samples, 1 << 20).unwrap();
        assert_eq!(decode(&file).0.len(), 100_000, "{announced}");
    }
}

#[test]
fn what_the_format_cannot_hold_is_refused() {
    let base = EncoderOptions::new(44_100, 2);
    let cases = [
        (EncoderOptions { num_channels: 9, ..base.clone() }, Status::Unsupported, "1 to 8 channels, not 9"),
        (
            EncoderOptions { sample_rate: 655_351, ..base.clone() },
            Status::Unsupported,
            "655350 Hz, not 655351",
        ),
        (EncoderOptions { bits_per_sample: Some(32), ..base.clone() }, Status::Unsupported, "not 32"),
        (EncoderOptions { bits_per_sample: Some(3), ..base.clone() }, Status::Unsupported, "not 3"),
        (EncoderOptions { bitrate: Some(128_000), ..base.clone() }, Status::Unsupported, "lossless"),
        (EncoderOptions { quality: Some(50), ..base.clone() }, Status::Unsupported, "lossless"),
        (EncoderOptions { channel_mask: 7, ..base.clone() }, Status::Unsupported, "mask 0x7"),
        (EncoderOptions { num_frames: Some(1 << 36), ..base.clone() }, Status::Limit, "68719476735"),
        (EncoderOptions { max_alloc: 1000, ..base.clone() }, Status::Limit, "only 1000"),
        (EncoderOptions { tags: vec![("a=b", "c")], ..base.clone() }, Status::BadArgument, "\"a=b\""),
    ];
    for (options, status, words) in cases {
        let (sink, bytes) = Sink::in_memory();
        let error = FlacEncoder::open(&options, sink).err().unwrap();
        assert_eq!(error.status(), status, "{error}");
        assert!(error.message().contains(words), "{error}");
        assert!(bytes.lock().unwrap().is_empty());
    }
}

#[test]
fn floats_are_refused() {
    let (sink, _) = Sink::in_memory();
    let mut encoder = FlacEncoder::open(&EncoderOptions::new(44_100, 1), sink).unwrap();
    let error = Block::with_slice(&[0.5_f32], 1, |block| encoder.push(block)).unwrap_err();
    assert_eq!(error.status(), Status::BadArgument, "{error}");
}

#[test]
fn an_encoder_that_is_dropped_writes_nothing_more() {
    let (sink, bytes) = Sink::in_memory();
    let mut encoder = FlacEncoder::open(&EncoderOptions::new(44_100, 1), sink).unwrap();
    Block::with_slice(&[1_i16; 5000], 1, |block| encoder.push(block)).unwrap();
    let num_bytes = bytes.lock().unwrap().len();
    drop(encoder);
    assert_eq!(bytes.lock().unwrap().len(), num_bytes);
}

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

/// The append-only file of 16-bit stereo samples, or the status and the message of what failed.
fn encode_append_only(samples: &[i16], num_frames: u64) -> Result<Vec<u8>, (mw_status, String)> {
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
fn an_append_only_file_lacks_what_is_not_known() {
    for num_frames in [0, 5000, 300_000] {
        let samples = music_16(2, num_frames);
        let announced = encode_append_only(&samples, num_frames as u64).unwrap();
        let wide: Vec<i32> = samples.iter().map(|sample| i32::from(*sample)).collect();
        assert!(decode(&announced) == (wide, 16), "{num_frames}");
        let silent = encode_append_only(&samples, MW_UNKNOWN).unwrap();
        assert_eq!((announced.len(), silent[26..42].to_vec()), (silent.len(), vec![0; 16]), "no MD5");
    }
}

#[test]
fn a_wrong_announcement_of_an_append_only_file_is_an_error() {
    let (status, words) = encode_append_only(&[1, 2, 3, 4], 3).unwrap_err();
    assert_eq!(status, MW_BAD_ARGUMENT);
    assert!(words.contains("3 frames were announced but 2 came"), "{words}");
}
