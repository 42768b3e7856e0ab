//! How fast MP3 files are decoded, compared with nanomp3.
//!
//!     cargo run --release -p mapwave-mp3 --example mp3_decode_speed -- music.mp3
//!
//! Prints the best of several interleaved runs in nanoseconds per sample, for batches of several sizes. The results are
//! compared first.

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::mem::MaybeUninit;
use std::time::Instant;

use mapwave_mp3::{Decoder, Header, Part};

const NUM_RUNS: usize = 15;
/// The least signal-to-noise ratio that is accepted, in decibels: the other decoder approximates.
const LEAST_RATIO: f64 = 95.0;

fn main() -> Result<(), Box<dyn Error>> {
    let mut totals = [0.0; 5];
    let mut num_samples = 0;
    let ways = [("batches of 64", 64), ("batches of 2", 2), ("one by one", 1), ("without vectors", 64)];
    let mut num_files = 0;
    for path in std::env::args().skip(1) {
        let file = std::fs::read(&path)?;
        let packets = split(&file);
        let first = packets.first().and_then(|packet| Header::parse(packet)).ok_or("no packets")?;
        let most = packets.len() * first.num_frames() * first.num_channels();
        let mut room = vec![MaybeUninit::uninit(); most];
        let mut expected = vec![0.0; most];
        let mut decoded = Vec::with_capacity(most);
        let mut best = [f64::INFINITY; 5];
        for run in 0..NUM_RUNS {
            let begun = Instant::now();
            by_nanomp3(&packets, &mut expected);
            let [nanomp3, others @ ..] = &mut best;
            *nanomp3 = nanomp3.min(begun.elapsed().as_secs_f64());
            for ((name, batch), best) in ways.iter().zip(others) {
                let begun = Instant::now();
                let decoder = Decoder::new();
                let decoder =
                    if *name == "without vectors" { decoder.with_plain_instructions() } else { decoder };
                decoded.clear();
                let kept = (run == 0).then_some(&mut decoded);
                let is_checked = kept.is_some();
                by_this_crate(decoder, &packets, *batch, &mut room, kept)?;
                *best = best.min(begun.elapsed().as_secs_f64());
                if is_checked {
                    let ratio = ratio(&expected, &decoded);
                    if ratio < LEAST_RATIO || decoded.len() != expected.len() {
                        return Err(format!("{path}: {name} differs from nanomp3: {ratio:.1} dB").into());
                    }
                }
            }
        }
        num_files += 1;
        num_samples += most;
        totals.iter_mut().zip(best).for_each(|(total, best)| *total += best);
    }
    let [nanomp3, ..] = totals;
    for (name, total) in ["nanomp3"].iter().chain(ways.iter().map(|(name, _)| name)).zip(totals) {
        let per_sample = total * 1e9 / num_samples.max(1) as f64;
        println!(
            "{num_files} files: {name}: {per_sample:.2} ns a sample, {:.2} times as fast",
            nanomp3 / total
        );
    }
    Ok(())
}

/// The packets of a file, between whatever else.
fn split(file: &[u8]) -> Vec<&[u8]> {
    let (mut packets, mut at) = (Vec::new(), 0);
    while let Some(rest) = file.get(at..).filter(|rest| !rest.is_empty()) {
        let packet = Header::parse(rest).and_then(|header| rest.get(..header.num_bytes(0)));
        // Another packet follows, or the end.
        let packet = packet.filter(|packet| {
            let behind = rest.get(packet.len()..).unwrap_or_default();
            packet.len() > 4
                && (behind.len() < 4 || Header::parse(behind).is_some() || behind.starts_with(b"TAG"))
        });
        at += packet.map_or(1, <[u8]>::len);
        packets.extend(packet);
    }
    packets
}

fn by_nanomp3(packets: &[&[u8]], samples: &mut [f32]) {
    let mut decoder = nanomp3_core::Decoder::new();
    let mut rest = samples;
    for packet in packets {
        let header = Header::parse(packet);
        let num_samples = header.map_or(0, |header| header.num_frames() * header.num_channels());
        let (now, later) = rest.split_at_mut(num_samples.min(rest.len()));
        let mut pcm = [0.0; nanomp3_core::MAX_SAMPLES_PER_FRAME];
        if decoder.decode(packet, &mut pcm).1.is_err() {
            pcm.fill(0.0);
        }
        now.iter_mut().zip(pcm).for_each(|(to, from)| *to = from);
        rest = later;
    }
}

/// Decodes all packets into one room and, if asked, keeps the samples. Those that are rejected are silent.
fn by_this_crate(
    mut decoder: Decoder,
    packets: &[&[u8]],
    batch: usize,
    room: &mut [MaybeUninit<f32>],
    mut kept: Option<&mut Vec<f32>>,
) -> Result<(), Box<dyn Error>> {
    let mut start = 0;
    for batch in packets.chunks(batch) {
        let part = |bytes| Part { bytes, frames: 0..Header::parse(bytes).map_or(0, Header::num_frames) };
        let mut parts: Vec<Part<'_>> = batch.iter().map(|bytes| part(bytes)).collect();
        while !parts.is_empty() {
            let room = room.get_mut(start..).ok_or("no room")?;
            match decoder.decode(&parts, room) {
                Ok(decoded) => {
                    start += decoded.len();
                    parts.clear();
                    kept.iter_mut().for_each(|kept| kept.extend_from_slice(decoded));
                }
                Err(error) if error.index == 0 => {
                    let Some(packet) = parts.first().map(|part| part.bytes) else { break };
                    let header = Header::parse(packet).ok_or("no header")?;
                    let num_samples = header.num_frames() * header.num_channels();
                    kept.iter_mut().for_each(|kept| kept.resize(kept.len() + num_samples, 0.0));
                    start += num_samples;
                    parts.remove(0);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}

/// The ratio of signal to difference in decibels.
fn ratio(expected: &[f32], found: &[f32]) -> f64 {
    let square = |sample: f64| sample * sample;
    let signal: f64 = expected.iter().map(|sample| square((*sample).into())).sum();
    let pairs = expected.iter().zip(found);
    let noise: f64 = pairs.map(|(one, other)| square(f64::from(*one) - f64::from(*other))).sum();
    10.0 * (signal / noise.max(1e-30)).log10()
}
