//! Every codec that the ffmpeg program writes here: the samples match its own output, and seeks do what their class promises.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation, missing_docs)]

mod common;

use std::path::Path;
use std::process::Command;

use common::written::{Directory, FORMATS, write};
use common::{Numbers, ffmpeg_floats, open_file, read, read_all, snr, survive};
use mapwave_plugin::{Decoder, SeekClass};

/// How close an anchored seek comes to linear decoding, in dB: codecs that add noise remain far from
/// it, but are at the same position.
const MIN_ANCHORED_SNR: f64 = 10.0;

/// The minimum signal-to-noise ratio against the ffmpeg program, in dB.
const MIN_SNR: f64 = 100.0;

/// Tests a file; the error describes what is wrong.
fn check(path: &Path) -> Result<SeekClass, String> {
    let mut decoder = open_file(path).map_err(|error| error.to_string())?;
    let info = decoder.info().clone();
    let num_channels = info.num_channels as usize;
    let whole: Vec<f32> = read_all(&mut decoder).map_err(|error| error.to_string())?;
    let num_frames = (whole.len() / num_channels) as u64;
    if info.num_frames != Some(num_frames) {
        return Err(format!("info says {:?}, and {num_frames} frames come out", info.num_frames));
    }
    let mut expected = ffmpeg_floats(path).ok_or("ffmpeg is gone")?;
    // The ffmpeg program plays the padding in the last packet of AAC in MP4, which the file marks as trimmed.
    let padding = expected.len().saturating_sub(whole.len());
    if info.codec == c"aac"
        && path.extension().is_some_and(|ending| ending != "aac")
        && padding < 1024 * num_channels
    {
        expected.truncate(whole.len());
    }
    let found = snr(&expected, &whole);
    if expected.len() != whole.len() || found < MIN_SNR {
        let wanted = expected.len() / num_channels;
        return Err(format!("{num_frames} frames, {found:.1} dB from the {wanted} of FFmpeg's program"));
    }
    let mut numbers = Numbers(num_frames + 5);
    // Without seeks, each window is decoded from the start.
    let num_windows = if info.seek_class == SeekClass::None { 5 } else { 16 };
    for number in 0..num_windows {
        let start = if number == 0 { num_frames } else { numbers.below(num_frames + 1) };
        let length = 1 + numbers.below(5000) as usize;
        let mut fork = decoder.fork().unwrap();
        for decoder in [&mut decoder, &mut fork] {
            decoder.seek(start).unwrap();
        }
        let window: Vec<f32> =
            read(&mut decoder, length, 1 + number * 97).map_err(|error| error.to_string())?;
        let again: Vec<f32> = read(&mut fork, length, 4096).map_err(|error| error.to_string())?;
        let first = start as usize * num_channels;
        let linear = &whole[first..(first + length * num_channels).min(whole.len())];
        let distance = snr(linear, &window);
        let is_right = match info.seek_class {
            SeekClass::Anchored { .. } => distance >= MIN_ANCHORED_SNR || linear.len() < 200 * num_channels,
            SeekClass::Exact | SeekClass::None => window == linear,
        };
        if window.len() != linear.len() || !is_right || window != again {
            return Err(format!(
                "{:?}: {length} frames at {start} are {distance:.1} dB from linear, and a fork's {}",
                info.seek_class,
                if window == again { "are the same" } else { "differ" }
            ));
        }
    }
    Ok(info.seek_class)
}

/// The number of truncated and damaged copies of each file.
const NUM_DAMAGED: u64 = 10;

fn endure(path: &Path) {
    let bytes = std::fs::read(path).unwrap();
    let (name, extension) = (path.file_name().unwrap(), path.extension().and_then(|name| name.to_str()));
    let mut numbers = Numbers(bytes.len() as u64 + 1);
    for number in 0..NUM_DAMAGED {
        let mut damaged = bytes.clone();
        if number % 3 == 0 {
            damaged.truncate(numbers.below(bytes.len() as u64) as usize);
        } else {
            let reach = if number % 3 == 1 { 600.min(bytes.len() as u64) } else { bytes.len() as u64 };
            for _ in 0..1 + numbers.below(5) {
                damaged[numbers.below(reach) as usize] ^= 1 << numbers.below(8);
            }
        }
        survive(damaged, extension, &format!("{} damaged, number {number}", name.display()));
    }
}

#[test]
fn what_ffmpeg_writes_is_read_as_ffmpeg_reads_it() {
    let directory = Directory::new("formats");
    let (mut num_files, mut wrong) = (0, Vec::new());
    for (name, arguments) in FORMATS {
        let path = directory.join(name);
        if !write(&path, arguments) {
            println!("skipped: ffmpeg does not write {name} here");
            continue;
        }
        num_files += 1;
        if let Err(why) = check(&path) {
            wrong.push(format!("{name}: {why}"));
        }
        endure(&path);
        let _ = std::fs::remove_file(&path);
    }
    println!("{num_files} of {} formats were written", FORMATS.len());
    assert!(wrong.is_empty(), "{} files differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn streams_and_tags_are_found_beside_pictures() {
    let directory = Directory::new("streams");
    for name in ["film.mkv", "film.mp4", "film.ts", "film.avi"] {
        let path = directory.join(name);
        let tone = |hertz: u32, sr: u32| format!("sine=f={hertz}:r={sr}:d=2");
        let mut command = Command::new("ffmpeg");
        command.args(["-v", "quiet", "-nostdin", "-y", "-f", "lavfi", "-i", "testsrc=d=2:s=160x120"]);
        command.args(["-f", "lavfi", "-i", &tone(440, 44_100), "-f", "lavfi", "-i", &tone(880, 48_000)]);
        command.args(
            "-map 0 -map 1 -map 2 -c:v mpeg4 -c:a ac3 -metadata title=Film -metadata artist=Us".split(' '),
        );
        if !command.arg(&path).status().is_ok_and(|status| status.success()) {
            println!("skipped: ffmpeg does not write {name} here");
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let open = |stream| {
            let options = mapwave_plugin::DecoderOptions { stream, ..Default::default() };
            mapwave_libav::LibavDecoder::open(bytes.clone().into(), &options)
        };
        for (stream, sample_rate) in [(0, 44_100), (1, 48_000)] {
            let decoder = open(Some(stream)).unwrap();
            let info = decoder.info();
            assert_eq!((info.sample_rate, info.num_channels), (sample_rate, 1), "{name}");
            assert!(info.num_frames.unwrap().abs_diff(u64::from(sample_rate) * 2) < 3000, "{name}: {info:?}");
            let title = decoder.tags().iter().find(|(key, _)| key.as_c_str() == c"title");
            // AVI has room for a title; a transport stream for none.
            assert!(
                name == "film.ts" || title.is_some_and(|(_, value)| value.as_c_str() == c"Film"),
                "{name}"
            );
        }
        let error = open(Some(2)).err().unwrap();
        assert_eq!(error.status(), mapwave_plugin::Status::BadArgument, "{name}: {error}");
        assert_eq!(error.message(), "the file has 2 sound tracks", "{name}");
    }
}
