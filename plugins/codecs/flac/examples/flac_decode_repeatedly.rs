//! Decodes the same generated sound as often as asked, for programs that count instructions.
//!
//!     cargo run --release -p mapwave-flac --example flac_decode_repeatedly -- best 3 16 5
//!
//! The arguments: `best` for the processor's instructions or `plain`; how often; bits per sample; the encoder's level. Prints
//! how many samples are decoded each time (`tools/platforms/instructions.sh` divides by that) and a sum of them.

#![allow(clippy::print_stdout, clippy::cast_possible_truncation)]

use std::error::Error;
use std::mem::MaybeUninit;

use mapwave_flac::{Decoder, EncoderSettings, FrameHeader, Frames, Part, encode};

const NUM_CHANNELS: usize = 2;
/// 16 blocks of the encoder.
const NUM_FRAMES: usize = 1 << 16;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [way, times, bits, level] = arguments.as_slice() else {
        return Err("expected best or plain, how often, bits per sample, level".into());
    };
    let (times, bits): (usize, u32) = (times.parse()?, bits.parse()?);
    let settings = EncoderSettings { level: level.parse()?, ..EncoderSettings::new(44_100, 2, bits) };
    let samples: Vec<i32> = music().map(|sample| sample >> (32 - bits) << (32 - bits)).collect();
    let file = encode(&settings, Frames::Interleaved(&samples))?;
    let is_next = |place: &usize| file.get(*place..).and_then(FrameHeader::parse).is_some();
    let mut starts: Vec<(usize, u64)> = Vec::new();
    for place in (0..file.len()).filter(is_next) {
        let number = file.get(place..).and_then(FrameHeader::parse).map_or(0, |header| header.number);
        if number == starts.len() as u64 {
            starts.push((place, number));
        }
    }
    let ends = starts.iter().skip(1).map(|(start, _)| *start).chain([file.len()]);
    let parts: Vec<Part<'_>> = starts
        .iter()
        .zip(ends)
        .filter_map(|((start, _), end)| {
            let bytes = file.get(*start..end)?;
            Some(Part { bytes, frames: 0..FrameHeader::parse(bytes)?.block_size as usize })
        })
        .collect();

    let mut decoder = Decoder::new(2, bits)?;
    if way == "plain" {
        decoder = decoder.with_plain_instructions();
    }
    let mut room = vec![MaybeUninit::<f32>::uninit(); samples.len()];
    let mut sum = 0.0;
    for _ in 0..times {
        sum += decoder
            .decode(&parts, &mut room)?
            .iter()
            .step_by(97)
            .map(|sample| f64::from(*sample))
            .sum::<f64>();
    }
    println!("{} samples, {} bytes, sum {sum}", samples.len(), file.len());
    Ok(())
}

/// A chord under a slow envelope with noise, a little different in each channel.
fn music() -> impl Iterator<Item = i32> {
    let mut noise = 5_u64;
    (0..NUM_FRAMES * NUM_CHANNELS).map(move |place| {
        noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let hiss = ((noise >> 33) as f64 / f64::from(1_u32 << 30) - 1.0) * 0.004;
        let time = (place / NUM_CHANNELS) as f64 + 2.0 * (place % NUM_CHANNELS) as f64;
        let chord = (time * 0.031).sin() + (time * 0.041).sin() + 0.5 * (time * 0.19).cos();
        ((chord / 3.0 * (time * 1e-4).cos() + hiss) * 0.8 * f64::from(i32::MAX)) as i32
    })
}
