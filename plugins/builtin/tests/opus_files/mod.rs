//! Shared by the tests of Opus: files made by other programs, and what other programs make of them.
#![allow(dead_code, missing_docs)] // each test uses a part
#![allow(clippy::indexing_slicing, clippy::cast_possible_truncation, clippy::unwrap_used)]

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use mapwave_builtin::OggDecoder;
use mapwave_plugin::Decoder;

use crate::corpus::{Numbers, open, read};

/// A file that is removed at the end.
pub struct Scratch(pub PathBuf);

impl Scratch {
    pub fn new(extension: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        Self(std::env::temp_dir().join(format!("mapwave-opus-{}-{number}.{extension}", std::process::id())))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// What a reference decoder returns.
pub struct Decoded {
    pub samples: Vec<f32>,
    pub num_channels: u16,
}

pub fn open_ogg(bytes: &[u8]) -> OggDecoder {
    open(bytes).unwrap_or_else(|error| panic!("{error}"))
}

/// The samples of an Ogg file decoded by opusdec (libopusfile and libopus), in WAVE order; `None`, with a notice, without it.
pub fn opusdec(bytes: &[u8]) -> Option<Decoded> {
    let (input, output) = (Scratch::new("opus"), Scratch::new("wav"));
    std::fs::write(&input.0, bytes).unwrap();
    let run = Command::new("opusdec")
        .args(["--quiet", "--float", "--rate", "48000"])
        .arg(&input.0)
        .arg(&output.0)
        .output();
    if run.is_err() {
        println!("skipped: opusdec is not installed");
        return None;
    }
    let wav = std::fs::read(&output.0).unwrap();
    let number = |at: usize| u16::from_le_bytes([wav[at], wav[at + 1]]);
    let num_channels = number(22);
    let data = wav.windows(4).position(|four| four == b"data").unwrap() + 8;
    let samples = wav[data..].as_chunks().0.iter().map(|sample| f32::from_le_bytes(*sample)).collect();
    Some(Decoded { samples, num_channels })
}

/// Where FFmpeg's decoder over libopus puts channels, from three on: it takes those without speakers for the channels of Vorbis,
/// too, and puts them in the order of WAVE.
const REORDERED: [&[usize]; 6] = [
    &[0, 2, 1],
    &[0, 1, 2, 3],
    &[0, 2, 1, 3, 4],
    &[0, 2, 1, 5, 3, 4],
    &[0, 2, 1, 6, 5, 3, 4],
    &[0, 2, 1, 7, 5, 6, 3, 4],
];

/// The samples of a file with channels without speakers, in the order of the file, by FFmpeg's decoder over libopus.
pub fn decode_by_ffmpeg(bytes: &[u8], num_channels: u16) -> Option<Decoded> {
    let input = Scratch::new("opus");
    std::fs::write(&input.0, bytes).unwrap();
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-request_sample_fmt", "flt", "-c:a", "libopus", "-i"]).arg(&input.0);
    let run = command.args(["-f", "f32le", "-"]).output().ok()?;
    let found: Vec<f32> = run.stdout.as_chunks().0.iter().map(|sample| f32::from_le_bytes(*sample)).collect();
    let mut samples = found.clone();
    if let Some(order) = usize::from(num_channels).checked_sub(3).and_then(|index| REORDERED.get(index)) {
        for (frame, found) in samples.chunks_exact_mut(order.len()).zip(found.chunks_exact(order.len())) {
            order.iter().zip(found).for_each(|(place, sample)| frame[*place] = *sample);
        }
    }
    Some(Decoded { samples, num_channels })
}

pub fn signal_to_noise(expected: &[f32], found: &[f32]) -> f64 {
    let signal: f64 = expected.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    let noise: f64 = expected.iter().zip(found).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum();
    if noise == 0.0 { f64::INFINITY } else { 10.0 * (signal / noise).log10() }
}

/// Compares windows with linear decoding, on one handle and on forks of it.
pub fn check_windows<D: Decoder>(decoder: &mut D, linear: &[f32], num_windows: u32, name: &str) {
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
            fork = decoder.fork().unwrap();
            &mut fork
        } else {
            &mut *decoder
        };
        handle.seek(start).unwrap();
        let samples: Vec<f32> = read(handle, max_frames, frames_per_call).unwrap();
        let first = start as usize * num_channels;
        let end = (first + max_frames * num_channels).min(linear.len());
        let is_same = samples
            .iter()
            .map(|sample| sample.to_bits())
            .eq(linear[first..end].iter().map(|sample| sample.to_bits()));
        assert!(is_same, "{name}: window at {start} of {max_frames} frames");
    }
}

/// A kind of sound that does not repeat.
#[derive(Clone, Copy, Debug)]
pub enum Sound {
    /// Vowels, noise and gaps.
    Speech,
    /// Chords with attacks of noise.
    Music,
    /// The same with little noise.
    Notes,
    /// Nothing, but for a moment in the middle.
    Silence,
}

/// Interleaved samples at 48 kHz.
#[allow(clippy::cast_precision_loss)]
pub fn sound(kind: Sound, num_frames: usize, num_channels: usize) -> Vec<f32> {
    let mut numbers = Numbers(0x1234_5678_9ABC);
    let mut noise = || numbers.below(1 << 20) as f32 / (1 << 19) as f32 - 1.0;
    let tau = std::f32::consts::TAU;
    let mut samples = Vec::with_capacity(num_frames * num_channels);
    let mut phase = 0.0_f32;
    for frame in 0..num_frames {
        let time = frame as f32 / 48_000.0;
        let value = match kind {
            Sound::Speech => {
                phase = (phase + (120.0 + 30.0 * (time * 2.3).sin()) / 48_000.0).fract();
                let is_voiced = (time * 1.7).fract() < 0.6;
                let voice: f32 =
                    (1..20).map(|number| (phase * tau * number as f32).sin() / number as f32).sum();
                let is_gap = (time * 0.9).fract() > 0.8;
                if is_gap {
                    1e-4 * noise()
                } else if is_voiced {
                    0.2 * voice
                } else {
                    0.05 * noise()
                }
            }
            Sound::Music | Sound::Notes => {
                let loudness = if matches!(kind, Sound::Music) { 0.1 } else { 0.003 };
                let beat = (time * 2.0).fract();
                let pitch = 220.0 * 1.5_f32.powi((time * 2.0) as i32 % 5);
                let tone = (tau * pitch * time).sin() + 0.5 * (tau * 2.01 * pitch * time).sin();
                0.25 * tone * (1.0 - beat) + loudness * noise() * (1.0 - beat).powi(8)
            }
            Sound::Silence if frame.abs_diff(num_frames / 2) < 500 => 0.3 * noise(),
            Sound::Silence => 0.0,
        };
        samples.extend((0..num_channels).map(|channel| value / (1.0 + channel as f32 * 0.3)));
    }
    samples
}

/// The bytes of a file that FFmpeg's libopus wrote; `None`, with a notice, without it.
pub fn encode_by_ffmpeg(
    samples: &[f32],
    num_channels: usize,
    options: &[&str],
    extension: &str,
) -> Option<Vec<u8>> {
    let (input, output) = (Scratch::new("raw"), Scratch::new(extension));
    let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    std::fs::write(&input.0, bytes).unwrap();
    let mut command = Command::new("ffmpeg");
    command.args([
        "-v",
        "error",
        "-y",
        "-f",
        "f32le",
        "-ar",
        "48000",
        "-ac",
        &num_channels.to_string(),
        "-i",
    ]);
    command.arg(&input.0).args(["-c:a", "libopus"]).args(options).arg(&output.0);
    let Ok(run) = command.output() else {
        println!("skipped: ffmpeg is not installed");
        return None;
    };
    assert!(run.status.success(), "{options:?}: {}", String::from_utf8_lossy(&run.stderr));
    Some(std::fs::read(&output.0).unwrap())
}

/// Puts the packets of an Ogg file into another container.
pub fn remux(ogg: &[u8], extension: &str) -> Vec<u8> {
    let (input, output) = (Scratch::new("opus"), Scratch::new(extension));
    std::fs::write(&input.0, ogg).unwrap();
    let run = Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-i"])
        .arg(&input.0)
        .args(["-c", "copy"])
        .arg(&output.0)
        .output();
    let run = run.unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    std::fs::read(&output.0).unwrap()
}
