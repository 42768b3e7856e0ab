//! Decoding against an oracle, from everywhere, and of files that are not what they should be.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]

mod common;

use common::{Random, noise, open, oracle, rest};
use mapwave_plugin::{Decoder, DecoderOptions, Head, Input, Output, SeekClass, Status};
use mapwave_qoa::QoaDecoder;

#[test]
fn every_sample_is_the_oracles() {
    for (num_channels, num_frames) in [
        (1, 1),
        (1, 20),
        (1, 21),
        (2, 5120),
        (2, 5121),
        (3, 12_345),
        (6, 5119),
        (8, 10_240),
        (31, 6000),
        (255, 600),
    ] {
        let file = noise(num_channels, 48_000, num_frames);
        let expected = oracle(&file);
        let mut decoder = open(&file).unwrap();
        let info = decoder.info().clone();
        assert_eq!((info.num_channels, info.sample_rate), (num_channels.into(), 48_000));
        assert_eq!((info.num_frames, info.is_truncated), (Some(num_frames as u64), false));
        assert_eq!(info.seek_class, SeekClass::Exact);
        assert_eq!(rest::<i16>(&mut decoder, 4096).unwrap(), expected, "{num_channels} x {num_frames}");

        decoder.seek(0).unwrap();
        let floats: Vec<f32> = expected.iter().map(|sample| f32::from(*sample) / 32768.0).collect();
        assert_eq!(rest::<f32>(&mut decoder, 777).unwrap(), floats);
        decoder.seek(0).unwrap();
        let integers: Vec<i32> = expected.iter().map(|sample| i32::from(*sample) * 65536).collect();
        assert_eq!(rest::<i32>(&mut decoder, 1).unwrap(), integers);
    }
}

#[test]
fn a_seek_ends_where_linear_decoding_comes_by() {
    let file = noise(2, 44_100, 17_003);
    let expected = oracle(&file);
    let mut decoder = open(&file).unwrap();
    let mut random = Random(7);
    let mut targets: Vec<u64> = vec![0, 1, 19, 20, 5119, 5120, 5121, 17_002, 17_003, 5100, 5099];
    targets.extend((0..200).map(|_| random.below(17_004) as u64));
    for target in targets {
        if random.below(4) == 0 {
            decoder = decoder.fork().unwrap();
        }
        decoder.seek(target).unwrap();
        let room = 1 + random.below(300);
        let mut samples = vec![0_i16; room * 2];
        let num_frames = Output::with_slice(&mut samples, 2, |output| {
            decoder.decode(output).map(|()| output.num_written())
        });
        let first = target as usize * 2;
        let last = expected.len().min(first + room * 2);
        assert_eq!(samples[..num_frames.unwrap() * 2], expected[first..last], "frame {target}");
    }
    decoder.seek(17_003).unwrap();
    assert!(rest::<i16>(&mut decoder, 10).unwrap().is_empty());
}

#[test]
fn of_a_file_cut_anywhere_all_whole_slices_are_read() {
    let file = noise(2, 8000, 5120 + 205);
    let expected = oracle(&file);
    for num_bytes in 0..file.len() {
        let cut = &file[..num_bytes];
        let mut decoder = match open(cut) {
            Ok(decoder) => decoder,
            Err(error) => {
                assert!(num_bytes < 16, "{num_bytes}: {error}");
                assert!(
                    matches!(error.status(), Status::BadData | Status::Unsupported)
                        && error.offset().is_some()
                );
                continue;
            }
        };
        assert!(num_bytes >= 16 && decoder.info().is_truncated);
        // A packet is 8 bytes, 16 a channel, and 16 for every 20 frames of both.
        let rows = |bytes: usize| bytes.saturating_sub(8 + 32) / 16;
        let whole = 8 + 32 + 256 * 16;
        let data = num_bytes - 8;
        let num_frames = if data < whole { rows(data) * 20 } else { 5120 + rows(data - whole) * 20 };
        assert_eq!(decoder.info().num_frames, Some(num_frames as u64), "{num_bytes} bytes");
        assert_eq!(rest::<i16>(&mut decoder, 5000).unwrap(), expected[..num_frames * 2], "{num_bytes} bytes");
    }
}

#[test]
fn damage_gives_samples_or_an_error_with_a_place() {
    let file = noise(3, 96_000, 5120 + 45);
    let headers = (0..8 + 8 + 48).chain(8 + 6200..8 + 6200 + 8 + 48);
    let mut flips: Vec<usize> = headers.flat_map(|byte| byte * 8..byte * 8 + 8).collect();
    let mut random = Random(11);
    flips.extend((0..500).map(|_| random.below(file.len() * 8)));
    for flip in flips {
        let mut damaged = file.clone();
        damaged[flip / 8] ^= 1 << (flip % 8);
        let decoded = open(&damaged).and_then(|mut decoder| {
            let num_frames = decoder.info().num_frames.unwrap();
            let samples = rest::<f32>(&mut decoder, 1000)?;
            assert_eq!(samples.len() as u64, num_frames * u64::from(decoder.info().num_channels));
            decoder.seek(num_frames / 2)?;
            rest::<i16>(&mut decoder, 1 << 14)
        });
        if let Err(error) = decoded {
            assert!(
                error.offset().is_some_and(|offset| offset < damaged.len() as u64),
                "bit {flip}: {error}"
            );
            assert!(!error.message().is_empty());
        }
    }
}

#[test]
fn noise_behind_the_magic_is_refused_or_read() {
    let mut random = Random(3);
    for _ in 0..2000 {
        let mut file: Vec<u8> = (0..random.below(300)).map(|_| random.bits() as u8).collect();
        file.splice(0..file.len().min(4), *b"qoaf");
        if let Ok(mut decoder) = open(&file) {
            let _ = rest::<i16>(&mut decoder, 64);
        }
    }
}

/// A streamed file, which has 0 where the number of frames belongs.
fn streamed(mut file: Vec<u8>) -> Vec<u8> {
    file[4..8].fill(0);
    file
}

#[test]
fn a_streamed_file_is_as_long_as_its_packets() {
    let file = noise(2, 32_000, 2 * 5120 + 77);
    let expected = oracle(&file);
    let mut decoder = open(&streamed(file.clone())).unwrap();
    assert_eq!((decoder.info().num_frames, decoder.info().is_truncated), (Some(2 * 5120 + 77), false));
    assert_eq!(rest::<i16>(&mut decoder, 999).unwrap(), expected);

    for (num_bytes, num_frames) in [(8 + 4136 + 4, 5120), (8 + 2 * 4136 + 40 + 17, 2 * 5120 + 20), (20, 0)] {
        let mut decoder = open(&streamed(file[..num_bytes].to_vec())).unwrap();
        assert_eq!((decoder.info().num_frames, decoder.info().is_truncated), (Some(num_frames), true));
        assert_eq!(rest::<i16>(&mut decoder, 999).unwrap(), expected[..2 * num_frames as usize]);
    }
    // Cut between packets, it is a shorter stream.
    let decoder = open(&streamed(file[..8 + 4136].to_vec())).unwrap();
    assert_eq!((decoder.info().num_frames, decoder.info().is_truncated), (Some(5120), false));
}

#[test]
fn a_stream_that_changes_is_refused_with_the_place() {
    for other in [noise(1, 32_000, 100), noise(2, 16_000, 100)] {
        let mut file = streamed(noise(2, 32_000, 5120));
        let place = file.len() as u64;
        file.extend(&other[8..]);
        let error = open(&file).unwrap_err();
        assert_eq!((error.status(), error.offset()), (Status::Unsupported, Some(place)));
        assert!(error.message().contains("before that 2 at 32000 Hz"), "{error}");
    }
    // Where the number of frames is known, all packets must be alike.
    let mut file = noise(2, 32_000, 5120 + 100);
    file.truncate(8 + 4136);
    file.extend(&noise(2, 16_000, 100)[8..]);
    let mut decoder = open(&file).unwrap();
    let error = rest::<i16>(&mut decoder, 1 << 14).unwrap_err();
    assert_eq!((error.status(), error.offset()), (Status::BadData, Some(8 + 4136)));
}

#[test]
fn what_comes_before_an_error_is_handed_over() {
    let mut file = noise(1, 8000, 5120 + 100);
    let place = 8 + 2072;
    file[place] = 0; // no channels
    let mut decoder = open(&file).unwrap();
    let mut samples = vec![0_i16; 6000];
    for (from, num_frames) in [(0, 5120), (5120, 0), (5119, 1), (5120, 0)] {
        decoder.seek(from).unwrap();
        Output::with_slice(&mut samples, 1, |output| {
            let error = decoder.decode(output).unwrap_err();
            assert_eq!((error.status(), error.offset()), (Status::BadData, Some(place as u64)));
            assert_eq!(output.num_written(), num_frames);
        });
    }
}

#[test]
fn a_probe_knows_the_magic() {
    let file = noise(2, 44_100, 100);
    let probe = |bytes: &[u8]| {
        let total_bytes = bytes.len() as u64;
        QoaDecoder::probe(&Head { bytes, total_bytes, extension: Some("qoa"), track: None })
    };
    assert_eq!(probe(&file[..16]), 100);
    assert_eq!(probe(&file[..15]), 90);
    assert_eq!(probe(b"qoaf\0\0\0\x01\0\0\0\0\0\0\0\0"), 90);
    assert_eq!(probe(b"qoax\0\0\0\x01\0\0\0\0\0\0\0\0"), 0);
    assert_eq!(probe(b""), 0);
}

#[test]
fn options_are_honoured() {
    let file = noise(2, 44_100, 100);
    let open = |options: &DecoderOptions<'_>| QoaDecoder::open(Input::from(file.clone()), options);
    let error = open(&DecoderOptions { max_alloc: 100, ..DecoderOptions::default() }).unwrap_err();
    assert_eq!(error.status(), Status::Limit);
    open(&DecoderOptions { max_alloc: 8192, ..DecoderOptions::default() }).unwrap();
}
