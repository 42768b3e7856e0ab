//! `mapwave play` on a sound output that writes a file: `cargo test -p mapwave-cli --features play --test play`.

#![cfg(all(feature = "play", target_os = "linux"))]
#![allow(clippy::unwrap_used, clippy::cast_precision_loss)]

use std::fs;
use std::process::Command;

const RATE: u32 = 48_000;

/// A WAV file of 32-bit float samples.
fn wav(channels: u16, samples: &[f32]) -> Vec<u8> {
    let data: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let num_bytes = u32::try_from(data.len()).unwrap();
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((36 + num_bytes).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x03\0");
    bytes.extend(channels.to_le_bytes());
    bytes.extend(RATE.to_le_bytes());
    bytes.extend((RATE * u32::from(channels) * 4).to_le_bytes());
    bytes.extend((channels * 4).to_le_bytes());
    bytes.extend(b"\x20\0data");
    bytes.extend(num_bytes.to_le_bytes());
    bytes.extend(data);
    bytes
}

#[test]
fn every_sample_reaches_the_device() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    // Without a device behind it, ALSA takes samples faster than they are played, so that the queue runs empty: gaps of zeros are
    // part of what is written, and no sample is zero.
    let config = format!(
        "</usr/share/alsa/alsa.conf>\n\
         pcm.!default {{ type file slave.pcm \"null\" file \"{}\" format \"raw\" }}\n",
        path("played.raw").display()
    );
    fs::write(path("asound.conf"), config).unwrap();
    let samples: Vec<f32> = (1..=60_000).map(|number| number as f32 / 65_536.0).collect();
    fs::write(path("sound.wav"), wav(1, &samples)).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_mapwave"))
        .args(["play", "--from", "1000f"])
        .arg(path("sound.wav"))
        .env("ALSA_CONFIG_PATH", path("asound.conf"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let played = fs::read(path("played.raw")).unwrap();
    let played = played.chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()));
    let heard: Vec<f32> = played.filter(|sample| *sample != 0.0).collect();
    let expected: Vec<f32> = samples.iter().skip(1000).flat_map(|sample| [*sample; 2]).collect();
    assert_eq!(heard, expected);
}

#[test]
fn a_machine_without_a_sound_output_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("asound.conf");
    fs::write(&config, "</usr/share/alsa/alsa.conf>\npcm.!default { type hw card 31 }\n").unwrap();
    let sound = directory.path().join("sound.wav");
    fs::write(&sound, wav(1, &[0.5; 100])).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_mapwave"))
        .arg("play")
        .arg(sound)
        .env("ALSA_CONFIG_PATH", config)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("error: sound output: playing"));
}
