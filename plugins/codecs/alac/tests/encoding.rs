//! Encodes, and decodes the packets by this crate's decoder and by FFmpeg: the samples are the same.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap
)]

use std::mem::MaybeUninit;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use mapwave_alac::{Config, DecodedSample, Decoder, EncodeError, Encoder, Part};

/// A xorshift64* generator.
struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}

const KINDS: [&str; 6] = ["music", "quiet", "noise", "square", "silence", "alike"];

/// Planes of samples of `bits` bits that fill 32.
fn signal(kind: &str, bits: u32, num_channels: usize, num_frames: usize) -> Vec<Vec<i32>> {
    let mut random = Random(5);
    let mut planes = vec![Vec::with_capacity(num_frames); num_channels];
    for frame in 0..num_frames {
        for (channel, plane) in planes.iter_mut().enumerate() {
            let time = frame as f64 + if kind == "alike" { 0.0 } else { 3.0 * channel as f64 };
            let noise = random.bits() as i32;
            let level = match kind {
                "music" | "alike" => {
                    let chord = (time * 0.031).sin() + (time * 0.041).sin() + 0.5 * (time * 0.19).cos();
                    chord / 3.2 * (time * 1e-4).cos() + 0.01 * f64::from(noise) / 2.0_f64.powi(32)
                }
                "quiet" => {
                    f64::from(noise >> 30) / 2.0_f64.powi(bits as i32 - 1)
                        * f64::from(u8::from(frame / 500 % 3 == 0))
                }
                "noise" => f64::from(noise) / 2.0_f64.powi(31),
                "silence" => 0.0,
                _ => [0.999_999_999, -1.0][frame / 7 % 2],
            };
            plane.push(((level * 2.0_f64.powi(31)) as i32) >> (32 - bits) << (32 - bits));
        }
    }
    planes
}

fn encoded(config: &Config, planes: &[Vec<i32>]) -> Vec<(Vec<u8>, usize)> {
    let mut encoder = Encoder::new(config).unwrap();
    let (num_frames, most) = (planes[0].len(), config.frames_per_packet as usize);
    let starts = (0..num_frames).step_by(most);
    let packets = starts.map(|start| {
        let end = num_frames.min(start + most);
        let parts: Vec<&[i32]> = planes.iter().map(|plane| &plane[start..end]).collect();
        let mut packet = Vec::new();
        encoder.encode(&parts, &mut packet).unwrap();
        (packet, end - start)
    });
    packets.collect()
}

fn decoded<S: DecodedSample>(config: &Config, packets: &[(Vec<u8>, usize)]) -> Vec<S> {
    let parts: Vec<Part<'_>> =
        packets.iter().map(|(bytes, num_frames)| Part { bytes, frames: 0..*num_frames }).collect();
    let num_frames: usize = packets.iter().map(|(_, num_frames)| num_frames).sum();
    let mut samples = Vec::with_capacity(num_frames * config.num_channels as usize);
    let room: &mut [MaybeUninit<S>] = samples.spare_capacity_mut();
    Decoder::new(config).unwrap().decode(&parts, room).unwrap().to_vec()
}

fn interleaved(planes: &[Vec<i32>]) -> Vec<i32> {
    (0..planes[0].len()).flat_map(|frame| planes.iter().map(move |plane| plane[frame])).collect()
}

/// A CAF file (Apple Core Audio Format Specification 1.0) of packets.
fn caf(config: &Config, packets: &[(Vec<u8>, usize)]) -> Vec<u8> {
    let mut file = b"caff\0\x01\0\0".to_vec();
    let mut chunk = |kind: &[u8; 4], payload: &[u8]| {
        file.extend(kind);
        file.extend((payload.len() as u64).to_be_bytes());
        file.extend(payload);
    };
    let mut description = f64::from(config.sample_rate).to_be_bytes().to_vec();
    description.extend(b"alac");
    let flags = match config.bits_per_sample {
        16 => 1,
        20 => 2,
        24 => 3,
        _ => 4,
    };
    for value in [flags, 0, config.frames_per_packet, config.num_channels, 0] {
        description.extend(u32::to_be_bytes(value));
    }
    chunk(b"desc", &description);
    chunk(b"kuki", &config.to_bytes());
    let num_frames: usize = packets.iter().map(|(_, num_frames)| num_frames).sum();
    let padding = packets.len() * config.frames_per_packet as usize - num_frames;
    let mut table = (packets.len() as u64).to_be_bytes().to_vec();
    table.extend((num_frames as u64).to_be_bytes());
    table.extend(0_u32.to_be_bytes());
    table.extend((padding as u32).to_be_bytes());
    for (packet, _) in packets {
        let groups = (0..5).rev().map(|group| packet.len() >> (7 * group)).skip_while(|rest| *rest == 0);
        let bytes: Vec<u8> = groups.map(|rest| rest as u8 | 0x80).collect();
        table.extend(&bytes);
        *table.last_mut().unwrap() &= 0x7f;
    }
    chunk(b"pakt", &table);
    let data: Vec<u8> =
        [0; 4].into_iter().chain(packets.iter().flat_map(|(packet, _)| packet).copied()).collect();
    chunk(b"data", &data);
    file
}

/// What FFmpeg decodes a file to, in the upper bits of 32; `None` with a notice when it is not installed.
fn by_ffmpeg(file: &[u8], what: &str) -> Option<Vec<i32>> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("mapwave-alac-encode-{}-{number}.caf", std::process::id()));
    std::fs::write(&path, file).unwrap();
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-xerror", "-i"]).arg(&path).args(["-f", "s32le", "-c:a", "pcm_s32le", "-"]);
    let output = command.output();
    std::fs::remove_file(&path).unwrap();
    let Ok(output) = output else {
        println!("skipped: ffmpeg is not installed");
        return None;
    };
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what}: {} {message}", output.status);
    Some(output.stdout.as_chunks::<4>().0.iter().map(|bytes| i32::from_le_bytes(*bytes)).collect())
}

#[test]
fn what_is_encoded_is_decoded() {
    for bits in [16, 20, 24, 32] {
        for num_channels in 1..=8 {
            for kind in KINDS {
                let what = format!("{kind}, {num_channels} channels, {bits} bits");
                let config = Config::new(44_100, num_channels as u32, bits).unwrap();
                let planes = signal(kind, bits, num_channels, if num_channels <= 2 { 9001 } else { 4100 });
                let packets = encoded(&config, &planes);
                assert!(decoded::<i32>(&config, &packets) == interleaved(&planes), "{what}");
                let num_bytes: usize = packets.iter().map(|(packet, _)| packet.len()).sum();
                let raw = planes[0].len() * num_channels * bits as usize / 8;
                let least = if kind == "noise" { raw } else { 0 };
                assert!((least..raw + 100).contains(&num_bytes), "{what}: {num_bytes} of {raw} bytes");
                if kind == "silence" {
                    // The low bits of deep samples are stored as they are.
                    let stored = raw * [0, 0, 8, 16][(bits as usize / 4 - 4).min(3)] / bits as usize;
                    assert!(num_bytes < stored + raw / 50, "{what}: {num_bytes} of {raw} bytes");
                }
            }
        }
    }
}

#[test]
fn ffmpeg_decodes_what_is_encoded() {
    for bits in [16, 20, 24, 32] {
        for num_channels in 1..=8 {
            for kind in KINDS {
                let what = format!("{kind}, {num_channels} channels, {bits} bits");
                let config = Config::new(48_000, num_channels as u32, bits).unwrap();
                let planes = signal(kind, bits, num_channels, 4096 + 700);
                let Some(found) = by_ffmpeg(&caf(&config, &encoded(&config, &planes)), &what) else { return };
                assert!(found == interleaved(&planes), "{what}: {} samples", found.len());
            }
        }
    }
}

#[test]
fn packets_are_no_larger_than_those_of_ffmpeg() {
    for bits in [16, 24] {
        let config = Config::new(44_100, 2, bits).unwrap();
        let planes = signal("music", bits, 2, 20 * 4096);
        let num_bytes: usize = encoded(&config, &planes).iter().map(|(packet, _)| packet.len()).sum();
        let path = std::env::temp_dir().join(format!("mapwave-alac-size-{}-{bits}.caf", std::process::id()));
        let raw: Vec<u8> = interleaved(&planes).iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let input = path.with_extension("raw");
        std::fs::write(&input, raw).unwrap();
        let mut command = Command::new("ffmpeg");
        command.args(["-v", "error", "-f", "s32le", "-ar", "44100", "-ac", "2", "-i"]).arg(&input);
        command.args(["-c:a", "alac", "-sample_fmt", if bits == 16 { "s16p" } else { "s32p" }, "-y"]);
        let Ok(status) = command.arg(&path).status() else { return };
        assert!(status.success());
        let theirs = std::fs::metadata(&path).unwrap().len() as usize;
        std::fs::remove_file(&path).unwrap();
        std::fs::remove_file(&input).unwrap();
        println!("{bits} bits: {num_bytes} bytes, FFmpeg {theirs}");
        assert!(num_bytes * 100 < theirs * 103, "{bits} bits: {num_bytes} bytes, FFmpeg {theirs}");
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let mut encoder = Encoder::new(&Config::new(44_100, 2, 16).unwrap()).unwrap();
    let (mut packet, long) = (Vec::new(), vec![0; 4097]);
    let channels = encoder.encode(&[&[1]], &mut packet);
    assert_eq!(channels, Err(EncodeError::Channels { found: 1, expected: 2 }));
    assert_eq!(encoder.encode(&[&[1], &[1, 2]], &mut packet), Err(EncodeError::Lengths));
    let too_many = encoder.encode(&[&long, &long], &mut packet);
    assert_eq!(too_many, Err(EncodeError::TooMany { found: 4097, most: 4096 }));
    assert!(packet.is_empty());
    for (channels, bits) in [(0, 16), (9, 16), (2, 8), (2, 33)] {
        assert!(Config::new(44_100, channels, bits).is_err(), "{channels} channels, {bits} bits");
    }
}
