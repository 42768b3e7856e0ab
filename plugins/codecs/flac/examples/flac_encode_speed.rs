//! How fast WAV files of 16 bits are encoded, and how small they become.
//!
//!     cargo run --release -p mapwave-flac --example flac_encode_speed -- music.wav
//!
//! Prints for 1 and 2 threads, and several levels, the best of five runs.

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::time::Instant;

use mapwave_flac::{EncoderSettings, Frames};

fn main() -> Result<(), Box<dyn Error>> {
    for path in std::env::args().skip(1) {
        let file = std::fs::read(&path)?;
        // The files of this benchmark have the smallest header there is.
        let (header, data) = file.split_at_checked(44).ok_or("no WAV file")?;
        if header.get(36..40) != Some(b"data") || header.get(34) != Some(&16) {
            return Err(format!("{path}: expected 16 bits and 44 bytes of header").into());
        }
        let num_channels = header.get(22).copied().unwrap_or(1);
        let (samples, _) = data.as_chunks::<2>();
        let samples: Vec<i16> = samples.iter().map(|bytes| i16::from_le_bytes(*bytes)).collect();
        for (num_threads, level) in [(1, 5), (2, 5), (1, 0), (1, 4), (1, 6), (1, 8)] {
            let mut best = f64::INFINITY;
            let mut num_bytes = 0;
            for _ in 0..5 {
                let settings = EncoderSettings {
                    level,
                    num_threads,
                    num_frames: Some((samples.len() / usize::from(num_channels)) as u64),
                    ..EncoderSettings::new(44_100, num_channels.into(), 16)
                };
                let begun = Instant::now();
                num_bytes = mapwave_flac::encode(&settings, Frames::Interleaved(&samples))?.len();
                best = best.min(begun.elapsed().as_secs_f64());
            }
            println!(
                "{path}: {num_threads} threads, level {level}: {:.1} ms, {:.0} MB/s, ratio {:.4}",
                best * 1e3,
                data.len() as f64 / best / 1e6,
                num_bytes as f64 / data.len() as f64
            );
        }
    }
    Ok(())
}
