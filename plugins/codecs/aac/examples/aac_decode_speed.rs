//! How fast AAC files in ADTS frames are decoded, compared with symphonia.
//!
//!     cargo run --release -p mapwave-aac --example aac_decode_speed -- music.aac
//!
//! Prints the least time of the thread of several interleaved runs in nanoseconds per sample, for batches of several sizes. The results are
//! compared first: the distance between both decoders is printed in decibels, which means little where packets have noise.

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::mem::MaybeUninit;

use mapwave_aac::{Config, Decoder, Part};
use symphonia_codec_aac::AacDecoder;
use symphonia_core::audio::{Audio, Channels, GenericAudioBufferRef, layouts};
use symphonia_core::codecs::audio::well_known::CODEC_ID_AAC;
use symphonia_core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia_core::packet::PacketRef;
use symphonia_core::units::{Duration, Timestamp};

const NUM_RUNS: usize = 7;
/// The times that a run decodes the file, because the system counts in steps of some milliseconds.
const NUM_REPEATS: usize = 25;

fn main() -> Result<(), Box<dyn Error>> {
    for path in std::env::args().skip(1) {
        let file = std::fs::read(&path)?;
        let (config, packets) = split(&file).ok_or("no ADTS file of AAC-LC")?;
        let num_samples = packets.len() * config.frames_per_packet() * config.num_channels();
        let mut expected = Vec::with_capacity(num_samples);
        let has_rival = by_symphonia(&config, &packets, &mut expected, true).is_some();
        let mut samples = Vec::with_capacity(num_samples);
        let ways = [("batches of 32", 32), ("batches of 2", 2), ("one by one", 1), ("without vectors", 32)];
        for (name, batch) in ways {
            samples.clear();
            by_this_crate(decoder(&config, name), &packets, batch, &mut samples, true)?;
            println!("{path}: {name}: {:.1} dB from symphonia", distance(&samples, &expected));
        }
        let mut best = [f64::INFINITY; 5];
        for _ in 0..NUM_RUNS {
            let [symphonia, others @ ..] = &mut best;
            if has_rival {
                let begun = thread_seconds();
                for _ in 0..NUM_REPEATS {
                    by_symphonia(&config, &packets, &mut samples, false).ok_or("symphonia fails")?;
                }
                *symphonia = symphonia.min(thread_seconds() - begun);
            }
            for ((name, batch), best) in ways.iter().zip(others) {
                let begun = thread_seconds();
                for _ in 0..NUM_REPEATS {
                    by_this_crate(decoder(&config, name), &packets, *batch, &mut samples, false)?;
                }
                *best = best.min(thread_seconds() - begun);
            }
        }
        for (name, best) in ["symphonia"].iter().chain(ways.iter().map(|(name, _)| name)).zip(best) {
            println!("{path}: {name}: {:.2} ns a sample", best * 1e9 / (num_samples * NUM_REPEATS) as f64);
        }
    }
    Ok(())
}

fn decoder(config: &Config, name: &str) -> Decoder {
    let decoder = Decoder::new(config);
    if name == "without vectors" { decoder.with_plain_instructions() } else { decoder }
}

/// The time that this thread has run.
fn thread_seconds() -> f64 {
    // Linux counts it in nanoseconds; elsewhere, time that has passed does.
    let schedule = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = schedule.split(' ').next().and_then(|number| number.parse::<f64>().ok());
    nanoseconds.map_or_else(
        || {
            std::time::SystemTime::now()
                .duration_since(std::time::UNIX_EPOCH)
                .map_or(0.0, |time| time.as_secs_f64())
        },
        |nanoseconds| nanoseconds * 1e-9,
    )
}

/// The setup and the packets of a file.
fn split(file: &[u8]) -> Option<(Config, Vec<&[u8]>)> {
    const RATES: [u32; 13] = [
        96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350,
    ];
    let (mut packets, mut rest, mut config) = (Vec::new(), file, None);
    while let Some([0xff, b, c, d, e, f, _]) = rest.first_chunk::<7>() {
        let size = usize::from(d & 3) << 11 | usize::from(*e) << 3 | usize::from(f >> 5);
        let packet = rest.get(if b & 1 == 1 { 7 } else { 9 }..size)?;
        if config.is_none() {
            let rate = *RATES.get(usize::from(c >> 2 & 15))?;
            config = Some(match (c & 1) << 2 | d >> 6 {
                0 => Config::from_packet(rate, packet).ok()?,
                number => Config::new(rate, number.into()).ok()?,
            });
        }
        packets.push(packet);
        rest = rest.get(size..)?;
    }
    Some((config?, packets))
}

/// Decodes all packets; keeps the samples, or else those of the last batch.
fn by_this_crate(
    mut decoder: Decoder,
    packets: &[&[u8]],
    batch: usize,
    samples: &mut Vec<f32>,
    is_kept: bool,
) -> Result<(), Box<dyn Error>> {
    let frames = decoder.config().frames_per_packet();
    let mut room = vec![MaybeUninit::uninit(); frames * decoder.config().num_channels() * batch];
    let mut parts = Vec::with_capacity(batch);
    for packets in packets.chunks(batch) {
        parts.clear();
        parts.extend(packets.iter().map(|bytes| Part { bytes, frames: 0..frames }));
        let decoded = decoder.decode(&parts, &mut room)?;
        if is_kept {
            samples.extend_from_slice(decoded);
        }
    }
    Ok(())
}

fn by_symphonia(config: &Config, packets: &[&[u8]], samples: &mut Vec<f32>, is_kept: bool) -> Option<()> {
    let channels: Channels = match config.num_channels() {
        1 => layouts::CHANNEL_LAYOUT_MONO,
        2 => layouts::CHANNEL_LAYOUT_STEREO,
        _ => return None,
    };
    let mut parameters = AudioCodecParameters::new();
    parameters.for_codec(CODEC_ID_AAC).with_sample_rate(config.sample_rate()).with_channels(channels);
    let mut decoder = AacDecoder::try_new(&parameters, &AudioDecoderOptions::default()).ok()?;
    for packet in packets {
        let input = PacketRef::new(0, Timestamp::ZERO, Duration::ZERO, packet);
        let GenericAudioBufferRef::F32(planes) = decoder.decode_ref(&input).ok()? else { return None };
        if !is_kept {
            samples.clear();
        }
        match (planes.plane(0), planes.plane(1)) {
            (Some(left), Some(right)) if config.num_channels() == 2 => {
                samples.extend(left.iter().zip(right).flat_map(|(left, right)| [*left, *right]));
            }
            (Some(mono), _) => samples.extend_from_slice(mono),
            _ => return None,
        }
    }
    Some(())
}

/// The power of the difference below that of the signal, in decibels.
fn distance(found: &[f32], expected: &[f32]) -> f64 {
    let (mut error, mut power) = (0.0, 0.0);
    for (found, expected) in found.iter().zip(expected) {
        error += (f64::from(*found) - f64::from(*expected)).powi(2);
        power += f64::from(*expected).powi(2);
    }
    10.0 * (power / error).log10()
}
