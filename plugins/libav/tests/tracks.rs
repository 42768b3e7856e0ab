//! Files of several sound tracks: which is the default, what the list says of each, and that each is what FFmpeg decodes.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation, missing_docs)]

mod common;

use std::process::Command;

use common::written::Directory;
use mapwave_libav::LibavDecoder;
use mapwave_plugin::{Decoder, DecoderOptions, Output, Status, StreamEntry};

const SECONDS: u32 = 2;

/// A file with pictures and two sound tracks, of which the second is flagged as default or none is.
fn write(directory: &Directory, name: &str, flag: &str) -> Option<Vec<u8>> {
    let path = directory.join(name);
    let tone = |hertz: u32, rate: u32| format!("sine=f={hertz}:r={rate}:d={SECONDS}");
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "quiet", "-nostdin", "-y", "-f", "lavfi", "-i", "testsrc=d=2:s=160x120"]);
    command.args(["-f", "lavfi", "-i", &tone(440, 44_100), "-f", "lavfi", "-i", &tone(880, 48_000)]);
    command.args("-map 0 -map 1 -map 2 -c:v mpeg4 -c:a ac3 -ac:a:1 2 -disposition:a:0 0".split(' '));
    command.args(["-disposition:a:1", flag, "-metadata:s:a:0", "language=eng"]);
    let done = command.args(["-metadata:s:a:1", "language=spa"]).arg(&path).status();
    done.is_ok_and(|status| status.success()).then(|| std::fs::read(path).unwrap())
}

fn open(bytes: &[u8], stream: Option<u32>) -> Result<LibavDecoder, mapwave_plugin::Error> {
    LibavDecoder::open(bytes.to_vec().into(), &DecoderOptions { stream, ..DecoderOptions::default() })
}

fn samples(decoder: &mut LibavDecoder) -> Vec<f32> {
    let num_channels = decoder.info().num_channels as usize;
    let mut samples = vec![0.0; (decoder.info().num_frames.unwrap() as usize + 1) * num_channels];
    let mut written = 0;
    loop {
        let room = &mut samples[written * num_channels..];
        let count = Output::with_slice(room, num_channels, |output| {
            decoder.decode(output).map(|()| output.num_written())
        });
        match count.unwrap() {
            0 => break,
            count => written += count,
        }
    }
    samples.truncate(written * num_channels);
    samples
}

/// A track as FFmpeg decodes it.
fn reference(directory: &Directory, name: &str, track: u32) -> Vec<f32> {
    let path = directory.join(name);
    let map = format!("0:a:{track}");
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-nostdin", "-i"]).arg(path).args(["-map", &map, "-f", "f32le", "-"]);
    let output = command.output().unwrap().stdout;
    output.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

#[test]
fn the_flagged_track_is_the_default_and_each_is_what_ffmpeg_decodes() {
    let directory = Directory::new("tracks");
    for (name, flag, default) in [
        ("b.mkv", "default", 1),
        ("b.mp4", "default", 1),
        ("a.mp4", "0", 0),
        ("a.ts", "0", 0),
        ("a.avi", "0", 0),
    ] {
        let Some(bytes) = write(&directory, name, flag) else {
            println!("skipped: ffmpeg does not write {name} here");
            continue;
        };
        let decoder = open(&bytes, None).unwrap();
        let entry = |language, sample_rate, num_channels, is_default| StreamEntry {
            sample_rate,
            num_channels,
            is_default,
            ..StreamEntry::new("ac3", if name == "a.avi" { "" } else { language })
        };
        let expected = [entry("eng", 44_100, 1, default == 0), entry("spa", 48_000, 2, default == 1)];
        assert_eq!(decoder.streams(), expected, "{name}");
        assert_eq!(decoder.info().sample_rate, expected[default].sample_rate, "{name}");
        for track in [0, 1] {
            let mut decoder = open(&bytes, Some(track)).unwrap();
            assert_eq!(
                (decoder.streams(), decoder.fork().unwrap().streams()),
                (&expected[..], &expected[..])
            );
            assert!(samples(&mut decoder) == reference(&directory, name, track), "{name}, track {track}");
        }
        let error = open(&bytes, Some(2)).err().unwrap();
        assert_eq!((error.status(), error.message()), (Status::BadArgument, "the file has 2 sound tracks"));
    }
}
