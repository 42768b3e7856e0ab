//! The test signal, and how its sample formats compare.

#![forbid(unsafe_code)]

use std::f64::consts::TAU;

use crate::host::Format;
use crate::verdict::{Finding, Outcome, Rule};

/// How closely two sample formats of one stream must agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// Equal, as far as the bits of each format go.
    Exact,
    /// Within two quantisation steps of the coarser format.
    Near,
}

/// The samples of a stream as numbers, with full scale at 1.
pub fn levels(format: Format, pcm: &[u8]) -> Vec<f64> {
    match format {
        Format::F32 => {
            pcm.as_chunks().0.iter().map(|sample| f64::from(f32::from_ne_bytes(*sample))).collect()
        }
        Format::I16 => {
            pcm.as_chunks().0.iter().map(|sample| f64::from(i16::from_ne_bytes(*sample)) / 32768.0).collect()
        }
        Format::I32 => {
            let scale = 2f64.powi(31);
            pcm.as_chunks().0.iter().map(|sample| f64::from(i32::from_ne_bytes(*sample)) / scale).collect()
        }
    }
}

/// Rejects floats that are not numbers, unless the file may hold any.
pub fn check_floats(call: Rule, may_hold_any: bool, pcm: &[u8]) -> Outcome {
    let place = levels(Format::F32, pcm).iter().position(|level| !level.is_finite());
    match place {
        Some(place) if !may_hold_any => {
            let reason = format!("sample {place} is NaN or infinite as F32, expected a number");
            Err(Finding::broken(call, reason))
        }
        _ => Ok(()),
    }
}

/// Rejects two sample formats of a stream that differ. `depth` is the depth of the compressed stream in bits, or 0.
pub fn compare(relation: Relation, depth: u32, one: (Format, &[u8]), other: (Format, &[u8])) -> Outcome {
    let has = |format| one.0 == format || other.0 == format;
    // The allowed difference: the rounding of the coarser format.
    let step = match (relation, has(Format::I16)) {
        (Relation::Exact, true) if (1..=16).contains(&depth) => 0.0,
        (Relation::Exact, true) => 1.0 / 32768.0,
        // A float holds 24 bits; deeper samples are rounded to the nearest.
        (Relation::Exact, false) if (1..=24).contains(&depth) => 0.0,
        (Relation::Exact, false) => 2f64.powi(-24),
        (Relation::Near, true) => 2.0 / 32768.0,
        (Relation::Near, false) => 2f64.powi(-22),
    };
    // An integer cannot exceed full scale.
    let clip = |level: f64| {
        let loudest = if has(Format::I16) { 1.0 - 1.0 / 32768.0 } else { 1.0 - 2f64.powi(-31) };
        if relation == Relation::Near { level.clamp(-1.0, loudest) } else { level }
    };
    let pairs = levels(one.0, one.1).into_iter().zip(levels(other.0, other.1));
    for (number, (a, b)) in pairs.enumerate() {
        // NaN becomes 0 in integers.
        let number_of = |level: f64| if level.is_nan() { 0.0 } else { level };
        let (a, b) = (number_of(a), number_of(b));
        if (clip(a) - clip(b)).abs() > step {
            let reason = format!(
                "sample {number} is {a} as {:?} and {b} as {:?}, more than {step} apart",
                one.0, other.0
            );
            return Err(Finding::broken("decode", reason));
        }
    }
    Ok(())
}

/// An interleaved 16-bit chord with a little noise; each channel has its own pitch.
pub fn chord(num_channels: u32, num_frames: usize, sample_rate: u32, seed: u64) -> Vec<i16> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut samples = Vec::with_capacity(num_frames * num_channels as usize);
    for frame in 0..num_frames {
        let time = frame as f64 / f64::from(sample_rate);
        for channel in 0..num_channels {
            let pitch = 440.0 * (1.0 + f64::from(channel % 8) / 4.0);
            // The upper voice is high enough that a shift by one frame shows as strong noise.
            let level = 0.25 * (TAU * pitch * time).sin() + 0.35 * (TAU * 6.5 * pitch * time).sin();
            let noise = random.i16(-3..=3);
            // Below 0.6 of full scale, so the cast does not truncate.
            #[allow(clippy::cast_possible_truncation)]
            samples.push((level * 32767.0) as i16 + noise);
        }
    }
    samples
}

/// 16-bit samples in a format, as bytes.
pub fn encode(format: Format, samples: &[i16]) -> Vec<u8> {
    match format {
        Format::I16 => samples.iter().flat_map(|sample| sample.to_ne_bytes()).collect(),
        Format::I32 => samples.iter().flat_map(|sample| (i32::from(*sample) << 16).to_ne_bytes()).collect(),
        Format::F32 => {
            samples.iter().flat_map(|sample| (f32::from(*sample) / 32768.0).to_ne_bytes()).collect()
        }
    }
}

/// The signal-to-noise ratio in decibels; the noise is the difference.
pub fn signal_to_noise(signal: &[f64], got: &[f64]) -> f64 {
    let power = |values: &mut dyn Iterator<Item = f64>| values.map(|value| value * value).sum::<f64>();
    let noise = power(&mut signal.iter().zip(got).map(|(a, b)| a - b));
    let signal = power(&mut signal.iter().copied());
    if noise == 0.0 { f64::INFINITY } else { 10.0 * (signal / noise).log10() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn all_formats_of_a_chord_are_the_same_sound() {
        let chord = chord(2, 500, 44_100, 1);
        let formats = Format::ALL.map(|format| (format, encode(format, &chord)));
        for (format, pcm) in &formats {
            for (other, other_pcm) in &formats {
                compare(Relation::Exact, 16, (*format, pcm), (*other, other_pcm)).unwrap();
            }
        }
        let mut off = chord.clone();
        off.iter_mut().take(1).for_each(|sample| *sample += 1);
        let off = encode(Format::I16, &off);
        for (format, pcm) in &formats {
            assert!(compare(Relation::Exact, 16, (*format, pcm), (Format::I16, &off)).is_err());
            assert!(compare(Relation::Near, 0, (*format, pcm), (Format::I16, &off)).is_ok());
        }
    }

    #[test]
    fn floats_are_numbers() {
        for level in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let floats: Vec<u8> = [0.5, level].iter().flat_map(|level| level.to_ne_bytes()).collect();
            assert!(
                check_floats("decode", false, &floats).is_err()
                    && check_floats("decode", true, &floats).is_ok()
            );
        }
        let (nan, loud) = (f32::NAN.to_ne_bytes(), 1000i16.to_ne_bytes());
        let zero = 0i16.to_ne_bytes();
        assert!(compare(Relation::Exact, 16, (Format::F32, &nan), (Format::I16, &loud)).is_err());
        assert!(compare(Relation::Exact, 16, (Format::F32, &nan), (Format::I16, &zero)).is_ok());
    }

    #[test]
    fn noise_is_measured() {
        let signal = levels(Format::I16, &encode(Format::I16, &chord(1, 4000, 44_100, 1)));
        assert_eq!(signal_to_noise(&signal, &signal), f64::INFINITY);
        let shifted: Vec<f64> = signal.iter().skip(1).copied().collect();
        assert!(signal_to_noise(&signal, &shifted) < 10.0, "a shift is noise");
        let quieter: Vec<f64> = signal.iter().map(|level| level * 0.9).collect();
        assert!((signal_to_noise(&signal, &quieter) - 20.0).abs() < 1e-6);
    }
}
