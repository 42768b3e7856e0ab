//! Reads a file and says how loud it is: `cargo run --example read -- talk.mp3`.

use std::env::args;
use std::process::ExitCode;

use mapwave::{FrameSpec, Result};

fn main() -> ExitCode {
    let Some(path) = args().nth(1) else {
        eprintln!("usage: read FILE");
        return ExitCode::from(2);
    };
    match report(&path) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn report(path: &str) -> Result<()> {
    let reader = mapwave::open(path)?;
    let frames = reader.read(0..reader.num_frames(), &FrameSpec::default())?;
    let samples = frames.samples::<f32>().unwrap_or_default();
    let energy: f64 = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    let rms = (energy / samples.len().max(1) as f64).sqrt();
    let peak = samples.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
    println!("{} frames at {} Hz, {:?}", reader.num_frames(), reader.sample_rate(), frames.shape());
    println!("rms {:.1} dB, peak {:.1} dB", 20.0 * rms.log10(), 20.0 * peak.log10());
    Ok(())
}
