//! Decodes damaged packets: none panics, and all instructions and batches agree on what they are.
//!
//! `MAPWAVE_AAC_DAMAGED_PACKETS` says how many, 4,000 by default.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]

mod common;

use common::{Random, Stream, encoded};
use mapwave_aac::{Config, Decoder, Noise};

/// What a packet decodes to, or why not.
type Outcome = Result<Vec<u32>, String>;

fn outcomes(decoder: &mut Decoder, packets: &[&[u8]]) -> Vec<Outcome> {
    let num_channels = decoder.config().num_channels();
    let mut room = vec![std::mem::MaybeUninit::uninit(); decoder.config().frames_per_packet() * num_channels];
    let (mut outcomes, mut rest) = (Vec::new(), packets);
    while !rest.is_empty() {
        let read = decoder.read(rest);
        for index in 0..decoder.num_kept() {
            let samples = decoder.write(index, 0..decoder.kept_frames(index), &mut room).unwrap();
            outcomes.push(Ok(samples.iter().map(|sample| sample.to_bits()).collect()));
        }
        let num_done = match read {
            Ok(num_read) => num_read,
            Err(error) => {
                assert_eq!(error.index, decoder.num_kept());
                outcomes.push(Err(error.reason.to_string()));
                error.index + 1
            }
        };
        rest = &rest[num_done..];
    }
    outcomes
}

#[test]
fn damaged_packets_are_errors_or_other_samples() {
    let wanted = std::env::var("MAPWAVE_AAC_DAMAGED_PACKETS").map_or(4000, |count| count.parse().unwrap());
    let mut streams = Vec::new();
    for (layout, num_channels, options) in [
        ("stereo", 2, &["-b:a", "96k"][..]),
        ("stereo", 2, &["-b:a", "32k", "-aac_is", "1"]),
        ("mono", 1, &["-b:a", "128k", "-aac_tns", "1"]),
        ("5.1", 6, &["-b:a", "320k"]),
        ("6.1", 7, &["-b:a", "320k"]),
    ] {
        let Some(file) = encoded(44_100, layout, num_channels, 1.0, options) else { return };
        streams.push(Stream::parse(&file));
    }
    let mut short = Stream::parse(&encoded(32_000, "stereo", 2, 1.0, &["-b:a", "64k"]).unwrap());
    short.config = short.config.with_short_packets();
    streams.push(short);
    for name in ["mono_24000", "stereo_44100", "stereo_48000", "parametric_44100"] {
        let path = format!("{}/tests/he_aac/{name}.aac", env!("CARGO_MANIFEST_DIR"));
        let mut wide = Stream::parse(&std::fs::read(path).unwrap());
        wide.config = if name.starts_with("parametric") {
            wide.config.with_parametric_stereo().unwrap()
        } else {
            wide.config.with_band_replication().unwrap()
        };
        streams.push(wide);
    }
    let seed = std::env::var("MAPWAVE_AAC_SEED").map_or(11, |seed| seed.parse().unwrap());
    let mut random = Random(seed);
    let (mut num_decoded, mut num_rejected) = (0, 0);
    let mut batch = Vec::new();
    let mut noises = vec![Noise::default(); streams.len()];
    let mut decoders: Vec<[Decoder; 5]> = streams
        .iter()
        .map(|stream| {
            let new = |config: &Config| Decoder::new(config);
            let all = [(); 4].map(|()| new(&stream.config));
            let [best, single, told, counting] = all;
            [best, single, told, counting, new(&stream.config).with_plain_instructions()]
        })
        .collect();
    while num_decoded + num_rejected < wanted {
        let which = random.below(streams.len());
        let stream = &streams[which];
        batch.clear();
        for _ in 0..7 {
            let mut packet = stream.packets[random.below(stream.packets.len())].clone();
            match random.below(10) {
                0 => packet.truncate(random.below(packet.len() + 1)),
                1 => packet.iter_mut().for_each(|byte| *byte = random.bits() as u8),
                2 => {
                    let other = &streams[random.below(streams.len())].packets;
                    packet = other[random.below(other.len())].clone();
                }
                3 => {} // as it is
                kind => {
                    for _ in 0..1 + random.below(kind) {
                        // Most of what is said about lines stands at the beginning.
                        let end = if random.below(2) == 0 { packet.len().min(12) } else { packet.len() };
                        packet[random.below(end)] ^= 1 << random.below(8);
                    }
                }
            }
            batch.push(packet);
        }
        let packets: Vec<&[u8]> = batch.iter().map(|packet| &packet[..]).collect();
        let [best, single, told, counting, plain] = &mut decoders[which];
        let expected = outcomes(best, &packets);
        assert_eq!(expected.len(), packets.len());
        let one_by_one: Vec<Outcome> =
            packets.iter().flat_map(|packet| outcomes(single, &[packet])).collect();
        assert!(one_by_one == expected, "one by one");
        assert!(outcomes(plain, &packets) == expected, "without vectors");
        for (packet, expected) in packets.iter().zip(&expected) {
            told.set_noise(Some(noises[which]));
            assert!(&outcomes(told, &[packet])[0] == expected, "by the lines of noise before");
            noises[which] = noises[which].after(counting.num_noise_lines(&[packet]));
        }
        num_rejected += expected.iter().filter(|outcome| outcome.is_err()).count();
        num_decoded += expected.iter().filter(|outcome| outcome.is_ok()).count();
    }
    assert!(
        num_decoded > wanted / 5 && num_rejected > wanted / 5,
        "{num_decoded} decoded, {num_rejected} rejected"
    );
}
