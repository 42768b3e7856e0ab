//! What goes in comes out, bit by bit, by four decoders written by others.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]

mod common;

use common::{Random, check, encode, music};
use mapwave_flac::EncoderSettings;

#[test]
fn every_depth_and_number_of_channels_comes_back() {
    for bits in [8, 12, 16, 20, 24] {
        for num_channels in [1, 2, 3, 6, 8] {
            let samples = music(bits, num_channels, 9000);
            let file = encode(&EncoderSettings::new(44_100, num_channels as u32, bits), &samples);
            check(&file, &samples, bits, &format!("{bits} bits, {num_channels} channels"));
            assert!(file.len() * 8 < samples.len() * bits as usize * 8 / 10, "{bits}: {}", file.len());
        }
    }
}

#[test]
fn every_length_comes_back() {
    for num_frames in [0, 1, 15, 16, 17, 1151, 1152, 1153, 4095, 4096, 4097, 100_000] {
        for level in [5, 0, 8] {
            let samples = music(16, 2, num_frames);
            for announced in [Some(num_frames as u64), None] {
                let base = EncoderSettings::new(48_000, 2, 16);
                let settings = EncoderSettings { level, num_frames: announced, ..base };
                check(&encode(&settings, &samples), &samples, 16, &format!("{num_frames}, level {level}"));
            }
        }
    }
}

#[test]
fn every_level_comes_back_and_the_highest_is_smallest() {
    for (bits, num_channels) in [(16, 2), (24, 2), (16, 1)] {
        let samples = music(bits, num_channels, 50_000);
        let mut sizes = Vec::new();
        for level in 0..=8 {
            let base = EncoderSettings::new(44_100, num_channels as u32, bits);
            let file = encode(&EncoderSettings { level, ..base }, &samples);
            check(&file, &samples, bits, &format!("level {level}"));
            sizes.push(file.len());
        }
        println!("{sizes:?}");
        assert!(sizes[0] > sizes[5] && sizes[5] >= sizes[8], "{sizes:?}");
    }
}

#[test]
fn every_rate_is_written() {
    for rate in [
        1, 8000, 11_025, 22_050, 44_100, 48_000, 64_000, 65_535, 65_537, 88_200, 96_000, 176_400, 192_000,
        352_800, 384_000, 655_350,
    ] {
        let samples = music(16, 2, 5000);
        let file = encode(&EncoderSettings::new(rate, 2, 16), &samples);
        check(&file, &samples, 16, &format!("{rate} Hz"));
        let info = claxon::FlacReader::new(&file[..]).unwrap().streaminfo();
        assert_eq!(info.sample_rate, rate);
    }
}

/// What a search for predictors and parameters may stumble over.
fn special_signals(bits: u32, num_frames: usize) -> Vec<(&'static str, Vec<i32>)> {
    let (least, most) = (-1_i32 << (bits - 1), (1_i32 << (bits - 1)) - 1);
    let mut random = Random(3);
    let frames = || (0..num_frames as i32).flat_map(|n| [n, n + 7]);
    let sweep = |n: i32| (f64::from(most) * (f64::from(n).powi(2) * 2e-4).sin()) as i32;
    let impulse = |n: i32| if n == 2000 { most } else { 0 };
    let sine = |n: i32| (f64::from(most) * (f64::from(n) * 0.003).sin()).round() as i32;
    vec![
        ("silence", vec![0; 2 * num_frames]),
        ("the least value", vec![least; 2 * num_frames]),
        ("a square", frames().map(|n| if n / 50 % 2 == 0 { most } else { least }).collect()),
        ("extremes in turn", frames().map(|n| if n % 2 == 0 { most } else { least }).collect()),
        (
            "extremes against each other",
            (0..num_frames).flat_map(|n| if n % 3 == 0 { [most, least] } else { [least, most] }).collect(),
        ),
        ("white noise", (0..2 * num_frames).map(|_| random.sample(bits)).collect()),
        (
            "random extremes",
            (0..2 * num_frames).map(|_| if random.below(2) == 0 { most } else { least }).collect(),
        ),
        ("an impulse", frames().map(impulse).collect()),
        (
            "impulses",
            (0..2 * num_frames)
                .map(|_| if random.below(900) == 0 { random.sample(bits) } else { 0 })
                .collect(),
        ),
        ("a sweep", frames().map(sweep).collect()),
        ("a low sine", frames().map(sine).collect()),
        ("a ramp", frames().map(|n| (n * 3).min(most)).collect()),
        ("wasted bits", (0..2 * num_frames).map(|_| random.sample(bits - 5) << 5).collect()),
        (
            "wasted bits in one channel",
            (0..num_frames).flat_map(|n| [random.sample(4) << (bits - 5), n as i32 % 3]).collect(),
        ),
        (
            "silence, then noise",
            (0..2 * num_frames).map(|n| if n < num_frames { 0 } else { random.sample(bits) }).collect(),
        ),
        ("equal channels", (0..num_frames).flat_map(|n| [sweep(n as i32); 2]).collect()),
    ]
}

#[test]
fn special_signals_come_back() {
    for bits in [8, 16, 24] {
        for (what, samples) in special_signals(bits, 9001) {
            for level in [5, 1, 8] {
                let settings = EncoderSettings { level, ..EncoderSettings::new(44_100, 2, bits) };
                let file = encode(&settings, &samples);
                check(&file, &samples, bits, &format!("{what}, {bits} bits, level {level}"));
                let raw = samples.len() * bits as usize / 8;
                assert!(file.len() < raw + raw / 200 + 1300, "{what}: {} of {raw} bytes", file.len());
            }
        }
    }
}

#[test]
fn sixteen_bits_in_twenty_four_cost_sixteen() {
    // Half the sum of two channels has one wasted bit less, so there is one.
    let narrow = music(16, 1, 20_000);
    let wide: Vec<i32> = narrow.iter().map(|sample| sample << 8).collect();
    let encode = |bits, samples: &[i32]| encode(&EncoderSettings::new(44_100, 1, bits), samples);
    let (file, wide_file) = (encode(16, &narrow), encode(24, &wide));
    check(&wide_file, &wide, 24, "8 wasted bits");
    assert!(wide_file.len() < file.len() * 101 / 100, "{} {}", wide_file.len(), file.len());
}

#[test]
fn whatever_is_drawn_comes_back() {
    // Signals of random length, depth, channels and kind: filtered noise, so that every predictor has its turn.
    let mut random = Random(11);
    for number in 0..60 {
        let bits = 4 + random.below(21) as u32;
        let num_channels = 1 + random.below(8);
        let num_frames = random.below(10_000);
        let (feedback, second) = (random.below(2000) as f64 / 1000.0, random.below(1000) as f64 / 1000.0);
        let loudness = 2.0_f64.powi(random.below(bits as usize + 2) as i32 - 2);
        let limit = f64::from((1 << (bits - 1)) - 1);
        let mut state = vec![[0.0_f64; 2]; num_channels];
        let mut samples = Vec::new();
        for _ in 0..num_frames {
            for [one, two] in &mut state {
                let noise = f64::from(random.sample(32)) / 2.0_f64.powi(32) * loudness;
                let level = (noise + feedback * *one - second * *two).clamp(-limit - 1.0, limit);
                (*two, *one) = (*one, level);
                samples.push(level.round() as i32);
            }
        }
        let level = random.below(9) as u32;
        let settings = EncoderSettings { level, ..EncoderSettings::new(32_000, num_channels as u32, bits) };
        let what =
            format!("{number}: {bits} bits, {num_channels} channels, {num_frames} frames, level {level}");
        check(&encode(&settings, &samples), &samples, bits, &what);
    }
}
