//! How fast Ogg Vorbis files are decoded, compared with symphonia.
//!
//!     cargo run --release -p mapwave-vorbis --example vorbis_decode_speed -- music.ogg
//!
//! Prints the best of several interleaved runs in nanoseconds per sample. All write interleaved floats. The results are compared
//! first; symphonia's are wrong where channels are not coupled and a codeword has classes to spare, which is said.

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::mem::MaybeUninit;
use std::time::Instant;

use mapwave_vorbis::{Decoder, Part, Setup};
use symphonia_codec_vorbis::VorbisDecoder;
use symphonia_core::audio::{Audio, GenericAudioBufferRef};
use symphonia_core::codecs::audio::well_known::CODEC_ID_VORBIS;
use symphonia_core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia_core::packet::PacketRef;
use symphonia_core::units::{Duration, Timestamp};

const NUM_RUNS: usize = 15;

fn main() -> Result<(), Box<dyn Error>> {
    for path in std::env::args().skip(1) {
        let file = std::fs::read(&path)?;
        let packets = packets(&file).ok_or("no Ogg file of one stream")?;
        let [identification, _, setup_header, packets @ ..] = packets.as_slice() else {
            return Err("no Vorbis headers".into());
        };
        let setup = Setup::parse(identification, setup_header, 1 << 26)?;
        let parts = parts(&setup, packets).ok_or("a packet is not one of audio")?;
        let num_samples = parts.iter().map(|part| part.frames.len()).sum::<usize>() * setup.num_channels();
        let headers = [identification.get(..30).unwrap_or_default(), setup_header].concat();
        let mut room = vec![MaybeUninit::uninit(); num_samples];
        let ways = [("batches of 64", 64), ("one by one", 1), ("without vectors", 64)];
        let mut best = [f64::INFINITY; 4];
        let mut theirs = Vec::with_capacity(num_samples);
        for run in 0..NUM_RUNS {
            let begun = Instant::now();
            theirs.clear();
            by_symphonia(&headers, packets, &mut theirs).ok_or("symphonia fails")?;
            let [symphonia, others @ ..] = &mut best;
            *symphonia = symphonia.min(begun.elapsed().as_secs_f64());
            for ((name, batch), best) in ways.iter().zip(others) {
                let decoder = Decoder::new(&setup)?;
                let decoder =
                    if *name == "without vectors" { decoder.with_plain_instructions() } else { decoder };
                let mut kept = (run == 0).then(Vec::new);
                let begun = Instant::now();
                by_this_crate(decoder, &parts, *batch, &mut room, &mut kept)?;
                *best = best.min(begun.elapsed().as_secs_f64());
                if let Some(ours) = kept {
                    println!("{path}: {name}: {:.1} dB from symphonia", ratio(&theirs, &ours));
                }
            }
        }
        for (name, best) in ["symphonia"].iter().chain(ways.iter().map(|(name, _)| name)).zip(best) {
            println!("{path}: {name}: {:.2} ns a sample", best * 1e9 / num_samples as f64);
        }
    }
    Ok(())
}

/// The packets of an Ogg file (RFC 3533) that has a single stream.
fn packets(file: &[u8]) -> Option<Vec<Vec<u8>>> {
    let (mut packets, mut packet, mut rest) = (Vec::new(), Vec::new(), file);
    while let Some(header) = rest.strip_prefix(b"OggS") {
        let num_segments = usize::from(*header.get(22)?);
        let lacing = header.get(23..23 + num_segments)?;
        rest = header.get(23 + num_segments..)?;
        for size in lacing {
            let (piece, after) = rest.split_at_checked(usize::from(*size))?;
            packet.extend_from_slice(piece);
            rest = after;
            if *size < 255 {
                packets.push(std::mem::take(&mut packet));
            }
        }
    }
    Some(packets)
}

/// All frames of each packet.
fn parts<'a>(setup: &Setup, packets: &'a [Vec<u8>]) -> Option<Vec<Part<'a>>> {
    let mut last = None;
    let part = |packet: &'a Vec<u8>| {
        let size = setup.block_size(packet)? as usize;
        let num_frames = last.replace(size).map_or(0, |last| (last + size) / 4);
        Some(Part { bytes: packet, frames: 0..num_frames })
    };
    packets.iter().map(part).collect()
}

/// Decodes all packets into one room and, if asked, keeps the samples.
fn by_this_crate(
    mut decoder: Decoder,
    parts: &[Part<'_>],
    batch: usize,
    room: &mut [MaybeUninit<f32>],
    kept: &mut Option<Vec<f32>>,
) -> Result<(), Box<dyn Error>> {
    let mut start = 0;
    for batch in parts.chunks(batch) {
        let decoded = decoder.decode(batch, room.get_mut(start..).unwrap_or_default())?;
        start += decoded.len();
        if let Some(kept) = kept {
            kept.extend_from_slice(decoded);
        }
    }
    Ok(())
}

fn by_symphonia(headers: &[u8], packets: &[Vec<u8>], samples: &mut Vec<f32>) -> Option<()> {
    let mut parameters = AudioCodecParameters::new();
    parameters.for_codec(CODEC_ID_VORBIS).with_extra_data(headers.into());
    let mut decoder = VorbisDecoder::try_new(&parameters, &AudioDecoderOptions::default()).ok()?;
    for packet in packets {
        let packet = PacketRef::new(0, Timestamp::ZERO, Duration::ZERO, packet);
        let GenericAudioBufferRef::F32(planes) = decoder.decode_ref(&packet).ok()? else { return None };
        match (planes.plane(0), planes.plane(1)) {
            (Some(mono), None) => samples.extend_from_slice(mono),
            (Some(left), Some(right)) if planes.num_planes() == 2 => {
                samples.extend(left.iter().zip(right).flat_map(|(left, right)| [*left, *right]));
            }
            _ => {
                for frame in 0..planes.frames() {
                    samples.extend(planes.iter_planes().filter_map(|plane| plane.get(frame)));
                }
            }
        }
    }
    Some(())
}

/// The ratio of a signal to the difference of both, in decibels.
fn ratio(exact: &[f32], found: &[f32]) -> f64 {
    let (mut signal, mut noise) = (0.0, 0.0);
    for (exact, found) in exact.iter().zip(found) {
        signal += f64::from(*exact).powi(2);
        noise += (f64::from(*exact) - f64::from(*found)).powi(2);
    }
    10.0 * (signal / noise).log10()
}
