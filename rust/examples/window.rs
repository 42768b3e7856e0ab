//! Copies two seconds of a file into a FLAC file: `cargo run --example window -- talk.mp3 1.5 window.flac`.

use std::env::args;
use std::error::Error;

use mapwave::FrameSpec;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = args().skip(1).collect();
    let [source, offset, target] = arguments.as_slice() else {
        return Err("usage: window FILE SECONDS TARGET".into());
    };
    let reader = mapwave::open(source)?;
    let window = reader.window(offset.parse()?, Some(2.0))?;
    let frames = reader.read(window, &FrameSpec::default())?;
    let saved = mapwave::save(target, &frames, reader.sample_rate())?;
    println!("{} frames, {} bytes", saved.num_frames, saved.num_bytes);
    Ok(())
}
