//! Test signals, ADTS files, FFmpeg, and distances between decoders.

#![allow(dead_code)]

use std::io::{ErrorKind, Write};
use std::process::{Command, Stdio};

use mapwave_aac::{BatchError, Config, Decoder, Part};

/// A xorshift64* generator.
pub struct Random(pub u64);

impl Random {
    pub fn bits(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.bits() >> 11) as usize % end
    }
}

pub const RATES: [u32; 13] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];

/// A stream: its setup and its packets.
pub struct Stream {
    pub config: Config,
    pub packets: Vec<Vec<u8>>,
}

impl Stream {
    /// The packets of ADTS frames.
    pub fn parse(file: &[u8]) -> Self {
        let (mut packets, mut rest, mut config) = (Vec::new(), file, None);
        while let Some([0xff, b, c, d, e, f, _]) = rest.first_chunk::<7>() {
            let size = usize::from(d & 3) << 11 | usize::from(*e) << 3 | usize::from(f >> 5);
            let packet = &rest[if b & 1 == 1 { 7 } else { 9 }..size];
            let rate = RATES[usize::from(c >> 2 & 15)];
            config.get_or_insert_with(|| match (c & 1) << 2 | d >> 6 {
                0 => Config::from_packet(rate, packet).unwrap(),
                number => Config::new(rate, number.into()).unwrap(),
            });
            packets.push(packet.to_vec());
            rest = &rest[size..];
        }
        Self { config: config.unwrap(), packets }
    }

    pub fn parts(&self) -> Vec<Part<'_>> {
        let frames = 0..self.config.frames_per_packet();
        self.packets.iter().map(|bytes| Part { bytes, frames: frames.clone() }).collect()
    }
}

/// The ADTS frames of packets.
pub fn adts(rate: u32, channel_configuration: u8, packets: &[Vec<u8>]) -> Vec<u8> {
    let index = RATES.iter().position(|other| *other == rate).unwrap() as u8;
    let mut file = Vec::new();
    for packet in packets {
        let size = packet.len() + 7;
        file.extend([0xff, 0xf1, 1 << 6 | index << 2 | channel_configuration >> 2]);
        file.extend([
            channel_configuration << 6 | (size >> 11) as u8,
            (size >> 3) as u8,
            (size << 5) as u8 | 0x1f,
            0xfc,
        ]);
        file.extend(packet);
    }
    file
}

pub fn decode(decoder: &mut Decoder, parts: &[Part<'_>]) -> Result<Vec<f32>, BatchError> {
    let num_frames: usize = parts.iter().map(|part| part.frames.len()).sum();
    let mut samples = Vec::with_capacity(num_frames * decoder.config().num_channels());
    Ok(decoder.decode(parts, samples.spare_capacity_mut())?.to_vec())
}

/// The output of FFmpeg with these arguments; `None` with a notice when it is not installed.
pub fn ffmpeg(arguments: &[&str], input: &[u8]) -> Option<Vec<u8>> {
    let piped = Stdio::piped;
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-xerror"]).args(arguments).stdin(piped()).stdout(piped()).stderr(piped());
    let mut child = match command.spawn() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            println!("skipped: ffmpeg is not installed");
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
    assert!(output.status.success(), "ffmpeg: {}", String::from_utf8_lossy(&output.stderr));
    Some(output.stdout)
}

/// What FFmpeg decodes ADTS frames to, interleaved.
pub fn by_ffmpeg(file: &[u8]) -> Option<Vec<f32>> {
    let decoded = ffmpeg(&["-f", "aac", "-i", "-", "-f", "f32le", "-"], file)?;
    Some(decoded.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
}

/// Interleaved samples: tones, noise, and bursts that make short windows.
pub fn signal(rate: u32, num_channels: usize, num_frames: usize) -> Vec<u8> {
    let mut random = Random(7);
    let mut bytes = Vec::with_capacity(num_channels * num_frames * 4);
    let mut smooth = vec![0.0; num_channels];
    for frame in 0..num_frames {
        let time = frame as f64 / f64::from(rate);
        let burst = (-40.0 * (time % 0.21)).exp();
        for (channel, smooth) in smooth.iter_mut().enumerate() {
            let noise = random.below(2001) as f64 / 1000.0 - 1.0;
            *smooth = 0.7 * *smooth + 0.3 * noise;
            let tone = (time * 1382.0 * (channel + 1) as f64).sin() * 0.2 + (time * 2700.0).sin() * 0.15;
            let sample = tone * (0.7 + 0.3 * (time * 3.0).sin()) + 0.2 * *smooth + 0.4 * noise * burst;
            bytes.extend((sample.clamp(-0.99, 0.99) as f32).to_le_bytes());
        }
    }
    bytes
}

/// A signal that FFmpeg has encoded, in ADTS frames.
pub fn encoded(
    rate: u32,
    layout: &str,
    num_channels: usize,
    seconds: f64,
    options: &[&str],
) -> Option<Vec<u8>> {
    let input = signal(rate, num_channels, (f64::from(rate) * seconds) as usize);
    let (rate, count) = (rate.to_string(), num_channels.to_string());
    let mut arguments = vec!["-f", "f32le", "-ar", &rate, "-ac", &count];
    arguments.extend(["-channel_layout", layout, "-i", "-", "-c:a", "aac"]);
    arguments.extend(options);
    arguments.extend(["-f", "adts", "-"]);
    ffmpeg(&arguments, &input)
}

/// The power of the difference below that of what is expected, in decibels.
pub fn precision(found: &[f32], expected: impl IntoIterator<Item = f64>) -> f64 {
    let (mut error, mut power, mut count) = (0.0, 0.0, 0);
    for (found, expected) in found.iter().zip(expected) {
        error += (f64::from(*found) - expected).powi(2);
        power += expected.powi(2);
        count += 1;
    }
    assert!(count > 0 && power > 0.0, "something is compared");
    10.0 * (power / error.max(1e-300)).log10()
}
