//! How fast FLAC files are decoded, compared with symphonia.
//!
//!     cargo run --release -p mapwave-flac --example flac_decode_speed -- music.flac
//!
//! Prints the best of several interleaved runs in nanoseconds per sample, for batches of several sizes. All decoders give
//! floats, and all check the checksums. The results are compared first.

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::mem::MaybeUninit;
use std::time::Instant;

use mapwave_flac::crc::crc16;
use mapwave_flac::{Decoder, FrameHeader, Part};
use symphonia_bundle_flac::FlacDecoder;
use symphonia_core::audio::{Audio, GenericAudioBufferRef};
use symphonia_core::codecs::audio::well_known::CODEC_ID_FLAC;
use symphonia_core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia_core::packet::PacketRef;
use symphonia_core::units::{Duration, Timestamp};

const NUM_RUNS: usize = 15;

fn main() -> Result<(), Box<dyn Error>> {
    for path in std::env::args().skip(1) {
        let file = std::fs::read(&path)?;
        let (stream_info, frames) = split(&file).ok_or("no FLAC file with fixed block sizes")?;
        let header = frames.first().and_then(|frame| FrameHeader::parse(frame)).ok_or("no frames")?;
        let (num_channels, bits) =
            (header.num_channels, header.bits_per_sample.ok_or("no depth in the header")?);
        let mut expected = Vec::new();
        by_symphonia(stream_info, &frames, &mut expected).ok_or("symphonia fails")?;
        let mut room = vec![MaybeUninit::uninit(); expected.len()];
        let ways = [("batches of 64", 64), ("batches of 2", 2), ("one by one", 1), ("without vectors", 64)];
        let mut best = [f64::INFINITY; 5];
        let mut samples = Vec::with_capacity(expected.len());
        for run in 0..NUM_RUNS {
            let begun = Instant::now();
            samples.clear();
            by_symphonia(stream_info, &frames, &mut samples).ok_or("symphonia fails")?;
            let [symphonia, others @ ..] = &mut best;
            *symphonia = symphonia.min(begun.elapsed().as_secs_f64());
            for ((name, batch), best) in ways.iter().zip(others) {
                let decoder = Decoder::new(num_channels, bits)?;
                let decoder =
                    if *name == "without vectors" { decoder.with_plain_instructions() } else { decoder };
                samples.clear();
                let kept = (run == 0).then_some(&mut samples);
                let is_checked = kept.is_some();
                let begun = Instant::now();
                by_this_crate(decoder, &frames, *batch, &mut room, kept).ok_or("it fails")?;
                *best = best.min(begun.elapsed().as_secs_f64());
                if is_checked && samples != expected {
                    return Err(format!("{path}: {name} differs from symphonia").into());
                }
            }
        }
        for (name, best) in ["symphonia"].iter().chain(ways.iter().map(|(name, _)| name)).zip(best) {
            println!("{path}: {name}: {:.2} ns a sample", best * 1e9 / expected.len() as f64);
        }
    }
    Ok(())
}

/// STREAMINFO and the FLAC frames of a file.
fn split(file: &[u8]) -> Option<(&[u8], Vec<&[u8]>)> {
    let mut start = 4;
    loop {
        let [kind, a, b, c] = *file.get(start..)?.first_chunk()?;
        start += 4 + u32::from_be_bytes([0, a, b, c]) as usize;
        if kind & 0x80 != 0 {
            break;
        }
    }
    let mut frames = Vec::new();
    for place in start + 1..=file.len() {
        let is_next = file.get(place).is_none_or(|byte| *byte == 0xFF)
            && FrameHeader::parse(file.get(place..)?)
                .map_or(place == file.len(), |header| header.number == frames.len() as u64 + 1);
        if is_next && crc16(0, file.get(start..place)?) == 0 {
            frames.push(file.get(start..place)?);
            start = place;
        }
    }
    Some((file.get(8..42)?, frames))
}

/// Decodes all frames into one room and, if asked, keeps the samples.
fn by_this_crate(
    mut decoder: Decoder,
    frames: &[&[u8]],
    batch: usize,
    room: &mut [MaybeUninit<f32>],
    mut kept: Option<&mut Vec<f32>>,
) -> Option<()> {
    let mut start = 0;
    for batch in frames.chunks(batch) {
        let part = |bytes| Some(Part { bytes, frames: 0..FrameHeader::parse(bytes)?.block_size as usize });
        let parts: Option<Vec<Part<'_>>> = batch.iter().map(|bytes| part(bytes)).collect();
        let decoded = decoder.decode(&parts?, room.get_mut(start..)?).ok()?;
        start += decoded.len();
        if let Some(kept) = &mut kept {
            kept.extend_from_slice(decoded);
        }
    }
    Some(())
}

fn by_symphonia(stream_info: &[u8], frames: &[&[u8]], samples: &mut Vec<f32>) -> Option<()> {
    let mut parameters = AudioCodecParameters::new();
    parameters.for_codec(CODEC_ID_FLAC).with_extra_data(stream_info.to_vec().into_boxed_slice());
    let mut decoder = FlacDecoder::try_new(&parameters, &AudioDecoderOptions::default()).ok()?;
    for frame in frames.iter().filter(|frame| crc16(0, frame) == 0) {
        let decoded = decoder.decode_ref(&PacketRef::new(0, Timestamp::ZERO, Duration::ZERO, frame)).ok()?;
        let GenericAudioBufferRef::S32(planes) = decoded else { return None };
        let scale = 1.0 / (1_u32 << 31) as f32;
        match (planes.plane(0), planes.plane(1)) {
            (Some(mono), None) => samples.extend(mono.iter().map(|sample| *sample as f32 * scale)),
            (Some(left), Some(right)) if planes.num_planes() == 2 => {
                let pairs = left.iter().zip(right);
                samples.extend(pairs.flat_map(|(left, right)| [*left as f32 * scale, *right as f32 * scale]));
            }
            _ => {
                for frame in 0..planes.frames() {
                    let of_frame = planes.iter_planes().filter_map(|plane| plane.get(frame));
                    samples.extend(of_frame.map(|sample| *sample as f32 * scale));
                }
            }
        }
    }
    Some(())
}
