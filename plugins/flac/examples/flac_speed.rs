//! How fast WAV files of 16 bits are encoded, and how small they become.
//!
//!     cargo run --release -p mapwave-flac --example flac_speed -- music.wav
//!
//! Prints for 1 and 2 threads, and several efforts, the best of five runs.

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::time::Instant;

use mapwave_flac::FlacEncoder;
use mapwave_plugin::{Block, Encoder, EncoderOptions, Sink};

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
        for (max_threads, effort) in
            [(1, None), (2, None), (1, Some(1)), (1, Some(50)), (1, Some(70)), (1, Some(100))]
        {
            let mut best = f64::INFINITY;
            let mut num_bytes = 0;
            for _ in 0..5 {
                let mut options = EncoderOptions::new(44_100, num_channels.into());
                options.max_threads = max_threads;
                options.effort = effort;
                options.num_frames = Some((samples.len() / usize::from(num_channels)) as u64);
                let (sink, bytes) = Sink::in_memory();
                let begun = Instant::now();
                let mut encoder = FlacEncoder::open(&options, sink)?;
                Block::with_slice(&samples, num_channels.into(), |block| encoder.push(block))?;
                encoder.finish()?;
                best = best.min(begun.elapsed().as_secs_f64());
                num_bytes = bytes.lock().map_err(|_| "a panic")?.len();
            }
            println!(
                "{path}: {max_threads} threads, effort {effort:?}: {:.1} ms, {:.0} MB/s, ratio {:.4}",
                best * 1e3,
                data.len() as f64 / best / 1e6,
                num_bytes as f64 / data.len() as f64
            );
        }
    }
    Ok(())
}
