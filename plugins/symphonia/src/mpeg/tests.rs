//! Whole files: against the corpus, against FFmpeg, from every place and with every bit changed.

use std::path::{Path, PathBuf};
use std::process::Command;

use mapwave_plugin::{Decoder, DecoderOptions, Head, Input, Output, Result, Status, Track};

use super::MpegDecoder;

/// Frames at a time.
const CHUNK: usize = 4096;

fn open(bytes: &[u8]) -> Result<MpegDecoder> {
    MpegDecoder::open(Input::from(bytes.to_vec()), &DecoderOptions::default())
}

/// At most `num_frames` frames from where the decoder stands, interleaved.
fn read(decoder: &mut MpegDecoder, num_frames: usize) -> Vec<f32> {
    let num_channels = decoder.info().num_channels as usize;
    let mut samples = vec![0.0; num_frames * num_channels];
    let num_written = Output::with_slice(&mut samples, num_channels, |output| {
        decoder.decode(output).unwrap();
        output.num_written()
    });
    samples.truncate(num_written * num_channels);
    samples
}

fn read_all(decoder: &mut MpegDecoder) -> Vec<f32> {
    let mut samples = Vec::new();
    loop {
        let more = read(decoder, CHUNK);
        if more.is_empty() {
            return samples;
        }
        samples.extend(more);
    }
}

/// Numbers that look random and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % limit.max(1) as u64).unwrap()
    }
}

/// Compares windows at random places with decoding from the start, bit for bit.
fn assert_seeks_are_exact(name: &str, bytes: &[u8], num_windows: usize) {
    let mut decoder = open(bytes).unwrap();
    let (num_channels, num_frames) = (decoder.info().num_channels as usize, decoder.info().num_frames.unwrap());
    let all = read_all(&mut decoder);
    assert_eq!(all.len() as u64, num_frames * num_channels as u64, "{name}");
    let total = usize::try_from(num_frames).unwrap();
    let mut numbers = Numbers(total as u64);
    for window in 0..num_windows {
        let start = match window {
            0 => total,
            1 => total.saturating_sub(1),
            _ => numbers.below(total),
        };
        let count = if window % 2 == 0 { 1 + numbers.below(50) } else { numbers.below(9000) };
        decoder.seek(start as u64).unwrap();
        let found = if count > 0 { read(&mut decoder, count) } else { Vec::new() };
        let end = (start + count).min(total);
        let expected = &all[start * num_channels..end * num_channels];
        let differs = found.iter().zip(expected).position(|(a, b)| a.to_bits() != b.to_bits());
        assert_eq!((found.len(), differs), (expected.len(), None), "{name}: {count} frames from {start} on");
    }
}

struct Row {
    name: String,
    path: PathBuf,
    status: String,
    container: String,
    sample_rate: Option<u32>,
    num_channels: Option<u32>,
    num_frames: Option<u64>,
}

/// The rows of the corpus about MPEG audio.
fn corpus() -> Vec<Row> {
    let directory = match std::env::var_os("MAPWAVE_CORPUS") {
        Some(directory) => PathBuf::from(directory),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus"),
    };
    let Ok(text) = std::fs::read(directory.join("expected.tsv")) else {
        println!("skipped: there is no corpus at {}", directory.display());
        return Vec::new();
    };
    let text = String::from_utf8_lossy(&text);
    let mut lines = text.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let header = lines.next().unwrap();
    let column = |name: &str| header.iter().position(|field| *field == name).unwrap();
    let (path, status, container) = (column("path"), column("status"), column("container"));
    let (codec, rate, channels, frames) =
        (column("codec"), column("sample_rate"), column("channels"), column("frames"));
    lines
        .filter(|row| {
            row[container] == "mpeg-audio" && !row[path].ends_with(".voc")
                || row[path].contains("minimp3")
                || matches!(row[container], "riff" | "caf") && row[codec].starts_with("mp")
        })
        .map(|row| Row {
            name: row[path].to_owned(),
            path: directory.join(row[path]),
            status: row[status].to_owned(),
            container: row[container].to_owned(),
            sample_rate: row[rate].parse().ok(),
            num_channels: row[channels].parse().ok(),
            num_frames: row[frames].parse().ok(),
        })
        .collect()
}

/// The track of a WAV or CAF file of the corpus, found without much ado.
fn track<'a>(row: &Row, bytes: &[u8]) -> Option<Track<'a>> {
    let find = |name: &[u8]| bytes.windows(4).position(|window| window == name).unwrap();
    let (container, data) = match row.container.as_str() {
        "riff" => ("wav", find(b"data") + 8..bytes.len()),
        "caf" => {
            let at = find(b"data");
            let size = u64::from_be_bytes(bytes[at + 4..at + 12].try_into().unwrap());
            ("caf", at + 16..at + 12 + usize::try_from(size).unwrap())
        }
        _ => return None,
    };
    let is_layer2 = row.name.contains("mp2");
    Some(Track {
        container,
        codec: if is_layer2 { "mp2" } else { "mp3" },
        tag: if is_layer2 { 0x50 } else { 0x55 },
        sample_rate: row.sample_rate.unwrap_or(0),
        num_channels: row.num_channels.unwrap_or(0),
        channel_mask: 0,
        bits_per_sample: 0,
        bytes_per_packet: 0,
        frames_per_packet: 1152,
        priming_frames: 0,
        padding_frames: 0,
        num_frames: None,
        data: data.start as u64..data.end as u64,
        config: 0..0,
        table: 0..0,
        num_packets: 0,
    })
}

/// What FFmpeg makes of a file; `None`, with a notice, where there is no FFmpeg.
fn ffmpeg(path: &Path) -> Option<Vec<f32>> {
    let output = Command::new("ffmpeg")
        .args(["-v", "quiet", "-i"])
        .arg(path)
        .args(["-f", "f32le", "-"])
        .output()
        .map_err(|_| println!("skipped: there is no ffmpeg"))
        .ok()?;
    let samples = output.stdout.as_chunks::<4>().0.iter().map(|sample| f32::from_le_bytes(*sample));
    Some(samples.collect())
}

/// Makes a file with FFmpeg; `None`, with a notice, where that cannot be done.
fn encoded(arguments: &str, suffix: &str) -> Option<Vec<u8>> {
    // Chords, noise and attacks in both channels, so that blocks switch and the reservoir is used.
    let left = "0.3*sin(2*PI*t*(300+200*sin(t)))+0.2*(random(0)-0.5)*exp(-9*mod(t,0.5))";
    let right = "0.3*sin(2*PI*t*(500+90*sin(3*t)))*lt(mod(t,1),0.6)+0.1*(random(1)-0.5)";
    let source = format!("aevalsrc=exprs={left}|{right}:s=44100:d=5").replace("mod(t,", "mod(t\\,").replace(
        "lt(mod(t\\,1),",
        "lt(mod(t\\,1)\\,",
    );
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i", &source])
        .args(arguments.split_whitespace())
        .args(["-f", suffix, "-"])
        .output();
    match output {
        Ok(output) if output.status.success() && !output.stdout.is_empty() => Some(output.stdout),
        Ok(output) => {
            println!("skipped: ffmpeg {arguments}: {}", String::from_utf8_lossy(&output.stderr));
            None
        }
        Err(_) => {
            println!("skipped: there is no ffmpeg");
            None
        }
    }
}

/// The ratio of signal to difference in decibels.
fn snr(reference: &[f32], found: &[f32]) -> f64 {
    let energy = |sample: f64| sample * sample;
    let signal: f64 = reference.iter().map(|sample| energy((*sample).into())).sum();
    let pairs = reference.iter().zip(found);
    let noise: f64 = pairs.map(|(a, b)| energy(f64::from(*a) - f64::from(*b))).sum();
    10.0 * (signal / noise.max(1e-30)).log10()
}

/// The file changes its sampling frequency: what the corpus has is FFmpeg's resampling. Here it ends there.
const CHANGES_RATE: &str = "l3-nonstandard-he_44_48khz.bit";

#[test]
fn the_corpus_is_decoded_as_others_do() {
    let (mut num_equal, mut min_snr) = (0, f64::INFINITY);
    for row in corpus() {
        let bytes = std::fs::read(&row.path).unwrap();
        let options = DecoderOptions { track: track(&row, &bytes), ..DecoderOptions::default() };
        let opened = MpegDecoder::open(Input::from(bytes.clone()), &options);
        match row.status.as_str() {
            "must-error" => assert!(opened.is_err(), "{}", row.name),
            status if status.starts_with("valid") && !matches!(row.container.as_str(), "mp4" | "matroska") => {
                let mut decoder = opened.unwrap_or_else(|error| panic!("{}: {error}", row.name));
                let info = decoder.info().clone();
                assert_eq!(Some(info.sample_rate), row.sample_rate, "{}", row.name);
                assert_eq!(Some(info.num_channels), row.num_channels, "{}", row.name);
                let samples = read_all(&mut decoder);
                assert_eq!(
                    samples.len() as u64,
                    info.num_frames.unwrap() * u64::from(info.num_channels),
                    "{}",
                    row.name
                );
                if row.name.ends_with(CHANGES_RATE) {
                    assert_eq!((info.num_frames, info.is_truncated), (Some(472_320), true));
                    continue;
                }
                assert_eq!(info.num_frames, row.num_frames, "{}", row.name);
                assert!(!info.is_truncated, "{}", row.name);
                num_equal += 1;
                if let Some(reference) = ffmpeg(&row.path) {
                    let snr = snr(&reference, &samples);
                    println!("{snr:7.1} dB, {} frames: {}", info.num_frames.unwrap(), row.name);
                    assert!(snr > 60.0 && reference.len() == samples.len(), "{}: {snr} dB", row.name);
                    min_snr = min_snr.min(snr);
                }
            }
            _ => {
                // Nothing is expected of these but good behaviour.
                if let Ok(mut decoder) = opened {
                    let num_samples = read_all(&mut decoder).len() as u64;
                    let info = decoder.info();
                    assert_eq!(num_samples, info.num_frames.unwrap() * u64::from(info.num_channels));
                }
            }
        }
    }
    println!("{num_equal} files of equal length, at least {min_snr:.1} dB");
}
