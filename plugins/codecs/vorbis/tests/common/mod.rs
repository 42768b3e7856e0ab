//! What the tests share: Ogg files, other decoders, and a decoder in double precision.

#![allow(dead_code, clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]

pub mod ogg;
pub mod reference;
pub mod synthetic;

use std::io::{ErrorKind, Write};
use std::process::{Command, Stdio};

use mapwave_vorbis::Decoder;

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

    pub fn choose<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

/// What FFmpeg writes; `None` if it is not there.
pub fn ffmpeg(arguments: &[&str], input: &[u8]) -> Option<Vec<u8>> {
    let mut command = Command::new("ffmpeg");
    command.args(["-hide_banner", "-v", "error", "-nostdin"]).args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            println!("skipped: there is no ffmpeg");
            return None;
        }
        Err(error) => panic!("{error}"),
    };
    let mut stdin = child.stdin.take().unwrap();
    let bytes = input.to_vec();
    let writer = std::thread::spawn(move || {
        let _ = stdin.write_all(&bytes);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success(), "ffmpeg {arguments:?}");
    Some(output.stdout)
}

/// The samples of all packets, interleaved, decoded `batch` at a time.
pub fn decode(decoder: &mut Decoder, packets: &[Vec<u8>], batch: usize) -> Vec<f32> {
    let num_channels = decoder.setup().num_channels();
    let mut samples = Vec::new();
    for packets in packets.chunks(batch) {
        let mut rest: Vec<&[u8]> = packets.iter().map(Vec::as_slice).collect();
        while !rest.is_empty() {
            let num_read = decoder.read(&rest).unwrap();
            for index in 0..num_read {
                let num_frames = decoder.kept_frames(index);
                let mut room = Vec::with_capacity(num_frames * num_channels);
                let written = decoder.write(index, 0..num_frames, room.spare_capacity_mut()).unwrap();
                samples.extend_from_slice(written);
            }
            rest.drain(..num_read);
        }
    }
    samples
}

/// The ratio of a signal to the difference of both, in decibels.
pub fn ratio<T: Copy + Into<f64>, U: Copy + Into<f64>>(exact: &[T], found: &[U]) -> f64 {
    assert_eq!(exact.len(), found.len());
    let (mut signal, mut noise) = (0.0, 0.0);
    for (exact, found) in exact.iter().zip(found) {
        let (exact, found): (f64, f64) = ((*exact).into(), (*found).into());
        signal += exact * exact;
        noise += (exact - found).powi(2);
    }
    if noise == 0.0 { f64::INFINITY } else { 10.0 * (signal / noise).log10() }
}

/// Interleaved samples of a chord under an envelope with clicks, which make short blocks, a little different in every channel.
pub fn music(num_channels: usize, num_frames: usize, sample_rate: u32) -> Vec<f32> {
    let mut random = Random(5);
    let mut samples = Vec::with_capacity(num_channels * num_frames);
    for frame in 0..num_frames {
        for channel in 0..num_channels {
            let time = (frame as f64 + 2.0 * channel as f64) / f64::from(sample_rate) * std::f64::consts::TAU;
            let chord = (time * 220.0).sin() + (time * 277.0).sin() + 0.5 * (time * 1330.0).cos();
            let noise = random.bits().cast_signed() as f64 / 2.0_f64.powi(63);
            let click = if frame % 9000 < 60 { 0.5 } else { 0.004 };
            samples.push((0.2 * chord * (time * 0.7).cos() + click * noise) as f32);
        }
    }
    samples
}
