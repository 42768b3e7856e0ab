//! What a file is, by its bytes: neither noise nor text is sound, and a few frames of a codec are.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation, missing_docs)]

mod common;

use std::path::Path;

use common::written::{Directory, write};
use common::{Numbers, ffmpeg_floats, ffmpeg_floats_as, open, read_all, snr};
use mapwave_plugin::{Decoder, Status};

const NUM_BUFFERS: u64 = 10_000;

const WORDS: [&str; 16] = [
    "the ",
    "quick ",
    "brown ",
    "fox\n",
    "jumps ",
    "over ",
    "lazy ",
    "dog, ",
    "{\"a\": 1}, ",
    "0x1f ",
    "<p>",
    "1.25;",
    "Lorem ",
    "ipsum\t",
    "= ",
    "\r\n",
];

/// Bytes of a kind that is not sound.
fn buffer(kind: u64, numbers: &mut Numbers) -> Vec<u8> {
    let most = if numbers.below(8) == 0 { 30_000 } else { 3000 };
    let num_bytes = 16 + numbers.below(most) as usize;
    let mut bytes = Vec::with_capacity(num_bytes + 16);
    let period = 10 + numbers.below(50) as usize;
    while bytes.len() < num_bytes {
        match kind {
            0 => bytes.push(numbers.below(256) as u8),
            1 => bytes.push(32 + numbers.below(95) as u8),
            2 => bytes.extend(WORDS[numbers.below(16) as usize].as_bytes()),
            // A table with columns of a fixed width, whose separator is the first byte of an AMR frame as often as not.
            3 => {
                bytes.push(b",4<$D\n|,"[numbers.below(8) as usize]);
                let column = (0..period).map(|_| b"0123456789 ."[numbers.below(12) as usize]);
                bytes.extend(column.collect::<Vec<u8>>());
            }
            // Noise in which every so many bytes look like a frame.
            _ if bytes.len() % period == 0 => bytes.push(4 | (numbers.below(16) as u8) << 3),
            _ => bytes.push(numbers.below(256) as u8),
        }
    }
    bytes.truncate(num_bytes);
    bytes
}

#[test]
fn noise_and_text_are_not_sound() {
    let mut numbers = Numbers(0x5eed_0a37);
    let mut read = Vec::new();
    for index in 0..NUM_BUFFERS {
        let bytes = buffer(index % 5, &mut numbers);
        let extension = [None, Some("mp3"), Some("amr"), Some("wav"), Some("bin")][numbers.below(5) as usize];
        match open(bytes, extension) {
            Ok(decoder) => read.push(format!("{index} as {extension:?}: {:?}", decoder.info())),
            Err(error) => {
                let is_fault =
                    matches!(error.status(), Status::Unsupported | Status::BadData | Status::Limit);
                assert!(is_fault, "{index}: {:?} {error}", error.status());
            }
        }
    }
    assert!(read.is_empty(), "{} of {NUM_BUFFERS} are read:\n{}", read.len(), read.join("\n"));
}

#[test]
fn text_before_mp3_is_not_amr() {
    // Every 21st byte is a comma, as in a table with columns of 20: FFmpeg's guess is AMR.
    let table = ",01234567890123456789".repeat(600);
    let mut sound = vec![0xff; 2000];
    sound.extend([0x3c; 40]);
    for bytes in [table.clone().into_bytes(), [table.as_bytes(), &sound].concat()] {
        for extension in [None, Some("mp3"), Some("amr")] {
            let error = open(bytes.clone(), extension).err().unwrap();
            assert_eq!(error.status(), Status::Unsupported, "{error}");
        }
    }
}

#[test]
fn amr_without_a_header_is_read_where_frames_fill_the_file() {
    let directory = Directory::new("amr");
    let path = directory.join("a.bin");
    let mut numbers = Numbers(7);
    let frame =
        |_| std::iter::once(0x3c).chain((0..31).map(|_| numbers.below(256) as u8)).collect::<Vec<u8>>();
    let bytes = (0..200).flat_map(frame).collect::<Vec<u8>>();
    std::fs::write(&path, &bytes).unwrap();
    for extension in [None, Some("mp3")] {
        let mut decoder = open(bytes.clone(), extension).unwrap();
        assert_eq!((decoder.info().codec, decoder.info().num_frames), (c"amr_nb", Some(200 * 160)));
        let samples: Vec<f32> = read_all(&mut decoder).unwrap();
        let Some(expected) = ffmpeg_floats(&path) else { return };
        assert!(samples.len() == expected.len() && snr(&expected, &samples) > 100.0);
    }
    let error = open(bytes[1..].to_vec(), None).err().unwrap();
    assert_eq!(error.status(), Status::Unsupported, "{error}");
}

/// The sizes of the frames of a file, as ffprobe finds them.
fn frame_sizes(path: &Path) -> Vec<usize> {
    let mut command = std::process::Command::new("ffprobe");
    command.args(["-v", "error", "-show_entries", "packet=size", "-of", "csv=p=0"]).arg(path);
    let text = String::from_utf8(command.output().unwrap().stdout).unwrap();
    text.lines().map(|line| line.trim_matches(',').parse().unwrap()).collect()
}

#[test]
fn one_frame_of_a_codec_is_enough() {
    let directory = Directory::new("frames");
    for (name, arguments, per_frame) in [
        ("a.ac3", "-c:a ac3", 1536),
        ("b.ac3", "-c:a ac3 -ar 44100 -ac 6", 1536),
        ("c.eac3", "-c:a eac3", 1536),
        ("d.dts", "-c:a dca -strict -2 -ar 48000", 512),
    ] {
        let path = directory.join(name);
        if !write(&path, arguments) {
            println!("skipped: ffmpeg does not write {name} here");
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let sizes = frame_sizes(&path);
        for num_frames in 1..=5 {
            let part = bytes[..sizes[..num_frames].iter().sum()].to_vec();
            // By path, by bytes, by another name: the same.
            let of = |extension: Option<&str>| {
                let mut decoder =
                    open(part.clone(), extension).unwrap_or_else(|error| panic!("{name}: {error}"));
                assert_eq!(decoder.info().num_frames, Some(per_frame * num_frames as u64), "{name}");
                assert!(!decoder.info().is_truncated, "{name}");
                read_all::<f32>(&mut decoder).unwrap()
            };
            let samples = of(name.rsplit('.').next());
            assert!(of(None) == samples && of(Some("mp3")) == samples, "{name}");
            let short = directory.join(&format!("{num_frames}-{name}"));
            std::fs::write(&short, &part).unwrap();
            // FFmpeg's program identifies as little as libav does.
            let expected = ffmpeg_floats_as(&short, &["-f", name.rsplit('.').next().unwrap()]).unwrap();
            assert_eq!(expected.len(), samples.len(), "{name}");
            assert!(snr(&expected, &samples) > 100.0, "{name}");
            // Part of another frame.
            let mut cut = part.clone();
            cut.extend(&bytes[part.len()..part.len() + 50]);
            if per_frame == 1536 {
                let decoder = open(cut, None).unwrap();
                assert_eq!(decoder.info().num_frames, Some(per_frame * num_frames as u64), "{name}");
                assert!(decoder.info().is_truncated, "{name}");
            }
        }
    }
}

#[test]
fn transport_streams_name_their_codecs_late() {
    let directory = Directory::new("transport");
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/cases");
    let mut files = vec![
        ("dts", cases.join("ts_dts.ts"), Some(38_400)),
        ("aac_latm", cases.join("ts_latm.ts"), Some(39_936)),
    ];
    files.retain(|(_, path, _)| path.exists());
    for (name, codec, arguments) in [
        ("dts.ts", "dts", "-c:a dca -strict -2 -ar 48000"),
        ("latm.ts", "aac_latm", "-c:a aac -mpegts_flags latm"),
        ("truehd.ts", "truehd", "-c:a truehd -strict -2 -ar 48000"),
    ] {
        let path = directory.join(name);
        if write(&path, arguments) {
            files.push((codec, path, None));
        } else {
            println!("skipped: ffmpeg does not write {name} here");
        }
    }
    for (codec, path, num_frames) in files {
        let mut decoder = open(std::fs::read(&path).unwrap(), None).unwrap();
        let info = decoder.info().clone();
        assert_eq!(info.codec.to_str(), Ok(codec));
        let samples: Vec<f32> = read_all(&mut decoder).unwrap();
        let Some(expected) = ffmpeg_floats(&path) else { return };
        assert!(snr(&expected, &samples) > 100.0 && expected.len() == samples.len(), "{}", path.display());
        assert!(num_frames.is_none_or(|count| info.num_frames == Some(count)), "{codec}: {info:?}");
    }
}

/// Two streams, one behind the other: what comes before the change, and a sign that there was more.
#[test]
fn a_stream_that_changes_ends_there_and_says_so() {
    let directory = Directory::new("changes");
    for (name, first, second) in [
        ("a.aac", "-c:a aac -ar 44100", "-c:a aac -ar 48000"),
        ("b.aac", "-c:a aac -ac 2", "-c:a aac -ac 1"),
        ("c.ac3", "-c:a ac3 -ac 2", "-c:a ac3 -ac 6"),
        ("d.mp2", "-c:a mp2 -ar 44100", "-c:a mp2 -ar 48000"),
    ] {
        let (one, other) = (directory.join(name), directory.join(&format!("2{name}")));
        if !write(&one, first) || !write(&other, second) {
            println!("skipped: ffmpeg does not write {name} here");
            continue;
        }
        let one = std::fs::read(&one).unwrap();
        let both = [&one[..], &std::fs::read(&other).unwrap()].concat();
        let extension = name.rsplit('.').next();
        let mut alone = open(one, extension).unwrap();
        let alone: Vec<f32> = read_all(&mut alone).unwrap();
        let mut decoder = open(both, extension).unwrap();
        let info = decoder.info().clone();
        assert!(info.is_truncated, "{name}");
        let samples: Vec<f32> = read_all(&mut decoder).unwrap();
        assert_eq!(info.num_frames, Some(samples.len() as u64 / u64::from(info.num_channels)), "{name}");
        let missing = alone.len().abs_diff(samples.len());
        assert!(missing <= 2 * 1536 && snr(&alone, &samples) > 60.0, "{name}: {missing} samples differ");
    }
}
