//! Converts a file of any length to another format with its tags: `cargo run --example convert -- song.mp3 song.flac`.

use std::env::args;
use std::error::Error;

use mapwave::{Access, FrameSpec, OpenOptions, OutputFormat, ReadControl, SaveOptions, Writer};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = args().skip(1).collect();
    let [source, target] = arguments.as_slice() else {
        return Err("usage: convert FILE TARGET".into());
    };
    let reader = OpenOptions::new().access(Access::Streamed).open(source)?;
    let mut options = SaveOptions::for_path(target, reader.sample_rate(), reader.track().num_channels)?;
    options.tags = reader.tags();
    let mut writer = Writer::create(target, options, OutputFormat::F32)?;
    for block in reader.blocks(1 << 16, &FrameSpec::default()) {
        writer.write(&block?.audio()?, &ReadControl::ONE_THREAD)?;
    }
    println!("{} frames", writer.finish()?.num_frames);
    Ok(())
}
