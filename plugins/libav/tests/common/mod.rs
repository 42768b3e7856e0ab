//! Shared by the tests: the corpus, and comparisons of decoders with others and themselves.
#![allow(dead_code, missing_docs)] // each test takes its part
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]

pub mod wma;
pub mod written;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use mapwave_libav::LibavDecoder;
use mapwave_plugin::{Decoder, DecoderOptions, Input, Output, Result, Sample};

/// A file of the corpus, and its row in the manifest.
pub struct Row {
    pub name: String,
    pub path: PathBuf,
    pub status: String,
    pub container: String,
    pub codec: String,
    pub sample_rate: Option<u32>,
    pub num_channels: Option<u32>,
    pub num_frames: Option<u64>,
    pub canon: String,
    pub sha256: String,
    pub precision: String,
}

/// The rows of the manifest; none, with a notice, if there is no corpus on this machine.
pub fn rows() -> Vec<Row> {
    let directory = match std::env::var_os("MAPWAVE_CORPUS") {
        Some(directory) => PathBuf::from(directory),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus"),
    };
    let Ok(text) = std::fs::read_to_string(directory.join("expected.tsv")) else {
        println!("skipped: there is no corpus at {}", directory.display());
        return Vec::new();
    };
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
    let row = |line: &str| {
        let fields: Vec<&str> = line.split('\t').collect();
        let field = |name: &str| {
            let column = header.iter().position(|column| *column == name).expect(name);
            fields[column].to_owned()
        };
        Row {
            name: field("path"),
            path: directory.join(field("path")),
            status: field("status"),
            container: field("container"),
            codec: field("codec"),
            sample_rate: field("sample_rate").parse().ok(),
            num_channels: field("channels").parse().ok(),
            num_frames: field("frames").parse().ok(),
            canon: field("canon"),
            sha256: field("sha256"),
            precision: field("precision"),
        }
    };
    lines.map(row).collect()
}

/// Opens bytes.
pub fn open(bytes: Vec<u8>, extension: Option<&str>) -> Result<LibavDecoder> {
    LibavDecoder::open(Input::from(bytes), &DecoderOptions { extension, ..DecoderOptions::default() })
}

/// Opens a file.
pub fn open_file(path: &Path) -> Result<LibavDecoder> {
    open(std::fs::read(path).unwrap(), path.extension().and_then(|extension| extension.to_str()))
}

/// Decodes up to `max_frames` frames from the decoder's position, `frames_per_call` at a time.
pub fn read<T: Sample>(
    decoder: &mut LibavDecoder,
    max_frames: usize,
    frames_per_call: usize,
) -> Result<Vec<T>> {
    let num_channels = decoder.info().num_channels as usize;
    let mut samples = Vec::new();
    let mut buffer = vec![T::default(); frames_per_call * num_channels];
    let mut num_frames = 0;
    while num_frames < max_frames {
        let room = frames_per_call.min(max_frames - num_frames) * num_channels;
        let count = Output::with_slice(&mut buffer[..room], num_channels, |output: &mut Output<'_>| {
            decoder.decode(output).map(|()| output.num_written())
        })?;
        if count == 0 {
            break;
        }
        samples.extend_from_slice(&buffer[..count * num_channels]);
        num_frames += count;
    }
    Ok(samples)
}

/// Decodes everything.
pub fn read_all<T: Sample>(decoder: &mut LibavDecoder) -> Result<Vec<T>> {
    decoder.seek(0)?;
    read(decoder, usize::MAX, 8192)
}

/// The maximum number of frames to decode from a damaged file.
const MAX_FRAMES: usize = 100_000;

/// Opens and decodes arbitrary bytes: the result is an error, or the promised number of frames.
pub fn survive(bytes: Vec<u8>, extension: Option<&str>, what: &str) {
    let Ok(mut decoder) = open(bytes, extension) else { return };
    let info = decoder.info().clone();
    let num_channels = info.num_channels as usize;
    let Ok(samples) = read::<f32>(&mut decoder, MAX_FRAMES, 4096) else { return };
    let num_frames = samples.len() / num_channels;
    if let Some(expected) = info.num_frames {
        assert_eq!(num_frames, (expected as usize).min(MAX_FRAMES), "{what}: {info:?}");
        decoder.seek(expected / 2).unwrap();
        let _ = read::<f32>(&mut decoder, 1000, 1000);
        decoder.seek(expected).unwrap();
        assert!(read::<f32>(&mut decoder, 1, 1).is_ok_and(|samples| samples.is_empty()), "{what}: the end");
    }
}

/// A pseudo-random number generator with a fixed seed.
pub struct Numbers(pub u64);

impl Numbers {
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        if end == 0 { 0 } else { self.0 % end }
    }
}

/// Decodes the first audio stream of a file with ffmpeg to floats; `None`, with a notice, if it is not installed.
pub fn ffmpeg_floats(path: &Path) -> Option<Vec<f32>> {
    // FFmpeg's own decoder of Speex is far from libspeex, which the plugin prefers.
    let is_speex = path.extension().is_some_and(|extension| extension == "spx");
    ffmpeg_floats_as(path, if is_speex { &["-c:a", "libspeex"] } else { &[] })
}

/// The same with options for the file, such as its format.
pub fn ffmpeg_floats_as(path: &Path, options: &[&str]) -> Option<Vec<f32>> {
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-nostdin", "-threads", "1"]).args(options).arg("-i").arg(path);
    command.args(["-map", "0:a:0", "-c:a", "pcm_f32le", "-f", "f32le", "-"]);
    let output = command.stderr(Stdio::null()).output();
    let Ok(output) = output else {
        println!("skipped: ffmpeg is not installed");
        return None;
    };
    let (floats, _) = output.stdout.as_chunks::<4>();
    Some(floats.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
}

/// The signal-to-noise ratio, in dB.
pub fn snr(expected: &[f32], found: &[f32]) -> f64 {
    let power = |samples: &mut dyn Iterator<Item = f64>| samples.map(|sample| sample * sample).sum::<f64>();
    let signal = power(&mut expected.iter().map(|sample| f64::from(*sample)));
    let noise =
        power(&mut expected.iter().zip(found).map(|(one, other)| f64::from(*one) - f64::from(*other)));
    if noise == 0.0 { f64::INFINITY } else { 10.0 * (signal / noise).log10() }
}
