//! What a file holds besides its samples, what is refused, and what must not matter.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]

mod common;

use common::{Random, decode_by_claxon, decode_by_symphonia, encode, encode_in, music, run};
use mapwave_flac::FlacEncoder;
use mapwave_plugin::{Block, Encoder, EncoderOptions, Sink, Status};

fn music_16(num_channels: usize, num_frames: usize) -> Vec<i16> {
    music(16, num_channels, num_frames).into_iter().map(|sample| sample as i16).collect()
}

#[test]
fn threads_and_the_division_into_calls_do_not_matter() {
    for (num_channels, num_frames) in [(2, 400_000), (2, 3 * 4096), (1, 50_001), (5, 60_000)] {
        let samples = music_16(num_channels, num_frames);
        let options = EncoderOptions::new(44_100, num_channels as u32);
        let whole = encode_in(&options, &samples, || 1 << 20).unwrap();
        let mut random = Random(9);
        for max_threads in [1, 2, 3, 8] {
            for max_frames in [1000, 9000, 300_000] {
                let options = EncoderOptions { max_threads, ..options.clone() };
                let file = encode_in(&options, &samples, || 1 + random.below(max_frames)).unwrap();
                assert!(file == whole, "{num_channels} x {num_frames}, {max_threads} threads, {max_frames}");
            }
        }
    }
}

#[test]
fn memory_changes_nothing_but_the_size_of_batches() {
    let samples = music_16(2, 300_000);
    let options = EncoderOptions { max_threads: 4, ..EncoderOptions::new(44_100, 2) };
    let whole = encode_in(&options, &samples, || 1 << 20).unwrap();
    let mut num_refused = 0;
    for max_alloc in [1000, 500_000, 900_000, 2_000_000, 10_000_000] {
        match encode_in(&EncoderOptions { max_alloc, ..options.clone() }, &samples, || 100_000) {
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
fn planes_give_the_same_file() {
    let samples = music_16(3, 30_000);
    let whole = encode_in(&EncoderOptions::new(44_100, 3), &samples, || 1 << 20).unwrap();
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
    let file = encode_in(&options, &samples, || 1 << 20).unwrap();
    assert!(
        decode_by_claxon(&file).iter().eq(samples
            .iter()
            .map(|sample| i32::from(*sample))
            .collect::<Vec<_>>()
            .iter())
    );
    let deep: Vec<i32> = music(24, 2, 5000).iter().map(|sample| sample << 8).collect();
    let file = encode_in(&options, &deep, || 1 << 20).unwrap();
    let reader = claxon::FlacReader::new(&file[..]).unwrap();
    assert_eq!(reader.streaminfo().bits_per_sample, 24);
    assert!(decode_by_claxon(&file) == music(24, 2, 5000));
}

#[test]
fn what_is_known_is_in_the_header() {
    let samples = music_16(2, 123_456);
    let file = encode_in(&EncoderOptions::new(44_100, 2), &samples, || 10_000).unwrap();
    let info = claxon::FlacReader::new(&file[..]).unwrap().streaminfo();
    assert_eq!((info.samples, info.channels, info.bits_per_sample), (Some(123_456), 2, 16));
    assert_eq!((info.min_block_size, info.max_block_size), (4096, 4096));
    let (least, most) = (info.min_frame_size.unwrap() as usize, info.max_frame_size.unwrap() as usize);
    assert!(least < most && most < 4096 * 4 && most * 31 > file.len() - 1200);
    // The reference implementation of FLAC has computed the same MD5 when it does not complain about it.
    run(&["flac", "-t", "-s", "-w", "-"], &file);
    assert!(info.md5sum.iter().any(|byte| *byte != 0));
}

#[test]
fn a_seek_table_points_at_frames() {
    let samples = music_16(1, 100_000);
    let options = EncoderOptions { num_frames: Some(100_000), ..EncoderOptions::new(2000, 1) };
    let file = encode_in(&options, &samples, || 7000).unwrap();
    assert_eq!(file[42], 3, "a seek table is the second block");
    let num_bytes = u32::from_be_bytes([0, file[43], file[44], file[45]]) as usize;
    assert_eq!(num_bytes, 5 * 18, "a point every 20000 frames");
    let mut first = 4; // past all blocks
    loop {
        let is_last = file[first] & 0x80 != 0;
        first += 4 + u32::from_be_bytes([0, file[first + 1], file[first + 2], file[first + 3]]) as usize;
        if is_last {
            break;
        }
    }
    for (number, point) in file[46..46 + num_bytes].chunks(18).enumerate() {
        let frame = u64::from_be_bytes(point[..8].try_into().unwrap());
        let offset = u64::from_be_bytes(point[8..16].try_into().unwrap()) as usize;
        let block_size = u64::from(u16::from_be_bytes(point[16..].try_into().unwrap()));
        assert!((frame..frame + block_size).contains(&(number as u64 * 20_000)));
        let header = &file[first + offset..];
        assert_eq!(&header[..2], [0xFF, 0xF8]);
        assert_eq!(u64::from(header[4]), frame / 4096, "the number of the frame, below 128");
    }
}

#[test]
fn an_announcement_that_was_wrong_is_put_right() {
    let samples = music_16(2, 50_000);
    for announced in [0, 10, 49_999, 10_000_000] {
        let options = EncoderOptions { num_frames: Some(announced), ..EncoderOptions::new(44_100, 2) };
        let file = encode_in(&options, &samples, || 1 << 20).unwrap();
        assert_eq!(decode_by_symphonia(&file).len(), 100_000, "{announced}");
        run(&["flac", "-t", "-s", "-w", "-"], &file);
    }
}

#[test]
fn tags_and_masks_are_read_by_others() {
    let tags = vec![("title", "Übung"), ("artist", "a = b"), ("comment", "")];
    let options = EncoderOptions { tags, channel_mask: 0x60f, ..EncoderOptions::new(48_000, 6) };
    let file = encode(&options, &music(16, 6, 5000), 16);
    let reader = claxon::FlacReader::new(&file[..]).unwrap();
    let tag = |name| reader.get_tag(name).collect::<Vec<_>>();
    assert_eq!((tag("title"), tag("artist"), tag("comment")), (vec!["Übung"], vec!["a = b"], vec![""]));
    assert!(reader.vendor().unwrap().starts_with("mapwave 0."));
    assert_eq!(tag("WAVEFORMATEXTENSIBLE_CHANNEL_MASK"), ["0x060F"]);
    let arguments =
        ["ffprobe", "-v", "error", "-show_entries", "format_tags:stream=channel_layout", "-of", "csv", "-"];
    if let Some(output) = run(&arguments, &file) {
        let output = String::from_utf8(output).unwrap();
        assert!(output.contains("Übung") && output.contains("5.1(side)"), "{output}");
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
        (
            EncoderOptions { bits_per_sample: Some(32), ..base.clone() },
            Status::Unsupported,
            "4 to 24 bits a sample, not 32",
        ),
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
fn an_encoder_that_is_dropped_writes_nothing_more() {
    let (sink, bytes) = Sink::in_memory();
    let mut encoder = FlacEncoder::open(&EncoderOptions::new(44_100, 1), sink).unwrap();
    Block::with_slice(&[1_i16; 5000], 1, |block| encoder.push(block)).unwrap();
    let num_bytes = bytes.lock().unwrap().len();
    drop(encoder);
    assert_eq!(bytes.lock().unwrap().len(), num_bytes);
}
