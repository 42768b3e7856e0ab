//! Decodes damaged packets, 4,000 of them or as many as `MAPWAVE_OPUS_DAMAGED_PACKETS` says.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss
)]

use opus_pure::{Application, OpusEncoder};

use super::*;
use crate::engine::packets::Broken;

struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end.max(1) as u64) as usize
    }
}

/// Packets of every mode, bandwidth and duration.
fn packets(num_channels: usize, random: &mut Random) -> Vec<Vec<u8>> {
    let mut packets = Vec::new();
    for (bit_rate, application, num_frames) in [
        (8_000, Application::Voip, 2880),
        (14_000, Application::Voip, 960),
        (24_000, Application::Voip, 480),
        (30_000, Application::Audio, 960),
        (64_000, Application::RestrictedLowDelay, 120),
        (96_000, Application::Audio, 960),
        (200_000, Application::Audio, 1920),
    ] {
        let mut encoder = OpusEncoder::new(48_000, num_channels, application).unwrap();
        encoder.bitrate_bps = bit_rate;
        let mut packet = vec![0; 8000];
        for number in 0..12 {
            let sample = |index: usize| {
                let time = (number * num_frames + index / num_channels) as f32 / 48_000.0;
                (time * 900.0).sin() * 0.4 + (random.below(1000) as f32 / 1000.0 - 0.5) * 0.2
            };
            let samples: Vec<f32> = (0..num_frames * num_channels).map(sample).collect();
            let num_bytes = encoder.encode(&samples, num_frames, &mut packet).unwrap();
            packets.push(packet[..num_bytes].to_vec());
        }
    }
    packets
}

/// A packet with one kind of damage.
fn damaged(packets: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut packet = packets[random.below(packets.len())].clone();
    match random.below(8) {
        0 => {
            for _ in 0..=random.below(8) {
                let place = random.below(packet.len());
                packet[place] ^= 1 << random.below(8);
            }
        }
        1 => packet.truncate(random.below(packet.len() + 1)),
        2 => packet[0] = random.below(256) as u8,
        3 => packet = (0..random.below(1400)).map(|_| random.below(256) as u8).collect(),
        4 => {
            // Several frames, with lengths and padding that are hardly ever right.
            packet[0] |= 3;
            packet.insert(1, random.below(256) as u8);
        }
        5 => packet.extend((0..random.below(300)).map(|_| random.below(256) as u8)),
        6 => {
            let start = random.below(packet.len());
            packet[start..].fill([0, 255][random.below(2)]);
        }
        _ => {} // whole
    }
    packet
}

#[test]
fn damaged_packets_are_refused_or_decoded() {
    let wanted = std::env::var("MAPWAVE_OPUS_DAMAGED_PACKETS").ok().and_then(|wanted| wanted.parse().ok());
    let wanted: usize = wanted.unwrap_or(4000);
    let mut random = Random(0x0123_4567_89AB_CDEF);
    let (mut num_decoded, mut num_refused) = (0, 0);
    for (num_streams, num_coupled) in [(1, 0), (1, 1), (2, 1)] {
        let num_channels = num_streams + num_coupled;
        let mapping: Vec<u8> = (0..num_channels).collect();
        let head = [
            &b"OpusHead\x01"[..],
            &[num_channels, 0, 0, 0, 0, 0, 0, 0, 0, 255, num_streams, num_coupled],
            &mapping,
        ];
        let setup = OpusSetup::from_head(&head.concat(), 0).unwrap();
        let packets = packets(if num_coupled > 0 { 2 } else { 1 }, &mut random);
        for engine in [Engine::Fast, Engine::General] {
            let mut codec = OpusCodec::new(&setup, engine).unwrap();
            for number in 0..wanted / 6 {
                let mut packet = damaged(&packets, &mut random);
                if num_streams == 2 && number % 2 == 0 {
                    // One frame of a given length in front of another packet.
                    let size = random.below(240);
                    let front = (0..size).map(|_| random.below(256) as u8);
                    let toc = packet.first().copied().unwrap_or(0) & !3;
                    packet = [toc, size as u8].into_iter().chain(front).chain(packet).collect();
                }
                match codec.decode(&packet) {
                    Ok(count) => {
                        assert_eq!(num_frames(&packet).unwrap() as usize, count);
                        let num_samples = count * usize::from(num_channels);
                        let mut samples = vec![f32::NAN; num_samples];
                        let num_written =
                            mapwave_plugin::Output::with_slice(&mut samples, num_channels.into(), |output| {
                                codec.write(0..count, output)
                            });
                        assert_eq!(num_written, count);
                        assert!(samples.iter().all(|sample| sample.is_finite()), "packet {number}");
                        num_decoded += 1;
                    }
                    Err(Broken::Silence) => num_refused += 1,
                    Err(Broken::Fatal(error)) => panic!("{error}"),
                }
                // The kind is asked of any bytes.
                let _ = setup.kind(&packet);
            }
        }
    }
    println!("{num_decoded} packets decoded, {num_refused} refused");
    assert!(num_decoded > wanted / 4 && num_refused > wanted / 100);
}
