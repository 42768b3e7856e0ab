//! What a file holds besides its samples, what is refused, and what must not matter.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]

mod common;

use common::{Random, decode_by_symphonia, encode, encode_in, music, run};
use mapwave_flac::{EncodeError, Encoder, EncoderSettings, Error, Frames};

fn music_16(num_channels: usize, num_frames: usize) -> Vec<i16> {
    music(16, num_channels, num_frames).into_iter().map(|sample| sample as i16).collect()
}

#[test]
fn threads_and_the_division_into_calls_do_not_matter() {
    for (num_channels, num_frames) in [(2, 400_000), (2, 3 * 4096), (1, 50_001), (5, 60_000)] {
        let samples = music_16(num_channels, num_frames);
        let settings = EncoderSettings::new(44_100, num_channels as u32, 16);
        let whole = encode_in(&settings, &samples, || 1 << 20).unwrap();
        let mut random = Random(9);
        for num_threads in [1, 2, 3, 8] {
            for max_frames in [1000, 9000, 300_000] {
                let settings = EncoderSettings { num_threads, ..settings.clone() };
                let file = encode_in(&settings, &samples, || 1 + random.below(max_frames)).unwrap();
                assert!(file == whole, "{num_channels} x {num_frames}, {num_threads} threads, {max_frames}");
            }
        }
    }
}

#[test]
fn memory_changes_nothing_but_the_size_of_batches() {
    let samples = music_16(2, 300_000);
    let settings = EncoderSettings { num_threads: 4, ..EncoderSettings::new(44_100, 2, 16) };
    let whole = encode_in(&settings, &samples, || 1 << 20).unwrap();
    let mut num_refused = 0;
    for max_memory in [1000, 500_000, 900_000, 2_000_000, 10_000_000] {
        match encode_in(&EncoderSettings { max_memory, ..settings.clone() }, &samples, || 100_000) {
            Ok(file) => assert!(file == whole, "{max_memory}"),
            Err(error) => {
                assert!(matches!(error, Error::Memory { allowed, .. } if allowed == max_memory), "{error}");
                num_refused += 1;
            }
        }
    }
    assert!((1..4).contains(&num_refused));
}

#[test]
fn planes_give_the_same_file() {
    let samples = music_16(3, 30_000);
    let whole = encode_in(&EncoderSettings::new(44_100, 3, 16), &samples, || 1 << 20).unwrap();
    let planes: Vec<Vec<i16>> =
        (0..3).map(|n| samples.iter().skip(n).step_by(3).copied().collect()).collect();
    let planes: Vec<&[i16]> = planes.iter().map(Vec::as_slice).collect();
    let file = mapwave_flac::encode(&EncoderSettings::new(44_100, 3, 16), Frames::Planar(&planes)).unwrap();
    assert!(file == whole);
}

#[test]
fn what_is_known_is_in_the_header() {
    let samples = music_16(2, 123_456);
    let file = encode_in(&EncoderSettings::new(44_100, 2, 16), &samples, || 10_000).unwrap();
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
    let settings = EncoderSettings { num_frames: Some(100_000), ..EncoderSettings::new(2000, 1, 16) };
    let file = encode_in(&settings, &samples, || 7000).unwrap();
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
        let settings = EncoderSettings { num_frames: Some(announced), ..EncoderSettings::new(44_100, 2, 16) };
        let file = encode_in(&settings, &samples, || 1 << 20).unwrap();
        assert_eq!(decode_by_symphonia(&file).len(), 100_000, "{announced}");
        run(&["flac", "-t", "-s", "-w", "-"], &file);
    }
}

#[test]
fn tags_and_masks_are_read_by_others() {
    let tags = [("title", "Übung"), ("artist", "a = b"), ("comment", "")];
    let tags = tags.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let settings = EncoderSettings { tags, channel_mask: 0x60f, ..EncoderSettings::new(48_000, 6, 16) };
    let file = encode(&settings, &music(16, 6, 5000));
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
    let base = EncoderSettings::new(44_100, 2, 16);
    let tags = |name: &str| vec![(name.to_owned(), "c".to_owned())];
    let cases = [
        (EncoderSettings { num_channels: 9, ..base.clone() }, "FLAC has 1 to 8 channels, not 9"),
        (EncoderSettings { num_channels: 0, ..base.clone() }, "not 0"),
        (EncoderSettings { sample_rate: 655_351, ..base.clone() }, "1 to 655350 Hz, not 655351"),
        (EncoderSettings { bits_per_sample: 32, ..base.clone() }, "4 to 24 bits per sample, not 32"),
        (EncoderSettings { bits_per_sample: 3, ..base.clone() }, "not 3"),
        (EncoderSettings { level: 9, ..base.clone() }, "compression levels 0 to 8, not 9"),
        (EncoderSettings { channel_mask: 7, ..base.clone() }, "mask 0x7 must have 2"),
        (EncoderSettings { num_frames: Some(1 << 36), ..base.clone() }, "at most 68719476735 frames"),
        (EncoderSettings { max_memory: 1000, ..base.clone() }, "only 1000"),
        (EncoderSettings { tags: tags("a=b"), ..base.clone() }, "\"a=b\""),
        (EncoderSettings { tags: tags(&"a".repeat(1 << 24)), ..base.clone() }, "has room for 16777215"),
    ];
    for (settings, words) in cases {
        let error = Encoder::new(&settings).err().unwrap();
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn only_whole_frames_are_taken() {
    let mut encoder = Encoder::new(&EncoderSettings::new(44_100, 2, 16)).unwrap();
    let write = |_: &[u8]| panic!("nothing was encoded");
    let discard = |_: &[u8]| Ok::<(), ()>(());
    let partial = EncodeError::Encoder(Error::PartialFrame(2));
    assert_eq!(encoder.push::<i16, ()>(Frames::Interleaved(&[1, 2, 3]), write), Err(partial.clone()));
    assert_eq!(encoder.push::<i16, ()>(Frames::Planar(&[&[1, 2], &[3]]), write), Err(partial));
    assert_eq!(encoder.push(Frames::Interleaved(&[1_i16, 2]), discard), Ok(()), "the encoder goes on");
    assert!(encoder.finish(discard).is_ok());
}

#[test]
fn after_a_failed_write_nothing_more_is_written() {
    let mut encoder = Encoder::new(&EncoderSettings::new(44_100, 1, 16)).unwrap();
    let samples = vec![1_i16; 200_000];
    let mut num_writes = 0;
    let mut fail_at_third = |_: &[u8]| {
        num_writes += 1;
        if num_writes == 3 { Err("full") } else { Ok(()) }
    };
    let result = encoder.push(Frames::Interleaved(&samples), &mut fail_at_third);
    assert_eq!(result, Err(EncodeError::Write("full")));
    let failed = EncodeError::Encoder(Error::Failed);
    assert_eq!(encoder.push(Frames::Interleaved(&samples), &mut fail_at_third), Err(failed.clone()));
    assert_eq!(encoder.finish(&mut fail_at_third), Err(failed));
    assert_eq!(num_writes, 3);
}

#[test]
fn an_encoder_passes_on_only_whole_batches_before_it_is_finished() {
    let mut encoder = Encoder::new(&EncoderSettings::new(44_100, 1, 16)).unwrap();
    let mut num_bytes = Vec::new();
    let mut count = |bytes: &[u8]| {
        num_bytes.push(bytes.len());
        Ok::<(), ()>(())
    };
    encoder.push(Frames::Interleaved(&[1_i16; 5000]), &mut count).unwrap();
    assert_eq!(encoder.finish(&mut count).unwrap().len(), 1);
    assert_eq!(num_bytes.len(), 3, "the header, a whole block and the rest: {num_bytes:?}");
}
