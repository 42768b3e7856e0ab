//! MP3 files, decoded by mapwave's own decoder and by FFmpeg: exact lengths, little noise, and what is refused.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]

use std::io::{ErrorKind, Write};
use std::process::{Command, Stdio};

use mapwave_builtin::MpegDecoder;
use mapwave_lame::Mp3Encoder;
use mapwave_plugin::{
    Block, Decoder, DecoderOptions, Encoder, EncoderOptions, Input, Output, Sample, Sink, Status,
};

/// A chord under a slow envelope, a little different in every channel, interleaved.
fn music(rate: u32, num_channels: usize, num_frames: usize) -> Vec<f32> {
    let tone = |time: f64, pitch: f64| (time * pitch * std::f64::consts::TAU).sin();
    let level = |number: usize| {
        let (frame, channel) = (number / num_channels, number % num_channels);
        let time = frame as f64 / f64::from(rate) + 2e-4 * channel as f64;
        let chord =
            tone(time, 220.0) + tone(time, 277.2) + 0.7 * tone(time, 330.0) + 0.3 * tone(time, 1320.0);
        (0.25 * chord * (0.7 + 0.3 * tone(time, 0.9))) as f32
    };
    (0..num_channels * num_frames).map(level).collect()
}

fn encode_in<T: Sample>(
    options: &EncoderOptions<'_>,
    samples: &[T],
    mut next: impl FnMut() -> usize,
) -> Vec<u8> {
    let (sink, bytes) = Sink::in_memory();
    let num_channels = options.num_channels as usize;
    let mut encoder = Mp3Encoder::open(options, sink).unwrap();
    let mut rest = samples;
    while !rest.is_empty() {
        let (now, later) = rest.split_at((num_channels * next()).min(rest.len()));
        Block::with_slice(now, num_channels, |block| encoder.push(block)).unwrap();
        rest = later;
    }
    encoder.finish().unwrap();
    bytes.lock().unwrap().clone()
}

fn encode(options: &EncoderOptions<'_>, samples: &[f32]) -> Vec<u8> {
    encode_in(options, samples, || 1 << 20)
}

/// The samples of a file by mapwave's own decoder.
fn decode(file: &[u8]) -> Vec<f32> {
    let mut decoder = MpegDecoder::open(Input::from(file.to_vec()), &DecoderOptions::default()).unwrap();
    let info = decoder.info().clone();
    let num_channels = info.num_channels as usize;
    let (mut samples, mut buffer) = (Vec::new(), vec![0.0_f32; 4096 * num_channels]);
    loop {
        let num_frames = Output::with_slice(&mut buffer, num_channels, |output| {
            decoder.decode(output).map(|()| output.num_written())
        })
        .unwrap();
        if num_frames == 0 {
            assert_eq!(info.num_frames, Some((samples.len() / num_channels) as u64));
            return samples;
        }
        samples.extend_from_slice(&buffer[..num_frames * num_channels]);
    }
}

/// The output of a command, whose input `input` is; `None` with a notice when it is not installed.
fn run(command: &[&str], input: &[u8]) -> Option<Vec<u8>> {
    let piped = Stdio::piped;
    let mut child = match Command::new(command[0])
        .args(&command[1..])
        .stdin(piped())
        .stdout(piped())
        .stderr(piped())
        .spawn()
    {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            println!("skipped: {} is not installed", command[0]);
            return None;
        }
        child => child.unwrap(),
    };
    let mut stdin = child.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        scope.spawn(move || {
            let _ = stdin.write_all(input); // the command says what it misses
        });
        child.wait_with_output().unwrap()
    });
    assert!(output.status.success(), "{}: {}", command.join(" "), String::from_utf8_lossy(&output.stderr));
    Some(output.stdout)
}

/// The samples of a file by FFmpeg, which keeps to the lengths in the first frame.
fn decode_by_ffmpeg(file: &[u8]) -> Option<Vec<f32>> {
    let path =
        std::env::temp_dir().join(format!("mapwave-lame-{}-{:p}.mp3", std::process::id(), file.as_ptr()));
    std::fs::write(&path, file).unwrap(); // FFmpeg trims the end of what it can seek in
    let bytes = run(&["ffmpeg", "-v", "error", "-i", path.to_str().unwrap(), "-f", "f32le", "-"], &[]);
    std::fs::remove_file(&path).unwrap();
    Some(bytes?.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
}

/// The signal over the difference in decibels.
fn snr(expected: &[f32], found: &[f32]) -> f64 {
    assert_eq!(expected.len(), found.len());
    let energy = |values: &mut dyn Iterator<Item = f64>| values.map(|value| value * value).sum::<f64>();
    let signal = energy(&mut expected.iter().map(|sample| f64::from(*sample)));
    let noise = energy(&mut expected.iter().zip(found).map(|(a, b)| f64::from(*a) - f64::from(*b)));
    10.0 * (signal / noise.max(1e-20)).log10()
}

const RATES: [u32; 9] = [8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000];

#[test]
fn exactly_the_frames_that_went_in_come_out() {
    for rate in RATES {
        for num_channels in [1, 2] {
            for num_frames in [0, 1, 575, 576, 577, 1151, 1152, 1153, 10_007, 60_000] {
                let samples = music(rate, num_channels, num_frames);
                let file = encode(&EncoderOptions::new(rate, num_channels as u32), &samples);
                let what = format!("{rate} Hz, {num_channels} channels, {num_frames} frames");
                assert_eq!(decode(&file).len(), samples.len(), "{what}");
                if num_frames < 1000 {
                    continue; // FFmpeg needs a few frames to recognise MP3
                }
                if let Some(decoded) = decode_by_ffmpeg(&file) {
                    assert_eq!(decoded.len(), samples.len(), "FFmpeg: {what}");
                }
            }
        }
    }
}

#[test]
fn the_default_is_30_db_away_at_least() {
    for rate in RATES {
        for num_channels in [1, 2] {
            let samples = music(rate, num_channels, 3 * rate as usize);
            let file = encode(&EncoderOptions::new(rate, num_channels as u32), &samples);
            let own = snr(&samples, &decode(&file));
            println!("{rate} Hz, {num_channels} channels: {own:.1} dB");
            assert!(own >= 30.0, "{rate} Hz, {num_channels} channels: {own:.1} dB");
            if let Some(decoded) = decode_by_ffmpeg(&file) {
                let others = snr(&samples, &decoded);
                assert!(others >= 30.0, "FFmpeg, {rate} Hz: {others:.1} dB");
            }
        }
    }
}

#[test]
fn bitrates_and_qualities_are_kept() {
    let samples = music(44_100, 2, 441_000);
    for bitrate in [64_000, 128_000, 320_000] {
        let options = EncoderOptions { bitrate: Some(bitrate), ..EncoderOptions::new(44_100, 2) };
        let file = encode(&options, &samples);
        let found = file.len() as f64 * 8.0 / 10.0;
        assert!((found / f64::from(bitrate) - 1.0).abs() < 0.02, "{bitrate}: {found}");
        assert_eq!(decode(&file).len(), samples.len());
    }
    let mut worst = 0.0;
    for quality in [1, 30, 60, 100] {
        let options = EncoderOptions { quality: Some(quality), ..EncoderOptions::new(44_100, 2) };
        let file = encode(&options, &samples);
        let found = snr(&samples, &decode(&file));
        println!("quality {quality}: {} bytes, {found:.1} dB", file.len());
        assert!(found > worst, "quality {quality}: {found:.1} dB after {worst:.1}");
        worst = found;
    }
}

#[test]
fn efforts_are_taken() {
    let samples = music(44_100, 2, 44_100);
    for effort in [1, 50, 100] {
        let options = EncoderOptions { effort: Some(effort), ..EncoderOptions::new(44_100, 2) };
        assert!(snr(&samples, &decode(&encode(&options, &samples))) > 20.0);
    }
}

#[test]
fn formats_and_the_division_into_calls_do_not_matter() {
    let samples: Vec<i16> =
        music(44_100, 2, 30_000).iter().map(|sample| (sample * 32_000.0) as i16).collect();
    let options = EncoderOptions::new(44_100, 2);
    let whole = encode_in(&options, &samples, || 1 << 20);
    for size in [1, 1000, 9217] {
        assert!(encode_in(&options, &samples, || size) == whole, "{size}");
    }
    let floats: Vec<f32> = samples.iter().map(|sample| f32::from(*sample) / 32_768.0).collect();
    assert!(encode(&options, &floats) == whole);
    let wide: Vec<i32> = samples.iter().map(|sample| i32::from(*sample) << 16).collect();
    assert!(encode_in(&options, &wide, || 500) == whole);
    let planes: Vec<Vec<i16>> =
        (0..2).map(|n| samples.iter().skip(n).step_by(2).copied().collect()).collect();
    let (sink, bytes) = Sink::in_memory();
    let mut encoder = Mp3Encoder::open(&options, sink).unwrap();
    Block::with_planes(&[&planes[0], &planes[1]], |block| encoder.push(block)).unwrap();
    encoder.finish().unwrap();
    assert!(*bytes.lock().unwrap() == whole);
}

#[test]
fn encoders_work_in_parallel() {
    let samples = music(44_100, 2, 60_000);
    let options = EncoderOptions::new(44_100, 2);
    let whole = encode(&options, &samples);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert!(encode(&options, &samples) == whole));
        }
    });
}

#[test]
fn what_is_no_number_or_too_loud_does_no_harm() {
    let mut samples = music(44_100, 2, 20_000);
    for (number, value) in
        [f32::NAN, f32::INFINITY, -f32::INFINITY, f32::MAX, -1e30, 1e-40].into_iter().enumerate()
    {
        samples[3000 + 2000 * number..3500 + 2000 * number].fill(value);
    }
    let decoded = decode(&encode(&EncoderOptions::new(44_100, 2), &samples));
    assert_eq!(decoded.len(), samples.len());
    assert!(decoded.iter().all(|sample| sample.abs() < 2.0));
}

#[test]
fn full_scale_stays_full_scale() {
    let samples: Vec<f32> = (0..88_200).map(|n| (f64::from(n / 2) * 0.05).sin() as f32).collect();
    let base = EncoderOptions::new(44_100, 2);
    for options in [
        EncoderOptions { bitrate: Some(320_000), ..base.clone() },
        EncoderOptions { bitrate: Some(96_000), ..base.clone() },
        EncoderOptions { quality: Some(50), ..base },
    ] {
        let decoded = decode(&encode(&options, &samples));
        let product: f64 = samples.iter().zip(&decoded).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
        let energy: f64 = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum();
        assert!((product / energy - 1.0).abs() < 2e-3, "the gain is {}", product / energy);
    }
}

#[test]
fn tags_are_read_by_others() {
    let tags = vec![
        ("title", "Übung"),
        ("artist", "a"),
        ("artist", "b"),
        ("tracknumber", "3/7"),
        ("mood", "calm"),
        ("comment", "so so"),
    ];
    let options = EncoderOptions { tags, ..EncoderOptions::new(44_100, 2) };
    let samples = music(44_100, 2, 44_100);
    let file = encode(&options, &samples);
    assert_eq!(decode(&file).len(), samples.len());
    let decoder = MpegDecoder::open(Input::from(file.clone()), &DecoderOptions::default()).unwrap();
    let own: Vec<String> = decoder
        .tags()
        .iter()
        .map(|(key, value)| format!("{}={}", key.to_str().unwrap(), value.to_str().unwrap()))
        .collect();
    for expected in ["title=Übung", "artist=a", "artist=b", "tracknumber=3/7", "comment=so so"] {
        assert!(own.iter().any(|tag| tag == expected), "{expected} in {own:?}");
    }
    if let Some(output) =
        run(&["ffprobe", "-v", "error", "-show_entries", "format_tags", "-of", "default", "-"], &file)
    {
        let output = String::from_utf8(output).unwrap();
        for expected in ["TAG:title=Übung", "TAG:track=3/7", "TAG:mood=calm", "TAG:comment=so so"] {
            assert!(output.contains(expected), "{expected} in {output}");
        }
    }
}

#[test]
fn what_cannot_be_is_refused_before_a_byte_is_written() {
    let base = EncoderOptions::new(44_100, 2);
    let cases = [
        (EncoderOptions { num_channels: 3, ..base.clone() }, Status::Unsupported, "1 or 2 channels, not 3"),
        (EncoderOptions { sample_rate: 96_000, ..base.clone() }, Status::Unsupported, "44100, 48000"),
        (EncoderOptions { bitrate: Some(100_000), ..base.clone() }, Status::Unsupported, "96000, 112000"),
        (
            EncoderOptions { bitrate: Some(128_000), quality: Some(3), ..base.clone() },
            Status::BadArgument,
            "one of the two",
        ),
        (EncoderOptions { max_alloc: 1000, ..base.clone() }, Status::Limit, "only 1000"),
        (EncoderOptions { tags: vec![("a", "b\0")], ..base.clone() }, Status::BadArgument, "\"a\""),
    ];
    for (options, status, words) in cases {
        let (sink, bytes) = Sink::in_memory();
        let error = Mp3Encoder::open(&options, sink).err().unwrap();
        assert_eq!(error.status(), status, "{error}");
        assert!(error.message().contains(words), "{error}");
        assert!(bytes.lock().unwrap().is_empty());
    }
}

#[test]
fn a_recording_keeps_its_sound() {
    // 48 kHz, stereo, 16 bits behind 44 bytes of header: wide in band, which is what a lossy codec saves at.
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/valid/recording.wav");
    let wave = std::fs::read(path).unwrap();
    let bytes = wave[44..].as_chunks::<2>().0;
    let samples: Vec<f32> =
        bytes.iter().map(|bytes| f32::from(i16::from_le_bytes(*bytes)) / 32_768.0).collect();
    let found = snr(&samples, &decode(&encode(&EncoderOptions::new(48_000, 2), &samples)));
    println!("{found:.1} dB");
    assert!(found >= 30.0, "{found:.1} dB");
}
