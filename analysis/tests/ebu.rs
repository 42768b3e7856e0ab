//! The figures that EBU Tech 3341 and EBU Tech 3342 expect for their test signals, which are made here, and the measurements of
//! another implementation for noise.

#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, missing_docs)]

use std::f64::consts::{PI, TAU};

use ebur128::{Channel, EbuR128, Mode};
use mapwave_analysis::{Input, Loudness, loudness};
use mapwave_core::{Audio, Error, Layout, OutputFormat, ReadControl};

fn measure(samples: &[f32], num_channels: usize, sample_rate: u32) -> Loudness {
    let axes = [samples.len() / num_channels, num_channels];
    let audio = Audio::new(samples, OutputFormat::F32, &axes, Some(Layout::ChannelsLast)).unwrap();
    let input = Input::Array { audio, sample_rate };
    let one = loudness(&input, &ReadControl::ONE_THREAD).unwrap();
    for max_threads in [2, 5] {
        let control = ReadControl { max_threads, interrupted: &|| false };
        assert_eq!(loudness(&input, &control).unwrap(), one, "the bits do not depend on the threads");
    }
    one
}

/// A sine of 1000 Hz at 48 kHz, for each (seconds, level in dBFS of each channel).
fn tones(parts: &[(f64, &[f64])]) -> Vec<f32> {
    let mut samples = Vec::new();
    let mut frame = 0_u32;
    for (seconds, levels) in parts {
        for _ in 0..(seconds * 48_000.0).round() as usize {
            let sine = (TAU * 1000.0 * f64::from(frame) / 48_000.0).sin();
            samples.extend(levels.iter().map(|level| (10_f64.powf(level / 20.0) * sine) as f32));
            frame += 1;
        }
    }
    samples
}

fn stereo(parts: &[(f64, f64)]) -> Vec<f32> {
    let levels: Vec<[f64; 2]> = parts.iter().map(|(_, level)| [*level; 2]).collect();
    let parts: Vec<(f64, &[f64])> =
        parts.iter().zip(&levels).map(|((seconds, _), levels)| (*seconds, &levels[..])).collect();
    tones(&parts)
}

#[track_caller]
fn is_near(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance, "{found}, not {expected}");
}

#[test]
fn integrated_loudness_is_that_of_tech_3341() {
    let quiet_and_loud = [(10.0, -36.0), (60.0, -23.0), (10.0, -36.0)];
    let with_silence = [(10.0, -72.0), (10.0, -36.0), (60.0, -23.0), (10.0, -36.0), (10.0, -72.0)];
    // The number of the test, the signal, and the loudness.
    for (number, parts, expected) in [
        (1, &[(20.0, -23.0)][..], -23.0),
        (2, &[(20.0, -33.0)], -33.0),
        (3, &quiet_and_loud, -23.0),
        (4, &with_silence, -23.0),
        (5, &[(20.0, -26.0), (20.1, -20.0), (20.0, -26.0)], -23.0),
    ] {
        let found = measure(&stereo(parts), 2, 48_000);
        println!("test {number}: {found:?}");
        is_near(found.integrated, expected, 0.1);
        if number <= 2 {
            is_near(found.max_momentary, expected, 0.1);
            is_near(found.max_short_term, expected, 0.1);
        }
    }
    let surround = tones(&[(20.0, &[-28.0, -28.0, -24.0, -30.0, -30.0])]);
    is_near(measure(&surround, 5, 48_000).integrated, -23.0, 0.1);
}

#[test]
fn momentary_and_short_term_loudness_are_those_of_tech_3341() {
    let short_term = stereo(&[(1.34, -20.0), (1.66, -30.0)].repeat(5));
    is_near(measure(&short_term, 2, 48_000).max_short_term, -23.0, 0.1);
    let momentary = stereo(&[(0.18, -20.0), (0.22, -30.0)].repeat(25));
    is_near(measure(&momentary, 2, 48_000).max_momentary, -23.0, 0.1);
}

#[test]
fn the_loudness_range_is_that_of_tech_3342() {
    for (parts, expected) in [
        (&[(20.0, -20.0), (20.0, -30.0)][..], 10.0),
        (&[(20.0, -20.0), (20.0, -15.0)], 5.0),
        (&[(20.0, -40.0), (20.0, -20.0)], 20.0),
        (&[(20.0, -50.0), (20.0, -35.0), (20.0, -20.0), (20.0, -35.0), (20.0, -50.0)], 15.0),
    ] {
        let found = measure(&stereo(parts), 2, 48_000);
        is_near(found.range, expected, 1.0);
        is_near(found.range_high - found.range_low, found.range, 1e-12);
    }
}

#[test]
fn true_peaks_are_those_of_tech_3341() {
    // Tests 15 to 19: the rate divided by the frequency, the phase in degrees, the amplitude, and the true peak.
    for (divisor, phase, amplitude, expected) in [
        (4.0, 0.0, 0.5, -6.0),
        (4.0, 45.0, 0.5, -6.0),
        (6.0, 60.0, 0.5, -6.0),
        (8.0, 67.5, 0.5, -6.0),
        (4.0, 45.0, 1.41, 3.0),
    ] {
        // The signal fades in and out, so that its edges do not ring.
        let sine = |frame: usize| {
            let fade = (frame.min(47_999 - frame) as f64 / 4800.0).min(1.0);
            (amplitude * fade * (TAU * frame as f64 / divisor + phase * PI / 180.0).sin()) as f32
        };
        let samples: Vec<f32> = (0..48_000).flat_map(|frame| [sine(frame); 2]).collect();
        let found = measure(&samples, 2, 48_000).true_peak - expected;
        assert!((-0.4..=0.2).contains(&found), "{divisor} {phase}: off by {found} dB");
    }
}

/// Noise that comes and goes, with a bass that the weighting takes away.
fn noise(num_frames: usize, num_channels: usize, sample_rate: u32) -> Vec<f32> {
    let mut state = 1_u32;
    let mut low = 0.0_f64;
    let mut samples = Vec::new();
    for frame in 0..num_frames {
        let seconds = frame as f64 / f64::from(sample_rate);
        let swell = 0.02 + 0.3 * (0.35 * seconds).sin().powi(2);
        let bass = 0.4 * (TAU * 25.0 * seconds).sin();
        for channel in 0..num_channels {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            low = 0.7 * low + 0.3 * (f64::from(state >> 8) / 8_388_608.0 - 1.0);
            samples.push((swell * low + bass / (channel + 2) as f64) as f32);
        }
    }
    samples
}

#[test]
fn another_implementation_measures_the_same() {
    for (sample_rate, num_channels, num_seconds) in [
        (44_100, 2, 60),
        (48_000, 1, 61),
        (8000, 2, 30),
        (16_000, 1, 200),
        (96_000, 2, 20),
        (192_000, 1, 9),
        (48_000, 6, 30),
    ] {
        let num_frames = num_seconds * sample_rate as usize + 1234;
        let samples = noise(num_frames, num_channels, sample_rate);
        let found = measure(&samples, num_channels, sample_rate);
        let mode = Mode::I | Mode::LRA | Mode::TRUE_PEAK | Mode::SAMPLE_PEAK;
        let mut other = EbuR128::new(num_channels as u32, sample_rate, mode).unwrap();
        if num_channels == 6 {
            let positions = [
                Channel::Left,
                Channel::Right,
                Channel::Center,
                Channel::Unused,
                Channel::LeftSurround,
                Channel::RightSurround,
            ];
            other.set_channel_map(&positions).unwrap();
        }
        other.add_frames_f32(&samples).unwrap();
        let peak = |of: &dyn Fn(u32) -> f64| (0..num_channels as u32).map(of).fold(0.0, f64::max);
        println!("{sample_rate} Hz, {num_channels} channels: {found:?}");
        is_near(found.integrated, other.loudness_global().unwrap(), 1e-3);
        is_near(found.threshold, other.relative_threshold().unwrap(), 1e-3);
        // It takes a window of 3 s every second, where this takes one every 100 ms: few windows say little.
        if num_seconds >= 20 {
            is_near(found.range, other.loudness_range().unwrap(), 0.3);
        }
        is_near(found.true_peak, 20.0 * peak(&|channel| other.true_peak(channel).unwrap()).log10(), 1e-3);
        is_near(found.sample_peak, 20.0 * peak(&|channel| other.sample_peak(channel).unwrap()).log10(), 1e-6);
    }
}

#[test]
fn audio_without_loudness_has_none() {
    let silent = measure(&[0.0; 96_000], 2, 48_000);
    assert_eq!(silent.integrated, f64::NEG_INFINITY);
    assert_eq!((silent.range, silent.true_peak), (0.0, f64::NEG_INFINITY));
    assert_eq!(silent.gain_to(-23.0, -1.0), 0.0);
    let short = measure(&stereo(&[(0.39, -6.0)]), 2, 48_000);
    assert_eq!((short.integrated, short.max_momentary), (f64::NEG_INFINITY, f64::NEG_INFINITY));
    is_near(short.sample_peak, -6.0, 0.01);
    assert_eq!(measure(&[], 2, 48_000).integrated, f64::NEG_INFINITY);
}

#[test]
fn what_cannot_be_measured_is_refused() {
    let measure = |samples: &[f32], sample_rate| {
        let audio = Audio::new(samples, OutputFormat::F32, &[samples.len()], None).unwrap();
        loudness(&Input::Array { audio, sample_rate }, &ReadControl::ONE_THREAD)
    };
    let error = measure(&[0.0; 100], 2000).unwrap_err();
    assert_eq!(error.to_string(), "sample_rate must be at least 4000 Hz to measure loudness, got 2000");
    let mut samples = vec![0.0; 20_000];
    *samples.get_mut(9000).unwrap() = f32::NAN;
    let error = measure(&samples, 8000).unwrap_err();
    let expected = "audio must be of finite samples to be measured, got NaN or infinity in frames 8800..9600";
    assert_eq!(error.to_string(), expected);
    let audio = Audio::new(&samples, OutputFormat::F32, &[20_000], None).unwrap();
    let control = ReadControl { max_threads: 2, interrupted: &|| true };
    let interrupted = loudness(&Input::Array { audio, sample_rate: 8000 }, &control);
    assert!(matches!(interrupted, Err(Error::Interrupted)));
}
