//! Prints the peak of every second of a file at 16 kHz in mono, in bounded memory: `cargo run --example stream -- long.wav`.

use std::env::args;
use std::error::Error;

use mapwave::{Access, ChannelSelection, FrameSpec, MonoMode, OpenOptions, ResampleQuality};

fn main() -> Result<(), Box<dyn Error>> {
    let path = args().nth(1).ok_or("usage: stream FILE")?;
    let reader = OpenOptions::new().access(Access::Streamed).open(path)?;
    let reader = reader.resampled(16_000, ResampleQuality::Default)?;
    let spec = FrameSpec { channels: ChannelSelection::Mono(MonoMode::Mean), ..FrameSpec::default() };
    for (second, block) in reader.blocks(16_000, &spec).enumerate() {
        let block = block?;
        let samples = block.samples::<f32>().unwrap_or_default();
        let peak = samples.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
        println!("{second:>5} s  {peak:.3}");
    }
    Ok(())
}
