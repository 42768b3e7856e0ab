//! Test signals.

use std::f64::consts::TAU;

/// A pseudo-random number generator (SplitMix64).
pub struct Random(pub u64);

impl Random {
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From -1 to 1.
    pub fn level(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.bits() % end as u64) as usize
    }
}

/// A signal that resembles music: decaying notes with some partials, a different one in each channel, and
/// mild noise.
pub fn music(sample_rate: u32, num_channels: u32, num_frames: usize) -> Vec<f32> {
    let rate = f64::from(sample_rate);
    let mut random = Random(7);
    let note_frames = sample_rate as usize / 4;
    let mut samples = Vec::with_capacity(num_frames * num_channels as usize);
    for frame in 0..num_frames {
        let (note, since) = (frame / note_frames.max(1), (frame % note_frames.max(1)) as f64 / rate);
        for channel in 0..num_channels {
            let pitch = 110.0 * f64::powf(2.0, ((note * 7 + channel as usize * 4) % 24) as f64 / 12.0);
            let partials = (1..=6).filter(|number| pitch * f64::from(*number) < 0.4 * rate);
            let tone: f64 = partials
                .map(|number| {
                    let number = f64::from(number);
                    (TAU * pitch * number * since).sin() * (-3.0 * number * since).exp() / number
                })
                .sum();
            samples.push((0.25 * tone * (-(-400.0 * since).exp_m1()) + 0.002 * random.level()) as f32);
        }
    }
    samples
}

/// The same as 16-bit integers.
pub fn music_16(sample_rate: u32, num_channels: u32, num_frames: usize) -> Vec<i16> {
    music(sample_rate, num_channels, num_frames)
        .into_iter()
        .map(|sample| (sample * 32_768.0).round() as i16)
        .collect()
}

/// The signal-to-noise ratio, in decibels.
pub fn signal_to_noise(signal: &[f64], other: &[f64]) -> f64 {
    let energy = |values: &mut dyn Iterator<Item = f64>| values.map(|value| value * value).sum::<f64>();
    let noise = energy(&mut signal.iter().zip(other).map(|(a, b)| a - b));
    10.0 * (energy(&mut signal.iter().copied()) / noise).log10()
}

pub fn levels(samples: &[f32]) -> Vec<f64> {
    samples.iter().map(|sample| f64::from(*sample)).collect()
}
