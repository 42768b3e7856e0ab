//! Shared by the tests of formats: the corpus, and windows compared with linear decoding.
#![allow(dead_code, missing_docs)] // each test uses a part
#![allow(clippy::indexing_slicing, clippy::cast_possible_truncation)]

use std::path::{Path, PathBuf};

use mapwave_plugin::{Decoder, DecoderOptions, Input, Output, Sample, SampleFormat, SeekClass};

/// A file of the corpus and its properties.
pub struct Row {
    pub name: String,
    pub path: PathBuf,
    pub status: String,
    pub container: String,
    pub codec: String,
    pub sample_rate: Option<u32>,
    pub num_channels: Option<u32>,
    pub num_frames: Option<u64>,
    pub sha256: String,
    pub precision: String,
}

/// The rows of the manifest; none, with a notice, when there is no corpus on this machine.
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
            sha256: field("sha256"),
            precision: field("precision"),
        }
    };
    lines.map(row).collect()
}

/// Opens a decoder over bytes.
pub fn open<D: Decoder>(bytes: &[u8]) -> mapwave_plugin::Result<D> {
    D::open(Input::from(bytes.to_vec()), &DecoderOptions::default())
}

/// Decodes up to `max_frames` frames from the decoder's position, `frames_per_call` at a time.
pub fn read<D: Decoder, T: Sample>(
    decoder: &mut D,
    max_frames: usize,
    frames_per_call: usize,
) -> mapwave_plugin::Result<Vec<T>> {
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

/// Decodes everything in the format `T`.
pub fn read_all<D: Decoder, T: Sample>(decoder: &mut D) -> mapwave_plugin::Result<Vec<T>> {
    decoder.seek(0)?;
    read(decoder, usize::MAX, 8192)
}

/// A generator of pseudo-random numbers.
pub struct Numbers(pub u64);

impl Numbers {
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        if end == 0 { 0 } else { self.0 % end }
    }
}

/// Compares windows with linear decoding, on one handle and on forks of it.
pub fn check_windows<D: Decoder, T: Sample + PartialEq + std::fmt::Debug>(
    decoder: &mut D,
    linear: &[T],
    num_windows: u32,
    name: &str,
) {
    assert_eq!(decoder.info().seek_class, SeekClass::Exact);
    let num_channels = decoder.info().num_channels as usize;
    let num_frames = (linear.len() / num_channels) as u64;
    let mut numbers = Numbers(num_frames + 77);
    for window in 0..num_windows {
        let start = match window {
            0 => num_frames,
            1 => num_frames.saturating_sub(1),
            _ => numbers.below(num_frames + 1),
        };
        let max_frames = numbers.below(6000) as usize + 1;
        let frames_per_call = numbers.below(3000) as usize + 1;
        let mut fork;
        let handle = if window % 4 == 3 {
            fork = decoder.fork().expect("a fork");
            &mut fork
        } else {
            &mut *decoder
        };
        handle.seek(start).expect("a seek");
        let samples: Vec<T> = read(handle, max_frames, frames_per_call).expect("a window");
        let first = start as usize * num_channels;
        let end = (first + max_frames * num_channels).min(linear.len());
        assert!(samples == linear[first..end], "{name}: window at {start} of {max_frames} frames");
    }
}

/// Opens and decodes bytes: the result is an error or at most the promised frames, never a panic.
pub fn survive<D: Decoder>(bytes: &[u8]) {
    let Ok(mut decoder) = open::<D>(bytes) else { return };
    let num_frames = decoder.info().num_frames;
    let mut decode = |frame: u64| match decoder.info().native_format {
        SampleFormat::F32 => {
            decoder.seek(frame).and_then(|()| read::<D, f32>(&mut decoder, 100_000, 4096)).map(|s| s.len())
        }
        SampleFormat::I16 => {
            decoder.seek(frame).and_then(|()| read::<D, i16>(&mut decoder, 100_000, 4096)).map(|s| s.len())
        }
        SampleFormat::I32 => {
            decoder.seek(frame).and_then(|()| read::<D, i32>(&mut decoder, 100_000, 4096)).map(|s| s.len())
        }
    };
    let _ = decode(0);
    if let Some(num_frames) = num_frames {
        let _ = decode(num_frames / 2);
        let _ = decode(num_frames.saturating_sub(1));
    }
}
