//! How long 194.8 seconds of stereo take, with one thread and with two: `cargo run --release -p mapwave-soxr --example speed`.

#![allow(missing_docs)]

use std::time::Instant;

use mapwave_plugin::{Block, Output, Resampler, ResamplerOptions, Result, SampleFormat};
use mapwave_soxr::SoxrResampler;

const NUM_FRAMES: usize = 194_800 * 441 / 10;
const BLOCK: usize = 1 << 16;

fn run(planes: &[Vec<i16>], quality: &str, max_threads: u32) -> Result<Vec<f32>> {
    let mut resampler = SoxrResampler::open(&ResamplerOptions {
        input_rate: 44_100,
        output_rate: 16_000,
        num_channels: 2,
        input_format: SampleFormat::I16,
        max_threads,
        quality,
        max_alloc: 1 << 30,
    })?;
    let mut all = vec![0.0f32; 2 * (NUM_FRAMES * 160 / 441 + 1)];
    let (mut position, mut written) = (0, 0);
    while let Some(room) = all.get_mut(written..).filter(|room| room.len() > 1) {
        let num_given = Output::with_slice(room, 2, |output| {
            let end = NUM_FRAMES.min(position + BLOCK);
            let part: Vec<&[i16]> = planes.iter().filter_map(|plane| plane.get(position..end)).collect();
            position += match position < NUM_FRAMES {
                true => Block::with_planes(&part, |block| resampler.process(Some(block), output))?,
                false => resampler.process(None, output)?,
            };
            Ok::<usize, mapwave_plugin::Error>(output.num_written())
        })?;
        if position == NUM_FRAMES && num_given == 0 {
            break;
        }
        written += 2 * num_given;
    }
    all.truncate(written);
    Ok(all)
}

fn main() -> Result<()> {
    let wave = |frame: usize, step: usize| i16::try_from(frame * step % 60_000).unwrap_or(i16::MAX) / 2;
    let planes = [17, 101].map(|step| (0..NUM_FRAMES).map(|frame| wave(frame, step)).collect::<Vec<i16>>());
    for quality in ["soxr_vhq", "soxr_hq"] {
        let expected = run(&planes, quality, 1)?;
        for max_threads in [1, 2] {
            let mut times: Vec<f64> = Vec::new();
            for _ in 0..9 {
                let start = Instant::now();
                let got = run(&planes, quality, max_threads)?;
                times.push(start.elapsed().as_secs_f64() * 1e3);
                assert!(got == expected, "the same samples");
            }
            times.sort_by(f64::total_cmp);
            let (least, median) = (times.first().unwrap_or(&0.0), times.get(4).unwrap_or(&0.0));
            println!("{quality}, {max_threads} threads: {least:.1} ms at best, {median:.1} ms median");
        }
    }
    Ok(())
}
