//! Decodes the same generated sound as often as asked, for programs that count instructions.
//!
//!     cargo run --release -p mapwave-alac --example alac_decode_repeatedly -- best 3 16
//!
//! The arguments: `best` for the processor's instructions or `plain`; how often; bits per sample. Prints how many samples are
//! decoded each time (`tools/platforms/instructions.sh` divides by that) and a sum of them.

#![allow(clippy::print_stdout, clippy::cast_possible_truncation)]

use std::error::Error;
use std::mem::MaybeUninit;

use mapwave_alac::{Config, Decoder, Encoder, Part};

const NUM_PACKETS: usize = 16;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [way, times, bits] = arguments.as_slice() else {
        return Err("expected best or plain, how often, bits per sample".into());
    };
    let (times, bits): (usize, u32) = (times.parse()?, bits.parse()?);
    let config = Config::new(44_100, 2, bits)?;
    let size = config.frames_per_packet as usize;
    let mut encoder = Encoder::new(&config)?;
    let (left, right) = (channel(0, size * NUM_PACKETS), channel(1, size * NUM_PACKETS));
    let mut packets = Vec::new();
    for (left, right) in left.chunks(size).zip(right.chunks(size)) {
        let mut packet = Vec::new();
        encoder.encode(&[left, right], &mut packet)?;
        packets.push(packet);
    }
    let parts: Vec<Part<'_>> = packets.iter().map(|bytes| Part { bytes, frames: 0..size }).collect();

    let mut decoder = Decoder::new(&config)?;
    if way == "plain" {
        decoder = decoder.with_plain_instructions();
    }
    let mut room = vec![MaybeUninit::<f32>::uninit(); 2 * left.len()];
    let mut sum = 0.0;
    for _ in 0..times {
        let samples = decoder.decode(&parts, &mut room)?;
        sum += samples.iter().step_by(97).map(|sample| f64::from(*sample)).sum::<f64>();
    }
    println!("{} samples, {} bytes, sum {sum}", room.len(), packets.iter().map(Vec::len).sum::<usize>());
    Ok(())
}

/// A chord under a slow envelope with noise, a little different in each channel.
fn channel(number: u32, num_frames: usize) -> Vec<i32> {
    let mut noise = 5_u64 + u64::from(number);
    let sample = |frame: usize| {
        noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let hiss = ((noise >> 33) as f64 / f64::from(1_u32 << 30) - 1.0) * 0.004;
        let time = frame as f64 + 2.0 * f64::from(number);
        let chord = (time * 0.031).sin() + (time * 0.041).sin() + 0.5 * (time * 0.19).cos();
        ((chord / 3.0 * (time * 1e-4).cos() + hiss) * 0.8 * f64::from(i32::MAX)) as i32
    };
    (0..num_frames).map(sample).collect()
}
